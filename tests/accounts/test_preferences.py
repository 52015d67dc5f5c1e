"""What people set about the page: kept per person, checked, bounded, and gone with them."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select

from collegium.accounts import preferences_routes
from collegium.accounts import preferences_store as store
from collegium.accounts.preferences import Preferences
from collegium.accounts.preferences_model import SETTINGS_BYTES_MAX
from collegium.accounts.service import Accounts
from collegium.ground.clock import now_ms
from collegium.ground.db import Database

pytestmark = pytest.mark.anyio
ADA, BOB, PASSWORD = "ada@example.org", "bob@example.org", "correct horse"


@pytest.fixture
def app(app: FastAPI, database: Database) -> FastAPI:
    app.include_router(preferences_routes.routes(Preferences(database)), prefix="/api/v1")
    return app


async def signed_in(client: AsyncClient, accounts: Accounts, email: str = ADA) -> None:
    if email not in [user.email for user in await accounts.users()]:
        await accounts.create_user(email, email.split("@")[0], PASSWORD)
    (await client.post("/login", json={"email": email, "password": PASSWORD})).raise_for_status()


async def change(client: AsyncClient, what: object) -> Any:
    return (await client.patch("/me/settings", json=what)).raise_for_status().json()


async def test_only_what_was_chosen_is_kept_and_each_value_replaces_the_former_one(
    client: AsyncClient, accounts: Accounts
) -> None:
    await signed_in(client, accounts)
    assert (await client.get("/me/settings")).json() == {}
    await change(client, {"editor": {"fontSize": 18, "wrap": True}, "keys": {"bindings": {"run-all": ["Mod+E"]}}})
    after = await change(client, {"editor": {"wrap": False}, "keys": {"bindings": {"code": []}}, "site": {}})

    assert after == {"editor": {"fontSize": 18, "wrap": False}, "keys": {"bindings": {"code": []}}}
    assert (await client.get("/me/settings")).json() == after


async def test_settings_are_one_persons_own(client: AsyncClient, accounts: Accounts) -> None:
    assert (await client.get("/me/settings")).status_code == 401
    assert (await client.patch("/me/settings", json={})).status_code == 401
    await signed_in(client, accounts)
    await change(client, {"site": {"notifyAfter": 30}})
    await signed_in(client, accounts, BOB)

    assert (await client.get("/me/settings")).json() == {}


@pytest.mark.parametrize(
    "bad",
    [
        {"editor": {"fontSize": 7}},
        {"editor": {"fontSize": 33}},
        {"editor": {"fontSize": "big"}},
        {"editor": {"font_size": 12}},
        {"editor": {"indent": 3}},
        {"editor": {"rulers": [80] * 9}},
        {"editor": {"wrap": None}},
        {"site": {"notifyAfter": -1}},
        {"site": {"language": "tlh"}},
        {"keys": {"preset": "emacs"}},
        {"keys": {"bindings": {"Not An Id": ["A"]}}},
        {"keys": {"bindings": {"run": ["A"] * 9}}},
        {"keys": {"bindings": {"run": [""]}}},
        {"accessibility": {"contrast": "less"}},
        {"unknown": {}},
        {"editor": 5},
        [],
    ],
)
async def test_what_is_no_setting_or_out_of_its_range_is_refused(
    client: AsyncClient, accounts: Accounts, bad: object
) -> None:
    await signed_in(client, accounts)
    refused = await client.patch("/me/settings", json=bad)

    assert refused.status_code == 422
    assert (await client.get("/me/settings")).json() == {}


async def test_snippets_of_ones_own_are_kept_with_the_settings(client: AsyncClient, accounts: Accounts) -> None:
    await signed_in(client, accounts)
    mine = {"snippets": {"own": [{"name": "größer", "source": "x = 1\n"}]}}
    await client.patch("/me/settings", json=mine)
    await client.patch("/me/settings", json={"editor": {"guides": True}})

    assert (await client.get("/me/settings")).json() == mine | {"editor": {"guides": True}}


@pytest.mark.parametrize("snippet", [{"name": "", "source": "x"}, {"name": "x", "source": "x" * 10_001}, {"name": "x"}])
async def test_what_is_no_snippet_is_refused(client: AsyncClient, accounts: Accounts, snippet: object) -> None:
    await signed_in(client, accounts)

    assert (await client.patch("/me/settings", json={"snippets": {"own": [snippet]}})).status_code == 422


async def test_nobody_fills_the_disk_with_keys(client: AsyncClient, accounts: Accounts) -> None:
    await signed_in(client, accounts)
    many = {"keys": {"bindings": {f"command-{number}": ["x" * 60] * 8 for number in range(300)}}}
    assert len(json.dumps(many)) > SETTINGS_BYTES_MAX
    refused = await client.patch("/me/settings", json=many)

    assert refused.status_code == 413
    assert (await client.get("/me/settings")).json() == {}


async def test_what_another_version_kept_does_not_lock_anybody_out(
    client: AsyncClient, accounts: Accounts, database: Database
) -> None:
    await signed_in(client, accounts)
    (user,) = await accounts.users()
    kept = {"editor": {"fontSize": 18, "shape": "round", "indent": 7}, "moods": {"today": "good"}}
    async with database.write() as tx:
        await store.write_preferences(tx, user.id, json.dumps(kept), now_ms=now_ms())

    assert (await client.get("/me/settings")).json() == {"editor": {"fontSize": 18}}
    assert await change(client, {"editor": {"indent": 2}}) == {"editor": {"fontSize": 18, "indent": 2}}


async def test_with_a_person_their_settings_go(client: AsyncClient, accounts: Accounts, database: Database) -> None:
    await signed_in(client, accounts)
    await change(client, {"editor": {"fontSize": 18}})
    await accounts.remove_user(ADA)
    async with database.read() as tx:
        left = (await tx.execute(select(func.count()).select_from(store.preferences))).scalar_one()

    assert left == 0
