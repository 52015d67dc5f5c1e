"""The engine's end of the packages proxy: one process for all runtimes, found again after the engine was killed."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from collegium_runtimed.network_proxy import MESSAGE_BYTES_MAX, VERSION

EXCHANGE_SECONDS_MAX = 5.0
ADDRESS = "proxy.sock"
LAUNCHER = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from collegium_runtimed.network_proxy import main; main()"
)


class Proxy:
    """Hands listening sockets to the proxy, which goes on without the engine."""

    def __init__(self, folder: Path, *, uid: int | None) -> None:
        self.on_end: Callable[[], object] = lambda: None
        """The proxy ended by itself, and all its sockets with it."""
        self._folder = folder
        self._uid = uid
        self._control: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()

    async def open(self, wanted: frozenset[str]) -> frozenset[str]:
        """Find the proxy that runs, and let it forget all but these; those that it still serves."""
        async with self._lock:
            try:
                self._connect()
                answer = await self._exchange({"op": "list"})
            except OSError:
                self._let_go()
                return frozenset()
            if answer.get("version") != VERSION:
                await self._exchange({"op": "stop"})
                self._let_go()
                return frozenset()
            known = frozenset(answer["slots"])
            for slot in known - wanted:
                await self._exchange({"op": "drop", "slot": slot})
            return known & wanted

    async def add(self, slot: str, allow: Sequence[str], listener: int) -> None:
        """Serve a socket that listens inside a runtime's network. Raises OSError."""
        async with self._lock:
            if self._control is None:
                self._start()
            await self._exchange({"op": "add", "slot": slot, "allow": list(allow)}, listener)

    async def drop(self, slot: str) -> None:
        """Serve it no longer, and end what is under way."""
        async with self._lock:
            if self._control is not None:
                with contextlib.suppress(OSError):
                    await self._exchange({"op": "drop", "slot": slot})

    async def close(self, *, needed: bool) -> None:
        """Hang up. What is still needed goes on, and ends when nothing is left for it to serve."""
        async with self._lock:
            if self._control is not None and not needed:
                with contextlib.suppress(OSError):
                    await self._exchange({"op": "stop"})
            self._let_go()
            if self._child is not None and needed:
                self._child.returncode = 0  # whoever adopts it waits for it
            elif self._child is not None:
                self._child.kill()
                await asyncio.to_thread(self._child.wait)
            self._child = None

    def _connect(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            control.connect(f"/proc/self/fd/{folder}/{ADDRESS}")
        except OSError:
            control.close()
            raise
        finally:
            os.close(folder)
        self._take(control)

    def _take(self, control: socket.socket) -> None:
        control.setblocking(False)
        self._control = control

    def _start(self) -> None:
        """Two ways lead to it: this connection, and the address for the next engine."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._listen() as listener:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", LAUNCHER, json.dumps(sys.path), str(theirs.fileno()),
                 str(listener.fileno()), *([str(self._uid)] if self._uid is not None else [])],
                stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(), listener.fileno()),
                start_new_session=True, cwd="/", env={"LANG": "C.UTF-8"},
            )  # fmt: skip
        self._take(ours)

    def _listen(self) -> socket.socket:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        path = f"/proc/self/fd/{folder}/{ADDRESS}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        os.chmod(path, 0o600)
        os.close(folder)
        listener.listen(1)
        return listener

    async def _exchange(self, question: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        control, loop = self._control, asyncio.get_running_loop()
        if control is None:
            raise ConnectionError("the proxy ended")
        loop.remove_reader(control)
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS_MAX):
                socket.send_fds(control, [json.dumps(question).encode()], descriptors)
                answer = await loop.sock_recv(control, MESSAGE_BYTES_MAX)
                if not answer:
                    raise ConnectionError("the proxy ended")
                decoded: dict[str, Any] = json.loads(answer)
        except (OSError, TimeoutError) as error:
            self._let_go()
            raise OSError(f"the proxy does not answer: {error}") from error
        loop.add_reader(control, self._saw_end)
        return decoded

    def _saw_end(self) -> None:
        self._let_go()
        self.on_end()

    def _let_go(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
