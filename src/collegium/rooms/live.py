"""The document of an open notebook: what it says now, and the way of every change of it to the disk."""

from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Protocol

import anyio
from sqlalchemy.exc import SQLAlchemyError

from collegium.ground.errors import CollegiumError, Conflict, NotFound, StorageFull, Unavailable
from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.ground.log import get_log
from collegium.notebooks.model import Content
from collegium.notebooks.service import (
    UPDATE_BYTES_MAX,
    Author,
    Beside,
    Broken,
    Document,
    Editor,
    Entry,
    Lane,
    Notebooks,
    Reject,
    has_seen,
)
from collegium.rooms.client import Client
from collegium.rooms.distant import Elsewhere

log = get_log("rooms")

REMEMBERED_UPDATES_MAX = 5_000
EMPTY_UPDATE = b"\0\0"
EMPTY_VECTOR = b"\0"
EDIT_SECONDS_MAX = 30


@dataclass(slots=True)
class Sent:
    """What an update on its way to the disk has to be answered with."""

    client: Client | None = None
    number: int = 0
    done: anyio.Event | None = None
    error: CollegiumError | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What the server itself wrote, under which client id, and how far its clients' writing was before."""

    update: bytes
    client: int
    before: dict[int, int]


class Watcher(Protocol):
    """Who has to know what became of changes. None of these waits."""

    def stored(self, entries: list[Entry]) -> None:
        """They are on disk."""

    def failed(self, entries: list[Entry], error: CollegiumError) -> None:
        """They are not on disk, and never will be."""

    def dropped(self, error: CollegiumError | None) -> None:
        """The document in memory was thrown away, and with it what was not yet acknowledged."""

    def ended(self, error: CollegiumError) -> None:
        """It cannot go on."""


