"""Documents in SQL: an append-only log of updates, snapshots of it, and who wrote under which client id."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import zstandard
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.errors import Conflict, NotFound
from collegium.ground.ids import NotebookId
from collegium.workers.service import is_registered

doc = Table(
    "doc",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("epoch", String(22), nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("schema_v", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("owner", String(22)),
    Column("fence", BigInteger, nullable=False, server_default="0"),
)
doc_update = Table(
    "doc_update",
    metadata,
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("epoch", String(22), nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("user_id", String(22)),
    Column("conn_id", String(22)),
    Column("ts", BigInteger, nullable=False),
    Column("origin", String(40), nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
doc_snapshot = Table(
    "doc_snapshot",
    metadata,
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("epoch", String(22), nullable=False),
    Column("state_vector", LargeBinary, nullable=False),
    Column("payload_zstd", LargeBinary, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("ts", BigInteger, nullable=False),
)
doc_client = Table(
    "doc_client",
    metadata,
    Column("doc_id", String(22), ForeignKey("doc.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", BigInteger, primary_key=True),
    Column("user_id", String(22), nullable=False),
    Column("first_ts", BigInteger, nullable=False),
)

ZSTD_LEVEL = 3

# Built once: they run with every edit.
_INSERT_UPDATE = doc_update.insert()
_MOVE_HEAD = (
    sa.update(doc)
    .where(
        doc.c.id == sa.bindparam("b_id"),
        doc.c.head_seq == sa.bindparam("b_head"),
        doc.c.fence == sa.bindparam("b_fence"),
    )
    .values(head_seq=sa.bindparam("b_new"))
)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """All that is needed to bring a document back: its newest snapshot and what came after."""

    epoch: str
    head: int
    fence: int
    snapshot_seq: int
    snapshot: bytes
    updates: list[bytes]

    @property
    def parts(self) -> list[bytes]:
        """In the order in which they are to be applied."""
        return [self.snapshot, *self.updates]


@dataclass(frozen=True, slots=True)
class Taken:
    """Who owns a document, and behind which fence."""

    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document's whole state as of a sequence number."""

    seq: int
    state_vector: bytes
    payload: bytes
    content_hash: str


async def read_last_change(tx: AsyncConnection, notebook: NotebookId) -> int | None:
    """When the last edit that is still in the log was committed, in milliseconds."""
    found = sa.select(sa.func.max(doc_update.c.ts)).where(doc_update.c.doc_id == notebook)
    at = (await tx.execute(found)).scalar_one_or_none()
    return None if at is None else int(at)


async def read_last_author(tx: AsyncConnection, notebook: NotebookId) -> str | None:
    """Who made the latest edit that is still in the log; None: nobody did, or the server itself."""
    found = sa.select(doc_update.c.user_id).where(doc_update.c.doc_id == notebook, doc_update.c.user_id.is_not(None))
    return (await tx.execute(found.order_by(doc_update.c.seq.desc()).limit(1))).scalar_one_or_none()


async def insert_document(
    tx: AsyncConnection, notebook: NotebookId, epoch: str, head: int, schema: int, now: int
) -> None:
    """A new document, whose snapshot at `head` comes with it."""
    values = {"id": notebook, "epoch": epoch, "head_seq": head, "schema_v": schema, "created_at": now}
    await tx.execute(doc.insert(), values)


async def insert_snapshot(tx: AsyncConnection, notebook: NotebookId, epoch: str, snapshot: Snapshot, now: int) -> None:
    """Keep a snapshot, unless there is one of that moment."""
    found = sa.select(doc_snapshot.c.seq).where(_of(doc_snapshot, notebook), doc_snapshot.c.seq == snapshot.seq)
    if (await tx.execute(found)).one_or_none() is not None:
        return
    values = {
        "doc_id": notebook,
        "seq": snapshot.seq,
        "epoch": epoch,
        "state_vector": snapshot.state_vector,
        "payload_zstd": zstandard.compress(snapshot.payload, ZSTD_LEVEL),
        "content_hash": snapshot.content_hash,
        "ts": now,
    }
    await tx.execute(doc_snapshot.insert(), values)


def append(tx: Connection, notebook: NotebookId, rows: Sequence[dict[str, Any]], *, head: int, fence: int) -> None:
    """Add updates to the log, which must end at `head` and stand behind this fence now.

    Raises Conflict if somebody else wrote in between, or took the document over.
    """
    moved = {"b_id": notebook, "b_head": head, "b_new": head + len(rows), "b_fence": fence}
    result = tx.execute(_MOVE_HEAD, moved)
    if result.rowcount != 1:
        raise Conflict("The notebook's log was written by somebody else.")
    tx.execute(_INSERT_UPDATE, rows)


