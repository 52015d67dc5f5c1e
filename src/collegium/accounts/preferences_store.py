"""The table of what each person set about the page, and its statements."""

import json
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.ids import UserId

preferences = Table(
    "preferences",
    metadata,
    Column("user", String(22), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("settings", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)


async def read_preferences(tx: AsyncConnection, user: UserId) -> dict[str, dict[str, Any]]:
    """What somebody chose, by subject and name; who chose nothing has no row."""
    found = (await tx.execute(select(preferences.c.settings).where(preferences.c.user == user))).scalar_one_or_none()
    return {} if found is None else json.loads(found)


async def write_preferences(tx: AsyncConnection, user: UserId, settings: str, *, now_ms: int) -> None:
    """In place of what was kept."""
    await delete_preferences(tx, user)
    await tx.execute(insert(preferences).values(user=user, settings=settings, changed_at=now_ms))


async def delete_preferences(tx: AsyncConnection, user: UserId) -> None:
    """As if somebody had chosen nothing."""
    await tx.execute(delete(preferences).where(preferences.c.user == user))
