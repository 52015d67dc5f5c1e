"""What every line to an agent does: cut a stream into frames, and open it again when it breaks."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from anyio.abc import ByteStream

from collegium.ground.errors import NotFound, Unavailable
from collegium.kernels.model import FRAME_BYTES_MAX, Malformed
from collegium.kernels.ports import Road

READ_BYTES = 1024 * 1024
RETRY_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SILENCE_SECONDS_MAX = 300.0
"""How long an agent may be out of reach before its runtime counts as lost."""
SEND_SECONDS_MAX = 30.0


class Frames:
    """Cuts a stream of bytes into frames; `rest` is what was read of the next."""

    def __init__(self, stream: ByteStream, *, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.rest = bytearray()
        self._stream = stream
        self._frame_bytes_max = frame_bytes_max

    async def next(self) -> bytes:
        """The next frame without its length. Raises EndOfStream, BrokenResourceError or Malformed."""
        await self._fill(4)
        size = int.from_bytes(self.rest[:4], "big")
        if size > self._frame_bytes_max:
            raise Malformed("a frame over the limit")
        await self._fill(4 + size)
        body = bytes(memoryview(self.rest)[4 : 4 + size])
        del self.rest[: 4 + size]
        return body

    async def _fill(self, size: int) -> None:
        while len(self.rest) < size:
            self.rest += await self._stream.receive(READ_BYTES)


class Line:
    """A stream to an agent that is opened again when it breaks. `stream` is None while nothing can be sent."""

    def __init__(self, road: Road) -> None:
        self.stream: ByteStream | None = None
        self._road = road
        self._sending = anyio.Lock()

    async def keep(
        self, converse: Callable[[ByteStream], Awaitable[None]], *, broken: Callable[[], Awaitable[None]]
    ) -> None:
        """Converse until cancelled; `converse` sets `stream` once it was welcomed, and `broken` hears of each end.

        Raises NotFound when the runtime is gone, Malformed when it cannot be used.
        """
        failures, since = 0, anyio.current_time()
        while True:
            with suppress(Unavailable, OSError, anyio.EndOfStream, anyio.BrokenResourceError, TimeoutError):
                stream = await self._road()
                try:
                    await converse(stream)
                finally:
                    if self.stream is not None:
                        self.stream, failures, since = None, 0, anyio.current_time()
                    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                        await anyio.aclose_forcefully(stream)
            await broken()
            if anyio.current_time() - since > SILENCE_SECONDS_MAX:
                raise NotFound("The runtime has not answered for minutes.")
            await anyio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
            failures += 1

    async def send(self, frame: bytes) -> None:
        """A whole frame. Raises Unavailable if the agent is out of reach."""
        async with self._sending:
            if self.stream is None:
                raise Unavailable("The runtime is out of reach.")
            try:
                with anyio.fail_after(SEND_SECONDS_MAX):
                    await self.stream.send(frame)
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, TimeoutError) as error:
                raise Unavailable("The runtime is out of reach.") from error
