"""The table of widgets that no kernel has any more: their states, as a notebook's file keeps them."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import AnyText, metadata
from collegium.ground.ids import NotebookId

states = Table(
    "widget_states",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("states", AnyText, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""What cells show of widgets whose kernel is gone, or was another notebook's."""

States = dict[str, Any]


async def read_states(tx: AsyncConnection, notebook: NotebookId) -> States:
    """The models by their ids."""
    row = (await tx.execute(select(states.c.states).where(states.c.notebook_id == notebook))).one_or_none()
    return {} if row is None else json.loads(row.states)


async def write_states(tx: AsyncConnection, notebook: NotebookId, left: States, now: int) -> None:
    """In the place of what there was."""
    await delete_states(tx, [notebook])
    if left:
        text = json.dumps(left, ensure_ascii=False, separators=(",", ":"))
        await tx.execute(insert(states).values(notebook_id=notebook, states=text, at=now))


async def delete_states(tx: AsyncConnection, notebooks: Sequence[NotebookId]) -> None:
    """These notebooks show no widgets of a kernel that is gone."""
    await tx.execute(delete(states).where(states.c.notebook_id.in_(notebooks)))
