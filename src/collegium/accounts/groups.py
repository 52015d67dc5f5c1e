"""Groups of people, made and filled by administrators; and finding people and groups by how their names begin."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskStatus
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts import groups_store as store
from collegium.accounts.groups_store import membership, memberships
from collegium.accounts.model import Group, Principal, User, email_key, parsed_name
from collegium.accounts.service import Accounts
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, Forbidden, NotFound
from collegium.ground.ids import GroupId, UserId, new_id
from collegium.ground.log import get_log
from collegium.ground.news import News

__all__ = ["GROUPS", "Found", "Groups", "groups_by_ids", "members_of", "membership", "memberships", "open_groups"]

log = get_log("groups")

OnDelete = Callable[[AsyncConnection, GroupId], Awaitable[None]]
GROUPS = "groups"
"""News: somebody came into the group `group`, or went; or the group is gone."""
GROUPS_MAX = 1_000
MEMBERS_MAX = 2_000
FOUND_MAX = 8
"""A search is for completing a name that one knows, not for reading the directory."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who has a name like that."""

    people: list[User]
    groups: list[Group]


class Groups:
    """The groups of this installation."""

    def __init__(self, database: Database, accounts: Accounts, news: News) -> None:
        self._database = database
        self._accounts = accounts
        self._news = news
        self.on_delete: list[OnDelete] = []
        """Called in the transaction that deletes a group, before it goes: who refers to it forgets it."""

    # --- looking ---------------------------------------------------------------------------------

    async def all(self) -> list[Group]:
        """Every group, by name."""
        async with self._database.read() as tx:
            return [_group(row) for row in await store.read_groups(tx)]

    async def of(self, principal: Principal) -> list[Group]:
        """The groups that somebody is in, by name."""
        async with self._database.read() as tx:
            return [_group(row) for row in await store.read_groups(tx, of=principal.user)]

    async def group(self, principal: Principal, group: GroupId) -> tuple[Group, list[User]]:
        """A group and who is in it. Raises NotFound also for those who are not, but for administrators."""
        async with self._database.read() as tx:
            if not principal.admin and not await store.is_member(tx, group, principal.user):
                raise NotFound("There is no such group, or you are not in it.")
            return _group(await store.read_group(tx, group)), await store.read_members(tx, group)

    async def named(self, name: str) -> Group:
        """The group of this name, however its letters are written. Raises NotFound."""
        async with self._database.read() as tx:
            row = await store.read_group_named(tx, email_key(name))
        if row is None:
            raise NotFound(f"There is no group called {name}.")
        return _group(row)

    async def find(self, text: str) -> Found:
        """A few people and groups whose name or address begins so. Nobody, if too little was typed to mean somebody."""
        key = email_key(text)
        if len(key) < self._accounts.settings.search_characters_min:
            return Found([], [])
        # A database lowers ASCII alone, so other letters are looked for as they are usually written.
        spellings = sorted({text.strip(), key, key.title()})
        async with self._database.read() as tx:
            people = await store.find_people(tx, spellings, key, count=FOUND_MAX)
            groups = [_group(row) for row in await store.find_groups(tx, key, count=FOUND_MAX)]
        return Found(people, groups)

    # --- changing --------------------------------------------------------------------------------

    async def create(self, principal: Principal, name: str) -> Group:
        """A new, empty group. Raises Forbidden, Invalid, Conflict if the name is taken."""
        _require_admin(principal)
        group, name = GroupId(new_id()), parsed_name(name)
        async with self._database.write() as tx:
            if await store.count_groups(tx) >= GROUPS_MAX:
                raise Conflict(f"There are {GROUPS_MAX} groups already.")
            try:
                await store.insert_group(tx, group, name, key=email_key(name), now_ms=now_ms())
            except IntegrityError as error:
                raise _taken() from error
        log.info("group.created", group=group, user=principal.user)
        return Group(group, name, 0)

    async def rename(self, principal: Principal, group: GroupId, name: str) -> Group:
        """Raises Forbidden, NotFound, Invalid, Conflict if the name is taken."""
        _require_admin(principal)
        name = parsed_name(name)
        async with self._database.write() as tx:
            await store.read_group(tx, group)
            try:
                await store.rename_group(tx, group, name, key=email_key(name))
            except IntegrityError as error:
                raise _taken() from error
            row = await store.read_group(tx, group)
        log.info("group.renamed", group=group, user=principal.user)
        return _group(row)

    async def delete(self, principal: Principal, group: GroupId) -> None:
        """The group is gone, and with it what it was given. Raises Forbidden, NotFound."""
        _require_admin(principal)
        async with self._database.write() as tx:
            await store.read_group(tx, group)
            for forget in self.on_delete:
                await forget(tx, group)
            await store.delete_group(tx, group)
        self._changed(group)
        log.info("group.deleted", group=group, user=principal.user)

    async def add(self, principal: Principal, group: GroupId, email: str) -> None:
        """Put the person with this address into the group. Raises Forbidden, NotFound, Conflict if it is full."""
        _require_admin(principal)
        user = await self._accounts.user_by_email(email)
        async with self._database.write() as tx:
            if (await store.read_group(tx, group)).size >= MEMBERS_MAX:
                raise Conflict(f"A group has at most {MEMBERS_MAX} members.")
            if not await store.is_member(tx, group, user.id):
                await store.insert_member(tx, group, user.id, now_ms=now_ms())
        self._changed(group)
        log.info("group.joined", group=group, user=principal.user, member=user.id)

    async def remove(self, principal: Principal, group: GroupId, email: str) -> None:
        """Take the person with this address out of the group. Raises Forbidden, NotFound."""
        _require_admin(principal)
        user = await self._accounts.user_by_email(email)
        async with self._database.write() as tx:
            await store.read_group(tx, group)
            if not await store.delete_member(tx, group, user.id):
                raise NotFound("This person is not in the group.")
        self._changed(group)
        log.info("group.left", group=group, user=principal.user, member=user.id)

    # --- changed elsewhere -----------------------------------------------------------------------

    async def watch(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Tell whom the command line put into a group, or took out of one, for as long as the server runs."""
        known = await self._marks()
        task_status.started()
        while True:
            await anyio.sleep(self._accounts.settings.watch_interval.total_seconds())
            try:
                marks = await self._marks()
            except (CollegiumError, SQLAlchemyError) as error:
                # A database that is busy or away for once costs a round, not the server.
                log.warning("groups.unwatched", exc_info=error)
                continue
            for group in known.keys() | marks.keys():
                if known.get(group) != marks.get(group):
                    self._news.hear(GROUPS, {"group": group})
            known = marks

    async def _marks(self) -> dict[GroupId, tuple[int, int]]:
        async with self._database.read() as tx:
            return await store.read_marks(tx)

    def _changed(self, group: GroupId) -> None:
        self._news.tell(GROUPS, group=group)


@asynccontextmanager
async def open_groups(database: Database, accounts: Accounts, news: News) -> AsyncIterator[Groups]:
    """The groups, and the task that notices what was changed elsewhere."""
    groups = Groups(database, accounts, news)
    async with anyio.create_task_group() as tasks:
        await tasks.start(groups.watch)
        try:
            yield groups
        finally:
            tasks.cancel_scope.cancel()


async def groups_by_ids(tx: AsyncConnection, ids: Iterable[GroupId]) -> dict[GroupId, Group]:
    """Those of these groups that there are."""
    wanted = set(ids)
    found = [_group(row) for row in await store.groups_by_ids(tx, wanted)] if wanted else []
    return {group.id: group for group in found}


async def members_of(tx: AsyncConnection, group: GroupId) -> list[UserId]:
    """Who is in a group; nobody, if there is none."""
    return [user.id for user in await store.read_members(tx, group)]


def _group(row: Row[Any]) -> Group:
    return Group(GroupId(row.id), row.name, row.size)


def _require_admin(principal: Principal) -> None:
    if not principal.admin:
        raise Forbidden("Only an administrator may do this.")


def _taken() -> Conflict:
    return Conflict("There is a group with this name already.", code="name_taken")
