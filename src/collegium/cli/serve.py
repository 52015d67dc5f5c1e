"""`collegium serve`: prepare the folder, give up what is not needed, serve until told to stop."""

import ctypes
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import anyio
import uvicorn
from rich.console import Console

from collegium.app import create_app, open_house
from collegium.ground.errors import Unavailable
from collegium.settings import Settings

FRAME_BYTES_MAX = 4 * 1024 * 1024
STOP_SECONDS_MAX = 5
PR_SET_PDEATHSIG = 1
ENGINE_CHECK_SECONDS = 1.0

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


async def serve_until_told(settings: Settings, host: str, port: int, weakness: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT; then let the tabs come back later, close the house, and return.

    `weakness`: why runtimes cannot be isolated here, unless that was accepted.
    """
    refuse_company(weakness, host=host, users=0)
    async with open_house(settings) as house:
        refuse_company(weakness, host=host, users=len(await house.accounts.users()))
        link = await house.accounts.setup_link()

        def ready(actual: int) -> None:
            address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{actual}"  # noqa: S104
            console.print(f"Collegium is ready at [bold]{address}[/bold]", soft_wrap=True)
            if link is not None:
                console.print("\nNobody has an account yet. Become the administrator, once, with this link:")
                console.print(f"  [bold]{address}/welcome#{link}[/bold]\n", soft_wrap=True)
            sys.stdout.flush()

        config = uvicorn.Config(
            create_app(house),
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
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_when_told, server)
            await server.serve()
            tasks.cancel_scope.cancel()


async def _stop_when_told(server: Server) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            server.should_exit = True


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def supervised(prepare: Callable[[], None], serve: Callable[[], None], keep_engine: Callable[[], None]) -> int:
    """Run `serve` in a child that gave up its privileges in `prepare`, and meanwhile keep the engine alive with ours.

    Returns the child's exit status.
    """
    keep_engine()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        prepare()
        # Only now: Linux forgets the wish when a process changes its user.
        die_with_parent()
        if os.getppid() != parent:
            os._exit(1)
        serve()
        sys.stdout.flush()
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: _pass_on(child, received))
    ended = select.poll()
    ended.register(os.pidfd_open(child), select.POLLIN)
    while not ended.poll(ENGINE_CHECK_SECONDS * 1000):
        keep_engine()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _pass_on(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        # It ended in this moment; waitpid will say so.
        return
