"""What a backup says of itself, and how rows are written so that every database reads them the same."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from collegium.ground.errors import Invalid

FORMAT = 1
"""The form of a backup. Whoever meets a larger number than they know must not guess."""

AREAS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "blobs": (("items", "blob"),),
    "outputs/blobs": (("output_blobs", "sha256"),),
    "checkpoints": (("jupyter_checkpoints", "blob"),),
}
"""The places of blobs, each with the columns whose values are in it."""

LEFT_OUT = frozenset({"worker", "worker_lead"})
"""Tables that say which processes are alive now."""

BYTES_KEY = "base64"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup: how many lines it has, and its digest."""

    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TablePart:
    """The rows of one table, each a list of the values of these columns."""

    columns: list[str]
    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Object:
    """Bytes that a backup has: where they belong, and their digest."""

    area: str
    """A place of blobs, or `segments`."""
    name: str
    """A blob's SHA-256, or the path of a segment."""
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `missing`: blobs that rows spoke of and that were lost before."""

    format: int
    version: str
    revision: str
    made_at: int
    tables: dict[str, TablePart]
    objects: Part
    bytes: int
    missing: list[str] = field(default_factory=list)


def written_manifest(manifest: Manifest) -> bytes:
    """The manifest as it is kept."""
    return json.dumps(asdict(manifest), indent=1).encode()


def read_manifest(content: bytes) -> Manifest:
    """Raises Invalid."""
    try:
        words = json.loads(content)
        if words["format"] > FORMAT:
            raise Invalid("This backup was made by a newer Collegium. Update this one first.")
        tables = {name: TablePart(**part) for name, part in words.pop("tables").items()}
        return Manifest(tables=tables, objects=Part(**words.pop("objects")), **words)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("The backup's manifest is damaged.") from error


def written_row(row: Sequence[Any]) -> bytes:
    """One line: a JSON list. Bytes, which JSON lacks, are an object of one key."""
    return json.dumps([_plain(value) for value in row], separators=(",", ":")).encode() + b"\n"


def read_row(line: bytes) -> list[Any]:
    """Raises Invalid."""
    try:
        row = json.loads(line)
        return [base64.b64decode(value[BYTES_KEY], validate=True) if type(value) is dict else value for value in row]
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("A row of the backup is damaged.") from error


def _plain(value: Any) -> Any:
    match value:
        case bytes() | bytearray() | memoryview():
            return {BYTES_KEY: base64.b64encode(value).decode()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"no way to write a {type(value).__name__}")
