"""A notebook that is open: its live document, the tabs in it, and the way of an edit through it."""

import base64
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from sqlalchemy.exc import SQLAlchemyError

from collegium.accounts.model import Action, Principal, Role
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, NotFound, StorageFull, Unavailable
from collegium.ground.ids import CellId, ItemId, NotebookId, UserId
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
from collegium.rooms import model
from collegium.rooms.client import Client, OwnIds
from collegium.rooms.delivery import Delivery
from collegium.rooms.distant import Elsewhere
from collegium.rooms.model import Goodbye, Hello
from collegium.rooms.reading import OpenNotebook
from collegium.rooms.revising import Revising
from collegium.rooms.settings import RoomSettings
from collegium.rooms.standing import Standing

log = get_log("rooms")

REMEMBERED_UPDATES_MAX = 5_000
EMPTY_UPDATE = b"\0\0"
EMPTY_VECTOR = b"\0"
TOUCH_SECONDS = 20
EDIT_SECONDS_MAX = 30
SEND_SECONDS_MAX = 60
RENEW_SECONDS = 10


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


class Room(OpenNotebook):
    """One open notebook. It lives in a task of `Rooms`; tabs and the server's own edits visit it."""

    def __init__(
        self,
        notebook: NotebookId,
        *,
        notebooks: Notebooks,
        drive: Drive,
        database: Database,
        settings: RoomSettings,
        build: str = "",
        owner: str = "",
    ) -> None:
        self.notebook = notebook
        self.visitors = 0
        self.settings = settings
        self._build = build
        self._owner = owner
        self._fence = 0
        self._notebooks = notebooks
        self._drive = drive
        self._database = database
        self._revising = Revising(notebook, notebooks.revisions)
        self._delivery = Delivery()
        self.clients = self._delivery.clients
        self._standing = Standing(ItemId(notebook), drive, self._delivery)
        self._document: Document | None = None
        self._lane: Lane | None = None
        self._former: Lane | None = None
        self._epoch = ""
        self._horizon: bytes | None = None
        self._bytes = 0
        self._since_snapshot = 0
        self._bytes_since_snapshot = 0
        self._committed = 0
        self._progress = anyio.Event()
        self._wake = anyio.Event()
        self._stirred = anyio.Event()
        self._loaded = anyio.Event()
        self._recent: deque[tuple[int, dict[int, int]]] = deque(maxlen=REMEMBERED_UPDATES_MAX)
        self._marks: deque[tuple[int, Client, int]] = deque()
        self._changed_at = 0.0
        self._told: tuple[int, str] = (0, "")
        self._content: tuple[int, Content] | None = None
        self._state: tuple[int, bytes] | None = None
        self._whose: dict[int, UserId] = {}
        self._touched_at = 0.0
        self._dirty = False
        self._doubted = False
        self._renewed_at = float("-inf")
        self._closed: CollegiumError | None = None
        self.on_shut: Callable[[], None] = _nothing
        """Called when the room cannot go on: whoever comes from now on needs another."""

    # --- life ------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Own the document, and bring it into memory. Raises NotFound, Elsewhere or Unavailable."""
        taken = await self._notebooks.take(self.notebook, self._owner)
        if taken.owner != self._owner:
            raise Elsewhere(taken.owner)
        self._fence = taken.fence
        opened = await self._notebooks.open(self.notebook)
        self._document = opened.document
        self._epoch = opened.epoch
        self._horizon = opened.horizon
        self._bytes = opened.bytes
        self._since_snapshot = opened.since_snapshot
        self._committed = opened.head
        self._told = (0, "")
        self._recent.clear()
        self._content = None
        self._state = None
        self._lane = self._notebooks.writer.lane(
            self.notebook, opened.epoch, opened.head, opened.clients, self, fence=taken.fence
        )
        self._loaded.set()

    async def run(self) -> None:
        """Everything a room does by itself, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_loaded)
            tasks.start_soon(self._delivery.run)
            tasks.start_soon(self._keep_beating)
            tasks.start_soon(self._revising.run)
            tasks.start_soon(self._keep_standing)

    def shut(self, error: CollegiumError) -> None:
        """Let everybody go: the room cannot go on."""
        self._closed = error
        code = model.MISSING if isinstance(error, NotFound) else model.RESTARTING
        for client in self.clients.values():
            client.close(code, error.detail)
        self._move_on()
        self._loaded.set()
        self.on_shut()

    @property
    def name(self) -> str:
        """What people call it."""
        return self._standing.name

    @property
    def is_closed(self) -> bool:
        """Whether it cannot go on, and its visitors are being let go."""
        return self._closed is not None

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
        await self._touch()
        if self._closed is None:
            await self._revising.finish()
        if self._since_snapshot and self._closed is None:
            await self._compact()
        try:
            await self._notebooks.give_up(self.notebook, self._fence)
        except (CollegiumError, SQLAlchemyError) as error:
            # Its worker is still known as the owner, and may open it again.
            log.warning("notebook.not_given_up", notebook=self.notebook, error=type(error).__name__)

    # --- reading ---------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last edit that was taken in, perhaps not yet on disk. Raises Unavailable."""
        return self._now()[1].head

    def content(self) -> Content:
        """What the notebook says now, the last moments perhaps not yet on disk. Raises Unavailable."""
        document, lane = self._now()
        if self._content is None or self._content[0] != lane.head:
            self._content = lane.head, document.content()
        return self._content[1]

    def source(self, cell: CellId) -> str | None:
        """The source of a cell; None if there is none. Raises Unavailable."""
        document, _ = self._now()
        return document.source(cell)

    async def state(self) -> tuple[int, bytes]:
        """All that is on disk now, and the last edit in it. Raises Unavailable."""
        await self.intake()
        document, lane = self._now()
        head, state = lane.head, self._whole(document, lane.head)
        while self._committed < head:
            if self._lane is not lane:
                raise Unavailable("The notebook is being loaded again.")
            await self._progress.wait()
        return head, state

    def broadcast(self, message: dict[str, Any]) -> None:
        """Send a message to every tab."""
        self._delivery.broadcast(message)

    def _now(self) -> tuple[Document, Lane]:
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

    def receive_update(self, client: Client, number: int, update: bytes) -> None:
        """The way of an edit: rights, strict reading, the document, the queue to the disk.

        The rest happens in `committed`. Call after `intake`, without waiting in between. Raises Goodbye.
        """
        client.require(Action.WRITE)
        if number != client.received + 1:
            raise Goodbye(model.MALFORMED, "Edits must be numbered one after the other.")
        now = time.monotonic()
        if not client.updates.take(now) or not client.update_bytes.take(now, len(update)):
            raise Goodbye(model.TOO_FAST, "Too many edits in too short a time.")
        client.received = number
        document, lane = self._now()
        try:
            if len(update) > UPDATE_BYTES_MAX or self._bytes + len(update) > self._bytes_max:
                raise Reject("the notebook is too large")
            before = document.admit(update, OwnIds(client, self._whose, lane.clients))
        except Reject as error:
            log.warning("update.rejected", notebook=self.notebook, user=client.principal.user, reason=str(error))
            client.send({"type": "reject", "n": number, "reason": str(error)})
            raise Goodbye(model.REFUSED, f"The edit was refused: {error}.") from error
        try:
            new = document.apply(update)
        except Broken as error:
            log.error("document.broken", notebook=self.notebook, user=client.principal.user, error=str(error))
            client.send({"type": "reject", "n": number, "reason": "the document could not take it"})
            self._drop()
            raise Goodbye(model.REFUSED, "The edit was refused: the document could not take it.") from error
        if not new:
            self._marks.append((lane.head, client, number))
            self._acknowledge_marks()
            return
        also = tuple(number for number in before if number in client.claimed)
        self._whose |= dict.fromkeys(also, client.principal.user)
        author = Author(client.number, client.principal.user, client.id, also)
        self._submit(lane, update, before, author, "client", Sent(client, number))

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
            document, lane = self._now()
            try:
                made = change(document)
            except Exception:
                self._drop()
                raise
            if made is None:
                return lane.head
            if len(made.update) + self._bytes > self._bytes_max:
                self._drop()
                raise Conflict("The notebook would become too large.", code="too_large")
            done = anyio.Event()
            sent = Sent(done=done)
            seq = self._submit(lane, made.update, made.before, Author(made.client, user), origin, sent, beside)
            await done.wait()
            if sent.error is not None:
                raise sent.error
            return seq
        raise Unavailable("The notebook could not be changed in time.")

    def _submit(
        self,
        lane: Lane,
        update: bytes,
        before: dict[int, int],
        author: Author,
        origin: str,
        sent: Sent,
        beside: Beside | None = None,
    ) -> int:
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
        """They are on disk: their authors are told so, then everybody else gets them."""
        last = entries[-1].seq
        acks: dict[Client, tuple[int, int]] = {}
        for entry in entries:
            sent = entry.note
            assert isinstance(sent, Sent)
            if sent.client is not None:
                acks[sent.client] = (sent.number, entry.seq)
            if sent.done is not None:
                sent.done.set()
        for client, (number, seq) in acks.items():
            _acknowledge(client, number, seq)
        self._committed = last
        self._acknowledge_marks()
        self._changed_at = time.monotonic()
        self._dirty = True
        self._stirred.set()
        self._revising.changed()
        only = next(iter(acks), None) if len(entries) == 1 else None
        self._delivery.deliver([(entry.seq, entry.payload) for entry in entries], only)
        entries[-1].lane.patience = self._delivery.patience
        self._move_on()

    def _acknowledge_marks(self) -> None:
        """Updates that said nothing new are acknowledged when all before them are on disk."""
        while self._marks and self._marks[0][0] <= self._committed:
            seq, client, number = self._marks.popleft()
            _acknowledge(client, number, seq)

    def lost(self, entries: list[Entry], error: CollegiumError) -> None:
        """They are not on disk: the document in memory says too much. Load it again; their authors come back."""
        for entry in entries:
            sent = entry.note
            assert isinstance(sent, Sent)
            sent.error = error
            if sent.client is not None:
                sent.client.send({"type": "trouble", "code": error.code, "detail": error.detail})
                sent.client.close(model.RESTARTING, error.code)
            if sent.done is not None:
                sent.done.set()
        if self._lane is not None and entries and entries[0].lane is self._lane:
            self._drop(error)
        self._move_on()

    def _drop(self, error: CollegiumError | None = None) -> None:
        """Throw the document in memory away. Whoever waits for an acknowledgement must come back with the edit."""
        lane, self._lane, self._document = self._lane, None, None
        if lane is not None:
            self._former = lane
        if lane is not None and lane.error is None:
            lane.error = error or Unavailable("The notebook is being loaded again.")
        for client in self.clients.values():
            if client.received > client.acknowledged:
                client.close(model.RESTARTING, "reloaded" if error is None else error.code)
        self._marks.clear()
        self._loaded = anyio.Event()
        self._move_on()

    def _move_on(self) -> None:
        self._progress.set()
        self._progress = anyio.Event()
        self._wake.set()

    # --- presence ----------------------------------------------------------------------------------------

    def receive_awareness(self, client: Client, data: bytes) -> None:
        """A tab says where its cursor is; too often is passed over. Raises Goodbye for what is not its own."""
        presence = model.parsed_awareness(data, client.principal, client.number)
        if client.cursors.take(time.monotonic()):
            client.presence = presence
            self._delivery.tell_presence(client, presence)

    def receive_claim(self, client: Client, numbers: frozenset[int]) -> None:
        """A tab is going to hand over what closed tabs of its browser wrote. Raises Goodbye for what is another's."""
        for number in numbers:
            if not self._may_write_as(number, client.principal.user):
                raise Goodbye(model.REFUSED, "These edits are somebody else's.")
        client.claimed |= numbers
        if len(client.claimed) > model.CLAIMS_MAX:
            raise Goodbye(model.TOO_FAST, "A tab hands over for too many others.")

    def receive_divergence(self, client: Client) -> None:
        """A tab found another checksum than ours. Raises Goodbye when it does so too often."""
        if not client.reports.take(time.monotonic()):
            raise Goodbye(model.TOO_FAST, "This tab diverges again and again.")
        log.error("document.diverged", notebook=self.notebook, user=client.principal.user, seq=self._committed)
        self._doubted = True
        self._stirred.set()

    # --- tabs ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def joined(self, principal: Principal, role: Role, hello: Hello) -> AsyncIterator[Client]:
        """A tab in this room, from its welcome to its end. Raises Goodbye if it cannot be let in."""
        await self.intake()
        client = Client(principal, role, self.notebook, hello.client, self.settings, time.monotonic())
        self._let_in(client)
        self.clients[client.id] = client
        self._whose[client.number] = principal.user
        try:
            # The role may have changed since it was asked for and before changes were told to this tab.
            await self._standing.look_at(principal)
            if client.goodbye is not None:
                raise client.goodbye
            await self._begin(client, hello)
            yield client
        finally:
            del self.clients[client.id]
            if client.presence is not None and all(one.number != client.number for one in self.clients.values()):
                gone = model.Presence(client.number, min(client.presence.clock + 1, model.UINT32_MAX), "null")
                self._delivery.tell_presence(client, gone)

    def _let_in(self, client: Client) -> None:
        user, number = client.principal.user, client.number
        if len(self.clients) >= self.settings.clients_max:
            raise Goodbye(model.TOO_FAST, "Too many tabs have this notebook open.")
        most = self.settings.guests_max if client.principal.guest else self.settings.clients_per_user_max
        if Counter(other.principal.user for other in self.clients.values())[user] >= most:
            whose = "Too many guests have" if client.principal.guest else "You have"
            raise Goodbye(model.TOO_FAST, f"{whose} this notebook open already.")
        if not self._may_write_as(number, user):
            raise Goodbye(model.MALFORMED, "This client id is taken. Reload the page.")
        for other in self.clients.values():
            if other.number == number:
                other.close(model.RESTARTING, "This tab has connected again.")

    def _may_write_as(self, number: int, user: UserId) -> bool:
        """Whether this client id is the user's, or nobody's yet."""
        document, lane = self._now()
        owner = lane.clients.get(number, self._whose.get(number))
        return owner == user or (owner is None and number != document.client and not document.knows(number))

    async def _begin(self, client: Client, hello: Hello) -> None:
        """Welcome a tab and give it what it lacks, as far as that is on disk."""
        document, lane = self._now()
        lane_head, vector = lane.head, document.state_vector()
        try:
            reset = hello.epoch is not None and (hello.epoch != self._epoch or self._is_forgotten(hello))
            fresh = reset or hello.epoch is None
            lacking = self._whole(document, lane.head) if fresh else document.lacking(hello.state_vector)
        except Reject as error:
            raise Goodbye(model.MALFORMED, "The state vector is malformed.") from error
        welcome = {
            "type": "welcome",
            "client": client.number,
            "role": client.role,
            "may": model.allowed_actions(client.role),
            "notebook": {"id": self.notebook, "name": self.name, "playground_of": self._standing.playground_of},
            "user": model.person(client.principal) | {"email": client.principal.email},
            "epoch": self._epoch,
            "head": lane_head,
            "state_vector": base64.b64encode(vector).decode(),
            "reset": reset,
            "build": self._build,
        }
        await self._committed_through(lane, lane_head)
        others = [other.presence for other in self.clients.values() if other.presence is not None]
        client.outbox.beginning = True
        client.send(welcome)
        client.outbox.put(model.RESYNC + lacking)
        if others:
            client.outbox.put(model.awareness_frame(others))
        client.outbox.beginning = False

    def _whole(self, document: Document, head: int) -> bytes:
        """All of the document; made once for a crowd that comes back at the same time."""
        if self._state is None or self._state[0] != head:
            self._state = head, document.lacking(None)
        return self._state[1]

    def forget_copies(self, horizon: bytes) -> None:
        """From now on a tab that has not seen this much gets the document anew, and keeps its edits apart."""
        self._horizon = horizon

    def _is_forgotten(self, hello: Hello) -> bool:
        """Whether this copy may hold edits of cells that were removed since, and that nobody could merge."""
        return self._horizon is not None and not has_seen(hello.state_vector or EMPTY_VECTOR, self._horizon)

    async def resync(self, client: Client) -> None:
        """A tab's outbox overflowed: give it everything since the last edit that it got. Raises Goodbye."""
        await self.intake()
        document, lane = self._now()
        lost = client.outbox.reset()
        log.info("client.resynchronised", notebook=self.notebook, user=client.principal.user, since=lost)
        lacking = EMPTY_UPDATE
        if lost is not None:
            lacking = document.lacking(None) if not self._remembers(lost) else document.since(self._clocks_at(lost))
        head = lane.head
        await self._committed_through(lane, head)
        client.outbox.beginning = True
        client.outbox.put(model.RESYNC + lacking)
        if client.acknowledged:
            client.send({"type": "ack", "n": client.acknowledged, "seq": head})
        client.outbox.beginning = False

    def _remembers(self, seq: int) -> bool:
        return bool(self._recent) and self._recent[0][0] <= seq

    def _clocks_at(self, seq: int) -> dict[int, int]:
        """How far each client's writing was just before this edit."""
        clocks: dict[int, int] = {}
        for number, before in self._recent:
            if number >= seq:
                for client, clock in before.items():
                    clocks.setdefault(client, clock)
        return clocks

    async def _committed_through(self, lane: Lane, seq: int) -> None:
        while self._committed < seq:
            if self._lane is not lane:
                raise Goodbye(model.RESTARTING, "The notebook is being loaded again.")
            await self._progress.wait()

    # --- by itself -------------------------------------------------------------------------------

    async def _keep_loaded(self) -> None:
        """Load the document again whenever it was thrown away."""
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
                    return
                self._move_on()
            limits = self._notebooks.settings
            if limits.is_long(self._bytes, self._since_snapshot, self._bytes_since_snapshot):
                await self._compact()

    async def _renew(self) -> None:
        """A tab has another text than the server: if the document itself is to blame, put it right."""
        self._doubted = False
        self._renewed_at = time.monotonic()
        try:
            document, _ = self._now()
            misread = document.misread()
            if misread:
                log.error("document.misread", notebook=self.notebook, cells=len(misread))
                await self.edit(lambda editor: _renew_sources(editor, misread), origin="renewal")
        except Broken as error:
            log.error("document.broken", notebook=self.notebook, error=str(error))
            self._drop()
        except CollegiumError as error:
            log.warning("document.not_renewed", notebook=self.notebook, code=error.code)

    async def _compact(self) -> None:
        updates, size = self._since_snapshot, self._bytes_since_snapshot
        try:
            await self.settled()
            if await self._notebooks.compact(self.notebook, fence=self._fence):
                self._bytes = max(0, self._bytes - size // 2)
            self._since_snapshot -= updates
            self._bytes_since_snapshot -= size
        except (StorageFull, Unavailable, NotFound, Conflict) as error:
            self._since_snapshot -= updates
            self._bytes_since_snapshot -= size
            log.warning("document.not_compacted", notebook=self.notebook, code=error.code)

    async def _keep_beating(self) -> None:
        """Say how far the room is: after changes have settled, and every so often."""
        last = time.monotonic()
        while True:
            await self._stirs(last + self.settings.heartbeat_seconds)
            now = time.monotonic()
            changed = self._committed != self._told[0]
            settled = changed and now - self._changed_at >= self.settings.settle_seconds
            if (settled or now - last >= self.settings.heartbeat_seconds) and self.clients and self.is_quiet:
                last = now
                self._beat()
            self._let_go_of_the_deaf(now)
            if self._doubted and now - self._renewed_at >= RENEW_SECONDS:
                await self._renew()
            if self._dirty and now - self._touched_at >= TOUCH_SECONDS:
                await self._touch()

    async def _stirs(self, until: float) -> None:
        """A moment's sleep; a longer one in a room where nothing happens, since there may be hundreds of them."""
        if self._committed == self._told[0] and not self._dirty and not self._doubted:
            self._stirred = anyio.Event()
            with anyio.move_on_after(until - time.monotonic()):
                await self._stirred.wait()
        await anyio.sleep(self.settings.settle_seconds / 2)

    def _let_go_of_the_deaf(self, now: float) -> None:
        for client in self.clients.values():
            if client.sending_since is not None and now - client.sending_since > SEND_SECONDS_MAX:
                client.close(model.TOO_FAST, "This tab does not read what it is sent.")

    def _beat(self) -> None:
        self._state = None
        if self._document is None:
            return
        if self._told[0] != self._committed or not self._told[1]:
            self._told = self._committed, self._document.checksum()
        self.broadcast({"type": "heartbeat", "seq": self._told[0], "checksum": self._told[1]})

    async def _keep_standing(self) -> None:
        try:
            await self._standing.run()
        except NotFound as error:
            self.shut(error)

    async def _touch(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        self._touched_at = time.monotonic()
        try:
            async with self._database.write() as tx:
                await self._drive.touched(tx, ItemId(self.notebook))
        except CollegiumError as error:
            log.warning("notebook.not_touched", notebook=self.notebook, code=error.code)


def _nothing() -> None:
    return None


def _renew_sources(editor: Editor, sources: dict[CellId, str]) -> None:
    for cell, source in sources.items():
        editor.renew_source(cell, source)


def _acknowledge(client: Client, number: int, seq: int) -> None:
    if number <= client.acknowledged:
        # One that said nothing new waited for an edit that was written together with a later one of this tab.
        return
    client.acknowledged = number
    client.outbox.put(f'{{"type":"ack","n":{number},"seq":{seq}}}')
