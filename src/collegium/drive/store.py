"""The tables of items and grants, and their statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import GUEST, Role, stronger
from collegium.drive import search_store, sharing_store, shelves_store
from collegium.drive.model import DEPTH_MAX, Item, Kind, Step
from collegium.drive.sharing_store import LINKED
from collegium.drive.shelves_store import openings
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
    Column("trashed_at", BigInteger, nullable=True, index=True),
    Column("playground_of", String(22), nullable=True),
    Index("ix_items_owner_parent", "owner", "parent"),
    Index("ix_items_owner_playground_of", "owner", "playground_of", unique=True),
)
"""A drive's root has no row: it is every item of an owner without a parent."""

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
        None if row.playground_of is None else ItemId(row.playground_of),
    )


# --- the way down to an item ---------------------------------------------------------------------


def ways(starts: Any, user: UserId | BindParameter[str]) -> Select[Any]:
    """Each start's item and all folders above it, from the top, with what the user was given on each."""
    first = select(items, items.c.id.label("start"), literal(0).label("height")).where(items.c.id.in_(starts))
    way = first.cte("way", recursive=True)
    above = select(items, way.c.start, way.c.height + 1).join(way, items.c.id == way.c.parent)
    way = way.union_all(above.where(way.c.height <= DEPTH_MAX))
    given = sharing_store.given(user, select(way.c.id)).subquery("given")
    found = select(way, given.c.role, given.c.how).outerjoin(given, given.c.item == way.c.id)
    return found.order_by(way.c.start, way.c.height.desc())


@cache
def _way_to_one(*, guest: bool) -> Select[Any]:
    """Made once: to make it takes several times as long as to run it, and every request does."""
    return ways([bindparam("start")], GUEST.user if guest else bindparam("user"))


async def _read_ways(tx: AsyncConnection, starts: Any, user: UserId) -> dict[ItemId, list[Step]]:
    return _ways_from(await tx.execute(ways(starts, user)))


def _ways_from(rows: Iterable[Row[Any]]) -> dict[ItemId, list[Step]]:
    found: dict[ItemId, list[Step]] = defaultdict(list)
    for row in rows:
        way = found[ItemId(row.start)]
        if not way or way[-1].item.id != row.id:
            way.append(Step(_item(row), None))
        if row.role is not None:
            way[-1] = _with(way[-1], Role(row.role), linked=row.how == LINKED)
    return dict(found)


def _with(step: Step, role: Role, *, linked: bool) -> Step:
    if linked:
        return replace(step, linked=stronger(step.linked, role))
    return replace(step, granted=stronger(step.granted, role))


async def read_way(tx: AsyncConnection, item: ItemId, user: UserId) -> list[Step]:
    """The way from the top of a drive down to this item; empty if there is no such item."""
    return await tx.run_sync(way_to, item, user)


def way_to(tx: Connection, item: ItemId, user: UserId) -> list[Step]:
    """`read_way`, for a glance."""
    guest = user == GUEST.user
    asked = {"start": item} if guest else {"start": item, "user": user}
    return _ways_from(tx.execute(_way_to_one(guest=guest), asked)).get(item, [])


async def read_ways(tx: AsyncConnection, ids: Sequence[ItemId], user: UserId) -> dict[ItemId, list[Step]]:
    """The way down to each of these items that exists."""
    return await _read_ways(tx, list(ids), user)


async def read_ways_of_grants(tx: AsyncConnection, user: UserId) -> dict[ItemId, list[Step]]:
    """The ways to everything that was shared with a user, the latest first."""
    mine = sharing_store.shared_with(user, count=SHARED_SHOWN_MAX)
    return await _read_ways(tx, mine.scalar_subquery(), user)


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
    await tx.execute(
        insert(items).values(size=item.size, blob=item.blob, playground_of=item.playground_of, **row, **times)
    )
    await search_store.insert_name(tx, item.id, item.name)


async def insert_items(tx: AsyncConnection, made: Sequence[Item]) -> None:
    """Keep many new items; a folder comes before what lies in it."""
    for start in range(0, len(made), 500):
        some = made[start : start + 500]
        await tx.execute(insert(items), [asdict(item) for item in some])
        await search_store.insert_names(tx, [(item.id, item.name) for item in some])


async def update_item(tx: AsyncConnection, item: ItemId, **values: object) -> None:
    """Set some columns of an item."""
    await tx.execute(update(items).where(items.c.id == item).values(**values))
    if isinstance(name := values.get("name"), str):
        await search_store.set_name(tx, item, name)


