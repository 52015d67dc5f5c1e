"""The packages proxy: a process outside of every runtime, without rights, through which some of them reach a few hosts.

It listens in the runtimes' own networks, by sockets made there and handed to it, so it knows whom it serves by where
they came in. It looks names up itself, and connects to what it looked up: an answer that changes gains nothing.
"""

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import h11

from collegium_runtimed import linux, network_rules
from collegium_runtimed.network_rules import Address, Target

VERSION = 1
MESSAGE_BYTES_MAX = 128 << 10
HEAD_BYTES_MAX = 16 << 10
CHUNK_BYTES = 64 << 10
CONNECTIONS_MAX = 128
"""Of one runtime at once; uv opens fifty."""
HEAD_SECONDS_MAX = 10.0
LOOKUP_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 10.0
IDLE_SECONDS_MAX = 600.0
LOOKUPS_MAX = 32
"""At once, of all runtimes; a name must be allowed before it is looked up."""
LINGER_SECONDS = 5.0
FILES_MAX = 65536
USUAL_PORTS = (80, 443)
AUTHORITY = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]{2,45})\]|(?P<host>[A-Za-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?")
URL = re.compile(r"http://(?P<authority>[^/?#@\\]+)(?P<path>/[^#]*|\?[^#]*)?", re.IGNORECASE)
HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"proxy-authenticate", b"te", b"trailer",
    b"upgrade", b"host",
}  # fmt: skip


class Refused(Exception):
    """Said to whoever asked, with the status of an answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Policy:
    """Which hosts one runtime may reach."""

    allowed: tuple[Target, ...]

    def check_host(self, host: str, port: int) -> None:
        """Raises Refused unless somebody allowed this host and port."""
        if not any(_matches(target, host) and port in _ports(target) for target in self.allowed):
            raise Refused(403, f"{host}:{port} is not among the hosts that this runtime may reach")

    def choose(self, addresses: Iterable[Address], port: int) -> list[Address]:
        """Those of a host's addresses that may be connected to."""
        own = network_rules.own_addresses()
        return [one for one in addresses if network_rules.may_reach(one, self.allowed, own, port=port)]


def _matches(target: Target, host: str) -> bool:
    if not isinstance(target.host, str):
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host) in target.host
        return False
    if target.host.startswith("*"):
        return host.endswith(target.host[1:]) and host != target.host[2:]
    return host == target.host


def _ports(target: Target) -> Sequence[int]:
    return USUAL_PORTS if target.port is None else (target.port,)


@dataclass
class Door:
    """A socket that listens in one runtime's network, and what came in by it."""

    policy: Policy
    server: asyncio.Server
    open: set[asyncio.Task[None]] = field(default_factory=set)

    def shut(self) -> None:
        """End it and what is under way."""
        self.server.close()
        for task in self.open:
            task.cancel()


class Proxy:
    """Serves its doors, and whoever controls it."""

    def __init__(self) -> None:
        self.doors: dict[str, Door] = {}
        self.controls = 0
        self.changed = asyncio.Event()

    async def control(self, connection: socket.socket) -> None:
        """Obey one engine until it hangs up."""
        self.controls += 1
        try:
            with connection:
                while True:
                    await _readable(connection)
                    text, given, _, _ = socket.recv_fds(connection, MESSAGE_BYTES_MAX, 1)
                    if not text:
                        return
                    connection.send(json.dumps(await self._obey(json.loads(text), given)).encode())
        except ConnectionError:
            return
        finally:
            self.controls -= 1
            self.changed.set()

    async def _obey(self, question: dict[str, Any], given: list[int]) -> dict[str, Any]:
        match question:
            case {"op": "list"}:
                return {"version": VERSION, "slots": list(self.doors)}
            case {"op": "add", "slot": str(slot), "allow": list(allow)} if given:
                self._drop(slot)
                await self._add(slot, allow, socket.socket(fileno=given[0]))
            case {"op": "drop", "slot": str(slot)}:
                self._drop(slot)
            case {"op": "stop"}:
                os._exit(0)
        return {}

    async def _add(self, slot: str, allow: list[str], listener: socket.socket) -> None:
        listener.setblocking(False)
        policy = Policy(tuple(_understood(allow)))

        async def came_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            if len(door.open) >= CONNECTIONS_MAX:
                writer.close()
                return
            door.open.add(task)
            try:
                await serve(reader, writer, policy)
            finally:
                door.open.discard(task)
                writer.close()

        door = Door(policy, await asyncio.start_server(came_in, sock=listener, limit=CHUNK_BYTES))
        self.doors[slot] = door

    def _drop(self, slot: str) -> None:
        door = self.doors.pop(slot, None)
        if door is not None:
            door.shut()
        self.changed.set()


