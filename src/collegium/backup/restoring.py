"""Brings a backup back, into an empty installation on either database."""

import os
import shutil
from pathlib import Path
from typing import Any

import anyio.to_thread
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeDecorator

from collegium.backup.model import Manifest
from collegium.backup.service import (
    SEGMENTS,
    Source,
    Told,
    check_backup,
    kept_tables,
    knows,
    newest_revision,
    pieces_of,
)
from collegium.backup.shelf import Shelf, read_rows, sync
from collegium.ground.db import metadata, migrate
from collegium.ground.errors import Conflict, Invalid
from collegium.ground.log import get_log

log = get_log("backup")

ROWS_AT_ONCE, BYTES_AT_ONCE = 200, 4 << 20


async def restore_backup(source: Source, shelf: Shelf, name: str, told: Told) -> Manifest:
    """Put everything of a backup into an installation without a row. All rows come back at once, or none.

    Raises NotFound, Invalid with what is wrong with the backup, Conflict if the target is not empty, and what
    databases and places of blobs raise.
    """
    manifest = await anyio.to_thread.run_sync(check_backup, shelf, name, told)
    if not knows(manifest.revision):
        raise Invalid(
            f"This backup has the schema {manifest.revision}, and this Collegium knows up to {newest_revision()}."
            " Update this one first."
        )
    async with source.database.read() as tx:
        await _refuse_filled(tx)
    await anyio.to_thread.run_sync(migrate, source.database.url, manifest.revision)
    await _restore_objects(source, shelf, name, told)
    async with source.database.write() as tx:
        await _refuse_filled(tx)
        await tx.run_sync(_restore_rows, shelf, name, manifest, told)
    await source.database.migrate()
    log.info("backup.restored", name=name, revision=manifest.revision)
    return manifest


async def _refuse_filled(tx: AsyncConnection) -> None:
    there = set(await tx.run_sync(lambda connection: sa.inspect(connection).get_table_names()))
    for table in kept_tables():
        if table.name not in there:
            continue
        if (await tx.execute(sa.select(sa.literal(1)).select_from(table).limit(1))).first() is not None:
            raise Conflict(
                f"There is something in this installation already ({table.name}). Restore into an empty one: another"
                " data folder, or another database."
            )


# --- bytes -----------------------------------------------------------------------------------------


async def _restore_objects(source: Source, shelf: Shelf, name: str, told: Told) -> None:
    for number, one in enumerate(shelf.objects(name), 1):
        told(f"files: {number}")
        place = shelf.place(one.sha256)
        if one.area == SEGMENTS:
            await anyio.to_thread.run_sync(_restore_segment, source.segments, one.name, place)
        elif one.area not in source.blobs:
            raise Invalid(f"The backup has files of a kind that is not known here: {one.area}.")
        elif not await source.blobs[one.area].exists(one.sha256):
            await source.blobs[one.area].put(pieces_of(place))


def _restore_segment(segments: Path, path: str, place: Path) -> None:
    target = segments / path
    if target.suffix != ".segment" or len(Path(path).parts) != 2 or ".." in Path(path).parts:
        raise Invalid(f"The backup has an output of a name that cannot be: {path}.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(place, target)
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    sync(target.parent)


# --- rows ------------------------------------------------------------------------------------------


def _restore_rows(connection: Connection, shelf: Shelf, name: str, manifest: Manifest, told: Told) -> None:
    """Into the tables as they were when the backup was made; what came later is brought by the upgrades."""
    found = sa.MetaData()
    found.reflect(connection, only=lambda table, _: table in manifest.tables)
    lacking = manifest.tables.keys() - found.tables.keys()
    if lacking:
        raise Invalid(f"The backup has tables that are not known here: {', '.join(sorted(lacking))}.")
    for table in found.sorted_tables:
        told(f"rows of {table.name}")
        _fill(connection, _typed(table), shelf.path(name) / f"{table.name}.jsonl.zst", manifest)


def _typed(table: sa.Table) -> sa.Table:
    """With our own types where the database knows only what they are kept as."""
    known = metadata.tables.get(table.name)
    for column in table.columns:
        ours = None if known is None else known.columns.get(column.name)
        if ours is not None and isinstance(ours.type, TypeDecorator):
            column.type = ours.type
    return table


def _fill(connection: Connection, table: sa.Table, path: Path, manifest: Manifest) -> None:
    columns = manifest.tables[table.name].columns
    strange = set(columns) - {column.name for column in table.columns}
    if strange:
        raise Invalid(f"The backup has columns that are not known here: {', '.join(sorted(strange))}.")
    # Rows may come before those that they refer to in the same table: that is filled in when all are there.
    later = [column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]
    links: list[dict[str, Any]] = []
    batch: list[dict[str, Any]] = []
    size = 0
    for values in read_rows(path):
        row = dict(zip(columns, values, strict=True))
        link = {column: row[column] for column in later if row.get(column) is not None}
        if link:
            links.append({f"key_{key.name}": row[key.name] for key in table.primary_key} | link)
            row |= dict.fromkeys(link)
        batch.append(row)
        size += sum(len(value) for value in values if isinstance(value, (bytes, str)))
        if len(batch) >= ROWS_AT_ONCE or size > BYTES_AT_ONCE:
            connection.execute(sa.insert(table), batch)
            batch, size = [], 0
    if batch:
        connection.execute(sa.insert(table), batch)
    for link in links:
        this = [key == link[f"key_{key.name}"] for key in table.primary_key]
        values_of = {column: link[column] for column in later if column in link}
        connection.execute(sa.update(table).where(*this).values(values_of))
    _go_on_counting(connection, table)


def _go_on_counting(connection: Connection, table: sa.Table) -> None:
    """PostgreSQL's sequences know nothing of rows that brought their numbers along."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        sequence = connection.scalar(
            sa.text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        )
        if sequence is not None:
            last = connection.scalar(sa.select(sa.func.max(column)))
            if last is not None:
                connection.execute(sa.text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
