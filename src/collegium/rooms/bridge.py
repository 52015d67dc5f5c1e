"""Tabs whose room is at one worker, and the run plane at another: what they say to each other goes over one line."""

from collections import defaultdict, deque
from dataclasses import asdict
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from collegium.accounts.model import Principal, Role
from collegium.ground.errors import Unavailable
from collegium.ground.ids import LoginId, NotebookId, TokenId, UserId
from collegium.ground.log import get_log
from collegium.rooms.model import RESTARTING, TOO_FAST
from collegium.rooms.ports import Member, Plane
from collegium.workers.service import Garbled, HungUp, Line, Message, Workers, encoded

log = get_log("rooms")

KIND = "plane"
WAITING_MAX = 200
"""So many messages of one tab may wait to be answered."""
OUTBOX_BYTES_MAX = 128 << 20
GONE = "The process that runs notebooks went away."


class Planes:
    """The run plane as rooms see it: our own while this worker leads, else the leader's."""

    def __init__(self, workers: Workers, plane: Plane, tasks: TaskGroup) -> None:
        self._workers = workers
        self._plane = plane
        self._tasks = tasks
        self._link: _Link | None = None
        self._linking = anyio.Lock()
        self._whose: dict[str, _Link | None] = {}
        self._visits: defaultdict[NotebookId, set[_Visits]] = defaultdict(set)
        self.begun = anyio.Event()
        """Set once our own run plane has begun; only a leader's does."""
        workers.handlers[KIND] = self._receive

    # --- where the room is -------------------------------------------------------------------------------------

    async def joined(self, client: Member) -> None:
        """A tab is told all it must know. Raises Unavailable when nobody leads for long."""
        leader = await self._workers.leader()
        if leader == self._workers.id:
            await self.begun.wait()
            self._whose[client.id] = None
            await self._plane.joined(client)
        else:
            link = self._whose[client.id] = await self._linked()
            await link.joined(client)

    async def received(self, client: Member, message: dict[str, Any]) -> None:
        """A tab said something."""
        link = self._whose.get(client.id)
        if link is None:
            await self._plane.received(client, message)
        else:
            await link.say({"op": "received", "member": client.id, "role": client.role, "message": message})

    async def left(self, client: Member) -> None:
        """A tab is gone."""
        if client.id not in self._whose:
            return
        link = self._whose.pop(client.id)
        if link is None:
            await self._plane.left(client)
        else:
            await link.left(client)

    async def _linked(self) -> "_Link":
        async with self._linking:
            if self._link is None or self._link.is_over:
                leader = await self._workers.leader()
                try:
                    line = await self._workers.dial(leader, {"kind": KIND})
                except HungUp as error:
                    await self._workers.suspect(leader)
                    raise Unavailable(GONE) from error
                self._link = _Link(line)
                self._tasks.start_soon(self._link.run)
            return self._link

    # --- where the run plane is --------------------------------------------------------------------------------

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Send a message to the tabs of a notebook whose room is at another worker. Never waits."""
        for visits in self._visits.get(notebook, ()):
            visits.say({"op": "broadcast", "notebook": notebook, "message": message})

    async def _receive(self, line: Line, _message: Message, _body: bytes) -> None:
        await self._workers.until_leading()
        await self.begun.wait()
        visits = _Visits(line, self._plane, self._visits)
        await visits.run()


class _Link:
    """To the leader, for all the tabs here."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._members: dict[str, Member] = {}
        self._told: dict[str, anyio.Event] = {}
        self.is_over = False

    async def run(self) -> None:
        """Until it breaks: then every tab comes back, and finds who leads next."""
        try:
            while True:
                message, _ = await self._line.receive()
                self._do(message)
        except (HungUp, Garbled):
            log.warning("plane.lost", tabs=len(self._members))
        finally:
            self.is_over = True
            for member in self._members.values():
                member.close(RESTARTING, GONE)
            for told in self._told.values():
                told.set()
            with anyio.CancelScope(shield=True):
                await self._line.aclose()

    def _do(self, message: Message) -> None:
        match message:
            case {"op": "broadcast", "notebook": notebook, "message": dict(said)}:
                for member in self._members.values():
                    if member.notebook == notebook:
                        member.send(said)
            case {"op": "send", "member": str(id), "message": dict(said)} if id in self._members:
                self._members[id].send(said)
            case {"op": "told", "member": str(id)} if id in self._told:
                self._told[id].set()
            case {"op": "close", "member": str(id)} if id in self._members:
                self._members[id].close(TOO_FAST, "Too many messages in too short a time.")

    async def joined(self, client: Member) -> None:
        """Comes back when the tab was told all."""
        self._members[client.id] = client
        told = self._told[client.id] = anyio.Event()
        who = asdict(client.principal)
        try:
            await self.say(
                {"op": "joined", "member": client.id, "notebook": client.notebook, "role": client.role, "who": who}
            )
            if not self.is_over:
                await told.wait()
        finally:
            del self._told[client.id]
        if self.is_over:
            raise Unavailable(GONE)

    async def left(self, client: Member) -> None:
        """It is gone."""
        if self._members.pop(client.id, None) is not None and not self.is_over:
            await self.say({"op": "left", "member": client.id})

    async def say(self, message: Message) -> None:
        """Passed over when the line is broken: the tab is let go anyway."""
        try:
            await self._line.send(message)
        except HungUp:
            self.is_over = True


