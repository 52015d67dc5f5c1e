"""The executions of a notebook that are in memory, and how they are written down and read back."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import Database
from collegium.ground.ids import ExecutionId, NotebookId
from collegium.sessions import store
from collegium.sessions.blobs import Found
from collegium.sessions.folding import Output
from collegium.sessions.live import Live, segment_path
from collegium.sessions.model import FINAL, Execution
from collegium.sessions.segments import Segment

LIVE_MAX = 64
"""Executions that ended and are still kept in memory, for words that come late."""


class Lives:
    """What runs, what waits, and what ended lately; anything else is read back when it is asked for."""

    def __init__(self, notebook: NotebookId, db: Database, folder: Path, log_bytes_max: int) -> None:
        self._notebook = notebook
        self._db = db
        self._folder = folder
        self._log_bytes_max = log_bytes_max
        self._lives: OrderedDict[ExecutionId, Live] = OrderedDict()
        self._mimes: dict[str, str] = {}
        self.found: Found = {}
        """Large outputs that came and are not in the index yet."""

    def __getitem__(self, execution: ExecutionId) -> Live:
        return self._lives[execution]

    def __iter__(self) -> Iterator[Live]:
        return iter(list(self._lives.values()))

    def get(self, execution: ExecutionId) -> Live | None:
        """If it is in memory."""
        return self._lives.get(execution)

    def keep(self, execution: Execution, outputs: list[Output] | None = None) -> Live:
        """From now on it is in memory; those that ended long ago make room."""
        path = segment_path(self._folder, execution)
        live = Live(execution, Segment(path, bytes_max=self._log_bytes_max), outputs)
        self._lives[execution.id] = live
        over = [id for id, kept in self._lives.items() if kept.over and not kept.row_dirty and not kept.outputs_dirty]
        for id in over[: max(0, len(over) - LIVE_MAX)]:
            self._lives.pop(id).close()
        return live

    async def find(self, execution: ExecutionId) -> Live:
        """In memory or read back. Raises NotFound."""
        live = self._lives.get(execution)
        if live is None:
            async with self._db.read() as tx:
                found, outputs = await store.read_execution(tx, self._notebook, execution)
            live = self._lives.get(execution) or self.keep(found, outputs)
        return live

    def mime_of(self, sha256: str) -> str | None:
        """The MIME type of a large output that came while this server runs."""
        found = self.found.get(sha256)
        return self._mimes.get(sha256) if found is None else found[0]

    async def sync(self) -> None:
        """Every segment is on disk."""
        unsynced = [live for live in self if live.unsynced]
        if unsynced:
            await anyio.to_thread.run_sync(_sync, unsynced)

    @asynccontextmanager
    async def written(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which what changed goes into the index, and whatever the caller adds."""
        found = dict(self.found)
        changed = [(live, live.execution, live.taken) for live in self if live.unwritten]
        async with self._db.write() as tx:
            await store.keep_blobs(tx, self._notebook, found)
            for live, execution, _ in changed:
                outputs = live.stored_outputs() if live.over and live.outputs_dirty else None
                await store.update_execution(tx, execution, outputs)
            yield tx
        for live, execution, taken in changed:
            live.row_dirty = live.row_dirty and live.execution is not execution
            live.outputs_dirty = live.outputs_dirty and not (execution.state in FINAL and live.taken == taken)
        self._mimes |= {sha256: mime for sha256, (mime, _) in found.items()}
        for sha256 in found:
            self.found.pop(sha256, None)

    def close(self) -> None:
        """Let the files go."""
        for live in self:
            live.close()


def _sync(lives: Sequence[Live]) -> None:
    for live in lives:
        live.sync()
