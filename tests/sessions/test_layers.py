"""Layers: one build for each lock, told to all who wait; and a failure that keeps nobody from running."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.abc
import pytest

from collegium.accounts.model import Principal
from collegium.drive.adapters import LocalBlobs
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, QuotaExceeded, Unavailable
from collegium.ground.ids import NotebookId, RuntimeId
from collegium.sessions import environment_store, layers
from collegium.sessions.layers import BUILDER, NotebookLayers
from collegium.sessions.model import Pin
from collegium.sessions.settings import SessionSettings
from session_world import ADA, NOTEBOOK

pytestmark = pytest.mark.anyio
OTHER = NotebookId("o" * 22)
LOCK = f"""
lock-version = "1.0"
created-by = "tests"
[[packages]]
name = "thing"
version = "1.0"
archive = {{ url = "https://files.example/thing-1.0.tar.gz", hashes = {{ sha256 = "{"a" * 64}" }} }}
"""
LOCAL = LOCK.replace('url = "https://files.example/thing-1.0.tar.gz"', 'path = "/content/thing.whl"')


@dataclass
class Workshop:
    """Machines in which building is pretended: what is installed is a file with the program's text."""

    folder: Path
    begun: anyio.Event = field(default_factory=anyio.Event)
    go: anyio.Event = field(default_factory=anyio.Event)
    users: list[str] = field(default_factory=list)
    released: list[RuntimeId] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    builds: int = 0
    error: Exception | None = None
    busy: bool = False

    async def environment(self, version: str) -> str:
        return f"{version}-123"

    async def acquire(self, user: str, wanted: Any, queued: Any) -> Any:
        self.users.append(user)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(id=RuntimeId("r" * 22))

    async def lent(self, user: str) -> list[Any]:
        return [SimpleNamespace(id=RuntimeId("l" * 22))] if user == BUILDER else []

    async def connect(self, runtime: RuntimeId) -> Any:
        raise Unavailable("nobody is there")

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        (self.folder / layer).mkdir()
        (self.folder / layer / "file").write_text("x" * 1000)
        return str(self.folder / layer)

    async def release(self, runtime: RuntimeId) -> None:
        self.released.append(runtime)

    async def drop_layer(self, layer: str) -> None:
        if self.busy:
            raise Conflict("a runtime was made with this layer")
        self.dropped.append(layer)

    async def errand(self, road: Any, source: str, *, seconds: float, heard: Callable[[str], None]) -> str:
        self.builds += 1
        heard("Downloading thing\n")
        self.begun.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return "done"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(tmp_path / "layers")
    made.folder.mkdir()
    monkeypatch.setattr(layers, "run_errand", made.errand)
    return made


def opened(
    workshop: Workshop, database: Database, tmp_path: Path, tasks: anyio.abc.TaskGroup, **settings: Any
) -> NotebookLayers:
    machines: Any = workshop
    return NotebookLayers(database, machines, LocalBlobs(tmp_path / "blobs"), SessionSettings(**settings), tasks)


async def pin(database: Database, notebook: NotebookId, lock: str = LOCK, who: Principal = ADA) -> None:
    async with database.write() as tx:
        await environment_store.write_pin(tx, notebook, Pin(lock, 1, who.name), who.user)


async def test_a_notebook_without_a_lock_has_no_layer(workshop: Workshop, database: Database, tmp_path: Path) -> None:
    async with anyio.create_task_group() as tasks:
        laid = await opened(workshop, database, tmp_path, tasks).of(NOTEBOOK, "v", lambda _words: None)

    assert (laid.name, laid.path, laid.note, workshop.builds) == (None, None, None, 0)


