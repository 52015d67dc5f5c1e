"""`python -m bench.beside_collaboration`: one notebook and many people, beside jupyter-collaboration in the same run.

Both servers run as they come, take turns, and are asked the same: what is lost when they are killed, how long an edit
travels and what that costs, what 10 MB of output weigh, and how far a moved cell has come. `--quick` repeats less. The
first run builds the peer's environment (a minute).
"""

import json
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.crowd import Ours, Theirs, Typist, our_door, their_door
from bench.peers import Peer, peer
from bench.runtimes import get
from support.browser import browser, signed_in
from support.clients import LAB, clients
from support.server import Server, server

COLLABORATION = (*LAB, "jupyter-collaboration==5.0.4")
EMAIL = "crowd@example.org"
EDITS_PER_SECOND = 100.0
"""Of all tabs together."""
CELLS = 1_000
OUTPUT_LINES = 100_000
OUTPUT = f"for n in range({OUTPUT_LINES}): print(f'{{n:07}}', 'x' * 91)\nprint('the end')"
"""10 MB of printed lines."""
FIRSTS = 10_000
"""Tokens that one tab may use."""
UNLIMITED = ("--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=1e12", "--ServerApp.iopub_msg_rate_limit=1e9")
"""As it comes, JupyterLab drops most of 10 MB."""
ROOMY = {
    "COLLEGIUM_ROOMS__CLIENTS_MAX": "1000",
    "COLLEGIUM_ROOMS__CLIENTS_PER_USER_MAX": "1000",
}
QUICK: dict[str, Any] = {"backend_options": {"use_uvloop": True}}
"""How the tabs run: what they cost is part of every time, and the same for both."""
Line = tuple[str, str, list[float], list[float]]
"""What, its unit, ours and theirs: less is better."""


class House:
    """Either server, and how to get a notebook and tabs in it."""

    name: str

    def notebook(self, cells: int = 1, source: str = "") -> str: ...
    def tab(self, first: int) -> Typist: ...
    def door(self, notebook: str) -> Any: ...
    def processes(self) -> list[psutil.Process]: ...
    def kill(self) -> None: ...
    def start(self) -> None: ...
    def page(self, chromium: Browser, notebook: str) -> Page: ...


class Collegium(House):
    """Here."""

    name = "Collegium"

    def __init__(self, running: Server, token: str) -> None:
        self.running, self.token = running, token

    def notebook(self, cells: int = 1, source: str = "") -> str:
        return self.running.notebook(self.token, {f"c{n}": source for n in range(cells)}, name="crowd.ipynb")

    def tab(self, first: int) -> Typist:
        return Ours(first)

    def door(self, notebook: str) -> Any:
        return our_door(self.running.url, self.token, notebook)

    def processes(self) -> list[psutil.Process]:
        """The server and what it forked; the engine and its runtimes are others."""
        assert self.running.process is not None
        mother = psutil.Process(self.running.process.pid)
        return [mother, *mother.children()]

    def kill(self) -> None:
        self.running.kill()

    def start(self) -> None:
        self.running.start()

    def page(self, chromium: Browser, notebook: str) -> Page:
        page = signed_in(chromium, self.running.url, EMAIL)
        page.goto(f"{self.running.url}/notebooks/{notebook}")
        page.locator("[data-cell-id] .cm-content").first.wait_for()
        return page


class Collaboration(House):
    """JupyterLab with jupyter-collaboration."""

    name = "jupyter-collaboration"

    def __init__(self, running: Peer) -> None:
        self.running = running
        self._count = 0

    def notebook(self, cells: int = 1, source: str = "") -> str:
        self._count += 1
        path = f"crowd{self._count}.ipynb"
        made = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [],
             "execution_count": None}
            for n in range(cells)
        ]  # fmt: skip
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made}
        body = json.dumps({"type": "notebook", "content": content}).encode()
        assert get(f"{self.running.url}/api/contents/{path}", "PUT", body) is not None
        return path

    def tab(self, first: int) -> Typist:
        return Theirs(first)

    def door(self, notebook: str) -> Any:
        return their_door(self.running.url, notebook)

    def processes(self) -> list[psutil.Process]:
        """The server alone; its children are kernels."""
        assert self.running.process is not None
        return [psutil.Process(self.running.process.pid)]

    def kill(self) -> None:
        self.running.kill()

    def start(self) -> None:
        self.running.start()

    def page(self, chromium: Browser, notebook: str) -> Page:
        page = chromium.new_context(viewport={"width": 1360, "height": 820}).new_page()
        page.goto(f"{self.running.url}/lab/tree/{notebook}?reset")
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.wait_for(timeout=60_000)
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=60_000)
        return page


