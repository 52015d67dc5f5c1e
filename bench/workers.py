"""A keystroke on its way through another process: beside one whose tabs are where the notebook is, in one run.

    PYTHONPATH=tests .venv/bin/python bench/workers.py [--edits 200]

Two processes, one notebook. A tab at its owner types; a second tab at the owner and one at the other process each note
when they get the edit. Prints medians and their ratio, once for tabs that read and once for the tab that types.
"""

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable

import anyio
import psutil
from anyio.abc import TaskGroup

from support.server import Server, server
from support.tab import Tab

TABS_MAX = 60


async def placed(running: Server, token: str, notebook: str, tasks: TaskGroup) -> tuple[list[Tab], list[Tab]]:
    """Tabs at the owner, and tabs at the other: the owner is whom the first tab reached."""
    processes = psutil.Process(running.process.pid if running.process else 0).children(recursive=True)
    here: list[Tab] = []
    there: list[Tab] = []
    owner = None
    for _ in range(TABS_MAX):
        tab = Tab(running.url, token, notebook)
        await tab.rejoin(tasks)
        assert tab.socket is not None
        port = tab.socket.local_address[1]
        lines = [(one.pid, line.raddr) for one in processes for line in one.net_connections("tcp") if line.raddr]
        reached = next(pid for pid, remote in lines if remote.port == port)
        owner = owner or reached
        (here if reached == owner else there).append(tab)
        if len(here) > 1 and there:
            return here, there
    raise SystemExit("All tabs reached the same process.")


async def seconds_until(change: Callable[[], Awaitable[object]], arrived: Callable[[], bool], reader: Tab) -> float:
    """From an edit to its arrival."""
    began = time.perf_counter()
    await change()
    await reader.until(arrived)
    return time.perf_counter() - began


async def measured(running: Server, edits: int) -> None:
    token = running.add_user("ada@example.org")
    notebook = running.notebook(token, {"text": ""}, name="bench.ipynb")
    async with anyio.create_task_group() as tasks:
        here, there = await placed(running, token, notebook, tasks)
        typist, reader, far = here[0], here[1], there[0]
        reads: dict[str, list[float]] = {"at the owner": [], "through another": []}
        acks: dict[str, list[float]] = {"at the owner": [], "through another": []}
        for number in range(edits):
            for name, tab in (("at the owner", reader), ("through another", far)):
                word = f"<{name[0]}{number}>"
                seconds = await seconds_until(
                    lambda word=word: typist.append("text", word),  # type: ignore[misc]
                    lambda tab=tab, word=word: word in tab.text("text"),  # type: ignore[misc]
                    tab,
                )
                reads[name].append(seconds)
                await typist.saved()
            for name, tab in (("at the owner", reader), ("through another", far)):
                seconds = await seconds_until(
                    lambda tab=tab: tab.append("text", "."),  # type: ignore[misc]
                    lambda tab=tab: tab.acked >= tab.sent,  # type: ignore[misc]
                    tab,
                )
                acks[name].append(seconds)
        for what, found in (("an edit arrives", reads), ("an edit is acknowledged", acks)):
            near, away = (1000 * statistics.median(found[name]) for name in ("at the owner", "through another"))
            print(f"{what}: {near:.1f} ms at the owner, {away:.1f} ms through another process, x{away / near:.2f}")
        for tab in here + there:
            await tab.close()
        tasks.cancel_scope.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=200)
    options = parser.parse_args()
    with server("--workers", "2", "--no-runtimes") as running:
        anyio.run(measured, running, options.edits)


if __name__ == "__main__":
    main()
