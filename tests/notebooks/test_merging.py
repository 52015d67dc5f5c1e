"""A file that comes into a notebook changes what differs, and nothing else."""

import random
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.document import Document, differences
from collegium.notebooks.lines import applied, three_way
from collegium.notebooks.merging import Merge, merge_into
from collegium.notebooks.merging import merged as merge_three
from collegium.notebooks.model import Cell, Content
from collegium.notebooks.overlaps import Overlap, resolving
from collegium.notebooks.sequences import hunks


def content(*sources: tuple[str, str]) -> Content:
    places = positions.evenly(len(sources))
    return Content(
        tuple(Cell(CellId(id), "code", place, text) for (id, text), place in zip(sources, places, strict=True))
    )


def merged(before: Content, wanted: Content) -> tuple[Document, bytes | None]:
    document = Document.of(before)
    update = document.edit(lambda editor: merge_into(editor, wanted, user="ada", now=1))
    return document, update


def said(document: Document) -> list[tuple[str, str]]:
    return [(cell.id, cell.source) for cell in document.content().shown]


def test_the_same_file_changes_nothing() -> None:
    before = content(("a", "x"), ("b", "y"))

    assert merged(before, before)[1] is None


def test_one_changed_character_is_a_small_update() -> None:
    text = "print('📊')\n" * 2_000
    _, update = merged(content(("a", text)), content(("a", text.replace("print", "Print", 1))))

    assert update is not None
    assert len(update) < 60


def test_a_lacking_cell_goes_to_the_trash_and_comes_back_with_the_file() -> None:
    before = content(("a", "x"), ("b", "y"))
    document, _ = merged(before, content(("a", "x")))
    assert said(document) == [("a", "x")]
    assert [cell.deleted for cell in document.content().cells if cell.id == "b"] == [{"by": "ada", "at": 1}]

    document.edit(lambda editor: merge_into(editor, before, user="ada", now=2))
    assert said(document) == [("a", "x"), ("b", "y")]


def test_moving_one_cell_changes_one_position() -> None:
    before = content(*((f"c{n}", str(n)) for n in range(50)))
    order = list(before.cells)
    order.insert(3, order.pop(40))
    document, _ = merged(before, Content(tuple(order)))

    assert [id for id, _ in said(document)] == [cell.id for cell in order]
    places = {cell.id: cell.position for cell in before.cells}
    assert sum(places[cell.id] != cell.position for cell in document.content().cells) == 1


@given(st.integers(0, 10_000))
def test_any_file_is_what_the_notebook_says_afterwards(seed: int) -> None:
    chance = random.Random(seed)
    before = content(*((f"c{n}", f"line {n}\n📊\n" * chance.randint(0, 4)) for n in range(chance.randint(0, 6))))
    cells = [cell for cell in before.cells if chance.random() < 0.7]
    chance.shuffle(cells)
    changed = [replace(c, source=c.source.replace("e", "É", 1)) if chance.random() < 0.5 else c for c in cells]
    for n in range(chance.randint(0, 3)):
        changed.insert(chance.randint(0, len(changed)), Cell(CellId(f"n{n}"), "markdown", "V", "new", {"k": n}))
    wanted = Content(tuple(changed), {"title": "t"})
    document, _ = merged(before, wanted)

    assert said(document) == [(cell.id, cell.source) for cell in wanted.cells]
    assert document.content().metadata == {"title": "t"}
    assert Document.load([document.lacking(None)]).digest() == document.digest()


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_differences_lead_from_one_text_to_the_other(old: str, new: str) -> None:
    text = old
    for start, end, replacement in reversed(differences(old, new)):
        text = text[:start] + replacement + text[end:]

    assert text == new


def three(
    base: Content, live: Content, wanted: Content, *, known: bool = True, sure: bool = True
) -> tuple[Document, Merge]:
    """The notebook, which began as `base` and is `live` now, after the file was brought in."""
    document = Document.of(live)
    merge = merge_three(base if known else None, live, wanted, sure=sure)
    assert merge.stands(live)
    document.edit(lambda editor: merge.apply(editor, user="ada", now=1))
    return document, merge


