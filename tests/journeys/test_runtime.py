"""What can happen to a machine on loan, seen from a tab: the server says what happened, and nobody else is hurt."""

import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from runtime_world import ORDINARY_UID, ask_engine, why_no_sandbox
from support.server import Server, server
from support.tab import Tab, joined

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
SETTINGS = {
    "COLLEGIUM_RUNTIMES__TYPES": json.dumps(
        {"cpu": {"memory": "512MiB", "cpus": 1, "processes": 128, "disk": "256MiB"}}
    ),
    "COLLEGIUM_SESSIONS__INTERRUPT_SECONDS": "1",
}
PROBES = Path(__file__).parents[1] / "runtimes/inside/probes.py"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    if (why := why_no_sandbox()) is not None:
        pytest.skip(f"no sandbox here: {why}")
    with server(env=SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(running: Server) -> dict[str, str]:
    return {person: running.add_user(person) for person in (ADA, BOB)}


class Desk:
    """A person before an open notebook, whose cells are named a, b, c …"""

    def __init__(self, tab: Tab, notebook: str, running: Server, token: str) -> None:
        self.tab, self.notebook, self.running, self.token = tab, notebook, running, token

    async def run(self, cell: str, seconds: float = 60) -> dict[str, Any]:
        """Run a cell to its end."""
        (execution,) = await self.tab.execute(cell)
        return await self.tab.finished(execution, seconds)

    def text(self, execution: dict[str, Any] | str) -> str:
        """What it printed, as the page shows it."""
        id = execution if isinstance(execution, str) else execution["execution"]
        return "".join(o["text"] for o in self.tab.outputs.get(id, []) if o["output_type"] == "stream")

    def api(self, method: str, path: str) -> Any:
        """Ask the HTTP API about this notebook."""
        with self.running.client(self.token) as client:
            return client.request(method, f"/notebooks/{self.notebook}{path}").raise_for_status()


@asynccontextmanager
async def desk(running: Server, token: str, *sources: str) -> AsyncIterator[Desk]:
    """A new notebook, open in a tab; its runtime is given back at the end."""
    cells = [
        {
            "cell_type": "code",
            "id": chr(ord("a") + number),
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    with running.client(token) as client:
        notebook = client.post("/notebooks?name=runtime.ipynb", json=body).raise_for_status().json()["id"]
    async with joined(running.url, token, notebook) as tab:
        made = Desk(tab, notebook, running, token)
        yield made
        with running.client(token) as client:
            assert client.post(f"/notebooks/{notebook}/session/disconnect").status_code in (200, 404)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user cannot bound the memory of a whole runtime")
async def test_a_memory_bomb_is_named_and_the_next_cell_has_a_fresh_kernel(
    running: Server, tokens: dict[str, str]
) -> None:
    bomb = "kept = []\nwhile True: kept.append(bytearray(b'x' * (32 << 20)))"
    async with desk(running, tokens[ADA], bomb, "print('kept' in globals())") as ada:
        over = await ada.run("a")
        after = await ada.run("b")

        assert (over["state"], over["reason"]) == ("failed", "killed: out of memory (used 512 MB of 512 MB)")
        assert ada.tab.outputs[over["execution"]][-1]["evalue"] == over["reason"]
        assert ada.text(after) == "False\n"


async def test_a_fork_bomb_hurts_nobody_else(running: Server, tokens: dict[str, str]) -> None:
    bomb = "import os\nprint('on', flush=True)\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    async with (
        desk(running, tokens[BOB], bomb) as bob,
        desk(running, tokens[ADA], "print(sum(range(10**6)))") as ada,
    ):
        (bombing,) = await bob.tab.execute("a")
        await bob.tab.until(lambda: bob.text(bombing))

        assert ada.text(await ada.run("a")) == "499999500000\n"


async def test_a_kernel_killed_from_inside_is_named(running: Server, tokens: dict[str, str]) -> None:
    code = "import os, signal; kept = 1; os.kill(os.getpid(), signal.SIGKILL)"
    async with desk(running, tokens[ADA], code, "print('kept' in globals())") as ada:
        over = await ada.run("a")

        assert (over["state"], over["reason"]) == ("failed", "killed (signal 9)")
        assert ada.text(await ada.run("b")) == "False\n"


async def test_a_million_lines_show_both_ends_and_the_log_has_them_all(running: Server, tokens: dict[str, str]) -> None:
    async with desk(running, tokens[ADA], "for n in range(1_000_000): print('line', n)") as ada:
        over = await ada.run("a")
        log = ada.api("GET", f"/executions/{over['execution']}/log").text
        (shown,) = ada.tab.outputs[over["execution"]]

        assert over["state"] == "finished"
        assert log == "".join(f"line {n}\n" for n in range(1_000_000))
        assert shown["text"].startswith("line 0\nline 1\n")
        assert shown["text"].endswith("line 999998\nline 999999\n")
        assert shown["omitted"]["bytes"] + len(shown["text"]) == len(log)


async def test_stop_stops_and_what_does_not_stop_is_terminated(running: Server, tokens: dict[str, str]) -> None:
    endless = "print('on', flush=True)\nwhile True: pass"
    stubborn = (
        "while True:\n    try:\n        print('on', flush=True)\n        while True: pass\n"
        "    except KeyboardInterrupt: pass"
    )
    async with desk(running, tokens[ADA], endless, stubborn, "print('here')") as ada:
        for cell, error, reason in (
            ("a", "KeyboardInterrupt", None),
            ("b", "KernelDied", "terminated: the cell did not stop within 1 s"),
        ):
            (execution,) = await ada.tab.execute(cell)
            await ada.tab.until(lambda: ada.text(execution))  # noqa: B023
            await ada.tab.send({"type": "interrupt"})
            over = await ada.tab.finished(execution, 20)

            assert (over["state"], over.get("reason")) == ("failed", reason)
            assert ada.tab.outputs[execution][-1]["ename"] == error
        assert ada.text(await ada.run("c")) == "here\n"


async def test_a_cell_asks_and_a_person_answers(running: Server, tokens: dict[str, str]) -> None:
    code = "import getpass\nname = input('Name? ')\nsecret = getpass.getpass('Secret? ')\nprint(name, len(secret))"
    async with desk(running, tokens[ADA], code) as ada:
        (execution,) = await ada.tab.execute("a")
        for prompt, password, value in (("Name? ", False, "Ada 😀"), ("Secret? ", True, "hunter2")):
            asked = await ada.tab.until(lambda: request(ada.tab, prompt))  # noqa: B023
            assert asked["password"] is password
            await ada.tab.send({"type": "input", "execution": execution, "value": value})
        await ada.tab.finished(execution)

        assert ada.text(execution) == "Name? Ada 😀\nSecret? ········\nAda 😀 7\n"
        assert "hunter2" not in ada.api("GET", f"/executions/{execution}/log").text


def request(tab: Tab, prompt: str) -> dict[str, Any] | None:
    return next((m for m in tab.messages if m["type"] == "input_request" and m["prompt"] == prompt), None)


NUMBERED = "import time\nfor n in range(2000):\n    print(n, flush=True)\n    time.sleep(0.001)"
ALL_NUMBERS = "".join(f"{n}\n" for n in range(2000))


async def test_when_the_engine_is_killed_a_running_cell_loses_nothing(running: Server, tokens: dict[str, str]) -> None:
    async with desk(running, tokens[ADA], NUMBERED, "print(n)") as ada:
        (execution,) = await ada.tab.execute("a")
        await ada.tab.until(lambda: ada.text(execution))
        before = ask_engine(running.data, "status")["pid"]

        os.kill(before, signal.SIGKILL)

        over = await ada.tab.finished(execution)
        assert over["state"] == "finished"
        assert ada.text(over) == ALL_NUMBERS
        assert ada.text(await ada.run("b")) == "1999\n"
        await until(lambda: answering(running.data) not in (None, before))


def answering(data: Path) -> int | None:
    try:
        return int(ask_engine(data, "status")["pid"])
    except (OSError, ConnectionError):
        return None


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for something that nobody tells us."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await anyio.sleep(0.02)


async def test_attempts_to_escape_are_stopped(running: Server, tokens: dict[str, str]) -> None:
    code = PROBES.read_text()
    world = {
        "secret": str(running.data / "collegium.db"),
        "data": str(running.data),
        "database": str(running.data / "collegium.db"),
        "account": "sync:x:",
        "engine_socket": str(running.data / "run/runtimed.sock"),
        "neighbour_socket": str(running.data / "run/runtimed.sock"),
        "pid": os.getpid(),
        "port": running.port,
        "canary": "COLLEGIUM_",
    }
    only = [
        "a secret file of the machine by its path",
        "a service on the machine's loopback",
        "the engine's socket",
        "a signal to a process of the machine",
        "processes of the machine in /proc",
        "capabilities, privileges to gain, and the filter",
        "being root outside",
        "a setuid program",
        "a set-user-id file made in the environment",
        "tracing PID 1",
    ]
    attempt = f"{code}\nimport json; print(json.dumps(run({world!r}, {only!r})))"
    async with desk(running, tokens[ADA], attempt) as ada:
        over = await ada.run("a")

        assert over["state"] == "finished", ada.tab.outputs[over["execution"]]
        assert [(name, how) for name, stopped, how in json.loads(ada.text(over).splitlines()[-1]) if not stopped] == []


async def test_nothing_is_left_of_a_disconnected_runtime(running: Server, tokens: dict[str, str]) -> None:
    code = (
        "import subprocess; open('/content/data', 'w').write('x')\n"
        "subprocess.Popen(['sleep', '1000'], start_new_session=True)"
    )
    async with desk(running, tokens[ADA], code) as ada:
        await ada.run("a")
        runtime = ada.api("GET", "/session").json()["runtime"]["id"]
        (folder,) = [f for f in (running.data / "runtimes").iterdir() if record(f).get("runtime") == runtime]
        kept = record(folder)
        world = os.stat(f"/proc/{kept['pid']}/ns/pid").st_ino
        assert len(processes(world)) >= 4
        assert (running.data / f"run/{runtime}.sock").exists()

        ada.api("POST", "/session/disconnect")

        assert processes(world) == []
        assert not folder.exists()
        assert not (running.data / f"run/{runtime}.sock").exists()
        assert [group for group in kept["cgroups"] if Path(group).exists()] == []
        assert folder.name not in Path("/proc/self/mountinfo").read_text()
        assert [
            loop for loop in Path("/sys/block").glob("loop*/loop/backing_file") if folder.name in loop.read_text()
        ] == []
        assert ada.api("GET", "/session").json()["runtime"] is None


async def test_a_deleted_notebook_takes_its_runtime_and_its_outputs_with_it(
    running: Server, tokens: dict[str, str]
) -> None:
    code = "from IPython.display import HTML; display(HTML('x' * 100_000)); import time; time.sleep(1000)"
    async with desk(running, tokens[ADA], code) as ada:
        (execution,) = await ada.tab.execute("a")
        await ada.tab.until(lambda: ada.tab.outputs.get(execution))
        blob = ada.tab.outputs[execution][0]["data"]["text/html"]["$blob"]
        runtime = ada.api("GET", "/session").json()["runtime"]["id"]
        with running.client(tokens[ADA]) as client:
            client.post(f"/drive/items/{ada.notebook}/trash").raise_for_status()
            client.delete(f"/drive/items/{ada.notebook}").raise_for_status()
            left = [one["id"] for one in client.get("/runtimes").raise_for_status().json()]

        assert runtime not in left
        assert not (running.data / f"run/{runtime}.sock").exists()
        assert [path for path in (running.data / "outputs").rglob("*") if ada.notebook in path.name] == []
        assert list((running.data / "outputs").rglob(blob)) == []


def record(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "record.json").read_text()))
    except (OSError, ValueError):
        return {}


