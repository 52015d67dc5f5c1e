"""Accelerators in real runtimes: plain device nodes stand in for cards, and only who owns one sees it."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from collegium.ground.db import Database
from collegium.ground.errors import Unavailable
from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.adapters import LocalEngine
from collegium.runtimes.nvml import MachineAccelerators
from collegium.runtimes.offers import known_accelerators, may_be_given
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import GIB, Accelerator, AcceleratorUnit, RuntimesSettings, RuntimeType
from runtime_world import EngineProcess, Notebook, engine_process
from runtimes.accelerator_world import make_node
from runtimes.conftest import uid_of
from runtimes.test_service import ReadyEnvironments

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox]
ADA, BOB = UserId("ada"), UserId("bob")


@pytest.fixture
def cards() -> Iterator[list[str]]:
    """Two device nodes where devices are, and a file of their driver."""
    uid_of("root")
    folder = Path(tempfile.mkdtemp(prefix="collegium-cards-", dir="/dev"))
    try:
        folder.chmod(0o755)
        yield [make_node(folder / "card0"), make_node(folder / "card1")]
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@pytest.fixture
def settings(cards: list[str], tmp_path: Path) -> RuntimesSettings:
    driver = tmp_path / "libcard.so"
    driver.write_text("driver")
    units = tuple(AcceleratorUnit(devices=(card,), variables={"CARD": card}) for card in cards)
    size = RuntimeType(memory=GIB, disk=GIB, network="none", preload=())
    return RuntimesSettings(
        types={"cpu": size, "card": size.model_copy(update={"accelerator": "card"})},
        accelerators={"card": Accelerator(kind="other", units=units, binds=(str(driver),))},
        pool=0,
    )


@pytest.fixture
def process(settings: RuntimesSettings) -> Iterator[EngineProcess]:
    allow = may_be_given(known_accelerators({}, settings))
    with engine_process(0, allow=allow) as process:
        yield process


@pytest.fixture
async def runtimes(process: EngineProcess, settings: RuntimesSettings, database: Database) -> AsyncIterator[Runtimes]:
    engine = LocalEngine(process.data, environments=process.environment.parent)
    environments = ReadyEnvironments(process.environment)
    async with open_runtimes(database, engine, environments, MachineAccelerators(), settings) as runtimes:
        yield runtimes


async def printed(process: EngineProcess, runtime: RuntimeId, code: str) -> str:
    """What a cell prints in a runtime."""

    def run() -> str:
        notebook = Notebook(process.agent_socket(runtime))
        result = notebook.run(code)
        notebook.close()
        assert not result.error, result.error
        return result.text.strip()

    return await anyio.to_thread.run_sync(run)


LOOK = """
import os, glob
cards = sorted(glob.glob('/dev/collegium-cards-*/*'))
drivers = [line.split()[4] for line in open('/proc/self/mountinfo') if 'libcard' in line]
print([os.path.basename(card) for card in cards], len(drivers), 'CARD' in os.environ,
      [open(card, 'rb').read(2) for card in cards])
"""


async def test_only_who_has_a_card_sees_it_and_it_works(
    runtimes: Runtimes, process: EngineProcess, cards: list[str]
) -> None:
    first = await runtimes.acquire(ADA, type="card")
    second = await runtimes.acquire(BOB, type="card")
    plain = await runtimes.acquire(ADA, type="cpu")

    assert await printed(process, first.id, LOOK) == "['card0'] 1 True [b'\\x00\\x00']"
    assert await printed(process, second.id, LOOK) == "['card1'] 1 True [b'\\x00\\x00']"
    assert await printed(process, plain.id, LOOK) == "[] 0 False []"


async def test_a_card_goes_from_hand_to_hand(runtimes: Runtimes, process: EngineProcess) -> None:
    first = await runtimes.acquire(ADA, type="card")
    await runtimes.acquire(ADA, type="card")
    waits = anyio.Event()
    async with anyio.create_task_group() as tasks:

        async def bob() -> None:
            lent = await runtimes.acquire(BOB, type="card", on_wait=lambda _place: waits.set())
            assert lent.unit == first.unit
            assert "card0" in await printed(process, lent.id, LOOK)

        tasks.start_soon(bob)
        with anyio.fail_after(60):
            await waits.wait()
            await runtimes.release(first.id)


async def test_a_card_that_was_pulled_out_is_not_lent(runtimes: Runtimes, cards: list[str]) -> None:
    os.unlink(cards[0])

    lent = await runtimes.acquire(ADA, type="card")

    assert lent.unit is not None
    assert lent.unit.name == cards[1]
    os.unlink(cards[1])
    offer = await runtimes.offer("card")
    assert (offer.available, cards[0] in (offer.reason or "")) == (False, True)


async def test_an_engine_that_was_not_told_of_a_card_says_so_before_anybody_waits(
    settings: RuntimesSettings, database: Database
) -> None:
    with engine_process(0) as process:
        engine = LocalEngine(process.data, environments=process.environment.parent)
        environments = ReadyEnvironments(process.environment)
        async with open_runtimes(database, engine, environments, MachineAccelerators(), settings) as runtimes:
            offer = await runtimes.offer("card")

            assert not offer.available
            assert "start it anew" in (offer.reason or "")
            with pytest.raises(Unavailable):
                await runtimes.acquire(ADA, type="card")
