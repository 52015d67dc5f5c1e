"""The tables of what people opened and starred, and their statements."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.ids import ItemId, UserId

openings = Table(
    "openings",
    metadata,
    Column("user", String(22), ForeignKey("users.id"), primary_key=True),
    Column("item", String(22), ForeignKey("items.id"), primary_key=True, index=True),
    Column("opened_at", BigInteger, nullable=False),
    Index("ix_openings_user_opened_at", "user", "opened_at"),
)
stars = Table(
    "stars",
    metadata,
    Column("user", String(22), ForeignKey("users.id"), primary_key=True),
    Column("item", String(22), ForeignKey("items.id"), primary_key=True, index=True),
    Column("starred_at", BigInteger, nullable=False),
)


def read_opening(tx: Connection, user: UserId, item: ItemId) -> int | None:
    """When the user last opened the item, in milliseconds."""
    found = select(openings.c.opened_at).where(openings.c.user == user, openings.c.item == item)
    at = tx.execute(found).scalar_one_or_none()
    return None if at is None else int(at)


async def set_opening(tx: AsyncConnection, user: UserId, item: ItemId, now: int, *, keep: int) -> None:
    """The user opened the item now; of all that they opened the latest `keep` are remembered."""
    mine = openings.c.user == user
    changed = await tx.execute(update(openings).where(mine, openings.c.item == item).values(opened_at=now))
    if changed.rowcount:
        return
    await tx.execute(insert(openings).values(user=user, item=item, opened_at=now))
    oldest = select(openings.c.opened_at).where(mine).order_by(openings.c.opened_at.desc()).offset(keep - 1).limit(1)
    floor = (await tx.execute(oldest)).scalar_one_or_none()
    if floor is not None:
        await tx.execute(delete(openings).where(mine, openings.c.opened_at < floor))


async def read_openings(tx: AsyncConnection, user: UserId) -> list[tuple[ItemId, int]]:
    """What the user opened and when, the latest first."""
    found = select(openings).where(openings.c.user == user).order_by(openings.c.opened_at.desc(), openings.c.item)
    return [(ItemId(row.item), int(row.opened_at)) for row in await tx.execute(found)]


async def read_stars(tx: AsyncConnection, user: UserId) -> list[ItemId]:
    """What the user starred, the latest first."""
    found = select(stars.c.item).where(stars.c.user == user).order_by(stars.c.starred_at.desc(), stars.c.item)
    return [ItemId(item) for item in (await tx.execute(found)).scalars()]


async def set_star(tx: AsyncConnection, user: UserId, item: ItemId, now: int) -> None:
    """From now on the item is starred."""
    await delete_star(tx, user, item)
    await tx.execute(insert(stars).values(user=user, item=item, starred_at=now))


async def delete_star(tx: AsyncConnection, user: UserId, item: ItemId) -> None:
    """From now on it is not."""
    await tx.execute(delete(stars).where(stars.c.user == user, stars.c.item == item))


async def forget(tx: AsyncConnection, ids: Sequence[ItemId]) -> None:
    """These items are being deleted."""
    for table in (openings, stars):
        await tx.execute(delete(table).where(table.c.item.in_(ids)))
