"""What every engine must do, so that the fake one cannot drift from the real one."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from collegium.ground.errors import Invalid, NotFound
from collegium.ground.ids import RuntimeId
from collegium.runtimes.adapters import LocalEngine
from collegium.runtimes.docker import DockerEngine
from collegium.runtimes.model import Specification, State
from collegium.runtimes.ports import Engine
from collegium.runtimes.settings import DockerSettings
from runtime_world import STUB, FakeEngine, engine_process, environment, specification
from runtimes.conftest import uid_of
from support.docker import GVISOR, daemon_with, docker

pytestmark = pytest.mark.anyio
ONE, TWO = RuntimeId("one"), RuntimeId("two")


IMAGE = "collegium/runtime:stub"
ENGINES = [
    "fake",
    pytest.param("root", marks=pytest.mark.sandbox),
    pytest.param("docker", marks=[pytest.mark.sandbox, pytest.mark.long]),
    pytest.param("gvisor", marks=[pytest.mark.sandbox, pytest.mark.long]),
]


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "fake":
        yield FakeEngine()
    elif request.param in ("docker", "gvisor"):
        if request.param == "gvisor" and shutil.which(GVISOR) is None:
            pytest.skip("gVisor is not installed: apt-get install runsc")
        address = request.getfixturevalue("daemon")
        runtime = GVISOR if request.param == "gvisor" else "runc"
        engine = DockerEngine(DockerSettings(url=address, runtime=runtime), house="test")
        yield engine
        await engine.aclose()
        for container in docker(address, "ps", "-aq").split():
            docker(address, "rm", "-fv", container)
    else:
        with engine_process(uid_of(request.param), agent=STUB) as process:
            yield LocalEngine(process.data, environments=process.environment.parent)


@pytest.fixture(scope="module")
def daemon() -> Iterator[str]:
    """A Docker daemon with an image in which the stub stands in for the agent."""
    with daemon_with(IMAGE, agent=STUB / "collegium_agent") as address:
        yield address


@pytest.fixture
def wanted(engine: Engine) -> Specification:
    return replace(specification(), environment=IMAGE) if isinstance(engine, DockerEngine) else specification()


async def test_what_was_created_is_listed_until_it_is_deleted(engine: Engine, wanted: Specification) -> None:
    created = await engine.create(ONE, wanted)

    assert (created.id, created.state, created.limits) == (ONE, State.READY, wanted.limits)
    assert [machine.id for machine in await engine.list()] == [ONE]
    await engine.delete(ONE)
    assert await engine.list() == []


async def test_creating_again_changes_nothing(engine: Engine, wanted: Specification) -> None:
    first = await engine.create(ONE, wanted)

    assert await engine.create(ONE, wanted) == first
    assert len(await engine.list()) == 1


async def test_getting_tells_the_usage(engine: Engine, wanted: Specification) -> None:
    await engine.create(ONE, wanted)

    usage = (await engine.get(ONE)).usage

    assert usage is not None
    assert usage.disk_bytes is not None


async def test_what_is_not_there_is_not_found(engine: Engine) -> None:
    for ask in (engine.get, engine.delete, engine.connect):
        with pytest.raises(NotFound):
            await ask(TWO)


async def test_an_agent_answers_on_its_stream(engine: Engine, wanted: Specification) -> None:
    await engine.create(ONE, wanted)

    async with await engine.connect(ONE) as stream:
        assert (await stream.receive()).startswith(b"hello")


async def test_an_environment_that_is_none_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid):
        await engine.create(ONE, specification(path=environment() / "not-there"))

    assert await engine.list() == []


async def test_watching_misses_nothing(engine: Engine, wanted: Specification) -> None:
    async with engine.watch() as changes:
        await engine.create(ONE, wanted)
        await engine.delete(ONE)
        with anyio.fail_after(30):
            seen = [(await anext(changes)).state, (await anext(changes)).state]

    assert seen == [State.READY, State.STOPPED]


async def test_runtimes_can_be_kept_ready(engine: Engine, wanted: Specification) -> None:
    await engine.keep_ready([(wanted, 1)])
    await engine.create(ONE, wanted)
    await engine.keep_ready([])

    assert [machine.id for machine in await engine.list()] == [ONE]


@asynccontextmanager
async def started_by_the_adapter(folder: Path) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(folder, environments=environment().parent)
    try:
        yield engine
    finally:
        await engine.stop(runtimes=True)


@pytest.mark.sandbox
async def test_the_adapter_starts_an_engine_when_none_runs(tmp_path: Path) -> None:
    uid_of("root")
    async with started_by_the_adapter(tmp_path) as engine:
        assert (await engine.create(ONE, specification())).state is State.READY