def _understood(allow: Iterable[str]) -> Iterable[Target]:
    for text in allow:
        try:
            yield network_rules.parse(text)
        except ValueError as error:
            print(f"packages proxy: {error}", flush=True)


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(connection, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connection)


# ── one connection ─────────────────────────────────────────────────────────────────────────────────────────────


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, policy: Policy) -> None:
    """One request: a tunnel, or one plain exchange. Whatever comes from inside is a stranger's."""
    asking = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    try:
        try:
            async with asyncio.timeout(HEAD_SECONDS_MAX):
                request = await _next_event(asking, reader)
            if not isinstance(request, h11.Request):
                return
            if request.method == b"CONNECT":
                await _tunnel(asking, request, reader, writer, policy)
            else:
                await _exchange(asking, request, reader, writer, policy)
        except h11.RemoteProtocolError as error:
            await _refuse(asking, writer, Refused(error.error_status_hint, "this is no request for a proxy"))
        except Refused as refusal:
            await _refuse(asking, writer, refusal)
    except (OSError, TimeoutError, h11.ProtocolError, asyncio.IncompleteReadError):
        return  # one of the two hung up, or was silent for too long


async def _next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        async with asyncio.timeout(IDLE_SECONDS_MAX):
            connection.receive_data(await reader.read(CHUNK_BYTES))
    return event


