"""With whom items are shared: people, groups, and whoever knows the address."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.groups import groups_by_ids, members_of
from collegium.accounts.model import Action, Group, Principal, Role, User, email_key, may, stronger
from collegium.accounts.service import Accounts, Restraint
from collegium.drive import sharing_store, store
from collegium.drive.model import Audience, Grant, GroupGrant, Item, Link, Step, role_on
from collegium.drive.roles import Roles
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Invalid, NotFound, TooMany
from collegium.ground.ids import GroupId, ItemId, UserId
from collegium.ground.log import get_log
from collegium.ground.news import News

log = get_log("drive")

OnShare = Callable[[Principal, Item, Role, Sequence[UserId]], Awaitable[None]]
GRANTS_PER_ITEM_MAX = 200
UNKNOWN_ADDRESSES_MAX, UNKNOWN_ADDRESSES_WINDOW = 30, timedelta(minutes=10)
"""Who shares mistypes an address now and then; who lists a thousand wants to know who is here."""


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody who may see an item, and where that comes from."""

    user: User
    role: Role
    inherited: bool
    """The role was given on a folder above the item, and can only be taken back there."""
    source: Item | None = None
    """That folder, if the asking user may see it."""
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class GroupAccess:
    """A group whose members may see an item, and where that comes from."""

    group: Group
    role: Role
    inherited: bool
    source: Item | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class LinkAccess:
    """What the address gives, by the item itself or by a folder above."""

    link: Link
    inherited: bool
    source: Item | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """Everybody who may see an item, as far as the asking user may know."""

    item: Item
    role: Role
    """The asking user's."""
    owner: User
    complete: bool
    """Who may not write learns of the owner, of themselves and of the links, and of nobody else."""
    people: list[Access]
    groups: list[GroupAccess]
    links: list[LinkAccess]


