"""Everybody who can stand before a notebook, with everything that can be asked of it: the one policy, from outside.

A route or a frame that is not in the tables fails the test: whoever adds one decides who may use it.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from pycrdt import Doc, Map
from websockets.exceptions import ConnectionClosed

from collegium.accounts.model import Principal, Role
from collegium.app import House, create_app, open_house
from collegium.drive.model import Audience
from collegium.ground.clock import now_ms
from collegium.ground.ids import ItemId, NotebookId
from collegium.ground.lib0 import uint
from collegium.rooms.settings import RoomSettings
from collegium.sessions.tabs import Said
from collegium.settings import Settings
from rooms.house import serving
from rooms.tab import Tab, dialled

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
ADA = "ada@example.org"


class Rank(IntEnum):
    """What somebody is to the notebook; each may all that the ones below it may."""

    NOBODY = 0
    GUEST = 1
    VIEWER = 2
    COMMENTER = 3
    EDITOR = 4
    OWNER = 5


@dataclass(frozen=True)
class Kind:
    """A kind of person: what the notebook's owner gave them, and what they are by it."""

    rank: Rank
    signed_in: bool = True
    grant: Role | None = None
    link: Audience = Audience.RESTRICTED
    then: str = ""


KINDS = {
    "guest": Kind(Rank.NOBODY, signed_in=False),
    "guest where those signed in may": Kind(Rank.NOBODY, signed_in=False, link=Audience.SIGNED_IN),
    "guest by link": Kind(Rank.GUEST, signed_in=False, link=Audience.ANYONE),
    "guest by an expired link": Kind(Rank.NOBODY, signed_in=False, link=Audience.ANYONE, then="expires"),
    "stranger": Kind(Rank.NOBODY),
    "stranger by an expired link": Kind(Rank.NOBODY, link=Audience.ANYONE, then="expires"),
    "former editor": Kind(Rank.NOBODY, grant=Role.EDITOR, then="revoked"),
    "viewer": Kind(Rank.VIEWER, grant=Role.VIEWER),
    "commenter": Kind(Rank.COMMENTER, grant=Role.COMMENTER),
    "editor": Kind(Rank.EDITOR, grant=Role.EDITOR),
    "editor by link": Kind(Rank.EDITOR, link=Audience.ANYONE),
    "owner": Kind(Rank.OWNER),
}

