"""Two processes of one server as two houses in one process: the same database, each with its own address."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx

from collegium.accounts.model import Role
from collegium.app import House, open_doors, open_house
from collegium.ground.db import is_sqlite
from collegium.ground.ids import ItemId, NotebookId
from collegium.settings import Settings
from rooms.house import serving

SECONDS_MAX = 15


@dataclass
class Side:
    """One of them."""

    house: House
    port: int

    def api(self, token: str) -> httpx.AsyncClient:
        """Signed in by a token, at this side's address."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}/api/v1", headers=headers, trust_env=False)

    async def person(self, name: str) -> str:
        """A new user's token."""
        user = await self.house.accounts.create_user(f"{name}@example.org", name, "correct horse battery")
        return await self.house.accounts.create_token(user.email, "test")

    async def notebook(self, token: str, *sources: str) -> NotebookId:
        """A notebook with these code cells, whose ids are c0, c1 …"""
        cells = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": []}
            for n, source in enumerate(sources)
        ]
        file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
        owner = await self.house.accounts.principal_by_token(token)
        assert owner is not None
        return (await self.house.notebooks.create(owner, name="test.ipynb", folder=None, file=file)).id

    async def share(self, token: str, notebook: NotebookId, name: str, role: Role) -> None:
        """Give somebody a role, here."""
        owner = await self.house.accounts.principal_by_token(token)
        assert owner is not None
        await self.house.drive.grant(owner, ItemId(notebook), f"{name}@example.org", role)


@dataclass
class Pair:
    """The first leads."""

    first: Side
    second: Side

    async def bury_first(self) -> None:
        """The first says nothing any more, and the second has waited long enough."""

        async def nothing() -> None:
            await anyio.sleep_forever()

        self.first.house.workers.look = nothing  # type: ignore[method-assign]
        await self.second.house.workers.look()
        self.second.house.workers._clock = lambda: anyio.current_time() + 3600
        # Its last beats may still be news.
        with anyio.fail_after(SECONDS_MAX):
            while self.first.house.workers.id in self.second.house.workers.fellows:
                later = self.second.house.workers._clock() + 3600
                self.second.house.workers._clock = lambda later=later: later  # type: ignore[misc]
                await self.second.house.workers.look()


@asynccontextmanager
async def pair(data: Path, database_url: str) -> AsyncIterator[Pair]:
    """Both open and listening; each knows of the other."""
    url = None if is_sqlite(database_url) else database_url
    settings = Settings(data=data, engine="none", database_url=url)
    async with AsyncExitStack() as stack:
        sides = []
        for founding in (True, False):
            house = await stack.enter_async_context(open_house(settings, alone=False, founding=founding))
            sides.append(Side(house, await stack.enter_async_context(serving(open_doors(house)))))
        await sides[0].house.workers.look()
        yield Pair(*sides)
