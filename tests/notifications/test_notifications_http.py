"""The list behind the bell, and the socket that rings it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collegium.ground.ids import ItemId, new_id
from collegium.notifications.model import Occasion, Told
from comments.site import PASSWORD, Site, address_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def bell(site: Site, **headers: str) -> AsyncIterator[ClientConnection]:
    address = f"ws://127.0.0.1:{site.port}/api/v1/me/notifications/socket"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        yield socket


async def heard(socket: ClientConnection, unread: int) -> None:
    """Wait until the bell says so much."""
    with anyio.fail_after(10):
        while json.loads(await socket.recv()) != {"type": "notifications", "unread": unread}:
            pass


async def shared(site: Site, *names: str, text: str = "viewer") -> None:
    occasion = Occasion(Told.SHARED, site.people["Ada"].user, ItemId(new_id()), "folder", "Course", text)
    await site.house.notifications.notify(occasion, [site.people[name].user for name in names])


async def listed(site: Site, who: str, **query: Any) -> dict[str, Any]:
    answer = (await site.clients[who].get("/me/notifications", params=query)).raise_for_status()
    page: dict[str, Any] = answer.json()
    return page


async def test_the_bell_rings_at_once_and_again_when_it_was_read_elsewhere(site: Site) -> None:
    async with bell(site, Authorization=f"Bearer {site.tokens['Cleo']}") as socket:
        await heard(socket, 0)
        await shared(site, "Cleo", "Ada")
        await heard(socket, 1)
        await site.begin("Ada", "@cleo@example.org")
        await heard(socket, 2)
        page = await listed(site, "Cleo")
        (await site.clients["Cleo"].post("/me/notifications/read", json={"ids": [page["notifications"][1]["id"]]}))
        await heard(socket, 1)
        thread = page["notifications"][0]["thread"]
        (await site.clients["Cleo"].post("/me/notifications/read", json={"thread": thread})).raise_for_status()
        await heard(socket, 0)

    assert [one["kind"] for one in page["notifications"]] == ["mention", "shared"]
    assert page["notifications"][0]["place"] == f"/notebooks/{site.notebook}#comment={thread}"
    assert page["notifications"][1]["place"].startswith("/drive/")
    assert (await listed(site, "Ada"))["unread"] == 0


async def test_who_is_given_a_role_is_told_once(site: Site) -> None:
    for role in ("viewer", "editor"):
        body = {"email": address_of("Eve"), "role": role}
        (await site.clients["Ada"].put(f"/drive/items/{site.notebook}/grants", json=body)).raise_for_status()
    (one,) = (await listed(site, "Eve"))["notifications"]

    assert (one["kind"], one["by"]["name"], one["item_name"]) == ("shared", "Ada", "lesson.ipynb")
    assert one["place"] == f"/notebooks/{site.notebook}"


async def test_nobody_reads_or_marks_what_others_were_told(site: Site) -> None:
    await shared(site, "Cleo")
    (one,) = (await listed(site, "Cleo"))["notifications"]
    for body in ({"ids": [one["id"]]}, {"ids": ["x\x00", "'; --"]}, {"thread": "\x00"}, {}):
        (await site.clients["Eve"].post("/me/notifications/read", json=body)).raise_for_status()

    assert (await listed(site, "Cleo"))["unread"] == 1
    assert (await listed(site, "Eve"))["notifications"] == []


async def test_pages_hold_everything_once_and_the_oldest_is_forgotten(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collegium.notifications.service.KEPT_PER_USER_MAX", 7)
    for number in range(9):
        await shared(site, "Cleo", text=str(number))
    seen, before = [], None
    while True:
        page = await listed(site, "Cleo", limit=3, **({"before": before} if before else {}))
        seen += [one["text"] for one in page["notifications"]]
        before = page["more"]
        if before is None:
            break

    assert seen == ["8", "7", "6", "5", "4", "3", "2"]
    for nonsense in ("x", "-", "9" * 40 + "-" + "0" * 22, "1-\x00"):
        assert len((await listed(site, "Cleo", before=nonsense))["notifications"]) == 7


async def test_the_same_thing_again_is_told_once_until_it_was_read(site: Site) -> None:
    thread = (await site.begin("Cleo"))["thread"]["id"]
    for _ in range(3):
        await site.clients["Ed"].post(f"{site.path}/{thread}/resolve")
        await site.clients["Ed"].post(f"{site.path}/{thread}/reopen")

    assert [kind for kind, _ in await site.told("Cleo")] == ["resolved"]


async def code_of(socket: ClientConnection) -> int:
    with anyio.fail_after(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return socket.close_code or 0


async def test_a_bell_opens_for_who_is_signed_in_and_ends_with_the_login(site: Site) -> None:
    async with bell(site) as socket:
        assert await code_of(socket) == 4401
    async with bell(site, Authorization="Bearer col_wrong") as socket:
        assert await code_of(socket) == 4401
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", trust_env=False) as browser:
        (await browser.post("/login", json={"email": address_of("Eve"), "password": PASSWORD})).raise_for_status()
        cookie = f"collegium={browser.cookies['collegium']}"
        async with bell(site, Cookie=cookie, Origin=site.url) as socket:
            await heard(socket, 0)
            (await browser.delete("/login")).raise_for_status()

            assert await code_of(socket) == 4401
    with pytest.raises(Exception, match="403"):
        async with bell(site, Cookie=cookie, Origin="https://evil.example"):
            pass


@pytest.mark.parametrize("frame", ["{}", b"\x01\x02", "x" * 10_000])
async def test_whoever_talks_to_the_bell_is_let_go(site: Site, frame: str | bytes) -> None:
    async with bell(site, Authorization=f"Bearer {site.tokens['Cleo']}") as socket:
        await heard(socket, 0)
        await socket.send(frame)

        assert await code_of(socket) == 4400


async def test_one_person_holds_so_many_bells_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collegium.notifications.service.LISTENERS_PER_USER_MAX", 1)
    credential = f"Bearer {site.tokens['Vi']}"
    async with bell(site, Authorization=credential) as first:
        await heard(first, 0)
        async with bell(site, Authorization=credential) as second:
            assert await code_of(second) == 4429
    async with bell(site, Authorization=credential) as third:
        await heard(third, 0)


async def test_who_wants_no_mail_says_so(site: Site) -> None:
    client = site.clients["Cleo"]
    before = (await client.get("/me/notifications/mail")).json()
    (await client.put("/me/notifications/mail", json={"mail": False})).raise_for_status()

    assert before == {"mail": True, "sent": False}
    assert (await client.get("/me/notifications/mail")).json()["mail"] is False
    await client.put("/me/notifications/mail", json={"mail": True})
