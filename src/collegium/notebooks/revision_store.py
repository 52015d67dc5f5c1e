"""Revisions in SQL, and the parts of the log that bring a past state back."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Row, String, Table, Text, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, ExecutionId, NotebookId, UserId, new_id
from collegium.notebooks.history import Age, Entry, Revision, RevisionKind, Shown, Undo
from collegium.notebooks.store import doc, doc_snapshot, doc_update

revisions = Table(
    "revisions",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("label", String(200), nullable=True),
    Column("pinned", Boolean, nullable=False),
    Column("created_by", String(22), nullable=True),
    Column("authors", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("shown_hash", String(64), nullable=False),
    Column("outputs", Text, nullable=False),
    Column("undo", Text, nullable=True),
    Column("ts", BigInteger, nullable=False),
    UniqueConstraint("doc_id", "number", name="uq_revisions_doc_id_number"),
)
"""`outputs`: execution ids by cell, as JSON. Every revision stands on the snapshot of its `seq`."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Past:
    """A snapshot as it is stored, and what came after it."""

    snapshot_seq: int
    payload_zstd: bytes
    content_hash: str
    updates: list[tuple[int, bytes]]


async def insert_revision(tx: AsyncConnection, revision: Revision) -> None:
    """Keep it. Its snapshot is kept in the same transaction."""
    values = {
        "id": new_id(),
        "doc_id": revision.notebook,
        "number": revision.number,
        "seq": revision.seq,
        "kind": str(revision.kind),
        "created_by": revision.created_by,
        "authors": json.dumps(revision.authors),
        "content_hash": revision.content_hash,
        "shown_hash": revision.shown_hash,
        "outputs": json.dumps(revision.outputs),
        "ts": revision.created_at,
    }
    await tx.execute(revisions.insert(), values | _changeable(revision))


async def read_revision(tx: AsyncConnection, notebook: NotebookId, number: int) -> Revision:
    """Raises NotFound."""
    found = await tx.execute(sa.select(revisions).where(_of(notebook), revisions.c.number == number))
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such revision.")
    return _revision(row)


async def read_last(tx: AsyncConnection, notebook: NotebookId) -> Revision | None:
    """The newest, if there is any."""
    newest = await read_revisions(tx, notebook, limit=1)
    return newest[0] if newest else None


