"""The notebook's socket on the whole server: who may open it, what each role may say, and when it closes."""

import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest
import structlog
from pycrdt import Doc, Map
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from collegium.accounts.model import Role
from collegium.app import House, create_app, open_house
from collegium.ground.ids import ItemId, new_id
from collegium.ground.lib0 import uint
from collegium.rooms.settings import RoomSettings
from collegium.settings import Settings
from rooms.house import serving
from rooms.tab import Tab

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"
CELL_TEXT = "launch_code = 'plover-4711'"
ADA, EVE = "ada@example.org", "eve@example.org"
ROLES = {"viewer@example.org": Role.VIEWER, "commenter@example.org": Role.COMMENTER, "editor@example.org": Role.EDITOR}


@dataclass
class Site:
    """A server, and what one test has on it: people, everybody's token, and a notebook of Ada's that some may see."""

    house: House
    port: int
    notebook: str
    tokens: dict[str, str]
    log: io.StringIO
    domain: str
    """Where all of them have their mail."""

    def mail(self, who: str) -> str:
        """The address of the one of this name in this test."""
        return f"{who.partition('@')[0]}@{self.domain}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/notebooks/{self.notebook}/socket"

    @asynccontextmanager
    async def tab(self, who: str | None, **headers: str) -> AsyncIterator[Tab]:
        """A socket that has been opened, and said nothing."""
        given = dict(headers)
        if who is not None:
            given["Authorization"] = f"Bearer {self.tokens[who]}"
        async with connect(self.address, additional_headers=given, max_size=None, proxy=None) as socket:
            yield Tab(socket)

    @asynccontextmanager
    async def joined(self, who: str | None, **headers: str) -> AsyncIterator[Tab]:
        """A tab with the document, which has been told all there is."""
        async with self.tab(who, **headers) as tab, anyio.create_task_group() as tasks:
            await tab.hello()
            tasks.start_soon(tab.read)
            await tab.until(lambda tab: tab.of_type("cells") or tab.closed)
            yield tab
            tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def browser(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody signed in by a cookie."""
        async with httpx.AsyncClient(base_url=self.url + "/api/v1", trust_env=False) as http:
            (await http.post("/login", json={"email": self.mail(who), "password": PASSWORD})).raise_for_status()
            yield http

    async def owner(self, method: str, path: str, **body: Any) -> None:
        """A request of Ada's."""
        headers = {"Authorization": f"Bearer {self.tokens[ADA]}"}
        async with httpx.AsyncClient(base_url=self.url + "/api/v1", trust_env=False, headers=headers) as http:
            (await http.request(method, path, json=body or None)).raise_for_status()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The server outlives a test."""
    return "asyncio"


@dataclass
class Server:
    """The one of all tests here, and what it has logged."""

    house: House
    port: int
    log: io.StringIO


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    log = io.StringIO()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(log),
    )
    try:
        rooms = RoomSettings(hello_seconds_max=0.5, settle_seconds=0.2, idle_seconds=0.2)
        data = tmp_path_factory.mktemp("server")
        async with (
            open_house(Settings(data=data, engine="none", rooms=rooms)) as house,
            serving(create_app(house)) as port,
        ):
            yield Server(house, port, log)
    finally:
        structlog.configure(**before)


@pytest.fixture
async def site(server: Server) -> Site:
    """People whom no other test knows, on a server whose log is empty."""
    server.log.seek(0)
    server.log.truncate()
    house = server.house
    tokens: dict[str, str] = {}
    site = Site(house, server.port, "", tokens, server.log, f"{new_id()}.example.org".lower())
    for who in (ADA, EVE, *ROLES):
        await house.accounts.create_user(site.mail(who), who.split("@")[0], PASSWORD)
        tokens[who] = await house.accounts.create_token(site.mail(who), "t")
    ada = await house.accounts.principal_by_token(tokens[ADA])
    assert ada is not None
    cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": CELL_TEXT, "outputs": []}
    file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
    site.notebook = (await house.notebooks.create(ada, name="secret.ipynb", folder=None, file=file)).id
    for who, role in ROLES.items():
        await house.drive.grant(ada, ItemId(site.notebook), site.mail(who), role)
    return site


async def code_of(tab: Tab, seconds: float = 5) -> int:
    """How the socket ends; nothing but the welcome of others may come before."""
    with anyio.fail_after(seconds):
        try:
            while True:
                assert not isinstance(await tab.socket.recv(), bytes)
        except ConnectionClosed:
            return tab.socket.close_code or 0


@pytest.mark.parametrize("credential", ["none", "wrong", "revoked", "ended", "basic", "cookie", "removed"])
async def test_no_socket_opens_without_a_credential_that_holds(site: Site, credential: str) -> None:
    headers: dict[str, str] = {}
    match credential:
        case "wrong":
            headers = {"Authorization": "Bearer col_" + "x" * 40}
        case "revoked":
            user = await site.house.accounts.user_by_email(site.mail(ADA))
            token, secret = await site.house.accounts.create_token_for(user.id, "short")
            await site.house.accounts.revoke_token(user.id, token.id)
            headers = {"Authorization": f"Bearer {secret}"}
        case "ended":
            async with site.browser(ADA) as ada:
                headers = {"Cookie": f"collegium={ada.cookies['collegium']}"}
                await ada.delete("/login")
        case "basic":
            headers = {"Authorization": "Basic YWRhOmFkYQ=="}
        case "cookie":
            headers = {"Cookie": "collegium=forged"}
        case "removed":
            headers = {"Authorization": f"Bearer {site.tokens['editor@example.org']}"}
            await site.house.accounts.remove_user(site.mail("editor@example.org"))
    async with site.tab(None, **headers) as tab:
        with contextlib.suppress(ConnectionClosed):
            await tab.hello()

        assert await code_of(tab) == 4401


async def test_a_stranger_cannot_tell_a_notebook_from_none(site: Site) -> None:
    async with site.tab(EVE) as tab:
        assert await code_of(tab) == 4404
    site.notebook = "0" * 22
    async with site.tab(EVE) as tab:
        assert await code_of(tab) == 4404


HOSTILE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "file://"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
]


@pytest.mark.parametrize("headers", HOSTILE, ids=str)
async def test_another_sites_page_opens_no_socket(site: Site, headers: dict[str, str]) -> None:
    async with site.browser(ADA) as ada:
        headers = headers | {"Cookie": f"collegium={ada.cookies['collegium']}"}
        with pytest.raises(Exception, match="403"):
            async with site.tab(None, **headers):
                pass


async def test_the_own_page_opens_a_socket(site: Site) -> None:
    async with site.browser(ADA) as ada:
        headers = {"Cookie": f"collegium={ada.cookies['collegium']}", "Origin": site.url}
        async with site.joined(None, **headers) as tab:
            assert tab.welcome["role"] == "owner"


def update(client: int, *, insert: str = "x") -> Callable[[Tab], bytes]:
    """An edit that is written under this client id (0: the tab's own)."""

    def made(tab: Tab) -> bytes:
        doc: Doc[Any] = Doc(client_id=client or tab.client)
        doc.apply_update(tab.doc.get_update())
        before = doc.get_state()
        doc.get("cells", type=Map)["c0"]["source"].insert(0, insert)
        return b"\x01\0\0\0\x01" + doc.get_update(before)

    return made


def presence(client: int) -> Callable[[Tab], bytes]:
    def made(tab: Tab) -> bytes:
        state = json.dumps({"cursor": 1, "user": {"id": "admin", "name": "Root"}}).encode()
        return b"\x02" + uint(1) + uint(client or tab.client) + uint(1) + uint(len(state)) + state

    return made


RUN = [
    {"type": "execute", "request": "r", "cells": []},
    {"type": "execute", "request": "r", "cells": [{"cell": "c0", "hash": "0" * 64}]},
    {"type": "interrupt"},
    {"type": "restart"},
    {"type": "connect"},
    {"type": "disconnect"},
    {"type": "cancel", "cell": "c0"},
    {"type": "input", "execution": "e", "value": "v"},
    {"type": "clear", "cells": "all"},
    {"type": "complete", "request": "r", "code": "x", "cursor": 1},
    {"type": "inspect", "request": "r", "code": "x", "cursor": 1, "detail": 0},
]
READ = [{"type": "outputs", "execution": "e"}]
NONSENSE = [{"type": "no-such"}, {"type": "execute", "request": "r", "cells": 5}, {"type": "cancel"}]


@pytest.mark.parametrize("who", ["viewer@example.org", "commenter@example.org"])
async def test_who_may_only_look_runs_nothing_and_writes_nothing(site: Site, who: str) -> None:
    async with site.joined(who) as tab:
        for number, message in enumerate(RUN, 1):
            await tab.socket.send(json.dumps(message))
            await tab.until(lambda tab, number=number: len(tab.of_type("refused")) == number)  # type: ignore[misc]
            assert tab.messages[-1]["code"] == "forbidden", message
        await tab.socket.send(presence(0)(tab))
        await tab.socket.send(update(0)(tab))
        await tab.until(lambda tab: tab.closed)

        assert tab.closed is not None
        assert tab.closed[0] == 4403
        assert tab.acked == 0
    content = await site.house.notebooks.content(site.notebook)  # type: ignore[arg-type]
    assert content.cells[0].source == CELL_TEXT


@pytest.mark.parametrize("who", [*ROLES, ADA])
async def test_every_message_is_answered_and_none_ends_the_server(site: Site, who: str) -> None:
    async with site.joined(who) as tab:
        for message in RUN + READ + NONSENSE:
            await tab.socket.send(json.dumps(message))
        await tab.socket.send(json.dumps({"type": "outputs", "execution": "last"}))
        await tab.until(lambda tab: len(tab.of_type("refused")) >= len(READ + NONSENSE) + 1)

        assert tab.closed is None
    assert "Traceback" not in site.log.getvalue()


async def test_an_editor_writes_and_is_heard(site: Site) -> None:
    async with site.joined("editor@example.org") as tab, site.joined("viewer@example.org") as other:
        await tab.socket.send(update(0)(tab))
        await tab.until(lambda tab: tab.acked == 1)
        await other.until(lambda tab: tab.source("c0") == "x" + CELL_TEXT)


async def test_presence_is_stamped_with_who_is_signed_in(site: Site) -> None:
    async with site.joined("viewer@example.org") as tab, site.joined(ADA) as other:
        await tab.socket.send(presence(0)(tab))
        await other.until(lambda tab: tab.awareness)

        assert b'"name":"viewer"' in other.awareness[-1]
        assert b"Root" not in other.awareness[-1]


FRAMES: list[tuple[str, Any, int]] = [
    ("presence of another client", presence(12345), 4403),
    ("presence too large", lambda _: b"\x02" + b"x" * 5000, 4429),
    ("presence that is none", lambda _: b"\x02\x01\xff", 4400),
    ("edit in another's name", update(12345), 4409),
    ("edit that is none", lambda _: b"\x01\0\0\0\x01" + b"\xff" * 20, 4409),
    ("edit out of turn", lambda tab: b"\x01\0\0\0\x02" + update(0)(tab)[5:], 4400),
    ("edit without a number", lambda _: b"\x01\0", 4400),
    ("unknown kind", lambda _: b"\x09abc", 4400),
    ("nothing", lambda _: b"", 4400),
    ("resync from a tab", lambda _: b"\x03\0\0", 4400),
    ("no JSON", lambda _: "{", 4400),
    ("no object", lambda _: "[1]", 4400),
    ("no type", lambda _: "{}", 4400),
    ("a type that is none", lambda _: '{"type":[]}', 4400),
    ("deep", lambda _: "[" * 100_000, 4400),
    ("second hello", lambda _: '{"type":"hello","protocol":1,"client":5}', 4400),
    ("too large a frame", lambda _: b"\x01" + bytes((4 << 20) + 1), 1009),
    ("too large a text", lambda _: "x" * ((4 << 20) + 1), 1009),
]


@pytest.mark.parametrize(("frame", "code"), [(frame, code) for _, frame, code in FRAMES], ids=[f[0] for f in FRAMES])
async def test_a_bad_frame_ends_its_socket_and_no_other(site: Site, frame: Callable[[Tab], Any], code: int) -> None:
    async with site.joined(ADA) as bystander:
        async with site.joined("editor@example.org") as tab:
            with contextlib.suppress(ConnectionClosed):
                await tab.socket.send(frame(tab))
            await tab.until(lambda tab: tab.closed)

            assert tab.closed is not None
            assert tab.closed[0] == code
        await bystander.socket.send(update(0)(bystander))
        await bystander.until(lambda tab: tab.acked == 1)


HELLOS: list[tuple[Any, int]] = [
    ({"type": "hello", "protocol": 2, "client": 5, "epoch": None, "state_vector": None}, 4426),
    ({"type": "hello", "client": 5}, 4426),
    ({"type": "hello", "protocol": 1, "client": 0}, 4400),
    ({"type": "hello", "protocol": 1, "client": 1 << 60}, 4400),
    ({"type": "hello", "protocol": 1, "client": "5"}, 4400),
    ({"type": "hello", "protocol": 1, "client": 5, "epoch": 5}, 4400),
    ({"type": "hello", "protocol": 1, "client": 5, "state_vector": "%%"}, 4400),
    (
        {
            "type": "hello",
            "protocol": 1,
            "client": 5,
            "epoch": None,
            "state_vector": base64.b64encode(b"\xff").decode(),
        },
        0,
    ),
    ({"type": "execute", "request": "r", "cells": []}, 4400),
]


@pytest.mark.parametrize(("hello", "code"), HELLOS)
async def test_a_bad_hello_is_refused(site: Site, hello: Any, code: int) -> None:
    async with site.tab(ADA) as tab, anyio.create_task_group() as tasks:
        await tab.socket.send(json.dumps(hello))
        tasks.start_soon(tab.read)
        await tab.until(lambda tab: tab.closed or tab.resyncs)
        if code:
            assert tab.closed is not None
            assert tab.closed[0] == code
        tasks.cancel_scope.cancel()


async def test_who_says_no_hello_is_let_go(site: Site) -> None:
    async with site.tab(ADA) as tab:
        assert await code_of(tab, 2) == 4408


async def sign_out(_site: Site, browser: httpx.AsyncClient) -> None:
    (await browser.delete("/login")).raise_for_status()


async def change_password(site: Site, _browser: httpx.AsyncClient) -> None:
    async with site.browser("editor@example.org") as elsewhere:
        body = {"current": PASSWORD, "new": NEW_PASSWORD}
        (await elsewhere.put("/me/password", json=body)).raise_for_status()


async def remove(site: Site, _browser: httpx.AsyncClient) -> None:
    await site.house.accounts.remove_user(site.mail("editor@example.org"))


async def revoke(site: Site, _browser: httpx.AsyncClient) -> None:
    await site.owner("DELETE", f"/drive/items/{site.notebook}/grants", email=site.mail("editor@example.org"))


async def trash(site: Site, _browser: httpx.AsyncClient) -> None:
    await site.owner("POST", f"/drive/items/{site.notebook}/trash")


async def delete(site: Site, _browser: httpx.AsyncClient) -> None:
    await site.owner("POST", f"/drive/items/{site.notebook}/trash")
    await site.owner("DELETE", f"/drive/items/{site.notebook}")


ENDS = [
    (sign_out, {4401}),
    (change_password, {4401}),
    (remove, {4401, 4403}),
    (revoke, {4403}),
    (trash, {4403}),
    (delete, {4403, 4404}),
]


@pytest.mark.parametrize(("end", "codes"), ENDS)
async def test_what_ends_a_right_closes_the_socket_within_a_second(
    site: Site, end: Callable[[Site, httpx.AsyncClient], Awaitable[None]], codes: set[int]
) -> None:
    async with site.browser("editor@example.org") as browser:
        cookie = f"collegium={browser.cookies['collegium']}"
        async with site.joined(None, Cookie=cookie, Origin=site.url) as tab:
            await end(site, browser)
            await tab.until(lambda tab: tab.closed, seconds=1)

            assert tab.closed is not None
            assert tab.closed[0] in codes


async def test_a_credential_that_ends_before_the_hello_opens_nothing(site: Site) -> None:
    async with (
        site.browser("editor@example.org") as browser,
        site.tab(None, Cookie=f"collegium={browser.cookies['collegium']}") as tab,
    ):
        await sign_out(site, browser)
        with contextlib.suppress(ConnectionClosed):
            await tab.hello()

        assert await code_of(tab) == 4401


async def test_a_right_that_is_withdrawn_before_the_hello_opens_nothing(site: Site) -> None:
    async with site.tab("editor@example.org") as tab:
        await site.owner("DELETE", f"/drive/items/{site.notebook}/grants", email=site.mail("editor@example.org"))
        with contextlib.suppress(ConnectionClosed):
            await tab.hello()

        assert await code_of(tab) == 4403


async def test_the_log_holds_no_secret(site: Site) -> None:
    secrets = [PASSWORD, NEW_PASSWORD, CELL_TEXT, "plover", "secret.ipynb", *site.tokens.values()]
    async with site.browser("editor@example.org") as browser:
        secrets.append(browser.cookies["collegium"])
        headers = {"Cookie": f"collegium={browser.cookies['collegium']}"}
        async with site.joined(None, **headers) as tab:
            await tab.socket.send(update(0, insert="plover_typed")(tab))
            await tab.until(lambda tab: tab.acked == 1)
            await tab.socket.send(json.dumps({"type": "input", "execution": "e", "value": "plover_run"}))
            await tab.socket.send(json.dumps({"type": "complete", "request": "r", "code": "plover", "cursor": 1}))
            await tab.socket.send(b"\x01\0\0\0\x02" + b"plover_bad_edit")
            await tab.until(lambda tab: tab.closed)
        await browser.post("/login", json={"email": site.mail("editor@example.org"), "password": "plover_wrong"})
        await browser.post("/login", content=b'{"email": "plover", "password": ')
        await change_password(site, browser)
    async with site.tab(None, Authorization="Bearer col_plover_token") as tab:
        await code_of(tab)
    written = site.log.getvalue()

    assert "update.rejected" in written
    assert [secret for secret in secrets if secret in written] == []