def met(merge: Merge) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(one.cell, one.base, one.ours, one.theirs) for one in merge.overlaps]


def test_what_only_the_file_changed_is_done_and_what_only_people_changed_stays() -> None:
    base = content(("a", "one\ntwo\nthree"), ("b", "x"))
    live = content(("a", "ONE\ntwo\nthree"), ("b", "x"), ("n", "new here"))
    wanted = content(("a", "one\ntwo\nTHREE\nfour"), ("b", "y"), ("m", "new there"))
    document, merge = three(base, live, wanted)

    assert said(document) == [("a", "ONE\ntwo\nTHREE\nfour"), ("b", "y"), ("m", "new there"), ("n", "new here")]
    assert met(merge) == []


def test_lines_that_both_changed_stay_as_they_are_here_and_are_an_overlap() -> None:
    base, live, wanted = content(("a", "x = 1\ny")), content(("a", "x = 2\ny")), content(("a", "x = 3\ny\nz"))
    document, merge = three(base, live, wanted)

    assert said(document) == [("a", "x = 2\ny\nz")]
    assert met(merge) == [("a", "x = 1\ny", "x = 2\ny", "x = 3\ny\nz")]


@pytest.mark.parametrize(
    ("choice", "becomes"), [("keep", "x = 2\ny!\nz"), ("take", "x = 3\ny!\nz"), ("both", "x = 2\nx = 3\ny!\nz")]
)
def test_a_choice_is_made_against_what_is_there_by_then(choice: Any, becomes: str) -> None:
    overlap = Overlap(CellId("a"), "x = 1\ny\n", "x = 2\ny\n", "x = 3\ny\n")
    live = "x = 2\ny!\nz"

    assert applied(live, resolving(overlap, live, choice, None)) == becomes


def test_a_cell_that_one_deleted_and_the_other_edited_stays_and_is_an_overlap() -> None:
    base = content(("a", "x"), ("b", "y"), ("c", "z"))
    live = Content(
        (replace(base.cells[0], deleted={"by": "u", "at": 1}), replace(base.cells[1], source="y!"), base.cells[2])
    )
    wanted = content(("a", "x?"), ("c", "z"))
    document, merge = three(base, live, wanted)

    assert said(document) == [("a", "x?"), ("b", "y!"), ("c", "z")]
    assert met(merge) == [("a", "x", None, "x?"), ("b", "y", "y!", None)]


def test_a_cell_that_both_deleted_or_one_left_alone_is_gone() -> None:
    base = content(("a", "x"), ("b", "y"), ("c", "z"))
    live = Content((replace(base.cells[0], deleted={"by": "u", "at": 1}), *base.cells[1:]))
    document, merge = three(base, live, content(("c", "z")))

    assert said(document) == [("c", "z")]
    assert met(merge) == []


def test_cells_without_their_ids_are_found_again() -> None:
    base = content(
        ("a", "import numpy as np"), ("b", "data = load()\nplot(data)"), ("c", ""), ("d", "1 + 1"), ("e", "same")
    )
    wanted = content(
        ("v", "same"),
        ("w", "import numpy as np"),
        ("x", "data = load()\nplot(data, color='red')"),
        ("y", ""),
        ("z", "1 + 2"),
    )
    document, merge = three(base, base, wanted)

    assert said(document) == [
        ("e", "same"),
        ("a", "import numpy as np"),
        ("b", "data = load()\nplot(data, color='red')"),
        ("c", ""),
        ("d", "1 + 2"),
    ]
    assert [cell.id for cell in merge.content.cells] == ["e", "a", "b", "c", "d"]


