"""`python -m bench.load`: what one server bears: many editors, stalled readers, storms, many rooms, a large notebook.

Everything is asked of a real `collegium serve`, over its sockets; `--quick` asks for a tenth. The tabs run in this
process, on the same cores as the server.
"""

import os
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.beside_collaboration import EMAIL, FIRSTS, ROOMY, Collegium, cpu_seconds
from bench.crowd import Ours
from support.server import server

Row = tuple[str, str, str]
"""What, what was seen, the target of the design."""
BUSY = {
    **ROOMY,
    "COLLEGIUM_ROOMS__CLIENTS_MAX": "5000",
    "COLLEGIUM_ROOMS__CLIENTS_PER_USER_MAX": "5000",
    "COLLEGIUM_ROOMS__IDLE_SECONDS": "600",
}
CELLS, LINES = 2_000, 84
"""With lines of 30 letters: 5 MB of source."""
JOINERS_AT_ONCE = 100


def main() -> None:
    """Measure everything, and print a line for each."""
    part = 10 if "--quick" in sys.argv else 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    load, began = os.getloadavg()[0], time.monotonic()
    rows: list[Row] = []
    with server("--no-runtimes", env=BUSY) as running:
        house = Collegium(running, running.add_user(EMAIL))
        asked: list[Callable[[], Awaitable[list[Row]]]] = [
            partial(many_rooms, house, 500 // part),
            *(partial(editors, house, 200 // part, rate, 20.0 / part) for rate in (0.5, 2.0, 5.0)),
            partial(stalled, house, 5, 60.0 / part),
            partial(storm, house, 1_000 // part),
            partial(large, house, CELLS // part),
        ]
        for ask in asked:
            found = anyio.run(ask, backend_options={"use_uvloop": True})
            for row in found:
                print(f"| {' | '.join(row)} |", file=sys.stderr, flush=True)
            rows += found
    print("| what | seen | target |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\nload {load:.1f} before, {os.getloadavg()[0]:.1f} after; {(time.monotonic() - began) / 60:.0f} minutes")


async def opened(stack: AsyncExitStack, door: Any, tab: Ours) -> Ours:
    """A tab that has joined."""
    await tab.join(await stack.enter_async_context(door()))
    return tab


async def many_rooms(house: Collegium, count: int) -> list[Row]:
    """So many notebooks of 100 cells, each open in one tab."""
    source = "value = 'twelve times two is twenty-four'\n" * 3
    notebooks = [await anyio.to_thread.run_sync(house.notebook, 100, source) for _ in range(count)]
    before = memory_mb(house)
    async with AsyncExitStack() as stack:
        for notebook in notebooks:
            await opened(stack, house.door(notebook), Ours(0))
        grown = memory_mb(house) - before
        before_cpu, began = cpu_seconds(house), time.perf_counter()
        await anyio.sleep(10)
        idle = 100 * (cpu_seconds(house) - before_cpu) / (time.perf_counter() - began)
    return [
        (f"{count} open rooms of 100 cells", f"{grown:.0f} MB above before", "≤ 300 MB"),
        (f"{count} open rooms in which nobody types: server CPU", f"{idle:.1f} %", ""),
    ]


async def editors(house: Collegium, tabs: int, rate: float, seconds: float) -> list[Row]:
    """Everybody types at this many edits per second."""
    notebook = await anyio.to_thread.run_sync(house.notebook)
    async with AsyncExitStack() as stack:
        door = house.door(notebook)
        typists = [await opened(stack, door, Ours(n * FIRSTS)) for n in range(tabs)]
        async with anyio.create_task_group() as tasks:
            for typist in typists:
                tasks.start_soon(typist.read)
            before, began = cpu_seconds(house), time.perf_counter()
            async with anyio.create_task_group() as typing:
                for typist in typists:
                    typing.start_soon(typist.keep_typing, 1 / rate, began + seconds)
            took, used = time.perf_counter() - began, cpu_seconds(house) - before
            await anyio.sleep(3)
            tasks.cancel_scope.cancel()
    waits, whole = arrivals(typists)
    shown = f"{percentiles(waits)}, CPU {100 * used / took:.0f} %, {100 * len(waits) / whole:.1f} % there"
    return [(f"{tabs} editors, {rate:g} edits/s each", shown, "p99 < 250 ms, CPU < 50 %")]


def percentiles(waits: list[float]) -> str:
    """Of sorted times in ms."""
    return f"p50 {waits[len(waits) // 2]:.0f} ms, p99 {waits[len(waits) * 99 // 100]:.0f} ms"


def arrivals(typists: list[Ours]) -> tuple[list[float], int]:
    """How long each edit travelled to each other tab, in ms, and how many of these ways there are."""
    sent = {token: at for typist in typists for token, at in typist.sent.items()}
    waits = sorted(
        (at - sent[token]) * 1000 for typist in typists for token, at in typist.seen.items() if token not in typist.sent
    )
    return waits, len(sent) * (len(typists) - 1)


async def stalled(house: Collegium, readers: int, seconds: float) -> list[Row]:
    """Some read nothing, while others type and look on."""
    notebook = await anyio.to_thread.run_sync(house.notebook)
    async with AsyncExitStack() as stack:
        door = house.door(notebook)
        for _ in range(readers):
            await opened(stack, door, Ours(0))
        typists = [await opened(stack, door, Ours(n * FIRSTS)) for n in range(20)]
        before = memory_mb(house)
        async with anyio.create_task_group() as tasks:
            for typist in typists:
                tasks.start_soon(typist.read)
            began = time.perf_counter()
            async with anyio.create_task_group() as typing:
                for typist in typists:
                    typing.start_soon(typist.keep_typing, 0.2, began + seconds)
            grown = memory_mb(house) - before
            tasks.cancel_scope.cancel()
    waits, _ = arrivals(typists)
    return [
        (f"{readers} stalled readers beside 100 edits/s for {seconds:.0f} s", f"{grown:.1f} MB", "< 50 MB"),
        ("the others' p99 meanwhile", f"{waits[len(waits) * 99 // 100]:.0f} ms", "< 250 ms"),
    ]


async def storm(house: Collegium, tabs: int) -> list[Row]:
    """The server is killed; everybody comes back at once, with nothing and with what they had."""
    notebook = await anyio.to_thread.run_sync(house.notebook, 400, "x = 'twelve times two is twenty-four'\n" * 40)
    rows: list[Row] = []
    crowd = [Ours(0) for _ in range(tabs)]
    for what in ("cold", "warm"):
        await anyio.to_thread.run_sync(house.kill)
        await anyio.to_thread.run_sync(house.start)
        before = cpu_seconds(house)
        times = await all_joined(house.door(notebook), crowd)
        cpu = 1000 * (cpu_seconds(house) - before) / tabs
        seen = (
            f"all synced in {max(times):.1f} s, median {statistics.median(times):.1f} s, server CPU {cpu:.1f} ms a tab"
        )
        rows.append((f"{tabs} tabs reconnect at once, {what}", seen, "< 10 s"))
    return rows


async def all_joined(door: Any, crowd: list[Ours]) -> list[float]:
    """When each had the notebook, in seconds."""
    limiter, times = anyio.CapacityLimiter(JOINERS_AT_ONCE), list[float]()
    async with AsyncExitStack() as stack:
        began = time.perf_counter()

        async def join(tab: Ours) -> None:
            async with limiter:
                socket = await stack.enter_async_context(door())
            await tab.join(socket)
            times.append(time.perf_counter() - began)

        async with anyio.create_task_group() as tasks:
            for tab in crowd:
                tasks.start_soon(join, tab)
    return times


async def large(house: Collegium, cells: int) -> list[Row]:
    """A large notebook: opened, and typed in."""
    notebook = await anyio.to_thread.run_sync(house.notebook, cells, ("x = 'a line of thirty letter'\n" * LINES))
    before = memory_mb(house)
    async with AsyncExitStack() as stack:
        door, began = house.door(notebook), time.perf_counter()
        typists = [await opened(stack, door, Ours(0))]
        first = time.perf_counter() - began
        grown = memory_mb(house) - before
        typists += [await opened(stack, door, Ours(n * FIRSTS)) for n in range(1, 10)]
        async with anyio.create_task_group() as tasks:
            for typist in typists:
                tasks.start_soon(typist.read)
            async with anyio.create_task_group() as typing:
                until = time.perf_counter() + 10
                for typist in typists:
                    typing.start_soon(typist.keep_typing, 0.5, until)
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()
    waits, _ = arrivals(typists)
    megabytes = cells * LINES * 30 / 1e6
    return [
        (f"{cells} cells, {megabytes:.1f} MB of source: opened", f"{first:.2f} s, {grown:.0f} MB", ""),
        (
            "ten people type in it",
            f"p50 {waits[len(waits) // 2]:.0f} ms, p99 {waits[len(waits) * 99 // 100]:.0f} ms",
            "",
        ),
    ]


def memory_mb(house: Collegium) -> float:
    """What the server keeps in memory for itself alone."""
    return sum(process.memory_full_info().uss for process in house.processes()) / 1e6


if __name__ == "__main__":
    main()
