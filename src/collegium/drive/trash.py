"""The trash as a whole: emptied when its owner says so, and by itself of what lay there long enough."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Principal
from collegium.drive import store
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, NotFound
from collegium.ground.ids import ItemId
from collegium.ground.log import get_log

log = get_log("drive")

LOOKED_AT_EVERY_SECONDS = 3600.0


class Trash:
    """The use cases of everything in a trash. Each item goes in a transaction of its own, if it still is there."""

    def __init__(self, database: Database, drive: Drive) -> None:
        self._database = database
        self._drive = drive

    async def empty(self, principal: Principal) -> int:
        """Delete for ever what is in somebody's trash; how many of the items shown there went."""
        gone = 0
        for item in await self._drive.list_trash(principal):
            gone += await self._delete(item.id, before=now_ms() + 1, owner=principal)
        return gone

    async def let_go(self) -> int:
        """Delete what has been in any trash for its time; how many items went."""
        before = now_ms() - int(self._drive.settings.trash_lifetime.total_seconds() * 1000)
        async with self._database.read() as tx:
            late = await store.read_trashed_before(tx, before)
        gone = 0
        for item in late:
            try:
                gone += await self._delete(item, before=before)
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("trash.item_stays", item=item, exc_info=error)
        return gone

    async def keep_emptied(self) -> None:
        """Look again and again; other servers may do the same at the same time."""
        await self._database.until_in_charge()
        while True:
            try:
                gone = await self.let_go()
                if gone:
                    log.info("trash.emptied", items=gone)
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("trash.not_emptied", exc_info=error)
            await anyio.sleep(LOOKED_AT_EVERY_SECONDS)

    async def _delete(self, item: ItemId, *, before: int, owner: Principal | None = None) -> int:
        """1: it went; 0: somebody else deleted or restored it in the meantime."""

        async def still_there(tx: AsyncConnection) -> bool:
            try:
                found = await store.read_item(tx, item)
            except NotFound:
                return False
            theirs = owner is None or found.owner == owner.user
            return theirs and found.trashed_at is not None and found.trashed_at < before

        return min(1, await self._drive.remove(item, still_there))


@asynccontextmanager
async def open_trash(database: Database, drive: Drive) -> AsyncIterator[Trash]:
    """The trash, and a task that lets go of what has been in it for its time."""
    trash = Trash(database, drive)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(trash.keep_emptied)
        try:
            yield trash
        finally:
            tasks.cancel_scope.cancel()
