"""What only the worker that leads does: everything that runs. The others pass on to it what concerns runs."""

import re
from collections.abc import Callable, Collection
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Scope

from collegium.ground.http import header
from collegium.ground.ids import CellId, ExecutionId, NotebookId, UserId, is_id
from collegium.notebooks.model import CellOutputs
from collegium.rooms.service import Rooms
from collegium.sessions.service import Sessions
from collegium.workers.service import Message, WorkerId, Workers

API = "/api/v1"
LED = re.compile(
    rf"/jupyter(/.*)?|/metrics|{API}/(runtimes|login|sessions)(/.*)?|{API}/me/password"
    rf"|{API}/drive/items/[^/]+/copy"
    rf"|{API}/notebooks/[^/]+/(executions|blobs|widgets|nbextensions|session|environment|playground)(/.*)?"
)
"""Runs and their machines; sign-in, whose patience is counted in one place; and copies, which take outputs along."""
LED_TO_READ = re.compile(rf"{API}/notebooks/[^/]+/content")
LED_TO_DELETE = re.compile(rf"{API}/drive/(items/[^/]+|trash)")
OWNED = re.compile(rf"{API}/notebooks/([^/]+)/.+")


def is_led(method: str, path: str) -> bool:
    """Whether a request is for the worker that leads."""
    if LED.fullmatch(path):
        return True
    if method in ("GET", "HEAD"):
        return LED_TO_READ.fullmatch(path) is not None
    return method == "DELETE" and LED_TO_DELETE.fullmatch(path) is not None


class Whose:
    """Which other worker has to answer a request."""

    def __init__(self, workers: Workers, rooms: Rooms, begun: anyio.Event, is_port: Callable[[str], bool]) -> None:
        self._workers = workers
        self._rooms = rooms
        self._begun = begun
        self._is_port = is_port

    async def __call__(self, scope: Scope) -> WorkerId | None:
        """None: this one may. Raises Unavailable if nobody leads for long."""
        if is_led(scope.get("method", "GET"), scope["path"]) or self._is_port(header(scope, b"host") or ""):
            leader = await self._workers.leader()
            if leader == self._workers.id:
                await self._begun.wait()
                return None
            return leader
        found = OWNED.fullmatch(scope["path"])
        if found is None or not is_id(found[1]):
            return None
        return await self._rooms.owner_elsewhere(NotebookId(found[1]))


class LedOutputs:
    """The port `Outputs` of notebooks, which are built before the sessions: what runs now only the leader knows."""

    sessions: Sessions

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        workers.answers("outputs", self._answer_outputs)
        workers.answers("outputs_of", self._answer_outputs_of)
        workers.answers("show", self._answer_show)

    async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
        """What each cell shows."""
        leader = await self._workers.leader()
        if leader == self._workers.id:
            return await self.sessions.outputs(notebook)
        answer, _ = await self._workers.ask(leader, {"kind": "outputs", "notebook": notebook})
        return {CellId(cell): CellOutputs(*left) for cell, left in answer["outputs"].items()}

    async def outputs_of(
        self, notebook: NotebookId, executions: Collection[ExecutionId], *, whole: bool
    ) -> dict[ExecutionId, CellOutputs]:
        """What these executions left."""
        leader = await self._workers.leader()
        if leader == self._workers.id:
            return await self.sessions.outputs_of(notebook, executions, whole=whole)
        asked = {"kind": "outputs_of", "notebook": notebook, "executions": list(executions), "whole": whole}
        answer, _ = await self._workers.ask(leader, asked)
        return {ExecutionId(id): CellOutputs(*left) for id, left in answer["outputs"].items()}

    async def show(self, notebook: NotebookId, shown: dict[CellId, ExecutionId | None]) -> None:
        """Have these cells show something else."""
        leader = await self._workers.leader()
        if leader == self._workers.id:
            await self.sessions.show(notebook, shown)
        else:
            await self._workers.ask(leader, {"kind": "show", "notebook": notebook, "shown": shown})

    async def shown(self, notebook: NotebookId) -> dict[CellId, ExecutionId]:
        """Which execution each cell shows."""
        return await self.sessions.shown(notebook)

    async def imported(
        self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
    ) -> None:
        """Keep what came with a file."""
        await self.sessions.imported(tx, notebook, outputs, user)

    async def _answer_outputs(self, message: Message, _body: bytes) -> tuple[Message, bytes]:
        return _said(await self.sessions.outputs(NotebookId(message["notebook"])))

    async def _answer_outputs_of(self, message: Message, _body: bytes) -> tuple[Message, bytes]:
        notebook, executions = NotebookId(message["notebook"]), [ExecutionId(id) for id in message["executions"]]
        return _said(await self.sessions.outputs_of(notebook, executions, whole=bool(message["whole"])))

    async def _answer_show(self, message: Message, _body: bytes) -> tuple[Message, bytes]:
        await self.sessions.show(NotebookId(message["notebook"]), message["shown"])
        return {}, b""


def _said(found: dict[Any, CellOutputs]) -> tuple[Message, bytes]:
    return {"outputs": {id: [left.outputs, left.execution_count, left.widgets] for id, left in found.items()}}, b""
