"""A notebook file from outside brought into a notebook that others write in: three versions become one.

The file is compared with the version that it was made from (its base), and what it changed is done to the notebook as
it is now, by the smallest edits. Nothing is overwritten: what both changed stays as it is here, and the file's version
is an overlap, to be decided by a person. See docs/concepts/outside-changes.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collegium.ground.ids import CellId
from collegium.notebooks import positions
from collegium.notebooks.alignment import aligned
from collegium.notebooks.document import Editor
from collegium.notebooks.lines import Edit, three_way
from collegium.notebooks.model import Cell, CellType, Content, Json
from collegium.notebooks.overlaps import Overlap
from collegium.notebooks.sequences import rising


@dataclass(slots=True)
class Merge:
    """What is to be done to a notebook, as long as the cells it touches are those that were `seen`."""

    content: Content
    """What the file says, under the notebook's own cell ids."""
    adds: list[Cell] = field(default_factory=list)
    texts: dict[CellId, tuple[Edit, ...]] = field(default_factory=dict)
    types: dict[CellId, CellType] = field(default_factory=dict)
    metadata: dict[CellId, dict[str, Json]] = field(default_factory=dict)
    attachments: dict[CellId, dict[str, Json]] = field(default_factory=dict)
    trashed: list[CellId] = field(default_factory=list)
    restored: list[CellId] = field(default_factory=list)
    moved: dict[CellId, str] = field(default_factory=dict)
    own_metadata: dict[str, Json] | None = None
    overlaps: list[Overlap] = field(default_factory=list)
    seen: dict[CellId, Cell | None] = field(default_factory=dict)
    seen_metadata: dict[str, Json] = field(default_factory=dict)

    def stands(self, now: Content) -> bool:
        """Whether it can be done to the notebook as it is now: nothing that it touches has changed."""
        cells = {cell.id: cell for cell in now.cells}
        return (self.own_metadata is None or self.seen_metadata == now.metadata) and all(
            cells.get(id) == cell for id, cell in self.seen.items()
        )

    def apply(self, editor: Editor, *, user: str, now: int) -> None:
        """Do it."""
        for cell in self.adds:
            editor.add(cell)
        for id in self.restored:
            editor.set_deleted(id, None)
        for id, edits in self.texts.items():
            editor.splice_source(id, edits)
        for id, type in self.types.items():
            editor.set_type(id, type)
        for id, metadata in self.metadata.items():
            editor.set_cell_metadata(id, metadata)
        for id, attachments in self.attachments.items():
            editor.set_attachments(id, attachments)
        for id, position in self.moved.items():
            editor.set_position(id, position)
        for id in self.trashed:
            editor.set_deleted(id, {"by": user, "at": now})
        if self.own_metadata is not None:
            editor.set_metadata(self.own_metadata)


def merged(base: Content | None, live: Content, wanted: Content, *, sure: bool = True) -> Merge:
    """What `wanted` changed of `base`, to be done to `live`.

    Cells are matched by id, and where the file has other ids by what they say. A cell that one side deleted and the
    other edited stays, and is an overlap; so are lines that both changed. Of metadata and types that both changed,
    ours stand. `base` None, or not `sure`: nobody knows what the file was made from, or it is only likely, and
    whatever would take text away is an overlap too.
    """
    sure = sure and base is not None
    return _Merging(live if base is None else base, live, wanted, sure=sure, whole=False).run()


def merge_into(editor: Editor, wanted: Content, *, user: str, now: int, base: Content | None = None) -> Merge:
    """Make the document say what a content says, or, with a base, what was changed between the two."""
    live = editor.content()
    merge = _Merging(live if base is None else base, live, wanted, sure=True, whole=True).run()
    merge.apply(editor, user=user, now=now)
    return merge


def _plain(cell: Cell) -> Cell:
    """A cell as a file has it: attachments are for text alone."""
    return replace(cell, attachments={}) if cell.type == "code" and cell.attachments else cell


def _same(cell: Cell) -> Cell:
    return cell


