"""A file brought into a notebook that may be open: cell by cell and change by change, never overwriting it."""

from bisect import bisect_left

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.document import Editor
from collegium.notebooks.model import Cell, Content


def merge_into(editor: Editor, wanted: Content, *, user: str, now: int) -> None:
    """Make the document say what the file says, with the smallest edits.

    Cells are matched by id. A cell that the file lacks goes to the notebook's trash, from which it can be taken back;
    a cell that stays where it is among the others keeps its position and its text keeps all that is equal.
    """
    have = {cell.id: cell for cell in editor.content().cells}
    keys = _positions(wanted, have)
    for cell in wanted.cells:
        old = have.get(cell.id)
        if old is None:
            editor.add(Cell(cell.id, cell.type, keys[cell.id], cell.source, cell.metadata, cell.attachments))
        else:
            _change(editor, old, cell, keys[cell.id])
    kept = {cell.id for cell in wanted.cells}
    for old in have.values():
        if old.id not in kept and old.deleted is None:
            editor.set_deleted(old.id, {"by": user, "at": now})
    editor.set_metadata(wanted.metadata)


def _change(editor: Editor, old: Cell, new: Cell, position: str) -> None:
    if old.deleted is not None:
        editor.set_deleted(old.id, None)
    if old.type != new.type:
        editor.set_type(old.id, new.type)
    if old.position != position:
        editor.set_position(old.id, position)
    if old.source != new.source:
        editor.set_source(old.id, new.source)
    if old.metadata != new.metadata:
        editor.set_cell_metadata(old.id, new.metadata)
    if old.attachments != new.attachments:
        editor.set_attachments(old.id, new.attachments)


def _positions(wanted: Content, have: dict[CellId, Cell]) -> dict[CellId, str]:
    """A key for each cell in the file's order, keeping those of the longest run that is in order already."""
    order = [cell.id for cell in wanted.cells]
    fixed = _longest_rising([(id, have[id].position) for id in order if id in have])
    keys: dict[CellId, str] = {}
    low, waiting = "", list[CellId]()
    for id in order:
        if id not in fixed:
            waiting.append(id)
            continue
        key = have[id].position
        keys.update(zip(waiting, positions.spread(low, key, len(waiting)), strict=True))
        keys[id] = low = key
        waiting = []
    keys.update(zip(waiting, positions.spread(low, None, len(waiting)), strict=True))
    return keys


def _longest_rising(cells: list[tuple[CellId, str]]) -> set[CellId]:
    """The most cells whose keys rise strictly, so that the fewest move."""
    tops: list[str] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, key) in enumerate(cells):
        at = bisect_left(tops, key)
        tops[at : at + 1], ends[at : at + 1] = [key], [index]
        before.append(ends[at - 1] if at else -1)
    found: set[CellId] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        found.add(cells[index][0])
        index = before[index]
    return found
