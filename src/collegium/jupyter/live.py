"""A kernel that clients speak Jupyter to: who hears what it says, and what becomes of it."""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import anyio

from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, TooMany, Unavailable
from collegium.ground.ids import KernelId, NotebookId, RuntimeId, new_id
from collegium.ground.log import get_log
from collegium.jupyter.clients import Client
from collegium.kernels.channels import ChannelLine, JupyterMessage, Malformed, StateChange, message_of
from collegium.kernels.ports import Road

log = get_log("jupyter")

CLIENTS_MAX = 32
AWAY_MAX = 8
"""Sessions whose sockets are gone, and which may come back for what they missed."""

ASKED_MAX = 10_000
STALLED_SECONDS_MAX = 30.0
START_SECONDS_MAX = 30.0
SHUTDOWN_SECONDS_MAX = 2.0
DEATHS_MAX = 3
STABLE_SECONDS = 10.0
"""A kernel that dies sooner after its start than this, and again and again, is not started once more."""

OWN_SESSIONS = "collegium-"
NO_USE = frozenset({"kernel_info_request", "comm_info_request", "history_request", "is_complete_request"})
"""What clients ask by themselves, without a person."""


class LiveKernel:
    """Visible to one user. `run` is its life; sockets attach to it, and what they miss is kept for them."""

    def __init__(
        self,
        id: KernelId,
        runtime: RuntimeId,
        spec: str,
        road: Road,
        *,
        touch: Callable[[], None],
        interrupt_mode: str = "signal",
        start: Mapping[str, Any] | None = None,
        page: NotebookId | None = None,
    ) -> None:
        self.id = id
        self.runtime = runtime
        self.spec = spec
        self.page = page
        """The notebook whose session started this kernel, and decides over its life."""
        self.state = "starting"
        self.last_activity = now_ms()
        self.gone = anyio.Event()
        self.closing = False
        self._touch = touch
        self._interrupt_mode = interrupt_mode
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._asked: OrderedDict[str, str] = OrderedDict()
        self._line = ChannelLine(road, id, self, start)
        self._ready = anyio.Event()
        self._connected = anyio.Event()
        self._deaths = 0
        self._born = anyio.current_time()
        self._unused_since = anyio.current_time()

    async def run(self) -> None:
        """Until it is gone. Raises NotFound, or Malformed if its agent talks nonsense."""
        lost: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_after, self.gone, tasks.cancel_scope)
                try:
                    await self._line.run()
                except (CollegiumError, Malformed) as error:
                    lost = error
                tasks.cancel_scope.cancel()
            if lost is not None:
                raise lost
        finally:
            self.state = "dead"
            self.gone.set()
            self._spread(status_message("dead"))

    async def connected(self) -> None:
        """Returns once its agent has answered. Raises Unavailable if it does not."""
        with anyio.move_on_after(START_SECONDS_MAX):
            await self._first(self._connected, self.gone)
        if not self._connected.is_set() or self.gone.is_set():
            raise Unavailable("The kernel does not start.")

    @property
    def connections(self) -> int:
        """Sockets that are open to it."""
        return sum(client.here for client in self._clients.values())

    @property
    def busy(self) -> bool:
        """Something runs."""
        return self.state == "busy"

    @property
    def unused_seconds(self) -> float:
        """How long no socket has been open to it."""
        return 0.0 if self.connections else anyio.current_time() - self._unused_since

    # sockets

    @contextmanager
    def attached(self, session: str) -> Iterator[Client]:
        """A socket of this session. One that is open under the same name is closed."""
        client = self._clients.get(session)
        if client is not None and client.here:
            client = client.succeeded()
        elif client is None:
            if self.connections >= CLIENTS_MAX:
                raise TooMany("Too many clients are connected to this kernel.")
            client = Client(session)
        self._clients[session] = client
        client.came()
        if client.dropped:
            log.warning("messages.dropped", kernel=self.id, count=client.dropped)
            client.dropped = 0
        try:
            yield client
        finally:
            client.left()
            self._unused_since = anyio.current_time()
            self._forget_clients()

    def _forget_clients(self) -> None:
        away = [session for session, client in self._clients.items() if not client.here]
        for session in away[: max(0, len(away) - AWAY_MAX)]:
            del self._clients[session]

    async def receive(self, client: Client, channel: str, parts: Sequence[bytes]) -> None:
        """What a client sent. Raises Malformed. While the agent is out of reach it waits, for a bounded time."""
        message = message_of(channel, parts)
        if channel == "iopub" or message.session.startswith(OWN_SESSIONS):
            raise Malformed("not a message for a kernel")
        self.last_activity = now_ms()
        if message.msg_type not in NO_USE:
            self._touch()
        self._asked[message.msg_id] = client.session
        if len(self._asked) > ASKED_MAX:
            self._asked.popitem(last=False)
        if message.msg_type == "shutdown_request" and _read(message.content).get("restart") is not True:
            self.closing = True
        if message.msg_type == "interrupt_request" and self._interrupt_mode == "signal":
            await self.interrupt()
            client.tell(reply_message(message, "interrupt_reply", {"status": "ok"}))
            return
        await self._send(channel, parts)

    async def _send(self, channel: str, parts: Sequence[bytes]) -> None:
        await self._carry_out(lambda: self._line.send(channel, parts))

    async def _steer(self, op: str) -> None:
        await self._carry_out(lambda: self._line.steer(op))

    async def _carry_out(self, what: Callable[[], Awaitable[None]]) -> None:
        """Do it now, or when the agent can be reached again. Raises Unavailable."""
        with anyio.move_on_after(START_SECONDS_MAX):
            while not self.gone.is_set():
                await self._first(self._connected, self.gone)
                with suppress(Unavailable):
                    await what()
                    return
                self._connected = anyio.Event()
        raise Unavailable("The kernel is out of reach.")

    # steering

    async def interrupt(self) -> None:
        """Stop what runs. Raises Unavailable."""
        self._touch()
        if self._interrupt_mode == "signal":
            await self._steer("interrupt")
        else:
            await self._send("control", request("interrupt_request", {}))

    async def restart(self) -> None:
        """A new process in its place; returns when it answers. Raises Unavailable."""
        self._touch()
        self.closing, self._deaths = False, 0
        self._ready = anyio.Event()
        await self._steer("restart")
        with anyio.move_on_after(START_SECONDS_MAX):
            await self._first(self._ready, self.gone)

    async def shut_down(self) -> None:
        """End it: it is asked, after a moment it is killed, and in the end forgotten. Raises Unavailable."""
        self.closing = True
        if not self.busy:
            with suppress(Unavailable), anyio.move_on_after(SHUTDOWN_SECONDS_MAX):
                await self._send("control", request("shutdown_request", {"restart": False}))
                while self.state != "dead":
                    self._ready = anyio.Event()
                    await self._first(self._ready, self.gone)
                    if self.gone.is_set():
                        return
        dead = self.state == "dead"
        await self._steer("shutdown")
        if not dead:
            with anyio.move_on_after(SHUTDOWN_SECONDS_MAX):
                await self.gone.wait()

    # what is heard (the line's port)

    async def agent_answered(self, state: str) -> None:
        """The line is open."""
        self.state = "idle" if state == "restarting" else state
        self._connected.set()
        if state == "dead":
            await self.changed(StateChange("dead"))

    async def heard(self, message: JupyterMessage) -> None:
        """What the kernel said: outputs are for all, answers for who asked."""
        self.last_activity = now_ms()
        if message.channel == "iopub":
            if message.msg_type == "status":
                self._noted(message)
            self._spread(message)
            targets = list(self._clients.values())
        else:
            targets = self._askers(message)
            for client in targets:
                client.tell(message)
        await self._until_there_is_room(targets)

    def _noted(self, message: JupyterMessage) -> None:
        state = _read(message.content).get("execution_state")
        if state in ("busy", "idle", "starting"):
            self.state = state
            if state == "busy":
                self._touch()

    def _askers(self, message: JupyterMessage) -> list[Client]:
        session = self._asked.get(message.parent, message.asker)
        found = self._clients.get(session)
        if found is None:
            log.info("answer.unasked", kernel=self.id, type=message.msg_type)
        return [] if found is None else [found]

    async def _until_there_is_room(self, targets: Sequence[Client]) -> None:
        for client in targets:
            while client.full:
                with anyio.move_on_after(STALLED_SECONDS_MAX) as patience:
                    await client.room()
                if patience.cancelled_caught:
                    log.info("client.stalled", kernel=self.id)
                    client.let_go()

    def _spread(self, message: JupyterMessage) -> None:
        for client in self._clients.values():
            client.tell(message)

    async def changed(self, change: StateChange) -> None:
        """Its process started, was restarted or died; clients are told as Jupyter tells them."""
        self.last_activity = now_ms()
        self.state = "starting" if change.state == "restarting" else change.state
        match change.state:
            case "dead":
                await self._died(change)
            case "restarting":
                self._born = anyio.current_time()
                self._spread(status_message("restarting"))
            case state:
                self._spread(status_message(state))
        if change.state in ("idle", "dead"):
            self._ready.set()

    async def _died(self, change: StateChange) -> None:
        stable = anyio.current_time() - self._born > STABLE_SECONDS
        self._deaths = 1 if stable else self._deaths + 1
        if self.page is None and not change.asked and not self.closing and self._deaths <= DEATHS_MAX:
            with suppress(Unavailable):
                await self._line.steer("restart")
                return
        self._spread(status_message("dead"))
        if change.asked and self.page is None:
            self.gone.set()

    async def _first(self, one: anyio.Event, other: anyio.Event) -> None:
        async with anyio.create_task_group() as tasks:
            for event in (one, other):
                tasks.start_soon(_cancel_after, event, tasks.cancel_scope)


async def _cancel_after(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def request(msg_type: str, content: dict[str, Any]) -> list[bytes]:
    """A request of the server's own."""
    return [json.dumps(part).encode() for part in (_header(msg_type), {}, {}, content)]


def status_message(state: str) -> JupyterMessage:
    """What Jupyter's server tells of a kernel that cannot tell itself."""
    parts = [json.dumps(part).encode() for part in (_header("status"), {}, {}, {"execution_state": state})]
    return message_of("iopub", parts)


def reply_message(asked: JupyterMessage, msg_type: str, content: dict[str, Any]) -> JupyterMessage:
    """The answer to what the server did itself."""
    parts = [json.dumps(_header(msg_type)).encode(), asked.header, b"{}", json.dumps(content).encode()]
    return message_of(asked.channel, parts)


def _header(msg_type: str) -> dict[str, str]:
    date = datetime.now(UTC).isoformat()
    return {
        "msg_id": new_id(), "msg_type": msg_type, "username": "collegium", "session": f"server-{new_id()}",
        "date": date, "version": "5.3",
    }  # fmt: skip


def _read(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
