"""Revisions: what is kept of a notebook's past, and that it comes back exactly."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa
import zstandard

from collegium.ground.clock import now_ms
from collegium.ground.errors import Invalid, NotFound, Unavailable
from collegium.ground.ids import CellId, NotebookId, UserId, new_id
from collegium.notebooks import revision_store, store
from collegium.notebooks.document import Document, Editor
from collegium.notebooks.history import DAY_MS, Revision, RevisionKind, parsed_label, thinned
from collegium.notebooks.model import Author, Cell, CellType, shown_hash
from collegium.notebooks.positions import between
from collegium.notebooks.restoring import restore_into, undo_into
from notebooks.library import Library, Typing

pytestmark = pytest.mark.anyio

TYPES: list[CellType] = ["code", "markdown", "raw"]
WORDS = ["x = 1\n", "print(x)\n", "# größer 📊\n", "import numpy as np\n", "for i in range(3):\n    i\n"]
ADA, BOB = UserId("a" * 22), UserId("b" * 22)


class Writing:
    """Random edits of all kinds by several people, and the digest after each."""

    def __init__(self, typing: Typing, seed: int) -> None:
        self.typing = typing
        self.random = random.Random(seed)
        self.digests = {typing.lane.head: typing.document.digest()}
        self.shown = {typing.lane.head: shown_hash(typing.document.content())}

    async def edits(self, count: int) -> None:
        for _ in range(count):
            self._edit()
        await self.typing.until(self.typing.lane.head)

    def _edit(self) -> None:
        update = self.typing.document.edit(lambda editor: change_something(editor, self.random))
        if update is None:
            return
        author = Author(self.typing.document.client, self.random.choice([ADA, BOB]))
        seq = self.typing.lane.submit(update, author, "test")
        self.digests[seq] = self.typing.document.digest()
        self.shown[seq] = shown_hash(self.typing.document.content())


def change_something(editor: Editor, chance: random.Random) -> None:
    """One edit such as people make."""
    content = editor.content()
    cell = chance.choice(content.cells)
    match chance.randrange(9):
        case 0:
            at = chance.randrange(len(content.cells) + 1)
            low = content.cells[at - 1].position if at else ""
            high = next((one.position for one in content.cells[at:] if one.position > low), None)
            kind: CellType = chance.choice(TYPES)
            editor.add(Cell(CellId(new_id()[:12]), kind, between(low, high), chance.choice(WORDS)))
        case 1:
            deleted = None if cell.deleted else {"by": ADA, "at": 1}
            editor.set_deleted(cell.id, deleted)
        case 2:
            editor.set_position(cell.id, between(chance.choice(content.cells).position, None))
        case 3:
            editor.set_cell_metadata(cell.id, {"tags": [chance.choice(WORDS).strip()], "n": chance.random()})
        case 4:
            editor.set_metadata({"kernelspec": {"name": chance.choice(["python3", "ir"])}})
        case 5:
            editor.set_type(cell.id, chance.choice(TYPES))
        case 6:
            editor.set_attachments(cell.id, {"a.png": {"image/png": chance.choice(WORDS)}})
        case _:
            at = chance.randrange(len(cell.source) + 1)
            cut = cell.source[at + chance.randrange(4) :] if chance.random() < 0.4 else cell.source[at:]
            editor.set_source(cell.id, cell.source[:at] + chance.choice(WORDS) + cut)


async def age(library: Library, notebook: NotebookId, days: float, *, upto: int | None = None) -> None:
    """Let everything kept of it (up to a moment) be so much older."""
    by = int(days * DAY_MS)
    async with library.database.write() as tx:
        for table in (store.doc_update, store.doc_snapshot, revision_store.revisions):
            statement = sa.update(table).where(table.c.doc_id == notebook).values(ts=table.c.ts - by)
            await tx.execute(statement if upto is None else statement.where(table.c.seq <= upto))


async def begun(library: Library, seed: int = 1) -> tuple[NotebookId, Writing]:
    ada = await library.person("Ada")
    notebook = await library.notebook(ada, "x = 1")
    return notebook, Writing(await library.typing(notebook), seed)


async def every_state(library: Library, seed: int, *, edits: int, tried: int) -> None:
    """Any moment of a log that was compacted, and has revisions, comes back with its digest."""
    notebook, writing = await begun(library, seed)
    for _ in range(4):
        await writing.edits(edits // 4)
        if writing.random.random() < 0.5:
            await library.notebooks.compact(notebook)
        else:
            await library.notebooks.revisions.make(notebook, RevisionKind.AUTO)
    for seq in writing.random.choices(sorted(writing.digests), k=tried):
        content, digest = await library.notebooks.revisions.state(notebook, seq)
        assert digest == writing.digests[seq], f"seed {seed}, seq {seq}"
        assert shown_hash(content) == writing.shown[seq], f"seed {seed}, seq {seq}"


async def test_every_moment_comes_back_with_its_exact_digest(library: Library) -> None:
    await every_state(library, 10, edits=120, tried=50)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
async def test_a_thousand_moments_come_back_with_their_exact_digests(library: Library, seed: int) -> None:
    await every_state(library, seed, edits=1_000, tried=100)


def restores(seed: int, count: int) -> None:
    chance = random.Random(seed)
    document = Document()
    document.edit(lambda editor: editor.add(Cell(CellId("c0"), "code", "V", "x = 1")))
    states = [document.content()]
    for number in range(count):
        for _ in range(3):
            document.edit(lambda editor: change_something(editor, chance))
        states.append(document.content())
        wanted = chance.choice(states)
        before = document.content()
        document.edit(partial(restore_into, wanted=wanted, user=ADA, now=1))
        assert shown_hash(document.content()) == shown_hash(wanted), f"seed {seed}, restore {number}"
        if chance.random() < 0.5:
            after = document.content()
            document.edit(partial(undo_into, before=before, after=after, user=ADA, now=1))
            assert shown_hash(document.content()) == shown_hash(before), f"seed {seed}, undo {number}"


def test_a_restore_says_exactly_what_was_shown_and_so_does_its_undo() -> None:
    restores(1, 50)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_restores_say_exactly_what_was_shown(seed: int) -> None:
    restores(seed, 100)


def test_a_restored_cell_changes_no_other() -> None:
    chance = random.Random(3)
    document = Document()
    document.edit(lambda editor: editor.add(Cell(CellId("c0"), "code", "V", "x = 1")))
    for _ in range(60):
        document.edit(lambda editor: change_something(editor, chance))
    wanted = document.content()
    for _ in range(60):
        document.edit(lambda editor: change_something(editor, chance))
    for cell in wanted.shown:
        before = {one.id: one for one in document.content().cells}

        document.edit(partial(restore_into, wanted=wanted, cells=[cell.id], user=ADA, now=1))

        after = {one.id: one for one in document.content().cells}
        assert after[cell.id] == replace(cell, position=after[cell.id].position)
        assert {id: one for id, one in before.items() if id != cell.id} == {
            id: one for id, one in after.items() if id != cell.id
        }


async def test_nothing_is_made_when_nothing_changed_but_a_named_one_is(library: Library) -> None:
    notebook, writing = await begun(library)
    revisions = library.notebooks.revisions

    assert await revisions.make(notebook, RevisionKind.AUTO) is None
    await writing.edits(5)
    first = await revisions.make(notebook, RevisionKind.AUTO)
    assert first is not None
    assert first.number == 1
    assert set(first.authors) == {ADA, BOB}
    assert await revisions.make(notebook, RevisionKind.IDLE) is None
    named = await revisions.make(notebook, RevisionKind.NAMED, user=ADA, label="Handed in")
    assert named is not None
    assert (named.number, named.label, named.pinned, named.seq) == (2, "Handed in", True, first.seq)
    assert [one.number for one in await revisions.listed(notebook, before=None, limit=10)] == [2, 1]


async def test_what_was_changed_and_changed_back_is_nothing_new(library: Library) -> None:
    notebook, writing = await begun(library)
    revisions = library.notebooks.revisions
    writing.typing.type("a")
    await writing.typing.until(writing.typing.lane.head)
    await revisions.make(notebook, RevisionKind.AUTO)
    for text in ("b" + writing.typing.source(), writing.typing.source()):
        update = writing.typing.document.edit(partial(Editor.set_source, cell=CellId("c0"), source=text))
        assert update is not None
        writing.typing.lane.submit(update, Author(writing.typing.document.client), "test")
    await writing.typing.until(writing.typing.lane.head)

    assert await revisions.make(notebook, RevisionKind.AUTO) is None


async def test_retention_deletes_no_named_revision_and_nothing_it_stands_on(library: Library) -> None:
    notebook, writing = await begun(library)
    revisions = library.notebooks.revisions
    await writing.edits(20)
    named = await revisions.make(notebook, RevisionKind.NAMED, user=ADA, label="Kept")
    assert named is not None
    for _ in range(6):
        await writing.edits(10)
        await revisions.make(notebook, RevisionKind.AUTO)
    old = writing.typing.lane.head
    await age(library, notebook, 800)
    await writing.edits(10)
    await library.notebooks.compact(notebook)
    await writing.edits(10)
    await revisions.make(notebook, RevisionKind.AUTO)

    kept = await revisions.listed(notebook, before=None, limit=100)
    assert [one.number for one in kept][-1] == named.number
    assert len(kept) == 2
    _, digest = await revisions.state(notebook, named.seq)
    assert digest == named.content_hash == writing.digests[named.seq]
    with pytest.raises(NotFound):
        await revisions.state(notebook, named.seq + 5)
    for seq in range(old, writing.typing.lane.head + 1):
        assert (await revisions.state(notebook, seq))[1] == writing.digests[seq]


async def test_every_state_within_retention_survives_it(library: Library) -> None:
    notebook, writing = await begun(library, seed=7)
    revisions = library.notebooks.revisions
    for _ in range(5):
        await writing.edits(20)
        await revisions.make(notebook, RevisionKind.AUTO)
        await age(library, notebook, 10)
    floor = writing.typing.lane.head
    await writing.edits(10)
    await library.notebooks.compact(notebook)

    async with library.database.read() as tx:
        log = store.doc_update.c
        recent = sa.select(log.seq).where(log.doc_id == notebook, log.ts >= now_ms() - 30 * DAY_MS)
        within = list((await tx.execute(recent)).scalars())
    assert len(within) > 40
    assert min(within) < floor
    for seq in within:
        assert (await revisions.state(notebook, seq))[1] == writing.digests[seq]


def revision(number: int, days_ago: float, now: int, **values: object) -> Revision:
    blank = Revision(
        NotebookId("n"),
        number,
        number,
        RevisionKind.AUTO,
        None,
        False,
        None,
        (),
        "",
        "",
        {},
        now - int(days_ago * DAY_MS),
    )
    return replace(blank, **values)  # type: ignore[arg-type]


def test_old_automatic_revisions_are_thinned_to_one_a_day_and_then_to_none() -> None:
    now = 20_000 * DAY_MS + DAY_MS // 2
    known = [
        revision(1, 500, now),
        revision(2, 500, now, label="named"),
        revision(3, 500, now, pinned=True),
        revision(4, 40.2, now),
        revision(5, 40.1, now),
        revision(6, 40, now),
        revision(7, 39, now),
        revision(8, 1.1, now),
        revision(9, 1, now),
    ]

    assert sorted(thinned(known, now, all_days=30, daily_days=365)) == [1, 4, 5]
    assert thinned([revision(1, 9_999, now)], now, all_days=30, daily_days=365) == [], "the newest stays"


async def test_a_damaged_snapshot_says_so_and_harms_nothing(library: Library) -> None:
    notebook, writing = await begun(library)
    revisions = library.notebooks.revisions
    await writing.edits(10)
    first = await revisions.make(notebook, RevisionKind.AUTO)
    await writing.edits(10)
    second = await revisions.make(notebook, RevisionKind.AUTO)
    assert first is not None
    assert second is not None
    await writing.edits(10)
    await library.notebooks.compact(notebook)

    await damage(library, notebook, second.seq, lambda payload: payload[: len(payload) // 2])
    # The snapshot before it and the log between stand for it.
    assert (await revisions.state(notebook, second.seq))[1] == second.content_hash
    other = zstandard.compress(Document().lacking(None))
    for seq in (1, first.seq):
        await damage(library, notebook, seq, lambda _payload: other)
    with pytest.raises(Unavailable) as refused:
        await revisions.shot(notebook, second.number)

    assert refused.value.code == "revision_damaged"
    assert (await library.notebooks.open(notebook)).document.digest() == writing.digests[writing.typing.lane.head]
    assert await revisions.make(notebook, RevisionKind.NAMED, user=ADA, label="after") is not None


async def damage(library: Library, notebook: NotebookId, seq: int, by: Callable[[bytes], bytes]) -> None:
    kept = store.doc_snapshot
    this = sa.and_(kept.c.doc_id == notebook, kept.c.seq == seq)
    async with library.database.write() as tx:
        payload = (await tx.execute(sa.select(kept.c.payload_zstd).where(this))).scalar_one()
        await tx.execute(sa.update(kept).where(this).values(payload_zstd=by(bytes(payload))))


async def test_an_undo_in_a_copy_keeps_what_was_typed_since(library: Library) -> None:
    notebook, writing = await begun(library, seed=5)
    revisions = library.notebooks.revisions
    typing = writing.typing

    async def say(text: str) -> int:
        update = typing.document.edit(lambda editor: editor.set_source(CellId("c0"), text))
        assert update is not None
        seq = typing.lane.submit(update, Author(typing.document.client, ADA), "test")
        await typing.until(seq)
        return seq

    await say("one\ntwo\nthree\n")
    before = await say("one\nTWO\nthree\nfour\n")
    after = await say("one\ntwo\nthree\n")
    await say("zero\none\ntwo\nthree and more\n")
    was, _ = await revisions.state(notebook, before)
    then, _ = await revisions.state(notebook, after)
    fork = await revisions.fork(notebook, after, lambda editor: undo_into(editor, was, then, user=ADA, now=1))
    assert fork is not None

    typing.document.join(fork.update)

    text = typing.source()
    assert "TWO" in text
    assert "four" in text
    assert text.startswith("zero\n")
    assert "and more" in text


async def test_what_one_cell_said_over_time_with_its_authors(library: Library) -> None:
    notebook, writing = await begun(library)
    typing = writing.typing
    for user, text in ((ADA, "a"), (ADA, "ab"), (BOB, "abc"), (ADA, "abcd")):
        update = typing.document.edit(partial(Editor.set_source, cell=CellId("c0"), source=text))
        assert update is not None
        typing.lane.submit(update, Author(typing.document.client, user), "test")
    await typing.until(typing.lane.head)
    await library.notebooks.compact(notebook)

    versions = await library.notebooks.revisions.versions(notebook, CellId("c0"))

    assert [(one.source, one.user) for one in versions] == [("x = 1", None), ("ab", ADA), ("abc", BOB), ("abcd", ADA)]
    assert await library.notebooks.revisions.versions(notebook, CellId("no-such")) == []


async def test_a_deleted_notebook_takes_its_revisions_with_it(library: Library) -> None:
    notebook, writing = await begun(library)
    await writing.edits(3)
    await library.notebooks.revisions.make(notebook, RevisionKind.NAMED, user=ADA, label="x")
    async with library.database.write() as tx:
        await library.notebooks.forget(tx, [notebook])  # type: ignore[list-item]

    assert await library.notebooks.revisions.listed(notebook, before=None, limit=9) == []
    with pytest.raises(NotFound):
        await library.notebooks.revisions.make(notebook, RevisionKind.AUTO)


def test_hostile_labels_are_refused_and_others_are_trimmed() -> None:
    assert parsed_label("  Handed \n in ") == "Handed in"
    assert parsed_label(" \t ") is None
    assert parsed_label("<img src=x onerror=alert(1)>") == "<img src=x onerror=alert(1)>"
    for hostile in ("x" * 201, "a\u202eb", "nul\0", "\ud800"):
        with pytest.raises(Invalid):
            parsed_label(hostile)
