"""The tables of items and grants, and their statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Role
from collegium.drive.model import DEPTH_MAX, Grant, Item, Kind, Step
from collegium.ground.db import metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import ItemId, UserId

items = Table(
    "items",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("owner", String(22), ForeignKey("users.id"), nullable=False),
    Column("parent", String(22), ForeignKey("items.id"), nullable=True, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("blob", String(64), nullable=True, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("trashed_at", BigInteger, nullable=True),
    Index("ix_items_owner_parent", "owner", "parent"),
)
"""A drive's root has no row: it is every item of an owner without a parent."""

grants = Table(
    "grants",
    metadata,
    Column("item", String(22), ForeignKey("items.id"), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(22), ForeignKey("users.id"), nullable=False),
)

SHARED_SHOWN_MAX = 2_000


def _item(row: Row[Any]) -> Item:
    return Item(
        ItemId(row.id),
        UserId(row.owner),
        None if row.parent is None else ItemId(row.parent),
        Kind(row.kind),
        row.name,
        row.size,
        row.blob,
        row.created_at,
        row.modified_at,
        row.trashed_at,
    )


# --- the way down to an item ---------------------------------------------------------------------


def ways(starts: Any, user: UserId) -> Select[Any]:
    """Each start's item and all folders above it, from the top, with what the user was given on each."""
    first = select(items, items.c.id.label("start"), literal(0).label("height")).where(items.c.id.in_(starts))
    way = first.cte("way", recursive=True)
    above = select(items, way.c.start, way.c.height + 1).join(way, items.c.id == way.c.parent)
    way = way.union_all(above.where(way.c.height <= DEPTH_MAX))
    given = and_(grants.c.item == way.c.id, grants.c.user == user)
    return select(way, grants.c.role).outerjoin(grants, given).order_by(way.c.start, way.c.height.desc())


async def _read_ways(tx: AsyncConnection, starts: Any, user: UserId) -> dict[ItemId, list[Step]]:
    found: dict[ItemId, list[Step]] = defaultdict(list)
    for row in await tx.execute(ways(starts, user)):
        found[ItemId(row.start)].append(Step(_item(row), None if row.role is None else Role(row.role)))
    return dict(found)


async def read_way(tx: AsyncConnection, item: ItemId, user: UserId) -> list[Step]:
    """The way from the top of a drive down to this item; empty if there is no such item."""
    return (await _read_ways(tx, [item], user)).get(item, [])


async def read_ways_of_grants(tx: AsyncConnection, user: UserId) -> dict[ItemId, list[Step]]:
    """The ways to everything that was shared with a user, the latest first."""
    mine = select(grants.c.item).where(grants.c.user == user).order_by(grants.c.created_at.desc())
    return await _read_ways(tx, mine.limit(SHARED_SHOWN_MAX).scalar_subquery(), user)


# --- items ---------------------------------------------------------------------------------------


async def read_item(tx: AsyncConnection, item: ItemId) -> Item:
    """Raises NotFound."""
    row = (await tx.execute(select(items).where(items.c.id == item))).one_or_none()
    if row is None:
        raise NotFound("There is no such item.")
    return _item(row)


async def insert_item(tx: AsyncConnection, item: Item) -> None:
    """Keep a new item."""
    row = {"id": item.id, "owner": item.owner, "parent": item.parent, "kind": item.kind, "name": item.name}
    times = {"created_at": item.created_at, "modified_at": item.modified_at, "trashed_at": item.trashed_at}
    await tx.execute(insert(items).values(size=item.size, blob=item.blob, **row, **times))


async def update_item(tx: AsyncConnection, item: ItemId, **values: object) -> None:
    """Set some columns of an item."""
    await tx.execute(update(items).where(items.c.id == item).values(**values))


def _in_folder(owner: UserId, folder: ItemId | None) -> Any:
    place = items.c.parent.is_(None) if folder is None else items.c.parent == folder
    return and_(items.c.owner == owner, place, items.c.trashed_at.is_(None))


