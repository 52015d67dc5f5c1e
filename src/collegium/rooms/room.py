"""A notebook that is open: the tabs in it, what they say to each other, and its live document."""

import base64
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from collegium.accounts.model import Action, Principal, Role
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, NotFound, Unavailable
from collegium.ground.ids import CellId, ItemId, NotebookId, UserId
from collegium.ground.log import get_log
from collegium.notebooks.model import Content
from collegium.notebooks.service import Author, Beside, Broken, Editor, Entry, Notebooks, Reject
from collegium.rooms import model
from collegium.rooms.client import Client, OwnIds
from collegium.rooms.delivery import Delivery
from collegium.rooms.live import EMPTY_UPDATE, LiveDocument, Sent, sent_of
from collegium.rooms.model import Goodbye, Hello
from collegium.rooms.reading import OpenNotebook
from collegium.rooms.revising import Revising
from collegium.rooms.settings import RoomSettings
from collegium.rooms.standing import Standing

log = get_log("rooms")

TOUCH_SECONDS = 20
SEND_SECONDS_MAX = 60
RENEW_SECONDS = 10
ROLES_AGAIN_SECONDS = 0.3


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
        self._drive = drive
        self._database = database
        self._live = LiveDocument(notebook, notebooks=notebooks, owner=owner, watcher=self)
        self._revising = Revising(notebook, notebooks.revisions)
        self._delivery = Delivery()
        self.clients = self._delivery.clients
        self._standing = Standing(ItemId(notebook), drive, self._delivery)
        self._stirred = anyio.Event()
        self._marks: deque[tuple[int, Client, int]] = deque()
        self._changed_at = 0.0
        self._told: tuple[int, str] = (0, "")
        self._whose: dict[int, UserId] = {}
        self._touched_at = 0.0
        self._dirty = False
        self._doubted = False
        self._renewed_at = float("-inf")
        self.on_shut: Callable[[], None] = _nothing
        """Called when the room cannot go on: whoever comes from now on needs another."""

    # --- life ------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Own the document, and bring it into memory. Raises NotFound, Elsewhere or Unavailable."""
        await self._live.load()

    async def run(self) -> None:
        """Everything a room does by itself, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._live.run)
            tasks.start_soon(self._delivery.run)
            tasks.start_soon(self._keep_beating)
            tasks.start_soon(self._revising.run)
            tasks.start_soon(self._keep_standing)

    def shut(self, error: CollegiumError) -> None:
        """Let everybody go: the room cannot go on."""
        self._live.shut(error)
        self.ended(error)

    def ended(self, error: CollegiumError) -> None:
        """The document cannot go on, and so the room cannot."""
        code = model.MISSING if isinstance(error, NotFound) else model.RESTARTING
        for client in self.clients.values():
            client.close(code, error.detail)
        self.on_shut()

    @property
    def name(self) -> str:
        """What people call it."""
        return self._standing.name

    @property
    def is_closed(self) -> bool:
        """Whether it cannot go on, and its visitors are being let go."""
        return self._live.is_closed

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it is on its way to the disk."""
        return self._live.is_quiet

    async def settled(self) -> None:
        """Wait until everything applied is on the disk or known to be lost."""
        await self._live.settled()

    async def finish(self) -> None:
        """Leave a compact log behind, and own the document no more."""
        await self._touch()
        if not self.is_closed:
            await self._revising.finish()
        await self._live.finish()

    # --- the document ----------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last edit that was taken in, perhaps not yet on disk. Raises Unavailable."""
        return self._live.head

    def content(self) -> Content:
        """What the notebook says now, the last moments perhaps not yet on disk. Raises Unavailable."""
        return self._live.content()

    def source(self, cell: CellId) -> str | None:
        """The source of a cell; None if there is none. Raises Unavailable."""
        return self._live.source(cell)

    async def state(self) -> tuple[int, bytes]:
        """All that is on disk now, and the last edit in it. Raises Unavailable."""
        return await self._live.state()

    async def intake(self) -> None:
        """Wait until an edit can be taken in: the document is loaded and the writer has room. Raises Unavailable."""
        await self._live.intake()

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
        return await self._live.edit(change, origin=origin, user=user, beside=beside)

    async def join(self, update: bytes, client: int, *, origin: str, user: UserId | None = None) -> int:
        """Take in what the server wrote in a copy of the document, under this client id; otherwise as `edit`."""
        return await self._live.join(update, client, origin=origin, user=user)

    def forget_copies(self, horizon: bytes) -> None:
        """From now on a tab that has not seen this much gets the document anew, and keeps its edits apart."""
        self._live.forget_copies(horizon)

    def broadcast(self, message: dict[str, Any]) -> None:
        """Send a message to every tab."""
        self._delivery.broadcast(message)

    # --- edits of tabs ---------------------------------------------------------------------------

    def receive_update(self, client: Client, number: int, update: bytes) -> None:
        """The way of an edit: rights, strict reading, the document, the queue to the disk.

        The rest happens in `stored`. Call after `intake`, without waiting in between. Raises Goodbye.
        """
        client.require(Action.WRITE)
        if number != client.received + 1:
            raise Goodbye(model.MALFORMED, "Edits must be numbered one after the other.")
        now = time.monotonic()
        if not client.updates.take(now) or not client.update_bytes.take(now, len(update)):
            raise Goodbye(model.TOO_FAST, "Too many edits in too short a time.")
        client.received = number
        _, lane = self._live.now()
        try:
            before, new = self._live.admit(update, OwnIds(client, self._whose, lane.clients))
        except Reject as error:
            log.warning("update.rejected", notebook=self.notebook, user=client.principal.user, reason=str(error))
            raise _refusal(client, number, str(error)) from error
        except Broken as error:
            log.error("document.broken", notebook=self.notebook, user=client.principal.user, error=str(error))
            raise _refusal(client, number, "the document could not take it") from error
        if not new:
            self._marks.append((lane.head, client, number))
            self._acknowledge_marks()
            return
        also = tuple(number for number in before if number in client.claimed)
        self._whose |= dict.fromkeys(also, client.principal.user)
        author = Author(client.number, client.principal.user, client.id, also)
        self._live.submit(lane, update, before, author, "client", Sent(client, number))

    def stored(self, entries: list[Entry]) -> None:
        """They are on disk: their authors are told so, then everybody else gets them."""
        acks: dict[Client, tuple[int, int]] = {}
        for entry in entries:
            sent = sent_of(entry)
            if sent.client is not None:
                acks[sent.client] = (sent.number, entry.seq)
        for client, (number, seq) in acks.items():
            _acknowledge(client, number, seq)
        self._acknowledge_marks()
        self._changed_at = time.monotonic()
        self._dirty = True
        self._stirred.set()
        self._revising.changed()
        only = next(iter(acks), None) if len(entries) == 1 else None
        self._delivery.deliver([(entry.seq, entry.payload) for entry in entries], only)
        entries[-1].lane.patience = self._delivery.patience

    def _acknowledge_marks(self) -> None:
        """Updates that said nothing new are acknowledged when all before them are on disk."""
        while self._marks and self._marks[0][0] <= self._live.committed_head:
            seq, client, number = self._marks.popleft()
            _acknowledge(client, number, seq)

    def failed(self, entries: list[Entry], error: CollegiumError) -> None:
        """They are not on disk: their authors come back with them."""
        for entry in entries:
            client = sent_of(entry).client
            if client is not None:
                client.send({"type": "trouble", "code": error.code, "detail": error.detail})
                client.close(model.RESTARTING, error.code)

    def dropped(self, error: CollegiumError | None) -> None:
        """The document is loaded again: whoever waits for an acknowledgement must come back with the edit."""
        for client in self.clients.values():
            if client.received > client.acknowledged:
                client.close(model.RESTARTING, "reloaded" if error is None else error.code)
        self._marks.clear()
        self._told = (0, "")

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
        log.error(
            "document.diverged", notebook=self.notebook, user=client.principal.user, seq=self._live.committed_head
        )
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
        document, lane = self._live.now()
        owner = lane.clients.get(number, self._whose.get(number))
        return owner == user or (owner is None and number != document.client and not document.knows(number))

    async def _begin(self, client: Client, hello: Hello) -> None:
        """Welcome a tab and give it what it lacks, as far as that is on disk."""
        document, lane = self._live.now()
        lane_head, vector = lane.head, document.state_vector()
        try:
            reset = hello.epoch is not None and (
                hello.epoch != self._live.epoch or self._live.is_forgotten(hello.state_vector)
            )
            fresh = reset or hello.epoch is None
            lacking = self._live.whole(document, lane.head) if fresh else document.lacking(hello.state_vector)
        except Reject as error:
            raise Goodbye(model.MALFORMED, "The state vector is malformed.") from error
        welcome = {
            "type": "welcome",
            "client": client.number,
            "role": client.role,
            "may": model.allowed_actions(client.role),
            "notebook": {"id": self.notebook, "name": self.name, "playground_of": self._standing.playground_of},
            "user": model.person(client.principal) | {"email": client.principal.email},
            "epoch": self._live.epoch,
            "head": lane_head,
            "state_vector": base64.b64encode(vector).decode(),
            "reset": reset,
            "build": self._build,
        }
        await self._live.stored_through(lane, lane_head)
        others = [other.presence for other in self.clients.values() if other.presence is not None]
        client.outbox.beginning = True
        client.send(welcome)
        client.outbox.put(model.RESYNC + lacking)
        if others:
            client.outbox.put(model.awareness_frame(others))
        client.outbox.beginning = False

    async def resync(self, client: Client) -> None:
        """A tab's outbox overflowed: give it everything since the last edit that it got. Raises Unavailable."""
        await self.intake()
        document, lane = self._live.now()
        lost = client.outbox.reset()
        log.info("client.resynchronised", notebook=self.notebook, user=client.principal.user, since=lost)
        lacking = EMPTY_UPDATE
        if lost is not None:
            lacking = (
                document.lacking(None) if not self._live.remembers(lost) else document.since(self._live.clocks_at(lost))
            )
        head = lane.head
        await self._live.stored_through(lane, head)
        client.outbox.beginning = True
        client.outbox.put(model.RESYNC + lacking)
        if client.acknowledged:
            client.send({"type": "ack", "n": client.acknowledged, "seq": head})
        client.outbox.beginning = False

    # --- by itself -------------------------------------------------------------------------------

    async def _keep_beating(self) -> None:
        """Say how far the room is: after changes have settled, and every so often."""
        last = time.monotonic()
        while True:
            await self._stirs(last + self.settings.heartbeat_seconds)
            now = time.monotonic()
            changed = self._live.committed_head != self._told[0]
            settled = changed and now - self._changed_at >= self.settings.settle_seconds
            if (settled or now - last >= self.settings.heartbeat_seconds) and self.clients and self.is_quiet:
                last = now
                self._beat()
            self._let_go_of_the_deaf(now)
            if self._doubted and now - self._renewed_at >= RENEW_SECONDS:
                self._doubted = False
                self._renewed_at = now
                await self._live.renew()
            if self._dirty and now - self._touched_at >= TOUCH_SECONDS:
                await self._touch()

    async def _stirs(self, until: float) -> None:
        """A moment's sleep; a longer one in a room where nothing happens, since there may be hundreds of them."""
        if self._live.committed_head == self._told[0] and not self._dirty and not self._doubted:
            self._stirred = anyio.Event()
            with anyio.move_on_after(until - time.monotonic()):
                await self._stirred.wait()
        await anyio.sleep(self.settings.settle_seconds / 2)

    def _let_go_of_the_deaf(self, now: float) -> None:
        for client in self.clients.values():
            if client.sending_since is not None and now - client.sending_since > SEND_SECONDS_MAX:
                client.close(model.TOO_FAST, "This tab does not read what it is sent.")

    def _beat(self) -> None:
        self._live.forget_state()
        if not self._live.is_loaded:
            return
        if self._told[0] != self._live.committed_head or not self._told[1]:
            self._told = self._live.committed_head, self._live.now()[0].checksum()
        self.broadcast({"type": "heartbeat", "seq": self._told[0], "checksum": self._told[1]})

    async def _keep_standing(self) -> None:
        while True:
            try:
                await self._standing.run()
            except NotFound as error:
                self.shut(error)
                return
            except Unavailable as error:
                # A database that is busy or away costs a moment, not the room: nothing can change there either.
                log.warning("roles.not_followed", notebook=self.notebook, code=error.code)
                await anyio.sleep(ROLES_AGAIN_SECONDS)

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


def _refusal(client: Client, number: int, reason: str) -> Goodbye:
    client.send({"type": "reject", "n": number, "reason": reason})
    return Goodbye(model.REFUSED, f"The edit was refused: {reason}.")


def _acknowledge(client: Client, number: int, seq: int) -> None:
    if number <= client.acknowledged:
        # One that said nothing new waited for an edit that was written together with a later one of this tab.
        return
    client.acknowledged = number
    client.outbox.put(f'{{"type":"ack","n":{number},"seq":{seq}}}')
