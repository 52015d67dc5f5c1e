"""What comes from outside, in SQL: overlaps, which version each outsider has, and what is due to be tidied."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
import zstandard
from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Row, String, Table, Text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, NotebookId, UserId, new_id
from collegium.notebooks.overlaps import KeptOverlap, Overlap, Resolution
from collegium.notebooks.store import doc, doc_snapshot

overlaps = Table(
    "overlaps",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
    Column("cell_id", String(64), nullable=False),
    Column("base", LargeBinary, nullable=True),
    Column("ours", LargeBinary, nullable=True),
    Column("theirs", LargeBinary, nullable=True),
    Column("origin", String(40), nullable=False),
    Column("user_id", String(22), nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("resolved_by", String(22), nullable=True),
    Column("resolved_at", BigInteger, nullable=True),
    Column("resolution", String(10), nullable=True),
    Index("ix_overlaps_doc_id", "doc_id"),
)
"""Sources are UTF-8: PostgreSQL's texts hold no NUL, and a source may."""

bases = Table(
    "file_bases",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", String(22), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("epoch", String(22), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("content_zstd", LargeBinary, nullable=True),
    Column("outputs", Text, nullable=True),
    Column("ts", BigInteger, nullable=False),
    Index("ix_file_bases_doc_id", "doc_id", "ts"),
)
"""`content_zstd`: the file's content where it is no state of the notebook; `outputs`: a digest for each cell's."""

due = Table(
    "doc_due",
    metadata,
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
    Column("ts", BigInteger, nullable=False, index=True),
)
"""When there will be something to tidy in a document."""

horizons = Table(
    "doc_horizons",
    metadata,
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
    Column("state_vector", LargeBinary, nullable=False),
)
"""What a copy must have seen to go on: whoever has not may hold edits of cells that were removed for good."""


@dataclass(frozen=True, slots=True)
class Base:
    """A version that somebody outside has: a state of the notebook, or a content of its own."""

    user: UserId
    channel: str
    epoch: str
    seq: int
    content: bytes | None
    outputs: dict[CellId, str] | None
    at: int


# --- overlaps ------------------------------------------------------------------------------------


def insert_overlaps(tx: Connection, kept: Sequence[KeptOverlap]) -> None:
    """Keep new ones, in the transaction that keeps the edit beside which they stand."""
    tx.execute(
        overlaps.insert(),
        [
            {
                "id": one.id,
                "doc_id": one.notebook,
                "cell_id": one.overlap.cell,
                "base": _encoded(one.overlap.base),
                "ours": _encoded(one.overlap.ours),
                "theirs": _encoded(one.overlap.theirs),
                "origin": one.origin,
                "user_id": one.by,
                "ts": one.at,
            }
            for one in kept
        ],
    )


async def read_overlaps(tx: AsyncConnection, notebook: NotebookId, *, resolved: bool) -> list[KeptOverlap]:
    """Those that wait for somebody, or those that were decided; the oldest first."""
    state = overlaps.c.resolved_at.is_not(None) if resolved else overlaps.c.resolved_at.is_(None)
    found = sa.select(overlaps).where(overlaps.c.doc_id == notebook, state)
    return [_overlap(row) for row in await tx.execute(found.order_by(overlaps.c.ts, overlaps.c.id))]


async def read_overlap(tx: AsyncConnection, notebook: NotebookId, id: str) -> KeptOverlap:
    """Raises NotFound."""
    found = sa.select(overlaps).where(overlaps.c.doc_id == notebook, overlaps.c.id == id)
    row = (await tx.execute(found)).one_or_none()
    if row is None:
        raise NotFound("There is no such overlap.")
    return _overlap(row)


def resolve_overlap(tx: Connection, id: str, by: UserId, at: int, resolution: Resolution) -> bool:
    """Note the decision; False: somebody else has decided."""
    changed = tx.execute(
        sa.update(overlaps)
        .where(overlaps.c.id == id, overlaps.c.resolved_at.is_(None))
        .values(resolved_by=by, resolved_at=at, resolution=resolution)
    )
    return changed.rowcount == 1


# --- bases ---------------------------------------------------------------------------------------


async def insert_base(
    tx: AsyncConnection, notebook: NotebookId, base: Base, *, per_channel: int, per_notebook: int
) -> None:
    """Keep it; of the same channel's, and of all, only so many of the newest stay, and each version once."""
    same = (bases.c.doc_id == notebook, bases.c.user_id == base.user, bases.c.channel == base.channel)
    twin = (*same, bases.c.epoch == base.epoch, bases.c.seq == base.seq, bases.c.content_zstd.is_(None))
    if base.content is None:
        await tx.execute(sa.delete(bases).where(*twin))
    newest = sa.select(bases.c.id).order_by(bases.c.ts.desc(), bases.c.id).limit(per_notebook)
    for older in (
        newest.where(*same).offset(per_channel - 1),
        newest.where(bases.c.doc_id == notebook).offset(per_notebook - 1),
    ):
        for id in list((await tx.execute(older)).scalars()):
            await tx.execute(sa.delete(bases).where(bases.c.id == id))
    values = {
        "id": new_id(),
        "doc_id": notebook,
        "user_id": base.user,
        "channel": base.channel,
        "epoch": base.epoch,
        "seq": base.seq,
        "content_zstd": None if base.content is None else zstandard.compress(base.content),
        "outputs": None if base.outputs is None else json.dumps(base.outputs),
        "ts": base.at,
    }
    await tx.execute(bases.insert(), values)


