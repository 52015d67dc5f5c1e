"""The tables of groups and their members, and their statements."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ForeignKey,
    Row,
    Select,
    String,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy import update as update_rows
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import User
from collegium.accounts.store import user_from, users
from collegium.ground.db import metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import GroupId, UserId

groups = Table(
    "groups",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("name_key", String(320), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group", String(22), ForeignKey("groups.id"), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), primary_key=True, index=True),
    Column("added_at", BigInteger, nullable=False),
)


def membership(user: UserId | BindParameter[str]) -> Select[Any]:
    """The ids of the groups that somebody is in."""
    return select(group_members.c.group).where(group_members.c.user == user)


def memberships(of: Sequence[UserId]) -> Select[Any]:
    """`user` and `group`, for each of the groups that these people are in."""
    return select(group_members.c.user, group_members.c.group).where(group_members.c.user.in_(list(of)))


# --- groups --------------------------------------------------------------------------------------


def _sizes() -> Select[Any]:
    size = (
        select(func.count())
        .select_from(group_members.join(users, users.c.id == group_members.c.user))
        .where(group_members.c.group == groups.c.id, users.c.removed_at.is_(None))
        .scalar_subquery()
    )
    return select(groups.c.id, groups.c.name, size.label("size"))


async def insert_group(tx: AsyncConnection, group: GroupId, name: str, *, key: str, now_ms: int) -> None:
    """Raises IntegrityError if the name is taken."""
    await tx.execute(insert(groups).values(id=group, name=name, name_key=key, created_at=now_ms))


async def rename_group(tx: AsyncConnection, group: GroupId, name: str, *, key: str) -> None:
    """Raises IntegrityError if the name is taken."""
    await tx.execute(update_rows(groups).where(groups.c.id == group).values(name=name, name_key=key))


async def delete_group(tx: AsyncConnection, group: GroupId) -> None:
    """The group and who is in it. Nothing may refer to it any more."""
    await tx.execute(delete(group_members).where(group_members.c.group == group))
    await tx.execute(delete(groups).where(groups.c.id == group))


async def count_groups(tx: AsyncConnection) -> int:
    """How many groups there are."""
    return int((await tx.execute(select(func.count()).select_from(groups))).scalar_one())


async def read_group(tx: AsyncConnection, group: GroupId) -> Row[Any]:
    """Id, name and size of a group. Raises NotFound."""
    row: Row[Any] | None = (await tx.execute(_sizes().where(groups.c.id == group))).one_or_none()
    if row is None:
        raise NotFound("There is no such group.")
    return row


async def read_groups(tx: AsyncConnection, *, of: UserId | None = None) -> list[Row[Any]]:
    """Id, name and size of all groups, or of those that somebody is in, by name."""
    found = _sizes().order_by(groups.c.name_key)
    return list(await tx.execute(found if of is None else found.where(groups.c.id.in_(membership(of)))))


async def read_group_named(tx: AsyncConnection, key: str) -> Row[Any] | None:
    """Id, name and size of the group of this name; None: there is none."""
    found: Row[Any] | None = (await tx.execute(_sizes().where(groups.c.name_key == key))).one_or_none()
    return found


async def read_marks(tx: AsyncConnection) -> dict[GroupId, tuple[int, int]]:
    """For each group that has members, what is another whenever somebody came or went."""
    counted = select(group_members.c.group, func.count(), func.max(group_members.c.added_at))
    rows = await tx.execute(counted.group_by(group_members.c.group))
    return {GroupId(group): (size, latest) for group, size, latest in rows}


async def groups_by_ids(tx: AsyncConnection, ids: Iterable[GroupId]) -> list[Row[Any]]:
    """Id, name and size of these groups."""
    return list(await tx.execute(_sizes().where(groups.c.id.in_(list(ids)))))


# --- members -------------------------------------------------------------------------------------


async def insert_member(tx: AsyncConnection, group: GroupId, user: UserId, *, now_ms: int) -> None:
    """They must not be in it yet."""
    await tx.execute(insert(group_members).values(group=group, user=user, added_at=now_ms))


async def delete_member(tx: AsyncConnection, group: GroupId, user: UserId) -> bool:
    """Whether they were in it."""
    gone = delete(group_members).where(group_members.c.group == group, group_members.c.user == user)
    return bool((await tx.execute(gone)).rowcount)


async def is_member(tx: AsyncConnection, group: GroupId, user: UserId) -> bool:
    """Whether somebody is in a group."""
    found = select(group_members.c.user).where(group_members.c.group == group, group_members.c.user == user)
    return (await tx.execute(found)).first() is not None


async def read_members(tx: AsyncConnection, group: GroupId) -> list[User]:
    """Who is in a group, by name; those whose account is gone are left out."""
    found = select(users).join(group_members, group_members.c.user == users.c.id)
    found = found.where(group_members.c.group == group, users.c.removed_at.is_(None))
    return [user_from(row) for row in await tx.execute(found.order_by(users.c.name, users.c.id))]


# --- looking for somebody ------------------------------------------------------------------------


def _begins(column: Any, spellings: Iterable[str]) -> Any:
    """A word in this column begins with one of these."""
    return or_(
        *(column.istartswith(one, autoescape=True) for one in spellings),
        *(column.icontains(f" {one}", autoescape=True) for one in spellings),
    )


async def find_people(tx: AsyncConnection, spellings: list[str], email: str, *, count: int) -> list[User]:
    """People a word of whose name begins so, or whose address does; by name."""
    found = select(users).where(users.c.removed_at.is_(None))
    found = found.where(or_(users.c.email_key.startswith(email, autoescape=True), _begins(users.c.name, spellings)))
    return [user_from(row) for row in await tx.execute(found.order_by(users.c.name, users.c.id).limit(count))]


async def find_groups(tx: AsyncConnection, key: str, *, count: int) -> list[Row[Any]]:
    """Groups a word of whose name begins so, by name."""
    found = _sizes().where(_begins(groups.c.name_key, [key])).order_by(groups.c.name_key)
    return list(await tx.execute(found.limit(count)))
