"""When there is something to tidy in a document, and what it said long ago."""

import anyio.to_thread
from sqlalchemy.engine import Connection

from collegium.ground.db import Database
from collegium.ground.errors import Unavailable
from collegium.ground.ids import NotebookId
from collegium.notebooks import outside_store
from collegium.notebooks.document import Broken, Document
from collegium.notebooks.model import Content


class Tidying:
    """The notes of whoever tidies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: int, *, limit: int) -> list[NotebookId]:
        """Documents in which there is something to tidy by now."""
        async with self._database.read() as tx:
            return await outside_store.read_all_due(tx, now, limit=limit)

    async def note(self, notebook: NotebookId, at: int | None, *, again: bool = False) -> None:
        """There will be something to tidy; None: there will not. An earlier note stays, unless it is made `again`."""
        async with self._database.read() as tx:
            known = await outside_store.read_due(tx, notebook)
        if known != at and (known is None or at is None or again or at < known):
            async with self._database.write() as tx:
                await outside_store.write_due(tx, notebook, at)

    async def long_ago(self, notebook: NotebookId, before: int) -> tuple[Content, bytes] | None:
        """What it said at the last known moment before this time, and how far it was; None: nobody knows.

        Raises Unavailable if what is stored is damaged.
        """
        async with self._database.read() as tx:
            stored = await outside_store.read_old_snapshot(tx, notebook, before)
        if stored is None:
            return None
        vector, payload = stored
        try:
            return await anyio.to_thread.run_sync(lambda: Document.load([payload]).content()), vector
        except Broken as error:
            raise Unavailable("What is stored of the notebook is damaged.") from error

    def forget_copies(self, tx: Connection, notebook: NotebookId, state_vector: bytes) -> None:
        """Copies that have not seen this much must be fetched anew; in the transaction that removes cells."""
        outside_store.write_horizon(tx, notebook, state_vector)
