"""Who is alive and who leads, by beats and the observer's own watch; and what strangers may say on the lines."""

import asyncio
import os
import random
import re
import socket
import stat
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from sqlalchemy.engine import Connection

import collegium.workers
from collegium.ground.db import Database
from collegium.ground.ids import NotebookId
from collegium.ground.streams import UnixStream
from collegium.notebooks import store as documents
from collegium.workers import store as registry
from collegium.workers.model import LEASE_SECONDS, Sighting, Worker, WorkerId, seen, silent
from collegium.workers.service import HungUp, Line, Message, Workers, open_workers
from collegium.workers.wire import dialled

pytestmark = pytest.mark.anyio

A, B = WorkerId("a"), WorkerId("b")


class Watch:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_beat_that_changes_keeps_its_worker_alive_and_one_that_does_not_ends_it() -> None:
    known = seen({}, [Worker(A, "", 1), Worker(B, "", 1)], 0)
    known = seen(known, [Worker(A, "", 2), Worker(B, "", 1)], LEASE_SECONDS)

    assert known == {A: Sighting(2, LEASE_SECONDS), B: Sighting(1, 0)}
    assert silent(known, LEASE_SECONDS) == {}
    assert silent(known, LEASE_SECONDS + 0.1) == {B: 1}


def test_who_slept_looks_before_judging_others_by_its_own_sleep() -> None:
    known = seen({}, [Worker(B, "", 1)], 0)

    assert silent(seen(known, [Worker(B, "", 3601)], 3600), 3600) == {}


def test_nothing_here_reads_the_clock_of_the_wall() -> None:
    for module in Path(collegium.workers.__path__[0]).glob("*.py"):
        assert not re.search(r"now_ms|time\.time\(|datetime|CURRENT_TIMESTAMP", module.read_text()), module.name


@asynccontextmanager
async def two(database: Database, folder: Path) -> AsyncIterator[tuple[Workers, Workers, Watch]]:
    watch = Watch()
    async with (
        open_workers(database, folder, alone=False, founding=True, clock=watch) as first,
        open_workers(database, folder, alone=False, founding=False, clock=watch) as second,
    ):
        # The guard is the process's own; here two share a database.
        database.guard = None
        await first.look()
        yield first, second, watch


async def test_one_leads_and_when_it_is_silent_another_does(database: Database, tmp_path: Path) -> None:
    async with two(database, tmp_path) as (first, second, watch):
        leading = first.leads, second.leads
        watch.now += LEASE_SECONDS - 1
        await second.look()
        still = second.leads
        # What `first` beat meanwhile is seen; from then on it is silent.
        await _silence(first)
        await second.look()
        watch.now += LEASE_SECONDS + 1
        await second.look()
        await _wake(first)
        await first.look()

        assert leading == (True, False)
        assert not still
        assert second.leads
        assert first.is_lost
        assert not first.leads


async def test_steps_of_the_wall_clock_change_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    async with two(database, tmp_path) as (first, second, _):
        for hours in (1, -1):
            monkeypatch.setattr(time, "time", lambda hours=hours: real() + hours * 3600)
            for _ in range(3):
                await first.look()
                await second.look()

        assert not first.is_lost
        assert not second.is_lost
        assert first.leads
        assert first.id in second.fellows


async def test_a_process_that_listens_no_more_is_buried_at_once(database: Database, tmp_path: Path) -> None:
    async with two(database, tmp_path) as (first, second, _):
        (tmp_path / "workers" / Path(first.address).name).unlink()
        await _silence(first)
        await second.suspect(first.id)

        assert first.id not in second.fellows
        assert second.leads


