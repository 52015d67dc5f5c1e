"""Byte streams over unix sockets, by asyncio's transports.

anyio's own unix stream waits with `loop.add_reader(socket, future.set_result, None)`; when the socket becomes readable
in the moment in which the waiting task is cancelled or the stream is closed, that sets a result twice, and the loop
reports InvalidStateError. Transports have no such moment, and read without a system call to wait first.
"""

import asyncio
import socket

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

CLOSE_SECONDS_MAX = 1.0


class UnixStream(ByteStream):
    """One connection. Raises anyio's errors: EndOfStream, BrokenResourceError, ClosedResourceError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._closed = False

    @property
    def socket(self) -> socket.socket:
        """What the connection is to the operating system."""
        found: socket.socket = self._writer.get_extra_info("socket")
        return found

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """At least one byte, or EndOfStream."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise anyio.ClosedResourceError
        try:
            received = await self._reader.read(max_bytes)
        except OSError as error:
            raise anyio.BrokenResourceError from error
        if self._closed:
            raise anyio.ClosedResourceError
        if not received:
            raise anyio.EndOfStream
        return received

    async def send(self, item: bytes) -> None:
        """Hand the bytes to the kernel, waiting while the other side reads more slowly."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise anyio.ClosedResourceError
        self._writer.write(item)
        try:
            await self._writer.drain()
        except OSError as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Nothing more will be sent."""
        self._writer.write_eof()

    async def aclose(self) -> None:
        """Close at once; what was not sent yet is dropped if the other side does not take it."""
        self._closed = True
        self._writer.close()
        with anyio.move_on_after(CLOSE_SECONDS_MAX, shield=True) as waiting:
            try:
                await self._writer.wait_closed()
            except OSError:
                # The other side went first; closed is closed.
                return
        if waiting.cancelled_caught:
            self._writer.transport.abort()


async def connect_unix(path: str) -> UnixStream:
    """Connect to a unix socket. Raises FileNotFoundError, ConnectionRefusedError."""
    return UnixStream(*await asyncio.open_unix_connection(path))
