"""Those who watch are told what the runtime uses, when its memory ends, and which imported packages were replaced."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, ExecutionId
from collegium.runtimes.packages import Package
from collegium.sessions import watching
from collegium.sessions.environment_store import Environment
from collegium.sessions.environments import NotebookEnvironments
from collegium.sessions.model import Asked, OnTop
from session_world import ADA, NOTEBOOK, FakeAuthority, FakeDocuments, FakeMachines, OpenServer, Tab, ended, heard

pytestmark = pytest.mark.anyio
GB = 1 << 30


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "USAGE_SECONDS", 0.02)


def of_type(name: str) -> Any:
    return lambda frame: frame["type"] == name


async def test_usage_is_told_while_somebody_watches_and_never_read_otherwise(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)
        assert [f for f in documents.told if f["type"] == "usage"] == []
        asked = machines.asked
        tab = Tab()
        await sessions.joined(tab)
        told = await heard(documents, of_type("usage"))
        late = Tab()
        await sessions.joined(late)
        await heard(late, of_type("usage"))
        await sessions.left(late)
        await sessions.left(tab)
        read = machines.asked
        await anyio.sleep(0.1)

    assert asked == 0
    assert machines.asked <= read + 1
    assert told["runtime"] == machines.machine.id
    assert {"at", "memory_bytes", "memory_limit_bytes", "cpu_percent", "cpus", "disk_bytes"} <= told.keys()
    assert {"disk_limit_bytes", "processes", "gpus"} <= told.keys()
    assert not {"oom_kills", "memory_peak_bytes"} & told.keys()


async def test_people_are_warned_with_the_largest_variables_while_a_cell_runs(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    code = "big = bytearray(50_000_000); small = 1\nimport time; print(1, flush=True); time.sleep(1000)"
    documents.cells = {"a": ("code", code)}
    async with server() as sessions:
        tab = Tab()
        await sessions.joined(tab)
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == execution.id)
        machines.used = int(1.8 * GB)
        warned = await heard(documents, of_type("memory_warning"))
        late = Tab()
        await sessions.joined(late)
        machines.used = GB
        over = await heard(documents, lambda f: f["type"] == "memory_warning" and f.get("over") is True)
        await (await sessions.session(NOTEBOOK)).interrupt()
        await ended(documents, execution.id)

    assert (warned["memory_bytes"], warned["memory_limit_bytes"]) == (int(1.8 * GB), 2 * GB)
    assert warned["variables"][0]["name"] == "big"
    assert warned["variables"][0]["bytes"] >= 50_000_000
    assert [f for f in late.told if f["type"] == "memory_warning"] == [warned]
    assert over == {"type": "memory_warning", "over": True}


PACKAGE = """
import importlib, os, shutil, site, sys
folder = site.getusersitepackages()
def install(version):
    shutil.rmtree(folder, ignore_errors=True)
    about = f'{folder}/thing-{version}.dist-info'
    os.makedirs(about)
    open(f'{folder}/thing.py', 'w').write(f'__version__ = {version!r}')
    open(about + '/METADATA', 'w').write(f'Metadata-Version: 2.1\\nName: thing\\nVersion: {version}\\n')
    open(about + '/RECORD', 'w').write('thing.py,,\\n')
sys.path.insert(0, folder)
install('1.0')
importlib.invalidate_caches()
import thing
"""


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where packages of the kernel's user lie, which is watched as the environment is."""
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "base"))


async def test_an_imported_package_that_was_replaced_is_named_until_the_kernel_is_new(
    own_folder: None, server: OpenServer, documents: FakeDocuments
) -> None:
    documents.cells = {"a": ("code", PACKAGE), "b": ("code", "install('2.0')")}
    async with server() as sessions:
        for execution in await sessions.execute(ADA, NOTEBOOK, None):
            assert (await ended(documents, execution.id))["state"] == "finished"
        told = await heard(documents, of_type("packages"))
        late = Tab()
        await sessions.joined(late)
        start = len(documents.told)
        await (await sessions.session(NOTEBOOK)).restart()
        gone = await heard(documents, of_type("packages"), start)

    assert told["changed"] == [{"name": "thing", "from": "1.0", "to": "2.0"}]
    assert [f for f in late.told if f["type"] == "packages"] == [told]
    assert gone["changed"] == []


async def test_what_an_execution_ran_in_can_be_asked_later(
    own_folder: None, server: OpenServer, documents: FakeDocuments
) -> None:
    code = PACKAGE.replace("import thing", "")
    documents.cells = {"a": ("code", "1"), "b": ("code", code), "c": ("code", "2")}
    async with server() as sessions:
        environments = NotebookEnvironments(sessions, FakeAuthority())

        async def ran(cell: str) -> ExecutionId:
            [execution] = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId(cell))])
            await ended(documents, execution.id)
            return execution.id

        async def recorded(execution: ExecutionId, *, before: str | None) -> Environment:
            with anyio.fail_after(20):
                while (await sessions.session(NOTEBOOK)).installed.environment == before:
                    await anyio.sleep(0.01)
                while True:
                    try:
                        return await environments.ran_in(ADA, NOTEBOOK, execution)
                    except NotFound:
                        await anyio.sleep(0.01)

        bare = await recorded(await ran("a"), before=None)
        installing = await recorded(await ran("b"), before=bare.environment)
        after = await recorded(await ran("c"), before=None)
        with pytest.raises(NotFound):
            await environments.ran_in(ADA, NOTEBOOK, ExecutionId("0" * 22))
    async with server() as sessions:
        session = await sessions.session(NOTEBOOK)
        with anyio.fail_after(20):
            while session.installed.environment != after.environment:
                await anyio.sleep(0.01)

    assert (bare.version, bare.layer, bare.on_top) == ("test", None, OnTop())
    assert installing == bare
    assert after.on_top == OnTop(added=(Package("thing", "1.0"),))
    assert after.environment != bare.environment
