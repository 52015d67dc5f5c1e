"""Two notebooks beside each other: which cells came, went, moved or changed, and which lines and words of them."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from collegium.ground.ids import CellId
from collegium.notebooks.model import Cell, CellOutputs, Content, Json, Output
from collegium.notebooks.sequences import common_ends, rising

LINES_MAX = 4_000
WORDS_MAX = 2_000
WORK_MAX = 2_000_000
"""Lines (or words) of one side times those of the other that are compared one by one, in all cells of a diff; what is
beyond is shown as replaced."""
ALIKE_MIN = 0.5
"""Two cells of different ids are the same one if so much of their words is the same."""
COMMON_WORD_MAX = 40
"""A word that so many cells have says nothing about which of them is meant."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Status = Literal["same", "changed", "added", "deleted"]
Part = Literal["source", "type", "metadata", "attachments", "outputs"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two notebooks, with what its cells show."""

    content: Content
    outputs: dict[CellId, CellOutputs]


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the texts differ: lines `before` (from, to) became lines `after`, and within them the words, as
    (from, to) in characters from the beginning of the first of these lines."""

    before: tuple[int, int]
    after: tuple[int, int]
    words_before: tuple[tuple[int, int], ...] = ()
    words_after: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CellDifference:
    """A cell on both sides; None: it is not there."""

    status: Status
    before: Cell | None
    after: Cell | None
    outputs_before: CellOutputs | None = None
    outputs_after: CellOutputs | None = None
    moved: bool = False
    changes: tuple[Part, ...] = ()
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The cells in the order of the newer notebook, those that went where they had been."""

    cells: tuple[CellDifference, ...]
    metadata_before: dict[str, Json] = field(default_factory=dict)
    metadata_after: dict[str, Json] = field(default_factory=dict)

    @property
    def metadata_changed(self) -> bool:
        """Whether the notebooks' own metadata differ."""
        return self.metadata_before != self.metadata_after


def compared(before: Side, after: Side, *, similar: bool = False) -> Difference:
    """The newer beside the older; cells are matched by their ids, and if `similar`, then by what they say."""
    old, new = before.content.shown, after.content.shown
    pairs = _by_id(old, new)
    if similar:
        pairs |= _by_likeness(old, new, pairs)
    order = [pairs[index] for index in sorted(pairs)]
    stay = {order[index] for index in rising(order)}
    gone: dict[int, list[Cell]] = defaultdict(list)
    # A cell that went is shown after the one that stood before it.
    behind = -1
    matched_old = {other: index for index, other in pairs.items()}
    for index, cell in enumerate(old):
        if index in matched_old:
            behind = matched_old[index]
        else:
            gone[behind].append(cell)
    work = _Work()
    found = [_gone(cell, before) for cell in gone[-1]]
    for index, cell in enumerate(new):
        if index in pairs:
            was = old[pairs[index]]
            moved = pairs[index] not in stay
            found.append(_pair(was, cell, before.outputs.get(was.id), after.outputs.get(cell.id), moved, work))
        else:
            found.append(CellDifference("added", None, cell, outputs_after=after.outputs.get(cell.id)))
        found += [_gone(cell, before) for cell in gone[index]]
    return Difference(tuple(found), before.content.metadata, after.content.metadata)


def _gone(cell: Cell, before: Side) -> CellDifference:
    return CellDifference("deleted", cell, None, outputs_before=before.outputs.get(cell.id))


def _pair(
    was: Cell,
    cell: Cell,
    outputs_before: CellOutputs | None,
    outputs_after: CellOutputs | None,
    moved: bool,
    work: "_Work",
) -> CellDifference:
    changes: list[Part] = []
    if was.source != cell.source:
        changes.append("source")
    if was.type != cell.type:
        changes.append("type")
    if was.metadata != cell.metadata:
        changes.append("metadata")
    if was.attachments != cell.attachments:
        changes.append("attachments")
    if _shown(outputs_before) != _shown(outputs_after):
        changes.append("outputs")
    status: Status = "changed" if changes or moved else "same"
    pieces = work.pieces(was.source, cell.source) if "source" in changes else ()
    return CellDifference(status, was, cell, outputs_before, outputs_after, moved, tuple(changes), pieces)


def _shown(outputs: CellOutputs | None) -> list[Output]:
    """What is to be seen of outputs; the count is not."""
    left = [] if outputs is None else outputs.outputs
    return [{key: value for key, value in output.items() if key != "execution_count"} for output in left]


# --- which cell is which -----------------------------------------------------------------------------


def _by_id(old: Sequence[Cell], new: Sequence[Cell]) -> dict[int, int]:
    """The index in `old` by that in `new`."""
    known = {cell.id: index for index, cell in enumerate(old)}
    return {index: known[cell.id] for index, cell in enumerate(new) if cell.id in known}


def _by_likeness(old: Sequence[Cell], new: Sequence[Cell], pairs: dict[int, int]) -> dict[int, int]:
    """Of those that have no partner: equal ones first, in order; then the most alike."""
    taken = set(pairs.values())
    left_old = [index for index in range(len(old)) if index not in taken]
    left_new = [index for index in range(len(new)) if index not in pairs]
    found: dict[int, int] = {}
    equal = SequenceMatcher(None, [_key(old[i]) for i in left_old], [_key(new[i]) for i in left_new])
    for block in equal.get_matching_blocks():
        for step in range(block.size):
            found[left_new[block.b + step]] = left_old[block.a + step]
    used = set(found.values())
    left_old = [index for index in left_old if index not in used]
    left_new = [index for index in left_new if index not in found]
    for score, _, index, other in sorted(_likenesses(old, new, left_old, left_new)):
        if -score >= ALIKE_MIN and index not in found and other not in used:
            found[index] = other
            used.add(other)
    return found


def _key(cell: Cell) -> tuple[str, str]:
    return cell.type, cell.source


def _likenesses(
    old: Sequence[Cell], new: Sequence[Cell], left_old: list[int], left_new: list[int]
) -> list[tuple[float, int, int, int]]:
    """How much each two have in common, the most first when sorted; of equals those that stand closest."""
    words_old = {index: Counter(_words(old[index].source)) for index in left_old}
    words_new = {index: Counter(_words(new[index].source)) for index in left_new}
    holders: dict[str, list[int]] = defaultdict(list)
    for index, words in words_old.items():
        for word in words:
            holders[word].append(index)
    found: list[tuple[float, int, int, int]] = []
    for index, words in words_new.items():
        near = {
            other
            for word in words
            if len(holders.get(word, ())) <= COMMON_WORD_MAX
            for other in holders.get(word, ())
            if old[other].type == new[index].type
        }
        for other in near:
            common = sum((words & words_old[other]).values())
            score = 2 * common / max(1, words.total() + words_old[other].total())
            found.append((-score, abs(index - other), index, other))
    return found


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text[:20_000]) if word.isalnum() or "_" in word]


