"""Keeps the words of notebooks where the drive finds them, and how much each notebook takes."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.drive.search import Search
from collegium.drive.service import Drive
from collegium.drive.words import TEXT_LENGTH_MAX, distinct_words
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.notebooks import store
from collegium.notebooks.document import Broken, Document
from collegium.notebooks.model import Content
from collegium.notebooks.ports import SavedOutputs

log = get_log("notebooks")

LOOK_SECONDS = 1.0
AGAIN_AFTER_SECONDS = 20.0
"""A notebook that is edited all the time is read at most this often."""
MISSED_EVERY_SECONDS = 600.0
"""So often the database is asked for what was changed and not read: before a crash, or before there was a search."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a notebook is found by."""

    text: str
    words: str


def indexed(content: Content) -> Indexed:
    """The sources of its cells. Takes a moment for a large notebook: call it in a thread."""
    text = "\n\n".join(cell.source for cell in content.shown if cell.source)
    return Indexed(text[:TEXT_LENGTH_MAX].replace("\0", " "), distinct_words(text))


async def keep(tx: AsyncConnection, notebook: NotebookId, found: Indexed) -> None:
    """From now on the notebook is found by this."""
    await Search.set_text(tx, ItemId(notebook), found.text, found.words)


class Indexing:
    """Reads each notebook soon after it was changed."""

    def __init__(self, database: Database, drive: Drive, search: Search, outputs: SavedOutputs) -> None:
        self._database = database
        self._drive = drive
        self._search = search
        self._outputs = outputs
        self._read_at: dict[ItemId, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await self._database.until_in_charge()
        await self._guarded(self._search.take_in_names)
        missed_at = float("-inf")
        while True:
            # What is in the set now may not be committed yet; after a while it is.
            changed = set(self._drive.touched_notebooks)
            self._drive.touched_notebooks.clear()
            await anyio.sleep(LOOK_SECONDS)
            for item in changed:
                if time.monotonic() - self._read_at.get(item, float("-inf")) < AGAIN_AFTER_SECONDS:
                    self._drive.touched_notebooks.add(item)
                else:
                    await self._guarded(self.read, item)
            if time.monotonic() - missed_at > MISSED_EVERY_SECONDS:
                missed_at = time.monotonic()
                self._read_at.clear()
                await self._guarded(self.catch_up)

    async def catch_up(self) -> None:
        """Read every notebook that was changed after it was last read."""
        while missed := await self._search.unread():
            for item in missed:
                await self.read(item)

    async def read(self, item: ItemId) -> None:
        """Keep what the notebook says now, as far as it is on disk."""
        self._read_at[item] = time.monotonic()
        notebook = NotebookId(item)
        async with self._database.read() as tx:
            if not await self._drive.exists(tx, item):
                return
            stored = await store.read_document(tx, notebook)

        def work() -> Indexed:
            return indexed(Document.load(stored.parts).content())

        try:
            found = await anyio.to_thread.run_sync(work)
        except Broken as error:
            log.error("document.unreadable", notebook=notebook, error=str(error))
            found = Indexed("", "")
        async with self._database.write() as tx:
            if await self._drive.exists(tx, item):
                await keep(tx, notebook, found)
                size = sum(map(len, stored.parts)) + await self._outputs.size(tx, notebook)
                await self._drive.measured(tx, item, size)

    async def _guarded(self, what: Callable[..., Awaitable[None]], *arguments: ItemId) -> None:
        try:
            await what(*arguments)
        except (CollegiumError, SQLAlchemyError) as error:
            # It is found again among the missed ones.
            log.warning("notebook.not_indexed", exc_info=error)


@asynccontextmanager
async def open_indexing(
    database: Database, drive: Drive, search: Search, outputs: SavedOutputs
) -> AsyncIterator[Indexing]:
    """The words of notebooks, kept up to date meanwhile."""
    indexing = Indexing(database, drive, search, outputs)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(indexing.run)
        try:
            yield indexing
        finally:
            tasks.cancel_scope.cancel()
