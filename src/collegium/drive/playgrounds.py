"""Playgrounds: a notebook that one may only read, as one's own to run and change, kept a while and listed nowhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.drive import store
from collegium.drive.copying import copied_name
from collegium.drive.model import Item, Kind
from collegium.drive.ports import NotebookCopies, Runs
from collegium.drive.roles import ROLES
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, NotFound
from collegium.ground.ids import ItemId
from collegium.ground.log import get_log
from collegium.ground.news import News

log = get_log("drive")

LOOKED_AT_EVERY_SECONDS = 600.0


class Playgrounds:
    """The use cases of playgrounds. A person has at most one of a notebook, and nobody else sees it."""

    def __init__(self, database: Database, drive: Drive, notebooks: NotebookCopies, runs: Runs, news: News) -> None:
        self._database = database
        self._news = news
        self._drive = drive
        self._notebooks = notebooks
        self._runs = runs

    async def open(self, principal: Principal, notebook: ItemId) -> Item:
        """This person's playground of a notebook that they may read: the one they have, or a new one.

        Raises NotFound, and Conflict for what is a playground itself or in the trash.
        """
        original, _ = await self._drive.authorize(principal, notebook, Action.READ)
        if original.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        if original.playground_of is not None:
            raise Conflict("This is a playground already.", code="is_playground")
        async with self._database.read() as tx:
            existing = await store.read_playground(tx, principal.user, notebook)
        if existing is not None and existing.trashed_at is None:
            return existing
        content = await self._notebooks.prepared(notebook)
        async with self._database.write() as tx:
            original, _ = await self._drive.authorize(principal, notebook, Action.READ, tx=tx)
            existing = await store.read_playground(tx, principal.user, notebook)
            if existing is not None:
                await store.update_item(tx, existing.id, trashed_at=None)
                return await store.read_item(tx, existing.id)
            made = await self._drive.create_item(
                tx,
                kind=Kind.NOTEBOOK,
                owner=principal.user,
                name=original.name,
                parent=None,
                playground_of=notebook,
            )
            await self._drive.measured(tx, made.id, await self._notebooks.insert(tx, content, made.id, principal.user))
        log.info("playground.made", item=made.id, of=notebook, user=principal.user)
        return made

    async def save(self, principal: Principal, playground: ItemId) -> Item:
        """From now on it is an ordinary notebook, "Copy of …" among one's own. Raises NotFound, QuotaExceeded."""
        async with self._database.write() as tx:
            found = await self._own(principal, playground, tx)
            await self._drive.refuse_over_quota(tx, principal.user, found.size, asking=principal.user)
            folder = await self._drive.notebooks_folder(tx, principal.user)
            await self._drive.refuse_full(tx, principal.user, folder)
            values = {"name": copied_name(found), "parent": folder, "playground_of": None, "trashed_at": None}
            await store.update_item(tx, playground, **values)
            saved = await store.read_item(tx, playground)
        self._news.tell(ROLES, owner=principal.user)
        log.info("playground.saved", item=playground, user=principal.user)
        return saved

    async def discard(self, principal: Principal, playground: ItemId) -> None:
        """Delete it for ever, with what was changed in it. Raises NotFound."""

        async def allowed(tx: AsyncConnection) -> bool:
            await self._own(principal, playground, tx)
            return True

        await self._drive.remove(playground, allowed)

    async def let_go(self) -> int:
        """Delete those that were not open for their time and have no runtime; how many went."""
        before = now_ms() - int(self._drive.settings.playground_lifetime.total_seconds() * 1000)
        async with self._database.read() as tx:
            late = await store.read_playgrounds(tx, unopened_since=before)
        gone = 0
        for playground in late:

            async def still_idle(tx: AsyncConnection, one: ItemId = playground) -> bool:
                idle = one in await store.read_playgrounds(tx, unopened_since=before)
                return idle and not await self._runs.running(tx, [one])

            try:
                gone += await self._drive.remove(playground, still_idle)
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("playground.stays", item=playground, exc_info=error)
        return gone

    async def keep_tidy(self) -> None:
        """Look again and again; other servers may do the same at the same time."""
        await self._database.until_in_charge()
        while True:
            try:
                await self.let_go()
            except (CollegiumError, SQLAlchemyError) as error:
                log.warning("playgrounds.untidied", exc_info=error)
            await anyio.sleep(LOOKED_AT_EVERY_SECONDS)

    async def _own(self, principal: Principal, playground: ItemId, tx: AsyncConnection) -> Item:
        found, _ = await self._drive.authorize(principal, playground, Action.DELETE, tx=tx)
        if found.playground_of is None:
            raise NotFound("This is no playground.")
        return found


@asynccontextmanager
async def open_playgrounds(
    database: Database, drive: Drive, notebooks: NotebookCopies, runs: Runs, news: News
) -> AsyncIterator[Playgrounds]:
    """Playgrounds, and a task that deletes those that nobody comes back to."""
    playgrounds = Playgrounds(database, drive, notebooks, runs, news)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(playgrounds.keep_tidy)
        try:
            yield playgrounds
        finally:
            tasks.cancel_scope.cancel()
