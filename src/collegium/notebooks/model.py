"""What a notebook is, apart from how it is stored, sent or typed."""

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from collegium.ground.ids import CellId, NotebookId

SCHEMA_VERSION = 1
NBFORMAT = 4
NBFORMAT_MINOR = 5
"""Cells have ids since 4.5; what is older becomes 4.5."""

CellType = Literal["code", "markdown", "raw"]
Json = Any
Output = dict[str, Any]
"""One of nbformat's outputs."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One block of a notebook. `deleted`: in the trash of the notebook, by whom and when."""

    id: CellId
    type: CellType
    position: str
    source: str
    metadata: dict[str, Json] = field(default_factory=dict)
    attachments: dict[str, Json] = field(default_factory=dict)
    deleted: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """A whole notebook as people see it: cells in their order, those in the trash among them."""

    cells: tuple[Cell, ...] = ()
    metadata: dict[str, Json] = field(default_factory=dict)
    nbformat_minor: int = NBFORMAT_MINOR

    @property
    def shown(self) -> tuple[Cell, ...]:
        """The cells that are not in the trash."""
        return tuple(cell for cell in self.cells if cell.deleted is None)

    @property
    def omits_outputs(self) -> bool:
        """Outputs are for the page alone: no file, copy or revision has them. Said in Colab's words."""
        colab = self.metadata.get("colab")
        return isinstance(colab, dict) and colab.get("private_outputs") is True


@dataclass(frozen=True, slots=True)
class CellOutputs:
    """What a cell's last run left."""

    outputs: list[Output]
    execution_count: int | None = None
    widgets: dict[str, Any] = field(default_factory=dict, compare=False)
    """The states of the widgets that they show, as a file keeps them."""


@dataclass(frozen=True, slots=True)
class Created:
    """A notebook that has just been made."""

    id: NotebookId
    name: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an update: the Yjs client, and the user and connection behind it (None: the server itself)."""

    client: int
    user: str | None = None
    connection: str | None = None
    also: tuple[int, ...] = ()
    """Other clients of the same user whose writing came with it: tabs of that browser."""


def content_of(meta: dict[str, Json], cells: dict[str, dict[str, Json]]) -> Content:
    """The notebook that the two roots of a document say. What lacks a part of a cell is no cell."""
    found = [_cell(id, entry) for id, entry in cells.items() if is_cell(entry)]
    return Content(
        cells=tuple(sorted(found, key=lambda cell: (cell.position, cell.id))),
        metadata={key[3:]: plain(value) for key, value in meta.items() if key.startswith("md:")},
        nbformat_minor=max(NBFORMAT_MINOR, int(meta.get("nbformat_minor", NBFORMAT_MINOR))),
    )


def _cell(id: str, entry: dict[str, Json]) -> Cell:
    return Cell(
        id=CellId(id),
        type=cast(CellType, entry["t"]),
        position=entry["pos"],
        source=entry["source"],
        metadata=plain(entry.get("md") or {}),
        attachments=plain(entry.get("att") or {}),
        deleted=plain(entry.get("del")),
    )


def is_cell(entry: dict[str, Json]) -> bool:
    """Whether this entry of the document has all that makes a cell: a type, a position and a source."""
    return "t" in entry and "pos" in entry and "source" in entry


def plain(value: Json) -> Json:
    """JSON as people write it: the document knows only one kind of number, and gives 1.0 for 1."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1 << 53 else value
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def checksum(cells: dict[str, dict[str, Json]]) -> str:
    """Eight digits by which the server and a tab find out that they have different texts (see the protocol)."""
    parts: list[str] = []
    for id in sorted(cells):
        entry = cells[id]
        if is_cell(entry):
            trashed = "0" if entry.get("del") is None else "1"
            parts.append(f"{id}\0{entry['t']}\0{entry['pos']}\0{trashed}\0{entry['source']}\0")
    return f"{zlib.crc32(''.join(parts).encode()):08x}"


def digest(meta: dict[str, Json], cells: dict[str, dict[str, Json]]) -> str:
    """SHA-256 of everything in the document, in one canonical form."""
    text = json.dumps([plain(meta), plain(cells)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def shown_hash(content: Content) -> str:
    """SHA-256 of what people see: the cells in their order, without the trash and without where exactly they stand."""
    cells = [[cell.id, cell.type, cell.source, cell.metadata, cell.attachments] for cell in content.shown]
    text = json.dumps([content.metadata, cells], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def source_hash(source: str) -> str:
    """By this a run says which text it means."""
    return hashlib.sha256(source.encode()).hexdigest()
