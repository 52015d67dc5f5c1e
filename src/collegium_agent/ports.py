"""The ports of the runtime's own programs: who listens, and a stream to one of them."""

import asyncio
import contextlib
import os
import socket
from typing import Any

from collegium_agent.side import Refused, Side

LISTEN = "0A"
PORTS_MAX = 1000
PIECE_BYTES = 64 * 1024
CONNECT_SECONDS_MAX = 10.0
OWN = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class Ports:
    """Who listens. What a kernel listens on before its user comes is its own business, and not listed."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._kernels: set[int] = set()

    def keep_out(self, kernel: int) -> None:
        """Remember a kernel's process as one, and what it listens on now as its own."""
        self._kernels.add(kernel)
        sockets = _sockets(f"/proc/{kernel}")
        self._own |= sockets & _listening().keys()

    def answer(self) -> dict[str, Any]:
        """Every port that something listens on, with the name of the program."""
        inodes = {inode: port for inode, port in _listening().items() if inode not in self._own}
        found: dict[int, str] = dict.fromkeys(sorted(inodes.values())[:PORTS_MAX], "")
        for pid in _pids():
            for inode in _sockets(f"/proc/{pid}") & inodes.keys():
                if found.get(inodes[inode]) == "":
                    found[inodes[inode]] = "kernel" if pid in self._kernels else _name(f"/proc/{pid}")
        return {"ports": [{"port": port, "process": name} for port, name in found.items()]}


def _listening() -> dict[str, int]:
    """Ports by the inode of their socket."""
    inodes: dict[str, int] = {}
    for family in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/net/{family}") as table:
            for line in table.readlines()[1:]:
                words = line.split()
                if len(words) > 9 and words[3] == LISTEN:
                    inodes[words[9]] = int(words[1].rsplit(":", 1)[1], 16)
    return inodes


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def _sockets(process: str) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    with contextlib.suppress(OSError):
        for fd in os.scandir(f"{process}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(fd.path)
                if link.startswith("socket:["):
                    found.add(link[8:-1])
    return found


def _name(process: str) -> str:
    try:
        with open(f"{process}/cmdline", errors="replace") as file:
            words = file.read(4096).split("\0")
    except OSError:
        return ""
    names = [os.path.basename(word) for word in words if word and not word.startswith("-")]
    # `python -m tensorboard.main` is TensorBoard, and not Python, to whoever started it.
    script = names[1] if len(names) > 1 and names[0].startswith(("python", "sh", "bash", "node")) else ""
    return (script or (names[0] if names else ""))[:100]


async def carry(side: Side, port: object) -> None:
    """Connect, say so, and pass bytes both ways until one side hangs up."""
    if not isinstance(port, int) or not 0 < port < 65536:
        raise Refused("invalid", "That is no port.")
    with await _connected(port) as connection:
        await side.send({"op": "opened"})
        async with asyncio.TaskGroup() as tasks:
            up, down = tasks.create_task(_up(side, connection)), tasks.create_task(_down(side, connection))
            up.add_done_callback(lambda _: down.cancel())
            down.add_done_callback(lambda _: up.cancel())


async def _up(side: Side, connection: socket.socket) -> None:
    """What a program does not take any more is dropped: it may have answered already, and that is still to be read."""
    takes = True
    while piece := await side.receive_bytes(PIECE_BYTES):
        if takes:
            try:
                await asyncio.get_running_loop().sock_sendall(connection, piece)
            except OSError:
                takes = False


async def _down(side: Side, connection: socket.socket) -> None:
    # Not by a transport: that closes at a write that fails, with what was not read yet.
    while piece := await _received(connection):
        await side.send_bytes(piece)


async def _received(connection: socket.socket) -> bytes:
    try:
        return await asyncio.get_running_loop().sock_recv(connection, PIECE_BYTES)
    except OSError:
        return b""


async def _connected(port: int) -> socket.socket:
    for family, address in OWN:
        with contextlib.suppress(OSError, TimeoutError), contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.socket(family))
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reached = asyncio.get_running_loop().sock_connect(connection, (address, port))
            await asyncio.wait_for(reached, CONNECT_SECONDS_MAX)
            stack.pop_all()
            return connection
    raise Refused("unavailable", f"Nothing in the runtime answers on port {port}.")
