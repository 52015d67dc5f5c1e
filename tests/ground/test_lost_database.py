"""PostgreSQL goes away, at any moment: what is committed stays, what is unknown is said to be, and work goes on."""

import random
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from collegium.ground.db import READERS_MAX, Database, open_database
from collegium.ground.errors import CollegiumError, StorageFull, Unavailable
from support.cutting import Cutter, cutter
from support.disk import leave_room
from support.postgres import database_of_postgres, postgres

pytestmark = pytest.mark.anyio


@pytest.fixture
def url() -> Iterator[str]:
    with database_of_postgres() as url:
        yield url


@pytest.fixture
async def counted(url: str) -> AsyncIterator[tuple[Database, Cutter]]:
    with cutter(url) as (between, address):
        async with open_database(address) as database:
            async with database.write() as tx:
                await tx.execute(text("CREATE TABLE counted (number INTEGER)"))
            yield database, between


def insert(tx: Connection) -> None:
    tx.execute(text("INSERT INTO counted VALUES (1)"))


async def count(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(text("SELECT count(*) FROM counted")))


async def settled(database: Database, number: int) -> bool:
    """Whether the database has, or soon gets, so many rows: a commit goes on when nobody listens any more."""
    with anyio.move_on_after(2):
        while await count(database) != number:
            await anyio.sleep(0.01)
        return True
    return False


@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
async def test_a_commit_whose_answer_is_lost_is_said_to_be_unknown(
    counted: tuple[Database, Cutter], when: str, rows: int
) -> None:
    database, between = counted
    between.cut(when)
    with pytest.raises(Unavailable) as one_go:
        await database.write_in_one_go(insert)
    assert await settled(database, rows)
    between.cut(when)
    with pytest.raises(Unavailable) as written:
        async with database.write() as tx:
            await tx.run_sync(insert)

    assert between.cuts == 2
    assert (one_go.value.code, written.value.code) == ("outcome_unknown", "outcome_unknown")
    assert await settled(database, 2 * rows)


async def test_what_a_restarted_database_undid_before_its_commit_is_done_again(
    counted: tuple[Database, Cutter],
) -> None:
    database, _ = counted
    tries = 0

    def insert_in_a_crash(tx: Connection) -> None:
        nonlocal tries
        tries += 1
        insert(tx)
        if tries == 1:
            postgres().crash()
            insert(tx)

    await database.write_in_one_go(insert_in_a_crash)

    assert tries == 2
    assert await count(database) == 1