# ── killed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def lost_by_a_kill(house: House, tabs: int = 20, seconds: float = 3.0) -> float:
    """Edits that a colleague had seen, and that nobody finds after SIGKILL and a new start."""
    notebook = house.notebook()
    async with AsyncExitStack() as stack:
        typists = await crowd_in(stack, house, notebook, tabs)
        async with anyio.create_task_group() as tasks:
            until = time.perf_counter() + seconds + 5
            for typist in typists:
                tasks.start_soon(_until_cut, typist.read)
                tasks.start_soon(_until_cut, typist.keep_typing, tabs / EDITS_PER_SECOND, until)
            await anyio.sleep(seconds * random.uniform(0.7, 1.0))
            await anyio.to_thread.run_sync(house.kill)
            await anyio.sleep(0.2)
            tasks.cancel_scope.cancel()
    seen = {token for typist in typists for token in typist.seen}
    await anyio.to_thread.run_sync(house.start)
    late = house.tab(0)
    async with house.door(notebook)() as socket:
        await late.join(socket)
    text = str(late.source())
    return float(sum(f"<{token:07}>" not in text for token in seen))


async def crowd_in(stack: AsyncExitStack, house: House, notebook: str, tabs: int) -> list[Typist]:
    """So many tabs that have joined, until the stack closes."""
    door, typists = house.door(notebook), [house.tab(n * FIRSTS) for n in range(tabs)]
    for typist in typists:
        await typist.join(await stack.enter_async_context(door()))
    return typists


async def _until_cut(work: Callable[..., Any], *args: Any) -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        await work(*args)
    except (ConnectionClosed, OSError):
        return


# ── many ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def fan_out(house: House, tabs: int, seconds: float) -> tuple[float, float, float]:
    """Median and 99th percentile of an edit's way to everybody, in ms, and the server's CPU in percent."""
    notebook = house.notebook()
    async with AsyncExitStack() as stack:
        typists = await crowd_in(stack, house, notebook, tabs)
        async with anyio.create_task_group() as tasks:
            for typist in typists:
                tasks.start_soon(typist.read)
            await anyio.sleep(2)
            before, began = cpu_seconds(house), time.perf_counter()
            async with anyio.create_task_group() as typing:
                for typist in typists:
                    typing.start_soon(typist.keep_typing, tabs / EDITS_PER_SECOND, began + seconds)
            took, used = time.perf_counter() - began, cpu_seconds(house) - before
            await anyio.sleep(3)
            tasks.cancel_scope.cancel()
    sent = {token: at for typist in typists for token, at in typist.sent.items()}
    waits = sorted(
        (at - sent[token]) * 1000 for typist in typists for token, at in typist.seen.items() if token not in typist.sent
    )
    expected = len(sent) * (tabs - 1)
    print(f"  {house.name}: {len(sent)} edits, {len(waits)} of {expected} arrivals", file=sys.stderr)
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100], 100 * used / took


def cpu_seconds(house: House) -> float:
    """What the server used since it began."""
    return sum(sum(process.cpu_times()[:2]) for process in house.processes())


# ── outputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def after_output(house: House, chromium: Browser) -> tuple[float, float]:
    """MB by which the server and the page (its JavaScript) grew when a cell printed 10 MB."""
    page = house.page(chromium, house.notebook(source=OUTPUT))
    devtools: Any = page.context.new_cdp_session(page)
    before, heap_before = memory_mb(house), heap_mb(devtools)
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+Enter")
    shown = 'section[aria-label="Output"], .jp-OutputArea-output'
    ended = "at => [...document.querySelectorAll(at)].some(one => one.textContent.includes('the end'))"
    page.wait_for_function(ended, arg=shown, polling=500, timeout=180_000)
    page.wait_for_timeout(5_000)
    grown = memory_mb(house) - before, heap_mb(devtools) - heap_before
    page.context.close()
    return grown


def memory_mb(house: House) -> float:
    """The server's own, shared pages by their part."""
    return sum(process.memory_full_info().pss for process in house.processes()) / 1e6


