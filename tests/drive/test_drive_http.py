"""The drive over HTTP."""

from collections.abc import Awaitable, Callable

import pytest
from httpx import AsyncClient

from collegium.accounts.model import Principal

pytestmark = pytest.mark.anyio
ClientOf = Callable[[Principal | None], Awaitable[AsyncClient]]


async def test_a_file_comes_back_as_it_was_uploaded(client_of: ClientOf, ada: Principal) -> None:
    client = await client_of(ada)
    folder = (await client.post("/folders", json={"name": "Data"})).json()
    uploaded = await client.post("/files", params={"name": "a.bin", "parent": folder["id"]}, content=b"\0\1" * 5000)
    listing = (await client.get("/items", params={"folder": folder["id"]})).json()
    content = await client.get(f"/files/{uploaded.json()['id']}/content")

    assert uploaded.status_code == 201
    assert uploaded.json()["size"] == 10_000
    assert listing["items"] == [uploaded.json()]
    assert listing["folder"]["path"] == [{"id": "root", "name": "My drive"}]
    assert content.content == b"\0\1" * 5000