class _Merging:
    """One merge, cell by cell."""

    def __init__(self, base: Content, live: Content, wanted: Content, *, sure: bool, whole: bool) -> None:
        self._sure = sure
        self._plain = _same if whole else _plain
        names = aligned(base.shown, live.cells, wanted.shown)
        self._wanted = [replace(self._plain(cell), id=names.get(cell.id, cell.id)) for cell in wanted.shown]
        self._base = {cell.id: self._plain(cell) for cell in base.shown}
        self._live = {cell.id: cell for cell in live.cells}
        self._content = live
        self._base_metadata, self._wanted_metadata = base.metadata, wanted.metadata
        self._merge = Merge(replace(wanted, cells=tuple(self._wanted)))

    def run(self) -> Merge:
        for cell in self._wanted:
            self._bring(cell)
        named = {cell.id for cell in self._wanted}
        for id, old in self._base.items():
            now = self._live.get(id)
            if id not in named and now is not None and now.deleted is None:
                self._miss(old, now)
        self._place()
        metadata = self._keys(self._base_metadata, self._content.metadata, self._wanted_metadata)
        if metadata != self._content.metadata:
            self._merge.own_metadata, self._merge.seen_metadata = metadata, self._content.metadata
        return self._merge

    def _touch(self, id: CellId) -> None:
        self._merge.seen[id] = self._live.get(id)

    def _overlap(self, old: Cell | None, now: Cell | None, new: Cell | None) -> None:
        cell = now or new
        assert cell is not None
        here = now is not None and now.deleted is None
        self._merge.overlaps.append(
            Overlap(
                cell.id,
                old.source if old is not None and self._sure else None,
                now.source if now is not None and here else None,
                new.source if new is not None else None,
            )
        )

    def _miss(self, old: Cell, now: Cell) -> None:
        """The file lacks a cell that is here."""
        edited = (old.source, old.type, old.attachments) != (now.source, now.type, self._plain(now).attachments)
        if self._sure and not edited:
            self._touch(now.id)
            self._merge.trashed.append(now.id)
        elif now.source.strip() or edited:
            self._touch(now.id)
            self._overlap(old, now, None)

    def _bring(self, new: Cell) -> None:
        """The file has a cell."""
        old, now = self._base.get(new.id), self._live.get(new.id)
        said_the_same = old is not None and (old.source, old.type) == (new.source, new.type)
        if now is None:
            if not said_the_same:
                self._touch(new.id)
                self._merge.adds.append(new)
                if old is not None:
                    self._overlap(old, None, new)
            return
        if now.deleted is not None:
            if said_the_same:
                return
            self._touch(now.id)
            self._merge.restored.append(now.id)
            if old is not None:
                self._overlap(old, now, new)
        self._change(old, now, new)

    def _change(self, old: Cell | None, now: Cell, new: Cell) -> None:
        if old is None:
            # In the trash before the file was made, and taken out by it; or made by both under one id.
            before = now.source if now.deleted is not None else ""
            old = replace(self._plain(now), source=before)
        result = three_way(old.source, now.source, new.source, sure=self._sure)
        if result.edits:
            self._touch(now.id)
            self._merge.texts[now.id] = result.edits
        if result.overlaps and now.deleted is None:
            self._touch(now.id)
            self._overlap(old, now, new)
        if new.type not in (old.type, now.type) and old.type == now.type:
            self._touch(now.id)
            self._merge.types[now.id] = new.type
        for key, kept in (("metadata", self._merge.metadata), ("attachments", self._merge.attachments)):
            before, live, wanted = (getattr(cell, key) for cell in (old, now, new))
            result_keys = self._keys(before, live, wanted)
            if result_keys != live:
                self._touch(now.id)
                kept[now.id] = result_keys

    def _keys(self, old: Mapping[str, Any], now: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
        """What the file changed, done to what is here; what both changed stays."""
        result = dict(now)
        for key in [*new, *(key for key in old if key not in new)]:
            before, here, there = (side.get(key, _ABSENT) for side in (old, now, new))
            if there in (before, here):
                continue
            if isinstance(there, dict) and isinstance(here, dict):
                result[key] = self._keys(before if isinstance(before, dict) else {}, here, there)
            elif here == before and there is not _ABSENT:
                result[key] = there
            elif here == before and self._sure:
                del result[key]
        return result

    def _place(self) -> None:
        """Where the cells stand: as they do here, and what the file moved or made after its neighbour in the file."""
        gone, back = set(self._merge.trashed), set(self._merge.restored)
        shown = [
            cell.id for cell in self._content.cells if cell.id not in gone and (cell.deleted is None or cell.id in back)
        ]
        order = {id: index for index, id in enumerate(self._base)}
        moved = _moved([cell.id for cell in self._wanted if cell.id in order], order)
        moved -= _moved([id for id in shown if id in order], order)
        # What the file takes out of the trash stands where the file has it; what it only keeps stays.
        moved |= back - order.keys()
        placed = [id for id in shown if id not in moved]
        known, here, fresh = set(placed), set(shown), {cell.id for cell in self._merge.adds}
        followers: dict[CellId | None, list[CellId]] = {}
        anchor: CellId | None = None
        for cell in self._wanted:
            if cell.id in known:
                anchor = cell.id
            elif cell.id in fresh or cell.id in here:
                followers.setdefault(anchor, []).append(cell.id)
        target = list(followers.get(None, ()))
        for id in placed:
            target += [id, *followers.get(id, ())]
        keys = _positions(target, {id: self._live[id].position for id in placed})
        self._merge.adds = [replace(cell, position=keys[cell.id]) for cell in self._merge.adds]
        for id, key in keys.items():
            if id in here and key != self._live[id].position:
                self._touch(id)
                self._merge.moved[id] = key


_ABSENT: Any = object()


def _moved(ids: Iterable[CellId], order: Mapping[CellId, int]) -> set[CellId]:
    """The fewest cells whose move explains this order."""
    ids = list(ids)
    stayed = {ids[index] for index in rising([order[id] for id in ids])}
    return {id for id in ids if id not in stayed}


def _positions(target: list[CellId], have: Mapping[CellId, str]) -> dict[CellId, str]:
    """A key for each cell in this order, keeping as many as rise already."""
    candidates = [id for id in target if id in have]
    fixed = {candidates[index] for index in rising([have[id] for id in candidates])}
    keys: dict[CellId, str] = {}
    low, waiting = "", list[CellId]()
    for id in target:
        if id not in fixed:
            waiting.append(id)
            continue
        key = have[id]
        keys.update(zip(waiting, positions.spread(low, key, len(waiting)), strict=True))
        keys[id] = low = key
        waiting = []
    keys.update(zip(waiting, positions.spread(low, None, len(waiting)), strict=True))
    return keys
