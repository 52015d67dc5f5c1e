"""Where a file from outside and what people wrote here changed the same, and what somebody decided about it."""

from dataclasses import dataclass
from typing import Literal

from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.notebooks import lines
from collegium.notebooks.lines import Edit

Resolution = Literal["keep", "take", "both", "edited"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Three sources of one cell: before, here, and in the file. `base` None: not known; `ours` or `theirs` None: that
    side deleted the cell."""

    cell: CellId
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class KeptOverlap:
    """An overlap as it is kept, with who brought the file, and what became of it."""

    id: str
    notebook: NotebookId
    overlap: Overlap
    origin: str
    by: UserId
    at: int
    resolved_by: UserId | None = None
    resolved_at: int | None = None
    resolution: Resolution | None = None


def resolving(overlap: Overlap, live: str, choice: Resolution, text: str | None) -> tuple[Edit, ...]:
    """What to do to the cell's text as it is now; what others wrote beside the overlap since then stays."""
    if choice == "edited":
        return tuple(lines.refined(live, 0, len(live), text or ""))
    if choice == "keep" or overlap.theirs is None:
        return ()
    favor: lines.Favor = "theirs" if choice == "take" else "both"
    base, ours, theirs = overlap.base, overlap.ours, overlap.theirs
    if ours is None:
        return () if base is None else lines.three_way(base, live, theirs, favor=favor).edits
    before, sure = (ours, False) if base is None else (base, True)
    left = lines.applied(ours, lines.three_way(before, ours, theirs, sure=sure).edits)
    wanted = lines.applied(ours, lines.three_way(before, ours, theirs, sure=sure, favor=favor).edits)
    return lines.three_way(left, live, wanted, favor=favor).edits


def trashes(overlap: Overlap, choice: Resolution) -> bool:
    """Whether this choice deletes the cell: the side that was chosen had done so."""
    return (choice == "keep" and overlap.ours is None) or (choice == "take" and overlap.theirs is None)
