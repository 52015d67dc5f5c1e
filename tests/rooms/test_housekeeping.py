"""Cells that were deleted long ago go for good, positions get room again, and nobody's edits vanish with them."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from pycrdt import Doc

from collegium.ground.ids import CellId, NotebookId
from collegium.notebooks import housekeeping, positions
from collegium.notebooks.document import Document, Editor, has_seen
from collegium.notebooks.model import Cell, Content, plain
from collegium.notebooks.settings import NotebookSettings
from collegium.notebooks.store import doc_snapshot
from collegium.rooms.settings import RoomSettings
from rooms.house import House, open_house
from rooms.replicas import PycrdtReplica, YjsReplica, node
from rooms.tab import joined

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
SOON_SECONDS = 60


@pytest.fixture
async def quick(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    """A house whose rooms close as soon as everybody has left."""
    settings = RoomSettings(settle_seconds=0.1, idle_seconds=0.01, tidy_seconds=3_600)
    limits = NotebookSettings(compact_updates=1)
    async with open_house(tmp_path, url=database_url, settings=settings, notebook_settings=limits) as house:
        yield house


async def delete(house: House, notebook: NotebookId, cell: str) -> None:
    async with house.rooms.open(notebook) as room:
        await room.edit(lambda editor: editor.set_deleted(CellId(cell), {"by": "ada", "at": 1}), origin="test")
    await house.notebooks.compact(notebook)


async def days_pass(house: House, notebook: NotebookId, days: int) -> None:
    """Everything that is stored becomes so much older."""
    async with house.database.write() as tx:
        older = sa.update(doc_snapshot).where(doc_snapshot.c.doc_id == notebook)
        await tx.execute(older.values(ts=doc_snapshot.c.ts - days * DAY_MS))


async def cells(house: House, notebook: NotebookId) -> list[str]:
    return [cell.id for cell in (await house.notebooks.content(notebook)).cells]


async def test_a_cell_goes_for_good_when_its_time_is_over_and_its_past_is_kept(quick: House) -> None:
    ada, _ = await quick.person("Ada")
    notebook = await quick.notebook(ada, "stays", "goes")
    await delete(quick, notebook, "c1")
    head = (await quick.notebooks.bases.version(notebook))[1]
    await quick.rooms.housekeeping.tidy(notebook)
    early = await cells(quick, notebook)
    await days_pass(quick, notebook, 31)
    await quick.rooms.housekeeping.tidy(notebook)

    assert (early, await cells(quick, notebook)) == (["c0", "c1"], ["c0"])
    past, _ = await quick.notebooks.revisions.state(notebook, head - 1)
    assert [cell.source for cell in past.cells] == ["stays", "goes"]


async def test_what_an_editor_says_of_the_time_does_not_hasten_it(quick: House) -> None:
    ada, _ = await quick.person("Ada")
    notebook = await quick.notebook(ada, "stays", "goes")
    await days_pass(quick, notebook, 31)
    await delete(quick, notebook, "c1")
    await quick.rooms.housekeeping.tidy(notebook)

    assert await cells(quick, notebook) == ["c0", "c1"]


async def test_nothing_is_removed_while_somebody_has_the_notebook_open(quick: House) -> None:
    ada, token = await quick.person("Ada")
    notebook = await quick.notebook(ada, "stays", "goes")
    await delete(quick, notebook, "c1")
    await days_pass(quick, notebook, 31)
    async with joined(quick.port, notebook, token):
        await quick.rooms.housekeeping.tidy(notebook)
        assert await cells(quick, notebook) == ["c0", "c1"]
    await quick.rooms.housekeeping.tidy(notebook)

    assert await cells(quick, notebook) == ["c0"]


async def test_a_copy_that_saw_the_deletion_goes_on_and_one_that_did_not_starts_anew(quick: House) -> None:
    ada, token = await quick.person("Ada")
    notebook = await quick.notebook(ada, "stays", "goes")
    async with joined(quick.port, notebook, token) as tab:
        old: Doc = Doc()  # type: ignore[type-arg]
        old.apply_update(tab.doc.get_update())
    await delete(quick, notebook, "c1")
    async with joined(quick.port, notebook, token) as tab:
        epoch = tab.welcome["epoch"]
        new: Doc = Doc()  # type: ignore[type-arg]
        new.apply_update(tab.doc.get_update())
    await days_pass(quick, notebook, 31)
    await quick.rooms.housekeeping.tidy(notebook)

    resets = []
    for doc in (old, new):
        async with joined(quick.port, notebook, token, doc, epoch=epoch) as tab:
            resets.append(tab.welcome["reset"])
            if not tab.welcome["reset"]:
                await tab.edit(lambda tab: tab.text("c0").insert(0, "it "))
                await tab.until(lambda tab: tab.acked == tab.sent)
    assert resets == [True, False]
    assert (await quick.notebooks.content(notebook)).cells[0].source == "it stays"


async def test_edits_of_a_removed_cell_that_come_all_the_same_break_nothing(quick: House) -> None:
    ada, token = await quick.person("Ada")
    notebook = await quick.notebook(ada, "stays", "goes")
    async with joined(quick.port, notebook, token) as tab, quick.rooms.open(notebook) as room:
        made: list[bytes] = []
        watch = tab.doc.observe(lambda event: made.append(event.update))
        tab.text("c1").insert(2, "under way 📊")
        tab.doc.unobserve(watch)
        await room.edit(lambda editor: editor.drop(CellId("c1")), origin="test")
        await tab.send_update(made[0])
        await tab.edit(lambda tab: tab.text("c0").insert(0, "it "))
        await tab.until(lambda tab: tab.acked == tab.sent and "c1" not in tab.cells)
        assert tab.closed is None
    await quick.notebooks.compact(notebook)

    assert await cells(quick, notebook) == ["c0"]
    assert (await quick.notebooks.content(notebook)).cells[0].source == "it stays"


async def test_a_closing_room_notes_what_will_be_due(quick: House) -> None:
    ada, _ = await quick.person("Ada")
    notebook, other = await quick.notebook(ada, "a", "b"), await quick.notebook(ada, "a")
    for one in (notebook, other):
        async with quick.rooms.open(one) as room:
            await room.edit(lambda editor: editor.set_source(CellId("c0"), "x"), origin="test")
    await delete(quick, notebook, "c1")

    assert await due_soon(quick) == [notebook]


async def test_a_room_that_closes_late_does_not_take_back_what_a_newer_one_noted(quick: House) -> None:
    ada, _ = await quick.person("Ada")
    notebook = await quick.notebook(ada, "a", "b")
    async with quick.rooms.open(notebook) as older:
        await older.edit(lambda editor: editor.set_source(CellId("c0"), "x"), origin="test")
    with anyio.fail_after(SOON_SECONDS):
        while quick.rooms.find(notebook) is older:
            await _a_moment()
    await delete(quick, notebook, "c1")
    assert await due_soon(quick) == [notebook]
    await quick.rooms.housekeeping.left(older)

    assert await due_soon(quick) == [notebook]


async def due_soon(house: House) -> list[NotebookId]:
    """What is noted at any time to come, once something is."""
    with anyio.fail_after(SOON_SECONDS):
        while not (found := await house.notebooks.tidying.due(1 << 60, limit=10)):
            await _a_moment()
    return found


async def _a_moment() -> None:
    await anyio.sleep(0.01)


async def test_crowded_positions_are_spread_while_people_look_on(quick: House) -> None:
    ada, token = await quick.person("Ada")
    notebook = await quick.notebook(ada, "a", "b", "c")
    async with joined(quick.port, notebook, token) as tab:
        await tab.edit(lambda tab: tab.cells["c1"].__setitem__("pos", "F" + "0" * 70 + "1"))
        await tab.until(lambda tab: tab.acked == tab.sent)
        before = await cells(quick, notebook)
        await quick.rooms.housekeeping.tidy(notebook)
        for room in quick.rooms._ready_rooms():
            await quick.rooms.housekeeping._spread(room)
        await tab.until(lambda tab: len(tab.cells["c1"]["pos"]) < 4)

    assert await cells(quick, notebook) == before


def test_what_was_seen_is_told_from_two_state_vectors() -> None:
    one, two = Document.of(Content()), Document.of(Content())
    both = Document.load([one.lacking(None), two.lacking(None)])

    assert has_seen(both.state_vector(), one.state_vector())
    assert not has_seen(one.state_vector(), both.state_vector())


def run_spreads(seeds: range) -> None:
    with node() as yjs:
        for seed in seeds:
            chance = random.Random(seed)
            keys = sorted({"V" * chance.randint(1, 70) + chance.choice("abcz") for _ in range(6)})
            start = Content(tuple(Cell(CellId(f"c{n}"), "code", key, f"s{n}") for n, key in enumerate(keys)))
            server = Document.of(start)
            tabs = [YjsReplica(yjs, f"spread{seed}", 7), PycrdtReplica(8)]
            state = server.lacking(None)
            for tab in tabs:
                tab.apply([state])
            spread = server.edit(housekeeping.spread)
            made = []
            for tab, client in zip(tabs, (7, 8), strict=True):
                cell = chance.choice(start.cells)
                low = chance.choice(["", *keys])
                key = positions.between(low, next((one for one in keys if one > low), None))
                ops = [{"kind": "set", "cell": cell.id, "key": "pos", "value": key}]
                if chance.random() < 0.5:
                    ops = [{"kind": "insert", "cell": cell.id, "at": 0, "text": "typed "}]
                made.append((client, tab.edit(ops)))
            for client, updates in made:
                for update in updates:
                    server.admit(update, {client})
                    server.apply(update)
            everything = [update for _, updates in made for update in updates] + ([spread] if spread else [])
            for tab in tabs:
                chance.shuffle(everything)
                tab.apply(everything)
            ends = [plain(tab.cells()) for tab in tabs]
            assert ends == [plain(server._roots()[1])] * 2, f"seed {seed}"
            assert Document.load([server.lacking(None)]).digest() == server.digest()


def test_spreading_converges_with_moves_and_typing_at_the_same_time() -> None:
    run_spreads(range(30))


@pytest.mark.long
def test_spreading_converges_in_many_trials() -> None:
    run_spreads(range(1_000, 4_000))


def test_spreading_keeps_the_order_and_makes_short_keys() -> None:
    keys = sorted("V" * n + "b" for n in range(1, 90))
    document = Document.of(Content(tuple(Cell(CellId(f"c{n}"), "code", key, "") for n, key in enumerate(keys))))
    before = [cell.id for cell in document.content().cells]
    assert housekeeping.is_crowded(document.content())

    def change(editor: Editor) -> None:
        housekeeping.spread(editor)

    document.edit(change)
    assert [cell.id for cell in document.content().cells] == before
    assert not housekeeping.is_crowded(document.content())
