"""The live document: a Yjs document behind the strict reader, and the only module that touches the CRDT library.

Four of its traps are kept in here. Offsets into its texts are UTF-8 bytes. Its panics are BaseExceptions, after which
the document in memory is worth nothing: `Broken` says so. An integrated text must never be assigned to its key. And a
document that is watched is never freed.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from typing import Any

import pycrdt
from pycrdt import Doc, Map, Text, TransactionEvent

from collegium.ground.ids import CellId
from collegium.ground.lib0 import uint
from collegium.notebooks import model, strict
from collegium.notebooks.model import Cell, CellType, Content, Json
from collegium.notebooks.sequences import common_ends

EMPTY_UPDATE = b"\0\0"
DIFF_CHARACTERS_MAX = 2_000
"""Up to this many changed characters are compared one by one; more, line by line."""


class Broken(Exception):
    """The CRDT library gave up; the document in memory must be thrown away and loaded again."""


class Document:
    """One notebook's document in memory. Belongs to the thread that made it."""

    def __init__(self) -> None:
        self._doc: Doc[Any] = Doc()
        self._meta = self._doc.get("meta", type=Map)
        self._cells = self._doc.get("cells", type=Map)
        self._index: strict.Index | None = strict.Index()

    @classmethod
    def load(cls, updates: Iterable[bytes]) -> "Document":
        """A document from what was stored: a snapshot and the updates after it, in their order. Raises Broken."""
        document = cls()
        document.replay(updates)
        return document

    @classmethod
    def of(cls, content: Content) -> "Document":
        """A new document that says this. Made once in a notebook's life, by the server."""
        document = cls()
        document.edit(lambda editor: editor.fill(content))
        return document

    def replay(self, updates: Iterable[bytes]) -> None:
        """Take in what was stored after what is here, in its order. Raises Broken."""
        self._index = None
        with _panics_named(), self._doc.transaction():
            for update in updates:
                self._doc.apply_update(update)

    @property
    def client(self) -> int:
        """The Yjs client id under which the server itself edits this copy."""
        return int(self._doc.client_id)

    def admit(self, update: bytes, allowed: Container[int]) -> dict[int, int]:
        """Judge a stranger's update; raises strict.Reject. If it passes it must be applied next.

        Gives the clocks of the update's clients as they were before it.
        """
        decoded = strict.decode(update)
        return self._known().admit(decoded, allowed)

    def apply(self, update: bytes) -> bool:
        """Take in an update that was admitted; whether it said anything new. Raises Broken."""
        with _panics_named(), self._watched() as changes:
            self._doc.apply_update(update)
        return bool(changes)

    def edit(self, change: Callable[["Editor"], object]) -> bytes | None:
        """Change the document by the server's own hand, in one update; None if nothing changed. Raises Broken."""
        with _panics_named(), self._watched() as changes, self._doc.transaction():
            change(Editor(self._meta, self._cells))
        made = [update for update in changes if update != EMPTY_UPDATE]
        if not made:
            return None
        update = made[0] if len(made) == 1 else merge(made)
        if self._index is not None:
            limit = len(update) + 1
            self._index.admit(strict.decode(update, bytes_max=limit, structs_max=limit))
        return update

    def join(self, update: bytes) -> dict[int, int] | None:
        """Take in what the server itself wrote in a copy of this document; None if it says nothing new.

        Gives the clocks of its clients as they were before it. Raises strict.Reject or Broken.
        """
        limit = len(update) + 1
        before = self._known().admit(strict.decode(update, bytes_max=limit, structs_max=limit))
        return before if self.apply(update) else None

    @contextmanager
    def _watched(self) -> Iterator[list[bytes]]:
        """The changes of a moment. A watch that stayed would hold the document, which holds the watch: a circle that
        runs through the CRDT library, where Python's collector cannot see it."""
        changes: list[bytes] = []

        def note(event: TransactionEvent) -> None:
            changes.append(event.update)

        subscription = self._doc.observe(note)
        try:
            yield changes
        finally:
            self._doc.unobserve(subscription)

    def knows(self, client: int) -> bool:
        """Whether this client id has written anything here."""
        return client in self.clocks()

    def clocks(self) -> dict[int, int]:
        """How far each client's writing is in it."""
        reader = strict.Reader(self._doc.get_state())
        return dict(reader.id() for _ in range(reader.count()))

    def state_vector(self) -> bytes:
        """How far this copy is, for the other side to find what it lacks."""
        return self._doc.get_state()

    def since(self, clocks: dict[int, int]) -> bytes:
        """What was written after these clients' writing was this far. Raises Broken."""
        known = self.clocks() | clocks
        vector = bytearray(uint(len(known)))
        for client, clock in known.items():
            vector += uint(client) + uint(clock)
        return self.lacking(bytes(vector))

    def lacking(self, state_vector: bytes | None) -> bytes:
        """What a copy that is this far lacks. Raises strict.Reject for what is no state vector."""
        if state_vector is None:
            return self._doc.get_update()
        _check_state_vector(state_vector)
        with _panics_named():
            return self._doc.get_update(state_vector)

    def content(self) -> Content:
        """The notebook it says."""
        return model.content_of(*self._roots())

    def checksum(self) -> str:
        """By this a tab finds out that it has diverged."""
        return model.checksum(self._roots()[1])

    def digest(self) -> str:
        """By this a snapshot is proven to say the same."""
        return model.digest(*self._roots())

    def misread(self) -> dict[CellId, str]:
        """The sources that whoever gets this document as a whole reads otherwise than whoever saw it grow.

        An insertion that names its neighbours the wrong way round does this; no honest tab makes one.
        """
        fresh = {cell.id: cell.source for cell in Document.load([self.lacking(None)]).content().cells}
        return {cell.id: cell.source for cell in self.content().cells if fresh.get(cell.id) != cell.source}

    def source(self, cell: CellId) -> str | None:
        """The text of a cell; None if there is no such cell or it is in the trash."""
        with _panics_named():
            if cell not in self._cells:
                return None
            entry = self._cells[cell]
            if not isinstance(entry, Map) or "source" not in entry or entry.get("del") is not None:
                return None
            return str(entry["source"])

    def cell(self, cell: CellId) -> Cell | None:
        """One cell, be it in the trash; None if there is none."""
        with _panics_named():
            entry = self._cells[cell].to_py() if cell in self._cells else None
        found = model.content_of({}, {cell: entry}).cells if entry else ()
        return found[0] if found else None

    def _roots(self) -> tuple[dict[str, Json], dict[str, dict[str, Json]]]:
        with _panics_named():
            return self._meta.to_py() or {}, self._cells.to_py() or {}

    def _known(self) -> strict.Index:
        if self._index is None:
            state = self._doc.get_update()
            index = strict.Index()
            index.admit(strict.decode(state, bytes_max=len(state), structs_max=len(state)))
            self._index = index
        return self._index