async def read_bases(tx: AsyncConnection, notebook: NotebookId, *, limit: int) -> list[Base]:
    """What outsiders have, the newest first."""
    found = sa.select(bases).where(bases.c.doc_id == notebook).order_by(bases.c.ts.desc(), bases.c.id).limit(limit)
    return [_base(row) for row in await tx.execute(found)]


async def read_last_base(tx: AsyncConnection, notebook: NotebookId, user: UserId, channel: str) -> Base | None:
    """What this outsider got or brought last."""
    found = sa.select(bases).where(bases.c.doc_id == notebook, bases.c.user_id == user, bases.c.channel == channel)
    row = (await tx.execute(found.order_by(bases.c.ts.desc(), bases.c.id).limit(1))).one_or_none()
    return None if row is None else _base(row)


# --- what is due ---------------------------------------------------------------------------------


async def write_due(tx: AsyncConnection, notebook: NotebookId, at: int | None) -> None:
    """When there is something to tidy; None: never. Nothing happens if the notebook is gone."""
    await tx.execute(sa.delete(due).where(due.c.doc_id == notebook))
    there = sa.select(doc.c.id).where(doc.c.id == notebook)
    if at is not None and (await tx.execute(there)).first() is not None:
        await tx.execute(due.insert(), {"doc_id": notebook, "ts": at})


async def read_due(tx: AsyncConnection, notebook: NotebookId) -> int | None:
    """When that is."""
    at = (await tx.execute(sa.select(due.c.ts).where(due.c.doc_id == notebook))).scalar_one_or_none()
    return None if at is None else int(at)


async def read_all_due(tx: AsyncConnection, now: int, *, limit: int) -> list[NotebookId]:
    """Documents in which there is something to tidy by now."""
    found = sa.select(due.c.doc_id).where(due.c.ts <= now).order_by(due.c.ts).limit(limit)
    return [NotebookId(id) for id in (await tx.execute(found)).scalars()]


def write_horizon(tx: Connection, notebook: NotebookId, state_vector: bytes) -> None:
    """Copies that have not seen this much must be fetched anew."""
    tx.execute(sa.delete(horizons).where(horizons.c.doc_id == notebook))
    tx.execute(horizons.insert(), {"doc_id": notebook, "state_vector": state_vector})


async def read_horizon(tx: AsyncConnection, notebook: NotebookId) -> bytes | None:
    """What a copy must have seen; None: nothing was removed yet."""
    found = sa.select(horizons.c.state_vector).where(horizons.c.doc_id == notebook)
    vector = (await tx.execute(found)).scalar_one_or_none()
    return None if vector is None else bytes(vector)


async def read_old_snapshot(tx: AsyncConnection, notebook: NotebookId, before: int) -> tuple[bytes, bytes] | None:
    """The newest snapshot that was made before this time: its state vector, and itself."""
    kept = doc_snapshot.c
    found = sa.select(kept.state_vector, kept.payload_zstd).where(kept.doc_id == notebook, kept.ts <= before)
    row = (await tx.execute(found.order_by(kept.seq.desc()).limit(1))).one_or_none()
    return None if row is None else (bytes(row.state_vector), zstandard.decompress(row.payload_zstd))


async def delete_all(tx: AsyncConnection, notebook: NotebookId) -> None:
    """The notebook is deleted for good."""
    for table in (overlaps, bases, due, horizons):
        await tx.execute(sa.delete(table).where(table.c.doc_id == notebook))


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _decoded(stored: bytes | None) -> str | None:
    return None if stored is None else bytes(stored).decode()


def _overlap(row: Row[Any]) -> KeptOverlap:
    return KeptOverlap(
        id=row.id,
        notebook=NotebookId(row.doc_id),
        overlap=Overlap(CellId(row.cell_id), _decoded(row.base), _decoded(row.ours), _decoded(row.theirs)),
        origin=row.origin,
        by=UserId(row.user_id),
        at=row.ts,
        resolved_by=None if row.resolved_by is None else UserId(row.resolved_by),
        resolved_at=row.resolved_at,
        resolution=cast(Resolution | None, row.resolution),
    )


def _base(row: Row[Any]) -> Base:
    return Base(
        user=UserId(row.user_id),
        channel=row.channel,
        epoch=row.epoch,
        seq=row.seq,
        content=None if row.content_zstd is None else zstandard.decompress(row.content_zstd),
        outputs=None if row.outputs is None else json.loads(row.outputs),
        at=row.ts,
    )
