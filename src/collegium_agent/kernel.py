"""One kernel as the agent sees it: its process, its sockets, and what was asked of it."""

import asyncio
import contextlib
import json
import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import zmq
import zmq.asyncio

from collegium_agent import specs
from collegium_agent.wire import KernelMessage, Malformed, Signer

LAUNCHER = Path(__file__).with_name("launch.py")
PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4, "hb": 5}
CHANNELS = ("shell", "control", "stdin", "iopub")
NUDGE_SECONDS = 0.5
OWN = "agent-"
"""Begins the ids of what the agent itself asks a kernel."""

DRAIN_SECONDS_MAX = 5.0
MESSAGES_WAITING_MAX = 64
"""In the socket, before reading pauses; what is behind them waits in the kernel."""

Received = Callable[["Kernel", str, KernelMessage], None]


def set_event() -> asyncio.Event:
    """An event that has happened."""
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Kernel:
    """A named place for a kernel process; a restart puts a new process in the same place."""

    id: str
    name: str
    cwd: str
    env: dict[str, str]
    process: str
    warm: bool = False
    state: str = "starting"
    alive: bool = True
    restarting: bool = False
    closing: bool = False
    journalled: bool = True
    """False: it belongs to those who speak Jupyter to it (`channels`), and is forgotten once it was shut down."""
    counted: int = 0
    """Messages received so far, so that others can wait for silence."""
    answered: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: dict[str, zmq.asyncio.Socket] = field(default_factory=dict)
    signer: Signer | None = None
    lines: set[Any] = field(default_factory=set)
    """Those who listen to its channels as they are."""
    unheard: deque[bytes] = field(default_factory=deque)
    """What it said while none of them listened."""
    unheard_bytes: int = 0
    free: asyncio.Event = field(default_factory=set_event)
    """There is room for what it says."""

    def record(self) -> dict[str, Any]:
        """What a restarted agent needs to find this kernel again."""
        return {
            "id": self.id,
            "name": self.name,
            "cwd": self.cwd,
            "env": self.env,
            "process": self.process,
            "warm": self.warm,
            "alive": self.alive,
            "journalled": self.journalled,
        }


def argv(kernel: Kernel, connection_file: Path) -> list[str]:
    """The command that becomes this kernel. Raises Malformed for a kernel that is not installed here."""
    if kernel.name == "python3":
        return [sys.executable, str(LAUNCHER), "-f", str(connection_file), *(["--warm"] if kernel.warm else [])]
    return [word.replace("{connection_file}", str(connection_file)) for word in specs.find(kernel.name).argv]


def variables(kernel: Kernel) -> dict[str, str]:
    """What its specification and whoever asked for it want to be set. Raises Malformed as `argv` does."""
    return ({} if kernel.name == "python3" else specs.find(kernel.name).env) | kernel.env


class Connections:
    """Opens and closes the sockets of kernels; all in one folder, over unix sockets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._context = zmq.asyncio.Context()

    def file(self, process: str) -> Path:
        """The connection file of a process."""
        return self.folder / f"{process}.json"

    def prepare(self, process: str) -> Path:
        """Write the connection file that a new process will read."""
        info: dict[str, Any] = {f"{channel}_port": port for channel, port in PORTS.items()}
        info |= {"transport": "ipc", "ip": str(self.folder / process), "key": token_hex(32)}
        info |= {"signature_scheme": "hmac-sha256", "kernel_name": ""}
        path = self.file(process)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(info, file)
        return path

    def open(self, kernel: Kernel) -> None:
        """Connect to the kernel's process; it need not listen yet."""
        info = json.loads(self.file(kernel.process).read_text())
        kernel.signer = Signer(info["key"], f"collegium-{kernel.process}")
        for channel in CHANNELS:
            made = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            made.setsockopt(zmq.LINGER, 0)
            made.setsockopt(zmq.RECONNECT_IVL, 5)
            made.setsockopt(zmq.RCVHWM, MESSAGES_WAITING_MAX)
            if channel == "iopub":
                made.setsockopt(zmq.SUBSCRIBE, b"")
            else:
                made.setsockopt(zmq.ROUTING_ID, b"collegium")
            made.connect(f"ipc://{info['ip']}-{info[channel + '_port']}")
            kernel.sockets[channel] = made

    def close(self, kernel: Kernel) -> None:
        """Let the sockets and files of a dead process go."""
        for made in kernel.sockets.values():
            made.close()
        kernel.sockets.clear()
        with contextlib.suppress(FileNotFoundError):
            self.file(kernel.process).unlink()
        for port in PORTS.values():
            with contextlib.suppress(FileNotFoundError):
                (self.folder / f"{kernel.process}-{port}").unlink()


async def pump(kernel: Kernel, channel: str, gate: asyncio.Event, received: Received) -> None:
    """Hand every message of a channel over, in order; the gate is shut while there is no room to keep one."""
    made, signer = kernel.sockets[channel], kernel.signer
    assert signer is not None
    while not made.closed:
        if channel == "iopub":
            await gate.wait()
            await kernel.free.wait()
        try:
            frames = await made.recv_multipart()
        except zmq.ZMQError:
            if made.closed:
                return
            raise
        kernel.counted += 1
        try:
            message = signer.message(frames)
        except Malformed as error:
            print(f"kernel {kernel.id}: {error}", file=sys.stderr)
            continue
        received(kernel, channel, message)


async def nudge(kernel: Kernel, *, once: bool = False) -> None:
    """Ask who it is until it answers and its outputs arrive: then nothing it says can be missed."""
    shell = kernel.sockets["shell"]
    while not kernel.ready.is_set() and not shell.closed:
        assert kernel.signer is not None
        await shell.send_multipart(kernel.signer.request("kernel_info_request", {}, msg_id=OWN + token_hex(8)))
        if once:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(kernel.ready.wait(), NUDGE_SECONDS)


async def silence(kernel: Kernel) -> None:
    """Wait until a process that ended has no more to say."""
    for _ in range(int(DRAIN_SECONDS_MAX / 0.05)):
        before = kernel.counted
        await asyncio.sleep(0.05)
        if kernel.counted == before:
            return