async def read_revisions(
    tx: AsyncConnection, notebook: NotebookId, *, before: int | None = None, limit: int | None = None
) -> list[Revision]:
    """The newest first, from just below the number `before` on."""
    statement = sa.select(revisions).where(_of(notebook)).order_by(revisions.c.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(revisions.c.number < before)
    return [_revision(row) for row in await tx.execute(statement)]


async def read_ages(tx: AsyncConnection, notebook: NotebookId) -> list[Age]:
    """All of them, without what they say."""
    columns = (revisions.c.number, revisions.c.ts, revisions.c.label, revisions.c.pinned)
    rows = await tx.execute(sa.select(*columns).where(_of(notebook)))
    return [Age(row.number, row.ts, row.pinned or row.label is not None) for row in rows]


async def update_revision(tx: AsyncConnection, revision: Revision) -> None:
    """Its label, its pin, and whether it can be undone; all else of a revision never changes."""
    statement = sa.update(revisions).where(_of(revision.notebook), revisions.c.number == revision.number)
    await tx.execute(statement.values(_changeable(revision)))


async def delete_revisions(tx: AsyncConnection, notebook: NotebookId, numbers: Iterable[int] | None) -> None:
    """Forget these (None: all). Their snapshots go when nothing else needs them."""
    statement = sa.delete(revisions).where(_of(notebook))
    for number in [None] if numbers is None else numbers:
        await tx.execute(statement if number is None else statement.where(revisions.c.number == number))


async def snapshots_needed(tx: AsyncConnection, notebook: NotebookId) -> set[int]:
    """The sequence numbers on whose snapshots a revision stands."""
    return set((await tx.execute(sa.select(revisions.c.seq).where(_of(notebook)))).scalars())


async def read_head(tx: AsyncConnection, notebook: NotebookId) -> Head:
    """Raises NotFound."""
    found = (await tx.execute(sa.select(doc.c.epoch, doc.c.head_seq).where(doc.c.id == notebook))).one_or_none()
    if found is None:
        raise NotFound("There is no such notebook.")
    return Head(found.epoch, found.head_seq)


async def read_authors(tx: AsyncConnection, notebook: NotebookId, *, after: int, through: int) -> tuple[UserId, ...]:
    """Who wrote between two moments."""
    log = doc_update.c
    found = await tx.execute(
        sa.select(log.user_id)
        .where(log.doc_id == notebook, log.seq > after, log.seq <= through, log.user_id.is_not(None))
        .group_by(log.user_id)
        .order_by(sa.func.min(log.seq))
    )
    return tuple(UserId(user) for user in found.scalars())


async def read_past(tx: AsyncConnection, notebook: NotebookId, seq: int, *, skip: int = 0) -> Past | None:
    """What brings the state at `seq` back: the newest snapshot up to it (but for the newest `skip`), and the log
    between; None: there is no such snapshot."""
    kept = doc_snapshot.c
    found = await tx.execute(
        sa.select(kept.seq, kept.payload_zstd, kept.content_hash)
        .where(kept.doc_id == notebook, kept.seq <= seq)
        .order_by(kept.seq.desc())
        .offset(skip)
        .limit(1)
    )
    snapshot = found.one_or_none()
    if snapshot is None:
        return None
    return Past(
        snapshot.seq,
        bytes(snapshot.payload_zstd),
        snapshot.content_hash,
        await read_updates(tx, notebook, after=snapshot.seq, through=seq),
    )


async def read_updates(
    tx: AsyncConnection, notebook: NotebookId, *, after: int, through: int
) -> list[tuple[int, bytes]]:
    """The log between two moments."""
    log = doc_update.c
    found = await tx.execute(
        sa.select(log.seq, log.payload)
        .where(log.doc_id == notebook, log.seq > after, log.seq <= through)
        .order_by(log.seq)
    )
    return [(row.seq, bytes(row.payload)) for row in found]


async def read_origin(tx: AsyncConnection, notebook: NotebookId, seq: int) -> str | None:
    """Where an edit came from, if it is still in the log."""
    log = doc_update.c
    return (await tx.execute(sa.select(log.origin).where(log.doc_id == notebook, log.seq == seq))).scalar_one_or_none()


async def read_entries(tx: AsyncConnection, notebook: NotebookId, *, limit: int) -> list[Entry]:
    """Who wrote when: the newest entries of the log, the oldest of them first."""
    log = doc_update.c
    found = await tx.execute(
        sa.select(log.seq, log.user_id, log.ts).where(log.doc_id == notebook).order_by(log.seq.desc()).limit(limit)
    )
    return [Entry(row.seq, row.user_id, row.ts) for row in reversed(list(found))]


async def read_snapshot_times(tx: AsyncConnection, notebook: NotebookId) -> dict[int, int]:
    """The moments of which there are snapshots, in order, and when each was made."""
    kept = doc_snapshot.c
    found = await tx.execute(sa.select(kept.seq, kept.ts).where(kept.doc_id == notebook).order_by(kept.seq))
    return {row.seq: row.ts for row in found}


def _changeable(revision: Revision) -> dict[str, Any]:
    undo = None if revision.undo is None else json.dumps(asdict(revision.undo))
    return {"label": revision.label, "pinned": revision.pinned, "undo": undo}


def _of(notebook: NotebookId) -> sa.ColumnElement[bool]:
    return revisions.c.doc_id == notebook


def _revision(row: Row[Any]) -> Revision:
    return Revision(
        notebook=NotebookId(row.doc_id),
        number=row.number,
        seq=row.seq,
        kind=RevisionKind(row.kind),
        label=row.label,
        pinned=row.pinned,
        created_by=row.created_by,
        authors=tuple(UserId(user) for user in json.loads(row.authors)),
        content_hash=row.content_hash,
        shown_hash=row.shown_hash,
        outputs=_shown(json.loads(row.outputs)),
        created_at=row.ts,
        undo=None if row.undo is None else _undo(json.loads(row.undo)),
    )


def _undo(stored: dict[str, Any]) -> Undo:
    cells = tuple(CellId(cell) for cell in stored["cells"])
    return Undo(stored["before"], stored["after"], _shown(stored["shown"]), cells)


def _shown(stored: dict[str, str]) -> Shown:
    return {CellId(cell): ExecutionId(execution) for cell, execution in stored.items()}
