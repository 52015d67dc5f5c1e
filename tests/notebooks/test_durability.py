"""What was acknowledged is on disk, whatever happens next."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from sqlalchemy import event, text

from collegium.ground.errors import NotFound, StorageFull
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.settings import NotebookSettings
from notebooks.library import Library, open_library
from support.disk import leave_room

pytestmark = pytest.mark.anyio

WRITER = Path(__file__).with_name("dying_writer.py")


async def test_edits_are_committed_in_their_order_and_many_at_once(library: Library) -> None:
    ada = await library.person("Ada")
    notebook = await library.notebook(ada)
    typing = await library.typing(notebook)
    commits = 0

    def committed(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(library.database._quick or library.database._writer.sync_engine, "commit", committed)
    for n in range(300):
        typing.type(f"{n};")
    await typing.until(typing.lane.head)

    assert typing.reports.committed_seqs == list(range(2, 302))
    assert commits <= 3
    assert await library.source(notebook) == typing.source()


async def test_two_notebooks_share_a_commit_and_a_conflict_in_one_leaves_the_other(library: Library) -> None:
    ada = await library.person("Ada")
    one, two = await library.notebook(ada), await library.notebook(ada)
    first, second = await library.typing(one), await library.typing(two)
    stranger = await library.typing(two)
    await stranger.until(stranger.type("stranger;"))
    good, bad = first.type("mine;"), second.type("late;")
    await first.until(good)
    await second.until(bad)
    await second.until(bad)

    assert first.reports.committed_seqs == [good]
    assert second.reports.lost_seqs == [bad]
    assert await library.source(one) == "mine;"
    assert await library.source(two) == "stranger;"


async def test_a_full_disk_refuses_new_edits_and_keeps_what_it_has(library: Library) -> None:
    ada = await library.person("Ada")
    notebook = await library.notebook(ada)
    typing = await library.typing(notebook)
    await typing.until(typing.type("kept;"))
    await leave_room(library.database, 1)

    lost = typing.type(random.Random(3).randbytes(100_000).hex())
    await typing.until(lost)

    assert isinstance(typing.reports.error, StorageFull)
    assert await library.source(notebook) == "kept;"
    with pytest.raises(StorageFull):
        await library.notebook(ada, "y" * 2_000_000 + str(random.Random(1).randbytes(300_000)))
    await leave_room(library.database, None)
    again = await library.typing(notebook)
    await again.until(again.type("after;"))
    assert await library.source(notebook) == "after;kept;"


async def test_compaction_keeps_the_text_and_forgets_the_old_log(tmp_path: Path, database_url: str) -> None:
    async with open_library(tmp_path, NotebookSettings(retention_days=0), url=database_url) as library:
        ada = await library.person("Ada")
        notebook = await library.notebook(ada)
        typing = await library.typing(notebook)
        for n in range(4):
            for _ in range(10):
                typing.type(f"{n}📊;")
            await typing.until(typing.lane.head)
            assert await library.notebooks.compact(notebook)
            assert await library.source(notebook) == typing.source()
        assert not await library.notebooks.compact(notebook)

        async with library.database.read() as tx:
            snapshots = (await tx.execute(text("SELECT count(*) FROM doc_snapshot"))).scalar_one()
            updates = (await tx.execute(text("SELECT count(*) FROM doc_update"))).scalar_one()
        assert snapshots == 2
        assert updates == 10


async def test_a_deleted_notebook_leaves_nothing(library: Library) -> None:
    ada = await library.person("Ada")
    notebook = await library.notebook(ada, "x")
    await library.drive.trash(ada, ItemId(notebook))
    await library.drive.delete(ada, ItemId(notebook))

    with pytest.raises(NotFound):
        await library.notebooks.content(notebook)
    async with library.database.read() as tx:
        for table in ("doc", "doc_update", "doc_snapshot", "doc_client"):
            assert (await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def _prepared(data: Path, url: str) -> NotebookId:
    async with open_library(data, url=url) as library:
        ada = await library.person("Ada")
        return await library.notebook(ada)


async def _written(data: Path, url: str, notebook: NotebookId) -> list[int]:
    async with open_library(data, url=url) as library:
        return [int(number) for number in (await library.source(notebook)).split(";") if number]


def _kill_while_writing(data: Path, url: str, notebook: NotebookId, seconds: float) -> int:
    """The last edit that was acknowledged before the writer was killed."""
    command = [sys.executable, str(WRITER), str(data), url, notebook]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        acknowledged = process.stdout.readline()
        timer = subprocess.Popen(["sleep", str(seconds)])
        timer.wait()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    lines = (acknowledged + rest).decode().rsplit("\n", 1)[0].split("\n")
    numbers = [int(line) for line in lines if line.isdigit()]
    assert numbers
    return numbers[-1]


async def _kill_often(data: Path, url: str, times: int, seed: int) -> None:
    chance = random.Random(seed)
    notebook = await _prepared(data, url)
    for _ in range(times):
        seconds = chance.uniform(0, 0.4)
        acknowledged = await anyio.to_thread.run_sync(_kill_while_writing, data, url, notebook, seconds)
        kept = await _written(data, url, notebook)
        assert kept == sorted(kept, reverse=True), f"seed {seed}"
        assert kept[0] >= acknowledged, f"seed {seed}"
        assert set(range(1, acknowledged + 1)) <= set(kept), f"seed {seed}"


async def test_a_killed_writer_has_lost_nothing_that_it_acknowledged(tmp_path: Path, database_url: str) -> None:
    await _kill_often(tmp_path, database_url, times=2, seed=1)


@pytest.mark.long
async def test_a_writer_killed_many_times_has_lost_nothing_that_it_acknowledged(
    tmp_path: Path, database_url: str
) -> None:
    await _kill_often(tmp_path, database_url, times=60, seed=2)


# What a compaction says to the database, in this order: 1-4 read the log, 5-8 store the snapshot, 9-13 thin and forget.
@pytest.mark.parametrize("statement", [7, 8, 10, 13])
async def test_a_compaction_killed_in_the_middle_leaves_the_text(
    tmp_path: Path, database_url: str, statement: int
) -> None:
    notebook = await _prepared(tmp_path, database_url)
    async with open_library(tmp_path, url=database_url) as library:
        typing = await library.typing(notebook)
        for n in range(30):
            typing.type(f"{n};")
        await typing.until(typing.lane.head)
        expected = await library.source(notebook)

    command = [sys.executable, str(WRITER), str(tmp_path), database_url, notebook, str(statement)]
    killed = await anyio.run_process(command, check=False)

    assert killed.returncode == -signal.SIGKILL
    async with open_library(tmp_path, url=database_url) as library:
        assert await library.source(notebook) == expected
        await library.notebooks.compact(notebook)
        assert (await library.notebooks.open(notebook)).since_snapshot == 0
        assert await library.source(notebook) == expected
