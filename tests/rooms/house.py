"""The parts that an open notebook needs, put together as the application does it, and a server for them."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal, Role
from collegium.accounts.routes import Authentication
from collegium.accounts.service import Accounts, open_accounts
from collegium.accounts.settings import AccountsSettings
from collegium.drive.adapters import LocalBlobs
from collegium.drive.service import Drive
from collegium.drive.settings import DriveSettings
from collegium.ground.db import Database, open_database, sqlite_url
from collegium.ground.http import Gate, add_problem_handlers
from collegium.ground.ids import CellId, ExecutionId, ItemId, NotebookId, UserId
from collegium.ground.news import News
from collegium.notebooks import routes as notebook_routes
from collegium.notebooks.model import CellOutputs
from collegium.notebooks.service import Notebooks, open_notebooks
from collegium.notebooks.settings import NotebookSettings
from collegium.rooms import routes as room_routes
from collegium.rooms.ports import Member
from collegium.rooms.service import Rooms, open_rooms
from collegium.rooms.settings import RoomSettings


class Shelf:
    """Keeps outputs in memory."""

    def __init__(self) -> None:
        self.kept: dict[NotebookId, dict[CellId, CellOutputs]] = {}

    async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
        return self.kept.get(notebook, {})

    async def imported(
        self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
    ) -> None:
        self.kept[notebook] = outputs

    async def shown(self, notebook: NotebookId) -> dict[CellId, ExecutionId]:
        return {}

    async def outputs_of(
        self, notebook: NotebookId, executions: Collection[ExecutionId], *, whole: bool
    ) -> dict[ExecutionId, CellOutputs]:
        return {}

    async def show(self, notebook: NotebookId, shown: dict[CellId, ExecutionId | None]) -> None:
        return None


class Echo:
    """A run plane that answers what it is asked with the same."""

    def __init__(self) -> None:
        self.here: list[str] = []
        self.joins = 0

    async def joined(self, client: Member) -> None:
        self.joins += 1
        if client.id not in self.here:
            self.here.append(client.id)
        client.send({"type": "session", "runtime": None, "kernel": None, "queue": []})

    async def received(self, client: Member, message: dict[str, Any]) -> None:
        client.send({"type": "echo", "of": message})

    async def left(self, client: Member) -> None:
        self.here.remove(client.id)


class House:
    """All parts, and where the server listens."""

    def __init__(
        self, database: Database, accounts: Accounts, drive: Drive, notebooks: Notebooks, rooms: Rooms, port: int
    ) -> None:
        self.database = database
        self.accounts = accounts
        self.drive = drive
        self.notebooks = notebooks
        self.rooms = rooms
        self.port = port
        self.plane = Echo()
        self.shelf = Shelf()

    async def person(self, name: str) -> tuple[Principal, str]:
        """A new user and a token."""
        user = await self.accounts.create_user(f"{name.lower()}@example.org", name, "correct horse")
        secret = await self.accounts.create_token(user.email, "test")
        principal = await self.accounts.principal_by_token(secret)
        assert principal is not None
        return principal, secret

    async def notebook(self, owner: Principal, *sources: str) -> NotebookId:
        """A new notebook with these code cells, whose ids are c0, c1 …"""
        cells = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": []}
            for n, source in enumerate(sources)
        ]
        file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
        return (await self.notebooks.create(owner, name="test.ipynb", folder=None, file=file)).id

    async def share(self, owner: Principal, notebook: NotebookId, other: Principal, role: Role) -> None:
        """Give somebody a role."""
        await self.drive.grant(owner, ItemId(notebook), other.email, role)


@asynccontextmanager
async def open_house(
    data: Path,
    *,
    url: str | None = None,
    settings: RoomSettings | None = None,
    notebook_settings: NotebookSettings | None = None,
) -> AsyncIterator[House]:
    """Everything assembled and listening on a free port; on SQLite, if no other database is named."""
    settings = settings or RoomSettings(settle_seconds=0.2, idle_seconds=0.2)
    quick = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(url or sqlite_url(data / "collegium.db")))
        accounts = await stack.enter_async_context(open_accounts(database, quick, AccountsSettings()))
        news = News()
        drive = Drive(database, LocalBlobs(data / "blobs"), accounts, news, DriveSettings())
        shelf = Shelf()
        notebooks = await stack.enter_async_context(
            open_notebooks(database, drive, shelf, notebook_settings or NotebookSettings())
        )
        rooms = await stack.enter_async_context(open_rooms(database, notebooks, drive, accounts, news, settings))
        house = House(database, accounts, drive, notebooks, rooms, 0)
        house.shelf = shelf
        house.port = await stack.enter_async_context(serving(_app(house)))
        yield house


def _app(house: House) -> Any:
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(notebook_routes.routes(house.notebooks, house.drive), prefix="/api/v1")
    app.include_router(room_routes.routes(house.rooms, house.notebooks, house.drive, house.plane), prefix="/api/v1")
    return Gate(Authentication(app, house.accounts))


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """Serve on a free port of this machine."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="error",
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=(4 << 20) + 64,
        ws_per_message_deflate=False,
        # Tabs of the same process answer late when there are a thousand of them.
        ws_ping_interval=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        while not server.started:
            await anyio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True


def _no_signals() -> Any:
    from contextlib import nullcontext

    return nullcontext()
