"""The time of real leases: use, notices, keeping, and being taken back with a reason."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, NotFound
from collegium.ground.ids import RuntimeId, UserId
from collegium.ground.reasons import HOUR_MS, MINUTE_MS
from collegium.runtimes import store
from collegium.runtimes.absent import NoAccelerators
from collegium.runtimes.lifetime import Notice, NoticeKind
from collegium.runtimes.model import State
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import RuntimesSettings, RuntimeType
from runtime_world import FakeEngine
from runtimes.test_service import ReadyEnvironments

pytestmark = pytest.mark.anyio
ADA = UserId("ada")
TYPES = {
    "cpu": RuntimeType(),
    "class": RuntimeType(lifetime=timedelta(hours=2), keep_max=timedelta(hours=1)),
    "exam": RuntimeType(lifetime=timedelta(hours=2)),
}
Opened = Callable[[], AbstractAsyncContextManager[Runtimes]]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def opened(database: Database, engine: FakeEngine, tmp_path: Path) -> Opened:
    """Starts a server's runtimes part, again and again over the same database."""
    settings = RuntimesSettings(types=TYPES, cull_interval=timedelta(hours=1))
    return lambda: open_runtimes(database, engine, ReadyEnvironments(tmp_path), NoAccelerators(), settings)


@pytest.fixture
async def runtimes(opened: Opened) -> AsyncIterator[Runtimes]:
    async with opened() as runtimes:
        yield runtimes


async def used_ago(database: Database, runtime: RuntimeId, ago_ms: int) -> None:
    async with database.write() as tx:
        await store.set_used(tx, [(runtime, now_ms() - ago_ms)])


async def test_notice_is_given_before_the_end_and_use_withdraws_it(runtimes: Runtimes, database: Database) -> None:
    told: list[Notice | None] = []
    runtimes.leases.on_notice.append(lambda _runtime, notice: told.append(notice))
    lent = await runtimes.acquire(ADA)
    await runtimes.cull_once()
    assert runtimes.notices() == {}

    await used_ago(database, lent.id, 88 * MINUTE_MS)
    await runtimes.cull_once()
    notice = runtimes.notice(lent.id)
    assert notice is not None
    assert notice.kind is NoticeKind.IDLE
    assert notice.at - now_ms() > 2 * MINUTE_MS
    runtimes.touch(lent.id)
    await runtimes.cull_once()

    assert told == [notice, None]
    assert runtimes.notice(lent.id) is None
    assert (await runtimes.get(lent.id)).state is State.READY


async def test_what_nobody_used_is_taken_back_once_its_notice_is_over(
    runtimes: Runtimes, database: Database, engine: FakeEngine
) -> None:
    idle, used = await runtimes.acquire(ADA), await runtimes.acquire(ADA)
    for lent in (idle, used):
        await used_ago(database, lent.id, 5 * HOUR_MS)
    runtimes.touch(used.id)
    await runtimes.cull_once()
    await runtimes.cull_once()
    assert (await runtimes.get(idle.id)).state is State.READY, "there is notice first, however late it is"

    let_pass(runtimes, idle.id)
    await runtimes.cull_once()

    over = await runtimes.get(idle.id)
    assert (over.state, over.reason) == (State.STOPPED, "it was not used for 90 minutes")
    assert list(engine.machines) == [used.id]
    assert runtimes.notices() == {}


def let_pass(runtimes: Runtimes, runtime: RuntimeId) -> None:
    """As if the time of the notice had passed."""
    notice = runtimes.leases._notices[runtime]
    runtimes.leases._notices[runtime] = Notice(notice.kind, now_ms() - 1)


async def test_a_touch_in_the_last_moment_saves_it(runtimes: Runtimes, database: Database) -> None:
    lent = await runtimes.acquire(ADA)
    await used_ago(database, lent.id, 5 * HOUR_MS)
    await runtimes.cull_once()
    let_pass(runtimes, lent.id)

    runtimes.touch(lent.id)
    await runtimes.cull_once()

    assert (await runtimes.get(lent.id)).state is State.READY