async def test_connections_that_a_restart_left_dead_are_replaced_unnoticed(
    counted: tuple[Database, Cutter], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = counted
    monkeypatch.setattr("collegium.ground.db.IDLE_SECONDS_MAX", 0)
    await count(database)
    await anyio.to_thread.run_sync(postgres().crash)

    assert await count(database) == 0
    async with database.write() as tx:
        await tx.run_sync(insert)
    await database.write_in_one_go(insert)
    assert await count(database) == 2


async def test_a_write_that_begins_on_a_dead_connection_takes_another(counted: tuple[Database, Cutter]) -> None:
    database, _ = counted
    await anyio.to_thread.run_sync(postgres().crash)
    async with database.write() as tx:
        await tx.run_sync(insert)

    assert await count(database) == 1


async def test_as_many_as_read_at_once_meet_no_dead_connection_when_the_database_is_back(
    counted: tuple[Database, Cutter],
) -> None:
    database, _ = counted
    numbers: list[int] = []

    async def count_while_others_do(all_there: anyio.Event) -> None:
        async with database.read() as tx:
            numbers.append(int(await tx.scalar(text("SELECT count(*) FROM counted"))))
            if len(numbers) % READERS_MAX == 0:
                all_there.set()
            await all_there.wait()

    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            all_there = anyio.Event()
            for _ in range(READERS_MAX):
                tasks.start_soon(count_while_others_do, all_there)
        await anyio.to_thread.run_sync(postgres().crash)

    assert numbers == [0] * READERS_MAX * 2


async def test_a_database_that_is_away_is_named_and_used_again_when_it_is_back(
    counted: tuple[Database, Cutter],
) -> None:
    database, _ = counted
    await anyio.to_thread.run_sync(postgres().end)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await count(database)
            with pytest.raises(Unavailable):
                await database.write_in_one_go(insert)
            with pytest.raises(Unavailable):
                async with database.write() as tx:
                    await tx.run_sync(insert)
    finally:
        await anyio.to_thread.run_sync(postgres().begin)

    await database.write_in_one_go(insert)
    assert await count(database) == 1


async def test_transactions_that_lock_each_other_out_are_both_done(counted: tuple[Database, Cutter], url: str) -> None:
    database, _ = counted
    async with database.write() as tx:
        await tx.execute(text("INSERT INTO counted VALUES (0), (100)"))

    def adding(*order: int) -> Callable[[Connection], None]:
        def work(tx: Connection) -> None:
            for number in order:
                tx.execute(text("UPDATE counted SET number = number + 1 WHERE number / 100 = :at"), {"at": number})
                tx.execute(text("SELECT pg_sleep(0.05)"))

        return work

    async with open_database(url) as other, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(database.write_in_one_go, adding(0, 1))
            tasks.start_soon(other.write_in_one_go, adding(1, 0))

    async with database.read() as tx:
        assert sorted((await tx.execute(text("SELECT number FROM counted"))).scalars()) == [6, 106]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
async def test_whatever_was_committed_survives_crashes_while_many_write(url: str, seed: int) -> None:
    chance = random.Random(seed)
    crashes = 2 if seed == 1 else 20
    done: set[int] = set()
    unknown: set[int] = set()
    over = False

    async def write(database: Database, first: int) -> None:
        number = first
        while not over:
            number += 8

            def insert_this(tx: Connection, number: int = number) -> None:
                tx.execute(text("INSERT INTO counted VALUES (:number)"), {"number": number})

            try:
                await database.write_in_one_go(insert_this)
                done.add(number)
            except CollegiumError as error:
                (unknown if error.code == "outcome_unknown" else set()).add(number)
                await anyio.sleep(0.01)

    async with open_database(url) as database:
        async with database.write() as tx:
            await tx.execute(text("CREATE TABLE counted (number INTEGER)"))
        async with anyio.create_task_group() as tasks:
            for first in range(8):
                tasks.start_soon(write, database, first)
            for _ in range(crashes):
                await anyio.sleep(chance.uniform(0.05, 0.3))
                await anyio.to_thread.run_sync(postgres().crash)
            while not done:
                await anyio.sleep(0.01)
            over = True
        async with database.read() as tx:
            found = list((await tx.execute(text("SELECT number FROM counted"))).scalars())

    assert len(found) == len(set(found)), f"seed {seed}: something was done twice"
    assert done <= set(found) <= done | unknown, f"seed {seed}"


async def test_a_full_disk_of_postgresql_is_named(url: str) -> None:
    async with open_database(url) as database:
        async with database.write() as tx:
            await tx.execute(text("CREATE TABLE large (content BYTEA)"))
        await leave_room(database, 4)
        chance = random.Random(1)
        with pytest.raises(StorageFull):
            async with database.write() as tx:
                await tx.execute(text("INSERT INTO large VALUES (:content)"), {"content": chance.randbytes(1 << 20)})
        await leave_room(database, None)
        async with database.write() as tx:
            await tx.execute(text("INSERT INTO large VALUES (:content)"), {"content": chance.randbytes(1 << 20)})


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("postgresql+asyncpg://collegium@/nosuch?host={folder}", "createdb"),
        ("postgresql+asyncpg://nobody:hush@/postgres?host={folder}", "user"),
        ("postgresql+asyncpg://collegium:hush@127.0.0.1:1/x", "cannot be reached"),
        ("postgresql+asyncpg://collegium:hush@no.such.machine.invalid/x", "machine"),
        ("postgresql+asyncpg://collegium:hush@127.0.0.1:nine/x", "looks like"),
        ("postgresql+asyncpg://poor:hush@/{name}?host={folder}", "GRANT CREATE"),
    ],
    ids=["database", "user", "closed", "machine", "port", "rights"],
)
async def test_a_wrong_address_says_in_one_line_what_to_do_and_never_the_password(
    url: str, name: str, advice: str
) -> None:
    empty = postgres().new(template="template0")
    postgres().make_poor("poor")
    folder = url.partition("?host=")[2]
    wrong = name.format(folder=folder, name=empty.partition("@/")[2].partition("?")[0])
    with pytest.raises(Unavailable, match=advice) as raised:
        async with open_database(wrong):
            raise AssertionError("it opened")
    postgres().drop(empty)

    assert "\n" not in raised.value.detail
    assert "COLLEGIUM_DATABASE_URL" in raised.value.detail or advice == "GRANT CREATE"
    assert "hush" not in raised.value.detail
