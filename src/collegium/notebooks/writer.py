"""The single writer of documents: many updates in one transaction, each told of when it is on disk."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import anyio
from sqlalchemy.engine import Connection

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, Unavailable
from collegium.ground.ids import NotebookId
from collegium.ground.log import get_log
from collegium.notebooks import store
from collegium.notebooks.model import Author

log = get_log("notebooks")

GROUP_UPDATES_MAX = 1_000
GROUP_BYTES_MAX = 8 << 20
WAITING_UPDATES_MAX = 4_000
WAITING_BYTES_MAX = 64 << 20


Beside = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """An update on its way to the disk. `note` is the sender's own, given back with the result; `beside` is written in
    the same transaction, and may be called again if that one fails."""

    lane: "Lane"
    seq: int
    payload: bytes
    author: Author
    origin: str
    note: object = None
    beside: "Beside | None" = None


class Reader(Protocol):
    """Who is told what became of a lane's entries; neither call may wait or raise."""

    def committed(self, entries: list[Entry]) -> None:
        """They are on disk, in this order."""

    def lost(self, entries: list[Entry], error: CollegiumError) -> None:
        """They are not, and nothing more of this lane will be."""


class Lane:
    """One open copy of a document: hands out its sequence numbers. After one failure nothing of it is written."""

    __slots__ = ("_writer", "clients", "epoch", "error", "fence", "head", "notebook", "patience", "reader", "waiting")

    def __init__(
        self,
        writer: "Writer",
        notebook: NotebookId,
        epoch: str,
        head: int,
        clients: dict[int, str],
        reader: Reader,
        fence: int,
    ) -> None:
        self._writer = writer
        self.fence = fence
        self.notebook = notebook
        self.epoch = epoch
        self.head = head
        self.clients = clients
        """Whose each client id is, as far as it is on disk."""
        self.reader = reader
        self.waiting = 0
        self.patience = 0.0
        """So many seconds its entries may wait for more to be written with; 0 while nobody gains by it."""
        self.error: CollegiumError | None = None

    def submit(
        self, payload: bytes, author: Author, origin: str, note: object = None, beside: Beside | None = None
    ) -> int:
        """Put an update in the queue; its sequence number. The caller waits for `Writer.room` before."""
        assert self.error is None
        self.head += 1
        self.waiting += 1
        self._writer.enqueue(Entry(self, self.head, payload, author, origin, note, beside))
        return self.head


class Writer:
    """Drains one bounded queue of all documents' updates, one transaction after another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[Entry] = deque()
        self._bytes = 0
        self._filled = anyio.Event()
        self._drained = anyio.Event()

    def lane(
        self, notebook: NotebookId, epoch: str, head: int, clients: dict[int, str], reader: Reader, *, fence: int = 0
    ) -> Lane:
        """A way in for one open copy of a document, as long as nobody takes it over: `fence` is how it was taken."""
        return Lane(self, notebook, epoch, head, clients, reader, fence)

    async def room(self) -> None:
        """Wait until the queue has room. Whoever hands in updates waits here first."""
        while self.is_full:
            await self._drained.wait()

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be handed in now."""
        return len(self._queue) >= WAITING_UPDATES_MAX or self._bytes >= WAITING_BYTES_MAX

    def enqueue(self, entry: Entry) -> None:
        """Take an entry of a lane."""
        self._queue.append(entry)
        self._bytes += len(entry.payload)
        if not self._filled.is_set():
            self._filled.set()

    async def run(self) -> None:
        """Write until cancelled; then write what was handed in before, so that a stop loses nothing."""
        try:
            while True:
                await self._filled.wait()
                patience = min(entry.lane.patience for entry in self._queue)
                if patience and not self.is_full:
                    await anyio.sleep(patience)
                await self._write_group()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(10, shield=True):
                while self._queue:
                    await self._write_group()

    async def _write_group(self) -> None:
        group = self._take_group()
        lanes: dict[Lane, list[Entry]] = {}
        for entry in group:
            lanes.setdefault(entry.lane, []).append(entry)
        for lane in [lane for lane in lanes if lane.error is not None]:
            _tell_lost(lane, lanes.pop(lane), lane.error or Unavailable(""))
        while lanes:
            broken = await self._commit(lanes)
            if broken is None:
                break
            lane, error = broken
            _tell_lost(lane, lanes.pop(lane), error)

    def _take_group(self) -> list[Entry]:
        group: list[Entry] = []
        size = 0
        while self._queue and len(group) < GROUP_UPDATES_MAX and size < GROUP_BYTES_MAX:
            entry = self._queue.popleft()
            group.append(entry)
            size += len(entry.payload)
        self._bytes -= size
        if not self._queue:
            self._filled = anyio.Event()
        if not self.is_full:
            self._drained.set()
            self._drained = anyio.Event()
        return group

    async def _commit(self, lanes: dict[Lane, list[Entry]]) -> tuple[Lane, CollegiumError] | None:
        """Write all of it and tell so; or name the first lane that cannot be written, with nothing written."""
        current: Lane | None = None

        def append_all(tx: Connection) -> None:
            nonlocal current
            now = now_ms()
            for lane, entries in lanes.items():
                current = lane
                _append(tx, lane, entries, now)

        try:
            await self._database.write_in_one_go(append_all)
        except Conflict as error:
            assert current is not None
            log.error("log.conflicted", notebook=current.notebook, head=current.head)
            return current, error
        except Exception as error:  # whatever a database may raise: nothing of the group is on disk
            log.error("log.not_written", documents=len(lanes), error=type(error).__name__, exc_info=error)
            told = error if isinstance(error, CollegiumError) else Unavailable("The database did not take the edit.")
            for lane, entries in lanes.items():
                _tell_lost(lane, entries, told)
            return None
        for lane, entries in lanes.items():
            for entry in entries:
                for client, user in _signed_by(entry):
                    lane.clients.setdefault(client, user)
            lane.waiting -= len(entries)
            lane.reader.committed(entries)
        return None


def _tell_lost(lane: Lane, entries: list[Entry], error: CollegiumError) -> None:
    lane.error = error
    lane.waiting -= len(entries)
    lane.reader.lost(entries, error)


def _append(tx: Connection, lane: Lane, entries: list[Entry], now: int) -> None:
    rows = [
        {
            "doc_id": lane.notebook,
            "seq": entry.seq,
            "epoch": lane.epoch,
            "client_id": entry.author.client,
            "user_id": entry.author.user,
            "conn_id": entry.author.connection,
            "ts": now,
            "origin": entry.origin,
            "payload": entry.payload,
        }
        for entry in entries
    ]
    store.append(tx, lane.notebook, rows, head=entries[0].seq - 1, fence=lane.fence)
    for entry in entries:
        if entry.beside is not None:
            entry.beside(tx)
    fresh = _fresh_clients(lane, entries)
    if fresh:
        clients = [
            {"doc_id": lane.notebook, "client_id": client, "user_id": user, "first_ts": now}
            for client, user in fresh.items()
        ]
        store.insert_clients(tx, clients)


def _fresh_clients(lane: Lane, entries: Iterable[Entry]) -> dict[int, str]:
    return {client: user for entry in entries for client, user in _signed_by(entry) if client not in lane.clients}


def _signed_by(entry: Entry) -> list[tuple[int, str]]:
    """Whose client ids this entry proves, if a person's tab sent it."""
    author = entry.author
    if author.user is None or author.connection is None:
        return []
    return [(client, author.user) for client in (author.client, *author.also)]
