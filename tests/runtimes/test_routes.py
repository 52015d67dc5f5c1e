"""The API of runtimes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from collegium.accounts.model import Principal
from collegium.ground.db import Database
from collegium.ground.http import add_problem_handlers
from collegium.ground.ids import UserId
from collegium.runtimes.absent import NoAccelerators
from collegium.runtimes.routes import routes
from collegium.runtimes.service import open_runtimes
from collegium.runtimes.settings import RuntimesSettings
from runtime_world import FakeEngine
from runtimes.test_service import ReadyEnvironments

pytestmark = pytest.mark.anyio


class SignedInByHeader:
    """Stands in for the middleware of accounts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"x-user")
        if name is not None:
            user = name.decode()
            scope.setdefault("state", {})["principal"] = Principal(UserId(user), user, f"{user}@example.org", False)
        await self.app(scope, receive, send)


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    environments, settings = ReadyEnvironments(tmp_path), RuntimesSettings(per_user=1)
    async with open_runtimes(database, FakeEngine(), environments, NoAccelerators(), settings) as runtimes:
        app = FastAPI()
        add_problem_handlers(app)
        app.include_router(routes(runtimes))
        transport = httpx.ASGITransport(SignedInByHeader(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"x-user": "ada"}) as client:
            yield client


async def test_a_runtime_is_requested_shown_and_given_back(client: httpx.AsyncClient) -> None:
    made = await client.post("/runtimes")
    assert made.status_code == 201
    address = f"/runtimes/{made.json()['id']}"

    shown = (await client.get(address)).json()
    assert shown["state"] == "ready"
    assert shown["limits"]["memory_bytes"] >= 1 << 28
    assert shown["usage"]["disk_bytes"] == 4096
    assert [one["id"] for one in (await client.get("/runtimes")).json()] == [shown["id"]]
    assert (await client.delete(address)).status_code == 204
    after = (await client.get(address)).json()
    assert (after["state"], after["usage"]) == ("stopped", None)
    assert (await client.get("/runtimes")).json() == []


async def test_somebody_elses_runtime_does_not_exist(client: httpx.AsyncClient) -> None:
    address = f"/runtimes/{(await client.post('/runtimes')).json()['id']}"
    bob = {"x-user": "bob"}

    assert (await client.get(address, headers=bob)).status_code == 404
    assert (await client.delete(address, headers=bob)).status_code == 404
    assert (await client.get("/runtimes", headers=bob)).json() == []
    assert (await client.get(address)).json()["state"] == "ready"


async def test_nobody_gets_nothing(client: httpx.AsyncClient) -> None:
    del client.headers["x-user"]

    for method, address in (
        ("GET", "/runtimes"),
        ("POST", "/runtimes"),
        ("GET", "/runtimes/x"),
        ("DELETE", "/runtimes/x"),
    ):
        assert (await client.request(method, address)).status_code == 401


async def test_too_many_and_unknown_kinds_are_refused_by_name(client: httpx.AsyncClient) -> None:
    unknown = await client.post("/runtimes", json={"type": "huge"})
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["types"][0]) == (422, "invalid", "cpu")
    await client.post("/runtimes")

    second = await client.post("/runtimes")

    assert (second.status_code, second.json()["code"]) == (429, "quota_exceeded")
