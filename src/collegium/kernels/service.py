"""The line to an agent: opened again when it breaks, resumed where it stopped, dropped when it speaks nonsense."""

from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from anyio.abc import ByteStream

from collegium.ground.errors import Unavailable
from collegium.ground.ids import new_id
from collegium.ground.log import get_log
from collegium.kernels.model import (
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
from collegium.kernels.stream import Frames, Line

log = get_log("kernels")

HELLO_SECONDS_MAX = 15.0
ASKED_MAX = 256

__all__ = ["AgentLine", "KernelChange", "Malformed", "Message", "Welcome"]


class AgentLine:
    """One per runtime in use. `run` is its life; requests may be sent while it lives."""

    def __init__(self, road: Road, listener: Listener) -> None:
        self._line = Line(road)
        self._listener = listener
        self._asked: dict[str, tuple[anyio.Event, list[Reply | Refusal]]] = {}

    async def run(self) -> None:
        """Keep the line until cancelled. Raises NotFound when the runtime is gone, Malformed when it cannot be used."""
        try:
            await self._line.keep(self._converse, broken=self._broken)
        finally:
            self._forget_questions()

    async def _broken(self) -> None:
        self._forget_questions()
        await self._listener.disconnected()

    async def send(self, header: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one request. Raises Unavailable if the agent is out of reach."""
        await self._line.send(encode(header, buffers))

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
        frames = Frames(stream)
        epoch, since = self._listener.position
        with anyio.fail_after(HELLO_SECONDS_MAX):
            await stream.send(encode({"op": "hello", "protocol": 1, "since": since, "epoch": epoch}))
            welcome = parse(await frames.next())
        if not isinstance(welcome, Welcome):
            raise Malformed("no welcome")
        self._line.stream = stream
        await self._listener.connected(welcome)
        epoch, last = self._listener.position
        if welcome.oldest > last + 1:
            log.warning("agent.records_lost", since=last, oldest=welcome.oldest)
            last = welcome.oldest - 1
        while True:
            match parse(await frames.next()):
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
