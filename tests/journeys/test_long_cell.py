"""A long cell outlives everything around it: closed tabs, killed servers, an upgrade. No line is lost or doubled."""

import random

import anyio
import anyio.to_thread
import httpx
import pytest

from support.server import Server
from support.tab import Tab, joined

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox]

KILLS = 3
LINES_PER_SECOND = 50


@pytest.mark.parametrize(("seconds", "seed"), [(10, 20261121), pytest.param(600, 7, marks=pytest.mark.long)])
async def test_a_long_cell_outlives_tabs_kills_and_an_upgrade(running: Server, seconds: int, seed: int) -> None:
    chance = random.Random(seed)
    token = running.add_user(f"long{seconds}@example.org")
    lines = seconds * LINES_PER_SECOND
    with running.client(token) as http:
        notebook = new_notebook(http, lines)
    async with joined(running.url, token, notebook) as tab:
        [execution] = await tab.execute("count")
        await tab.until(lambda: printed(tab, execution))
    # Nobody watches any more. The server is killed three times, then replaced as an upgrade does.
    pause = seconds / (KILLS + 2)
    for _ in range(KILLS):
        await anyio.sleep(pause * chance.uniform(0.3, 1.0))
        running.kill()
        await anyio.sleep(chance.uniform(0, 0.5))
        await anyio.to_thread.run_sync(running.start)
    await anyio.to_thread.run_sync(running.stop)
    await anyio.to_thread.run_sync(running.start)
    async with joined(running.url, token, notebook) as tab:
        over = await tab.finished(execution, seconds + 60)
        assert over["state"] == "finished", over
        again = (await tab.execute("after"))[0]
        await tab.finished(again)
        assert printed(tab, again) == f"{lines - 1}\n", "the kernel is not the one that was there before"
    with running.client(token) as http:
        log = http.get(f"/notebooks/{notebook}/executions/{execution}/log").raise_for_status().text

    assert log == "".join(f"line {number}\n" for number in range(lines))


def new_notebook(http: httpx.Client, lines: int) -> str:
    """A cell that counts as it prints, and one that names where it came to."""
    count = f"import time\nfor n in range({lines}):\n    print('line', n)\n    time.sleep({1 / LINES_PER_SECOND})"
    cells = [
        {"cell_type": "code", "id": id, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for id, source in (("count", count), ("after", "print(n)"))
    ]
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return str(http.post("/notebooks?name=long.ipynb", json=body).raise_for_status().json()["id"])


def printed(tab: Tab, execution: str) -> str:
    """What an execution printed, as far as this tab was told."""
    return "".join(o["text"] for o in tab.outputs.get(execution, []) if o["output_type"] == "stream")
