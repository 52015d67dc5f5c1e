"""A connection to the agent that is not about the journal: frames with at most one buffer, both ways."""

import asyncio
import errno
import json
from typing import Any

from collegium_agent.wire import U32, Malformed, decode, frame

FRAME_BYTES_MAX = 8 * 1024 * 1024
STALLED_SECONDS_MAX = 60.0


class Refused(Exception):
    """What was asked cannot be done; `code` is for programs, the text for people."""

    def __init__(self, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.more = code, detail, more


_CODES = {
    errno.ENOENT: ("not_found", "There is no such file or directory."),
    errno.ENOTDIR: ("not_found", "A part of the path is no directory."),
    errno.EEXIST: ("exists", "There is one of that name already."),
    errno.ENOTEMPTY: ("exists", "There is a directory of that name already, and it is not empty."),
    errno.EACCES: ("forbidden", "The runtime does not permit it."),
    errno.EPERM: ("forbidden", "The runtime does not permit it."),
    errno.EROFS: ("forbidden", "This part of the runtime cannot be written."),
    errno.EBUSY: ("forbidden", "It is in use."),
    errno.EISDIR: ("invalid", "It is a directory."),
    errno.ELOOP: ("invalid", "Its links lead in a circle."),
    errno.ENAMETOOLONG: ("invalid", "The name is too long."),
    errno.EINVAL: ("invalid", "That cannot be done to it."),
    errno.ENXIO: ("invalid", "It is no file."),
    errno.ENOSPC: ("storage_full", "The runtime's disk is full."),
    errno.EDQUOT: ("storage_full", "The runtime's disk is full."),
    errno.EFBIG: ("storage_full", "The file is larger than the runtime's disk allows."),
}


def refusal(error: OSError) -> Refused:
    """What an error of the system means to whoever asked."""
    code, detail = _CODES.get(error.errno or 0, ("refused", error.strerror or "It failed."))
    return Refused(code, detail)


class Side:
    """One such connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> tuple[dict[str, Any], memoryview]:
        """The next frame and what is behind its header. Raises EOFError at the end, Malformed, OSError."""
        size = U32.unpack(await self._reader.readexactly(4))[0]
        if size > FRAME_BYTES_MAX:
            raise Malformed("a frame over the limit")
        body = await self._reader.readexactly(size)
        header = decode(body)
        return header, memoryview(body)[4 + U32.unpack_from(body)[0] :]

    async def send(self, header: dict[str, Any], buffer: bytes | memoryview = b"") -> None:
        """One frame, once the other side has taken most of those before. Raises TimeoutError, OSError."""
        text = json.dumps({**header, "buffers": [len(buffer)]} if len(buffer) else header).encode()
        body = frame(text, (buffer,))
        self._writer.write(U32.pack(len(body)) + body)
        await self._drained()

    async def send_bytes(self, data: bytes) -> None:
        """Plain bytes, likewise."""
        self._writer.write(data)
        await self._drained()

    async def receive_bytes(self, most: int) -> bytes:
        """Plain bytes; none at the end."""
        return await self._reader.read(most)

    async def _drained(self) -> None:
        await asyncio.wait_for(self._writer.drain(), STALLED_SECONDS_MAX)
