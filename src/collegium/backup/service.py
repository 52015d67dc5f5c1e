"""Makes backups of a running installation, and checks them."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from pathlib import Path

import anyio.to_thread
from alembic.script import ScriptDirectory
from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium import __version__
from collegium.backup.model import AREAS, FORMAT, LEFT_OUT, Manifest, Object, Part, TablePart
from collegium.backup.shelf import PIECE_BYTES, RowsFile, Shelf, digest_of, read_rows
from collegium.drive.ports import Blobs
from collegium.ground.clock import now_ms
from collegium.ground.db import MIGRATIONS, Database, metadata
from collegium.ground.errors import Conflict, Invalid, NotFound, StorageFull, Unavailable
from collegium.ground.log import get_log

log = get_log("backup")

SEGMENTS = "segments"
ROWS_AT_ONCE = 200
TRIES_MAX = 5
"""What is deleted for good while its bytes are copied is not in the next look at the database."""

Told = Callable[[str], None]
"""Hears what is being done."""


class Source:
    """An installation: its database, its places of blobs, and the folder of its segments."""

    def __init__(self, database: Database, blobs: dict[str, Blobs], segments: Path) -> None:
        assert blobs.keys() == AREAS.keys()
        self.database, self.blobs, self.segments = database, blobs, segments


async def make_backup(source: Source, shelf: Shelf, told: Told) -> tuple[str, Manifest]:
    """Copy everything as it is at one moment, while others go on; the name of the backup, and what it holds.

    Raises Conflict if the database is not of this version or another backup is being made, StorageFull and Unavailable.
    """
    with shelf.claimed(), _full_disk_named(shelf):
        for _ in range(TRIES_MAX):
            draft = shelf.begin()
            tables, lengths = await _copy_rows(source, draft, told)
            objects, missing = await _copy_objects(source, shelf, draft, lengths, told)
            if await _still_needed(source, missing) != missing:
                continue
            return await anyio.to_thread.run_sync(_finished, shelf, draft, tables, objects, sorted(missing))
        raise Unavailable("Too much was deleted while the backup was made. Try again.")


def _finished(
    shelf: Shelf, draft: Path, tables: dict[str, TablePart], objects: list[Object], missing: list[str]
) -> tuple[str, Manifest]:
    with RowsFile(draft / "objects.jsonl.zst") as file:
        for one in objects:
            file.write([one.area, one.name, one.sha256, one.size])
    manifest = Manifest(
        format=FORMAT,
        version=__version__,
        revision=newest_revision(),
        made_at=now_ms(),
        tables=tables,
        objects=file.part(),
        bytes=sum(one.size for one in objects),
        missing=missing,
    )
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    shelf.finish(draft, name, manifest)
    log.info("backup.made", name=name, objects=len(objects), bytes=manifest.bytes, missing=len(missing))
    return name, manifest


# --- rows ------------------------------------------------------------------------------------------


def newest_revision() -> str:
    """The schema that this version speaks."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def knows(revision: str) -> bool:
    """Whether this version can begin with such a schema."""
    return any(script.revision == revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


async def revision_of(tx: AsyncConnection) -> str | None:
    """The schema of a database; None if it has none."""
    tables = await tx.run_sync(lambda connection: connection.dialect.has_table(connection, "alembic_version"))
    return await tx.scalar(text("SELECT version_num FROM alembic_version")) if tables else None


def kept_tables() -> list[Table]:
    """The tables of a backup, those that others refer to first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


async def _copy_rows(source: Source, draft: Path, told: Told) -> tuple[dict[str, TablePart], dict[str, int]]:
    """Every row, all of one moment; and how long each segment was then."""
    parts: dict[str, TablePart] = {}
    async with source.database.read() as tx:
        if await revision_of(tx) != newest_revision():
            raise Conflict(
                "The database is not of this version of Collegium. Start the server once, which upgrades it."
            )
        lengths = await anyio.to_thread.run_sync(_lengths, source.segments)
        for table in kept_tables():
            told(f"rows of {table.name}")
            columns = [column for column in table.columns if column.computed is None]
            with RowsFile(draft / f"{table.name}.jsonl.zst") as file:
                rows = await tx.stream(select(*columns), execution_options={"yield_per": ROWS_AT_ONCE})
                async for some in rows.partitions():
                    await anyio.to_thread.run_sync(_write_all, file, [list(row) for row in some])
            part = await anyio.to_thread.run_sync(file.part)
            parts[table.name] = TablePart([column.name for column in columns], part.lines, part.sha256)
    return parts, lengths


def _write_all(file: RowsFile, rows: list[list[object]]) -> None:
    for row in rows:
        file.write(row)


def _lengths(segments: Path) -> dict[str, int]:
    """They only grow; what is written after this moment is not in the rows either."""
    found = {}
    for path in segments.glob("*/*.segment"):
        try:
            found[str(path.relative_to(segments))] = path.stat().st_size
        except FileNotFoundError:
            continue
    return found


# --- bytes -----------------------------------------------------------------------------------------


async def _copy_objects(
    source: Source, shelf: Shelf, draft: Path, lengths: dict[str, int], told: Told
) -> tuple[list[Object], set[str]]:
    objects, missing = [], set()
    for area in AREAS:
        wanted = await anyio.to_thread.run_sync(_wanted, draft, area)
        for number, sha256 in enumerate(sorted(wanted), 1):
            told(f"{area}: {number} of {len(wanted)}")
            size = await _copy_blob(source.blobs[area], shelf, sha256)
            if size is None:
                missing.add(f"{area}/{sha256}")
            else:
                objects.append(Object(area, sha256, sha256, size))
    for number, (path, length) in enumerate(sorted(lengths.items()), 1):
        told(f"outputs: {number} of {len(lengths)}")
        kept = await anyio.to_thread.run_sync(_copy_segment, source.segments / path, length, shelf)
        if kept is not None:
            objects.append(Object(SEGMENTS, path, kept, length))
    return objects, missing


def _wanted(draft: Path, area: str) -> set[str]:
    found: set[str] = set()
    for table, column in AREAS[area]:
        place = [one.name for one in metadata.tables[table].columns if one.computed is None].index(column)
        for row in read_rows(draft / f"{table}.jsonl.zst"):
            if row[place] is not None:
                found.add(str(row[place]))
    return found


async def _copy_blob(blobs: Blobs, shelf: Shelf, sha256: str) -> int | None:
    """Its size; None if it is not there, or is not what it should be."""
    if shelf.has(sha256):
        return shelf.place(sha256).stat().st_size
    digest, size = hashlib.sha256(), 0
    with shelf.incoming() as (path, out):
        try:
            async for piece in blobs.stream(sha256):
                digest.update(piece)
                size += len(piece)
                await anyio.to_thread.run_sync(out.write, piece)
        except NotFound:
            return None
        except Unavailable as error:
            if error.code != "content_damaged":
                raise
            return None
        if digest.hexdigest() != sha256:
            return None
        await anyio.to_thread.run_sync(_flush, out)
        await anyio.to_thread.run_sync(shelf.keep, path, sha256)
    return size


def _flush(out: object) -> None:
    out.flush()  # type: ignore[attr-defined]
    os.fsync(out.fileno())  # type: ignore[attr-defined]


def _copy_segment(segment: Path, length: int, shelf: Shelf) -> str | None:
    """Its digest, as long as it was; None if it was deleted meanwhile."""
    digest, left = hashlib.sha256(), length
    with shelf.incoming() as (path, out):
        try:
            with segment.open("rb") as file:
                while left and (piece := file.read(min(left, PIECE_BYTES))):
                    digest.update(piece)
                    out.write(piece)
                    left -= len(piece)
        except FileNotFoundError:
            return None
        if left:
            return None
        _flush(out)
        sha256 = digest.hexdigest()
        if not shelf.has(sha256):
            shelf.keep(path, sha256)
    return sha256


async def _still_needed(source: Source, missing: set[str]) -> set[str]:
    """Those of them that some row speaks of now: they were lost before, and not deleted in these moments."""
    needed = set()
    async with source.database.read() as tx:
        for one in missing:
            area, _, sha256 = one.rpartition("/")
            for table, name in AREAS[area]:
                column = metadata.tables[table].c[name]
                if (await tx.execute(select(column).where(column == sha256).limit(1))).first() is not None:
                    needed.add(one)
    return needed


@contextmanager
def _full_disk_named(shelf: Shelf) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise StorageFull(f"There is no room left for a backup in {shelf.folder}.") from error
    finally:
        for left in shelf.folder.glob(".unfinished-*"):
            for file in left.iterdir():
                file.unlink()
            left.rmdir()


# --- checking --------------------------------------------------------------------------------------


def check_backup(shelf: Shelf, name: str, told: Told) -> Manifest:
    """Read every byte of a backup. Raises NotFound, and Invalid with what is wrong."""
    manifest = shelf.manifest(name)
    for table, part in manifest.tables.items():
        told(f"rows of {table}")
        _check_rows(shelf.path(name) / f"{table}.jsonl.zst", Part(part.lines, part.sha256), len(part.columns))
    _check_rows(shelf.path(name) / "objects.jsonl.zst", manifest.objects, 4)
    for number, one in enumerate(shelf.objects(name), 1):
        told(f"files: {number} of {manifest.objects.lines}")
        place = shelf.place(one.sha256)
        if not place.is_file():
            raise Invalid(f"The backup {name} lacks {one.area}/{one.name}: {place} is not there.")
        if digest_of(place) != one.sha256:
            raise Invalid(f"The backup {name} is damaged: {place} is not what was copied.")
    return manifest


def _check_rows(path: Path, part: Part, width: int) -> None:
    if not path.is_file():
        raise Invalid(f"{path.name} is missing.")
    if digest_of(path) != part.sha256:
        raise Invalid(f"{path.name} is not what it was when the backup was made.")
    lines = 0
    for row in read_rows(path):
        lines += 1
        if len(row) != width:
            raise Invalid(f"{path.name} has a row that does not fit.")
    if lines != part.lines:
        raise Invalid(f"{path.name} has {lines} rows, and {part.lines} were written.")


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    """A file, piece by piece."""
    async with await anyio.open_file(path, "rb") as file:
        while piece := await file.read(PIECE_BYTES):
            yield piece
