"""Who reaches into which runtime, asked again each second for as long as they do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_urlsafe

import anyio
from anyio.abc import ByteStream

from collegium.accounts.model import Principal
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, Forbidden, Invalid, NotSignedIn, TooMany, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.inside.model import LOCALHOST, LOOPBACK, PORT_MAX, Visit, is_label, label_in, label_of, sealed, unsealed
from collegium.inside.ports import Authority, Logins, Machines
from collegium.inside.settings import InsideSettings
from collegium.kernels.files import FilesClient
from collegium.kernels.language import LanguageClient
from collegium.kernels.listening import PortClient
from collegium.kernels.terminals import TerminalClient

KEY_BYTES = 32
TICKET_SECONDS = 60
TICKETS_MAX = 10_000
CHECK_SECONDS = 0.5
"""A visit that was allowed is asked for again after this long."""
CHECKS_KEPT_MAX = 10_000
TICKET_PATH = "/__collegium__"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Good once, and not for long."""

    visit: Visit
    until: float


class Inside:
    """The ways into runtimes, for the people who may use them."""

    def __init__(
        self, key: bytes, authority: Authority, machines: Machines, logins: Logins, settings: InsideSettings
    ) -> None:
        self.settings = settings
        self._key = key
        self._authority = authority
        self._machines = machines
        self._logins = logins
        self._tickets: dict[str, Ticket] = {}
        self._allowed: dict[tuple[Principal, RuntimeId], float] = {}
        self._streams: dict[RuntimeId, int] = {}

    # by hand

    async def files(self, principal: Principal, runtime: RuntimeId) -> FilesClient:
        """Its files. Raises NotFound for who may not use it."""
        return FilesClient(await self._road(principal, runtime))

    async def terminals(self, principal: Principal, runtime: RuntimeId) -> TerminalClient:
        """Its terminals. Raises NotFound for who may not use it."""
        return TerminalClient(await self._road(principal, runtime))

    async def ports(self, principal: Principal, runtime: RuntimeId) -> PortClient:
        """Its ports. Raises NotFound for who may not use it."""
        return PortClient(await self._road(principal, runtime))

    async def language(self, principal: Principal, runtime: RuntimeId) -> LanguageClient:
        """Its language server. Raises NotFound for who may not use it."""
        return LanguageClient(await self._road(principal, runtime))

    def touch(self, runtime: RuntimeId) -> None:
        """Somebody does something in it."""
        self._machines.touch(runtime)

    async def _road(self, principal: Principal, runtime: RuntimeId) -> "_Way":
        await self._authority.reachable(principal, runtime)
        return _Way(self._machines, runtime)

    async def until_withdrawn(self, principal: Principal, runtime: RuntimeId) -> None:
        """Comes back with NotSignedIn or NotFound, within a second of the end of the login or the right to use it."""
        async with self._logins.ended(principal) as ended:
            while True:
                if ended.is_set():
                    raise NotSignedIn("You are signed out.")
                await self._authority.reachable(principal, runtime)
                with anyio.move_on_after(CHECK_SECONDS):
                    await ended.wait()

    # ports, by their own addresses

    @property
    def domains(self) -> list[str]:
        """Below these, nothing is ours."""
        return [LOCALHOST] if self.settings.ports_domain is None else [self.settings.ports_domain, LOCALHOST]

    def label_in(self, host: str) -> str | None:
        """The part of a `Host` before our domains; None: the request is for ourselves."""
        return label_in(host, self.domains)

    async def invite(self, principal: Principal, runtime: RuntimeId, port: int, *, scheme: str, host: str) -> str:
        """The address of a port, with a ticket for this person. Raises NotFound, Invalid, Unavailable."""
        await self._authority.reachable(principal, runtime)
        if not 0 < port <= PORT_MAX:
            raise Invalid(f"A port is a number from 1 to {PORT_MAX}.")
        now = anyio.current_time()
        self._tickets = {secret: one for secret, one in self._tickets.items() if one.until > now}
        if len(self._tickets) >= TICKETS_MAX:
            raise TooMany("Too many addresses of ports were asked for.", retry_after=TICKET_SECONDS)
        netloc = f"{label_of(self._key, runtime, port)}.{self._domain(host)}"
        secret = token_urlsafe(KEY_BYTES)
        self._tickets[secret] = Ticket(Visit(principal, runtime, port, now_ms()), now + TICKET_SECONDS)
        return f"{scheme}://{netloc}{TICKET_PATH}?ticket={secret}"

    def _domain(self, host: str) -> str:
        domain = self.settings.ports_domain
        _, _, port = host.rpartition("]")[-1].partition(":")
        if domain is not None:
            return domain if ":" in domain or not port else f"{domain}:{port}"
        if LOOPBACK.fullmatch(host.lower()) is None:
            raise Unavailable(
                "Ports of runtimes have no address here: an administrator must set COLLEGIUM_INSIDE__PORTS_DOMAIN."
            )
        return f"{LOCALHOST}:{port}" if port else LOCALHOST

    def redeem(self, label: str, secret: str) -> str:
        """The cookie for a ticket, once. Raises Forbidden."""
        ticket = self._tickets.pop(secret, None)
        if ticket is None or ticket.until <= anyio.current_time() or not self._names(label, ticket.visit):
            raise Forbidden("This address was used already, or is too old.")
        return sealed(self._key, ticket.visit)

    async def visitor(self, label: str, cookies: list[str]) -> Visit:
        """Who visits, if they still may. Raises NotSignedIn for nobody, and NotFound for who may not any more."""
        for value in cookies:
            visit = unsealed(self._key, value)
            if visit is not None and self._names(label, visit) and not self._stale(visit):
                await self._check(visit)
                return visit
        raise NotSignedIn("Open this port from Collegium.")

    def _names(self, label: str, visit: Visit) -> bool:
        return is_label(label) and label == label_of(self._key, visit.runtime, visit.port)

    def _stale(self, visit: Visit) -> bool:
        return now_ms() - visit.since > self.settings.visit_lifetime.total_seconds() * 1000

    async def _check(self, visit: Visit) -> None:
        """Answers of the last half second hold."""
        key, now = (visit.principal, visit.runtime), anyio.current_time()
        if self._allowed.get(key, 0.0) > now:
            return
        async with self._logins.ended(visit.principal) as ended:
            if ended.is_set():
                raise NotSignedIn("You are signed out.")
        await self._authority.reachable(visit.principal, visit.runtime)
        if len(self._allowed) >= CHECKS_KEPT_MAX:
            self._allowed.clear()
        self._allowed[key] = now + CHECK_SECONDS

    async def until_visit_ends(self, visit: Visit) -> CollegiumError:
        """Why a visit may not go on, once it may not."""
        while True:
            await anyio.sleep(CHECK_SECONDS)
            try:
                await self._check(visit)
            except CollegiumError as error:
                return error

    @asynccontextmanager
    async def stream_to(self, visit: Visit) -> AsyncIterator[ByteStream]:
        """A stream to the port. Raises Unavailable when nobody listens, TooMany when too many are open."""
        if self._streams.get(visit.runtime, 0) >= self.settings.streams_max:
            raise TooMany("Too much is open in this runtime at once.", retry_after=1)
        self._streams[visit.runtime] = self._streams.get(visit.runtime, 0) + 1
        self._machines.touch(visit.runtime)
        try:
            async with PortClient(_Way(self._machines, visit.runtime)).open(visit.port) as stream:
                yield stream
        finally:
            self._streams[visit.runtime] -= 1
            if not self._streams[visit.runtime]:
                del self._streams[visit.runtime]


@dataclass(frozen=True, slots=True)
class _Way:
    """The Road to one runtime's agent."""

    machines: Machines
    runtime: RuntimeId

    async def __call__(self) -> ByteStream:
        return await self.machines.connect(self.runtime)


def open_inside(
    folder: Path, authority: Authority, machines: Machines, logins: Logins, settings: InsideSettings
) -> Inside:
    """With the key in this folder, made the first time: what was opened before a restart stays open."""
    return Inside(_key(folder / "inside.key"), authority, machines, logins, settings)


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) == KEY_BYTES:
        return key
    key = token_bytes(KEY_BYTES)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    part.replace(path)
    return key
