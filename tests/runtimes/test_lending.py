"""Lending under trouble: queues for accelerators, requests given up, engines away, servers and machines restarted."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import anyio
import anyio.abc
import pytest

from collegium.ground.db import Database
from collegium.ground.errors import Conflict, QuotaExceeded, Unavailable
from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes import store
from collegium.runtimes.model import GpuUsage, Machine, Runtime, State, Unit, Waiting
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import GIB, Accelerator, AcceleratorUnit, RuntimesSettings, RuntimeType
from runtime_world import FakeEngine
from runtimes.accelerator_world import FakeAccelerators
from runtimes.test_service import ReadyEnvironments, until_watched
from support.disk import leave_room

pytestmark = pytest.mark.anyio
ADA, BOB, CAT = UserId("ada"), UserId("bob"), UserId("cat")
SETTINGS = RuntimesSettings(
    types={"cpu": RuntimeType(memory=GIB), "t4": RuntimeType(memory=GIB, accelerator="t4")},
    accelerators={
        "t4": Accelerator(units=(AcceleratorUnit(devices=("/dev/zero",), gpus=("0",)),), binds=("/opt/libcuda.so",))
    },
    per_user=2,
    pool=0,
)
Opened = Callable[[], AbstractAsyncContextManager[Runtimes]]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def hardware() -> FakeAccelerators:
    return FakeAccelerators()


@pytest.fixture
def opened(database: Database, engine: FakeEngine, hardware: FakeAccelerators, tmp_path: Path) -> Opened:
    """Starts a server's runtimes part, again and again over the same database."""
    return lambda: open_runtimes(database, engine, ReadyEnvironments(tmp_path), hardware, SETTINGS)


@pytest.fixture
async def runtimes(opened: Opened) -> AsyncIterator[Runtimes]:
    async with opened() as runtimes:
        yield runtimes


class Asker:
    """Somebody who asks for a runtime and waits as long as it takes."""

    def __init__(self, tasks: anyio.abc.TaskGroup, runtimes: Runtimes, user: UserId, type: str = "t4") -> None:
        self.told: list[Waiting] = []
        self.got: Runtime | None = None
        self.failure: Exception | None = None
        self.over = anyio.Event()
        self.scope = anyio.CancelScope()
        tasks.start_soon(self._ask, runtimes, user, type)

    async def _ask(self, runtimes: Runtimes, user: UserId, type: str) -> None:
        with self.scope:
            try:
                self.got = await runtimes.acquire(user, type=type, on_wait=self.told.append)
            except (Conflict, Unavailable, QuotaExceeded) as failure:
                self.failure = failure
        self.over.set()


async def until(condition: Callable[[], object]) -> None:
    """Let the others run until it is so."""
    with anyio.fail_after(30):
        while not condition():
            await anyio.sleep(0.001)


async def test_one_after_another_has_the_card_and_nobody_else_its_devices(
    runtimes: Runtimes, engine: FakeEngine
) -> None:
    first = await runtimes.acquire(ADA, type="t4")
    plain = await runtimes.acquire(ADA, type="cpu")
    async with anyio.create_task_group() as tasks:
        bob = Asker(tasks, runtimes, BOB)
        await until(lambda: bob.told)
        cat = Asker(tasks, runtimes, CAT)
        await until(lambda: cat.told)
        (waiting,) = await runtimes.list(BOB)
        assert waiting.state is State.REQUESTED
        assert runtimes.waiting(waiting.id) == Waiting(waiting.id, 1, 2)

        await runtimes.release(first.id)
        await bob.over.wait()
        assert cat.got is None
        assert [(one.position, one.of) for one in cat.told] == [(2, 2), (1, 1)]
        assert bob.got is not None
        await runtimes.release(bob.got.id)

    assert cat.got is not None
    assert cat.got.unit == Unit("t4", "/dev/zero")
    assert engine.wanted[cat.got.id].devices == ("/dev/zero",)
    assert engine.wanted[plain.id].devices == engine.wanted[plain.id].binds == ()


async def test_who_gives_up_waiting_leaves_nothing_and_the_next_is_served(
    runtimes: Runtimes, engine: FakeEngine
) -> None:
    first = await runtimes.acquire(ADA, type="t4")
    async with anyio.create_task_group() as tasks:
        bob, cat = Asker(tasks, runtimes, BOB), Asker(tasks, runtimes, CAT)
        await until(lambda: bob.told and cat.told)
        bob.scope.cancel()
        await bob.over.wait()
        await runtimes.release(first.id)

    assert cat.got is not None
    assert await runtimes.list(BOB) == []
    assert runtimes.turns.lent()["t4"] == 1
    assert list(engine.machines) == [cat.got.id]


