"""When an open notebook gets a revision by itself: while it is edited all the time, and when nobody edits any more."""

import time

import anyio

from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import NotebookId
from collegium.ground.log import get_log
from collegium.notebooks.history import RevisionKind
from collegium.notebooks.revisions import Revisions

log = get_log("rooms")

RETRY_SECONDS = 60.0
"""What could not be made now (a full disk) is tried again after this time."""


class Revising:
    """The clocks of one room. Edits are told to it; it makes revisions of what is on disk."""

    def __init__(self, notebook: NotebookId, revisions: Revisions) -> None:
        self._notebook = notebook
        self._revisions = revisions
        self._first: float | None = None
        """When the first edit since the last revision came; None: there was none."""
        self._last = 0.0
        self._moved = anyio.Event()

    def changed(self) -> None:
        """An edit is on disk."""
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last
            self._moved.set()

    async def run(self) -> None:
        """Make revisions, until cancelled."""
        await self._look_back()
        while True:
            await self._moved.wait()
            self._moved = anyio.Event()
            while self._first is not None:
                await anyio.sleep(max(0.0, self._due - time.monotonic()))
                now = time.monotonic()
                if now >= self._due:
                    idle = now - self._last >= self._revisions.settings.revision_idle_seconds
                    if not await self._make(RevisionKind.IDLE if idle else RevisionKind.AUTO):
                        await anyio.sleep(RETRY_SECONDS)
                        self.changed()

    async def finish(self) -> None:
        """The room closes: what was edited gets a revision, unless the last one is quite new."""
        if self._first is None:
            return
        try:
            last = await self._revisions.last(self._notebook)
        except CollegiumError as error:
            log.warning("revision.not_made", notebook=self._notebook, code=error.code)
            return
        settings = self._revisions.settings
        if last is None or now_ms() - last.created_at >= settings.revision_idle_seconds * 1000:
            await self._make(RevisionKind.IDLE)

    @property
    def _due(self) -> float:
        assert self._first is not None
        settings = self._revisions.settings
        return min(self._last + settings.revision_idle_seconds, self._first + settings.revision_active_seconds)

    async def _look_back(self) -> None:
        """A room before this one, or a server that was killed, may have left edits without a revision."""
        try:
            last = await self._revisions.last(self._notebook)
            if (1 if last is None else last.seq) < await self._revisions.head(self._notebook):
                self.changed()
        except CollegiumError as error:
            # Deleted at this moment, of which the room is told; or the database is out of reach, and edits will come.
            log.warning("revision.not_looked_for", notebook=self._notebook, code=error.code)

    async def _make(self, kind: RevisionKind) -> bool:
        self._first = None
        try:
            await self._revisions.make(self._notebook, kind)
        except CollegiumError as error:
            log.warning("revision.not_made", notebook=self._notebook, code=error.code)
            return False
        return True
