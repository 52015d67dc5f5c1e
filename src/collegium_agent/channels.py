"""The raw channels of a kernel: Jupyter's own messages both ways, for clients that speak Jupyter; none is journalled.

A kernel that was started this way belongs to such clients alone: while none is connected, what it says is kept, and
when there is no more room it waits. A kernel that was started otherwise merely has listeners more.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from collegium_agent.kernel import Kernel
from collegium_agent.wire import REQUEST_BYTES_MAX, U32, KernelMessage, Malformed, decode, encode, frame

WAITING_BYTES_MAX = 16 * 1024 * 1024
"""What a kernel has said and nobody took; beyond it, the kernel waits."""

STALLED_SECONDS_MAX = 60.0
QUESTIONS_MAX = 256
BUFFERS_MAX = 1000
READY_CHECK_SECONDS = 0.5
PARTS = 4
"""Header, parent header, metadata and content, each the JSON text as its writer wrote it."""


class Kernels(Protocol):
    """What the channels need of their agent."""

    def find(self, wanted: str, start: dict[str, Any] | None) -> Kernel: ...

    def steer(self, kernel: Kernel, op: str) -> None: ...

    def forward(self, kernel: Kernel, channel: str, frames: list[bytes]) -> None: ...


class Line:
    """One connection. What a kernel says is queued here, and read from the kernel no faster than it is taken."""

    def __init__(
        self, agent: Kernels, kernel: Kernel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.waiting: deque[bytes] = deque()
        self.waiting_bytes = 0
        self.grown = asyncio.Event()
        self._agent = agent
        self._kernel = kernel
        self._reader = reader
        self._writer = writer
        self._questions: asyncio.Queue[tuple[str | None, str, list[bytes]]] = asyncio.Queue(QUESTIONS_MAX)

    async def run(self) -> None:
        """Until either side hangs up, or the kernel is forgotten."""
        kernel = self._kernel
        welcome = {"id": kernel.id, "name": kernel.name, "state": kernel.state if kernel.alive else "dead"}
        self.tell(encode({"op": "welcome", "protocol": 1, "kernel": welcome}))
        for body in kernel.unheard:
            self.tell(body)
        kernel.unheard.clear()
        kernel.unheard_bytes = 0
        kernel.lines.add(self)
        mind(kernel)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._obey())
                tasks.create_task(self._ask())
                tasks.create_task(self._tell())
        finally:
            kernel.lines.discard(self)
            if not kernel.journalled and not kernel.lines:
                kernel.unheard.extendleft(reversed(self.waiting))
                kernel.unheard_bytes += self.waiting_bytes
            mind(kernel)

    def tell(self, body: bytes) -> None:
        """Queue a frame for the other side."""
        self.waiting.append(body)
        self.waiting_bytes += len(body)
        self.grown.set()

    async def _tell(self) -> None:
        while True:
            if not self.waiting:
                self.grown.clear()
                await self.grown.wait()
            # It leaves the queue once it is handed over: what a broken connection did not take, the next one gets.
            body = self.waiting[0]
            self._writer.write(U32.pack(len(body)))
            self._writer.write(body)
            await asyncio.wait_for(self._writer.drain(), STALLED_SECONDS_MAX)
            self.waiting.popleft()
            self.waiting_bytes -= len(body)
            mind(self._kernel)

    async def _obey(self) -> None:
        while True:
            size = U32.unpack(await self._reader.readexactly(4))[0]
            if size > REQUEST_BYTES_MAX:
                raise Malformed("a request over the limit")
            body = await self._reader.readexactly(size)
            match decode(body)["op"]:
                case "jupyter":
                    await self._questions.put(self._question(body))
                case "interrupt" | "restart" | "shutdown" as op:
                    self._agent.steer(self._kernel, op)
                case op:
                    raise Malformed(f"no such op here: {str(op)[:40]}")

    def _question(self, body: bytes) -> tuple[str | None, str, list[bytes]]:
        """Which process is meant (None: whichever is next), the channel, and the message's frames, signed."""
        kernel, head = self._kernel, decode(body)
        channel, lengths = head.get("channel"), head.get("buffers")
        if channel not in ("shell", "control", "stdin") or not isinstance(lengths, list):
            raise Malformed("not a message for a kernel")
        parts = cut(body, lengths)
        header = json.loads(parts[0])
        if not isinstance(header, dict) or not all(isinstance(header.get(key), str) for key in ("msg_id", "msg_type")):
            raise Malformed("a message without a header")
        if kernel.signer is not None and header.get("session") == kernel.signer.session:
            raise Malformed("this session is the agent's own")
        return (None if kernel.restarting else kernel.process), channel, parts

    async def _ask(self) -> None:
        kernel = self._kernel
        while True:
            process, channel, parts = await self._questions.get()
            while not kernel.ready.is_set() and kernel.alive and process in (None, kernel.process):
                # A restart puts another event in the place of this one.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(kernel.ready.wait(), READY_CHECK_SECONDS)
            if kernel.alive and process in (None, kernel.process) and kernel.signer is not None:
                self._agent.forward(kernel, channel, kernel.signer.signed(parts))


async def converse(
    agent: Kernels, wanted: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve the channels of the kernel that is asked for, or say that there is none. Raises Malformed."""
    start = wanted.get("start")
    if not isinstance(wanted.get("channels"), str) or not isinstance(start, dict | None):
        raise Malformed("not the name of a kernel")
    try:
        kernel = agent.find(wanted["channels"], start)
    except Malformed as error:
        body = encode({"op": "error", "id": wanted["channels"][:100], "code": "refused", "detail": str(error)[:500]})
        writer.write(U32.pack(len(body)) + body)
        await asyncio.wait_for(writer.drain(), STALLED_SECONDS_MAX)
        return
    await Line(agent, kernel, reader, writer).run()


def heard(kernel: Kernel, channel: str, message: KernelMessage) -> None:
    """A kernel said something: those who listen get it as it is."""
    if kernel.lines or not kernel.journalled:
        lengths = [len(part) for part in (*message.parts, *message.buffers)]
        head = json.dumps({"op": "jupyter", "channel": channel, "buffers": lengths}).encode()
        spread(kernel, frame(head, (*message.parts, *message.buffers)))


def spread(kernel: Kernel, body: bytes) -> None:
    """Hand a frame to everybody who listens, or keep it for who comes."""
    for line in kernel.lines:
        line.tell(body)
    if not kernel.lines and not kernel.journalled:
        kernel.unheard.append(body)
        kernel.unheard_bytes += len(body)
    mind(kernel)


def mind(kernel: Kernel) -> None:
    """Reading outputs pauses while those who listen are too far behind, or nobody does and there is no more room."""
    waiting = [line.waiting_bytes for line in kernel.lines] or [kernel.unheard_bytes]
    if max(waiting) > WAITING_BYTES_MAX:
        kernel.free.clear()
    else:
        kernel.free.set()


def cut(body: bytes, lengths: Sequence[Any]) -> list[bytes]:
    """The parts of a message that lie behind a frame's header. Raises Malformed."""
    if not PARTS <= len(lengths) <= BUFFERS_MAX:
        raise Malformed("a message of too few or too many parts")
    place, parts = 4 + U32.unpack_from(body)[0], []
    for length in lengths:
        if not isinstance(length, int) or length < 0 or place + length > len(body):
            raise Malformed("a part longer than its frame")
        parts.append(body[place : place + length])
        place += length
    return parts
