"""What one worker says to another: messages, each a JSON object and bytes beside it, over a unix socket."""

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteStream

from collegium.ground.streams import UnixStream, connect_unix

HEAD_BYTES_MAX = 64 << 20
BODY_BYTES_MAX = 256 << 20
_SIZES = struct.Struct(">II")

Message = dict[str, Any]


class Garbled(Exception):
    """What came is no message."""


class HungUp(Exception):
    """The other side is gone."""


class Line:
    """A connection to another worker. Messages arrive whole and in order; whoever is not read makes senders wait."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._sending = anyio.Lock()

    async def send(self, message: Message, body: bytes = b"") -> None:
        """Say something. Raises HungUp."""
        await self.send_encoded(encoded(message), body)

    async def send_encoded(self, head: bytes, body: bytes = b"") -> None:
        """The same for what is `encoded` already."""
        async with self._sending:
            try:
                await self._stream.send(_SIZES.pack(len(head), len(body)) + head + body)
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                raise HungUp from error

    async def receive(self) -> tuple[Message, bytes]:
        """What was said next. Raises HungUp, and Garbled for what is no message. Not to be cancelled half-way."""
        head_size, body_size = _SIZES.unpack(await self._exactly(_SIZES.size))
        if head_size > HEAD_BYTES_MAX or body_size > BODY_BYTES_MAX:
            raise Garbled("a message is too long")
        head = await self._exactly(head_size)
        body = await self._exactly(body_size)
        try:
            message = json.loads(head)
        except (ValueError, RecursionError) as error:
            raise Garbled("a message is no JSON") from error
        if not isinstance(message, dict):
            raise Garbled("a message is no object")
        return message, body

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                self._buffer += await self._stream.receive(262_144)
            except (anyio.EndOfStream, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                raise HungUp from error
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    async def aclose(self) -> None:
        """Hang up."""
        await self._stream.aclose()


def encoded(message: Message) -> bytes:
    """A message as it goes over a line."""
    return json.dumps(message, separators=(",", ":")).encode()


async def dialled(address: str) -> Line:
    """A line to whoever listens there. Raises HungUp if nobody does.

    By way of the folder's descriptor: a socket's address may be no longer than 107 bytes.
    """
    path = Path(address)
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise HungUp from error
    try:
        return Line(await connect_unix(f"/proc/self/fd/{folder}/{path.name}"))
    except OSError as error:
        raise HungUp from error
    finally:
        os.close(folder)


def listening(address: str) -> socket.socket:
    """A socket that only this user's processes can reach, in a folder of this user alone."""
    path = Path(address)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)
        listener.listen(1024)
        listener.setblocking(False)
        return listener
    finally:
        os.close(folder)


def is_own(stream: UnixStream) -> bool:
    """Whether the other side runs as the same user."""
    credentials = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return bool(uid == os.geteuid())
