"""Looking at what a kernel holds: its variables, and its tables a window at a time."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio

from collegium.accounts.model import Action, Principal
from collegium.ground.errors import TooLarge, Unavailable
from collegium.ground.ids import NotebookId
from collegium.kernels.files import FilesClient
from collegium.sessions.looked_at import (
    FileWritten,
    MarkShown,
    Removed,
    RowsShown,
    StatisticsShown,
    Stopped,
    TableShown,
    VariablesShown,
    parsed,
)
from collegium.sessions.service import Sessions
from collegium.sessions.session import Session

VARIABLES_SECONDS_MAX = 3.0
"""A kernel that lets nobody else in (a long call of a C library) is said to be busy, rather than waited for."""
TABLE_SECONDS_MAX = 60.0
EXPORT_SECONDS_MAX = 300.0
QUESTION_CHARACTERS_MAX = 60_000
DELETE_SECONDS_MAX = 10.0


class Looking:
    """One per server."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def variables(self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]) -> VariablesShown:
        """A part of a kernel's variables. Raises NotFound, Forbidden, Invalid, Unavailable."""
        session = await self._session(principal, notebook)
        return parsed(VariablesShown, await _ask(session, "namespace", asked, VARIABLES_SECONDS_MAX))

    async def remove(self, principal: Principal, notebook: NotebookId, name: str) -> None:
        """Forget a variable, as `del` does. Raises as `variables` does."""
        session = await self._session(principal, notebook)
        parsed(Removed, await _ask(session, "namespace", {"remove": name}, VARIABLES_SECONDS_MAX))

    async def open(self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]) -> TableShown:
        """A table, by its variable or by its reference. Raises as `variables` does."""
        return parsed(TableShown, await self._table(principal, notebook, {"op": "open", **asked}))

    async def rows(self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]) -> RowsShown:
        """A window of a table. Raises as `variables` does."""
        return parsed(RowsShown, await self._table(principal, notebook, {"op": "rows", **asked}))

    async def stop(self, principal: Principal, notebook: NotebookId, asker: str) -> None:
        """Let go what this asker asked of tables. Raises as `variables` does."""
        session = await self._session(principal, notebook)
        parsed(Stopped, await _ask(session, "table", {"op": "stop", "asker": asker}, VARIABLES_SECONDS_MAX))

    async def statistics(self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]) -> StatisticsShown:
        """What a column holds. Raises as `variables` does."""
        return parsed(StatisticsShown, await self._table(principal, notebook, {"op": "statistics", **asked}))

    async def mark(self, principal: Principal, notebook: NotebookId, ref: str) -> MarkShown:
        """Whether a table changed. Raises as `variables` does."""
        session = await self._session(principal, notebook)
        return parsed(MarkShown, await _ask(session, "table", {"op": "mark", "ref": ref}, TABLE_SECONDS_MAX))

    async def export(
        self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]
    ) -> tuple[int, AsyncIterator[bytes]]:
        """A view as a file: how many bytes, and these. Raises as `variables` does."""
        session = await self._session(principal, notebook)
        answer = await _ask(session, "table", {"op": "export", **asked}, EXPORT_SECONDS_MAX)
        binding = session.loan.binding
        if binding is None:
            raise Unavailable("The runtime is gone.")
        written, machines = parsed(FileWritten, answer), self._sessions.world.machines
        files = FilesClient(lambda: machines.connect(binding.runtime))
        return written.bytes, _pieces(files, written)

    async def _table(self, principal: Principal, notebook: NotebookId, asked: dict[str, Any]) -> dict[str, Any]:
        session = await self._session(principal, notebook)
        answer = await _ask(session, "table", asked, TABLE_SECONDS_MAX)
        if session.loan.binding is not None:
            self._sessions.world.machines.touch(session.loan.binding.runtime)
        return answer

    async def _session(self, principal: Principal, notebook: NotebookId) -> Session:
        return await self._sessions.allowed(principal, notebook, Action.RUN)


async def _ask(session: Session, op: str, about: dict[str, Any], seconds: float) -> dict[str, Any]:
    if len(json.dumps(about)) > QUESTION_CHARACTERS_MAX:
        raise TooLarge("The question is too long.")
    if not session.loan.connected:
        raise Unavailable("No kernel is connected.", code="not_connected")
    try:
        return await session.loan.question({"op": op, "about": about}, seconds, kernel=True)
    except Unavailable as error:
        if not session.loan.connected:
            raise
        raise Unavailable("The kernel is busy with something that lets nobody else in.", code="kernel_busy") from error


async def _pieces(files: FilesClient, written: FileWritten) -> AsyncIterator[bytes]:
    """The file's bytes; then, also when the reader went away, the file is deleted."""
    try:
        async with files.open(written.path) as opened:
            async for piece in opened.pieces(0, min(opened.file.size, written.bytes)):
                yield piece
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(DELETE_SECONDS_MAX):
            await files.delete(written.path)
