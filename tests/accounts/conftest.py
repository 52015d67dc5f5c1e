"""A small server with accounts and nothing else."""

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.routes import Authentication, routes
from collegium.accounts.service import Accounts, open_accounts
from collegium.accounts.settings import AccountsSettings
from collegium.ground.db import Database
from collegium.ground.http import Gate, add_problem_handlers

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def passwords_hasher() -> PasswordHasher:
    """Argon2 with the least work it allows: these tests are not about guessing."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def settings() -> AccountsSettings:
    return AccountsSettings()


@pytest.fixture
async def accounts(
    database: Database, passwords_hasher: PasswordHasher, settings: AccountsSettings
) -> AsyncIterator[Accounts]:
    async with open_accounts(database, Argon2Passwords(passwords_hasher), settings) as accounts:
        yield accounts


@pytest.fixture
def app(accounts: Accounts) -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    app.add_middleware(Authentication, accounts=accounts)
    app.add_middleware(Gate)
    app.include_router(routes(accounts), prefix="/api/v1")
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app, client=("192.0.2.7", 4000))
    async with AsyncClient(transport=transport, base_url="http://collegium.test/api/v1") as client:
        yield client


@pytest.fixture
async def tls_client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app, client=("192.0.2.8", 4000))
    async with AsyncClient(transport=transport, base_url="https://collegium.test/api/v1") as client:
        yield client
