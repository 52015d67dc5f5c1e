"""The server, or its database, is killed at random moments while people edit: nothing acknowledged or seen is lost."""

import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from support.postgres import database_of_postgres, postgres
from support.server import Server, server
from support.tab import Tab, joined

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox]

PEOPLE = ("ada@example.org", "bob@example.org", "cat@example.org")
LINES_PER_SECOND = 100


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    with database_of_postgres("template0") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server on each kind of database."""
    env = {}
    if request.param == "postgresql":
        env["COLLEGIUM_DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    with server(env=env) as running:
        yield running


@pytest.mark.sqlite_in_short
@pytest.mark.parametrize(
    ("kills", "seed"), [(4, 20261121), pytest.param(50, int(os.environ.get("SEED", "7")), marks=pytest.mark.long)]
)
async def test_a_killed_server_loses_no_edit_and_no_line(running: Server, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")
    tokens = {person: running.add_user(person) for person in PEOPLE}
    with running.client(tokens[PEOPLE[0]]) as ada:
        notebook = new_notebook(ada)
        for person in PEOPLE[1:]:
            ada.put(f"/drive/items/{notebook}/grants", json={"email": person, "role": "editor"}).raise_for_status()
    ledger = Ledger()
    async with anyio.create_task_group() as tasks:
        tabs = [Tab(running.url, token, notebook) for token in tokens.values()]
        for tab in tabs:
            await tab.rejoin(tasks)
        runner = tabs[0]
        (marker,) = await runner.execute("marker")
        pid = stdout(runner, (await runner.finished(marker))["execution"])
        (counting,) = await runner.execute("count")
        await runner.until(lambda: stdout(runner, counting))
        for number in range(kills):
            async with typing_people(tabs, ledger, chance):
                await anyio.sleep(chance.uniform(0.05, 0.6))
                running.kill()
            await all_closed(tabs)
            ledger.see(tabs)
            await anyio.to_thread.run_sync(running.start)
            async with joined(running.url, tokens[PEOPLE[1]], notebook) as fresh:
                text = "".join(fresh.text(cell) for cell in fresh.cells)
                lost = [word for word in ledger.durable if word not in text]
                assert not lost, f"kill {number + 1}: {len(lost)} of {len(ledger.durable)} lost: {lost[:5]}"
            for tab in tabs:
                await tab.rejoin(tasks)
        await runner.send({"type": "interrupt"})
        await runner.finished(counting)
        (again,) = await runner.execute("again")
        await runner.finished(again)
        assert stdout(runner, again) == pid, "the kernel is not the one that was there before"
        for tab in tabs:
            await tab.close()
        tasks.cancel_scope.cancel()
    with running.client(tokens[PEOPLE[0]]) as ada:
        log = ada.get(f"/notebooks/{notebook}/executions/{counting}/log").raise_for_status().text
    lines = [line for line in log.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert len(lines) > kills


@pytest.mark.long
@pytest.mark.parametrize(("crashes", "seed"), [(2, 20261122), (20, int(os.environ.get("SEED", "8")))])
async def test_a_crashed_postgresql_loses_no_edit_and_the_server_goes_on(
    postgresql_url: str, crashes: int, seed: int
) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")
    with server("--no-runtimes", env={"COLLEGIUM_DATABASE_URL": postgresql_url}) as running:
        assert running.process is not None
        process = running.process.pid
        tokens = {person: running.add_user(person) for person in PEOPLE[:2]}
        with running.client(tokens[PEOPLE[0]]) as ada:
            notebook = new_notebook(ada)
            for person in PEOPLE[1:2]:
                ada.put(f"/drive/items/{notebook}/grants", json={"email": person, "role": "editor"}).raise_for_status()
        ledger = Ledger()
        async with anyio.create_task_group() as tasks:
            tabs = [Tab(running.url, token, notebook) for token in tokens.values()]
            for tab in tabs:
                await tab.rejoin(tasks)
            for number in range(crashes):
                async with typing_people(tabs, ledger, chance):
                    await anyio.sleep(chance.uniform(0.05, 0.6))
                    await anyio.to_thread.run_sync(postgres().end)
                    # Before it is back, so that every tab learns of it: its next edit cannot be kept.
                    await all_closed(tabs)
                ledger.see(tabs)
                assert not is_ready(running)
                with running.client(tokens[PEOPLE[0]]) as ada:
                    assert ada.get(f"/notebooks/{notebook}").status_code == 503
                await anyio.to_thread.run_sync(postgres().begin)
                with anyio.fail_after(60):
                    while not await anyio.to_thread.run_sync(is_ready, running):
                        await anyio.sleep(0.05)
                async with joined(running.url, tokens[PEOPLE[1]], notebook) as fresh:
                    text = "".join(fresh.text(cell) for cell in fresh.cells)
                    lost = [word for word in ledger.durable if word not in text]
                    assert not lost, f"crash {number + 1}: {len(lost)} of {len(ledger.durable)} lost: {lost[:5]}"
                for tab in tabs:
                    await tab.rejoin(tasks)
            for tab in tabs:
                await tab.close()
            tasks.cancel_scope.cancel()
        assert running.process.poll() is None
        assert running.process.pid == process
        assert ledger.durable


def is_ready(running: Server) -> bool:
    """Whether the server says so. A worker that the database left for long ends, and its supervisor starts another."""
    try:
        return httpx.get(f"{running.url}/readyz", trust_env=False, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def new_notebook(client: httpx.Client) -> str:
    """A notebook with a cell per person, one that counts, and two that name the kernel's process."""

    def code(cell: str, source: str) -> dict[str, object]:
        return {
            "cell_type": "code",
            "id": cell,
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }

    pause = 1 / LINES_PER_SECOND
    count = f"import time, itertools\nfor n in itertools.count():\n    print('line', n)\n    time.sleep({pause})"
    cells = [
        code("marker", "import os\nmark = os.getpid()\nprint(mark)"),
        code("count", count),
        code("again", "print(mark)"),
        *[code(f"text{n}", "#") for n in range(len(PEOPLE))],
    ]
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return str(client.post("/notebooks?name=kill.ipynb", json=body).raise_for_status().json()["id"])