async def test_keeping_starts_idle_time_again_also_after_a_restart(opened: Opened, database: Database) -> None:
    async with opened() as runtimes:
        lent = await runtimes.acquire(ADA)
        await used_ago(database, lent.id, 5 * HOUR_MS)
        await runtimes.cull_once()
        assert runtimes.notice(lent.id) is not None
        await runtimes.keep(lent.id)
        assert runtimes.notice(lent.id) is None

    async with opened() as runtimes:
        await runtimes.cull_once()
        assert runtimes.notice(lent.id) is None
        assert now_ms() - (await runtimes.get(lent.id)).used_at < HOUR_MS


async def test_a_lifetime_ends_what_is_used_too_and_keeping_moves_it_once(
    runtimes: Runtimes, database: Database
) -> None:
    lent = await runtimes.acquire(ADA, type="class")
    assert lent.expires_at is not None
    assert lent.ready_at is not None
    assert lent.expires_at - lent.ready_at == 2 * HOUR_MS
    await started_ago(database, lent.id, 2 * HOUR_MS - MINUTE_MS)
    runtimes.touch(lent.id)
    await runtimes.cull_once()
    notice = runtimes.notice(lent.id)
    assert notice is not None
    assert notice.kind is NoticeKind.LIFETIME
    runtimes.touch(lent.id)
    assert runtimes.notice(lent.id) == notice, "use does not move the end of a lifetime"

    longer = await runtimes.keep(lent.id)

    assert longer.expires_at is not None
    assert longer.ready_at is not None
    assert longer.expires_at - longer.ready_at == 3 * HOUR_MS
    assert runtimes.notice(lent.id) is None


async def started_ago(database: Database, runtime: RuntimeId, ago_ms: int) -> None:
    async with database.write() as tx:
        found = await store.read_runtime(tx, runtime)
        assert found is not None
        lifetime = found.terms.lifetime_ms
        ready_at = now_ms() - ago_ms
        values = {"ready_at": ready_at, "expires_at": None if lifetime is None else ready_at + lifetime}
        await tx.execute(store.runtimes.update().where(store.runtimes.c.id == runtime).values(**values))


async def test_where_there_is_no_more_time_keeping_says_so(runtimes: Runtimes, database: Database) -> None:
    lent = await runtimes.acquire(ADA, type="exam")
    await started_ago(database, lent.id, 2 * HOUR_MS - MINUTE_MS)
    await runtimes.cull_once()

    with pytest.raises(Conflict, match="as long as its type allows"):
        await runtimes.keep(lent.id)
    let_pass(runtimes, lent.id)
    await started_ago(database, lent.id, 2 * HOUR_MS + 1)
    runtimes.touch(lent.id)
    await runtimes.cull_once()

    over = await runtimes.get(lent.id)
    assert (over.state, over.reason) == (State.STOPPED, "its time was over: it was lent for 2 hours")


async def test_what_is_over_cannot_be_kept(runtimes: Runtimes) -> None:
    lent = await runtimes.acquire(ADA)
    await runtimes.release(lent.id)

    with pytest.raises(NotFound):
        await runtimes.keep(lent.id)
    runtimes.touch(lent.id)
    await runtimes.cull_once()
    assert runtimes.leases._used == {}


async def test_what_was_agreed_holds_when_the_settings_change(
    database: Database, engine: FakeEngine, tmp_path: Path, opened: Opened
) -> None:
    async with opened() as runtimes:
        lent = await runtimes.acquire(ADA, type="class")
    others = RuntimesSettings(types={"cpu": RuntimeType(idle_timeout=timedelta(minutes=1))})

    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), NoAccelerators(), others) as runtimes:
        found = await runtimes.get(lent.id)
        assert (found.terms, found.expires_at) == (lent.terms, lent.expires_at)
        assert runtimes.label(found.type) == "class"
        await runtimes.watch_usage_once()
        await used_ago(database, lent.id, 5 * HOUR_MS)
        await runtimes.cull_once()
        let_pass(runtimes, lent.id)
        await runtimes.cull_once()
        assert (await runtimes.get(lent.id)).reason == "it was not used for 90 minutes"
