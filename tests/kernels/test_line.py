"""The line to an agent is opened again when it breaks, and dropped when it speaks nonsense."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream

from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.streams import connect_unix
from collegium.kernels.model import Record, Welcome, encode
from collegium.kernels.service import AgentLine, Malformed

pytestmark = pytest.mark.anyio
WELCOME = {"op": "welcome", "protocol": 1, "epoch": "e", "seq": 3, "oldest": 1, "kernels": []}


def record(seq: int) -> bytes:
    return encode({"op": "kernel", "seq": seq, "at": 0, "kernel": "k", "state": "idle"})


class Ear:
    """Takes records in."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    @property
    def position(self) -> tuple[str | None, int]:
        return "e", max(self.seen, default=0)

    async def connected(self, welcome: Welcome) -> None:
        return None

    async def record(self, record: Record) -> None:
        self.seen.append(record.seq)

    async def refused(self, id: str, detail: str) -> None:
        return None

    async def disconnected(self) -> None:
        return None


Says = Callable[[ByteStream, int], Any]


@asynccontextmanager
async def agent(folder: Path, says: Says) -> AsyncIterator[Callable[[], Any]]:
    """An agent that says what the test wants; gives the way to it."""
    path = folder / "s"
    calls = 0

    async def serve(stream: ByteStream) -> None:
        nonlocal calls
        calls += 1
        async with stream:
            await stream.receive()
            await says(stream, calls)

    async def road() -> ByteStream:
        if calls >= 3:
            raise NotFound("gone")
        return await connect_unix(path)

    async with anyio.create_task_group() as tasks, await anyio.create_unix_listener(path) as listener:
        tasks.start_soon(listener.serve, serve)
        yield road
        tasks.cancel_scope.cancel()


async def test_records_that_come_twice_are_taken_in_once(tmp_path: Path) -> None:
    async def says(stream: ByteStream, call: int) -> None:
        await stream.send(encode(WELCOME) + record(1) + record(1) + b"".join(record(n) for n in range(1, 2 + call)))

    ear = Ear()
    async with agent(tmp_path, says) as road:
        with pytest.raises(NotFound):
            await AgentLine(road, ear).run()

    assert ear.seen == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "nonsense",
    [
        encode({"op": "hello"}),
        (2**31).to_bytes(4, "big"),
        encode(WELCOME) + encode(WELCOME),
        encode(WELCOME) + record(2),
        encode(WELCOME) + b"\0\0\0\x08\0\0\0\x04oops",
    ],
)
async def test_an_agent_that_speaks_nonsense_is_not_listened_to(tmp_path: Path, nonsense: bytes) -> None:
    async def says(stream: ByteStream, call: int) -> None:
        await stream.send(nonsense)
        await anyio.sleep_forever()

    async with agent(tmp_path, says) as road:
        with pytest.raises(Malformed), anyio.fail_after(10):
            await AgentLine(road, Ear()).run()


async def test_a_question_without_an_answer_ends_in_time(tmp_path: Path) -> None:
    async def says(stream: ByteStream, call: int) -> None:
        await stream.send(encode(WELCOME) + record(1))
        await anyio.sleep_forever()

    ear = Ear()
    async with agent(tmp_path, says) as road, anyio.create_task_group() as tasks:
        line = AgentLine(road, ear)
        with pytest.raises(Unavailable):
            await line.send({"op": "stat"})
        tasks.start_soon(line.run)
        with anyio.fail_after(10):
            while not ear.seen:
                await anyio.sleep(0.01)
        with pytest.raises(Unavailable):
            await line.ask({"op": "stat"}, seconds=0.05)
        tasks.cancel_scope.cancel()
