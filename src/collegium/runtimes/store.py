"""The table of runtimes."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Select, String, Table, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.model import LIVE, Limits, Runtime, State, Terms, Unit

runtimes = Table(
    "runtimes",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user_id", String(22), nullable=False),
    Column("engine", String(32), nullable=False),
    Column("type", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("cpus", Float, nullable=False),
    Column("processes", Integer, nullable=False),
    Column("disk_bytes", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("ready_at", BigInteger),
    Column("used_at", BigInteger, nullable=False),
    Column("stopped_at", BigInteger),
    Column("network", String(16), nullable=False, server_default="none"),
    Column("idle_ms", BigInteger, nullable=False, server_default="5400000"),
    Column("lifetime_ms", BigInteger),
    Column("keep_ms", BigInteger, nullable=False, server_default="0"),
    Column("expires_at", BigInteger),
    Column("boot", String(64), nullable=False, server_default=""),
    Column("accelerator", String(64)),
    Column("unit", String(256)),
    Index("ix_runtimes_user_id_state", "user_id", "state"),
    Index("ix_runtimes_state", "state"),
)

_LIVE = [state.value for state in LIVE]


def _live() -> Select[Any]:
    return select(runtimes).where(runtimes.c.state.in_(_LIVE)).order_by(runtimes.c.requested_at, runtimes.c.id)


async def insert_runtime(tx: AsyncConnection, runtime: Runtime) -> None:
    """Remember a new one."""
    await tx.execute(runtimes.insert().values(id=runtime.id, **_values(runtime)))


async def update_runtime(tx: AsyncConnection, runtime: Runtime) -> None:
    """Remember what became of it."""
    await tx.execute(update(runtimes).where(runtimes.c.id == runtime.id).values(**_values(runtime)))


async def read_runtime(tx: AsyncConnection, runtime: RuntimeId) -> Runtime | None:
    """One, whatever became of it."""
    row = (await tx.execute(select(runtimes).where(runtimes.c.id == runtime))).one_or_none()
    return None if row is None else _runtime(row)


async def read_live(tx: AsyncConnection, user: UserId | None = None) -> list[Runtime]:
    """Those that are, or are about to be; of one user or of all."""
    statement = _live() if user is None else _live().where(runtimes.c.user_id == user)
    return [_runtime(row) for row in await tx.execute(statement)]


async def set_used(tx: AsyncConnection, used: Iterable[tuple[RuntimeId, int]]) -> None:
    """Remember when each was used last."""
    for runtime, at in used:
        await tx.execute(update(runtimes).where(runtimes.c.id == runtime).values(used_at=at))


def _values(runtime: Runtime) -> dict[str, Any]:
    return {
        "user_id": runtime.user,
        "engine": runtime.engine,
        "type": runtime.type,
        "version": runtime.version,
        "state": runtime.state.value,
        "reason": runtime.reason,
        "memory_bytes": runtime.limits.memory_bytes,
        "cpus": runtime.limits.cpus,
        "processes": runtime.limits.processes,
        "disk_bytes": runtime.limits.disk_bytes,
        "requested_at": runtime.requested_at,
        "ready_at": runtime.ready_at,
        "used_at": runtime.used_at,
        "stopped_at": runtime.stopped_at,
        "network": runtime.network,
        "idle_ms": runtime.terms.idle_ms,
        "lifetime_ms": runtime.terms.lifetime_ms,
        "keep_ms": runtime.terms.keep_ms,
        "expires_at": runtime.expires_at,
        "boot": runtime.boot,
        "accelerator": runtime.unit and runtime.unit.accelerator,
        "unit": runtime.unit and runtime.unit.name,
    }


def _runtime(row: Row[Any]) -> Runtime:
    return Runtime(
        id=RuntimeId(row.id),
        user=UserId(row.user_id),
        engine=row.engine,
        type=row.type,
        version=row.version,
        state=State(row.state),
        reason=row.reason,
        limits=Limits(row.memory_bytes, row.cpus, row.processes, row.disk_bytes),
        requested_at=row.requested_at,
        used_at=row.used_at,
        ready_at=row.ready_at,
        stopped_at=row.stopped_at,
        network=row.network,
        terms=Terms(row.idle_ms, row.lifetime_ms, row.keep_ms),
        expires_at=row.expires_at,
        boot=row.boot,
        unit=None if row.unit is None else Unit(row.accelerator, row.unit),
    )
