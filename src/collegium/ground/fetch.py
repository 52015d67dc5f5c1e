"""Opens addresses of the public internet for somebody, and nothing of this machine or of the network it stands in.

Whoever gives an address chooses where the server connects to, so everything about it is a stranger's: it is resolved
once, what it resolves to is judged, and the connection goes to that very address; every redirect begins anew.
"""

import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM
from urllib.parse import quote, urljoin, urlsplit

import anyio
import anyio.abc
import h11
from anyio.streams.tls import TLSStream
from pydantic import BaseModel, ByteSize, Field

from collegium.ground.errors import Forbidden, Invalid, TooLarge, Unavailable
from collegium.ground.log import get_log

log = get_log("fetch")

ADDRESS_LENGTH_MAX = 2_000
REDIRECTS_MAX = 5
AT_ONCE_MAX = 8
"""All users together; more wait."""
ADDRESSES_TRIED_MAX = 4
CONNECT_SECONDS_MAX = 5
PIECE_BYTES = 64 << 10
PORTS_OF_THE_WEB = frozenset({80, 443})
PORTS_OF_ANYBODY = 1024
"""Below it, but for the web, listen services that take an HTTP request for something else, such as mail."""
WITH_IPV4_INSIDE = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""NAT64, and what once was for IPv4: the last four bytes are an IPv4 address."""
NEVER_PUBLIC = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"), IPv6Network("2001::/32"))
"""NAT64 of one's own network, what once was private, and Teredo, which stands for somebody's IPv4 address."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
Stream = anyio.abc.ByteStream


class FetchSettings(BaseModel, frozen=True):
    """What the server opens for its users."""

    enabled: bool = Field(
        default=True, description="Whether the server opens public addresses for its users, to compare notebooks."
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="Only these hosts are opened, and those below them; without any, every public one."
    )
    private_hosts: tuple[str, ...] = Field(
        default=(),
        description="Opened although their address is not public: `files.example.org:443`, the port always written.",
    )
    bytes_max: ByteSize = Field(default=ByteSize(100_000_000), gt=0, description="More than this is not taken.")
    timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="What has not come by then is given up."
    )


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart."""

    secure: bool
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def place(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Written out again."""
        return f"{'https' if self.secure else 'http'}://{self.place}{self.path}"


@dataclass(frozen=True, slots=True)
class _Moved:
    """It is to be found elsewhere."""

    location: str


async def resolved(host: str, port: int) -> list[str]:
    """The IP addresses of a host. Raises OSError."""
    return [str(found[4][0]) for found in await anyio.getaddrinfo(host, port, type=SOCK_STREAM)]


