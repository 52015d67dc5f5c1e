"""Real processes, killed and paused while people type and cells run: nothing acknowledged or seen is lost."""

import os
import random
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import anyio
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed

from collegium.ground.db import Database, is_sqlite, sqlite_url
from support.server import Server, server
from support.tab import Tab

pytestmark = pytest.mark.anyio

FAILOVER_SECONDS_MAX = 10
"""Of most failovers: on a busy machine a single one may wait for the processor."""
LONG = pytest.mark.long


@pytest.fixture
def two(database_url: str) -> Iterator[Server]:
    """A server of two processes, which run nothing."""
    env = {} if is_sqlite(database_url) else {"COLLEGIUM_DATABASE_URL": database_url}
    with server("--workers", "2", "--no-runtimes", env=env) as two:
        yield two


class Processes:
    """Which process has what, as the database says."""

    def __init__(self, running: Server) -> None:
        url = running.env.get("COLLEGIUM_DATABASE_URL") or sqlite_url(running.data / "collegium.db")
        self._database = Database(url)

    async def owner(self, notebook: str) -> int | None:
        """The process that owns a notebook."""
        return await self._process(f"SELECT address FROM worker, doc WHERE worker.id = owner AND doc.id = '{notebook}'")

    async def leader(self) -> int | None:
        """The process that leads."""
        return await self._process("SELECT address FROM worker, worker_lead WHERE worker.id = worker_id")

    async def count(self) -> int:
        """How many live."""
        async with self._database.read() as tx:
            return int((await tx.execute(text("SELECT count(*) FROM worker"))).scalar_one())

    async def _process(self, statement: str) -> int | None:
        async with self._database.read() as tx:
            address = (await tx.execute(text(statement))).scalar_one_or_none()
        if address is None:
            return None
        with socket.socket(socket.AF_UNIX) as line:
            try:
                folder = os.open(Path(address).parent, os.O_PATH)
                line.connect(f"/proc/self/fd/{folder}/{Path(address).name}")
                os.close(folder)
            except OSError:
                return None
            credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return int(struct.unpack("3i", credentials)[0])

    async def close(self) -> None:
        await self._database.close()


async def all_there(processes: Processes) -> None:
    with anyio.fail_after(60):
        while await processes.count() < 2:
            await anyio.sleep(0.05)


async def found(ask, *words):  # type: ignore[no-untyped-def]
    """What there is to be found sooner or later."""
    with anyio.fail_after(60):
        while (process := await ask(*words)) is None:
            await anyio.sleep(0.05)
        return process


class Ledger:
    """What is owed: words acknowledged to their author, and words that somebody else saw."""

    def __init__(self) -> None:
        self.owed: set[str] = set()
        self.typed: dict[Tab, list[tuple[int, str]]] = {}
        self.count = 0

    async def type_on(self, tab: Tab, chance: random.Random) -> None:
        """Until the socket closes."""
        while not tab.closed.is_set():
            self.count += 1
            word = f"<{self.count}>"
            with suppress(ConnectionClosed):
                number = await tab.append("text", word)
                self.typed.setdefault(tab, []).append((number, word))
            await anyio.sleep(chance.uniform(0.002, 0.03))

    def see(self, tabs: list[Tab]) -> None:
        """At the moment of a crash."""
        texts = {tab: tab.text("text") for tab in tabs}
        for tab in tabs:
            others = "".join(text for other, text in texts.items() if other is not tab)
            for number, word in self.typed.pop(tab, []):
                if number <= tab.acked or word in others:
                    self.owed.add(word)


@pytest.mark.parametrize(
    ("people", "kills", "seed"),
    [(5, 2, 20261121), pytest.param(20, 25, int(os.environ.get("SEED", "7")), marks=LONG)],
)
async def test_a_killed_owner_loses_nothing_and_another_takes_over_in_time(
    two: Server, people: int, kills: int, seed: int
) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")
    token = two.add_user("ada@example.org")
    notebook = two.notebook(token, {"text": "#"}, name="kill.ipynb")
    processes, ledger, gaps = Processes(two), Ledger(), list[float]()
    tabs = [Tab(two.url, token, notebook) for _ in range(people)]
    async with anyio.create_task_group() as tasks:
        await all_there(processes)
        for tab in tabs:
            await tab.rejoin(tasks)
        for number in range(kills):
            async with anyio.create_task_group() as typing:
                for tab in tabs:
                    typing.start_soon(ledger.type_on, tab, random.Random(chance.random()))
                await anyio.sleep(chance.uniform(0.2, 0.8))
                owner = await found(processes.owner, notebook)
                os.kill(owner, signal.SIGKILL)
                killed = time.monotonic()
            ledger.see(tabs)
            for tab in tabs:
                await tab.rejoin(tasks)
                await tab.saved()
            gaps.append(time.monotonic() - killed)
            now = tabs[0].text("text")
            assert not [word for word in ledger.owed if word not in now], f"kill {number + 1}"
            await all_there(processes)
        final = tabs[-1].text("text")
        for tab in tabs:
            await tab.close()
        tasks.cancel_scope.cancel()
    await processes.close()
    print(f"back in {[round(gap, 2) for gap in gaps]} s, {len(ledger.owed)} words owed")

    assert median(gaps) < FAILOVER_SECONDS_MAX
    assert ledger.owed
    assert all(final.count(word) == 1 for word in ledger.owed), "a word is there twice"


