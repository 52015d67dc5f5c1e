"""What somebody opened last, and what they starred."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.drive import shelves_store, store
from collegium.drive.model import Item, Kind, Sight, sight_of
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict
from collegium.ground.ids import ItemId
from collegium.ground.log import get_log

log = get_log("drive")

NOTED_AGAIN_AFTER_MS = 5 * 60_000
OPENINGS_MAX = 500
RECENT_MAX = 100
STARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Opening:
    """An item as its reader sees it, and when they last opened it."""

    sight: Sight
    opened_at: int


class Shelves:
    """The use cases of "Recent" and "Starred". What one may no longer see is on neither."""

    def __init__(self, database: Database, drive: Drive, tasks: TaskGroup) -> None:
        self._database = database
        self._drive = drive
        self._tasks = tasks

    @contextmanager
    def opening(self, principal: Principal, item: Item) -> Iterator[None]:
        """Note, without delaying anybody, that somebody has an item open; a playground again and again meanwhile."""
        ended = anyio.Event()
        if not principal.guest:
            self._tasks.start_soon(self._keep_noting, principal, item, ended)
        try:
            yield
        finally:
            ended.set()

    async def _keep_noting(self, principal: Principal, item: Item, ended: anyio.Event) -> None:
        while True:
            try:
                await self.note_opening(principal, item.id)
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("opening.not_noted", item=item.id, exc_info=error)
            if item.playground_of is None or ended.is_set():
                return
            with anyio.move_on_after(2 * NOTED_AGAIN_AFTER_MS / 1000):
                await ended.wait()

    async def note_opening(self, principal: Principal, item: ItemId) -> None:
        """Somebody opened an item that they may read; written down at most once in a few minutes."""
        if principal.guest:
            return
        before = await self._database.glance(lambda tx: shelves_store.read_opening(tx, principal.user, item))
        if before is not None and now_ms() - before < NOTED_AGAIN_AFTER_MS:
            return
        async with self._database.write() as tx:
            if await self._drive.exists(tx, item):
                await shelves_store.set_opening(tx, principal.user, item, now_ms(), keep=OPENINGS_MAX)

    async def recent(self, principal: Principal) -> list[Opening]:
        """The notebooks and files that somebody opened, the latest first; nothing in a trash, no playgrounds."""
        async with self._database.read() as tx:
            opened = await shelves_store.read_openings(tx, principal.user)
            sights = await self._seen(tx, principal, [item for item, _ in opened])
        found = [Opening(sights[item], at) for item, at in opened if item in sights]
        return [one for one in found if one.sight.item.kind is not Kind.FOLDER][:RECENT_MAX]

    async def star(self, principal: Principal, item: ItemId) -> None:
        """Raises NotFound, and Conflict if that would be too many."""
        async with self._database.write() as tx:
            await self._drive.authorize(principal, item, Action.READ, tx=tx)
            if len(await shelves_store.read_stars(tx, principal.user)) >= STARS_MAX:
                raise Conflict(f"At most {STARS_MAX} items can be starred.", code="too_many_stars", most=STARS_MAX)
            await shelves_store.set_star(tx, principal.user, item, now_ms())

    async def unstar(self, principal: Principal, item: ItemId) -> None:
        """Also for what one may no longer see; nothing happens if it is not starred."""
        async with self._database.write() as tx:
            await shelves_store.delete_star(tx, principal.user, item)

    async def starred(self, principal: Principal) -> list[Sight]:
        """What somebody starred, the latest first; nothing in a trash."""
        async with self._database.read() as tx:
            ids = await shelves_store.read_stars(tx, principal.user)
            sights = await self._seen(tx, principal, ids)
        return [sights[item] for item in ids if item in sights]

    async def starred_ids(self, principal: Principal) -> frozenset[ItemId]:
        """The items that somebody starred, be they still visible or not."""
        async with self._database.read() as tx:
            return frozenset(await shelves_store.read_stars(tx, principal.user))

    async def _seen(self, tx: AsyncConnection, principal: Principal, ids: list[ItemId]) -> dict[ItemId, Sight]:
        ways = await store.read_ways(tx, ids, principal.user)
        seen: dict[ItemId, Sight] = {}
        for item, way in ways.items():
            sight = sight_of(way, principal.user)
            buried = any(step.item.trashed_at is not None for step in way)
            if sight is not None and not buried and sight.item.playground_of is None:
                seen[item] = sight
        return seen


@asynccontextmanager
async def open_shelves(database: Database, drive: Drive) -> AsyncIterator[Shelves]:
    """The shelves, which are told from now on when somebody has a notebook open."""
    async with anyio.create_task_group() as tasks:
        shelves = Shelves(database, drive, tasks)
        drive.opening = shelves.opening
        try:
            yield shelves
        finally:
            tasks.cancel_scope.cancel()
