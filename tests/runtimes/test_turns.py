"""Waiting for an accelerator: places that are told, units that come free late, and people who go away."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.model import Unit, Waiting
from collegium.runtimes.settings import Accelerator, AcceleratorUnit
from collegium.runtimes.turns import Turns
from runtimes.accelerator_world import FakeAccelerators

pytestmark = pytest.mark.anyio
ADA, BOB = UserId("ada"), UserId("bob")
ONE, TWO, THREE = RuntimeId("one"), RuntimeId("two"), RuntimeId("three")


def accelerator(*names: str, shared: int = 1) -> dict[str, Accelerator]:
    units = tuple(AcceleratorUnit(name=name) for name in names)
    return {"t4": Accelerator(units=units, shared=shared)}


@asynccontextmanager
async def handing_on(turns: Turns) -> AsyncIterator[anyio.abc.TaskGroup]:
    turns.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.hand_on)
        with anyio.fail_after(30):
            yield tasks
        tasks.cancel_scope.cancel()


async def until(condition: object) -> None:
    """Let the others run until it is so."""
    assert callable(condition)
    with anyio.fail_after(30):
        while not condition():
            await anyio.sleep(0.001)


async def test_who_comes_second_is_told_the_place_and_gets_the_unit_when_it_is_free() -> None:
    turns, told, got = Turns(accelerator("a"), FakeAccelerators()), list[Waiting](), list[Unit]()

    async def second() -> None:
        got.append(await turns.wait(TWO, BOB, "t4", told.append))

    async with handing_on(turns) as tasks:
        assert await turns.wait(ONE, ADA, "t4", None) == Unit("t4", "a")
        tasks.start_soon(second)
        await until(lambda: told)
        assert (turns.place(TWO), turns.place(ONE)) == (Waiting(TWO, 1, 1), None)
        turns.free(ONE)
        await until(lambda: got)

    assert got == [Unit("t4", "a")]
    assert turns.place(TWO) is None


async def test_who_goes_away_lets_the_next_move_up() -> None:
    turns, told, gone = Turns(accelerator("a"), FakeAccelerators()), list[Waiting](), anyio.CancelScope()

    async def goes() -> None:
        with gone:
            await turns.wait(TWO, BOB, "t4", None)

    async def stays() -> None:
        await turns.wait(THREE, UserId("cat"), "t4", told.append)

    async with handing_on(turns) as tasks:
        await turns.wait(ONE, ADA, "t4", None)
        tasks.start_soon(goes)
        await until(lambda: turns.place(TWO))
        tasks.start_soon(stays)
        await until(lambda: told)
        gone.cancel()
        await until(lambda: len(told) == 2)

    assert [(place.position, place.of) for place in told] == [(2, 2), (1, 1)]
    assert turns.lent() == {"t4": 1}


async def test_a_unit_whose_memory_is_not_free_is_asked_again_until_it_is() -> None:
    hardware, got = FakeAccelerators(), list[Unit]()
    hardware.busy.add("/dev/zero")
    card = Accelerator(units=(AcceleratorUnit(devices=("/dev/zero",)),))
    turns = Turns({"t4": card}, hardware, retry_seconds=0.001)

    async def wait() -> None:
        got.append(await turns.wait(ONE, ADA, "t4", None))

    async with handing_on(turns) as tasks:
        tasks.start_soon(wait)
        await until(lambda: hardware.asked >= 3)
        assert got == []
        hardware.busy.clear()
        await until(lambda: got)

    assert got == [Unit("t4", "/dev/zero")]


async def test_another_unit_is_given_while_one_is_not_there() -> None:
    hardware = FakeAccelerators()
    units = (AcceleratorUnit(devices=("/dev/full",)), AcceleratorUnit(devices=("/dev/zero",)))
    turns = Turns({"t4": Accelerator(units=units)}, hardware)
    hardware.missing.add("/dev/full")

    async with handing_on(turns):
        assert await turns.wait(ONE, ADA, "t4", None) == Unit("t4", "/dev/zero")


async def test_nothing_is_handed_on_before_it_is_known_what_lives() -> None:
    turns, got = Turns(accelerator("a"), FakeAccelerators()), list[Unit]()

    async def wait() -> None:
        got.append(await turns.wait(ONE, ADA, "t4", None))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.hand_on)
        tasks.start_soon(wait)
        await until(lambda: turns.place(ONE))
        await anyio.wait_all_tasks_blocked()
        assert got == []
        turns.open()
        await until(lambda: got)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("seed", range(10))
async def test_in_any_order_no_unit_is_given_twice_and_everybody_is_served(seed: int) -> None:
    chance, held, most = random.Random(seed), dict[RuntimeId, Unit](), {"a": 0, "b": 0}
    turns, served = Turns(accelerator("a", "b", shared=1 + seed % 2), FakeAccelerators()), set[str]()

    async def use(runtime: RuntimeId, user: UserId) -> None:
        leaves = anyio.move_on_after(chance.random() / 100) if chance.random() < 0.3 else anyio.CancelScope()
        with leaves:
            unit = await turns.wait(runtime, user, "t4", lambda _place: None)
            held[runtime] = unit
            for name in most:
                most[name] = max(most[name], sum(one.name == name for one in held.values()))
            for _ in range(chance.randrange(5)):
                await anyio.lowlevel.checkpoint()
            served.add(runtime)
        held.pop(runtime, None)
        turns.free(runtime)

    async with handing_on(turns), anyio.create_task_group() as people:
        for number in range(40):
            people.start_soon(use, RuntimeId(f"r{number}"), UserId(f"u{chance.randrange(6)}"))

    assert max(most.values()) <= 1 + seed % 2, f"seed {seed}"
    assert turns.lent() == turns.lengths() == {"t4": 0}
    assert len(served) > 20
