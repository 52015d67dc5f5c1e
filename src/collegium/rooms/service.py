"""The notebooks that are open now: each a room, opened by its first visitor and closed some time after its last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import Accounts
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, NotFound, Unavailable
from collegium.ground.ids import ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.ground.news import News
from collegium.notebooks.service import Notebooks, merge_into
from collegium.rooms.client import Client
from collegium.rooms.room import Room
from collegium.rooms.settings import RoomSettings

__all__ = ["Client", "Room", "Rooms", "open_rooms"]

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
    ) -> None:
        self._news = news
        self._database = database
        self._notebooks = notebooks
        self._drive = drive
        self.accounts = accounts
        self.settings = settings
        self._tasks = tasks
        self._stays: dict[NotebookId, _Stay] = {}

    @asynccontextmanager
    async def open(self, notebook: NotebookId) -> AsyncIterator[Room]:
        """Visit the room of a notebook; it stays open at least as long. Raises NotFound or Unavailable."""
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

    def tell(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Send a message to every tab that has the notebook open, be it at another server. Never waits."""
        self._news.tell(SAID, notebook=notebook, message=message)

    def _said(self, news: dict[str, Any]) -> None:
        room = self.find(NotebookId(news["notebook"]))
        if room is not None:
            room.broadcast(news["message"])

    async def put_content(self, principal: Principal, notebook: NotebookId, file: bytes) -> int:
        """Bring a file into a notebook, merged with what others do meanwhile; the sequence number of the change.

        Raises NotFound, Forbidden, Invalid, TooLarge, StorageFull or Unavailable.
        """
        item, _ = await self._drive.authorize(principal, ItemId(notebook), Action.WRITE)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        imported = await self._notebooks.parse(file)
        async with self.open(notebook) as room:
            return await room.edit(
                lambda editor: merge_into(editor, imported.content, user=principal.user, now=now_ms()),
                origin="content",
                user=principal.user,
            )

    def _new_room(self, notebook: NotebookId) -> Room:
        return Room(
            notebook,
            notebooks=self._notebooks,
            drive=self._drive,
            database=self._database,
            settings=self.settings,
        )

    async def _keep(self, notebook: NotebookId, stay: _Stay) -> None:
        room = stay.room
        try:
            await room.load()
        except Exception as error:
            if not isinstance(error, CollegiumError):
                log.error("room.failed", notebook=notebook, exc_info=error)
                error = Unavailable("The notebook cannot be opened now.")
            stay.error = error
            del self._stays[notebook]
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
            if self._stays.get(notebook) is stay:
                del self._stays[notebook]
            with anyio.move_on_after(LAST_WORDS_SECONDS_MAX, shield=True):
                await room.settled()
                await room.finish()
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
                del self._stays[stay.room.notebook]
                return


@asynccontextmanager
async def open_rooms(
    database: Database, notebooks: Notebooks, drive: Drive, accounts: Accounts, news: News, settings: RoomSettings
) -> AsyncIterator[Rooms]:
    """The rooms; at the end each is closed, with everything in it on disk."""
    async with anyio.create_task_group() as tasks:
        rooms = Rooms(database, notebooks, drive, accounts, news, settings, tasks)
        try:
            with news.listening(SAID, rooms._said):
                yield rooms
        finally:
            tasks.cancel_scope.cancel()
