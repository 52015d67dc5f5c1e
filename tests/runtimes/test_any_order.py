"""Whatever happens in whatever order, the server, its engine and the books of accelerators agree in the end."""

import random
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from collegium.ground.db import Database, open_database, sqlite_url
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.model import Limits, Machine, State
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import GIB, Accelerator, AcceleratorUnit, RuntimesSettings, RuntimeType
from runtime_world import FakeEngine
from runtimes.accelerator_world import FakeAccelerators
from runtimes.test_service import ReadyEnvironments

pytestmark = pytest.mark.anyio
CARDS = tuple(AcceleratorUnit(devices=(device,)) for device in ("/dev/zero", "/dev/full"))
SETTINGS = RuntimesSettings(
    types={"cpu": RuntimeType(memory=GIB), "card": RuntimeType(memory=GIB, accelerator="card")},
    accelerators={"card": Accelerator(units=CARDS)},
    per_user=4,
    pool=0,
)
USERS = [UserId(name) for name in ("ada", "bob", "cat")]
LIMITS = Limits(GIB, 1.0, 100, GIB)
STEPS = 40


class Trouble:
    """One server after another over the same database and engine, and people who come and go."""

    def __init__(self, seed: int, database: Database, environments: Path) -> None:
        self.chance = random.Random(seed)
        self.database, self.environments = database, ReadyEnvironments(environments)
        self.engine, self.hardware = FakeEngine(), FakeAccelerators()
        self.runtimes: Runtimes

    async def serve(self, steps: int) -> None:
        """One life of a server; whoever waits when it ends is cut off."""
        part = open_runtimes(self.database, self.engine, self.environments, self.hardware, SETTINGS)
        async with part as self.runtimes, anyio.create_task_group() as people:
            for _ in range(steps):
                people.start_soon(self._step)
                for _ in range(self.chance.randrange(4)):
                    await anyio.sleep(0.001)
                await self._no_card_twice()
            people.cancel_scope.cancel()

    async def _step(self) -> None:
        chance, engine = self.chance, self.engine
        living = await self.runtimes.list()
        try:
            match chance.randrange(10):
                case 0 | 1 | 2 | 3:
                    with anyio.move_on_after(chance.choice([0.001, 0.01, 60])):
                        await self.runtimes.acquire(chance.choice(USERS), type=chance.choice(["cpu", "card", "card"]))
                case 4 | 5 if living:
                    await self.runtimes.release(chance.choice(living).id, "its user gave it back")
                case 6 if engine.machines:
                    await engine.end(chance.choice(sorted(engine.machines)), "it ran out of memory")
                case 7 if engine.machines:
                    engine.machines.pop(chance.choice(sorted(engine.machines)))
                case 8:
                    engine.away = not engine.away
                    await self.runtimes.keeper.reconcile()
                case _:
                    stranger = RuntimeId(f"stranger{chance.random()}")
                    engine.machines[stranger] = Machine(stranger, State.READY, "", LIMITS)
        except CollegiumError:
            return

    async def _no_card_twice(self) -> None:
        rows = [one for one in await self.runtimes.list() if one.unit is not None]
        assert max(Counter(one.unit for one in rows).values(), default=0) <= 1, rows

    async def settle(self) -> None:
        """A last server finds everything in order, and what is left can be given back."""
        self.engine.away = False
        async with AsyncExitStack() as stack:
            part = open_runtimes(self.database, self.engine, self.environments, self.hardware, SETTINGS)
            runtimes = await stack.enter_async_context(part)
            await runtimes.keeper.reconcile()
            living = await runtimes.list()
            assert {one.id for one in living} == self.engine.machines.keys()
            assert {one.state for one in living} <= {State.READY}
            assert runtimes.turns.lent()["card"] == sum(one.unit is not None for one in living)
            for runtime in living:
                await runtimes.release(runtime.id)
            assert self.engine.machines == {}
            with anyio.fail_after(30):
                for _ in CARDS:
                    await runtimes.acquire(USERS[0], type="card")


async def trouble(seed: int, folder: Path, lives: int) -> None:
    async with open_database(sqlite_url(folder / f"{seed}.db")) as database:
        world = Trouble(seed, database, folder)
        for _ in range(lives):
            await world.serve(STEPS)
        await world.settle()


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_they_agree_in_the_end(tmp_path: Path, seed: int) -> None:
    await trouble(seed, tmp_path, lives=3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
async def test_in_any_order_they_agree_in_the_end_long(tmp_path: Path, seed: int) -> None:
    await trouble(seed, tmp_path, lives=6)