@pytest.mark.sqlite_in_short
async def test_a_paused_owner_that_wakes_up_writes_nothing_and_its_tabs_come_back(two: Server) -> None:
    token = two.add_user("ada@example.org")
    notebook = two.notebook(token, {"text": "#"}, name="pause.ipynb")
    processes = Processes(two)
    old, new = Tab(two.url, token, notebook), Tab(two.url, token, notebook)
    async with anyio.create_task_group() as tasks:
        await all_there(processes)
        await old.rejoin(tasks)
        await old.append("text", "<before>")
        await old.saved()
        owner = await found(processes.owner, notebook)
        os.kill(owner, signal.SIGSTOP)
        stopped = time.monotonic()
        acknowledged = old.acked
        await old.append("text", "<during>")
        try:
            # The connections that the paused process accepts before it wakes, it answers when it does.
            with anyio.fail_after(FAILOVER_SECONDS_MAX):
                while True:
                    with anyio.move_on_after(1.5):
                        await new.rejoin(tasks)
                        await new.append("text", "<after>")
                        await new.saved()
                        break
            gap = time.monotonic() - stopped
            assert old.acked == acknowledged
        finally:
            with suppress(ProcessLookupError):
                os.kill(owner, signal.SIGCONT)
        with anyio.fail_after(30):
            await old.closed.wait()
        await old.rejoin(tasks)
        await old.saved()
        await new.until(lambda: "<during>" in new.text("text"))
        words = new.text("text").removeprefix("#").replace("><", "> <").split()
        for tab in (old, new):
            await tab.close()
        tasks.cancel_scope.cancel()
    await processes.close()
    print(f"taken over in {gap:.1f} s")

    assert sorted(words) == ["<after>", "<before>", "<during>"]


@pytest.mark.sandbox
@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=LONG)])
async def test_a_killed_leader_loses_no_line_of_a_cell_that_runs(kills: int) -> None:
    count = "import time, itertools\nfor n in itertools.count():\n    print('line', n)\n    time.sleep(0.01)"
    with server("--workers", "2") as two:
        token = two.add_user("ada@example.org")
        notebook = two.notebook(token, {"count": count, "again": "print('line', 'end')"}, name="lead.ipynb")
        processes, tab, gaps = Processes(two), Tab(two.url, token, notebook), list[float]()
        async with anyio.create_task_group() as tasks:
            await all_there(processes)
            await tab.rejoin(tasks)
            (counting,) = await tab.execute("count")
            await tab.until(lambda: any("line 20" in str(output) for output in tab.outputs.get(counting, [])))
            for _ in range(kills):
                leader = await found(processes.leader)
                version = tab.versions.get(counting, 0)
                os.kill(leader, signal.SIGKILL)
                killed = time.monotonic()
                with anyio.fail_after(30):
                    await tab.closed.wait()
                tab.versions.clear()
                await tab.rejoin(tasks)
                await tab.until(lambda before=version: tab.versions.get(counting, 0) > before)
                gaps.append(time.monotonic() - killed)
                await all_there(processes)
            await tab.send({"type": "interrupt"})
            await tab.finished(counting)
            await tab.close()
            tasks.cancel_scope.cancel()
        await processes.close()
        with two.client(token) as api:
            log = api.get(f"/notebooks/{notebook}/executions/{counting}/log").raise_for_status().text
            two.give_back(token)
    lines = [line for line in log.splitlines() if line.startswith("line ")]
    print(f"back in {[round(gap, 2) for gap in gaps]} s, {len(lines)} lines")

    assert lines == [f"line {number}" for number in range(len(lines))]
    assert len(lines) > 20
    assert median(gaps) < FAILOVER_SECONDS_MAX


@pytest.mark.sqlite_in_short
async def test_a_server_of_several_processes_stops_in_order_and_leaves_nobody_registered(two: Server) -> None:
    token = two.add_user("ada@example.org")
    notebook = two.notebook(token, {"text": "#"}, name="stop.ipynb")
    processes, tab = Processes(two), Tab(two.url, token, notebook)
    async with anyio.create_task_group() as tasks:
        await all_there(processes)
        await tab.rejoin(tasks)
        await tab.append("text", "<kept>")
        await tab.saved()
        await anyio.to_thread.run_sync(two.stop)
        with anyio.fail_after(10):
            await tab.closed.wait()
        tasks.cancel_scope.cancel()
    left = await processes.count()
    await processes.close()

    assert two.process is not None
    assert two.process.returncode == 0
    assert left == 0
    assert tab.socket is not None
    assert tab.socket.close_code == 1012
