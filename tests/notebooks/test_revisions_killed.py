"""A server that is killed while it makes a revision leaves all of it, or nothing, and the text in any case."""

import signal
import sys
from pathlib import Path

import anyio
import pytest

from collegium.ground.ids import UserId
from collegium.notebooks.history import RevisionKind
from notebooks.library import open_library

pytestmark = pytest.mark.anyio

REVISER = Path(__file__).with_name("dying_reviser.py")
ADA = UserId("a" * 22)


async def killed_at(data: Path, url: str, statement: int) -> bool:
    """Whether it was killed at all; everything that must hold then is asked."""
    async with open_library(data, url=url) as library:
        ada = await library.person(f"Ada{statement}")
        notebook = await library.notebook(ada, "x")
        typing = await library.typing(notebook)
        for n in range(10):
            typing.type(f"{n};")
        await typing.until(typing.lane.head)
        named = await library.notebooks.revisions.make(notebook, RevisionKind.NAMED, user=ADA, label="kept")
        for n in range(10):
            typing.type(f"{n};")
        await typing.until(typing.lane.head)
        await library.notebooks.revisions.make(notebook, RevisionKind.AUTO)
        for n in range(10):
            typing.type(f"{n};")
        await typing.until(typing.lane.head)
        expected = typing.source()
    assert named is not None

    command = [sys.executable, str(REVISER), str(data), url, notebook, str(statement)]
    ended = await anyio.run_process(command, check=False)

    async with open_library(data, url=url) as library:
        revisions = library.notebooks.revisions
        assert await library.source(notebook) == expected
        listed = await revisions.listed(notebook, before=None, limit=10)
        assert listed[-1].number == named.number
        for revision in listed:
            assert (await revisions.state(notebook, revision.seq))[1] == revision.content_hash
        made = await revisions.make(notebook, RevisionKind.AUTO)
        assert (made is None) == (listed[0].seq == typing.lane.head)
        assert await library.source(notebook) == expected
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("statement", [9, 13, 18])
async def test_a_revision_killed_in_the_middle_is_there_or_not(
    tmp_path: Path, database_url: str, statement: int
) -> None:
    assert await killed_at(tmp_path, database_url, statement)


@pytest.mark.long
async def test_a_revision_killed_before_each_of_its_statements_is_there_or_not(
    tmp_path: Path, database_url: str
) -> None:
    statement = 1
    while await killed_at(tmp_path, database_url, statement):
        statement += 1

    assert statement > 18