class Editor:
    """The changes the server makes to a document itself. Lives for one `edit`."""

    def __init__(self, meta: "Map[Any]", cells: "Map[Any]") -> None:
        self._meta = meta
        self._cells = cells

    def fill(self, content: Content) -> None:
        """Say all of this in an empty document."""
        self._meta["v"] = model.SCHEMA_VERSION
        self._meta["nbformat"] = model.NBFORMAT
        self._meta["nbformat_minor"] = content.nbformat_minor
        self.set_metadata(content.metadata)
        for cell in content.cells:
            self.add(cell)

    def content(self) -> Content:
        """The notebook as it is now."""
        return model.content_of(self._meta.to_py() or {}, self._cells.to_py() or {})

    def add(self, cell: Cell) -> None:
        """A new cell."""
        self._cells[cell.id] = Map(
            {
                "t": cell.type,
                "pos": cell.position,
                "source": Text(cell.source),
                "md": Map(cell.metadata),
                "att": Map(cell.attachments),
                "del": cell.deleted,
            }
        )

    def set_source(self, cell: CellId, source: str) -> None:
        """Change the text where it differs, and only there, so that others' cursors and edits stay."""
        set_text(self._cells[cell]["source"], source)

    def splice_source(self, cell: CellId, edits: Sequence[tuple[int, int, str]]) -> None:
        """Replace these ranges (from, to, by; in order) of the text, which whoever names them has just read."""
        _splice(self._cells[cell]["source"], edits)

    def renew_source(self, cell: CellId, source: str) -> None:
        """Put a new text in the place of the old one, whatever became of that."""
        self._cells[cell]["source"] = Text(source)

    def drop(self, cell: CellId) -> None:
        """Remove it for good."""
        del self._cells[cell]

    def set_type(self, cell: CellId, type: CellType) -> None:
        """Make it code, Markdown or raw."""
        self._put(self._cells[cell], "t", type)

    def set_position(self, cell: CellId, position: str) -> None:
        """Move it."""
        self._put(self._cells[cell], "pos", position)

    def set_deleted(self, cell: CellId, deleted: dict[str, Json] | None) -> None:
        """Put it into the trash of the notebook, or take it out."""
        self._put(self._cells[cell], "del", deleted)

    def set_cell_metadata(self, cell: CellId, metadata: dict[str, Json]) -> None:
        """Change the keys that differ."""
        self._put_all(self._cells[cell]["md"], metadata)

    def set_attachments(self, cell: CellId, attachments: dict[str, Json]) -> None:
        """Change the attachments that differ."""
        self._put_all(self._cells[cell]["att"], attachments)

    def set_metadata(self, metadata: dict[str, Json]) -> None:
        """Change the notebook's own metadata where it differs."""
        have = self._meta.to_py() or {}
        for key in have:
            if key.startswith("md:") and key[3:] not in metadata:
                del self._meta[key]
        for key, value in metadata.items():
            if f"md:{key}" not in have or model.plain(have[f"md:{key}"]) != value:
                self._meta[f"md:{key}"] = value

    def _put(self, entry: "Map[Any]", key: str, value: Json) -> None:
        if key not in entry or model.plain(entry[key]) != value:
            entry[key] = value

    def _put_all(self, entry: "Map[Any]", wanted: dict[str, Json]) -> None:
        have = entry.to_py() or {}
        for key in have:
            if key not in wanted:
                del entry[key]
        for key, value in wanted.items():
            if key not in have or model.plain(have[key]) != value:
                entry[key] = value