def test_a_file_whose_base_nobody_knows_takes_nothing_away() -> None:
    live = content(("a", "one\ntwo"), ("b", "only here"))
    document, merge = three(live, live, content(("a", "one\nTWO\n\nmore"), ("n", "new")), known=False)

    assert said(document) == [("a", "one\ntwo"), ("n", "new"), ("b", "only here")]
    assert met(merge) == [("a", None, "one\ntwo", "one\nTWO\n\nmore"), ("b", None, "only here", None)]


def test_people_and_the_file_may_move_different_cells() -> None:
    base = content(*((f"c{n}", str(n)) for n in range(8)))
    order = {cell.id: cell for cell in base.cells}
    moved = sorted(base.cells, key=lambda cell: (cell.id != "c7", cell.id))
    places = positions.evenly(8)
    live = Content(tuple(replace(cell, position=place) for cell, place in zip(moved, places, strict=True)))
    document, _ = three(base, live, Content(tuple(order[f"c{n}"] for n in (0, 1, 3, 4, 5, 2, 6, 7))))  # type: ignore[index]

    assert [id for id, _ in said(document)] == ["c7", "c0", "c1", "c3", "c4", "c5", "c2", "c6"]


def test_metadata_is_merged_key_by_key_and_ours_stands_where_both_changed_it() -> None:
    def with_metadata(metadata: dict[str, Any]) -> Content:
        return Content((Cell(CellId("a"), "code", "V", "x", metadata),), metadata)

    base, live = with_metadata({"t": {"a": 1, "b": 1}, "gone": 1}), with_metadata({"t": {"a": 2, "b": 1}, "gone": 1})
    document, _ = three(base, live, with_metadata({"t": {"a": 3, "b": 4}, "new": [1]}))

    assert document.content().cells[0].metadata == {"t": {"a": 2, "b": 4}, "new": [1]}
    assert document.content().metadata == {"t": {"a": 2, "b": 4}, "new": [1]}


def test_a_merge_stands_only_while_the_cells_it_touches_are_as_they_were() -> None:
    base = content(("a", "x"), ("b", "y"))
    merge = merge_three(base, base, content(("a", "x!"), ("b", "y")))

    first, second = base.cells
    assert merge.stands(Content((first, replace(second, source="changed"), replace(first, id=CellId("n")))))
    assert not merge.stands(Content((replace(first, source="changed"), second)))


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "📊", "x = 1"]), max_size=7).map("\n".join)


@given(LINES, LINES, LINES)
def test_every_line_of_both_is_in_the_text_or_in_an_overlap(base: str, live: str, theirs: str) -> None:
    result = three_way(base, live, theirs)
    text = applied(live, result.edits)
    if not result.overlaps:
        assert three_way(base, theirs, live).overlaps is False
        old = Counter(base.split("\n"))
        lines, expected = (
            Counter(text.split("\n")),
            (Counter(live.split("\n")) - old) | (Counter(theirs.split("\n")) - old),
        )
        assert not {line for line in expected if line and not lines[line]}
    assert applied(live, three_way(live, live, theirs).edits) == theirs
    if live == base:
        assert text == theirs
    if theirs == base:
        assert text == live


@given(st.text("ab\n", max_size=60), st.text("ab\n", max_size=60))
def test_hunks_lead_from_one_sequence_to_the_other(old: str, new: str) -> None:
    result = list(old)
    for hunk in reversed(hunks(old, new)):
        result[hunk.start : hunk.end] = hunk.new

    assert "".join(result) == new


def test_texts_made_to_be_slow_are_merged_in_bounded_time() -> None:
    many = "\n".join(["same", ""] * 20_000)
    started = time.monotonic()
    three_way(many, many.replace("same", "here", 10_000), "\n".join(f"{n % 7}" for n in range(40_000)))
    words = " ".join(str(n % 50) for n in range(300))
    cells = [(f"c{n}", f"{words} {n % 100}") for n in range(1_000)]
    merge_three(
        content(*cells), content(*cells), content(*((f"x{n}", text + " more") for n, (_, text) in enumerate(cells)))
    )

    assert time.monotonic() - started < 10
