"""The tables of what is shared with people, with groups and by links, and their statements."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    CompoundSelect,
    ForeignKey,
    Select,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.groups import membership, memberships
from collegium.accounts.model import GUEST, Role, stronger
from collegium.drive.model import Audience, Grant, GroupGrant, Link
from collegium.ground.clock import now_ms
from collegium.ground.db import metadata
from collegium.ground.ids import GroupId, ItemId, UserId

grants = Table(
    "grants",
    metadata,
    Column("item", String(22), ForeignKey("items.id"), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(22), ForeignKey("users.id"), nullable=False),
    Column("expires_at", BigInteger, nullable=True),
)

group_grants = Table(
    "group_grants",
    metadata,
    Column("item", String(22), ForeignKey("items.id"), primary_key=True),
    Column("group", String(22), ForeignKey("groups.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(22), ForeignKey("users.id"), nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("item", String(22), ForeignKey("items.id"), primary_key=True),
    Column("audience", String(16), nullable=False),
    Column("role", String(16), nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(22), ForeignKey("users.id"), nullable=False),
)
"""An item without a row is restricted."""

GRANTED, LINKED = "granted", "linked"


def _holds(table: Table) -> Any:
    """What has not expired when it is asked for."""
    now = bindparam("now", callable_=now_ms, type_=BigInteger, unique=True)
    return or_(table.c.expires_at.is_(None), table.c.expires_at > now)


# --- what somebody is given ----------------------------------------------------------------------


def given(user: UserId | BindParameter[str], on: Any) -> Select[Any] | CompoundSelect[Any]:
    """What is given to this user on these items now: `item`, `role`, and `how` (GRANTED or LINKED).

    `on`: a list or a subquery of item ids. Each item may come several times. A guest is given links for anyone, and
    may only read. `user` may be a parameter, for somebody who is no guest.
    """
    linked = literal(LINKED).label("how")
    if isinstance(user, str) and user == GUEST.user:
        reading = select(links.c.item, literal(str(Role.VIEWER)).label("role"), linked)
        return reading.where(links.c.item.in_(on), links.c.audience == Audience.ANYONE, _holds(links))
    granted = literal(GRANTED).label("how")
    own = select(grants.c.item, grants.c.role, granted)
    by_group = select(group_grants.c.item, group_grants.c.role, granted)
    return union_all(
        own.where(grants.c.item.in_(on), grants.c.user == user, _holds(grants)),
        by_group.where(group_grants.c.item.in_(on), group_grants.c.group.in_(membership(user)), _holds(group_grants)),
        select(links.c.item, links.c.role, linked).where(links.c.item.in_(on), _holds(links)),
    )


def granted_to(user: UserId) -> CompoundSelect[Any]:
    """The ids of the items that were given to this user or to a group that they are in; links do not count."""
    by_group = select(group_grants.c.item).where(group_grants.c.group.in_(membership(user)), _holds(group_grants))
    return union_all(select(grants.c.item).where(grants.c.user == user, _holds(grants)), by_group)


def shared_with(user: UserId, *, count: int) -> Select[Any]:
    """The ids of the items that were given to this user or to a group that they are in, the latest first."""
    every = union_all(
        select(grants.c.item, grants.c.created_at).where(grants.c.user == user, _holds(grants)),
        select(group_grants.c.item, group_grants.c.created_at).where(
            group_grants.c.group.in_(membership(user)), _holds(group_grants)
        ),
    ).subquery()
    latest = func.max(every.c.created_at)
    return select(every.c.item).group_by(every.c.item).order_by(latest.desc(), every.c.item).limit(count)


async def next_expiry(tx: AsyncConnection, on: list[ItemId]) -> int | None:
    """When the next of what is given on these items expires."""
    ends = union_all(
        *(select(table.c.expires_at).where(table.c.item.in_(on), table.c.expires_at > now_ms()) for table in ALL)
    ).subquery()
    found: int | None = (await tx.execute(select(func.min(ends.c.expires_at)))).scalar_one()
    return found


async def groups_on(tx: AsyncConnection, on: list[ItemId]) -> set[GroupId]:
    """The groups that something is given to on these items."""
    found = select(group_grants.c.group).where(group_grants.c.item.in_(on)).distinct()
    return {GroupId(row.group) for row in await tx.execute(found)}


ALL = (grants, group_grants, links)


async def forget_items(tx: AsyncConnection, ids: list[ItemId]) -> None:
    """These items are deleted: nothing is given on them."""
    for table in ALL:
        await tx.execute(delete(table).where(table.c.item.in_(ids)))


async def forget_group(tx: AsyncConnection, group: GroupId) -> None:
    """This group is deleted: nothing is given to it."""
    await tx.execute(delete(group_grants).where(group_grants.c.group == group))


# --- people --------------------------------------------------------------------------------------


async def set_grant(tx: AsyncConnection, grant: Grant, *, by: UserId) -> None:
    """Give a user a role on an item, instead of the one they had."""
    await delete_grant(tx, grant.item, grant.user)
    row = {"item": grant.item, "user": grant.user, "role": grant.role, "expires_at": grant.expires_at}
    await tx.execute(insert(grants).values(created_at=grant.created_at, created_by=by, **row))


async def delete_grant(tx: AsyncConnection, item: ItemId, user: UserId) -> bool:
    """Whether there was one."""
    gone = delete(grants).where(grants.c.item == item, grants.c.user == user)
    return bool((await tx.execute(gone)).rowcount)


async def delete_grants_of(tx: AsyncConnection, user: UserId, on: list[ItemId]) -> None:
    """Nothing is given to this user on these items any more."""
    for start in range(0, len(on), 500):
        some = on[start : start + 500]
        await tx.execute(delete(grants).where(grants.c.user == user, grants.c.item.in_(some)))


async def read_grants(tx: AsyncConnection, on: Iterable[ItemId]) -> list[Grant]:
    """What people are given on these items now, the oldest first."""
    found = select(grants).where(grants.c.item.in_(list(on)), _holds(grants))
    rows = await tx.execute(found.order_by(grants.c.created_at, grants.c.user))
    return [Grant(ItemId(r.item), UserId(r.user), Role(r.role), r.created_at, r.expires_at) for r in rows]


# --- groups --------------------------------------------------------------------------------------


async def set_group_grant(tx: AsyncConnection, grant: GroupGrant, *, by: UserId) -> None:
    """Give a group a role on an item, instead of the one it had."""
    await delete_group_grant(tx, grant.item, grant.group)
    row = {"item": grant.item, "group": grant.group, "role": grant.role, "expires_at": grant.expires_at}
    await tx.execute(insert(group_grants).values(created_at=grant.created_at, created_by=by, **row))


async def delete_group_grant(tx: AsyncConnection, item: ItemId, group: GroupId) -> bool:
    """Whether there was one."""
    gone = delete(group_grants).where(group_grants.c.item == item, group_grants.c.group == group)
    return bool((await tx.execute(gone)).rowcount)


async def read_group_grants(tx: AsyncConnection, on: Iterable[ItemId]) -> list[GroupGrant]:
    """What groups are given on these items now, the oldest first."""
    found = select(group_grants).where(group_grants.c.item.in_(list(on)), _holds(group_grants))
    rows = await tx.execute(found.order_by(group_grants.c.created_at, group_grants.c.group))
    return [GroupGrant(ItemId(r.item), GroupId(r.group), Role(r.role), r.created_at, r.expires_at) for r in rows]


async def read_granted(tx: AsyncConnection, on: list[ItemId], users: Sequence[UserId]) -> dict[UserId, Role]:
    """The strongest role each of these users was given on one of these items, themselves or by a group."""
    strongest: dict[UserId, Role] = {}
    for start in range(0, len(users), 500):
        some = list(users[start : start + 500])
        own = select(grants.c.user, grants.c.role).where(grants.c.user.in_(some), grants.c.item.in_(on), _holds(grants))
        theirs = memberships(some).subquery()
        by_group = select(theirs.c.user, group_grants.c.role).join(theirs, theirs.c.group == group_grants.c.group)
        by_group = by_group.where(group_grants.c.item.in_(on), _holds(group_grants))
        for row in await tx.execute(union_all(own, by_group)):
            best = stronger(strongest.get(UserId(row.user)), Role(row.role))
            assert best is not None, "the stronger of something and a role is a role"
            strongest[UserId(row.user)] = best
    return strongest


# --- links ---------------------------------------------------------------------------------------


async def set_link(tx: AsyncConnection, link: Link, *, by: UserId) -> None:
    """What the address of an item gives from now on."""
    await tx.execute(delete(links).where(links.c.item == link.item))
    if link.audience is not Audience.RESTRICTED:
        row = {"item": link.item, "audience": link.audience, "role": link.role, "expires_at": link.expires_at}
        await tx.execute(insert(links).values(created_at=now_ms(), created_by=by, **row))


async def read_links(tx: AsyncConnection, on: Iterable[ItemId]) -> dict[ItemId, Link]:
    """What the addresses of these items give now; those that give nothing are left out."""
    rows = await tx.execute(select(links).where(links.c.item.in_(list(on)), _holds(links)))
    return {ItemId(r.item): Link(ItemId(r.item), Audience(r.audience), Role(r.role), r.expires_at) for r in rows}
