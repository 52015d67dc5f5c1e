"""A notebook that is deleted for ever takes its runs with it: rows, files, large outputs and its runtime."""

from pathlib import Path

import anyio
import pytest
from sqlalchemy import func, select

from collegium.ground.db import Database
from collegium.ground.errors import NotFound, QuotaExceeded
from collegium.ground.ids import CellId, ItemId, NotebookId
from collegium.notebooks.model import CellOutputs
from collegium.sessions import store
from collegium.sessions.model import Asked
from collegium.sessions.service import Sessions
from session_world import ADA, NOTEBOOK, FakeDocuments, FakeMachines, OpenServer, Tab, ended, heard

pytestmark = pytest.mark.anyio
OTHER = NotebookId("o" * 22)
LARGE = "x" * 100_000


async def rows(database: Database) -> int:
    found = 0
    async with database.read() as tx:
        for table in (store.sessions, store.executions, store.heads, store.blobs):
            found += await tx.scalar(select(func.count()).select_from(table)) or 0
    return found


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def delete(sessions: Sessions, database: Database, notebook: NotebookId) -> None:
    async with database.write() as tx:
        await sessions.forget(tx, [ItemId(notebook)])
    await sessions.deleted([ItemId(notebook)])


async def test_nothing_is_left_of_a_deleted_notebook_that_runs(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines, database: Database, tmp_path: Path
) -> None:
    code = f"from IPython.display import HTML; print('a'); HTML('{LARGE}')"
    documents.cells = {"a": ("code", code), "b": ("code", "import time; time.sleep(1000)"), "c": ("code", "1")}
    async with server() as sessions:
        [first, second, _] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, first.id)
        await heard(documents, lambda f: f.get("execution") == second.id and f.get("state") == "running")
        assert files(tmp_path / "outputs")

        await delete(sessions, database, NOTEBOOK)

        assert machines.gone
        assert await rows(database) == 0
        assert files(tmp_path / "outputs") == files(tmp_path / "blobs") == []
        with pytest.raises(NotFound):
            await sessions.execution(ADA, NOTEBOOK, first.id)


async def test_a_large_output_that_another_notebook_has_too_stays(
    server: OpenServer, database: Database, tmp_path: Path
) -> None:
    output = {"output_type": "display_data", "data": {"text/html": LARGE}, "metadata": {}}
    async with server() as sessions:
        for notebook in (NOTEBOOK, OTHER):
            async with database.write() as tx:
                await sessions.imported(tx, notebook, {CellId("a"): CellOutputs([output], 1)}, ADA.user)

        await delete(sessions, database, NOTEBOOK)

        assert (await sessions.outputs(OTHER))[CellId("a")].outputs == [output]
        await delete(sessions, database, OTHER)
        assert files(tmp_path / "blobs") == []


async def test_a_progress_bar_that_came_with_a_file_stands_where_it_ended(
    server: OpenServer, database: Database
) -> None:
    bar = {"output_type": "stream", "name": "stderr", "text": "  0%|   |\r 50%|#  |\r100%|## |\n"}
    async with server() as sessions:
        async with database.write() as tx:
            await sessions.imported(tx, NOTEBOOK, {CellId("a"): CellOutputs([bar], 1)}, ADA.user)

        assert (await sessions.outputs(NOTEBOOK))[CellId("a")].outputs == [bar | {"text": "100%|## |\n"}]


async def test_who_may_have_no_runtime_more_is_refused_and_nothing_waits(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    machines.full = True
    async with server() as sessions:
        tab = Tab()
        await sessions.joined(tab)
        await sessions.received(tab, {"type": "connect", "request": 7})
        refused = await heard(tab, lambda f: f["type"] == "refused")
        with pytest.raises(QuotaExceeded):
            await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("a"))])

        assert (refused["request"], refused["code"]) == (7, "quota_exceeded")
        session = await sessions.session(NOTEBOOK)
        assert session.state_frame()["queue"] == []
        machines.full = False
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        assert (await ended(documents, execution.id))["state"] == "finished"


async def test_an_interrupt_that_came_as_the_cell_began_is_sent_again(
    server: OpenServer, documents: FakeDocuments
) -> None:
    """The cell swallows the first, as ipykernel does between two of its own lines."""
    code = (
        "import time\ntry:\n    print('on', flush=True); time.sleep(1000)\nexcept KeyboardInterrupt: time.sleep(1000)"
    )
    documents.cells = {"a": ("code", code)}
    async with server(interrupt_seconds=30) as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == execution.id)
        session = await sessions.session(NOTEBOOK)
        await session.interrupt()
        with anyio.fail_after(20):
            over = await ended(documents, execution.id)
        outputs = (await sessions.execution(ADA, NOTEBOOK, execution.id))[1]

    assert over["state"] == "failed"
    assert outputs[-1]["ename"] == "KeyboardInterrupt"
