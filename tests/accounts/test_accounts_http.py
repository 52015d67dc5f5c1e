"""Signing in over HTTP."""

import pytest
from httpx import AsyncClient

from collegium.accounts.service import Accounts

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"


async def signed_in(client: AsyncClient, accounts: Accounts, email: str = "ada@example.org") -> None:
    await accounts.create_user(email, "Ada", PASSWORD)
    answer = await client.post("/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


async def test_who_signed_in_is_known_and_after_signing_out_nobody(client: AsyncClient, accounts: Accounts) -> None:
    assert (await client.get("/me")).status_code == 401
    await signed_in(client, accounts)
    me = (await client.get("/me")).json()
    assert me["email"] == "ada@example.org"
    assert (await client.delete("/login")).status_code == 204
    assert (await client.get("/me")).status_code == 401