def set_text(text: Text, new: str) -> None:
    """Turn a text into another by the smallest changes, never cutting a character in two."""
    _splice(text, differences(str(text), new))


def _splice(text: Text, edits: Sequence[tuple[int, int, str]]) -> None:
    old = str(text)
    for start, end, replacement in reversed(edits):
        low = len(old[:start].encode())
        high = low + len(old[start:end].encode())
        if high > low:
            del text[low:high]
        if replacement:
            text.insert(low, replacement)


def differences(old: str, new: str) -> list[tuple[int, int, str]]:
    """What to replace in `old` (from, to, by) to get `new`, in order; found fast, not always the shortest."""
    head, tail = common_ends(old, new)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if not before or not after:
        return [(head, len(old) - tail, after)] if before or after else []
    if max(len(before), len(after)) <= DIFF_CHARACTERS_MAX:
        pieces_before, pieces_after = list(before), list(after)
    else:
        pieces_before, pieces_after = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [head]
    for piece in pieces_before:
        starts.append(starts[-1] + len(piece))
    return [
        (starts[i1], starts[i2], "".join(pieces_after[j1:j2]))
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, pieces_before, pieces_after, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def merge(updates: list[bytes]) -> bytes:
    """A few updates as one; meant for a handful, since its cost grows with the square. Raises Broken."""
    with _panics_named():
        return pycrdt.merge_updates(*updates)


def has_seen(state_vector: bytes, horizon: bytes) -> bool:
    """Whether a copy that is this far has everything up to there. Raises strict.Reject for what is no state vector."""
    have = _check_state_vector(state_vector)
    return all(have.get(client, 0) >= clock for client, clock in _check_state_vector(horizon).items())


def _check_state_vector(data: bytes) -> dict[int, int]:
    reader = strict.Reader(data)
    clocks = dict(reader.id() for _ in range(reader.count()))
    if any(client >= strict.CLIENT_MAX or clock > strict.CLOCK_MAX for client, clock in clocks.items()):
        raise strict.Reject("it is no state vector")
    if reader.at != reader.end:
        raise strict.Reject("it is no state vector")
    return clocks


@contextmanager
def _panics_named() -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # A Rust panic is no Exception, and its class cannot be imported.
        if type(error).__name__ == "PanicException" or isinstance(error, (ValueError, RuntimeError)):
            if isinstance(error, strict.Reject):
                raise
            raise Broken(str(error)) from error
        raise
