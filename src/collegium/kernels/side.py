"""Connections to an agent beside its journal: one for each file, terminal, port or question."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
from anyio.abc import ByteStream

from collegium.ground import errors
from collegium.kernels.model import Malformed, parse_side
from collegium.kernels.ports import Road
from collegium.kernels.stream import Frames

FRAME_BYTES_MAX = 8 * 1024 * 1024
READ_BYTES = 256 * 1024
ANSWER_SECONDS_MAX = 30.0
SEND_SECONDS_MAX = 60.0
DETAIL_LENGTH_MAX = 300
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

_ERRORS: dict[str, type[errors.CollegiumError]] = {
    "not_found": errors.NotFound,
    "exists": errors.Conflict,
    "conflict": errors.Conflict,
    "forbidden": errors.Forbidden,
    "invalid": errors.Invalid,
    "refused": errors.Invalid,
    "too_large": errors.TooLarge,
    "storage_full": errors.StorageFull,
}


class Side(ByteStream):
    """Frames first, then whatever the purpose wants: more frames, or plain bytes. Errors are anyio's and Malformed."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._frames = Frames(stream, frame_bytes_max=FRAME_BYTES_MAX)

    async def frame(self, *, seconds: float | None = ANSWER_SECONDS_MAX) -> tuple[dict[str, Any], memoryview]:
        """The next frame: its header, and the bytes behind it. Raises the error that the agent answers with."""
        with anyio.fail_after(seconds):
            body = await self._frames.next()
        header, rest = parse_side(body)
        if header["op"] == "error":
            raise _error(header)
        return header, rest

    async def send_frame(self, header: Mapping[str, Any], buffer: bytes = b"") -> None:
        """One frame, with at most one buffer behind its header."""
        text = json.dumps({**header, "buffers": [len(buffer)]} if buffer else header).encode()
        size = (4 + len(text) + len(buffer)).to_bytes(4, "big")
        await self.send(b"".join((size, len(text).to_bytes(4, "big"), text, buffer)))

    async def receive(self, max_bytes: int = READ_BYTES) -> bytes:
        """Plain bytes, at least one. Raises EndOfStream."""
        if self._frames.rest:
            data = bytes(self._frames.rest[:max_bytes])
            del self._frames.rest[:max_bytes]
            return data
        return await self._stream.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        """Plain bytes, waiting while the other side reads more slowly."""
        with anyio.fail_after(SEND_SECONDS_MAX):
            await self._stream.send(item)

    async def send_eof(self) -> None:
        """Nothing more will be sent."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Hang up."""
        await self._stream.aclose()


@asynccontextmanager
async def beside(road: Road, purpose: Mapping[str, Any]) -> AsyncIterator[Side]:
    """A connection for one purpose, closed in the end. Whatever breaks is Unavailable: the agent may be back soon."""
    try:
        with anyio.fail_after(ANSWER_SECONDS_MAX):
            stream = await road()
    except OSError as error:
        raise errors.Unavailable("The runtime is out of reach.") from error
    side = Side(stream)
    try:
        with broken_is_unavailable():
            await side.send_frame({"op": "hello", "protocol": 1, "open": dict(purpose)})
            yield side
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await anyio.aclose_forcefully(stream)


@contextmanager
def broken_is_unavailable() -> Iterator[None]:
    """The agent hung up, is silent, or talks nonsense: to whoever uses it, it is out of reach."""
    try:
        yield
    except TimeoutError as error:
        raise errors.Unavailable("The runtime does not answer in time.") from error
    except Malformed as error:
        raise errors.Unavailable(f"The runtime answered with nonsense: {error}.") from error
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
        raise errors.Unavailable("The runtime hung up.") from error


async def ask(road: Road, question: Mapping[str, Any]) -> dict[str, Any]:
    """One question, one answer."""
    async with beside(road, {"ask": dict(question)}) as side:
        header, _ = await side.frame()
    content = header.get("content")
    if header["op"] != "reply" or not isinstance(content, dict):
        raise errors.Unavailable("The runtime answered something else.")
    return content


def _error(header: Mapping[str, Any]) -> errors.CollegiumError:
    detail, code = header.get("detail"), header.get("code")
    text = _UNPRINTABLE.sub("\ufffd", detail)[:DETAIL_LENGTH_MAX] if isinstance(detail, str) else ""
    kind = _ERRORS.get(code, errors.Unavailable) if isinstance(code, str) else errors.Unavailable
    more = {"received": header["received"]} if isinstance(header.get("received"), int) else {}
    return kind(text or "The runtime refused.", **more)