async def test_one_document_has_one_owner_and_a_fence_behind_which_nobody_else_writes(
    database: Database, tmp_path: Path
) -> None:
    notebook = NotebookId("n" * 22)
    async with database.write() as tx:
        await documents.insert_document(tx, notebook, "e" * 22, 1, 1, 0)
    async with two(database, tmp_path) as (first, second, watch):

        async def take(worker: Workers) -> documents.Taken:
            return await database.write_in_one_go(lambda tx: documents.take(tx, notebook, worker.id))

        mine = await take(first)
        refused = await take(second)
        await _silence(first)
        await second.look()
        watch.now += LEASE_SECONDS + 1
        await second.look()
        taken = await take(second)
        await database.write_in_one_go(lambda tx: documents.give_up(tx, notebook, mine.fence))
        kept = await take(second)

        assert (mine.owner, refused.owner, taken.owner, kept.owner) == (first.id, first.id, second.id, second.id)
        assert mine.fence == refused.fence < taken.fence < kept.fence


async def test_who_serves_alone_leads_at_once_whatever_was_left_behind(database: Database, tmp_path: Path) -> None:
    def left_behind(tx: Connection) -> None:
        registry.insert(tx, Worker(A, "/elsewhere/workers/a.sock", 7))
        registry.take_lead(tx, A)

    await database.write_in_one_go(left_behind)
    async with open_workers(database, tmp_path) as worker:
        assert worker.leads
        assert not worker.fellows


async def test_garbage_on_a_line_ends_that_line_and_nothing_else(database: Database, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    async with two(database, tmp_path) as (first, second, _):

        async def echo(message: Message, body: bytes) -> tuple[Message, bytes]:
            return {"said": message["say"]}, body

        for worker in (first, second):
            worker.answers("echo", echo)
            worker.ready.set()
        heads = [b"[]", b"{", b'"kind"', b"{}", b'{"kind":"nobody"}', b'{"kind":["echo"]}', b"[" * 5_000, b"\xff\xfe"]
        letters = [struct.pack(">II", len(head), 0) + head for head in heads]
        letters += [struct.pack(">II", 1 << 31, 0), struct.pack(">II", 2, 1 << 31) + b"{}", b"\0\0"]
        letters += [chance.randbytes(chance.randrange(1, 400)) for _ in range(60)]
        for letter in letters:
            await _post(first.address, letter)
        answer = await second.ask(first.id, {"kind": "echo", "say": "still here"}, b"bytes")

        assert answer == ({"said": "still here"}, b"bytes")


async def test_the_lines_are_for_the_servers_own_user_alone(database: Database, tmp_path: Path) -> None:
    async with open_workers(database, tmp_path, alone=False, founding=True) as worker:
        path = Path(worker.address)

        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_message_arrives_whole_however_it_was_cut() -> None:
    here, there = socket.socketpair()
    line, other = Line(await _stream(here)), Line(await _stream(there))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.send, {"kind": "large"}, os.urandom(3 << 20))
        tasks.start_soon(line.send, {"kind": "small", "text": "é\n\0"})
        large, body = await other.receive()
        small, nothing = await other.receive()
    await line.aclose()
    with pytest.raises(HungUp):
        await other.receive()
    await other.aclose()

    assert (large["kind"], len(body), small["text"], nothing) == ("large", 3 << 20, "é\n\0", b"")


async def _stream(side: socket.socket) -> UnixStream:
    side.setblocking(False)
    return UnixStream(*await asyncio.open_unix_connection(sock=side))


async def _post(address: str, letter: bytes) -> None:
    """Say something and wait for the other side to hang up, or hang up."""
    line = await dialled(address)
    stream = line._stream
    try:
        await stream.send(letter)
        await stream.send_eof()
        with anyio.move_on_after(5):
            try:
                while True:
                    await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return
        raise AssertionError(f"it went on listening after {letter[:40]!r}")
    except anyio.BrokenResourceError:
        # It hung up in the middle.
        return
    finally:
        await line.aclose()


async def _silence(worker: Workers) -> None:
    """From now on it does not beat by itself."""
    await worker._rounds.acquire()


async def _wake(worker: Workers) -> None:
    worker._rounds.release()
