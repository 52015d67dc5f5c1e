"""The line to an agent: opened again when it breaks, resumed where it stopped, dropped when it speaks nonsense."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import ByteStream

from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.ids import new_id
from collegium.ground.log import get_log
from collegium.kernels.model import (
    FRAME_BYTES_MAX,
    Frame,
    KernelChange,
    Malformed,
    Message,
    Refusal,
    Reply,
    Welcome,
    encode,
    parse,
)
from collegium.kernels.ports import Listener, Road

log = get_log("kernels")

READ_BYTES = 1024 * 1024
RETRY_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SILENCE_SECONDS_MAX = 300.0
"""How long an agent may be out of reach before its runtime counts as lost."""
HELLO_SECONDS_MAX = 15.0
SEND_SECONDS_MAX = 30.0
ASKED_MAX = 256

__all__ = ["AgentLine", "KernelChange", "Malformed", "Message", "Welcome"]


class _Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._data = bytearray()

    async def next(self) -> Frame:
        """The next frame. Raises EndOfStream, BrokenResourceError or Malformed."""
        await self._fill(4)
        size = int.from_bytes(self._data[:4], "big")
        if size > FRAME_BYTES_MAX:
            raise Malformed("a frame over the limit")
        await self._fill(4 + size)
        body = bytes(memoryview(self._data)[4 : 4 + size])
        del self._data[: 4 + size]
        return parse(body)

    async def _fill(self, size: int) -> None:
        while len(self._data) < size:
            self._data += await self._stream.receive(READ_BYTES)


class AgentLine:
    """One per runtime in use. `run` is its life; requests may be sent while it lives."""

    def __init__(self, road: Road, listener: Listener) -> None:
        self._road = road
        self._listener = listener
        self._stream: ByteStream | None = None
        self._sending = anyio.Lock()
        self._asked: dict[str, tuple[anyio.Event, list[Reply | Refusal]]] = {}

    async def run(self) -> None:
        """Keep the line until cancelled. Raises NotFound when the runtime is gone, Malformed when it cannot be used."""
        failures = 0
        since = anyio.current_time()
        while True:
            with suppress(Unavailable, OSError, anyio.EndOfStream, anyio.BrokenResourceError, TimeoutError):
                stream = await self._road()
                try:
                    await self._converse(stream)
                finally:
                    if self._stream is not None:
                        self._stream, failures, since = None, 0, anyio.current_time()
                        self._forget_questions()
                    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                        await anyio.aclose_forcefully(stream)
            await self._listener.disconnected()
            if anyio.current_time() - since > SILENCE_SECONDS_MAX:
                raise NotFound("The runtime has not answered for minutes.")
            await anyio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
            failures += 1

    async def send(self, header: Mapping[str, Any]) -> None:
        """Send one request. Raises Unavailable if the agent is out of reach."""
        frame = encode(header)
        async with self._sending:
            if self._stream is None:
                raise Unavailable("The runtime is out of reach.")
            try:
                with anyio.fail_after(SEND_SECONDS_MAX):
                    await self._stream.send(frame)
            except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, TimeoutError) as error:
                raise Unavailable("The runtime is out of reach.") from error

    async def ask(self, header: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Send a request and wait for its reply. Raises Unavailable if none comes in time."""
        if len(self._asked) >= ASKED_MAX:
            raise Unavailable("The kernel has too many questions to answer.")
        question = "q" + new_id()
        answered, answer = self._asked[question] = (anyio.Event(), [])
        try:
            await self.send({**header, "id": question})
            with anyio.move_on_after(seconds):
                await answered.wait()
        finally:
            self._asked.pop(question, None)
        match answer:
            case [Reply(content=content)]:
                return content
            case [Refusal(detail=detail)]:
                raise Unavailable(f"The kernel refused: {detail}")
            case _:
                raise Unavailable("The kernel did not answer in time.")

    async def _converse(self, stream: ByteStream) -> None:
        frames = _Frames(stream)
        epoch, since = self._listener.position
        with anyio.fail_after(HELLO_SECONDS_MAX):
            await stream.send(encode({"op": "hello", "protocol": 1, "since": since, "epoch": epoch}))
            welcome = await frames.next()
        if not isinstance(welcome, Welcome):
            raise Malformed("no welcome")
        self._stream = stream
        await self._listener.connected(welcome)
        epoch, last = self._listener.position
        if welcome.oldest > last + 1:
            log.warning("agent.records_lost", since=last, oldest=welcome.oldest)
            last = welcome.oldest - 1
        while True:
            match await frames.next():
                case Message() | KernelChange() as record:
                    if record.seq <= last:
                        continue
                    if record.seq != last + 1:
                        raise Malformed(f"record {record.seq} follows {last}")
                    last = record.seq
                    await self._listener.record(record)
                case Reply() | Refusal() as answer if answer.id in self._asked:
                    self._answer(answer)
                case Refusal(id=id, code=code, detail=detail):
                    log.warning("agent.refused", id=id, code=code, detail=detail)
                    await self._listener.refused(id, detail)
                case Reply():
                    continue  # it came too late
                case Welcome():
                    raise Malformed("a second welcome")

    def _answer(self, answer: Reply | Refusal) -> None:
        answered, answers = self._asked[answer.id]
        answers.append(answer)
        answered.set()

    def _forget_questions(self) -> None:
        for answered, _ in self._asked.values():
            answered.set()
