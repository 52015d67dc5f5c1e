"""Tidies notebooks: positions while they are open, and what was deleted long ago when nobody has them open."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

import anyio
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, NotFound
from collegium.ground.ids import NotebookId
from collegium.ground.log import get_log
from collegium.notebooks import housekeeping
from collegium.notebooks.service import Editor, Notebooks
from collegium.rooms.room import Room
from collegium.rooms.settings import RoomSettings

log = get_log("rooms")

DAY_MS = 86_400_000
NOTEBOOKS_AT_ONCE_MAX = 50
LOOKS_PER_TRASH_TIME = 10
"""A notebook with deleted cells is looked at so often in the time for which they are kept."""

Open = Callable[[NotebookId], AbstractAsyncContextManager[Room]]


class Housekeeping:
    """Looks at every open room now and then, and at closed notebooks when something is due in them."""

    def __init__(
        self, notebooks: Notebooks, settings: RoomSettings, open: Open, rooms: Callable[[], Iterable[Room]]
    ) -> None:
        self._notebooks = notebooks
        self._open = open
        self._rooms = rooms
        self._trash_ms = int(settings.trash_days * DAY_MS)
        self._seconds = settings.tidy_seconds

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await anyio.sleep(self._seconds)
            for room in list(self._rooms()):
                await self._spread(room)
            try:
                due = await self._notebooks.tidying.due(now_ms(), limit=NOTEBOOKS_AT_ONCE_MAX)
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("notebooks.not_tidied", error=type(error).__name__)
                continue
            for notebook in due:
                await self.tidy(notebook)

    async def tidy(self, notebook: NotebookId) -> None:
        """Do in this notebook what is due; if somebody has it open, not now."""
        try:
            async with self._open(notebook) as room:
                if room.clients:
                    return
                await self._spread(room)
                await self._purge(room)
                await self._note(room, again=True)
        except NotFound:
            await self._forget(notebook)
        except CollegiumError as error:
            # Open at another worker, busy, or damaged: it is still due the next time.
            log.info("notebook.not_tidied", notebook=notebook, code=error.code)

    async def _forget(self, notebook: NotebookId) -> None:
        try:
            await self._notebooks.tidying.note(notebook, None)
        except (CollegiumError, SQLAlchemyError) as error:
            log.warning("notebook.not_noted", notebook=notebook, error=type(error).__name__)

    async def left(self, room: Room) -> None:
        """A room closes: remember what it will need.

        That it needs nothing is for a tidying to see: a newer room of the notebook may have closed before this one.
        """
        try:
            await self._note(room, again=False)
        except (CollegiumError, SQLAlchemyError) as error:
            log.warning("notebook.not_noted", notebook=room.notebook, error=type(error).__name__)

    async def _note(self, room: Room, *, again: bool) -> None:
        content = room.content()
        at = None
        if housekeeping.is_crowded(content):
            at = now_ms()
        elif housekeeping.has_trash(content):
            at = now_ms() + (self._trash_ms // LOOKS_PER_TRASH_TIME if again else self._trash_ms)
        if at is not None or again:
            await self._notebooks.tidying.note(room.notebook, at, again=again)

    async def _spread(self, room: Room) -> None:
        try:
            if housekeeping.is_crowded(room.content()):
                await room.edit(housekeeping.spread, origin="spread")
                log.info("positions.spread", notebook=room.notebook)
        except CollegiumError as error:
            log.info("positions.not_spread", notebook=room.notebook, code=error.code)

    async def _purge(self, room: Room) -> None:
        """Remove what was in the trash long ago already, as the server's own clock and snapshots show."""
        notebook = room.notebook
        found = await self._notebooks.tidying.long_ago(notebook, now_ms() - self._trash_ms)
        if found is None:
            return
        then, vector = found
        cells = housekeeping.overdue(then, room.content())
        if not cells:
            return

        def beside(tx: Connection) -> None:
            self._notebooks.tidying.forget_copies(tx, notebook, vector)

        def change(editor: Editor) -> None:
            # A tab that came in between may still take them back.
            if not room.clients:
                housekeeping.purge(editor, cells)
                room.forget_copies(vector)

        await room.edit(change, origin="purge", beside=beside)
        log.info("cells.purged", notebook=notebook, cells=len(cells))
