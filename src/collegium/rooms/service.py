"""The notebooks that are open now: each a room, opened by its first visitor and closed some time after its last."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.accounts.service import Accounts
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.ids import NotebookId, UserId
from collegium.ground.log import get_log
from collegium.ground.news import News
from collegium.notebooks.history import RevisionKind
from collegium.notebooks.service import Notebooks
from collegium.rooms.client import Client
from collegium.rooms.distant import JOIN, READ, Elsewhere, visited
from collegium.rooms.housekeeping import Housekeeping
from collegium.rooms.model import RESTARTING
from collegium.rooms.outside import Outside
from collegium.rooms.reading import OpenNotebook
from collegium.rooms.room import Room
from collegium.rooms.settings import RoomSettings
from collegium.workers.service import Message, WorkerId, Workers

__all__ = ["Client", "OpenNotebook", "Room", "Rooms", "open_rooms"]

log = get_log("rooms")

ROOMS_MAX = 5_000
SAID = "said"
"""News: a message for the tabs of a notebook."""
LAST_WORDS_SECONDS_MAX = 10


class _Stay:
    """A room in its task: whether it is ready, and why it is not."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.ready = anyio.Event()
        self.moved = anyio.Event()
        self.error: CollegiumError | None = None


class Rooms:
    """Keeps the rooms in one task group; whoever needs one visits it."""

    def __init__(
        self,
        database: Database,
        notebooks: Notebooks,
        drive: Drive,
        accounts: Accounts,
        news: News,
        settings: RoomSettings,
        tasks: TaskGroup,
        build: str,
        workers: Workers | None,
    ) -> None:
        self._news = news
        self._database = database
        self._notebooks = notebooks
        self._drive = drive
        self.accounts = accounts
        self.settings = settings
        self._tasks = tasks
        self._build = build
        self._workers = workers
        self.beyond: Callable[[NotebookId, dict[str, Any]], None] | None = None
        """Passes a message to the tabs of a notebook that are here for what this worker leads, through its owner."""
        self._stays: dict[NotebookId, _Stay] = {}
        self.housekeeping = Housekeeping(notebooks, settings, self.open_here, self._ready_rooms)
        self.outside = Outside(database, notebooks, drive, self.open, self.tell)

    @asynccontextmanager
    async def open(self, notebook: NotebookId) -> AsyncIterator[OpenNotebook]:
        """Visit a notebook in its room, or at its owner if that is another worker. Raises NotFound or Unavailable."""
        async with AsyncExitStack() as stack:
            try:
                room: OpenNotebook = await stack.enter_async_context(self.open_here(notebook))
            except Elsewhere as error:
                owner = WorkerId(error.owner)

                async def ask(message: Message, body: bytes) -> tuple[Message, bytes]:
                    assert self._workers is not None
                    return await self._workers.ask(owner, message, body)

                room = await visited(notebook, self._database, ask)
            yield room

    async def owner_elsewhere(self, notebook: NotebookId) -> WorkerId | None:
        """Which other worker has this notebook, if one has."""
        if self._workers is None or not self._workers.fellows or notebook in self._stays:
            return None
        owner = await self._notebooks.owner(notebook)
        return WorkerId(owner) if owner is not None and self._workers.is_elsewhere(owner) else None

    @asynccontextmanager
    async def open_here(self, notebook: NotebookId) -> AsyncIterator[Room]:
        """Visit the room of a notebook; it stays open at least as long. Raises NotFound, Elsewhere or Unavailable."""
        stay = self._stays.get(notebook)
        if stay is None:
            if len(self._stays) >= ROOMS_MAX:
                raise Unavailable("Too many notebooks are open.")
            stay = self._stays[notebook] = _Stay(self._new_room(notebook))
            self._tasks.start_soon(self._keep, notebook, stay)
        stay.room.visitors += 1
        stay.moved.set()
        try:
            await stay.ready.wait()
            if stay.error is not None:
                raise stay.error
            yield stay.room
        finally:
            stay.room.visitors -= 1
            stay.moved.set()

    def find(self, notebook: NotebookId) -> Room | None:
        """The room of a notebook, if it is open and ready."""
        stay = self._stays.get(notebook)
        return stay.room if stay is not None and stay.ready.is_set() and stay.error is None else None

    async def revise_soon(self, notebook: NotebookId, kind: RevisionKind, user: UserId) -> None:
        """Make a revision of this moment, if it says anything new; only noting the moment is waited for."""
        revisions = self._notebooks.revisions
        shown, at = await revisions.outputs.shown(notebook), await revisions.head(notebook)

        async def make() -> None:
            try:
                await revisions.make(notebook, kind, user=user, at=at, shown=shown)
            except Exception:
                # Whatever went wrong with one revision, the rooms go on.
                log.exception("revision.not_made", notebook=notebook)

        self._tasks.start_soon(make)

    def tell(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Send a message to every tab that has the notebook open, be it at another server. Never waits."""
        self._news.tell(SAID, notebook=notebook, message=message)

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Send a message to every tab that this worker's run plane serves, wherever its room is. Never waits."""
        room = self.find(notebook)
        if room is not None:
            room.broadcast(message)
        if self.beyond is not None:
            self.beyond(notebook, message)

    async def answer_read(self, message: Message, _body: bytes) -> tuple[Message, bytes]:
        """Another worker wants to see a notebook that is open here."""
        async with self.open_here(NotebookId(message["notebook"])) as room:
            head, state = await room.state()
            return {"head": head}, state

    async def answer_join(self, message: Message, update: bytes) -> tuple[Message, bytes]:
        """Another worker has changed a copy of a notebook that is open here."""
        async with self.open_here(NotebookId(message["notebook"])) as room:
            seq = await room.join(update, message["client"], origin=message["origin"], user=message["user"])
            return {"seq": seq}, b""

    def missed(self, surely: bool) -> None:
        """News went by: tabs come back, and are told everything again. Not for what may only have been."""
        if not surely:
            return
        for stay in self._stays.values():
            for client in stay.room.clients.values():
                client.close(RESTARTING, "Another process of the server was out of reach.")

    def _said(self, news: dict[str, Any]) -> None:
        room = self.find(NotebookId(news["notebook"]))
        if room is not None:
            room.broadcast(news["message"])

    def _new_room(self, notebook: NotebookId) -> Room:
        return Room(
            notebook,
            notebooks=self._notebooks,
            drive=self._drive,
            database=self._database,
            settings=self.settings,
            build=self._build,
            owner="" if self._workers is None else self._workers.id,
        )

    def _ready_rooms(self) -> list[Room]:
        return [stay.room for stay in self._stays.values() if stay.ready.is_set() and stay.error is None]

    async def _keep(self, notebook: NotebookId, stay: _Stay) -> None:
        room = stay.room
        room.on_shut = partial(self._forget, notebook, stay)
        try:
            await room.load()
        except Exception as error:
            if not isinstance(error, CollegiumError):
                log.error("room.failed", notebook=notebook, exc_info=error)
                error = Unavailable("The notebook cannot be opened now.")
            stay.error = error
            self._forget(notebook, stay)
            return
        finally:
            stay.ready.set()
        log.info("room.opened", notebook=notebook)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(room.run)
                await self._until_idle(stay)
                tasks.cancel_scope.cancel()
        except Exception as error:
            # A bug in one room ends that room, and not the others.
            log.error("room.failed", notebook=notebook, exc_info=error)
            room.shut(Unavailable("The notebook had to be closed. It can be opened again."))
        finally:
            self._forget(notebook, stay)
            with anyio.move_on_after(LAST_WORDS_SECONDS_MAX, shield=True):
                await room.settled()
                await room.finish()
                await self.housekeeping.left(room)
            log.info("room.closed", notebook=notebook)

    async def _until_idle(self, stay: _Stay) -> None:
        """Return, without waiting in between, when nobody was in the room for some time."""
        while True:
            stay.moved = anyio.Event()
            idle = False
            if stay.room.visitors == 0:
                with anyio.move_on_after(0 if stay.room.is_closed else self.settings.idle_seconds) as scope:
                    await stay.moved.wait()
                idle = scope.cancelled_caught
            else:
                await stay.moved.wait()
            if idle and not stay.room.visitors and stay.room.is_quiet:
                self._forget(stay.room.notebook, stay)
                return

    def _forget(self, notebook: NotebookId, stay: _Stay) -> None:
        """Whoever comes from now on opens another room; this one lasts until its visitors are gone."""
        if self._stays.get(notebook) is stay:
            del self._stays[notebook]
        stay.moved.set()


@asynccontextmanager
async def open_rooms(
    database: Database,
    notebooks: Notebooks,
    drive: Drive,
    accounts: Accounts,
    news: News,
    settings: RoomSettings,
    build: str = "",
    workers: Workers | None = None,
) -> AsyncIterator[Rooms]:
    """The rooms; at the end each is closed, with everything in it on disk. `build`: which page is served here."""
    async with anyio.create_task_group() as tasks:
        rooms = Rooms(database, notebooks, drive, accounts, news, settings, tasks, build, workers)
        if workers is not None:
            workers.answers(READ, rooms.answer_read)
            workers.answers(JOIN, rooms.answer_join)
        try:
            with news.listening(SAID, rooms._said, missed=rooms.missed):
                tasks.start_soon(rooms.housekeeping.run)
                yield rooms
        finally:
            tasks.cancel_scope.cancel()