class _Visits:
    """At the leader: the tabs of one other worker."""

    def __init__(self, line: Line, plane: Plane, all: defaultdict[NotebookId, set["_Visits"]]) -> None:
        self._line = line
        self._plane = plane
        self._all = all
        self._visitors: dict[str, _Visitor] = {}
        self._outbox: deque[bytes] = deque()
        self._bytes = 0
        self._filled = anyio.Event()

    def say(self, message: Message) -> None:
        """Never waits. One that does not read is let go, and its tabs come back."""
        head = encoded(message)
        self._outbox.append(head)
        self._bytes += len(head)
        self._filled.set()

    async def run(self) -> None:
        """Until the line ends."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send, tasks)
                try:
                    while True:
                        message, _ = await self._line.receive()
                        self._do(message, tasks)
                except (HungUp, Garbled):
                    tasks.cancel_scope.cancel()
        finally:
            for visitor in list(self._visitors.values()):
                self._forget(visitor)
                with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                    await self._plane.left(visitor)

    async def _send(self, tasks: TaskGroup) -> None:
        try:
            while True:
                while self._outbox:
                    if self._bytes > OUTBOX_BYTES_MAX:
                        raise HungUp
                    head = self._outbox.popleft()
                    self._bytes -= len(head)
                    await self._line.send_encoded(head)
                self._filled = anyio.Event()
                await self._filled.wait()
        except HungUp:
            tasks.cancel_scope.cancel()

    def _do(self, message: Message, tasks: TaskGroup) -> None:
        id = str(message.get("member"))
        known = self._visitors.get(id)
        match message:
            case {"op": "joined", "notebook": str(notebook), "role": str(role), "who": dict(who)}:
                if known is None:
                    known = _Visitor(id, _principal(who), NotebookId(notebook), self)
                    self._visitors[id] = known
                    self._all[known.notebook].add(self)
                    tasks.start_soon(self._converse, known)
                known.role = Role(role)
                self._put(known, None)
            case {"op": "received", "role": str(role), "message": dict(said)} if known is not None:
                known.role = Role(role)
                self._put(known, said)
            case {"op": "left"} if known is not None:
                known.inbox.close()

    def _put(self, visitor: "_Visitor", said: Message | None) -> None:
        try:
            visitor.inbox.send_nowait(said)
        except anyio.WouldBlock:
            self.say({"op": "close", "member": visitor.id})

    async def _converse(self, visitor: "_Visitor") -> None:
        try:
            async with visitor.said:
                async for said in visitor.said:
                    if said is None:
                        await self._plane.joined(visitor)
                        self.say({"op": "told", "member": visitor.id})
                    else:
                        await self._plane.received(visitor, said)
        finally:
            if visitor.id in self._visitors:
                self._forget(visitor)
                with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                    await self._plane.left(visitor)

    def _forget(self, visitor: "_Visitor") -> None:
        del self._visitors[visitor.id]
        visitor.inbox.close()
        if not any(other.notebook == visitor.notebook for other in self._visitors.values()):
            self._all[visitor.notebook].discard(self)
            if not self._all[visitor.notebook]:
                del self._all[visitor.notebook]


class _Visitor:
    """A tab in a room at another worker, as the run plane sees it."""

    def __init__(self, id: str, principal: Principal, notebook: NotebookId, visits: _Visits) -> None:
        self.id = id
        self.principal = principal
        self.notebook = notebook
        self.role = Role.VIEWER
        self._visits = visits
        self.inbox: MemoryObjectSendStream[Message | None]
        self.said: MemoryObjectReceiveStream[Message | None]
        self.inbox, self.said = anyio.create_memory_object_stream[Message | None](WAITING_MAX)

    def send(self, message: dict[str, Any]) -> None:
        """Put a message on its way; never waits."""
        self._visits.say({"op": "send", "member": self.id, "message": message})

    def close(self, _code: int, _reason: str) -> None:
        """Let it go."""
        self._visits.say({"op": "close", "member": self.id})


def _principal(who: dict[str, Any]) -> Principal:
    login, token = who.pop("login"), who.pop("token")
    who["user"] = UserId(who["user"])
    return Principal(**who, login=login and LoginId(login), token=token and TokenId(token))
