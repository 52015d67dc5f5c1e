"""A file that comes into a notebook changes what differs, and nothing else."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.document import Document, differences
from collegium.notebooks.merging import merge_into
from collegium.notebooks.model import Cell, Content


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
