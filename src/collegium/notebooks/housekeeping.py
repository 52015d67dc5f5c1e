"""What a document needs now and then: cells that were deleted long ago go for good, and positions get room again."""

from collections.abc import Collection

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.document import Editor
from collegium.notebooks.model import Content

POSITION_LENGTH_WANTED = 64
"""A longer key means that many cells were put into one place: then all are spread evenly."""


def has_trash(content: Content) -> bool:
    """Whether there are deleted cells in it."""
    return any(cell.deleted is not None for cell in content.cells)


def overdue(then: Content, now: Content) -> list[CellId]:
    """The cells that were deleted then, and were left so until now."""
    deleted = {cell.id: cell.deleted for cell in then.cells if cell.deleted is not None}
    return [cell.id for cell in now.cells if cell.deleted is not None and deleted.get(cell.id) == cell.deleted]


def is_crowded(content: Content) -> bool:
    """Whether some cell's position has become too long."""
    return any(len(cell.position) > POSITION_LENGTH_WANTED for cell in content.cells)


def purge(editor: Editor, cells: Collection[CellId]) -> None:
    """Remove these cells for good, as far as they are still in the trash."""
    for cell in editor.content().cells:
        if cell.id in cells and cell.deleted is not None:
            editor.drop(cell.id)


def spread(editor: Editor) -> None:
    """Give the cells keys that are as far apart as they can be, in the order in which they stand."""
    cells = editor.content().cells
    for cell, position in zip(cells, positions.evenly(len(cells)), strict=True):
        editor.set_position(cell.id, position)
