"""The language server's socket: who may open it, and what ends it."""

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect

from inside.conftest import ADA, EVE, Site, close_code

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def language(site: Site, who: str | None = ADA, **headers: str) -> AsyncIterator[ClientConnection]:
    given = {"Authorization": f"Bearer {site.tokens[who]}"} if who else {}
    address = f"ws://127.0.0.1:{site.port}{site.path}/language"
    async with connect(address, additional_headers=given | headers, max_size=None, proxy=None) as socket:
        yield socket


async def test_it_answers_those_who_may_run(site: Site) -> None:
    async with language(site) as socket:
        opened = json.loads(await socket.recv())
        uri = f"notebook-cell:/{opened['name']}/0"
        notebook = {"uri": "file:///n.ipynb", "notebookType": "jupyter-notebook", "version": 1,
                    "cells": [{"kind": 2, "document": uri}]}  # fmt: skip
        text = {"uri": uri, "languageId": "python", "version": 1, "text": "x = 1"}
        params = {"notebookDocument": notebook, "cellTextDocuments": [text]}
        await socket.send(json.dumps({"method": "notebookDocument/didOpen", "params": params}))
        place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
        await socket.send(json.dumps({"id": 1, "method": "textDocument/hover", "params": place}))
        with anyio.fail_after(30):
            while (answer := json.loads(await socket.recv())).get("id") != 1:
                continue

        assert opened["type"] == "opened"
        assert "Literal[1]" in answer["result"]["contents"]["value"]
        assert site.runtime.touched == 0


@pytest.mark.parametrize(("who", "code"), [(EVE, 4404), (None, 4401)])
async def test_nobody_else_gets_in(site: Site, who: str | None, code: int) -> None:
    async with language(site, who) as socket:
        assert await close_code(socket) == code


async def test_another_site_may_not_open_it(site: Site) -> None:
    with contextlib.suppress(Exception):
        async with language(site, Origin="https://evil.example") as socket:
            assert await close_code(socket) == 4403
            return
    async with language(site) as socket:
        assert json.loads(await socket.recv())["type"] == "opened"


async def test_who_may_not_run_any_more_is_out_within_a_second(site: Site) -> None:
    async with language(site) as socket:
        await socket.recv()
        site.runtime.users = set()

        with anyio.fail_after(60):
            assert await close_code(socket) == 4404


@pytest.mark.parametrize("message", ["", "{", "[]", "7", '{"method": "shutdown", "id": 1}', '{"method": "exit"}', b"x"])
async def test_who_says_what_no_page_says_is_closed(site: Site, message: str | bytes) -> None:
    async with language(site) as socket:
        await socket.recv()
        await socket.send(message)

        with anyio.fail_after(60):
            assert await close_code(socket) == 4400