def heap_mb(devtools: Any) -> float:
    """What JavaScript holds after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    return float(devtools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


# ── moved ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def moved(house: House, chromium: Browser, repeats: int) -> tuple[list[float], list[float]]:
    """A cell moved down in a large notebook: ms from the key until a colleague has it, and bytes on the wire."""
    notebook = house.notebook(CELLS, "value = 1\n" * 12)
    page = house.page(chromium, notebook)
    page.locator(".cm-content").nth(1).click()
    page.keyboard.press("Escape")
    times, sizes = [], []
    with watching(house, notebook) as frames:
        for _ in range(repeats):
            page.wait_for_timeout(1_500)
            frames.clear()
            began = time.perf_counter()
            if isinstance(house, Collegium):
                page.keyboard.press("Control+M")
                began = time.perf_counter()
                page.keyboard.press("j")
            else:
                page.keyboard.press("Control+Shift+ArrowDown")
            deadline = began + 30
            while not frames and time.perf_counter() < deadline:
                time.sleep(0.0005)
            page.wait_for_timeout(1_000)
            assert frames, "nothing came"
            times.append((frames[0][0] - began) * 1000)
            sizes.append(float(sum(size for _, size in frames)))
    page.context.close()
    return times, sizes


@contextmanager
def watching(house: House, notebook: str) -> Iterator[list[tuple[float, int]]]:
    """A colleague's tab in a thread of its own: when frames with edits came, and how large they were."""
    frames: list[tuple[float, int]] = []
    ready, over = threading.Event(), threading.Event()

    async def watch() -> None:
        tab = house.tab(0)
        async with house.door(notebook)() as socket:
            await tab.join(socket)
            ready.set()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, tab)
                while not over.is_set():
                    await anyio.sleep(0.05)
                tasks.cancel_scope.cancel()

    async def read(tab: Typist) -> None:
        async for frame in tab.socket:
            if isinstance(frame, bytes) and is_edit(house, frame):
                frames.append((time.perf_counter(), len(frame)))

    thread = threading.Thread(target=anyio.run, args=(watch,))
    thread.start()
    ready.wait(60)
    try:
        yield frames
    finally:
        over.set()
        thread.join()


def is_edit(house: House, frame: bytes) -> bool:
    """Not somebody's cursor."""
    return frame[0] == 1 if isinstance(house, Collegium) else frame[:2] == b"\x00\x02"


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Measure everything, and print a line for each."""
    quick = "--quick" in sys.argv
    rounds, seconds, kills = (1, 8.0, 3) if quick else (3, 12.0, 5)
    load, began = os.getloadavg()[0], time.monotonic()
    lines: list[Line] = []
    with ExitStack() as stack:
        running = stack.enter_context(server(env=ROOMY))
        ours = Collegium(running, running.add_user(EMAIL))
        theirs = Collaboration(stack.enter_context(peer(clients(COLLABORATION), "lab", *UNLIMITED)))
        houses: list[House] = [ours, theirs]

        both = [[anyio.run(lost_by_a_kill, house, **QUICK) for _ in range(kills)] for house in houses]
        lines.append(("edits a colleague had seen, lost by kill -9", "edits", *both))
        for tabs in (50, 200):
            taken: list[list[tuple[float, float, float]]] = [[], []]
            # In turns: what else the machine does meanwhile concerns both.
            for _ in range(rounds):
                for house, some in zip(houses, taken, strict=True):
                    some.append(anyio.run(fan_out, house, tabs, seconds, **QUICK))
            for at, (what, unit) in enumerate(
                (("edit → at everybody, p50", "ms"), ("edit → at everybody, p99", "ms"), ("server CPU", "%"))
            ):
                mine, other = ([one[at] for one in some] for some in taken)
                lines.append((f"{tabs} tabs, {EDITS_PER_SECOND:g} edits/s together: {what}", unit, mine, other))
        with browser() as chromium:
            grown = [[after_output(house, chromium) for _ in range(rounds)] for house in houses]
            for at, whose in enumerate(("the server", "the page's JavaScript")):
                mine, other = ([one[at] for one in some] for some in grown)
                lines.append((f"10 MB of output: {whose} grows by", "MB", mine, other))
            shifts = [moved(house, chromium, 3 if quick else 8) for house in houses]
            lines.append((f"move a cell of {CELLS}: key → at a colleague", "ms", shifts[0][0], shifts[1][0]))
            lines.append((f"move a cell of {CELLS}: on the wire", "bytes", shifts[0][1], shifts[1][1]))
    print_beside(lines)
    print(f"\nload {load:.1f} before, {os.getloadavg()[0]:.1f} after; {(time.monotonic() - began) / 60:.0f} minutes")


def print_beside(lines: list[Line]) -> None:
    """Median, lowest and highest of both, and who is ahead."""
    print("| what | Collegium | jupyter-collaboration | ahead |\n| --- | --- | --- | --- |")
    for what, unit, ours, theirs in lines:
        mine, other = statistics.median(ours), statistics.median(theirs)
        shown = [
            f"{statistics.median(values):.1f} {unit} ({min(values):.1f}–{max(values):.1f})" for values in (ours, theirs)
        ]
        ahead = "Collegium" if mine < other else ("both" if mine == other else "**jupyter-collaboration**")
        print(f"| {what} | {shown[0]} | {shown[1]} | {ahead} |")


if __name__ == "__main__":
    main()