class Sharing(Roles):
    """Gives roles, and takes them back; whoever has the item open feels it at once."""

    def __init__(self, database: Database, accounts: Accounts, news: News) -> None:
        self._database = database
        self._accounts = accounts
        self._news = news
        self.on_share: list[OnShare] = []
        """Called once it is committed that people, or a group they are in, were given a role on an item.

        They are those to whom this is new: the same person or group had none on it, and they were given less elsewhere.
        """
        self._unknown = Restraint(UNKNOWN_ADDRESSES_MAX, UNKNOWN_ADDRESSES_WINDOW)

    # --- who has access --------------------------------------------------------------------------

    async def shared(self, principal: Principal, item: ItemId) -> Shared:
        """With whom an item is shared. Raises NotFound."""
        async with self._database.read() as tx:
            found, role = await self.authorize(principal, item, Action.READ, tx=tx)
            way = await store.read_way(tx, item, principal.user)
            ids = [step.item.id for step in way]
            people = await sharing_store.read_grants(tx, ids)
            groups = await sharing_store.read_group_grants(tx, ids)
            links = await sharing_store.read_links(tx, ids)
            named = await groups_by_ids(tx, (grant.group for grant in groups))
        complete = may(role, Action.WRITE)
        if not complete:
            people, groups = [grant for grant in people if grant.user == principal.user], []
        users = await self._accounts.users_by_ids([found.owner, *(grant.user for grant in people)])
        sources = _visible(way, principal.user)
        return Shared(
            item=found,
            role=role,
            owner=users[found.owner],
            complete=complete,
            people=_people(found, people, users, sources),
            groups=_groups(found, groups, named, sources),
            links=[LinkAccess(link, on != item, sources.get(on)) for on in ids if (link := links.get(on)) is not None],
        )

    async def accesses(self, principal: Principal, item: ItemId) -> list[Access]:
        """Which people may see an item, the owner first, then those with a role on it or on a folder above it.

        Raises NotFound, and Forbidden for those who may not write in it.
        """
        await self.authorize(principal, item, Action.WRITE)
        shared = await self.shared(principal, item)
        return [Access(shared.owner, Role.OWNER, inherited=False), *shared.people]

    # --- people ----------------------------------------------------------------------------------

    async def grant(
        self, principal: Principal, item: ItemId, email: str, role: Role, *, expires_at: int | None = None
    ) -> None:
        """Give the user with this address a role on the item and everything in it.

        Raises NotFound (also for an unknown address), Forbidden, Invalid, Conflict, TooMany for one who guesses.
        """
        await self.authorize(principal, item, Action.SHARE)
        _refuse_unfit(role, expires_at)
        user = await self._person(principal, email)
        async with self._database.write() as tx:
            found = await self._shareable(tx, principal, item)
            if user.id == found.owner:
                raise Conflict("The owner has every right already.", code="is_owner")
            given = await sharing_store.read_grants(tx, [item])
            others = [grant for grant in given if grant.user != user.id]
            _refuse_many(others)
            news = await self._news_to(tx, found, [user.id], role) if len(others) == len(given) else []
            await sharing_store.set_grant(tx, Grant(item, user.id, role, now_ms(), expires_at), by=principal.user)
        self.changed(found.owner)
        log.info("grant.made", item=item, user=principal.user, to=user.id, role=role)
        await self._tell(principal, found, role, news)

    async def revoke(self, principal: Principal, item: ItemId, email: str) -> None:
        """Take back what was given on this very item; one may also give up one's own role. Raises NotFound."""
        found, _ = await self.authorize(principal, item, Action.READ)
        if email_key(email) != email_key(principal.email):
            await self.authorize(principal, item, Action.SHARE)
        user = await self._person(principal, email)
        async with self._database.write() as tx:
            if user.id != principal.user:
                await self.authorize(principal, item, Action.SHARE, tx=tx)
            if not await sharing_store.delete_grant(tx, item, user.id):
                raise NotFound("Nothing was given to this person here; perhaps on a folder above.")
        self.changed(found.owner)
        log.info("grant.revoked", item=item, user=principal.user, of=user.id)

    # --- groups ----------------------------------------------------------------------------------

    async def grant_group(
        self, principal: Principal, item: ItemId, group: GroupId, role: Role, *, expires_at: int | None = None
    ) -> None:
        """Give everybody in this group a role on the item and everything in it, for as long as they are in it.

        Raises NotFound (also for an unknown group), Forbidden, Invalid, Conflict.
        """
        await self.authorize(principal, item, Action.SHARE)
        _refuse_unfit(role, expires_at)
        async with self._database.write() as tx:
            found = await self._shareable(tx, principal, item)
            if group not in await groups_by_ids(tx, [group]):
                raise NotFound("There is no such group.")
            given = await sharing_store.read_group_grants(tx, [item])
            others = [grant for grant in given if grant.group != group]
            _refuse_many(others)
            members = await members_of(tx, group) if len(others) == len(given) else []
            news = await self._news_to(tx, found, members, role)
            made = GroupGrant(item, group, role, now_ms(), expires_at)
            await sharing_store.set_group_grant(tx, made, by=principal.user)
        self.changed(found.owner)
        log.info("grant.made", item=item, user=principal.user, to_group=group, role=role)
        await self._tell(principal, found, role, news)

    async def revoke_group(self, principal: Principal, item: ItemId, group: GroupId) -> None:
        """Take back what was given to a group on this very item. Raises NotFound, Forbidden."""
        async with self._database.write() as tx:
            found, _ = await self.authorize(principal, item, Action.SHARE, tx=tx)
            if not await sharing_store.delete_group_grant(tx, item, group):
                raise NotFound("Nothing was given to this group here; perhaps on a folder above.")
        self.changed(found.owner)
        log.info("grant.revoked", item=item, user=principal.user, of_group=group)

    async def forget_group(self, tx: AsyncConnection, group: GroupId) -> None:
        """A group is being deleted."""
        await sharing_store.forget_group(tx, group)

    # --- links -----------------------------------------------------------------------------------

    async def set_link(
        self, principal: Principal, item: ItemId, audience: Audience, role: Role, *, expires_at: int | None = None
    ) -> None:
        """Say who may open the item, and everything in it, by its address alone. Raises NotFound, Forbidden."""
        await self.authorize(principal, item, Action.SHARE)
        if audience is not Audience.RESTRICTED:
            _refuse_unfit(role, expires_at)
        async with self._database.write() as tx:
            found = await self._shareable(tx, principal, item)
            await sharing_store.set_link(tx, Link(item, audience, role, expires_at), by=principal.user)
        self.changed(found.owner)
        log.info("link.changed", item=item, user=principal.user, audience=audience, role=role)

    # --- whom and what ---------------------------------------------------------------------------

    async def _person(self, principal: Principal, email: str) -> User:
        """Raises NotFound, and TooMany for one who was told so too often."""
        wait = self._unknown.wait_seconds(principal.user)
        if wait:
            detail = f"Too many unknown addresses. Please wait {wait} seconds."
            raise TooMany(detail, why="many_unknown", retry_after=wait)
        try:
            return await self._accounts.user_by_email(email)
        except NotFound:
            self._unknown.take(principal.user)
            raise

    async def _news_to(self, tx: AsyncConnection, item: Item, users: Sequence[UserId], role: Role) -> list[UserId]:
        """Those of these users to whom the role is news: whoever was not given as much, here or on a folder above."""
        way = [step.item.id for step in await store.read_way(tx, item.id, item.owner)]
        had = await sharing_store.read_granted(tx, way, users)
        return [user for user in users if user != item.owner and not _covers(had.get(user), role)]

    async def _tell(self, principal: Principal, item: Item, role: Role, users: Sequence[UserId]) -> None:
        if users:
            for tell in self.on_share:
                await tell(principal, item, role, users)

    async def _shareable(self, tx: AsyncConnection, principal: Principal, item: ItemId) -> Item:
        found, _ = await self.authorize(principal, item, Action.SHARE, tx=tx)
        if found.playground_of is not None:
            raise Conflict("A playground is for one alone. Save a copy to share it.", code="playground")
        return found


