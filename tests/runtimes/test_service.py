"""Lending runtimes: limits, reasons, and staying in step with an engine."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from collegium.ground.db import Database
from collegium.ground.errors import Invalid, NotFound, QuotaExceeded, Unavailable
from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.absent import NoAccelerators
from collegium.runtimes.model import State
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import GIB, RuntimesSettings, RuntimeType
from runtime_world import FakeEngine

pytestmark = pytest.mark.anyio
ADA, BOB = UserId("ada"), UserId("bob")
SETTINGS = RuntimesSettings(per_user=2)


class ReadyEnvironments:
    """One version, built already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.why_not = ""

    def versions(self) -> list[str]:
        return ["2026.11"]

    async def ready(self, version: str, progress: Callable[[str], None] | None = None) -> Path:
        if self.why_not:
            raise Unavailable(self.why_not)
        return self._folder


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def runtimes(database: Database, engine: FakeEngine, tmp_path: Path) -> AsyncIterator[Runtimes]:
    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), NoAccelerators(), SETTINGS) as runtimes:
        yield runtimes


async def test_an_acquired_runtime_is_ready_and_its_users_alone(runtimes: Runtimes) -> None:
    acquired = await runtimes.acquire(ADA)

    assert acquired.state is State.READY
    assert [one.id for one in await runtimes.list(ADA)] == [acquired.id]
    assert await runtimes.list(BOB) == []
    assert await runtimes.get_own(ADA, acquired.id) == acquired
    with pytest.raises(NotFound):
        await runtimes.get_own(BOB, acquired.id)


async def test_one_may_have_so_many_and_after_a_release_another(runtimes: Runtimes) -> None:
    first = await runtimes.acquire(ADA)
    await runtimes.acquire(ADA)
    with pytest.raises(QuotaExceeded):
        await runtimes.acquire(ADA)
    await runtimes.acquire(BOB)

    await runtimes.release(first.id)

    assert (await runtimes.get(first.id)).state is State.STOPPED
    await runtimes.acquire(ADA)


async def test_many_requests_at_once_do_not_slip_past_the_limit(runtimes: Runtimes) -> None:
    refused = 0

    async def acquire() -> None:
        nonlocal refused
        try:
            await runtimes.acquire(ADA)
        except QuotaExceeded:
            refused += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(acquire)

    assert refused == 4
    assert len(await runtimes.list(ADA)) == 2


@pytest.mark.parametrize("wrong", [{"type": "huge"}, {"version": "../../etc"}])
async def test_what_is_not_offered_is_refused(runtimes: Runtimes, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        await runtimes.acquire(ADA, **wrong)

    assert await runtimes.list() == []


async def test_a_runtime_that_cannot_be_made_counts_for_nothing(runtimes: Runtimes, engine: FakeEngine) -> None:
    engine.failure = Unavailable("no memory left")
    with pytest.raises(Unavailable):
        await runtimes.acquire(ADA)

    assert await runtimes.list(ADA) == []
    engine.failure = None
    await runtimes.acquire(ADA)


async def test_a_runtime_that_ends_by_itself_is_failed_with_its_reason(runtimes: Runtimes, engine: FakeEngine) -> None:
    acquired = await runtimes.acquire(ADA)
    await until_watched(engine)

    await engine.end(acquired.id, "it ran out of memory")
    with anyio.fail_after(60):
        over = await runtimes.wait_ended(acquired.id)

    assert (over.state, over.reason) == (State.FAILED, "it ran out of memory")
    with pytest.raises(NotFound, match="ran out of memory"):
        await runtimes.connect(acquired.id)


async def until_watched(engine: FakeEngine) -> None:
    """The service follows the engine in a task of its own."""
    with anyio.fail_after(60):
        while not engine._watchers or engine.ready is None:
            await anyio.lowlevel.checkpoint()


async def test_reconciling_ends_what_only_one_side_knows(
    runtimes: Runtimes, engine: FakeEngine, database: Database
) -> None:
    lost, kept = await runtimes.acquire(ADA), await runtimes.acquire(BOB)
    engine.machines["stranger"] = engine.machines[kept.id]  # type: ignore[index]
    engine.machines["stranger"] = type(engine.machines[kept.id])(  # type: ignore[index]
        "stranger",  # type: ignore[arg-type]
        State.READY,
        "",
        kept.limits,
    )
    del engine.machines[lost.id]

    await runtimes.keeper.reconcile()

    assert (await runtimes.get(lost.id)).state is State.FAILED
    assert (await runtimes.get(kept.id)).state is State.READY
    assert list(engine.machines) == [kept.id]


async def test_what_was_being_requested_when_the_server_ended_is_given_up(
    database: Database, engine: FakeEngine, tmp_path: Path
) -> None:
    environments = ReadyEnvironments(tmp_path)
    runtimes = Runtimes(database, engine, environments, NoAccelerators(), SETTINGS, {})
    requested = await runtimes._request(RuntimeId("half"), ADA, await runtimes.offer("cpu"), "2026.11")

    async with open_runtimes(database, engine, environments, NoAccelerators(), SETTINGS) as opened:
        assert (await opened.get(requested.id)).state is State.FAILED
        assert await opened.list(ADA) == []


async def test_the_pool_is_asked_for_the_usual_kind(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)

    assert engine.ready is not None
    ((wanted, count),) = engine.ready
    assert (wanted.type, wanted.version, count) == ("cpu", "2026.11", 1)


async def test_a_type_s_own_stock_is_kept_and_none_of_what_cannot_be_had(
    database: Database, engine: FakeEngine, tmp_path: Path
) -> None:
    types = {
        "cpu": RuntimeType(memory=GIB),
        "class": RuntimeType(memory=GIB, pool=3),
        "huge": RuntimeType(memory=1 << 50, pool=2),
        "gpu": RuntimeType(memory=GIB, accelerator="gpu", pool=2),
    }
    settings = RuntimesSettings(types=types, pool=1)
    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), NoAccelerators(), settings):
        await until_watched(engine)

    assert engine.ready is not None
    assert [(wanted.type, count) for wanted, count in engine.ready] == [("cpu", 1), ("class", 3)]


async def test_a_network_that_cannot_be_had_is_said_and_kept_with_the_runtime(
    runtimes: Runtimes, engine: FakeEngine
) -> None:
    engine.modes = ["none"]
    runtimes.catalogue.ask_again()

    lent = await runtimes.acquire(ADA)

    assert lent.network == engine.wanted[lent.id].network.mode == "none"
    assert "internet" in ((await runtimes.offer("cpu")).reason or "")


async def test_a_version_that_cannot_be_built_stops_nothing_else(
    database: Database, engine: FakeEngine, tmp_path: Path
) -> None:
    environments = ReadyEnvironments(tmp_path)
    async with open_runtimes(database, engine, environments, NoAccelerators(), SETTINGS) as runtimes:
        acquired = await runtimes.acquire(ADA)
    environments.why_not = "restart the server"
    engine.ready = None

    async with open_runtimes(database, engine, environments, NoAccelerators(), SETTINGS) as runtimes:
        with pytest.raises(Unavailable, match="restart the server"):
            await runtimes.acquire(BOB)
        with anyio.fail_after(60):
            while not engine._watchers:
                await anyio.lowlevel.checkpoint()
        await engine.end(acquired.id, "it ran out of memory")
        with anyio.fail_after(60):
            assert (await runtimes.wait_ended(acquired.id)).reason == "it ran out of memory"
    assert engine.ready is None
