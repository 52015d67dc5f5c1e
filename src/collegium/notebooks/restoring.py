"""A past state brought back into a live document, by the smallest edits; and that taken back again."""

from collections.abc import Collection
from dataclasses import replace

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.document import Editor
from collegium.notebooks.merging import merge_into
from collegium.notebooks.model import Cell, Content


def restore_into(
    editor: Editor, wanted: Content, *, cells: Collection[CellId] | None = None, user: str, now: int
) -> None:
    """Make the document show what it showed then; or only these cells, and nothing else of it.

    A cell that was not there then goes to the notebook's trash; one that is there stays where people put it since.
    """
    if cells is None:
        merge_into(editor, replace(wanted, cells=wanted.shown), user=user, now=now)
        return
    then = {cell.id: cell for cell in wanted.shown}
    have = {cell.id: cell for cell in editor.content().cells}
    for id in dict.fromkeys(cells):
        old, cell = have.get(id), then.get(id)
        if cell is None:
            if old is not None and old.deleted is None:
                editor.set_deleted(id, {"by": user, "at": now})
        elif old is None:
            editor.add(replace(cell, position=_place(cell, wanted, editor.content()), deleted=None))
        else:
            _say(editor, old, replace(cell, position=old.position))


def undo_into(editor: Editor, before: Content, after: Content, *, user: str, now: int) -> None:
    """In a copy that says `after`, make what the restore changed say `before` again."""
    was = {cell.id: cell for cell in before.cells}
    for cell in after.cells:
        old = was.get(cell.id)
        if old is not None:
            _say(editor, cell, old)
        elif cell.deleted is None:
            editor.set_deleted(cell.id, {"by": user, "at": now})
    editor.set_metadata(before.metadata)


def _say(editor: Editor, old: Cell, new: Cell) -> None:
    editor.set_deleted(old.id, new.deleted)
    editor.set_type(old.id, new.type)
    editor.set_position(old.id, new.position)
    if old.source != new.source:
        editor.set_source(old.id, new.source)
    if old.metadata != new.metadata:
        editor.set_cell_metadata(old.id, new.metadata)
    if old.attachments != new.attachments:
        editor.set_attachments(old.id, new.attachments)


def _place(cell: Cell, wanted: Content, now: Content) -> str:
    """A key behind the cell that stood before it then, as far as that is still there."""
    order = [one.id for one in wanted.shown]
    here = {one.id: index for index, one in enumerate(now.cells)}
    before = next((id for id in reversed(order[: order.index(cell.id)]) if id in here), None)
    at = -1 if before is None else here[before]
    low = now.cells[at].position if at >= 0 else ""
    # Two cells may have the same key: what follows is the next key that is another.
    high = next((one.position for one in now.cells[at + 1 :] if one.position > low), None)
    return positions.between(low, high)