# --- which lines and words ---------------------------------------------------------------------------


class _Work:
    """Compares texts, until a diff has cost enough."""

    def __init__(self) -> None:
        self._left = WORK_MAX

    def pieces(self, before: str, after: str) -> tuple[Piece, ...]:
        """Where they differ, line by line, and word by word where lines were replaced."""
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        found = []
        for i1, i2, j1, j2 in self._changed(old, new, LINES_MAX):
            words_before: tuple[tuple[int, int], ...] = ()
            words_after: tuple[tuple[int, int], ...] = ()
            if i1 < i2 and j1 < j2:
                words_before, words_after = self._words("".join(old[i1:i2]), "".join(new[j1:j2]))
            found.append(Piece((i1, i2), (j1, j2), words_before, words_after))
        return tuple(found)

    def _words(self, before: str, after: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        old, new = _WORD.findall(before), _WORD.findall(after)
        starts_old, starts_new = _starts(old), _starts(new)
        changed = self._changed(old, new, WORDS_MAX)
        return (
            tuple((starts_old[i1], starts_old[i2]) for i1, i2, _, _ in changed if i1 < i2),
            tuple((starts_new[j1], starts_new[j2]) for _, _, j1, j2 in changed if j1 < j2),
        )

    def _changed(self, old: list[str], new: list[str], pieces_max: int) -> list[tuple[int, int, int, int]]:
        head, tail = common_ends(old, new)
        middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
        if not middle_old and not middle_new:
            return []
        cost = len(middle_old) * len(middle_new)
        if not cost or max(len(middle_old), len(middle_new)) > pieces_max or cost > self._left:
            return [(head, len(old) - tail, head, len(new) - tail)]
        self._left -= cost
        matcher = SequenceMatcher(None, middle_old, middle_new)
        return [
            (head + i1, head + i2, head + j1, head + j2)
            for tag, i1, i2, j1, j2 in matcher.get_opcodes()
            if tag != "equal"
        ]


def _starts(pieces: list[str]) -> list[int]:
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    return starts