class Ledger:
    """What the server owes: words that it acknowledged, and words that somebody else saw."""

    def __init__(self) -> None:
        self.durable: set[str] = set()
        self.typed: dict[Tab, list[tuple[int, str]]] = {}
        self._count = 0

    def word(self) -> str:
        """A word nobody typed before."""
        self._count += 1
        return f"<{self._count}>"

    def see(self, tabs: list[Tab]) -> None:
        """Settle at the moment of a crash: acknowledged to its author, or on a colleague's screen."""
        for tab in tabs:
            for number, word in self.typed.pop(tab, []):
                others = "".join(other.text(cell) for other in tabs if other is not tab for cell in other.cells)
                if number <= tab.acked or word in others:
                    self.durable.add(word)


@asynccontextmanager
async def typing_people(tabs: list[Tab], ledger: Ledger, chance: random.Random) -> AsyncIterator[None]:
    """Everybody types into everybody's cells until the server is gone."""
    async with anyio.create_task_group() as tasks:
        for tab in tabs:
            tasks.start_soon(type_on, tab, ledger, random.Random(chance.random()))
        yield


async def type_on(tab: Tab, ledger: Ledger, chance: random.Random) -> None:
    while not tab.closed.is_set():
        word = ledger.word()
        try:
            number = await tab.append(f"text{chance.randrange(len(PEOPLE))}", word)
        except ConnectionClosed:
            return
        ledger.typed.setdefault(tab, []).append((number, word))
        await anyio.sleep(chance.uniform(0.001, 0.02))


async def all_closed(tabs: list[Tab]) -> None:
    with anyio.fail_after(60):
        for tab in tabs:
            await tab.closed.wait()


def stdout(tab: Tab, execution: str) -> str:
    """What an execution printed, as far as this tab was told."""
    return "".join(o["text"] for o in tab.outputs.get(execution, []) if o["output_type"] == "stream")
