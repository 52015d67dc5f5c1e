"""Three versions of a notebook become one: what a client had, what it made of it, and what others made meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, TypeVar

from collegium.ground.ids import CellId
from collegium.notebooks.model import Cell, Content

T = TypeVar("T")

Edit = tuple[int, int, list[str]]
"""These lines of the base (from, up to) became those."""


def merged(base: Content, current: Content, wanted: Content) -> Content:
    """What `wanted` changed of `base`, done to `current`.

    What the client did not touch stays as others have it. Where both changed one cell, lines are merged; where both
    changed the same lines, the client's stand. A cell that one deleted and another changed stays.
    """
    old, now, new = ({cell.id: cell for cell in content.shown} for content in (base, current, wanted))
    cells: dict[CellId, Cell] = {}
    for id in now.keys() | new.keys():
        cell = _cell(old.get(id), now.get(id), new.get(id))
        if cell is not None:
            cells[id] = cell
    order = _order(list(old), list(now), list(new), set(cells))
    metadata = _keys(base.metadata, current.metadata, wanted.metadata)
    return Content(tuple(cells[id] for id in order), metadata, current.nbformat_minor)


def _same(one: Cell, other: Cell) -> bool:
    return replace(one, position="") == replace(other, position="")


def _cell(old: Cell | None, now: Cell | None, new: Cell | None) -> Cell | None:
    if now is None or new is None:
        only = now or new
        assert only is not None
        # Deleted by one of the two: it stays if the other made something else of it, or made it at all.
        return None if old is not None and _same(old, only) else only
    if old is None:
        return new
    return Cell(
        new.id,
        new.type if new.type != old.type else now.type,
        now.position,
        _text(old.source, now.source, new.source),
        _keys(old.metadata, now.metadata, new.metadata),
        _keys(old.attachments, now.attachments, new.attachments),
    )


def _keys(old: dict[str, Any], now: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    result = dict(now)
    for key in old.keys() | new.keys():
        if old.get(key) != new.get(key) or (key in old) != (key in new):
            if key in new:
                result[key] = new[key]
            else:
                result.pop(key, None)
    return result


def _order(old: Sequence[CellId], now: Sequence[CellId], new: Sequence[CellId], kept: set[CellId]) -> list[CellId]:
    """The client's order if it moved cells, else the one of now; each cell that is missing there follows its own
    neighbour."""
    common = set(old) & set(new)
    moved = [id for id in old if id in common] != [id for id in new if id in common]
    first, second = (new, now) if moved else (now, new)
    order = [id for id in first if id in kept]
    for index, id in enumerate(second):
        if id in kept and id not in order:
            before = next((one for one in reversed(second[:index]) if one in order), None)
            order.insert(0 if before is None else order.index(before) + 1, id)
    return order


def _text(old: str, now: str, new: str) -> str:
    if new in (old, now):
        return now
    if now == old:
        return new
    lines = old.splitlines(keepends=True)
    ours, theirs = _edits(lines, now.splitlines(keepends=True)), _edits(lines, new.splitlines(keepends=True))
    if any(_touch(one, other) for one in ours for other in theirs if one != other):
        return new
    result = list(lines)
    for start, end, instead in sorted({(a, b, tuple(c)) for a, b, c in ours + theirs}, reverse=True):
        result[start:end] = instead
    return "".join(line if line.endswith("\n") or index == len(result) - 1 else line + "\n"
                   for index, line in enumerate(result))  # fmt: skip


def _edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [(i, j, list(new[k:m])) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]


def _touch(one: Edit, other: Edit) -> bool:
    return one[0] == other[0] or (one[0] < other[1] and other[0] < one[1])