async def _refuse(asking: h11.Connection, writer: asyncio.StreamWriter, refusal: Refused) -> None:
    if asking.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    body = f"Collegium: {refusal}.\n".encode()
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(body))),
        ("connection", "close"),
    ]
    head = h11.Response(status_code=refusal.status, headers=headers, reason=str(refusal).encode("ascii", "replace"))
    for event in (head, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(asking.send(event) or b"")
    await writer.drain()


def _place(authority: str, *, usual_port: int | None) -> tuple[str, int]:
    found = AUTHORITY.fullmatch(authority)
    port = found and (int(found["port"]) if found["port"] else usual_port)
    if not found or not port or port > network_rules.PORT_MAX:
        raise Refused(400, "this is no host and port")
    return (found["six"] or found["host"]).lower().removesuffix("."), port


@asynccontextmanager
async def _connected(
    host: str, port: int, policy: Policy
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to an allowed host, at an address that was looked at."""
    policy.check_host(host, port)
    addresses = policy.choose(await _looked_up(host, port), port)
    if not addresses:
        raise Refused(403, f"{host} is not at a public address, and nobody allowed the one it has")
    reader, writer = await _first_that_answers(addresses, port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _looked_up(host: str, port: int) -> list[Address]:
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host)]
    try:
        async with asyncio.timeout(LOOKUP_SECONDS_MAX):
            answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Refused(502, f"{host} was not found") from error
    return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]


async def _first_that_answers(
    addresses: Iterable[Address], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for address in addresses:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                return await asyncio.open_connection(str(address), port, limit=CHUNK_BYTES)
    raise Refused(502, "the host does not answer")


async def _tunnel(
    asking: h11.Connection,
    request: h11.Request,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    policy: Policy,
) -> None:
    host, port = _place(request.target.decode("ascii"), usual_port=None)
    async with _connected(host, port, policy) as (far_reader, far_writer):
        while asking.next_event() is not h11.PAUSED:
            continue  # the end of a request without a body
        writer.write(asking.send(h11.Response(status_code=200, headers=[], reason=b"Connected")) or b"")
        far_writer.write(asking.trailing_data[0])
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, far_writer))
            both.create_task(_pass_on(far_reader, writer))


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await sink.drain()
        while True:
            async with asyncio.timeout(IDLE_SECONDS_MAX):
                data = await source.read(CHUNK_BYTES)
            if not data:
                break
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()


async def _exchange(
    asking: h11.Connection,
    request: h11.Request,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    policy: Policy,
) -> None:
    """Ask again in our own words, so that both sides read the same request; then the connection ends."""
    url = URL.fullmatch(request.target.decode("ascii"))
    if url is None or request.method not in (b"GET", b"HEAD", b"POST"):
        raise Refused(400, "only CONNECT, and GET, HEAD and POST of http:// addresses, pass here")
    host, port = _place(url["authority"], usual_port=80)
    path = url["path"] or "/"
    headers = [(name, value) for name, value in request.headers if name not in HOP_BY_HOP | _named(request)]
    own = [(b"host", url["authority"].encode()), (b"connection", b"close")]
    async with _connected(host, port, policy) as (far_reader, far_writer):
        telling = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        target = path if path.startswith("/") else f"/{path}"
        ours = h11.Request(method=request.method, target=target, headers=own + headers)
        far_writer.write(telling.send(ours) or b"")
        async for event in _body(asking, reader):
            far_writer.write(telling.send(event) or b"")
            await far_writer.drain()
        await _pass_answer(telling, far_reader, asking, writer)


def _named(message: h11.Request | h11.Response) -> set[bytes]:
    """Headers that this message's `Connection` makes a matter of one hop."""
    values = (value for name, value in message.headers if name == b"connection")
    return {word.strip().lower() for value in values for word in value.split(b",")} - {b"content-length"}


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[Any]:
    while True:
        event = await _next_event(connection, reader)
        if not isinstance(event, h11.Data | h11.EndOfMessage):
            raise ConnectionError
        yield event
        if isinstance(event, h11.EndOfMessage):
            return


async def _pass_answer(
    telling: h11.Connection, far_reader: asyncio.StreamReader, asking: h11.Connection, writer: asyncio.StreamWriter
) -> None:
    try:
        answer = await _next_event(telling, far_reader)
        while isinstance(answer, h11.InformationalResponse):
            answer = await _next_event(telling, far_reader)
    except h11.RemoteProtocolError as error:
        raise Refused(502, "the host does not speak HTTP") from error
    if not isinstance(answer, h11.Response):
        raise Refused(502, "the host hung up")
    headers = [(name, value) for name, value in answer.headers if name not in HOP_BY_HOP | _named(answer)]
    headers.append((b"connection", b"close"))
    writer.write(
        asking.send(h11.Response(status_code=answer.status_code, headers=headers, reason=answer.reason)) or b""
    )
    async for event in _body(telling, far_reader):
        writer.write(asking.send(event) or b"")
        await writer.drain()


# ── the process ────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """`CONTROL LISTENER [UID]`: descriptors of the engine's connection and of the address for the next engine."""
    control, listener = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    if len(sys.argv) > 3:
        "".encode("idna")  # what looking a name up imports; afterwards Python's own files may be out of reach
        uid = int(sys.argv[3])
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    linux.no_new_privileges()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(run(control, listener))


async def run(control: socket.socket, listener: socket.socket) -> None:
    """Serve until there is neither a runtime to serve nor an engine to say of one."""
    proxy, loop = Proxy(), asyncio.get_running_loop()
    listener.setblocking(False)
    loop.set_default_executor(ThreadPoolExecutor(LOOKUPS_MAX))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(proxy.control(control))

        async def let_engines_in() -> None:
            while True:
                connection, _ = await loop.sock_accept(listener)
                tasks.create_task(proxy.control(connection))

        accepting = tasks.create_task(let_engines_in())
        while True:
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    await proxy.changed.wait()
                proxy.changed.clear()
            except TimeoutError:
                if not proxy.doors and not proxy.controls:
                    break
        accepting.cancel()
