"""The tables of kernels, sessions and checkpoints of the Jupyter API, and their statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Row, String, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.ids import ItemId, KernelId, RuntimeId, UserId
from collegium.jupyter.model import Kernel, Session

kernels = Table(
    "jupyter_kernels",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user_id", String(22), nullable=False, index=True),
    Column("runtime_id", String(22), nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

sessions = Table(
    "jupyter_sessions",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user_id", String(22), nullable=False, index=True),
    Column("kernel_id", String(22), nullable=False),
    Column("path", String(4096), nullable=False),
    Column("name", String(4096), nullable=False),
    Column("type", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

checkpoints = Table(
    "jupyter_checkpoints",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("item_id", String(22), nullable=False, index=True),
    Column("blob", String(64), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)
"""`blob`: the whole file as it was."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A copy of a file or notebook, kept to go back to."""

    id: str
    item: ItemId
    blob: str
    created_at: int


# --- kernels -------------------------------------------------------------------------------------


async def insert_kernel(tx: AsyncConnection, kernel: Kernel) -> None:
    """Keep a kernel that is to be started."""
    row = {"id": kernel.id, "user_id": kernel.user, "runtime_id": kernel.runtime, "name": kernel.name}
    await tx.execute(insert(kernels).values(**row, created_at=kernel.created_at))


async def read_kernels(tx: AsyncConnection) -> list[Kernel]:
    """All, the oldest first."""
    rows = await tx.execute(select(kernels).order_by(kernels.c.created_at, kernels.c.id))
    return [Kernel(KernelId(r.id), UserId(r.user_id), RuntimeId(r.runtime_id), r.name, r.created_at) for r in rows]


async def delete_kernel(tx: AsyncConnection, kernel: KernelId) -> None:
    """It is gone, and so are the sessions that were bound to it."""
    await tx.execute(delete(sessions).where(sessions.c.kernel_id == kernel))
    await tx.execute(delete(kernels).where(kernels.c.id == kernel))


# --- sessions ------------------------------------------------------------------------------------


def _session(row: Row[Any]) -> Session:
    return Session(row.id, UserId(row.user_id), KernelId(row.kernel_id), row.path, row.name, row.type, row.created_at)


async def insert_session(tx: AsyncConnection, session: Session) -> None:
    """Keep a new session."""
    names = {"path": session.path, "name": session.name, "type": session.type}
    ids = {"id": session.id, "user_id": session.user, "kernel_id": session.kernel}
    await tx.execute(insert(sessions).values(**ids, **names, created_at=session.created_at))


async def read_sessions(tx: AsyncConnection, user: UserId) -> list[Session]:
    """Those of a user, the oldest first."""
    mine = select(sessions).where(sessions.c.user_id == user)
    return [_session(row) for row in await tx.execute(mine.order_by(sessions.c.created_at, sessions.c.id))]


async def update_session(tx: AsyncConnection, session: Session) -> None:
    """What it is called now, and which kernel it is bound to."""
    names = {"path": session.path, "name": session.name, "type": session.type, "kernel_id": session.kernel}
    await tx.execute(update(sessions).where(sessions.c.id == session.id).values(**names))


async def delete_session(tx: AsyncConnection, session: str) -> None:
    """Forget it."""
    await tx.execute(delete(sessions).where(sessions.c.id == session))


# --- checkpoints ---------------------------------------------------------------------------------


async def insert_checkpoint(tx: AsyncConnection, checkpoint: Checkpoint) -> None:
    """Keep a new one."""
    row = {"id": checkpoint.id, "item_id": checkpoint.item, "blob": checkpoint.blob}
    await tx.execute(insert(checkpoints).values(**row, created_at=checkpoint.created_at))


async def read_checkpoints(tx: AsyncConnection, item: ItemId) -> list[Checkpoint]:
    """Those of a file, the latest first."""
    found = select(checkpoints).where(checkpoints.c.item_id == item)
    rows = await tx.execute(found.order_by(checkpoints.c.created_at.desc(), checkpoints.c.id))
    return [Checkpoint(r.id, ItemId(r.item_id), r.blob, r.created_at) for r in rows]


async def read_checkpointed(tx: AsyncConnection) -> list[ItemId]:
    """Every item that has one."""
    return [ItemId(row.item_id) for row in await tx.execute(select(checkpoints.c.item_id).distinct())]


async def delete_checkpoints(tx: AsyncConnection, ids: Sequence[str]) -> None:
    """Forget them."""
    await tx.execute(delete(checkpoints).where(checkpoints.c.id.in_(list(ids))))


async def blob_is_used(tx: AsyncConnection, blob: str) -> bool:
    """Whether a checkpoint has these bytes."""
    return (await tx.execute(select(checkpoints.c.id).where(checkpoints.c.blob == blob).limit(1))).first() is not None