def _in_folder(owner: UserId, folder: ItemId | None) -> Any:
    place = items.c.parent.is_(None) if folder is None else items.c.parent == folder
    return and_(items.c.owner == owner, place, items.c.trashed_at.is_(None), items.c.playground_of.is_(None))


async def read_children(tx: AsyncConnection, owner: UserId, folder: ItemId | None) -> list[Item]:
    """What is in a folder (None: the owner's root) and not in the trash."""
    return [_item(row) for row in await tx.execute(select(items).where(_in_folder(owner, folder)))]


async def count_children(tx: AsyncConnection, owner: UserId, folder: ItemId | None) -> int:
    """How many items a folder holds."""
    found = select(func.count()).select_from(items).where(_in_folder(owner, folder))
    return int((await tx.execute(found)).scalar_one())


async def read_used_bytes(tx: AsyncConnection, owner: UserId) -> int:
    """How much a user's items take, those in the trash too; playgrounds do not count."""
    found = select(func.coalesce(func.sum(items.c.size), 0)).where(
        items.c.owner == owner, items.c.playground_of.is_(None)
    )
    return int((await tx.execute(found)).scalar_one())


async def read_trashed_before(tx: AsyncConnection, before: int) -> list[ItemId]:
    """What was put into the trash before this moment."""
    found = select(items.c.id).where(items.c.trashed_at < before).order_by(items.c.trashed_at)
    return [ItemId(item) for item in (await tx.execute(found)).scalars()]


async def read_playground(tx: AsyncConnection, owner: UserId, original: ItemId) -> Item | None:
    """The playground that a user has of a notebook."""
    found = select(items).where(items.c.owner == owner, items.c.playground_of == original)
    row = (await tx.execute(found)).one_or_none()
    return None if row is None else _item(row)


async def read_playgrounds(tx: AsyncConnection, *, unopened_since: int) -> list[ItemId]:
    """Every playground that was made and last opened before this moment."""
    opened = select(func.max(openings.c.opened_at)).where(openings.c.item == items.c.id).scalar_subquery()
    last = func.coalesce(opened, items.c.created_at)
    found = select(items.c.id).where(items.c.playground_of.is_not(None), last < unopened_since)
    return [ItemId(item) for item in (await tx.execute(found)).scalars()]


async def folder_named(tx: AsyncConnection, owner: UserId, name: str) -> ItemId | None:
    """The oldest folder of this name in the owner's root."""
    found = select(items.c.id).where(_in_folder(owner, None), items.c.kind == Kind.FOLDER, items.c.name == name)
    folder = (await tx.execute(found.order_by(items.c.created_at, items.c.id).limit(1))).scalar_one_or_none()
    return None if folder is None else ItemId(folder)


async def read_trash(tx: AsyncConnection, owner: UserId) -> list[Item]:
    """What the owner put into the trash, the latest first; what is inside of it is not listed."""
    found = select(items).where(
        items.c.owner == owner, items.c.trashed_at.is_not(None), items.c.playground_of.is_(None)
    )
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
        await sharing_store.forget_items(tx, list(some))
        await shelves_store.forget(tx, some)
        await search_store.delete_texts(tx, some)
        await tx.execute(delete(items).where(items.c.id.in_(some)))


async def blob_is_used(tx: AsyncConnection, blob: str) -> bool:
    """Whether an item has these bytes."""
    return (await tx.execute(select(items.c.id).where(items.c.blob == blob).limit(1))).first() is not None


async def read_roles_in(tx: AsyncConnection, folder: ItemId, user: UserId) -> dict[ItemId, Role]:
    """What a user is given on the very items that lie in this folder."""
    inside = select(items.c.id).where(items.c.parent == folder)
    roles: dict[ItemId, Role] = {}
    for row in await tx.execute(sharing_store.given(user, inside)):
        best = stronger(roles.get(ItemId(row.item)), Role(row.role))
        assert best is not None
        roles[ItemId(row.item)] = best
    return roles


async def give_to(tx: AsyncConnection, ids: Sequence[ItemId], owner: UserId) -> None:
    """These items have another owner from now on. They must make up a whole subtree."""
    for start in range(0, len(ids), 500):
        await tx.execute(update(items).where(items.c.id.in_(ids[start : start + 500])).values(owner=owner))
