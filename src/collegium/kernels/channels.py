"""The raw channels of one kernel: Jupyter's own messages both ways, opened again when the stream breaks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
from anyio.abc import ByteStream

from collegium.ground.errors import NotFound
from collegium.ground.log import get_log
from collegium.kernels.model import CHANNELS, KERNEL_STATES, Malformed
from collegium.kernels.ports import Road
from collegium.kernels.stream import Frames, Line

log = get_log("kernels")

__all__ = ["ChannelLine", "Ear", "JupyterMessage", "Malformed", "StateChange", "message_of"]

HELLO_SECONDS_MAX = 15.0
PARTS = 4
BUFFERS_MAX = 1000
TEXT_MAX = 200


@dataclass(frozen=True, slots=True)
class JupyterMessage:
    """A message as its writer wrote it: JSON texts, of which only the two headers were read."""

    channel: str
    header: bytes
    above: bytes
    metadata: bytes
    content: bytes
    buffers: tuple[bytes, ...]
    msg_type: str
    msg_id: str
    session: str
    parent: str
    asker: str
    """The session whose request it answers; empty if it answers none."""

    @property
    def parts(self) -> tuple[bytes, ...]:
        """Header, parent header, metadata, content, and the buffers."""
        return (self.header, self.above, self.metadata, self.content, *self.buffers)

    @property
    def size(self) -> int:
        """What it takes in memory and on the wire, about."""
        return 200 + sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class StateChange:
    """A kernel's process started, was restarted or died. `asked`: it was told to."""

    state: str
    asked: bool = False


class Ear(Protocol):
    """Who listens to a kernel."""

    async def agent_answered(self, state: str) -> None:
        """The agent answered: the kernel is in this state, and what it says follows."""

    async def heard(self, message: JupyterMessage) -> None:
        """What the kernel said. While this waits, nothing more is read."""

    async def changed(self, change: StateChange) -> None:
        """The kernel's process changed."""


def message_of(channel: str, parts: Sequence[bytes]) -> JupyterMessage:
    """Header, parent header, metadata, content and buffers as a message. Raises Malformed."""
    if channel not in CHANNELS or not PARTS <= len(parts) <= BUFFERS_MAX:
        raise Malformed("not a Jupyter message")
    header, above = _header(parts[0]), _header(parts[1])
    return JupyterMessage(
        channel=channel,
        header=parts[0],
        above=parts[1],
        metadata=parts[2],
        content=parts[3],
        buffers=tuple(parts[PARTS:]),
        msg_type=_text(header.get("msg_type")),
        msg_id=_text(header.get("msg_id")),
        session=_text(header.get("session", "")),
        parent=_text(above.get("msg_id", "")),
        asker=_text(above.get("session", "")),
    )


class ChannelLine:
    """One per kernel in use by clients that speak Jupyter. `run` is its life; messages may be sent while it lives."""

    def __init__(self, road: Road, kernel: str, ear: Ear, start: Mapping[str, Any] | None = None) -> None:
        self._line = Line(road)
        self._kernel = kernel
        self._ear = ear
        self._start = start

    async def run(self) -> None:
        """Keep the line until cancelled. Raises NotFound when runtime or kernel is gone, Malformed at nonsense."""
        await self._line.keep(self._converse, broken=_nobody)

    async def send(self, channel: str, parts: Sequence[bytes]) -> None:
        """Send a message: header, parent header, metadata, content and buffers. Raises Unavailable."""
        await self._send({"op": "jupyter", "channel": channel, "buffers": [len(part) for part in parts]}, parts)

    async def steer(self, op: str) -> None:
        """`interrupt`, `restart` or `shutdown`. Raises Unavailable."""
        await self._send({"op": op})

    async def _send(self, header: Mapping[str, Any], parts: Sequence[bytes] = ()) -> None:
        text = json.dumps(header).encode()
        size = 4 + len(text) + sum(map(len, parts))
        await self._line.send(b"".join((size.to_bytes(4, "big"), len(text).to_bytes(4, "big"), text, *parts)))

    async def _converse(self, stream: ByteStream) -> None:
        frames = Frames(stream)
        wanted: dict[str, Any] = {"channels": self._kernel}
        if self._start is not None:
            wanted["start"] = dict(self._start)
        hello = json.dumps({"op": "hello", "protocol": 1, "open": wanted}).encode()
        with anyio.fail_after(HELLO_SECONDS_MAX):
            size = (4 + len(hello)).to_bytes(4, "big")
            await stream.send(b"".join((size, len(hello).to_bytes(4, "big"), hello)))
            head, _ = _split(await frames.next())
        if head["op"] == "error":
            raise NotFound(f"The kernel cannot be reached: {str(head.get('detail'))[:TEXT_MAX]}.")
        kernel = head.get("kernel")
        if head["op"] != "welcome" or not isinstance(kernel, dict) or kernel.get("state") not in KERNEL_STATES:
            raise Malformed("no welcome")
        self._line.stream = stream
        # From now on it is only looked for: a kernel that was forgotten is not started again behind anybody's back.
        self._start = None
        await self._ear.agent_answered(kernel["state"])
        while True:
            head, body = _split(await frames.next())
            match head["op"]:
                case "jupyter":
                    await self._hear(head.get("channel"), _cut(body, head.get("buffers")))
                case "kernel":
                    if head.get("state") not in KERNEL_STATES:
                        raise Malformed("not a state of a kernel")
                    await self._ear.changed(StateChange(head["state"], asked=head.get("asked") is True))
                case op:
                    raise Malformed(f"unknown op {str(op)[:40]!r}")

    async def _hear(self, channel: object, parts: list[bytes]) -> None:
        try:
            message = message_of(_text(channel), parts)
        except Malformed as error:
            # A cell can have its kernel say anything: that is no reason to give the kernel up.
            log.info("message.dropped", kernel=self._kernel, why=str(error))
            return
        await self._ear.heard(message)


async def _nobody() -> None:
    """Clients hear of a break only when the kernel is lost."""


def _split(body: bytes) -> tuple[dict[str, Any], memoryview]:
    length = int.from_bytes(body[:4], "big")
    if len(body) < 4 or length > len(body) - 4:
        raise Malformed("a header longer than its frame")
    try:
        header = json.loads(body[4 : 4 + length])
    except (ValueError, RecursionError) as error:
        raise Malformed("a header that is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("op"), str):
        raise Malformed("a header that is no object with an op")
    return header, memoryview(body)[4 + length :]


def _cut(body: memoryview, lengths: object) -> list[bytes]:
    if not isinstance(lengths, list) or len(lengths) > BUFFERS_MAX:
        raise Malformed("buffers are not a list of lengths")
    parts = []
    for length in lengths:
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(body):
            raise Malformed("a buffer longer than its frame")
        parts.append(bytes(body[:length]))
        body = body[length:]
    return parts


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("a message whose header is not JSON") from error
    if not isinstance(header, dict):
        raise Malformed("a message whose header is no object")
    return header


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise Malformed("not a short text")
    return value
