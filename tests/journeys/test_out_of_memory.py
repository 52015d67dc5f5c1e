"""At the limit of its memory the kernel dies alone, its cell says with numbers why, and people were warned before."""

import json
from collections.abc import Iterator

import httpx
import pytest

from journeys.test_environment import Notebook, until
from support.server import Server, server
from support.tab import joined

pytestmark = [pytest.mark.sandbox, pytest.mark.anyio]

LIMIT = "600MiB"
FILL = """
import time
kept = [b'x' * (10 << 20) for _ in range(30)]
for _ in range(100):
    kept.append(b'x' * (10 << 20))
    time.sleep(0.5)
"""
"""Slowly enough near the limit that somebody who looks every two seconds sees it."""


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server whose runtimes have little memory."""
    types = json.dumps({"cpu": {"memory": LIMIT, "network": "none"}})
    with server(env={"COLLEGIUM_RUNTIMES__TYPES": types, "COLLEGIUM_RUNTIMES__POOL": "0"}) as running:
        yield running


@pytest.fixture(scope="module")
def token(small: Server) -> str:
    return small.add_user("memory@example.org")


@pytest.fixture(scope="module")
def ada(small: Server, token: str) -> Iterator[httpx.Client]:
    with small.client(token) as http:
        yield http


def counts_memory(notebook: Notebook) -> bool:
    """Whether this machine counts what runtimes use."""
    runtime = notebook.get("session")["runtime"]["id"]
    usage = notebook.http.get(f"/runtimes/{runtime}").raise_for_status().json()["usage"]
    return usage["memory_bytes"] is not None


def test_a_kernel_killed_for_memory_says_so_and_the_notebook_goes_on(ada: httpx.Client) -> None:
    notebook = Notebook(ada, {}, first="1", greedy="x = b'x' * (2 << 30)", after="print('alive')")
    notebook.run("first")
    if not counts_memory(notebook):
        pytest.skip("this machine does not count memory")

    over = notebook.run("greedy")

    assert over["state"] == "failed"
    assert over["reason"].startswith("killed: out of memory (used ")
    assert over["reason"].endswith(" of 600 MB)")
    assert (over["outputs"][-1]["ename"], over["outputs"][-1]["evalue"]) == ("KernelDied", over["reason"])
    assert notebook.printed("after") == "alive\n"


async def test_people_are_warned_before_and_shown_what_is_large(small: Server, ada: httpx.Client, token: str) -> None:
    notebook = Notebook(ada, {}, first="1", fill=FILL)
    notebook.run("first")
    if not counts_memory(notebook):
        pytest.skip("this machine does not count memory")
    async with joined(small.url, token, notebook.id) as tab:
        (execution,) = await tab.execute("fill")
        usage = await tab.until(lambda: next((m for m in tab.messages if m["type"] == "usage"), None))
        warning = await tab.until(lambda: next((m for m in tab.messages if m["type"] == "memory_warning"), None))
        await tab.send({"type": "interrupt"})
        await tab.finished(execution)

    assert usage["memory_limit_bytes"] == 600 << 20
    assert warning["memory_bytes"] > 0.85 * (600 << 20)
    assert warning["variables"][0]["name"] == "kept"


def test_my_sessions_are_listed_with_what_they_use(ada: httpx.Client) -> None:
    notebook = Notebook(ada, {}, first="1")
    notebook.run("first")

    def mine() -> list[dict[str, object]]:
        held = ada.get("/sessions").raise_for_status().json()
        return [one for one in held if one["notebook"] == {"id": notebook.id, "name": "environment.ipynb"}]

    [session] = until(mine)

    assert session["kernel"]["name"] == "python3"
    assert session["executing"] is False
    assert session["runtime"]["usage"] is not None
    assert ada.delete(f"/runtimes/{session['runtime']['id']}").status_code == 204
    until(lambda: not mine())
    reason = until(lambda: (notebook.get("session")["runtime"] or {}).get("reason"))
    assert reason == "the runtime was given back"