async def test_what_waits_can_be_given_back_and_counts_meanwhile(runtimes: Runtimes) -> None:
    await runtimes.acquire(ADA, type="t4")
    async with anyio.create_task_group() as tasks:
        second = Asker(tasks, runtimes, ADA)
        await until(lambda: second.told)
        with pytest.raises(QuotaExceeded):
            await runtimes.acquire(ADA, type="cpu")
        (waiting,) = [one for one in await runtimes.list(ADA) if one.state is State.REQUESTED]

        await runtimes.release(waiting.id, "its user gave it back")

    assert isinstance(second.failure, Conflict)
    over = await runtimes.get(waiting.id)
    assert (over.state, over.reason) == (State.STOPPED, "its user gave it back")
    await runtimes.acquire(ADA, type="cpu")


async def test_deleted_while_it_starts_it_is_made_to_the_end_and_then_taken_away(
    runtimes: Runtimes, engine: FakeEngine
) -> None:
    engine.creating = anyio.Event()
    async with anyio.create_task_group() as tasks:
        ada = Asker(tasks, runtimes, ADA)
        await until(lambda: engine.wanted)
        (starting,) = await runtimes.list(ADA)
        tasks.start_soon(runtimes.release, starting.id)
        await anyio.wait_all_tasks_blocked()
        assert runtimes.turns.lent()["t4"] == 1, "the card is not free while something with it is being made"
        engine.creating.set()

    assert isinstance(ada.failure, Conflict)
    assert engine.machines == {}
    assert runtimes.turns.lent()["t4"] == 0
    assert (await runtimes.get(starting.id)).state is State.STOPPED


async def test_what_fails_while_it_is_made_does_not_come_back(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    engine.creating = anyio.Event()
    async with anyio.create_task_group() as tasks:
        ada = Asker(tasks, runtimes, ADA)
        await until(lambda: engine.wanted)
        (starting,) = await runtimes.list(ADA)
        engine.machines[starting.id] = Machine(starting.id, State.READY, "", starting.limits)
        await engine.end(starting.id, "it ran out of memory")
        while (await runtimes.get(starting.id)).live:
            await anyio.sleep(0.001)
        engine.creating.set()

    assert isinstance(ada.failure, Unavailable)
    assert "out of memory" in str(ada.failure)
    over = await runtimes.get(starting.id)
    assert (over.state, over.reason) == (State.FAILED, "it ran out of memory")
    assert engine.machines == {}
    assert runtimes.turns.lent()["t4"] == 0


async def test_deleted_twice_at_once_it_ends_once(runtimes: Runtimes, engine: FakeEngine) -> None:
    lent = await runtimes.acquire(ADA, type="t4")
    async with anyio.create_task_group() as tasks:
        for reason in ("one", "two", "three"):
            tasks.start_soon(runtimes.release, lent.id, reason)

    over = await runtimes.get(lent.id)
    await runtimes.release(lent.id, "later")
    assert await runtimes.get(lent.id) == over
    assert over.reason == "one"
    assert ended(runtimes, "t4", "given_back") == 1


def ended(runtimes: Runtimes, type: str, how: str) -> float:
    """How many ended so, as Prometheus hears it."""
    for metric in runtimes.numbers.collect():
        for sample in metric.samples:
            if sample.name == "collegium_runtimes_ended_total" and sample.labels == {"type": type, "how": how}:
                return sample.value
    raise AssertionError("there is no such number")


async def test_a_card_is_not_handed_on_while_the_engine_is_away(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    first = await runtimes.acquire(ADA, type="t4")
    engine.away = True
    await runtimes.release(first.id, "its user gave it back")
    async with anyio.create_task_group() as tasks:
        bob = Asker(tasks, runtimes, BOB)
        await until(lambda: bob.told)
        await anyio.wait_all_tasks_blocked()
        assert bob.got is None
        assert (await runtimes.get(first.id)).state is State.STOPPING

        engine.away = False
        await runtimes.keeper.reconcile()

    assert bob.got is not None
    over = await runtimes.get(first.id)
    assert (over.state, over.reason) == (State.STOPPED, "its user gave it back")


async def test_a_restarted_server_remembers_who_has_the_card(opened: Opened, engine: FakeEngine) -> None:
    async with opened() as runtimes:
        first = await runtimes.acquire(ADA, type="t4")
    async with opened() as runtimes, anyio.create_task_group() as tasks:
        bob = Asker(tasks, runtimes, BOB)
        await until(lambda: bob.told)
        await anyio.wait_all_tasks_blocked()
        assert bob.got is None
        await runtimes.release(first.id)
        await bob.over.wait()

        assert bob.got is not None
        assert list(engine.machines) == [bob.got.id]


async def test_a_card_that_was_declared_anew_under_another_name_is_still_somebody_s(
    opened: Opened, database: Database, engine: FakeEngine, hardware: FakeAccelerators, tmp_path: Path
) -> None:
    async with opened() as runtimes:
        first = await runtimes.acquire(ADA, type="t4")
    units = (AcceleratorUnit(devices=("/dev/full",)), AcceleratorUnit(devices=("/dev/zero",), gpus=("0",)))
    renamed = SETTINGS.model_copy(
        update={
            "types": {"t4": RuntimeType(memory=GIB, accelerator="cards")},
            "accelerators": {"cards": Accelerator(units=units)},
        }
    )

    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), hardware, renamed) as runtimes:
        second = await runtimes.acquire(BOB, type="t4")
        assert second.unit == Unit("cards", "/dev/full")
        async with anyio.create_task_group() as tasks:
            cat = Asker(tasks, runtimes, CAT)
            await until(lambda: cat.told)
            await anyio.wait_all_tasks_blocked()
            assert cat.got is None
            await runtimes.release(first.id)
        assert cat.got is not None


