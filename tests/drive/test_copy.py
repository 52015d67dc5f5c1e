"""Copies have everything of the original but its past, and are there whole or not at all."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

import anyio
import pytest

from collegium.accounts.model import Principal, Role
from collegium.app import House
from collegium.drive.copying import copied_name
from collegium.drive.model import Item, Kind
from collegium.drive.settings import DriveSettings
from collegium.ground.errors import Conflict, Forbidden, NotFound, QuotaExceeded
from collegium.ground.ids import CellId, ItemId, NotebookId
from collegium.notebooks import store as notebook_store
from drive.house import edit, ipynb, notebook, opened, outputs, printed, somebody, sources
from support.environment import ROOT

pytestmark = pytest.mark.anyio

IMAGE = "iVBORw0KGgo" + "A" * 100_000
LARGE = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": IMAGE, "text/plain": "picture"}}]


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    settings = DriveSettings(copied_items_max=12, quota=2_000_000)  # type: ignore[arg-type]
    async with opened(tmp_path / "data", database_url, settings) as house:
        yield house


@pytest.fixture
async def ada(house: House) -> Principal:
    return await somebody(house, "Ada")


@pytest.fixture
async def bob(house: House) -> Principal:
    return await somebody(house, "Bob")


async def names(house: House, who: Principal, folder: ItemId | None = None) -> list[str]:
    if folder is None:
        return [item.name for item in await house.drive.list_root(who)]
    return [item.name for item, _ in (await house.drive.list_folder(who, folder))[1]]


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_a_copy_says_the_same_shows_the_same_and_has_no_past(house: House, ada: Principal) -> None:
    file = ipynb({"a": "print(1)", "b": "x", "gone": "secret = 1"}, outputs={"a": printed("1\n"), "b": LARGE})
    original = await notebook(house, ada, "n.ipynb", file)
    await edit(house, original, "a", "print('changed')")
    async with house.rooms.open_here(original) as room:
        await room.edit(lambda editor: editor.set_deleted(CellId("gone"), {"by": ada.user, "at": 1}), origin="test")

    copy = await house.copying.copy(ada, ItemId(original))

    assert copy.name == "Copy of n.ipynb"
    assert await sources(house, copy.id) == {"a": "print('changed')", "b": "x"}
    shown = await outputs(house, copy.id)
    assert shown[CellId("a")].outputs == printed("1\n")
    assert shown[CellId("b")].outputs == LARGE
    async with house.database.read() as tx:
        before = await notebook_store.read_document(tx, NotebookId(original))
        after = await notebook_store.read_document(tx, NotebookId(copy.id))
    assert after.epoch != before.epoch
    assert (after.head, after.updates) == (1, [])
    assert (await house.notebooks.content(NotebookId(copy.id))).metadata["colab"]


async def test_a_copy_of_a_notebook_that_omits_its_outputs_shows_none(house: House, ada: Principal) -> None:
    file = ipynb(
        {"a": "print(1)", "b": "x"}, outputs={"a": printed("1\n"), "b": LARGE}, colab={"private_outputs": True}
    )
    original = await notebook(house, ada, "n.ipynb", file)

    copy = await house.copying.copy(ada, ItemId(original))

    assert (await outputs(house, original)).keys() == {"a", "b"}
    assert await outputs(house, copy.id) == {}
    assert await sources(house, copy.id) == {"a": "print(1)", "b": "x"}


async def test_the_large_outputs_of_a_copy_outlive_the_original(house: House, ada: Principal) -> None:
    original = await notebook(house, ada, "n.ipynb", ipynb({"b": "x"}, outputs={"b": LARGE}))
    copy = await house.copying.copy(ada, ItemId(original))
    await house.drive.trash(ada, ItemId(original))
    await house.drive.delete(ada, ItemId(original))

    assert (await outputs(house, copy.id))[CellId("b")].outputs == LARGE


async def test_whoever_may_read_may_copy_and_owns_the_copy_alone(house: House, ada: Principal, bob: Principal) -> None:
    original = await notebook(house, ada, "n.ipynb", ipynb({"a": "1"}))
    with pytest.raises(NotFound):
        await house.copying.copy(bob, ItemId(original))
    await house.drive.grant(ada, ItemId(original), bob.email, Role.VIEWER)

    copy = await house.copying.copy(bob, ItemId(original))

    assert (copy.owner, copy.parent) == (bob.user, None)
    with pytest.raises(NotFound):
        await house.drive.sight(ada, copy.id)
    assert "Copy of n.ipynb" in await names(house, bob)


async def test_a_copy_is_put_where_one_may_write_and_nowhere_else(house: House, ada: Principal, bob: Principal) -> None:
    readable = await house.drive.create_folder(ada, "readable", None)
    writable = await house.drive.create_folder(ada, "writable", None)
    await house.drive.grant(ada, readable.id, bob.email, Role.VIEWER)
    await house.drive.grant(ada, writable.id, bob.email, Role.EDITOR)
    own = await notebook(house, bob, "n.ipynb")

    with pytest.raises(Forbidden):
        await house.copying.copy(bob, ItemId(own), into=readable.id)
    copy = await house.copying.copy(bob, ItemId(own), into=writable.id, name="there.ipynb")
    assert (copy.owner, copy.name) == (ada.user, "there.ipynb")
    inside = await notebook(house, ada, "inside.ipynb", None, readable.id)
    assert (await house.copying.copy(ada, ItemId(inside))).parent == readable.id
    assert (await house.copying.copy(ada, ItemId(inside), to_top=True)).parent is None


async def test_a_folder_is_copied_with_all_that_is_in_it_but_its_trash(house: House, ada: Principal) -> None:
    top = await house.drive.create_folder(ada, "course", None)
    deep = await house.drive.create_folder(ada, "week 1", top.id)
    await house.drive.upload(ada, "data.csv", deep.id, pieces(b"a,b"))
    lesson = await notebook(house, ada, "lesson.ipynb", ipynb({"a": "1"}, outputs={"a": printed("hi")}), deep.id)
    old = await house.drive.create_folder(ada, "old", top.id)
    await notebook(house, ada, "older.ipynb", None, old.id)
    await house.drive.trash(ada, old.id)

    copy = await house.copying.copy(ada, top.id)

    assert await names(house, ada, copy.id) == ["week 1"]
    (week, _), *_ = (await house.drive.list_folder(ada, copy.id))[1]
    inside = {item.name: item for item, _ in (await house.drive.list_folder(ada, week.id))[1]}
    assert set(inside) == {"data.csv", "lesson.ipynb"}
    file = await house.drive.file(ada, inside["data.csv"].id)
    assert b"".join([piece async for piece in house.drive.content(file)]) == b"a,b"
    assert await sources(house, inside["lesson.ipynb"].id) == await sources(house, lesson)
    assert (await outputs(house, inside["lesson.ipynb"].id))[CellId("a")].outputs == printed("hi")
    assert await house.drive.tidy() is None
    assert [found.sight.item.name for found in await house.search.find(ada, "lesson")].count("lesson.ipynb") == 2


async def test_a_folder_can_be_copied_into_itself_and_ends(house: House, ada: Principal) -> None:
    top = await house.drive.create_folder(ada, "F", None)
    inner = await house.drive.create_folder(ada, "G", top.id)

    copy = await house.copying.copy(ada, top.id, into=inner.id)

    assert await names(house, ada, inner.id) == ["Copy of F"]
    assert await names(house, ada, copy.id) == ["G"]
    (copied, _), *_ = (await house.drive.list_folder(ada, copy.id))[1]
    assert await names(house, ada, copied.id) == []


async def test_a_copy_is_bounded_by_items_depth_and_quota(house: House, ada: Principal) -> None:
    top = await house.drive.create_folder(ada, "many", None)
    for number in range(12):
        await house.drive.create_folder(ada, f"{number}", top.id)
    with pytest.raises(Conflict) as refused:
        await house.copying.copy(ada, top.id)
    assert refused.value.code == "too_much"

    big = await house.drive.upload(ada, "big", None, pieces(os.urandom(1_100_000)))
    with pytest.raises(QuotaExceeded):
        await house.copying.copy(ada, big.id)

    folder: Item | None = None
    for _ in range(39):
        folder = await house.drive.create_folder(ada, "d", folder.id if folder else None)
    assert folder is not None
    pair = await house.drive.create_folder(ada, "pair", None)
    await house.drive.create_folder(ada, "below", pair.id)
    with pytest.raises(Conflict):
        await house.copying.copy(ada, pair.id, into=folder.id)
    assert "Copy of" not in "".join(await names(house, ada))


async def test_what_is_in_the_trash_is_not_copied(house: House, ada: Principal) -> None:
    folder = await house.drive.create_folder(ada, "F", None)
    inside = await notebook(house, ada, "n.ipynb", None, folder.id)
    await house.drive.trash(ada, folder.id)

    for item in (folder.id, ItemId(inside)):
        with pytest.raises(Conflict):
            await house.copying.copy(ada, item)


async def test_a_copy_made_while_the_source_is_edited_is_one_moment_of_it(house: House, ada: Principal) -> None:
    cells = {f"c{number}": "0" for number in range(5)}
    original = await notebook(house, ada, "n.ipynb", ipynb(cells))
    ended = anyio.Event()

    async def keep_editing() -> None:
        async with house.rooms.open_here(original) as room:
            for number in range(1, 400):
                if ended.is_set():
                    return
                text = str(number)
                # One edit changes every cell: no copy may have half of it.
                await room.edit(
                    lambda editor, text=text: [editor.set_source(CellId(c), text) for c in cells], origin="t"
                )

    copies: list[Item] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_editing)
        for _ in range(6):
            copies.append(await house.copying.copy(ada, ItemId(original)))
        ended.set()

    moments = [set((await sources(house, copy.id)).values()) for copy in copies]
    assert all(len(moment) == 1 for moment in moments)
    assert int(max(moments, key=lambda one: int(next(iter(one)))).pop()) > 0


async def test_copying_what_is_deleted_at_this_moment_leaves_nothing_half_made(house: House, ada: Principal) -> None:
    top = await house.drive.create_folder(ada, "F", None)
    for number in range(5):
        await notebook(house, ada, f"{number}.ipynb", ipynb({"a": "1"}, outputs={"a": LARGE}), top.id)

    async def delete() -> None:
        await house.drive.trash(ada, top.id)
        await house.drive.delete(ada, top.id)

    copy: Item | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(delete)
        try:
            copy = await house.copying.copy(ada, top.id)
        except (NotFound, Conflict):
            copy = None

    if copy is None:
        assert await names(house, ada) == []
    else:
        for item, _ in (await house.drive.list_folder(ada, copy.id))[1]:
            assert (await outputs(house, item.id))[CellId("a")].outputs == LARGE


def _until_it_copies(lines: TextIO) -> list[str]:
    return list(iter(lines.readline, "copying\n"))


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.long)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_killed_while_copying_leaves_the_copy_whole_or_not_at_all(
    house: House, ada: Principal, database_url: str, tmp_path: Path, kills: int
) -> None:
    top = await house.drive.create_folder(ada, "F", None)
    for number in range(9):
        await notebook(house, ada, f"{number}.ipynb", ipynb({"a": "1"}), top.id)
    made = 0
    for kill in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "drive.dying_copier", str(tmp_path / "data"), ada.email, top.id],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT / "tests",
        )
        with process:
            assert process.stdout is not None
            said = await anyio.to_thread.run_sync(_until_it_copies, process.stdout)
            await anyio.sleep(0.02 * kill)
            process.kill()
        assert process.returncode == -9, said
        copies = [item for item in await house.drive.list_root(ada) if item.name.startswith("Copy of")]
        for copy in copies[made:]:
            inside = (await house.drive.list_folder(ada, copy.id))[1]
            assert len(inside) == 9
            for item, _ in inside:
                assert await sources(house, item.id) == {"a": "1"}
        made = len(copies)


@pytest.mark.parametrize(
    ("kind", "name", "copied"),
    [
        (Kind.NOTEBOOK, "n.ipynb", "Copy of n.ipynb"),
        (Kind.NOTEBOOK, "n", "Copy of n"),
        (Kind.FOLDER, "v1.2", "Copy of v1.2"),
        (Kind.FILE, ".bashrc", "Copy of .bashrc"),
        (Kind.FILE, "a. very long sentence", "Copy of a. very long sentence"),
        (Kind.FILE, "x" * 251 + ".csv", "Copy of " + "x" * 243 + ".csv"),
    ],
)
def test_a_copy_is_called_so(kind: Kind, name: str, copied: str) -> None:
    item = Item(ItemId("i"), "u", None, kind, name, 0, None, 0, 0, None)  # type: ignore[arg-type]

    assert copied_name(item) == copied
