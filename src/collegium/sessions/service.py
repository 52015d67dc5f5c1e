"""The sessions of all notebooks: opened when they are needed, picked up again when the server starts."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup, TaskStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Forbidden, NotFound, Unavailable
from collegium.ground.ids import CellId, ExecutionId, ItemId, NotebookId, RuntimeId, UserId, is_id, new_id
from collegium.ground.log import get_log
from collegium.notebooks.model import CellOutputs
from collegium.runtimes.model import Runtime
from collegium.sessions import store, widget_model, widget_store
from collegium.sessions.blobs import Found, plain_output, with_large, without_large
from collegium.sessions.folding import Output, as_shown
from collegium.sessions.layers import NotebookLayers
from collegium.sessions.live import segment_path
from collegium.sessions.model import Asked, Execution, Held, State
from collegium.sessions.ports import Authority, Blobs, Client, Documents, Machines
from collegium.sessions.segments import log_text
from collegium.sessions.session import Session, open_session
from collegium.sessions.settings import SessionSettings
from collegium.sessions.tabs import Tabs
from collegium.sessions.widgets import SAVED_WIDGETS_BYTES_MAX, kept_widgets, widgets_path
from collegium.sessions.world import World

RESUME_SECONDS = 1.0

log = get_log("sessions")


class Sessions:
    """One session per notebook that runs or is watched."""

    def __init__(self, world: World, layers: NotebookLayers, authority: Authority, tasks: TaskGroup) -> None:
        self.world = self._world = world
        self.layers = layers
        self._authority = authority
        self._tasks = tasks
        self._sessions: dict[NotebookId, Session] = {}
        self._scopes: dict[NotebookId, anyio.CancelScope] = {}
        self._opening = anyio.Lock()
        self._tabs = Tabs(self.session)
        self._watchers: dict[NotebookId, set[object]] = {}
        self._ended: dict[NotebookId, anyio.Event] = {}
        self._leftovers: dict[NotebookId, tuple[list[RuntimeId], list[str]]] = {}

    async def session(self, notebook: NotebookId) -> Session:
        """The session of a notebook; whoever asks must be allowed to."""
        async with self._opening:
            known = self._sessions.get(notebook)
            if known is not None:
                return known
            session: Session = await self._tasks.start(self._live, notebook)
            return session

    async def allowed(self, principal: Principal, notebook: NotebookId, action: Action) -> Session:
        """The session, for somebody who may do this. Raises NotFound or Forbidden."""
        await self._authority.authorize(principal, ItemId(notebook), action)
        return await self.session(notebook)

    async def begin(self) -> None:
        """Watch again what ran when the last server ended. Only one process of a server may."""
        self._tasks.start_soon(self.layers.keep_tidy)
        await self.layers.clean()
        await self.pick_up()

    async def pick_up(self) -> None:
        """Everything that ran when the last server ended is watched again."""
        async with self._world.db.read() as tx:
            notebooks = await store.notebooks_unfinished(tx)
        for notebook in notebooks:
            await self.session(notebook)

    # for the page (the room's port)

    async def joined(self, client: Client) -> None:
        """A tab is here: it is told what runs and what every cell shows."""
        self._watchers.setdefault(client.notebook, set()).add(client.id)
        (await self.session(client.notebook)).watching.begin()
        await self._tabs.joined(client)

    async def received(self, client: Client, message: dict[str, Any]) -> None:
        """A tab wants something."""
        session = await self.session(client.notebook)
        await self._tabs.received(client, message, session)

    async def left(self, client: Client) -> None:
        """A tab is gone; what runs, runs on."""
        watchers = self._watchers.get(client.notebook, set())
        watchers.discard(client.id)
        session = self._sessions.get(client.notebook)
        if session is not None:
            session.widgets.left(client)
        if not watchers:
            self._watchers.pop(client.notebook, None)
            if session is not None:
                session.watching.end()
            if session is not None and session.idle:
                self._scopes[client.notebook].cancel()

    def noticed(self, runtime: RuntimeId, notice: dict[str, Any] | None) -> None:
        """A runtime will be taken back, or will not after all: those who have its notebook open are told."""
        for session in self._sessions.values():
            if session.loan.binding is not None and session.loan.binding.runtime == runtime:
                session.loan.noticed(notice)

    # for notebooks (their port)

    async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
        """What each cell shows, whole and in nbformat's form."""
        session = self._sessions.get(notebook)
        async with self._world.db.read() as tx:
            heads = await store.read_heads(tx, notebook)
        shown: dict[CellId, CellOutputs] = {}
        for execution, stored in heads:
            live = None if session is None else session.lives.get(execution.id)
            outputs, count = (
                (stored, execution.count) if live is None else (live.stored_outputs(), live.execution.count)
            )
            whole = [await with_large(output, self._world.blobs) for output in outputs]
            shown[execution.cell] = CellOutputs(whole, count)
        return await self._with_widgets(notebook, shown)

    async def _with_widgets(self, notebook: NotebookId, shown: dict[CellId, CellOutputs]) -> dict[CellId, CellOutputs]:
        """With the states of the widgets that cells show, up to a bound for all of them."""
        viewed = {cell: [id for one in left.outputs for id in widget_model.viewed(one)] for cell, left in shown.items()}
        if not any(viewed.values()):
            return shown
        session, path = self._sessions.get(notebook), widgets_path(self._world.folder, notebook)
        room = SAVED_WIDGETS_BYTES_MAX
        async with kept_widgets(None if session is None else session.widgets, path, self._past(notebook)) as widgets:
            for cell, ids in viewed.items():
                states = await widgets.saved(ids, room) if ids else {}
                room -= sum(len(json.dumps(state)) for state in states.values())
                shown[cell] = replace(shown[cell], widgets=states)
        return shown

    async def shown(self, notebook: NotebookId) -> dict[CellId, ExecutionId]:
        """Which execution's outputs each cell shows."""
        async with self._world.db.read() as tx:
            return await store.read_shown(tx, notebook)

    async def outputs_of(
        self, notebook: NotebookId, executions: Collection[ExecutionId], *, whole: bool
    ) -> dict[ExecutionId, CellOutputs]:
        """What these executions left, as far as they are this notebook's."""
        session = self._sessions.get(notebook)
        async with self._world.db.read() as tx:
            found = await store.read_executions(tx, notebook, list(executions))
        left: dict[ExecutionId, CellOutputs] = {}
        for execution, stored in found:
            live = None if session is None else session.lives.get(execution.id)
            outputs = stored if live is None else live.stored_outputs()
            shown = [await with_large(one, self._world.blobs) if whole else plain_output(one) for one in outputs]
            left[execution.id] = CellOutputs(shown, execution.count if live is None else live.execution.count)
        return left

    async def show(self, notebook: NotebookId, shown: dict[CellId, ExecutionId | None]) -> None:
        """These cells show what these executions left; whoever has the notebook open is told."""
        session = await self.session(notebook)
        await session.show(shown)

    async def saved_widgets(self, notebook: NotebookId, outputs: Sequence[Output]) -> dict[str, Any]:
        """The states of the widgets that these outputs show."""
        ids = {id for output in outputs for id in widget_model.viewed(output)}
        session, path = self._sessions.get(notebook), widgets_path(self._world.folder, notebook)
        if not ids:
            return {}
        async with kept_widgets(None if session is None else session.widgets, path, self._past(notebook)) as kept:
            return await kept.saved(ids, SAVED_WIDGETS_BYTES_MAX)

    def _past(self, notebook: NotebookId) -> Callable[[], Awaitable[dict[str, Any]]]:
        async def read() -> dict[str, Any]:
            async with self._world.db.read() as tx:
                return await widget_store.read_states(tx, notebook)

        return read

    async def stored_heads(self, tx: AsyncConnection, notebook: NotebookId) -> list[tuple[Execution, list[Output]]]:
        """What each cell shows now, large values only named."""
        session = self._sessions.get(notebook)
        heads = await store.read_heads(tx, notebook)
        lives = [None if session is None else session.lives.get(execution.id) for execution, _ in heads]
        return [
            head if live is None else (live.execution, live.stored_outputs())
            for head, live in zip(heads, lives, strict=True)
        ]

    def unwritten_blobs(self, notebook: NotebookId, among: Collection[str]) -> Found:
        """Those of these large outputs that a running execution left, and nobody wrote down yet."""
        session = self._sessions.get(notebook)
        found = {} if session is None else session.lives.found
        return {sha256: found[sha256] for sha256 in among if sha256 in found}

    async def imported(
        self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
    ) -> None:
        """Keep the outputs that came with a file, in the caller's transaction."""
        found: Found = {}
        rows: list[tuple[Execution, list[Output]]] = []
        now = now_ms()
        position = await store.last_position(tx, notebook)
        for number, (cell, came) in enumerate(outputs.items(), position + 1):
            small = [await without_large(as_shown(output), self._world.blobs, found) for output in came.outputs]
            execution = Execution(
                id=ExecutionId(new_id()),
                notebook=notebook,
                cell=cell,
                user=user,
                user_name="",
                position=number,
                source="",
                source_hash="",
                state=State.FINISHED,
                count=came.execution_count,
                saved=True,
                queued_at=now,
            )
            rows.append((execution, small))
        await store.insert_executions(tx, rows)
        await store.set_heads(tx, notebook, {execution.cell: execution.id for execution, _ in rows})
        await store.keep_blobs(tx, notebook, found)

    # for the drive

    async def forget(self, tx: AsyncConnection, notebooks: Sequence[ItemId]) -> None:
        """These notebooks are deleted, in the caller's transaction: nothing is known of their runs any more."""
        ids = [NotebookId(item) for item in notebooks]
        self._leftovers[ids[0]] = await store.delete_notebooks(tx, ids)

    async def deleted(self, notebooks: Sequence[ItemId]) -> None:
        """Their deletion is committed: their runtimes end, and what is left on disk goes."""
        ids = [NotebookId(item) for item in notebooks]
        runtimes, large = self._leftovers.pop(ids[0], ([], []))
        for notebook in ids:
            session = self._sessions.get(notebook)
            if session is not None:
                session.forgotten = True
                large += session.lives.found
                if session.loan.binding is not None:
                    runtimes.append(session.loan.binding.runtime)
                self._scopes[notebook].cancel()
                await self._ended[notebook].wait()
            await anyio.to_thread.run_sync(partial(shutil.rmtree, self._world.folder / notebook, ignore_errors=True))
        for runtime in set(runtimes):
            await self._world.machines.release(runtime)
        # In a writer's turn, so that nobody who is about to refer to one of the blobs is overlooked.
        async with self._world.db.write() as tx:
            # What a session wrote in the moment between the deletion and its own end.
            large += (await store.delete_notebooks(tx, ids))[1]
            used = await store.blobs_in_use(tx, large)
            for session in self._sessions.values():
                used |= session.lives.found.keys()
            for sha256 in set(large) - used:
                await self._world.blobs.delete(sha256)

    # for whoever looks into a runtime, or after them

    async def usable(self, principal: Principal, runtime: RuntimeId) -> Runtime:
        """The runtime, for its own user and for whoever may run the notebook that is bound to it.

        Raises NotFound for anybody else, as if there were none.
        """
        missing = NotFound("There is no such runtime, or it is not yours.")
        if not is_id(runtime):
            raise missing
        try:
            found = await self._world.machines.runtime(runtime)
        except NotFound as error:
            raise missing from error
        if found.user == principal.user:
            return found
        async with self._world.db.read() as tx:
            bound = await store.notebooks_of(tx, [runtime])
        for notebook in bound[runtime]:
            with suppress(NotFound, Forbidden):
                await self._authority.authorize(principal, ItemId(notebook), Action.RUN)
                return found
        raise missing

    async def reachable(self, principal: Principal, runtime: RuntimeId) -> Runtime:
        """The runtime, for whoever may look into it: as `usable`, but a notebook bound to it decides alone.

        Its own user too must be allowed to run that notebook: what others load there is not for whom they parted with.
        Raises NotFound.
        """
        found = await self.usable(principal, runtime)
        async with self._world.db.read() as tx:
            bound = (await store.notebooks_of(tx, [runtime]))[runtime]
        for notebook in bound:
            with suppress(NotFound, Forbidden):
                await self._authority.authorize(principal, ItemId(notebook), Action.RUN)
                return found
        if bound:
            raise NotFound("A notebook runs in this runtime that you may not run any more.")
        return found

    async def notebooks_in(
        self, principal: Principal, runtimes: Sequence[RuntimeId]
    ) -> dict[RuntimeId, list[tuple[NotebookId, str]]]:
        """The notebooks bound to each of these runtimes that somebody may see, with their names."""
        async with self._world.db.read() as tx:
            bound = await store.notebooks_of(tx, runtimes)
        found: dict[RuntimeId, list[tuple[NotebookId, str]]] = {runtime: [] for runtime in runtimes}
        for runtime, notebooks in bound.items():
            for notebook in notebooks:
                with suppress(NotFound, Forbidden):
                    item, _ = await self._authority.authorize(principal, ItemId(notebook), Action.READ)
                    found[runtime].append((notebook, item.name))
        return found

    async def held(self, principal: Principal) -> list[Held]:
        """The runtimes that somebody has, and what runs in each."""
        runtimes = await self._world.machines.lent(principal.user)
        async with self._world.db.read() as tx:
            bound = await store.notebooks_of(tx, [runtime.id for runtime in runtimes])
        return [await self._held(principal, runtime, next(iter(bound[runtime.id]), None)) for runtime in runtimes]

    async def _held(self, principal: Principal, runtime: Runtime, notebook: NotebookId | None) -> Held:
        if notebook is None:
            return Held(runtime)
        session = await self.session(notebook)
        name: str | None = None
        with suppress(NotFound, Forbidden):
            item, _ = await self._authority.authorize(principal, ItemId(notebook), Action.READ)
            name = item.name
        return Held(runtime, notebook, name, session.showing.session_frame()["kernel"], session.executing)

    # for the API

    async def execute(
        self, principal: Principal, notebook: NotebookId, asked: Sequence[Asked] | None
    ) -> list[Execution]:
        """Queue cells (None: all). Raises NotFound, Forbidden, Conflict, Invalid."""
        session = await self.allowed(principal, notebook, Action.RUN)
        return await session.execute(principal, asked)

    async def execution(
        self, principal: Principal, notebook: NotebookId, execution: ExecutionId
    ) -> tuple[Execution, list[Output]]:
        """An execution and its outputs in nbformat's form. Raises NotFound."""
        session = await self.allowed(principal, notebook, Action.READ)
        live = await session.lives.find(execution)
        return live.execution, [await with_large(output, self._world.blobs) for output in live.stored_outputs()]

    async def log(self, principal: Principal, notebook: NotebookId, execution: ExecutionId) -> Iterator[str]:
        """Everything an execution printed. Raises NotFound. The pieces are read from disk: take them in a thread."""
        session = await self.allowed(principal, notebook, Action.READ)
        live = await session.lives.find(execution)
        return log_text(segment_path(self._world.folder, live.execution))

    async def blob(self, principal: Principal, notebook: NotebookId, sha256: str) -> tuple[str, bytes]:
        """MIME type and bytes of a large output. Raises NotFound."""
        await self._authority.authorize(principal, ItemId(notebook), Action.READ)
        session = self._sessions.get(notebook)
        mime = None if session is None else session.lives.mime_of(sha256)
        if mime is None:
            async with self._world.db.read() as tx:
                mime = await store.read_blob_mime(tx, notebook, sha256)
        return mime, await self._world.blobs.read(sha256)

    async def _live(self, notebook: NotebookId, *, task_status: TaskStatus[Session]) -> None:
        """A session's whole life. One that fails is dropped, and read from the database again."""
        try:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as own, open_session(notebook, self._world, own) as session:
                    self._sessions[notebook], self._scopes[notebook] = session, scope
                    self._ended[notebook] = anyio.Event()
                    if self._watchers.get(notebook):
                        session.watching.begin()
                    task_status.started(session)
                    await session.run()
        except Exception:
            if notebook not in self._sessions:
                raise
            log.exception("session.failed", notebook=notebook)
            self._tasks.start_soon(self._resume, notebook)
        finally:
            self._sessions.pop(notebook, None)
            self._scopes.pop(notebook, None)
            if (ended := self._ended.pop(notebook, None)) is not None:
                ended.set()

    async def _resume(self, notebook: NotebookId) -> None:
        """After a moment, what runs is watched again."""
        while True:
            await anyio.sleep(RESUME_SECONDS)
            try:
                async with self._world.db.read() as tx:
                    unfinished = await store.notebooks_unfinished(tx)
                if notebook in unfinished:
                    await self.session(notebook)
            except Unavailable as error:
                # The database is away, perhaps for a night: what runs meanwhile is kept by its agent.
                log.warning("session.not_resumed", notebook=notebook, detail=error.detail)
            except Exception:
                # It is read again when somebody asks for it.
                log.exception("session.not_resumed", notebook=notebook)
                return
            else:
                return


@asynccontextmanager
async def open_sessions(
    *,
    db: Database,
    documents: Documents,
    machines: Machines,
    blobs: Blobs,
    authority: Authority,
    folder: Path,
    settings: SessionSettings,
    begin: bool = True,
) -> AsyncIterator[Sessions]:
    """All sessions; at the end they are written down, and their kernels run on. Segments are kept in `folder`."""
    async with anyio.create_task_group() as tasks:
        layers = NotebookLayers(db, machines, blobs, settings, tasks)
        world = World(db, documents, machines, blobs, folder, settings, layers)
        sessions = Sessions(world, layers, authority, tasks)
        machines.on_notice(sessions.noticed)
        if begin:
            await sessions.begin()
        try:
            yield sessions
        finally:
            tasks.cancel_scope.cancel()
