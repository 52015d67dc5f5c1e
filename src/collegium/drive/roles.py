"""Who may do what to which item, and those who wait for that to change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.groups import GROUPS
from collegium.accounts.model import Action, Principal, Role, may
from collegium.drive import sharing_store, store
from collegium.drive.model import Item, Sight, role_on, sight_of
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Forbidden, NotFound, NotSignedIn
from collegium.ground.ids import GroupId, ItemId, UserId, is_id
from collegium.ground.news import News

ROLES = "roles"
"""News: somebody's role in the drive of `owner`, or a name in it, may have changed."""
_NOT_IN_PLAYGROUNDS = frozenset({Action.SHARE, Action.MOVE, Action.TRASH})
LOOK_SECONDS_MAX = 60
"""The clock is asked this often whether an expiry has come, since it may be set while one waits."""


class RoleChanges:
    """Says "look again", as often as somebody's role on an item, or its name, may have changed."""

    def __init__(self, database: Database, item: ItemId) -> None:
        self._database = database
        self._item = item
        self._owner: UserId | None = None
        self._groups: frozenset[GroupId] = frozenset()
        self._expiry: int | None = None
        self._told = anyio.Event()

    def heard(self, news: dict[str, Any]) -> None:
        """Roles in somebody's drive may have changed."""
        if self._owner is None or news["owner"] == self._owner:
            self._told.set()

    def heard_of_group(self, news: dict[str, Any]) -> None:
        """Somebody came into a group, or went."""
        if self._owner is None or news["group"] in self._groups:
            self._told.set()

    def missed(self, _surely: bool) -> None:
        """Something may have changed that nobody told."""
        self._told.set()

    async def learn(self) -> None:
        """Find out whose news count, and when the next role expires. Raises NotFound."""
        async with self._database.read() as tx:
            owner = (await store.read_item(tx, self._item)).owner
            way = [step.item.id for step in await store.read_way(tx, self._item, owner)]
            groups = frozenset(await sharing_store.groups_on(tx, way))
            expiry = await sharing_store.next_expiry(tx, way)
        self._owner, self._groups, self._expiry = owner, groups, expiry

    def __aiter__(self) -> "RoleChanges":
        return self

    async def __anext__(self) -> None:
        """Wait for the next change; several may come as one."""
        while not self._told.is_set() and not self._expired():
            with anyio.move_on_after(self._patience()):
                await self._told.wait()
        self._told = anyio.Event()
        try:
            await self.learn()
        except NotFound:
            # Whoever looks finds out, and perhaps the item is on its way out in a transaction not committed yet.
            self._expiry = None

    def _expired(self) -> bool:
        return self._expiry is not None and self._expiry <= now_ms()

    def _patience(self) -> float:
        left = LOOK_SECONDS_MAX if self._expiry is None else (self._expiry - now_ms()) / 1000
        return min(max(left, 0.0), LOOK_SECONDS_MAX)


class Roles:
    """The one answer to who may do what, for everybody who asks."""

    _database: Database
    _news: News

    async def authorize(
        self, principal: Principal, item: ItemId, action: Action, *, tx: AsyncConnection | None = None
    ) -> tuple[Item, Role]:
        """The item and the asking user's role on it, if they may do this.

        Raises NotFound if they may not even read it (NotSignedIn, if they are a guest), and Forbidden if they may, but
        not do this; Conflict for what cannot be done to a playground. With `tx` the answer belongs to that transaction.
        """
        sight = await self.sight(principal, item, tx=tx)
        if not may(sight.role, action):
            raise Forbidden(f"Your role here is {sight.role}, which does not allow to {action}.", role=sight.role)
        if action in _NOT_IN_PLAYGROUNDS and sight.item.playground_of is not None:
            raise Conflict("A playground is for oneself alone. Save a copy first.", code="is_playground")
        return sight.item, sight.role

    async def sight(self, principal: Principal, item: ItemId, *, tx: AsyncConnection | None = None) -> Sight:
        """The item with the role and the path that this user may see. Raises NotFound, to guests NotSignedIn."""
        if is_id(item):
            if tx is None:
                way = await self._database.glance(lambda tx: store.way_to(tx, item, principal.user))
            else:
                way = await store.read_way(tx, item, principal.user)
            sight = sight_of(way, principal.user)
            if sight is not None and may(sight.role, Action.READ):
                return sight
        if principal.guest:
            # To sign in may help; whether there is such an item, a guest does not learn.
            raise NotSignedIn("Please sign in.")
        raise NotFound("There is no such item, or it is not shared with you.")

    async def role(self, user: UserId, item: ItemId) -> Role | None:
        """What a user is to an item; None: a stranger, or there is no such item."""
        async with self._database.read() as tx:
            return role_on(await store.read_way(tx, item, user), user)

    async def exists(self, tx: AsyncConnection, item: ItemId) -> bool:
        """Whether there still is such an item, be it in the trash."""
        try:
            await store.read_item(tx, item)
        except NotFound:
            return False
        return True

    @asynccontextmanager
    async def watch_roles(self, item: ItemId) -> AsyncIterator[RoleChanges]:
        """Says "look again": somebody's role on this item, or its name, may have changed, or a role has expired.

        Look once after entering; from then on nothing is missed. Raises NotFound.
        """
        changes = RoleChanges(self._database, item)
        with (
            self._news.listening(ROLES, changes.heard, missed=changes.missed),
            self._news.listening(GROUPS, changes.heard_of_group),
        ):
            await changes.learn()
            yield changes

    def changed(self, owner: UserId) -> None:
        """Somebody's role in this drive, or a name in it, may be another now; whoever watches looks again."""
        self._news.tell(ROLES, owner=owner)