async def read_children(tx: AsyncConnection, owner: UserId, folder: ItemId | None) -> list[Item]:
    """What is in a folder (None: the owner's root) and not in the trash."""
    return [_item(row) for row in await tx.execute(select(items).where(_in_folder(owner, folder)))]


async def count_children(tx: AsyncConnection, owner: UserId, folder: ItemId | None) -> int:
    """How many items a folder holds."""
    found = select(func.count()).select_from(items).where(_in_folder(owner, folder))
    return int((await tx.execute(found)).scalar_one())


async def folder_named(tx: AsyncConnection, owner: UserId, name: str) -> ItemId | None:
    """The oldest folder of this name in the owner's root."""
    found = select(items.c.id).where(_in_folder(owner, None), items.c.kind == Kind.FOLDER, items.c.name == name)
    folder = (await tx.execute(found.order_by(items.c.created_at, items.c.id).limit(1))).scalar_one_or_none()
    return None if folder is None else ItemId(folder)


async def read_trash(tx: AsyncConnection, owner: UserId) -> list[Item]:
    """What the owner put into the trash, the latest first; what is inside of it is not listed."""
    found = select(items).where(items.c.owner == owner, items.c.trashed_at.is_not(None))
    return [_item(row) for row in await tx.execute(found.order_by(items.c.trashed_at.desc(), items.c.id))]


async def read_subtree(tx: AsyncConnection, item: ItemId) -> list[tuple[Item, int]]:
    """An item and everything under it, each with its depth below the item."""
    tree = select(items, literal(0).label("depth")).where(items.c.id == item).cte("tree", recursive=True)
    below = select(items, tree.c.depth + 1).join(tree, items.c.parent == tree.c.id)
    tree = tree.union_all(below.where(tree.c.depth <= DEPTH_MAX))
    return [(_item(row), row.depth) for row in await tx.execute(select(tree))]


async def delete_items(tx: AsyncConnection, ids: Sequence[ItemId]) -> None:
    """Remove items and what was granted on them. They must make up whole subtrees, the deepest first."""
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        await tx.execute(delete(grants).where(grants.c.item.in_(some)))
        await tx.execute(delete(items).where(items.c.id.in_(some)))


async def blob_is_used(tx: AsyncConnection, blob: str) -> bool:
    """Whether an item has these bytes."""
    return (await tx.execute(select(items.c.id).where(items.c.blob == blob).limit(1))).first() is not None


# --- grants --------------------------------------------------------------------------------------


async def set_grant(tx: AsyncConnection, grant: Grant, *, by: UserId) -> None:
    """Give a user a role on an item, instead of the one they had."""
    await delete_grant(tx, grant.item, grant.user)
    row = {"item": grant.item, "user": grant.user, "role": grant.role, "created_at": grant.created_at}
    await tx.execute(insert(grants).values(created_by=by, **row))


async def delete_grant(tx: AsyncConnection, item: ItemId, user: UserId) -> bool:
    """Whether there was one."""
    gone = delete(grants).where(grants.c.item == item, grants.c.user == user)
    return bool((await tx.execute(gone)).rowcount)


async def read_grants(tx: AsyncConnection, on: Iterable[ItemId]) -> list[Grant]:
    """Everything granted on these items, the oldest first."""
    found = select(grants).where(grants.c.item.in_(list(on))).order_by(grants.c.created_at, grants.c.user)
    return [Grant(ItemId(r.item), UserId(r.user), Role(r.role), r.created_at) for r in await tx.execute(found)]


async def read_own_grants(tx: AsyncConnection, folder: ItemId, user: UserId) -> list[Grant]:
    """What a user was given on the items that lie in this folder."""
    found = select(grants).join(items).where(items.c.parent == folder, grants.c.user == user)
    return [Grant(ItemId(r.item), UserId(r.user), Role(r.role), r.created_at) for r in await tx.execute(found)]