async def test_after_a_restart_of_the_machine_the_reason_says_so(opened: Opened, engine: FakeEngine) -> None:
    async with opened() as runtimes:
        gone, failed = await runtimes.acquire(ADA, type="t4"), await runtimes.acquire(ADA)
    engine.boot = "second"
    del engine.machines[gone.id]
    engine.machines[failed.id] = Machine(failed.id, State.FAILED, "it ended meanwhile", failed.limits)

    async with opened() as runtimes:
        for runtime in (gone, failed):
            with anyio.fail_after(30):
                over = await runtimes.wait_ended(runtime.id)
            assert (over.state, over.reason) == (State.FAILED, "the machine was restarted")
        again = await runtimes.acquire(BOB, type="t4")
        assert again.boot == "second"


@pytest.mark.parametrize("created", [True, False])
async def test_a_server_killed_in_the_middle_of_a_request_leaves_no_card_and_no_machine(
    opened: Opened, engine: FakeEngine, database: Database, created: bool
) -> None:
    async with opened() as runtimes:
        lent = await runtimes.acquire(ADA, type="t4")
    async with database.write() as tx:
        half = store.runtimes.update().where(store.runtimes.c.id == lent.id)
        await tx.execute(half.values(state="requested", ready_at=None))
    if not created:
        del engine.machines[lent.id]

    async with opened() as runtimes:
        assert (await runtimes.get(lent.id)).state is State.FAILED
        assert engine.machines == {}
        assert cleaned(runtimes, "request") == 1
        with anyio.fail_after(30):
            assert (await runtimes.acquire(BOB, type="t4")).unit == lent.unit


def cleaned(runtimes: Runtimes, what: str) -> float:
    """How many differences of a kind were found."""
    for metric in runtimes.numbers.collect():
        for sample in metric.samples:
            if sample.name == "collegium_runtimes_reconciled_total" and sample.labels == {"what": what}:
                return sample.value
    raise AssertionError("there is no such number")


async def test_a_server_killed_while_it_took_one_back_finishes_that(
    opened: Opened, engine: FakeEngine, database: Database
) -> None:
    async with opened() as runtimes:
        lent = await runtimes.acquire(ADA, type="t4")
        await runtimes._books.stopping(lent.id, "it was not used for 90 minutes")

    async with opened() as runtimes:
        with anyio.fail_after(30):
            over = await runtimes.wait_ended(lent.id)

        assert (over.state, over.reason) == (State.STOPPED, "it was not used for 90 minutes")
        assert engine.machines == {}
        assert cleaned(runtimes, "unfinished") == 1