def processes(pid_namespace: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.stat(entry / "ns/pid").st_ino == pid_namespace:
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked
    return found


async def test_when_the_server_is_killed_a_running_cell_loses_nothing(running: Server, tokens: dict[str, str]) -> None:
    async with desk(running, tokens[ADA], NUMBERED, "print(n)") as ada, anyio.create_task_group() as tasks:
        (execution,) = await ada.tab.execute("a")
        await ada.tab.until(lambda: "\n100\n" in ada.text(execution))

        running.kill()
        await ada.tab.closed.wait()
        await anyio.to_thread.run_sync(running.start)
        await ada.tab.rejoin(tasks)

        over = await ada.tab.finished(execution)
        assert (over["state"], ada.text(over)) == ("finished", ALL_NUMBERS)
        assert ada.api("GET", f"/executions/{execution}/log").text == ALL_NUMBERS
        assert ada.text(await ada.run("b")) == "1999\n"
        await ada.tab.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user already")
async def test_an_ordinary_user_serves_and_runs_too() -> None:
    if (why := why_no_sandbox()) is not None:
        pytest.skip(f"no sandbox here: {why}")
    with server(env=SETTINGS, uid=ORDINARY_UID) as running:
        token = running.add_user(ADA)
        async with desk(running, token, "import os; print(os.getuid(), 6 * 7)") as ada:
            assert ada.text(await ada.run("a")) == "1000 42\n"
        owners = {path.stat().st_uid for path in running.data.rglob("*")}
        assert owners == {ORDINARY_UID}
