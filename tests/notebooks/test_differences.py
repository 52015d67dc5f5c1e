"""Differences of two notebooks: keyed by cell, then by what cells say, and found in time."""

import random
import time
from dataclasses import replace

from collegium.ground.ids import CellId
from collegium.notebooks.differences import Difference, Side, compared
from collegium.notebooks.model import Cell, CellOutputs, Content
from collegium.notebooks.positions import evenly


def notebook(*sources: tuple[str, str] | str, **metadata: object) -> Side:
    """A notebook of code cells, by their source alone or by id and source."""
    named = [one if isinstance(one, tuple) else (f"c{n}", one) for n, one in enumerate(sources)]
    keys = evenly(len(named))
    cells = [Cell(CellId(id), "code", key, source) for key, (id, source) in zip(keys, named, strict=True)]
    return Side(Content(tuple(cells), dict(metadata)), {})


def seen(found: Difference) -> list[str]:
    """Each cell in one word."""
    words = []
    for cell in found.cells:
        one = cell.after or cell.before
        assert one is not None
        words.append(("moved " if cell.moved else "") + f"{cell.status}:{one.id}")
    return words


def test_cells_that_came_went_changed_and_moved_are_told_apart() -> None:
    before = notebook(("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
    after = notebook(("d", "4"), ("a", "1"), ("x", "9"), ("c", "33"))

    assert seen(compared(before, after)) == ["moved changed:d", "same:a", "deleted:b", "added:x", "changed:c"]


def test_nothing_differs_from_itself() -> None:
    one = notebook("a", "b", "c", tags=1)

    found = compared(one, one)
    assert seen(found) == ["same:c0", "same:c1", "same:c2"]
    assert not found.metadata_changed


def test_each_part_that_changed_is_named() -> None:
    before = notebook("x = 1", kernel="python3")
    cell = before.content.cells[0]
    changed = replace(cell, type="markdown", metadata={"tags": ["a"]}, attachments={"a": {}}, source="x = 2")
    after = Side(
        Content((changed,), {"kernel": "ir"}),
        {cell.id: CellOutputs([{"output_type": "stream", "name": "stdout", "text": "1"}])},
    )

    found = compared(before, after)
    assert found.cells[0].changes == ("source", "type", "metadata", "attachments", "outputs")
    assert found.metadata_changed


def test_the_same_output_of_another_run_is_no_difference() -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": 1}
    one, other = notebook("1"), notebook("1")
    one.outputs[CellId("c0")] = CellOutputs([result], 1)
    other.outputs[CellId("c0")] = CellOutputs([result | {"execution_count": 7}], 7)

    assert seen(compared(one, other)) == ["same:c0"]


def test_lines_and_words_that_differ_are_where_they_are_said_to_be() -> None:
    before, after = "import os\nprint(größe, 📊)\nend\n", "import os\nprint(weite, 📊, 2)\nend\nmore\n"
    (cell,) = compared(notebook(before), notebook(after)).cells
    replaced, added = cell.pieces

    assert (replaced.before, replaced.after) == ((1, 2), (1, 2))
    line_before, line_after = before.splitlines(keepends=True)[1], after.splitlines(keepends=True)[1]
    assert [line_before[low:high] for low, high in replaced.words_before] == ["größe"]
    assert "".join(line_after[low:high] for low, high in replaced.words_after) == "weite, 2"
    assert (added.before, added.after) == ((3, 3), (3, 4))


def test_random_pieces_turn_the_one_text_into_the_other() -> None:
    chance = random.Random(3)
    for _ in range(200):
        old = [f"{chance.randrange(6)}\n" for _ in range(chance.randrange(12))]
        new = [f"{chance.randrange(6)}\n" for _ in range(chance.randrange(12))]
        (cell,) = compared(notebook("".join(old)), notebook("".join(new))).cells
        made, at = [], 0
        for piece in cell.pieces:
            made += old[at : piece.before[0]] + new[slice(*piece.after)]
            at = piece.before[1]

        assert made + old[at:] == new


def test_cells_without_common_ids_are_matched_by_what_they_say() -> None:
    before = notebook(
        ("a", "import numpy as np\nimport pandas as pd"), ("b", "df = pd.read_csv('x')"), ("c", "df.head()")
    )
    after = notebook(
        ("q", "# new"),
        ("r", "import numpy as np\nimport pandas as pd"),
        ("s", "df = pd.read_csv('y')"),
        ("t", "df.head()"),
    )

    assert seen(compared(before, after, similar=True)) == ["added:q", "same:r", "changed:s", "same:t"]
    assert [one.split(":")[0] for one in seen(compared(before, after))].count("deleted") == 3


def test_a_thousand_cells_are_compared_in_time() -> None:
    chance = random.Random(1)
    words = [f"word{n}" for n in range(400)]
    sources = ["\n".join(" ".join(chance.choices(words, k=8)) for _ in range(10)) for _ in range(1_000)]
    edited = list(sources)
    for number in chance.sample(range(1_000), 60):
        edited[number] = edited[number].replace("word1", "other", 3) + "\nmore"
    before, after = notebook(*sources), notebook(*edited)
    stranger = notebook(*[(f"x{n}", text) for n, text in enumerate(edited)])

    took = min(_seconds(before, after, similar=False) for _ in range(3))
    assert took < 0.5, "typically 20 ms; this machine may be busy"
    assert _seconds(before, stranger, similar=True) < 5


def test_hostile_texts_cost_no_more_than_is_allowed() -> None:
    one = notebook(*["a\nb\n" * 3_000 for _ in range(30)])
    other = notebook(*["b\na\nc\n" * 2_000 for _ in range(30)])
    empty = notebook(*[(f"a{n}", "") for n in range(3_000)])
    empties = notebook(*[(f"b{n}", "") for n in range(3_000)])

    began = time.process_time()
    compared(one, other)
    compared(empty, empties, similar=True)
    assert time.process_time() - began < 10


def _seconds(before: Side, after: Side, *, similar: bool) -> float:
    began = time.process_time()
    compared(before, after, similar=similar)
    return time.process_time() - began