def _refuse_unfit(role: Role, expires_at: int | None) -> None:
    if role is Role.OWNER:
        raise Invalid("There is one owner; give a role below it.", field="role")
    if expires_at is not None and expires_at <= now_ms():
        raise Invalid("This would have expired already.", field="expires_at", why="past_expiry")


def _covers(had: Role | None, role: Role) -> bool:
    return had is not None and stronger(had, role) is had


def _refuse_many(others: Sequence[Grant | GroupGrant]) -> None:
    if len(others) >= GRANTS_PER_ITEM_MAX:
        most = GRANTS_PER_ITEM_MAX
        detail = f"At most {most} people, and as many groups, can be given a role on one item."
        raise Conflict(detail, why="many_grants", most=most)


def _visible(way: Sequence[Step], user: UserId) -> dict[ItemId, Item]:
    """The folders above the last item of the way that this user may see, whose names can be told."""
    return {
        step.item.id: step.item for number, step in enumerate(way[:-1], 1) if role_on(way[:number], user) is not None
    }


def _people(
    item: Item, grants: Sequence[Grant], users: dict[UserId, User], sources: dict[ItemId, Item]
) -> list[Access]:
    """Each person once, with the strongest role; of two equal ones, that on the item itself."""
    best: dict[UserId, Access] = {}
    for grant in sorted(grants, key=lambda grant: grant.item == item.id):
        former = best.get(grant.user)
        if former is None or stronger(grant.role, former.role) is grant.role:
            inherited = grant.item != item.id
            best[grant.user] = Access(
                users[grant.user],
                grant.role,
                inherited,
                sources.get(grant.item) if inherited else None,
                grant.expires_at,
            )
    return [one for one in best.values() if not one.user.removed and one.user.id != item.owner]


def _groups(
    item: Item, grants: Sequence[GroupGrant], named: dict[GroupId, Group], sources: dict[ItemId, Item]
) -> list[GroupAccess]:
    best: dict[GroupId, GroupAccess] = {}
    for grant in sorted(grants, key=lambda grant: grant.item == item.id):
        former = best.get(grant.group)
        if former is None or stronger(grant.role, former.role) is grant.role:
            inherited = grant.item != item.id
            source = sources.get(grant.item) if inherited else None
            best[grant.group] = GroupAccess(named[grant.group], grant.role, inherited, source, grant.expires_at)
    return list(best.values())
