"""The API of runtimes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from pydantic import ByteSize
from starlette.types import ASGIApp, Receive, Scope, Send

from collegium.accounts.model import Principal
from collegium.ground.db import Database
from collegium.ground.http import add_problem_handlers
from collegium.ground.ids import RuntimeId, UserId
from collegium.ground.reasons import HOUR_MS
from collegium.runtimes.model import Runtime
from collegium.runtimes.routes import RuntimeNotebook, routes
from collegium.runtimes.service import Runtimes, open_runtimes
from collegium.runtimes.settings import (
    GIB,
    Accelerator,
    AcceleratorUnit,
    RuntimesSettings,
    RuntimeType,
    default_types,
)
from runtime_world import FakeEngine
from runtimes.accelerator_world import FakeAccelerators
from runtimes.test_leases import ADA, used_ago
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
            admin = user == "root"
            scope.setdefault("state", {})["principal"] = Principal(UserId(user), user, f"{user}@example.org", admin)
        await self.app(scope, receive, send)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def runtimes(database: Database, engine: FakeEngine, tmp_path: Path) -> AsyncIterator[Runtimes]:
    card = Accelerator(label="NVIDIA T4", units=(AcceleratorUnit(devices=("/dev/zero",), memory=ByteSize(16 * GIB)),))
    types = default_types() | {
        "t4": RuntimeType(label="T4", memory=GIB, accelerator="t4", lifetime=timedelta(hours=12)),
    }
    settings = RuntimesSettings(per_user=1, types=types, accelerators={"t4": card})
    environments = ReadyEnvironments(tmp_path)
    async with open_runtimes(database, engine, environments, FakeAccelerators(), settings) as runtimes:
        yield runtimes


@pytest.fixture
async def app(runtimes: Runtimes) -> ASGIApp:
    async def notebooks(_who: Principal, found: list[RuntimeId]) -> dict[RuntimeId, list[RuntimeNotebook]]:
        return {one: [RuntimeNotebook(id="n", name="Waves")] for one in found}

    async def usable(who: Principal, runtime: RuntimeId) -> Runtime:
        return await runtimes.get_own(ADA if who.user == "colleague" else who.user, runtime)

    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(routes(runtimes, notebooks, usable))
    return SignedInByHeader(app)


@pytest.fixture
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
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
    assert (await client.get(f"{address}/usage", headers=bob)).status_code == 404
    assert (await client.post(f"{address}/keep", headers=bob)).status_code == 404
    assert (await client.delete(address, headers=bob)).status_code == 404
    assert (await client.get("/runtimes", headers=bob)).json() == []
    assert (await client.get(address)).json()["state"] == "ready"


async def test_nobody_gets_nothing(client: httpx.AsyncClient) -> None:
    del client.headers["x-user"]

    for method, address in (
        ("GET", "/runtimes"),
        ("POST", "/runtimes"),
        ("GET", "/runtimes/types"),
        ("GET", "/runtimes/status"),
        ("GET", "/runtimes/x"),
        ("GET", "/runtimes/x/usage"),
        ("POST", "/runtimes/x/keep"),
        ("DELETE", "/runtimes/x"),
    ):
        assert (await client.request(method, address)).status_code == 401


async def test_too_many_and_unknown_kinds_are_refused_by_name(client: httpx.AsyncClient) -> None:
    unknown = await client.post("/runtimes", json={"type": "huge"})
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["types"][0]) == (422, "invalid", "cpu")
    await client.post("/runtimes")

    second = await client.post("/runtimes")

    assert (second.status_code, second.json()["code"]) == (429, "quota_exceeded")


async def test_a_runtime_says_what_it_is_called_and_when_it_ends(
    client: httpx.AsyncClient, runtimes: Runtimes, database: Database
) -> None:
    made = (await client.post("/runtimes", json={"type": "t4"})).json()

    assert (made["label"], made["accelerator"], made["network"]) == ("T4", "t4", "internet")
    assert made["expires_at"] == made["ready_at"] + 12 * HOUR_MS
    assert (made["notice"], made["queue"]) == (None, None)
    (listed,) = (await client.get("/runtimes")).json()
    assert listed["notebooks"] == [{"id": "n", "name": "Waves"}]
    await used_ago(database, made["id"], 5 * HOUR_MS)
    await runtimes.cull_once()
    notice = (await client.get(f"/runtimes/{made['id']}")).json()["notice"]
    assert notice["kind"] == "idle"
    assert (await client.post(f"/runtimes/{made['id']}/keep")).status_code == 204
    assert (await client.get(f"/runtimes/{made['id']}")).json()["notice"] is None


async def test_the_last_hour_is_told_as_points(client: httpx.AsyncClient, runtimes: Runtimes) -> None:
    made = (await client.post("/runtimes")).json()
    await runtimes.watch_usage_once()

    points = (await client.get(f"/runtimes/{made['id']}/usage")).json()["points"]

    assert [point[1:] for point in points] == [[None, None, 4096, None]]


async def test_who_runs_something_in_it_sees_its_graph_and_may_keep_it_and_no_more(client: httpx.AsyncClient) -> None:
    address, colleague = f"/runtimes/{(await client.post('/runtimes')).json()['id']}", {"x-user": "colleague"}

    assert (await client.get(f"{address}/usage", headers=colleague)).status_code == 200
    assert (await client.post(f"{address}/keep", headers=colleague)).status_code == 204
    assert (await client.get(address, headers=colleague)).status_code == 404
    assert (await client.delete(address, headers=colleague)).status_code == 404


async def test_the_types_say_what_they_are_and_why_one_cannot_be_had(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    types = {one["name"]: one for one in (await client.get("/runtimes/types")).json()}

    assert list(types) == ["cpu", "cpu-high-ram", "gpu", "t4"]
    assert (types["cpu"]["label"], types["cpu"]["default"], types["cpu"]["available"]) == ("CPU", True, True)
    assert types["cpu"]["idle_seconds"] == 90 * 60
    card = {"kind": "gpu", "count": 1, "name": "NVIDIA T4", "memory_bytes": 16 * GIB}
    assert types["t4"]["accelerator"] == card
    assert (types["t4"]["available"], types["t4"]["lifetime_seconds"]) == (True, 12 * 3600)
    assert types["gpu"]["available"] is False
    assert "no GPU" in types["gpu"]["reason"]


async def test_who_waits_sees_the_place_and_hanging_up_gives_it_to_the_next(
    client: httpx.AsyncClient, app: ASGIApp, runtimes: Runtimes
) -> None:
    first = (await client.post("/runtimes", json={"type": "t4"})).json()
    hung_up, bob, got = anyio.Event(), {"x-user": "bob"}, list[httpx.Response]()

    async def receive() -> dict[str, Any]:
        if not sent:
            sent.append(True)
            return {"type": "http.request", "body": b'{"type": "t4"}'}
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None: ...

    async def cat() -> None:
        got.append(await client.post("/runtimes", json={"type": "t4"}, headers={"x-user": "cat"}))

    sent: list[bool] = []
    headers = [(b"x-user", b"bob"), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "method": "POST", "path": "/runtimes", "query_string": b"", "headers": headers,
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, scope, receive, send)
        with anyio.fail_after(30):
            while not (waiting := (await client.get("/runtimes", headers=bob)).json()):
                await anyio.lowlevel.checkpoint()
            while runtimes.waiting(waiting[0]["id"]) is None:
                await anyio.lowlevel.checkpoint()
        (waiting,) = (await client.get("/runtimes", headers=bob)).json()
        assert (waiting["state"], waiting["queue"]) == ("requested", {"position": 1, "of": 1})
        tasks.start_soon(cat)
        hung_up.set()
        with anyio.fail_after(30):
            while (await client.get("/runtimes", headers=bob)).json():
                await anyio.lowlevel.checkpoint()
        await client.delete(f"/runtimes/{first['id']}")

    assert got[0].status_code == 201
    assert got[0].json()["accelerator"] == "t4"


async def test_what_the_engine_says_is_for_administrators(client: httpx.AsyncClient) -> None:
    assert (await client.get("/runtimes/status")).status_code == 403

    assert (await client.get("/runtimes/status", headers={"x-user": "root"})).json()["engine"] == "fake"