async def test_what_the_reconciler_finds_is_counted_and_freed_once(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    lent = await runtimes.acquire(ADA, type="t4")
    engine.machines[RuntimeId("stranger")] = Machine(RuntimeId("stranger"), State.READY, "", lent.limits)
    del engine.machines[lent.id]

    await runtimes.keeper.reconcile()
    await runtimes.keeper.reconcile()

    assert (cleaned(runtimes, "lost"), cleaned(runtimes, "stranger")) == (1, 1)
    assert runtimes.turns.lent()["t4"] == 0
    assert (await runtimes.get(lent.id)).state is State.FAILED


async def test_a_release_and_a_reconciliation_at_once_agree(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    for _ in range(10):
        lent = await runtimes.acquire(ADA, type="t4")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runtimes.release, lent.id, "its user gave it back")
            tasks.start_soon(runtimes.keeper.reconcile)
        assert (await runtimes.get(lent.id)).reason == "its user gave it back"
    assert cleaned(runtimes, "lost") == 0


async def test_where_there_is_no_card_the_type_says_why_and_is_refused(
    runtimes: Runtimes, hardware: FakeAccelerators
) -> None:
    hardware.missing.add("/dev/zero")

    offer = await runtimes.offer("t4")

    assert (offer.available, offer.reason) == (False, "The device /dev/zero is not there.")
    with pytest.raises(Unavailable, match="/dev/zero"):
        await runtimes.acquire(ADA, type="t4")
    assert await runtimes.list(ADA) == []


async def test_a_card_of_a_type_that_is_offered_no_more_stays_with_who_has_it(
    opened: Opened, database: Database, engine: FakeEngine, hardware: FakeAccelerators, tmp_path: Path
) -> None:
    async with opened() as runtimes:
        lent = await runtimes.acquire(ADA, type="t4")
    others = RuntimesSettings(types={"cpu": RuntimeType(memory=GIB)})

    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), hardware, others) as without:
        assert (await without.get(lent.id)).unit == lent.unit
        await without.usage_now(lent.id)
        await without.release(lent.id)
        assert (await without.get(lent.id)).state is State.STOPPED


async def test_the_graph_has_points_and_a_gpu_and_is_forgotten_with_the_runtime(
    runtimes: Runtimes, hardware: FakeAccelerators
) -> None:
    hardware.gpus["0"] = GpuUsage("T4", 1 << 30, 16 << 30, 37.0)
    lent, plain = await runtimes.acquire(ADA, type="t4"), await runtimes.acquire(ADA)

    await runtimes.watch_usage_once()

    assert (await runtimes.usage_now(lent.id)).gpus == (hardware.gpus["0"],)
    assert [point[3:] for point in runtimes.points(lent.id)] == [(4096, 37.0)]
    assert [point[3:] for point in runtimes.points(plain.id)] == [(4096, None)]
    await runtimes.release(lent.id)
    assert runtimes.points(lent.id) == []


async def test_many_users_and_few_cards_never_share_one(
    database: Database, engine: FakeEngine, hardware: FakeAccelerators, tmp_path: Path
) -> None:
    units = tuple(AcceleratorUnit(devices=(device,)) for device in ("/dev/zero", "/dev/full"))
    settings = SETTINGS.model_copy(update={"accelerators": {"t4": Accelerator(units=units)}})
    served = 0

    async def use(runtimes: Runtimes, user: UserId) -> None:
        nonlocal served
        lent = await runtimes.acquire(user, type="t4")
        having = [one.unit for one in await runtimes.list() if one.state is State.READY]
        assert len(having) == len(set(having)) <= 2
        served += 1
        await runtimes.release(lent.id)

    async with AsyncExitStack() as stack:
        part = open_runtimes(database, engine, ReadyEnvironments(tmp_path), hardware, settings)
        runtimes = await stack.enter_async_context(part)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(use, runtimes, UserId(f"user{number % 10}"))

    assert served == 20
    assert engine.machines == {}


async def test_a_request_that_nobody_waits_for_is_given_up(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    half = await runtimes._request(RuntimeId("half"), ADA, await runtimes.offer("cpu"), None)
    engine.machines[half.id] = Machine(half.id, State.READY, "", half.limits)

    await runtimes.keeper.reconcile()

    assert (await runtimes.get(half.id)).state is State.STOPPED
    assert engine.machines == {}
    assert cleaned(runtimes, "request") == 1


async def test_a_request_that_somebody_waits_for_is_left_alone(runtimes: Runtimes, engine: FakeEngine) -> None:
    await until_watched(engine)
    engine.creating = anyio.Event()
    async with anyio.create_task_group() as tasks:
        ada = Asker(tasks, runtimes, ADA, "cpu")
        await until(lambda: engine.wanted)
        await runtimes.keeper.reconcile()
        engine.creating.set()

    assert ada.got is not None
    assert ada.got.state is State.READY


async def test_a_full_disk_ends_nothing_but_what_ended_anyway(
    database: Database, engine: FakeEngine, hardware: FakeAccelerators, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"per_user": 100})
    async with open_runtimes(database, engine, ReadyEnvironments(tmp_path), hardware, settings) as runtimes:
        await until_watched(engine)
        lent = [await runtimes.acquire(ADA) for _ in range(8)]
        await leave_room(database, 0)
        for runtime in lent[1:]:
            await engine.end(runtime.id, "it ran out of memory" * 50)
        with anyio.fail_after(30):
            while not any(not one.live for one in [await runtimes.get(one.id) for one in lent[1:]]):
                await anyio.sleep(0.001)
        await leave_room(database, None)
        await runtimes.keeper.reconcile()

        assert [one.id for one in await runtimes.list()] == [lent[0].id]
        assert list(engine.machines) == [lent[0].id]
