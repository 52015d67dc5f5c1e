"""Which cell of a file is which cell of the notebook, where ids do not say so: some tools drop or renew them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from collegium.ground.ids import CellId
from collegium.notebooks.model import Cell
from collegium.notebooks.sequences import hunks, rising

WORD = re.compile(r"\w+|[^\w\s]")
SIMILAR_MIN = 0.5
"""So much of two cells' words must be the same, for one to be the other; or of their letters, if they stand alone in
the same place."""
COMMON_WORD_CELLS_MAX = 12
"""A word that more cells have tells nothing."""
COMPARED_CHARACTERS_MAX = 150
SAME_PLACE_CELLS_MAX = 200


def aligned(base: Sequence[Cell], live: Sequence[Cell], wanted: Sequence[Cell]) -> dict[CellId, CellId]:
    """For cells of `wanted` whose id nobody knows, the cell of `base` that they must be.

    Equal ones in their order first, then equal ones that were moved, then similar ones, then those that stand alone
    between the same neighbours. Those left may be equal to cells that came to `live` since.
    """
    then, wanted_ids = {cell.id for cell in base}, {cell.id for cell in wanted}
    ids = then | {cell.id for cell in live}
    strange = [cell for cell in wanted if cell.id not in ids]
    if not strange:
        return {}
    lost = [cell for cell in base if cell.id not in wanted_ids]
    found = _equal(lost, strange)
    _similar(_without(lost, found.values()), _without(strange, found), found)
    _in_the_same_place(base, wanted, {cell.id for cell in strange}, found)
    known = then | wanted_ids
    later = [cell for cell in live if cell.id not in known and cell.deleted is None]
    return found | _equal(later, _without(strange, found))


def _without(cells: Sequence[Cell], taken: Iterable[CellId]) -> list[Cell]:
    gone = set(taken)
    return [cell for cell in cells if cell.id not in gone]


def _said(cell: Cell) -> tuple[str, str]:
    return cell.type, cell.source


def _equal(lost: Sequence[Cell], strange: Sequence[Cell]) -> dict[CellId, CellId]:
    found: dict[CellId, CellId] = {}
    at = other = 0
    for hunk in [*hunks([_said(cell) for cell in lost], [_said(cell) for cell in strange]), None]:
        end = len(lost) if hunk is None else hunk.start
        for cell, partner in zip(lost[at:end], strange[other : other + end - at], strict=True):
            found[partner.id] = cell.id
        if hunk is not None:
            at, other = hunk.end, other + (end - at) + len(hunk.new)
    rest = defaultdict[tuple[str, str], list[Cell]](list)
    for cell in reversed(_without(lost, found.values())):
        rest[_said(cell)].append(cell)
    for partner in _without(strange, found):
        # Empty cells are all alike: their order alone tells them apart.
        if partner.source.strip() and rest[_said(partner)]:
            found[partner.id] = rest[_said(partner)].pop().id
    return found


def _similar(lost: Sequence[Cell], strange: Sequence[Cell], found: dict[CellId, CellId]) -> None:
    words = [Counter(WORD.findall(cell.source)) for cell in lost]
    having = defaultdict[str, list[int]](list)
    for index, counts in enumerate(words):
        for word in counts:
            having[word].append(index)
    pairs: list[tuple[float, int, int]] = []
    for number, cell in enumerate(strange):
        counts = Counter(WORD.findall(cell.source))
        candidates = {index for word in counts if len(having[word]) <= COMMON_WORD_CELLS_MAX for index in having[word]}
        for index in candidates:
            score = 2 * (counts & words[index]).total() / (counts.total() + words[index].total())
            if score >= SIMILAR_MIN:
                pairs.append((-score - (0.1 if lost[index].type == cell.type else 0), number, index))
    taken: set[int] = set()
    for _, number, index in sorted(pairs):
        if strange[number].id not in found and index not in taken:
            taken.add(index)
            found[strange[number].id] = lost[index].id


def _in_the_same_place(
    base: Sequence[Cell], wanted: Sequence[Cell], strange: set[CellId], found: dict[CellId, CellId]
) -> None:
    """Between two neighbours that are known, as many cells unknown here as there: they are the same, if of one type
    and not wholly different."""
    places = {cell.id: index for index, cell in enumerate(base)}
    known = [(number, places[found.get(cell.id, cell.id)])
             for number, cell in enumerate(wanted) if found.get(cell.id, cell.id) in places]  # fmt: skip
    taken = {index for _, index in known}
    fixed = [known[index] for index in rising([place for _, place in known])]
    low = other_low = 0
    for number, place in [*fixed, (len(wanted), len(base))]:
        mine = [base[index] for index in range(low, place) if index not in taken]
        theirs = [cell for cell in wanted[other_low:number] if cell.id in strange and cell.id not in found]
        low, other_low = place + 1, number + 1
        if len(mine) != len(theirs) or len(mine) > SAME_PLACE_CELLS_MAX:
            continue
        for cell, partner in zip(mine, theirs, strict=True):
            if cell.type == partner.type and _is_like(cell.source, partner.source):
                found[partner.id] = cell.id


def _is_like(one: str, other: str) -> bool:
    one, other = one[:COMPARED_CHARACTERS_MAX], other[:COMPARED_CHARACTERS_MAX]
    if not one.strip() or not other.strip():
        return True
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= SIMILAR_MIN and matcher.ratio() >= SIMILAR_MIN