def take(tx: Connection, notebook: NotebookId, owner: str) -> Taken:
    """Own a document from now on, behind a new fence, unless somebody who lives does. Raises NotFound."""
    free = sa.or_(doc.c.owner.is_(None), doc.c.owner == owner, ~is_registered(doc.c.owner))
    tx.execute(sa.update(doc).where(doc.c.id == notebook, free).values(owner=owner, fence=doc.c.fence + 1))
    found = tx.execute(sa.select(doc.c.owner, doc.c.fence).where(doc.c.id == notebook)).one_or_none()
    if found is None:
        raise NotFound("There is no such notebook.")
    return Taken(found.owner or "", found.fence)


def give_up(tx: Connection, notebook: NotebookId, fence: int) -> None:
    """Whoever took it behind this fence owns it no more."""
    tx.execute(sa.update(doc).where(doc.c.id == notebook, doc.c.fence == fence).values(owner=None))


async def read_owner(tx: AsyncConnection, notebook: NotebookId) -> str | None:
    """Who owns it, be it somebody who lives no more."""
    found = (await tx.execute(sa.select(doc.c.owner).where(doc.c.id == notebook))).scalar_one_or_none()
    return None if found is None else str(found)


async def hold(tx: AsyncConnection, notebook: NotebookId, fence: int) -> None:
    """Nobody takes the document over while this transaction lasts. Raises Conflict if somebody did before."""
    held = sa.update(doc).where(doc.c.id == notebook, doc.c.fence == fence).values(fence=fence)
    if (await tx.execute(held)).rowcount != 1:
        raise Conflict("The notebook was taken over by another process.")


def insert_clients(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Remember whose these client ids are."""
    tx.execute(doc_client.insert(), rows)


async def read_clients(tx: AsyncConnection, notebook: NotebookId) -> dict[int, str]:
    """Whose each client id is."""
    found = await tx.execute(sa.select(doc_client.c.client_id, doc_client.c.user_id).where(_of(doc_client, notebook)))
    return {row.client_id: row.user_id for row in found}


async def read_document(tx: AsyncConnection, notebook: NotebookId) -> StoredDocument:
    """The newest snapshot and the updates after it."""
    which = sa.select(doc.c.epoch, doc.c.head_seq, doc.c.fence).where(doc.c.id == notebook)
    found = (await tx.execute(which)).one_or_none()
    if found is None:
        raise NotFound("There is no such notebook.")
    newest = (
        await tx.execute(
            sa.select(doc_snapshot.c.seq, doc_snapshot.c.payload_zstd)
            .where(_of(doc_snapshot, notebook))
            .order_by(doc_snapshot.c.seq.desc())
            .limit(1)
        )
    ).one()
    tail = await tx.execute(
        sa.select(doc_update.c.payload)
        .where(_of(doc_update, notebook), doc_update.c.seq > newest.seq)
        .order_by(doc_update.c.seq)
    )
    return StoredDocument(
        epoch=found.epoch,
        head=found.head_seq,
        fence=found.fence,
        snapshot_seq=newest.seq,
        snapshot=zstandard.decompress(newest.payload_zstd),
        updates=[bytes(row.payload) for row in tail],
    )


async def forget_updates(tx: AsyncConnection, notebook: NotebookId, *, before: int, keep: Collection[int] = ()) -> None:
    """Drop what is older than `before`, as far as two newer snapshots stand for it; the snapshots of `keep` stay."""
    found = await tx.execute(
        sa.select(doc_snapshot.c.seq, doc_snapshot.c.ts)
        .where(_of(doc_snapshot, notebook))
        .order_by(doc_snapshot.c.seq.desc())
    )
    snapshots = list(found)
    old = [row.seq for row in snapshots[1:] if row.ts < before]
    if not old:
        return
    # The newest snapshot of those that are old enough stays: it stands for everything before it.
    floor = max(old)
    await tx.execute(
        sa.delete(doc_update).where(_of(doc_update, notebook), doc_update.c.seq <= floor, doc_update.c.ts < before)
    )
    for seq in (row.seq for row in snapshots if row.seq < floor and row.seq not in keep):
        await tx.execute(sa.delete(doc_snapshot).where(_of(doc_snapshot, notebook), doc_snapshot.c.seq == seq))


async def delete_document(tx: AsyncConnection, notebook: NotebookId) -> None:
    """Forget it, with its log."""
    for table in (doc_update, doc_snapshot, doc_client):
        await tx.execute(sa.delete(table).where(_of(table, notebook)))
    await tx.execute(sa.delete(doc).where(doc.c.id == notebook))


def _of(table: Table, notebook: NotebookId) -> sa.ColumnElement[bool]:
    return table.c.doc_id == notebook
