"""Transactions under cancellation: nothing half-done is kept, nothing is lost, and the database still closes."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from collegium.ground.db import Database, open_database, sqlite_url
from collegium.ground.errors import NotFound, Unavailable

pytestmark = pytest.mark.anyio
STATEMENTS = 3


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(sqlite_url(tmp_path / "test.db")) as database:
        async with database.write() as tx:
            await tx.execute(text("CREATE TABLE counted (number INTEGER)"))
        yield database


async def write(database: Database) -> None:
    async with database.write() as tx:
        for number in range(STATEMENTS):
            await tx.execute(text("INSERT INTO counted VALUES (:number)"), {"number": number})


async def read(database: Database) -> int:
    async with database.read() as tx:
        first = await tx.scalar(text("SELECT count(*) FROM counted"))
        assert await tx.scalar(text("SELECT count(*) FROM counted")) == first
        return int(first)


async def still_works(database: Database) -> None:
    with anyio.fail_after(10):
        before = await read(database)
        assert before % STATEMENTS == 0
        await write(database)
        assert await read(database) == before + STATEMENTS
    left = [task for task in asyncio.all_tasks() if "_terminate" in repr(task)]
    assert left == []


@pytest.mark.parametrize("seed", range(3))
async def test_transactions_cancelled_at_any_moment_leave_the_database_whole(counted: Database, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        async with anyio.create_task_group() as tasks:
            for _ in range(chance.randint(1, 12)):
                tasks.start_soon(chance.choice([read, write]), counted)
            await anyio.sleep(chance.random() * 0.01)
            tasks.cancel_scope.cancel()

    await still_works(counted)


@pytest.mark.parametrize("seed", range(3))
async def test_so_do_tasks_that_are_cancelled_the_hard_way_even_twice(counted: Database, seed: int) -> None:
    """uvicorn does that to requests that last too long at its end, and asyncio to every task at its own."""
    chance = random.Random(seed)
    for _ in range(60):
        tasks = [asyncio.ensure_future(chance.choice([read, write])(counted)) for _ in range(chance.randint(1, 12))]
        await anyio.sleep(chance.random() * 0.01)
        for _ in range(chance.randint(1, 2)):
            for task in tasks:
                task.cancel()
            await anyio.lowlevel.checkpoint()
        await asyncio.wait(tasks)

    await still_works(counted)


async def test_who_waits_for_a_turn_can_be_cancelled(counted: Database) -> None:
    async with counted.write():
        with anyio.move_on_after(0.01) as waiting:
            await write(counted)
    assert waiting.cancelled_caught

    await still_works(counted)


async def test_who_waits_too_long_for_a_turn_is_told(counted: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collegium.ground.db.WAIT_SECONDS_MAX", 0.01)
    async with counted.write():
        with pytest.raises(Unavailable):
            await write(counted)


@pytest.mark.parametrize("seed", range(3))
async def test_a_glance_sees_all_that_was_committed_before_it_was_asked_however_many_look_at_once(
    database: Database, seed: int
) -> None:
    chance = random.Random(seed)
    async with database.write() as tx:
        await tx.execute(text("CREATE TABLE counted (number INTEGER)"))
    committed = 0

    async def count_up() -> None:
        nonlocal committed
        for number in range(20):
            async with database.write() as tx:
                await tx.execute(text("INSERT INTO counted VALUES (:number)"), {"number": number})
            committed = number + 1

    async def look() -> None:
        for _ in range(10):
            await anyio.sleep(chance.random() * 0.01)
            before = committed
            assert await database.glance(_count) >= before

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count_up)
        for _ in range(30):
            tasks.start_soon(look)

    assert await database.glance(_count) == 20


async def test_a_glance_that_fails_or_is_cancelled_is_its_own_affair(counted: Database) -> None:
    seen: list[int] = []

    def refuse(_tx: Connection) -> None:
        raise NotFound("There is no such thing.")

    async def look() -> None:
        seen.append(await counted.glance(_count))

    async def be_refused() -> None:
        with pytest.raises(NotFound):
            await counted.glance(refuse)

    async def give_up() -> None:
        with anyio.move_on_after(0.001):
            await counted.glance(_count)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(look)
            tasks.start_soon(be_refused)
            tasks.start_soon(give_up)

    assert seen == [0] * 20
    await still_works(counted)


def _count(tx: Connection) -> int:
    return int(tx.execute(text("SELECT count(*) FROM counted")).scalar_one())