CELL = {"cell": "c0", "anchor": None, "quote": "x"}
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
GRANT = {"email": "bystander@example.org", "role": "viewer"}
ROUTES: dict[tuple[str, str], tuple[Rank, Any]] = {
    ("GET", "/drive/items/{item}"): (Rank.VIEWER, None),
    ("GET", "/drive/files/{item}/content"): (Rank.VIEWER, None),
    ("GET", "/drive/items/{item}/sharing"): (Rank.VIEWER, None),
    ("GET", "/drive/items/{item}/grants"): (Rank.EDITOR, None),
    ("PUT", "/drive/items/{item}/star"): (Rank.VIEWER, None),
    ("POST", "/drive/items/{item}/copy"): (Rank.VIEWER, {}),
    ("PATCH", "/drive/items/{item}"): (Rank.EDITOR, {"name": "other.ipynb"}),
    ("PUT", "/drive/items/{item}/grants"): (Rank.OWNER, GRANT),
    ("DELETE", "/drive/items/{item}/grants"): (Rank.OWNER, {"email": "bystander@example.org"}),
    ("PUT", "/drive/items/{item}/link"): (Rank.OWNER, {"audience": "restricted"}),
    ("POST", "/drive/items/{item}/restore"): (Rank.OWNER, None),
    ("GET", "/notebooks/{id}"): (Rank.GUEST, None),
    ("GET", "/notebooks/{id}/content"): (Rank.GUEST, None),
    ("PUT", "/notebooks/{id}/content"): (Rank.EDITOR, NOTEBOOK),
    ("GET", "/notebooks/{id}/info"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{id}/playground"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{id}/playground/save"): (Rank.OWNER, None),
    ("DELETE", "/notebooks/{id}/playground"): (Rank.OWNER, None),
    ("GET", "/notebooks/{id}/revisions"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{id}/revisions"): (Rank.EDITOR, {"label": "now"}),
    ("GET", "/notebooks/{id}/revisions/{number}"): (Rank.EDITOR, None),
    ("PATCH", "/notebooks/{id}/revisions/{number}"): (Rank.EDITOR, {"label": "then"}),
    ("POST", "/notebooks/{id}/revisions/{number}/restore"): (Rank.EDITOR, {}),
    ("POST", "/notebooks/{id}/revisions/{number}/undo"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{id}/diff"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{id}/cells/{cell}/history"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{id}/overlaps"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{id}/overlaps/{overlap}"): (Rank.EDITOR, {"choice": "keep"}),
    ("GET", "/notebooks/{id}/comments"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{id}/comments"): (Rank.COMMENTER, {"text": "well", "place": CELL}),
    ("GET", "/notebooks/{id}/comments/people"): (Rank.COMMENTER, None),
    ("GET", "/notebooks/{id}/comments/{thread}"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{id}/comments/{thread}"): (Rank.COMMENTER, {"text": "well"}),
    ("DELETE", "/notebooks/{id}/comments/{thread}"): (Rank.COMMENTER, None),
    ("PUT", "/notebooks/{id}/comments/{thread}/{comment}"): (Rank.COMMENTER, {"text": "well"}),
    ("DELETE", "/notebooks/{id}/comments/{thread}/{comment}"): (Rank.COMMENTER, None),
    ("POST", "/notebooks/{id}/comments/{thread}/resolve"): (Rank.COMMENTER, None),
    ("POST", "/notebooks/{id}/comments/{thread}/reopen"): (Rank.COMMENTER, None),
    ("POST", "/notebooks/{notebook}/executions"): (Rank.EDITOR, {"cells": []}),
    ("GET", "/notebooks/{notebook}/executions/{execution}"): (Rank.VIEWER, None),
    ("GET", "/notebooks/{notebook}/executions/{execution}/log"): (Rank.VIEWER, None),
    ("POST", "/notebooks/{notebook}/executions/{execution}/input"): (Rank.EDITOR, {"value": "x"}),
    ("GET", "/notebooks/{notebook}/blobs/{sha256}"): (Rank.GUEST, None),
    ("GET", "/notebooks/{notebook}/widgets/{sha256}"): (Rank.GUEST, None),
    ("POST", "/notebooks/{notebook}/widgets"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{notebook}/nbextensions/{path}"): (Rank.GUEST, None),
    ("GET", "/notebooks/{notebook}/session"): (Rank.VIEWER, None),
    ("GET", "/notebooks/{notebook}/session/log"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{notebook}/session/connect"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{notebook}/session/interrupt"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{notebook}/session/restart"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{notebook}/session/disconnect"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{notebook}/executions/{execution}/environment"): (Rank.VIEWER, None),
    ("GET", "/notebooks/{notebook}/environment"): (Rank.VIEWER, None),
    ("PUT", "/notebooks/{notebook}/environment"): (Rank.EDITOR, {"lock": None}),
    ("POST", "/notebooks/{notebook}/environment/pin"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{notebook}/variables"): (Rank.EDITOR, None),
    ("DELETE", "/notebooks/{notebook}/variables"): (Rank.EDITOR, None),
    ("POST", "/notebooks/{notebook}/tables"): (Rank.EDITOR, {"variable": "x"}),
    ("POST", "/notebooks/{notebook}/tables/rows"): (Rank.EDITOR, {"ref": "0" * 16, "columns": [0]}),
    ("POST", "/notebooks/{notebook}/tables/statistics"): (Rank.EDITOR, {"ref": "0" * 16, "column": 0}),
    ("POST", "/notebooks/{notebook}/tables/mark"): (Rank.EDITOR, {"ref": "0" * 16}),
    ("POST", "/notebooks/{notebook}/tables/stop"): (Rank.EDITOR, {"asker": "a"}),
    ("GET", "/notebooks/{notebook}/tables/{ref}/file"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{notebook}/executed"): (Rank.EDITOR, None),
    ("GET", "/notebooks/{notebook}/executed/{execution}"): (Rank.EDITOR, None),
    # What ends the notebook, last.
    ("DELETE", "/drive/items/{item}"): (Rank.OWNER, None),
    ("POST", "/drive/items/{item}/trash"): (Rank.OWNER, None),
    ("POST", "/drive/items/{item}/transfer"): (Rank.OWNER, {"email": "bystander@example.org"}),
}
"""Who may ask it at least, and what is sent along."""
ONES_OWN = {("DELETE", "/drive/items/{item}/star")}
"""It is about what is the asking user's own, and says the same to everybody."""
QUERY = {"/notebooks/{id}/diff": {"from": "1", "to": "1"}, "/notebooks/{notebook}/variables": {"name": "x"}}
MISSING = {"number": "1", "cell": "c0", "sha256": "0" * 64, "ref": "0" * 16}
"""What may stand in an address beside the notebook; otherwise an id that nothing has."""

SOCKET = "/notebooks/{id}/socket"


@dataclass
class Site:
    """A server, its owner of notebooks, and somebody whom they may be shared with."""

    house: House
    app: FastAPI
    port: int
    ada: Principal
    tokens: dict[str, str]

    async def notebook_for(self, kind: Kind) -> tuple[NotebookId, str | None]:
        """A notebook of Ada's as this kind of person meets it, and their token."""
        cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": "x = 1", "outputs": []}
        file = json.dumps(NOTEBOOK | {"cells": [cell]}).encode()
        made = await self.house.notebooks.create(self.ada, name="secret.ipynb", folder=None, file=file)
        drive, item = self.house.drive, ItemId(made.id)
        if kind.grant is not None:
            await drive.grant(self.ada, item, "somebody@example.org", kind.grant)
        if kind.then == "revoked":
            await drive.revoke(self.ada, item, "somebody@example.org")
        if kind.link is not Audience.RESTRICTED:
            ends = now_ms() + 60 if kind.then == "expires" else None
            await drive.set_link(self.ada, item, kind.link, Role.EDITOR, expires_at=ends)
            while ends is not None and now_ms() <= ends:
                await anyio.sleep(0.01)
        if not kind.signed_in:
            return made.id, None
        return made.id, self.tokens[ADA if kind.rank is Rank.OWNER else "somebody@example.org"]

    async def thread_on(self, notebook: NotebookId) -> dict[str, str]:
        """What Ada says about the notebook: the ids of the thread and of the comment in it."""
        headers = {"Authorization": f"Bearer {self.tokens[ADA]}"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://c.test/api/v1", headers=headers) as ada:
            said = await ada.post(f"/notebooks/{notebook}/comments", json={"text": "well", "place": CELL})
            made = said.raise_for_status().json()
            thread = made.get("thread", made)
        return {"thread": thread["id"], "comment": thread["comments"][0]["id"]}

    async def digest(self, notebook: NotebookId) -> str:
        """What the notebook says, in brief."""
        content = await self.house.notebooks.content(notebook)
        return hashlib.sha256(repr([(cell.id, cell.source) for cell in content.shown]).encode()).hexdigest()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    rooms = RoomSettings(hello_seconds_max=0.5, settle_seconds=0.2, idle_seconds=0.2)
    async with open_house(Settings(data=tmp_path, engine="none", rooms=rooms)) as house:
        tokens = {}
        for email in (ADA, "somebody@example.org", "bystander@example.org"):
            await house.accounts.create_user(email, email.split("@")[0], PASSWORD)
            tokens[email] = await house.accounts.create_token(email, "t")
        ada = await house.accounts.principal_by_token(tokens[ADA])
        assert ada is not None
        app = create_app(house)
        async with serving(app) as port:
            yield Site(house, app, port, ada, tokens)


# --- over HTTP -----------------------------------------------------------------------------------


async def test_every_route_about_a_notebook_or_item_has_its_rank(site: Site) -> None:
    about = re.compile(r"/api/v1(/notebooks/\{[^}]+\}|/drive/(items|files)/\{item\}).*")
    found = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in site.app.openapi()["paths"].items()
        if about.fullmatch(path)
        for method in methods
    }

    assert found == set(ROUTES) | ONES_OWN


def _address(path: str, notebook: str, beside: dict[str, str]) -> str:
    first, *rest = re.findall(r"\{(\w+)\}", path)
    path = path.replace(f"{{{first}}}", notebook)
    for name in rest:
        path = path.replace(f"{{{name}}}", beside.get(name, "0" * 22))
    return path


def _refusal(kind: Kind, answer: httpx.Response, need: Rank, path: str) -> str | None:
    """What is wrong with an answer, if something is."""
    status = answer.status_code
    if kind.rank >= need:
        beside = status == 404 and path.count("{") > 1
        fine = beside or status not in (401, 403, 404)
        if "playground" in path:
            fine = fine or status == 404  # it is a notebook, and no playground
        return None if (fine and status < 500) or status == 503 else "refused"
    expected = 401 if not kind.signed_in else 404 if kind.rank is Rank.NOBODY else 403
    return None if status == expected else f"not {expected}"


async def test_every_route_asks_who_may(site: Site) -> None:
    wrong = {name: await refused_wrongly(site, kind) for name, kind in KINDS.items()}

    assert {name: answers for name, answers in wrong.items() if answers} == {}


async def refused_wrongly(site: Site, kind: Kind) -> list[tuple[Any, ...]]:
    """Every route that this kind of person got another answer from than the policy says."""
    notebook, token = await site.notebook_for(kind)
    thread = await site.thread_on(notebook)
    before = await site.digest(notebook)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    base = "http://collegium.test/api/v1"
    transport = httpx.ASGITransport(site.app, raise_app_exceptions=False)
    wrong = []
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:

        async def ask(method: str, path: str, need: Rank, body: Any) -> None:
            # Who may not is told so also of what there is; who may, is not let destroy what the next one needs.
            beside = MISSING if kind.rank >= need else MISSING | thread
            answer = await client.request(method, _address(path, notebook, beside), json=body, params=QUERY.get(path))
            problem = _refusal(kind, answer, need, path)
            if problem:
                wrong.append((method, path, answer.status_code, problem, answer.text[:200]))

        for (method, path), (need, body) in ROUTES.items():
            if kind.rank < need:
                await ask(method, path, need, body)
        assert await site.digest(notebook) == before, "somebody changed what they may not"
        for (method, path), (need, body) in ROUTES.items():
            if kind.rank >= need:
                await ask(method, path, need, body)
    return wrong


async def test_a_guest_has_no_form_that_costs_the_server_much(site: Site) -> None:
    notebook, _ = await site.notebook_for(KINDS["guest by link"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url="http://c.test/api/v1") as guest:
        cheap = await guest.get(f"/notebooks/{notebook}/content", params={"format": "py"})
        dear = [await guest.get(f"/notebooks/{notebook}/content", params={"format": form}) for form in ("html", "md")]

    assert (cheap.status_code, [answer.status_code for answer in dear]) == (200, [401, 401])
    assert "x = 1" in cheap.text


# --- over the socket -----------------------------------------------------------------------------

RUN: dict[str, dict[str, Any]] = {
    "execute": {"request": "r", "cells": [{"cell": "c0", "hash": "0" * 64}]},
    "interrupt": {},
    "restart": {},
    "connect": {},
    "disconnect": {},
    "keep": {},
    "cancel": {"cell": "c0"},
    "input": {"execution": "e", "value": "v"},
    "clear": {"cells": "all"},
    "complete": {"request": "r", "code": "x", "cursor": 1},
    "inspect": {"request": "r", "code": "x", "cursor": 1, "detail": 0},
}
READ: dict[str, dict[str, Any]] = {"outputs": {"execution": "e"}}
ROOM: dict[str, dict[str, Any]] = {
    "hello": {"protocol": 1, "client": 5},
    "diverged": {"seq": 1, "checksum": "00000000"},
    "claim": {"clients": []},
}


def test_every_text_frame_is_in_the_tables() -> None:
    asked = {word for model in Said.__args__ for word in model.model_fields["type"].annotation.__args__}

    assert asked == set(RUN) | set(READ)


def edit(tab: Tab) -> bytes:
    doc: Doc[Any] = Doc(client_id=tab.client)
    doc.apply_update(tab.doc.get_update())
    before = doc.get_state()
    doc.get("cells", type=Map)["c0"]["source"].insert(0, "forged ")
    return b"\x01\0\0\0\x01" + doc.get_update(before)


def presence(tab: Tab) -> bytes:
    state = json.dumps({"user": {"name": "Root"}}).encode()
    return b"\x02" + uint(1) + uint(tab.client) + uint(1) + uint(len(state)) + state


Frame = Callable[[Tab], bytes | str]
ENDING: dict[str, tuple[Frame, int, int]] = {
    "an edit": (edit, 4403, 0),
    "an edit that is none": (lambda _: b"\x01\0\0\0\x01" + b"\xff" * 20, 4403, 4409),
    "a claim": (lambda _: json.dumps({"type": "claim"} | ROOM["claim"]), 4403, 0),
    "a resynchronisation": (lambda _: b"\x03\0\0", 4400, 4400),
    "another's presence": (lambda _: b"\x02" + uint(1) + uint(7) + uint(1) + uint(2) + b"{}", 4403, 4403),
    "garbage": (lambda _: b"\xff\xfe", 4400, 4400),
    "nothing": (lambda _: b"", 4400, 4400),
    "a second hello": (lambda _: json.dumps({"type": "hello"} | ROOM["hello"]), 4400, 4400),
    "no JSON": (lambda _: "{", 4400, 4400),
}
"""What ends the socket of who may not write, and of who may; 0: nothing does."""


@asynccontextmanager
async def joined(site: Site, notebook: str, token: str | None) -> AsyncIterator[Tab]:
    async with dialled(site.port, notebook, token) as tab, anyio.create_task_group() as tasks:
        with contextlib.suppress(ConnectionClosed):
            await tab.hello()
        tasks.start_soon(tab.read)
        await tab.until(lambda tab: tab.of_type("cells") or tab.closed)
        yield tab
        tasks.cancel_scope.cancel()


async def said(tab: Tab, messages: dict[str, dict[str, Any]]) -> dict[str, str]:
    """How each of these is answered: the code of the refusal, or "" if it is taken."""
    codes = {}
    for word, fields in messages.items():
        tab.messages.clear()
        await tab.socket.send(json.dumps({"type": word} | fields))
        await tab.socket.send(json.dumps({"type": "outputs", "execution": "end", "request": "end"}))
        await tab.until(lambda tab: [m for m in tab.of_type("refused") if m["request"] == "end"] or tab.closed)
        answers = [message["code"] for message in tab.of_type("refused") if message["request"] != "end"]
        codes[word] = f"closed {tab.closed}" if tab.closed else answers[0] if answers else ""
    return codes


async def closing(tab: Tab, frame: Frame) -> int:
    """The code that this frame ends the socket with; 0: it goes on."""
    tab.messages.clear()
    await tab.socket.send(frame(tab))
    with contextlib.suppress(ConnectionClosed):
        await tab.socket.send(json.dumps({"type": "outputs", "execution": "end", "request": "end"}))
    await tab.until(lambda tab: [m for m in tab.of_type("refused") if m["request"] == "end"] or tab.closed)
    return tab.closed[0] if tab.closed else 0


async def reads_and_no_more(tab: Tab) -> None:
    codes = await said(tab, RUN)
    assert codes == dict.fromkeys(RUN, "forbidden")
    assert await said(tab, READ | {"diverged": ROOM["diverged"]}) == {"outputs": "not_found", "diverged": ""}
    await tab.socket.send(presence(tab))
    assert (await said(tab, READ))["outputs"] == "not_found"


async def test_the_socket_opens_to_nobody_else(site: Site) -> None:
    for name, kind in KINDS.items():
        if kind.rank is not Rank.NOBODY:
            continue
        notebook, token = await site.notebook_for(kind)
        async with joined(site, notebook, token) as tab:
            assert tab.closed is not None, name
            assert tab.closed[0] == (4404 if token else 4401), name
            assert tab.resyncs == 0, name


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.rank is not Rank.NOBODY])
async def test_every_frame_asks_who_may(site: Site, name: str) -> None:
    kind = KINDS[name]
    notebook, token = await site.notebook_for(kind)
    before = await site.digest(notebook)
    writes = kind.rank >= Rank.EDITOR
    async with joined(site, notebook, token) as tab:
        if kind.rank is Rank.GUEST:
            assert tab.welcome["user"] | {"color": ""} == {"id": "guest", "name": "Guest", "email": "", "color": ""}
            assert tab.welcome["may"] == ["read"]
        if writes:
            assert "forbidden" not in (await said(tab, RUN)).values()
        else:
            await reads_and_no_more(tab)
    for what, (frame, of_readers, of_writers) in ENDING.items():
        async with joined(site, notebook, token) as tab:
            assert await closing(tab, frame) == (of_writers if writes else of_readers), what

    async with joined(site, notebook, site.tokens[ADA]) as tab:
        assert tab.source("c0") == ("forged x = 1" if writes else "x = 1")
    assert writes or await site.digest(notebook) == before


async def test_an_editor_who_becomes_a_viewer_in_mid_stream_only_reads(site: Site) -> None:
    notebook, token = await site.notebook_for(KINDS["editor"])
    for what, (frame, of_readers, _) in ENDING.items():
        await site.house.drive.grant(site.ada, ItemId(notebook), "somebody@example.org", Role.EDITOR)
        async with joined(site, notebook, token) as tab:
            await site.house.drive.grant(site.ada, ItemId(notebook), "somebody@example.org", Role.VIEWER)
            await tab.until(lambda tab: tab.of_type("role"))
            assert tab.of_type("role")[-1]["may"] == ["read"]
            if what == "an edit":
                await reads_and_no_more(tab)
            assert await closing(tab, frame) == of_readers, what

    async with joined(site, notebook, site.tokens[ADA]) as tab:
        assert tab.source("c0") == "x = 1"
