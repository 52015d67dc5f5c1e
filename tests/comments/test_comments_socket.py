"""Who may comment, and no more, changes nothing else: each frame that would, and what the server makes of it."""

import json
from functools import partial
from typing import Any

import anyio
import pytest

from collegium.ground.ids import NotebookId
from comments.site import Site
from support.tab import Tab, joined

pytestmark = pytest.mark.anyio

RUNS: list[dict[str, Any]] = [
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


async def digest(site: Site) -> tuple[str, int]:
    """The document as it is saved, and how many updates made it."""
    snapshot = await site.clients["Ada"].get(f"/notebooks/{site.notebook}/content", params={"format": "ipynb"})
    async with joined(site.url, site.tokens["Ada"], site.notebook) as tab:
        return snapshot.raise_for_status().text, tab.welcome["head"]


def typed(cells: Any) -> None:
    cells["c0"]["source"].insert(0, "x")


def removed(cells: Any) -> None:
    cells["c0"]["del"] = {"by": "me", "at": 1}


def moved(cells: Any) -> None:
    cells["c0"]["pos"] = "zz"


def emptied(cells: Any) -> None:
    del cells["c0"]


def anchored(cells: Any) -> None:
    cells["c0"]["md"]["comment"] = "mine"


@pytest.mark.parametrize("change", [typed, removed, moved, emptied, anchored])
async def test_a_commenters_edit_closes_the_socket_and_leaves_the_document_as_it_was(site: Site, change: Any) -> None:
    before = await digest(site)
    async with joined(site.url, site.tokens["Cleo"], site.notebook) as tab:
        assert sorted(tab.welcome["may"]) == ["comment", "read"]
        await tab.edit(change)
        with anyio.fail_after(10):
            await tab.closed.wait()

        assert tab.socket is not None
        assert tab.socket.close_code == 4403
        assert tab.acked == 0
    assert await digest(site) == before


async def test_a_commenter_who_would_run_or_clear_is_refused_each_time(site: Site) -> None:
    before = await digest(site)
    async with joined(site.url, site.tokens["Cleo"], site.notebook) as tab:
        for number, message in enumerate(RUNS, 1):
            await tab.send(message)
            await tab.until(partial(_refused, tab, number))

        assert {refusal["code"] for refusal in _refusals(tab)} == {"forbidden"}
    for method, path, body in [
        (
            "PUT",
            f"/notebooks/{site.notebook}/content",
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
        ),
        ("POST", f"/notebooks/{site.notebook}/executions", {"cells": "all"}),
        ("PATCH", f"/drive/items/{site.notebook}", {"name": "mine.ipynb"}),
        ("PUT", f"/drive/items/{site.notebook}/grants", {"email": "eve@example.org", "role": "viewer"}),
        ("POST", f"/drive/items/{site.notebook}/trash", None),
    ]:
        assert (await site.clients["Cleo"].request(method, path, json=body)).status_code == 403, path
    assert await digest(site) == before


def _refusals(tab: Tab) -> list[dict[str, Any]]:
    return [message for message in tab.messages if message["type"] == "refused"]


def _refused(tab: Tab, count: int) -> bool:
    return len(_refusals(tab)) == count


async def test_open_tabs_hear_of_a_comment_and_not_what_it_says(site: Site) -> None:
    async with joined(site.url, site.tokens["Vi"], site.notebook) as tab:
        said = await site.begin("Cleo", "a secret between those who may read")
        thread = said["thread"]["id"]
        await tab.until(lambda: _heard(tab, thread) == 1)
        await site.clients["Ada"].post(f"{site.path}/{thread}/resolve")
        await tab.until(lambda: _heard(tab, thread) == 2)
        await site.clients["Ada"].delete(f"{site.path}/{thread}")
        await tab.until(lambda: _heard(tab, thread) == 3)

        assert "secret" not in json.dumps(tab.messages)


def _heard(tab: Tab, thread: str) -> int:
    return tab.messages.count({"type": "comments", "thread": thread})


async def test_comments_leave_the_document_and_its_file_alone(site: Site) -> None:
    before = await digest(site)
    thread = (await site.begin("Cleo", quote="x = 1"))["thread"]["id"]
    await site.reply("Ada", thread, "and so on")

    assert await digest(site) == before
    copy = await site.house.notebooks.content(NotebookId(site.notebook))
    assert "and so on" not in repr(copy)