async def test_those_who_want_the_same_layer_wait_for_one_build(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    for notebook in (NOTEBOOK, OTHER):
        await pin(database, notebook)
    said: list[str | None] = []
    found: list[Any] = []
    async with anyio.create_task_group() as tasks:
        all = opened(workshop, database, tmp_path, tasks)

        async def want(notebook: NotebookId) -> None:
            found.append(await all.of(notebook, "v", said.append))

        async with anyio.create_task_group() as people:
            for notebook in (NOTEBOOK, OTHER, NOTEBOOK):
                people.start_soon(want, notebook)
            await workshop.begun.wait()
            assert not await all.is_ready(LOCK, "v")
            workshop.go.set()
        again = await all.of(OTHER, "v", lambda _words: None)
        assert await all.is_ready(LOCK, "v")
        assert not await all.is_ready(LOCK, "w")

    assert workshop.builds == 1
    assert workshop.users == [BUILDER]
    assert {(one.name, one.path) for one in found} == {(again.name, again.path)}
    assert "Building the notebook’s environment: Downloading thing" in said
    assert said[-1] is None


async def test_who_gives_up_does_not_end_the_build_for_the_others(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    await pin(database, NOTEBOOK)
    async with anyio.create_task_group() as tasks:
        all = opened(workshop, database, tmp_path, tasks)
        with anyio.move_on_after(30) as impatient:
            async with anyio.create_task_group() as people:
                people.start_soon(all.of, NOTEBOOK, "v", lambda _words: None)
                await workshop.begun.wait()
                impatient.cancel()
        workshop.go.set()
        laid = await all.of(NOTEBOOK, "v", lambda _words: None)

    assert laid.path is not None
    assert workshop.builds == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unavailable("no solution found"), "no solution found"),
        (QuotaExceeded("You have 5 runtimes already."), "You have 5 runtimes already."),
        (ValueError("a bug"), "something went wrong, which is in the server's log"),
    ],
)
async def test_a_build_that_fails_is_a_note_and_is_tried_again(
    workshop: Workshop, database: Database, tmp_path: Path, error: Exception, words: str
) -> None:
    await pin(database, NOTEBOOK)
    workshop.go.set()
    async with anyio.create_task_group() as tasks:
        all = opened(workshop, database, tmp_path, tasks)
        workshop.error = error
        laid = await all.of(NOTEBOOK, "v", lambda _words: None)
        workshop.error = None
        again = await all.of(NOTEBOOK, "v", lambda _words: None)

    assert (laid.path, laid.note) == (None, f"This runtime is without the notebook’s own environment: {words}")
    assert again.path is not None
    assert len(workshop.released) == 2 - (workshop.builds == 1)


async def test_a_file_of_another_notebook_is_not_given_away(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    await pin(database, NOTEBOOK, LOCAL)
    async with anyio.create_task_group() as tasks:
        laid = await opened(workshop, database, tmp_path, tasks).of(NOTEBOOK, "v", lambda _words: None)

    assert laid.note is not None
    assert laid.note.endswith("the lock names /content/thing.whl, which was not kept with the notebook")
    assert workshop.builds == 0
    assert len(workshop.released) == 1


async def test_a_layer_that_vanished_from_disk_is_built_again(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    await pin(database, NOTEBOOK)
    workshop.go.set()
    async with anyio.create_task_group() as tasks:
        all = opened(workshop, database, tmp_path, tasks)
        first = await all.of(NOTEBOOK, "v", lambda _words: None)
        assert first.path is not None
        (Path(first.path) / "file").unlink()
        Path(first.path).rmdir()
        second = await all.of(NOTEBOOK, "v", lambda _words: None)

    assert workshop.builds == 2
    assert second.path == first.path


async def test_old_layers_are_forgotten_unless_a_runtime_has_them(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    await pin(database, NOTEBOOK)
    workshop.go.set()
    async with anyio.create_task_group() as tasks:
        all = opened(workshop, database, tmp_path, tasks)
        laid = await all.of(NOTEBOOK, "v", lambda _words: None)
        old = opened(workshop, database, tmp_path, tasks, layer_lifetime=timedelta(microseconds=1))
        await anyio.sleep(0.01)
        workshop.busy = True
        await old.tidy()
        kept = await all.is_ready(LOCK, "v")
        workshop.busy = False
        await old.tidy()

    assert kept
    assert workshop.dropped == [laid.name]
    assert not await all.is_ready(LOCK, "v")


async def test_what_a_killed_server_was_building_is_given_back(
    workshop: Workshop, database: Database, tmp_path: Path
) -> None:
    async with anyio.create_task_group() as tasks:
        await opened(workshop, database, tmp_path, tasks).clean()

    assert workshop.released == ["l" * 22]
