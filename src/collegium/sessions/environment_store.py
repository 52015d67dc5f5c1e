"""The tables of environments: what sessions had installed, the locks of notebooks, the layers that were built."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, String, Table, Text, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import AnyText, metadata
from collegium.ground.ids import NotebookId, RuntimeId, UserId
from collegium.runtimes.packages import Package
from collegium.sessions.model import OnTop, Pin, Replaced

environments = Table(
    "session_environments",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("environment", String(64), primary_key=True),
    Column("runtime_id", String(22), nullable=False),
    Column("version", String(64), nullable=False),
    Column("layer", String(64), nullable=True),
    Column("on_top", AnyText, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Each environment that a notebook ran in, by the hash of what it held, and where that was first."""

pins = Table(
    "environment_pins",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("lock", AnyText, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("user_id", String(22), nullable=False),
    Column("user_name", String(200), nullable=False),
)

layers = Table(
    "environment_layers",
    metadata,
    Column("layer", String(64), primary_key=True),
    Column("path", Text, nullable=False),
    Column("version", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("built_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What a notebook's cells ran in: a runtime version, the layer of its lock, and what was installed on top."""

    notebook: NotebookId
    environment: str
    runtime: RuntimeId
    version: str
    layer: str | None
    on_top: OnTop
    at: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A lock, built for a runtime version."""

    layer: str
    path: str
    version: str
    size_bytes: int
    built_at: int
    used_at: int


async def write_environment(tx: AsyncConnection, seen: Environment) -> None:
    """Remember an environment; the first time that it was seen counts."""
    if await read_environment(tx, seen.notebook, seen.environment) is None:
        row = {
            "notebook_id": seen.notebook,
            "environment": seen.environment,
            "runtime_id": seen.runtime,
            "version": seen.version,
            "layer": seen.layer,
            "on_top": on_top_to(seen.on_top),
            "at": seen.at,
        }
        await tx.execute(insert(environments).values(row))


async def read_environment(tx: AsyncConnection, notebook: NotebookId, environment: str) -> Environment | None:
    """One that this notebook ran in."""
    statement = select(environments).where(
        environments.c.notebook_id == notebook, environments.c.environment == environment
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return None
    return Environment(
        notebook=notebook,
        environment=row.environment,
        runtime=RuntimeId(row.runtime_id),
        version=row.version,
        layer=row.layer,
        on_top=on_top_from(row.on_top),
        at=row.at,
    )


async def write_pin(tx: AsyncConnection, notebook: NotebookId, pin: Pin, user: UserId) -> None:
    """From now on the notebook starts with this lock."""
    values = {"lock": pin.lock, "at": pin.at, "user_id": user, "user_name": pin.by[:200]}
    changed = await tx.execute(update(pins).where(pins.c.notebook_id == notebook).values(values))
    if changed.rowcount == 0:
        await tx.execute(insert(pins).values(values | {"notebook_id": notebook}))


async def read_pin(tx: AsyncConnection, notebook: NotebookId) -> Pin | None:
    """The lock that a notebook starts with."""
    row = (await tx.execute(select(pins).where(pins.c.notebook_id == notebook))).one_or_none()
    return None if row is None else Pin(lock=row.lock, at=row.at, by=row.user_name)


async def delete_pin(tx: AsyncConnection, notebook: NotebookId) -> None:
    """The notebook starts with its runtime version alone."""
    await tx.execute(delete(pins).where(pins.c.notebook_id == notebook))


async def write_layer(tx: AsyncConnection, layer: Layer) -> None:
    """A layer was built, maybe anew."""
    await delete_layer(tx, layer.layer)
    row = {key: getattr(layer, key) for key in layers.c.keys()}  # noqa: SIM118
    await tx.execute(insert(layers).values(row))


async def read_layer(tx: AsyncConnection, layer: str) -> Layer | None:
    """A layer, if it was built."""
    row = (await tx.execute(select(layers).where(layers.c.layer == layer))).one_or_none()
    return None if row is None else Layer(**row._mapping)


async def read_layers(tx: AsyncConnection) -> list[Layer]:
    """All that were built, those not used for longest first."""
    rows = await tx.execute(select(layers).order_by(layers.c.used_at, layers.c.layer))
    return [Layer(**row._mapping) for row in rows]


async def set_layer_used(tx: AsyncConnection, layer: str, now: int) -> None:
    """A runtime is made with it."""
    await tx.execute(update(layers).where(layers.c.layer == layer).values(used_at=now))


async def delete_layer(tx: AsyncConnection, layer: str) -> None:
    """It is no more."""
    await tx.execute(delete(layers).where(layers.c.layer == layer))


async def delete_notebooks(tx: AsyncConnection, notebooks: Sequence[NotebookId]) -> None:
    """Nothing is known of the environments of these notebooks any more. Layers may be another's too, and age."""
    for table in (environments, pins):
        await tx.execute(delete(table).where(table.c.notebook_id.in_(notebooks)))


def on_top_to(on_top: OnTop) -> str:
    """As it is kept: sorted, so that equal ones are equal texts."""
    shown = {
        "added": _listed(on_top.added),
        "changed": sorted([one.name, one.before, one.now] for one in on_top.changed),
        "removed": _listed(on_top.removed),
    }
    return json.dumps(shown, separators=(",", ":"))


def on_top_from(text: str) -> OnTop:
    """As it was kept."""
    kept: dict[str, Any] = json.loads(text)
    return OnTop(
        added=tuple(Package(*one) for one in kept["added"]),
        changed=tuple(Replaced(*one) for one in kept["changed"]),
        removed=tuple(Package(*one) for one in kept["removed"]),
    )


def _listed(packages: Iterable[Package]) -> list[list[str]]:
    return sorted([one.name, one.version] for one in packages)
