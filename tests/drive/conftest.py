"""A small server with accounts and a drive, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal
from collegium.accounts.routes import Authentication
from collegium.accounts.service import Accounts
from collegium.accounts.settings import AccountsSettings
from collegium.drive.adapters import LocalBlobs
from collegium.drive.routes import routes
from collegium.drive.service import Drive
from collegium.drive.settings import DriveSettings
from collegium.ground.db import Database
from collegium.ground.http import Gate, add_problem_handlers
from collegium.ground.ids import TokenId, new_id
from collegium.ground.news import News


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, Argon2Passwords(), AccountsSettings())


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


@pytest.fixture
def settings() -> DriveSettings:
    return DriveSettings(file_size_max=1 << 20, items_per_folder_max=50)


@pytest.fixture
def drive(database: Database, blobs: LocalBlobs, accounts: Accounts, settings: DriveSettings) -> Drive:
    return Drive(database, blobs, accounts, News(), settings)


async def somebody(accounts: Accounts, name: str, *, admin: bool = False) -> Principal:
    user = await accounts.create_user(f"{name.lower()}@example.org", name, "correct horse", admin=admin)
    return Principal(user.id, user.name, user.email, user.admin, token=TokenId(new_id()))


@pytest.fixture
async def ada(accounts: Accounts) -> Principal:
    return await somebody(accounts, "Ada")


@pytest.fixture
async def bob(accounts: Accounts) -> Principal:
    return await somebody(accounts, "Bob")


@pytest.fixture
def app(drive: Drive, accounts: Accounts) -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    app.add_middleware(Authentication, accounts=accounts)
    app.add_middleware(Gate)
    app.include_router(routes(drive, accounts), prefix="/api/v1")
    return app


ClientOf = Callable[[Principal | None], Awaitable[AsyncClient]]


@pytest.fixture
async def client_of(app: FastAPI, accounts: Accounts) -> AsyncIterator[ClientOf]:
    """Makes an HTTP client that holds a token of somebody, or nothing."""
    async with AsyncExitStack() as stack:

        async def make(who: Principal | None) -> AsyncClient:
            secret = None if who is None else await accounts.create_token(who.email, "test")
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            transport = ASGITransport(app)
            client = AsyncClient(transport=transport, base_url="http://collegium.test/api/v1/drive", headers=headers)
            return await stack.enter_async_context(client)

        yield make
