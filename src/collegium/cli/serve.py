"""`collegium serve`: prepare the folder, give up what is not needed, serve until told to stop."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio
import uvicorn
from rich.console import Console

from collegium.app import open_doors, open_house
from collegium.ground.errors import Unavailable
from collegium.settings import Settings

FRAME_BYTES_MAX = 4 * 1024 * 1024
STOP_SECONDS_MAX = 5
PULSE_SECONDS = 0.5
LOST_STATUS = 75
BACKLOG = 2048

console = Console()


class Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and leaves signals to us, so that the house closes after it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._ready = ready

    def install_signal_handlers(self) -> None:
        """Not here: see `serve_until_told`."""

    def capture_signals(self) -> Any:
        """Not here: see `serve_until_told`."""
        return _nothing()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        if self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def refuse_company(weakness: str | None, *, host: str, users: int) -> None:
    """Raises Unavailable where several people would share a machine on which their notebooks are not walled off.

    `weakness`: why they are not, or None. Alone, and reached from this machine only, one harms nobody but oneself.
    """
    if weakness is None or (is_loopback(host) and users <= 1):
        return
    raise Unavailable(
        f"Runtimes cannot be isolated on this machine ({weakness}), so whoever uses it could read what the others have."
        " `collegium doctor` says how to mend it. To serve all the same: collegium serve --without-isolation"
    )


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach what listens there."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Seat:
    """Which of several processes of a server this one is."""

    listener: socket.socket
    """Shared by all of them."""
    number: int
    again: bool
    """Whether one of this number was there before."""
    is_well: Callable[[], None]
    """To be called again and again while it is."""

    @property
    def is_first(self) -> bool:
        """Whether it is the first process of all."""
        return self.number == 0 and not self.again


async def serve_until_told(
    settings: Settings, host: str, port: int, weakness: str | None = None, seat: Seat | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; then let the tabs come back later, close the house, and return.

    `weakness`: why runtimes cannot be isolated here, unless that was accepted. `seat`: None for who serves alone.
    """
    refuse_company(weakness, host=host, users=0)
    first = seat is None or seat.is_first
    told = _Told()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_when_told, told, tasks.cancel_scope)
        async with open_house(settings, alone=seat is None, founding=first) as house:
            house.workers.on_lost = _end_at_once
            if house.workers.is_lost:
                _end_at_once()
            refuse_company(weakness, host=host, users=len(await house.accounts.users()))
            link = await house.accounts.setup_link() if first else None

            def ready(actual: int) -> None:
                if not first:
                    return
                address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{actual}"  # noqa: S104
                console.print(f"Collegium is ready at [bold]{address}[/bold]", soft_wrap=True)
                if link is not None:
                    console.print("\nNobody has an account yet. Become the administrator, once, with this link:")
                    console.print(f"  [bold]{address}/welcome#{link}[/bold]\n", soft_wrap=True)
                sys.stdout.flush()

            config = uvicorn.Config(
                open_doors(house),
                host=host,
                port=port,
                log_config=None,
                # Below it, uvicorn writes whole addresses, which for clients of Jupyter have tokens in them.
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                ws="websockets-sansio",
                ws_max_size=FRAME_BYTES_MAX,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=STOP_SECONDS_MAX,
            )
            server = Server(config, ready)
            told.server = server
            if seat is not None:
                tasks.start_soon(_say_so, server, seat.is_well)
            await server.serve(None if seat is None else [seat.listener])
        tasks.cancel_scope.cancel()


async def _say_so(server: Server, is_well: Callable[[], None]) -> None:
    while True:
        if server.started:
            is_well()
        await anyio.sleep(PULSE_SECONDS)


def _end_at_once() -> None:
    """Others have taken over what was ours: nothing may be written any more, and a fresh process comes soon."""
    os._exit(LOST_STATUS)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there, for several processes. Raises Unavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(f"Nothing can listen on {host}, port {port}: {error.strerror}.") from error
    listener.set_inheritable(True)
    return listener


class _Told:
    """Who is to be told to stop, once there is somebody."""

    server: Server | None = None


async def _stop_when_told(told: _Told, scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            if told.server is None:
                # It has not come to serve: whatever is open already is closed.
                scope.cancel()
            else:
                told.server.should_exit = True
