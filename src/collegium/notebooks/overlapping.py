"""Overlaps that are kept until somebody decides about them."""

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from collegium.ground.db import Database
from collegium.ground.ids import NotebookId, UserId
from collegium.notebooks import outside_store
from collegium.notebooks.overlaps import KeptOverlap, Resolution


class Overlaps:
    """Those of all notebooks. Whoever asks must be allowed to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, notebook: NotebookId) -> list[KeptOverlap]:
        """Those that wait for somebody, the oldest first."""
        async with self._database.read() as tx:
            return await outside_store.read_overlaps(tx, notebook, resolved=False)

    async def get(self, notebook: NotebookId, id: str) -> KeptOverlap:
        """Raises NotFound."""
        async with self._database.read() as tx:
            return await outside_store.read_overlap(tx, notebook, id)

    def keep(self, tx: Connection, overlaps: Sequence[KeptOverlap]) -> None:
        """New ones, in the transaction of the edit that left them."""
        if overlaps:
            outside_store.insert_overlaps(tx, overlaps)

    def resolve(self, tx: Connection, id: str, by: UserId, at: int, resolution: Resolution) -> None:
        """Somebody has decided; the first decision stays."""
        outside_store.resolve_overlap(tx, id, by, at, resolution)