class LiveDocument:
    """A notebook's document in memory, owned by this worker. It lives in a task of its room."""

    def __init__(self, notebook: NotebookId, *, notebooks: Notebooks, owner: str, watcher: Watcher) -> None:
        self._notebook = notebook
        self._notebooks = notebooks
        self._owner = owner
        self._watcher = watcher
        self._fence = 0
        self._document: Document | None = None
        self._lane: Lane | None = None
        self._former: Lane | None = None
        self.epoch = ""
        self._horizon: bytes | None = None
        self._bytes = 0
        self._since_snapshot = 0
        self._bytes_since_snapshot = 0
        self.committed_head = 0
        """The last edit that is on disk."""
        self._progress = anyio.Event()
        self._wake = anyio.Event()
        self._loaded = anyio.Event()
        self._recent: deque[tuple[int, dict[int, int]]] = deque(maxlen=REMEMBERED_UPDATES_MAX)
        self._content: tuple[int, Content] | None = None
        self._state: tuple[int, bytes] | None = None
        self._closed: CollegiumError | None = None

    # --- life ------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Own the document, and bring it into memory. Raises NotFound, Elsewhere or Unavailable."""
        taken = await self._notebooks.take(self._notebook, self._owner)
        if taken.owner != self._owner:
            raise Elsewhere(taken.owner)
        self._fence = taken.fence
        opened = await self._notebooks.open(self._notebook)
        self._document = opened.document
        self.epoch = opened.epoch
        self._horizon = opened.horizon
        self._bytes = opened.bytes
        self._since_snapshot = opened.since_snapshot
        self.committed_head = opened.head
        self._recent.clear()
        self._content = None
        self._state = None
        self._lane = self._notebooks.writer.lane(
            self._notebook, opened.epoch, opened.head, opened.clients, self, fence=taken.fence
        )
        self._loaded.set()

    async def run(self) -> None:
        """Load the document again whenever it was thrown away, and keep its log short; until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            if self._closed is not None:
                return
            if self._document is None:
                # What was already on its way to the disk gets there first, and is delivered.
                await self.settled()
                try:
                    await self.load()
                except CollegiumError as error:
                    self.shut(error)
                    self._watcher.ended(error)
                    return
                self._move_on()
            limits = self._notebooks.settings
            if limits.is_long(self._bytes, self._since_snapshot, self._bytes_since_snapshot):
                await self._compact()

    def shut(self, error: CollegiumError) -> None:
        """Take nothing in any more."""
        self._closed = error
        self._move_on()
        self._loaded.set()

    @property
    def is_closed(self) -> bool:
        """Whether it cannot go on."""
        return self._closed is not None

    @property
    def is_loaded(self) -> bool:
        """Whether it is in memory."""
        return self._document is not None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it is on its way to the disk."""
        return all(lane is None or lane.waiting == 0 for lane in (self._lane, self._former))

    async def settled(self) -> None:
        """Wait until everything applied is on the disk or known to be lost."""
        while not self.is_quiet:
            await self._progress.wait()

    async def finish(self) -> None:
        """Leave a compact log behind, and own the document no more."""
        if self._since_snapshot and self._closed is None:
            await self._compact()
        try:
            await self._notebooks.give_up(self._notebook, self._fence)
        except (CollegiumError, SQLAlchemyError) as error:
            # Its worker is still known as the owner, and may open it again.
            log.warning("notebook.not_given_up", notebook=self._notebook, error=type(error).__name__)

    async def _compact(self) -> None:
        updates, size = self._since_snapshot, self._bytes_since_snapshot
        try:
            await self.settled()
            if await self._notebooks.compact(self._notebook, fence=self._fence):
                self._bytes = max(0, self._bytes - size // 2)
            self._since_snapshot -= updates
            self._bytes_since_snapshot -= size
        except (StorageFull, Unavailable, NotFound, Conflict) as error:
            self._since_snapshot -= updates
            self._bytes_since_snapshot -= size
            log.warning("document.not_compacted", notebook=self._notebook, code=error.code)

    # --- reading ---------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last edit that was taken in, perhaps not yet on disk. Raises Unavailable."""
        return self.now()[1].head

    def content(self) -> Content:
        """What the notebook says now, the last moments perhaps not yet on disk. Raises Unavailable."""
        document, lane = self.now()
        if self._content is None or self._content[0] != lane.head:
            self._content = lane.head, document.content()
        return self._content[1]

    def source(self, cell: CellId) -> str | None:
        """The source of a cell; None if there is none. Raises Unavailable."""
        document, _ = self.now()
        return document.source(cell)

    async def state(self) -> tuple[int, bytes]:
        """All that is on disk now, and the last edit in it. Raises Unavailable."""
        await self.intake()
        document, lane = self.now()
        head, state = lane.head, self.whole(document, lane.head)
        await self.stored_through(lane, head)
        return head, state

    async def stored_through(self, lane: Lane, seq: int) -> None:
        """Wait until an edit is on disk. Raises Unavailable when it may never be."""
        while self.committed_head < seq:
            if self._lane is not lane:
                raise Unavailable("The notebook is being loaded again.")
            await self._progress.wait()

    def whole(self, document: Document, head: int) -> bytes:
        """All of the document; made once for a crowd that comes back at the same time."""
        if self._state is None or self._state[0] != head:
            self._state = head, document.lacking(None)
        return self._state[1]

    def forget_copies(self, horizon: bytes) -> None:
        """From now on a tab that has not seen this much gets the document anew, and keeps its edits apart."""
        self._horizon = horizon

    def is_forgotten(self, vector: bytes | None) -> bool:
        """Whether this copy may hold edits of cells that were removed since, and that nobody could merge."""
        return self._horizon is not None and not has_seen(vector or EMPTY_VECTOR, self._horizon)

    def forget_state(self) -> None:
        """What a crowd needed is not kept for longer than the crowd."""
        self._state = None

    def remembers(self, seq: int) -> bool:
        return bool(self._recent) and self._recent[0][0] <= seq

    def clocks_at(self, seq: int) -> dict[int, int]:
        """How far each client's writing was just before this edit."""
        clocks: dict[int, int] = {}
        for number, before in self._recent:
            if number >= seq:
                for client, clock in before.items():
                    clocks.setdefault(client, clock)
        return clocks

    def now(self) -> tuple[Document, Lane]:
        """The document, and its way to the disk. Raises Unavailable."""
        if self._document is None or self._lane is None or self._closed is not None:
            raise Unavailable("The notebook is being loaded.")
        return self._document, self._lane

    async def intake(self) -> None:
        """Wait until an edit can be taken in: the document is loaded and the writer has room. Raises Unavailable."""
        while True:
            await self._loaded.wait()
            await self._notebooks.writer.room()
            if self._closed is not None:
                raise self._closed
            if self._document is not None:
                return

    # --- edits -----------------------------------------------------------------------------------

    def admit(self, update: bytes, allowed: Container[int]) -> tuple[dict[int, int], bool]:
        """Read an update strictly and apply it: how far its clients' writing was before, and whether it said more.

        Raises Reject for what may not be kept, and Broken when the document took harm; then it is loaded again.
        """
        document, _ = self.now()
        if len(update) > UPDATE_BYTES_MAX or self._bytes + len(update) > self._bytes_max:
            raise Reject("the notebook is too large")
        before = document.admit(update, allowed)
        try:
            return before, document.apply(update)
        except Broken:
            self.drop()
            raise

    async def edit(
        self,
        change: Callable[[Editor], object],
        *,
        origin: str,
        user: UserId | None = None,
        beside: Beside | None = None,
    ) -> int:
        """Change the document by the server's own hand; the sequence number, once it is on disk and sent on.

        Raises StorageFull or Unavailable, and then nothing of it was kept; whatever `change` raises, likewise.
        """

        def edited(document: Document) -> Change | None:
            before = document.clocks().get(document.client, 0)
            update = document.edit(change)
            return None if update is None else Change(update, document.client, {document.client: before})

        return await self._change(edited, origin, user, beside)

    async def join(self, update: bytes, client: int, *, origin: str, user: UserId | None = None) -> int:
        """Take in what the server wrote in a copy of the document, under this client id; otherwise as `edit`."""

        def joined(document: Document) -> Change | None:
            before = document.join(update)
            return None if before is None else Change(update, client, before)

        return await self._change(joined, origin, user)

    async def _change(
        self,
        change: Callable[[Document], Change | None],
        origin: str,
        user: UserId | None,
        beside: Beside | None = None,
    ) -> int:
        with anyio.move_on_after(EDIT_SECONDS_MAX):
            await self.intake()
            document, lane = self.now()
            try:
                made = change(document)
            except Exception:  # half a change may stand in the document: it is loaded again, and the caller told
                self.drop()
                raise
            if made is None:
                return lane.head
            if len(made.update) + self._bytes > self._bytes_max:
                self.drop()
                raise Conflict("The notebook would become too large.", code="too_large")
            done = anyio.Event()
            sent = Sent(done=done)
            seq = self.submit(lane, made.update, made.before, Author(made.client, user), origin, sent, beside)
            await done.wait()
            if sent.error is not None:
                raise sent.error
            return seq
        raise Unavailable("The notebook could not be changed in time.")

    def submit(
        self,
        lane: Lane,
        update: bytes,
        before: dict[int, int],
        author: Author,
        origin: str,
        sent: Sent,
        beside: Beside | None = None,
    ) -> int:
        """An applied update goes on its way to the disk; its sequence number."""
        seq = lane.submit(update, author, origin, sent, beside)
        self._recent.append((seq, before))
        self._bytes += len(update)
        self._bytes_since_snapshot += len(update)
        self._since_snapshot += 1
        return seq

    @property
    def _bytes_max(self) -> int:
        return self._notebooks.settings.document_bytes_max * 2

    def committed(self, entries: list[Entry]) -> None:
        """They are on disk."""
        for entry in entries:
            if (sent := sent_of(entry)).done is not None:
                sent.done.set()
        self.committed_head = entries[-1].seq
        self._watcher.stored(entries)
        self._move_on()

    def lost(self, entries: list[Entry], error: CollegiumError) -> None:
        """They are not on disk: the document in memory says too much. Load it again; their authors come back."""
        self._watcher.failed(entries, error)
        for entry in entries:
            sent = sent_of(entry)
            sent.error = error
            if sent.done is not None:
                sent.done.set()
        if self._lane is not None and entries and entries[0].lane is self._lane:
            self.drop(error)
        self._move_on()

    def drop(self, error: CollegiumError | None = None) -> None:
        """Throw the document in memory away. Whoever waits for an acknowledgement must come back with the edit."""
        lane, self._lane, self._document = self._lane, None, None
        if lane is not None:
            self._former = lane
        if lane is not None and lane.error is None:
            lane.error = error or Unavailable("The notebook is being loaded again.")
        self._watcher.dropped(error)
        self._loaded = anyio.Event()
        self._move_on()

    def _move_on(self) -> None:
        self._progress.set()
        self._progress = anyio.Event()
        self._wake.set()

    async def renew(self) -> None:
        """Somebody has another text than the server: if the document itself is to blame, put it right."""
        try:
            document, _ = self.now()
            misread = document.misread()
            if misread:
                log.error("document.misread", notebook=self._notebook, cells=len(misread))
                await self.edit(lambda editor: _renew_sources(editor, misread), origin="renewal")
        except Broken as error:
            log.error("document.broken", notebook=self._notebook, error=str(error))
            self.drop()
        except CollegiumError as error:
            log.warning("document.not_renewed", notebook=self._notebook, code=error.code)


def sent_of(entry: Entry) -> Sent:
    """What an entry has to be answered with."""
    assert isinstance(entry.note, Sent)
    return entry.note


def _renew_sources(editor: Editor, sources: dict[CellId, str]) -> None:
    for cell, source in sources.items():
        editor.renew_source(cell, source)