class Fetch:
    """What opens addresses for users."""

    def __init__(self, settings: FetchSettings, resolve: Resolve = resolved) -> None:
        self._settings = settings
        self._resolve = resolve
        self._limiter = anyio.CapacityLimiter(AT_ONCE_MAX)

    async def get(self, address: str) -> bytes:
        """What lies at this address. Raises Forbidden, Invalid, TooLarge or Unavailable, with words for the person."""
        if not self._settings.enabled:
            raise Forbidden("This server opens no other addresses.", code="fetch_off")
        target = parsed(address)
        try:
            with anyio.fail_after(self._settings.timeout.total_seconds()):
                async with self._limiter:
                    return await self._followed(target)
        except TimeoutError as error:
            raise Unavailable("The other server is too slow.", code="fetch_slow") from error
        except (OSError, h11.RemoteProtocolError, anyio.BrokenResourceError, zlib.error) as error:
            log.info("fetch.failed", error=type(error).__name__)
            raise Unavailable("The other server did not answer as it should.", code="fetch_failed") from error

    async def _followed(self, target: Target) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            async with self._connected(target) as stream:
                found = await self._asked(stream, target)
            if not isinstance(found, _Moved):
                return found
            target = redirected(target, found.location)
        raise Invalid("The other server passes this address on and on.", field="url")

    @asynccontextmanager
    async def _connected(self, target: Target) -> AsyncIterator[Stream]:
        stream = await self._connect(target)
        try:
            yield await _secured(stream, target.host) if target.secure else stream
        finally:
            await anyio.aclose_forcefully(stream)

    async def _connect(self, target: Target) -> Stream:
        known = target.place in self._settings.private_hosts
        if not (known or _listed(target.host, self._settings.hosts)):
            raise Forbidden("This server does not open addresses of that host.", code="host_refused")
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise _refusal() from error
        if not addresses or not (known or all(is_public(address) for address in addresses)):
            raise _refusal()
        for address in addresses[:ADDRESSES_TRIED_MAX]:
            with anyio.move_on_after(CONNECT_SECONDS_MAX):
                try:
                    # A literal address: nobody is asked again, who might answer something else now.
                    stream = await anyio.connect_tcp(address, target.port)
                except OSError:
                    continue
                if not known and _is_own(stream):
                    await anyio.aclose_forcefully(stream)
                    raise _refusal()
                return stream
        raise Unavailable("The other server cannot be reached.", code="fetch_failed")

    async def _asked(self, stream: Stream, target: Target) -> bytes | _Moved:
        line = h11.Connection(h11.CLIENT)
        headers = [
            ("Host", target.place),
            ("User-Agent", "Collegium"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        asked = line.send(h11.Request(method="GET", target=target.path, headers=headers))
        assert asked is not None, "a request is bytes"
        await stream.send(asked + (line.send(h11.EndOfMessage()) or b""))
        answer = await _next(line, stream)
        while isinstance(answer, h11.InformationalResponse):
            answer = await _next(line, stream)
        if not isinstance(answer, h11.Response):
            raise h11.RemoteProtocolError("no answer")
        said = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
        if answer.status_code in (301, 302, 303, 307, 308) and "location" in said:
            return _Moved(said["location"])
        if answer.status_code != 200:
            raise Invalid(f"The other server answered {answer.status_code}.", field="url", status=answer.status_code)
        return await self._body(line, stream, said)

    async def _body(self, line: h11.Connection, stream: Stream, said: dict[str, str]) -> bytes:
        limit = int(self._settings.bytes_max)
        too_large = TooLarge(f"What lies there is larger than {limit // 1_000_000} MB.")
        if said.get("content-length", "0").isdecimal() and int(said.get("content-length", "0")) > limit:
            raise too_large
        encoding = said.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise h11.RemoteProtocolError(f"an encoding that nobody asked for: {encoding[:20]}")
        packed = None if encoding == "identity" else zlib.decompressobj(wbits=31)
        body = bytearray()
        while not isinstance(event := await _next(line, stream), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise h11.RemoteProtocolError("it broke off")
            if packed is None:
                body += event.data
            else:
                # By small pieces: a few bytes may hold a thousand times as many, and others wait meanwhile.
                rest = bytes(event.data)
                while rest and len(body) <= limit:
                    body += packed.decompress(rest, PIECE_BYTES)
                    rest = packed.unconsumed_tail
                    await anyio.lowlevel.checkpoint()
            if len(body) > limit:
                raise too_large
        if packed is not None and not packed.eof:
            raise h11.RemoteProtocolError("it broke off")
        return bytes(body)


async def _secured(stream: Stream, host: str) -> Stream:
    with anyio.fail_after(CONNECT_SECONDS_MAX):
        return await TLSStream.wrap(stream, hostname=host, ssl_context=_trust(), standard_compatible=False)


async def _next(line: h11.Connection, stream: Stream) -> object:
    while (event := line.next_event()) is h11.NEED_DATA:
        try:
            line.receive_data(await stream.receive(PIECE_BYTES))
        except anyio.EndOfStream:
            line.receive_data(b"")
    return event


# --- which addresses -----------------------------------------------------------------------------


def parsed(address: str) -> Target:
    """An address of the web, taken apart. Raises Invalid."""
    address = address.strip()
    if len(address) > ADDRESS_LENGTH_MAX or any(letter <= " " or letter in "\x7f\\" for letter in address):
        raise _no_address()
    try:
        parts = urlsplit(address)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
        host = host if ":" in host else host.encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise _no_address() from error
    if parts.scheme not in ("http", "https") or not host or "%" in host or "@" in parts.netloc:
        raise _no_address()
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if port not in PORTS_OF_THE_WEB and port < PORTS_OF_ANYBODY:
        raise Invalid(
            f"Of the ports below {PORTS_OF_ANYBODY} only 80 and 443 are opened.", field="url", code="no_address"
        )
    query = f"?{quote(parts.query, safe=_AS_WRITTEN)}" if parts.query else ""
    return Target(parts.scheme == "https", host, port, (quote(parts.path, safe=_AS_WRITTEN) or "/") + query)


_AS_WRITTEN = "/%:@!$&'()*+,;=~?[]"


def redirected(target: Target, location: str) -> Target:
    """Where an answer sends one. Raises Invalid, also for one who would go on in the clear."""
    found = parsed(urljoin(target.url, location))
    if target.secure and not found.secure:
        raise Invalid("The other server leads away from its secure connection.", field="url")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, in itself and with what it may stand for."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inside = _ipv4_in(found)
        if inside is not None:
            return is_public(str(inside))
        if any(found in network for network in NEVER_PUBLIC):
            return False
    return found.is_global and not found.is_multicast


def _ipv4_in(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in WITH_IPV4_INSIDE):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _listed(host: str, hosts: tuple[str, ...]) -> bool:
    return not hosts or any(host == one.lower() or host.endswith(f".{one.lower()}") for one in hosts)


def _is_own(stream: Stream) -> bool:
    """Whether the other end is this machine, reached by a public address that it has."""
    here = stream.extra(anyio.abc.SocketAttribute.local_address)  # noqa: S610  of a socket
    there = stream.extra(anyio.abc.SocketAttribute.remote_address)  # noqa: S610  of a socket
    return here[0] == there[0]


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _no_address() -> Invalid:
    return Invalid("This is no address of the web (https://…).", field="url", code="no_address")


def _refusal() -> Invalid:
    # One answer for what is not there and for what is private: whoever asks learns no names of this network.
    return Invalid("There is no such public address.", field="url", code="address_refused")
