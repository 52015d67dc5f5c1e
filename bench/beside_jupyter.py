"""`python -m bench.beside_jupyter`: first outputs and round trips, side by side in one run with JupyterLab and Jupyter.

A real `collegium serve` with its pool, JupyterLab and a stock jupyter_server run beside each other, all with the
interpreter and the versions of the packages that the usual runtime version has. They take turns, round by round, in
one Chromium; ratios are of medians. `--quick` repeats less. The first run builds the peers' environment (a minute).
"""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from playwright.sync_api import BrowserContext
from uv import find_uv_bin
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.in_browser import wait_for_pool
from bench.on_the_wire import IMPORTS, first_output_ms, notebook_with
from bench.peers import peer
from bench.runtimes import get, peer_run
from support.browser import browser, signed_in
from support.clients import LAB, SPEAKERS
from support.environment import environments_folder, runtime_python
from support.server import Server, server
from support.tab import joined

STACK = ("ipykernel", "ipython", "jupyter-client", "matplotlib", "numpy", "pandas", "pyzmq", "tornado")
"""What the peers have of the runtime version, in its versions."""
EMAIL = "beside@example.org"
CODES = {"`1+1`": ("1+1", "2"), "the imports": (f"{IMPORTS}\nprint('here')", "here")}
"""What is run, and what must be seen of it."""
REST_MS = 1000
Samples = dict[tuple[str, str], list[float]]
"""What was measured, of whom: milliseconds."""

OURS = {
    "cell": "[data-cell-id] .cm-content",
    "run": '[data-cell-id] button[aria-label="Run cell"]',
    "output": '[data-cell-id] section[aria-label="Output"]',
    "pressable": '[data-cell-id] button[aria-label="Run cell"]:enabled',
    "idle": "body",
}
LABS = {
    "cell": ".jp-Notebook .jp-CodeCell .cm-content",
    "run": '.jp-NotebookPanel-toolbar [data-command="notebook:run-cell-and-select-next"]',
    "output": ".jp-Notebook .jp-CodeCell .jp-OutputArea-output",
    # Before it asked for a kernel, it would ask the person which.
    "pressable": '.jp-Notebook-ExecutionIndicator:is([data-status="connecting"], [data-status="unknown"])',
    "idle": '.jp-Notebook-ExecutionIndicator[data-status="idle"]',
}
WATCH = """
window.measured = (where, wanted, rest) => new Promise((done, fail) => {
    const times = {}
    const seen = selector => document.querySelector(selector)
    const click = () => {
        times.clicked = performance.now()
        for (const kind of ['mousedown', 'mouseup', 'click'])
            seen(where.run).dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, composed: true }))
    }
    const look = () => {
        if (!times.pressable && seen(where.cell) && seen(where.pressable)) times.pressable = performance.now()
        if (times.pressable && !times.ready && (!rest || seen(where.idle))) {
            times.ready = performance.now()
            rest ? setTimeout(click, rest) : click()
        }
        if (times.clicked && seen(where.output)?.textContent.includes(wanted)) {
            watch.disconnect()
            done({ opened: performance.now(), clicked: performance.now() - times.clicked })
        }
    }
    const watch = new MutationObserver(look)
    watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
    setTimeout(() => fail(new Error(JSON.stringify(times) + document.body.innerText.slice(0, 2000))), 60_000)
    look()
})
"""
"""Presses run as soon as it can be pressed, or after a rest with the kernel idle, and waits for the output. The page's
own clock, which begins with the navigation: the browser's driver looks at growing intervals."""


@dataclass(frozen=True)
class Browsers:
    """The same person's browser each time, with what it cached: here and in JupyterLab."""

    ours: BrowserContext
    theirs: BrowserContext


def main() -> None:
    """Measure everything, and print a line for each."""
    rounds, trips = (2, 60) if "--quick" in sys.argv else (6, 300)
    loads = [os.getloadavg()[0]]
    samples: Samples = {}
    with ExitStack() as stack:
        running = stack.enter_context(server())
        token = running.add_user(EMAIL)
        lab, stock = (stack.enter_context(peer(peers_python(), program)).url for program in ("lab", "server"))
        round_trips(running, token, stock, trips, samples)
        chromium = stack.enter_context(browser())
        people = Browsers(signed_in(chromium, running.url, EMAIL).context, chromium.new_context())
        for context in (people.ours, people.theirs):
            context.add_init_script(WATCH)
        for number in range(rounds + 1):
            taken: Samples = {}
            for what, (code, output) in CODES.items():
                over_the_api(running, token, stock, what, code, taken)
                in_the_browser(running, token, lab, people, (what, code, output), taken)
            if number > 0:  # The first warms caches on all sides.
                for key, values in taken.items():
                    samples.setdefault(key, []).extend(values)
    loads.append(os.getloadavg()[0])
    print_beside(samples)
    print(f"\nload {loads[0]:.1f} at the beginning, {loads[1]:.1f} at the end (the measurements' own included)")


# ── over the API ───────────────────────────────────────────────────────────────────────────────────────────────────


def over_the_api(running: Server, token: str, stock: str, what: str, code: str, taken: Samples) -> None:
    """A notebook, a run in it, its end; and Jupyter's way: a kernel, a socket to it, a run, its end and idle."""
    first = f"API: nothing → finished {what}"
    with running.client(token) as client:
        wait_for_pool(running)
        began = time.perf_counter()
        notebook = notebook_with(client, {"a": code})
        made = (time.perf_counter() - began) * 1000
        taken[first, "collegium"] = [made + first_output_ms(client, notebook)]
    taken[first, "jupyter_server"] = [kernel_ms(stock, "", code)]
    wait_for_pool(running)
    same = f"Jupyter's API: nothing → finished {what}"
    taken[same, "collegium"] = [kernel_ms(f"{running.url}/jupyter", f"?token={token}", code)]
    taken[same, "jupyter_server"] = [kernel_ms(stock, "", code)]


def kernel_ms(url: str, query: str, code: str) -> float:
    """From the request for a kernel to the end of a cell in it; then the kernel is shut down."""
    began = time.perf_counter()
    kernel = get(f"{url}/api/kernels{query}", "POST", b'{"name": "python3"}')["id"]
    with channels(url, kernel, query) as socket:
        peer_run(socket, code)
        took = (time.perf_counter() - began) * 1000
    get(f"{url}/api/kernels/{kernel}{query}", "DELETE")
    return took


def channels(url: str, kernel: str, query: str) -> Any:
    """Jupyter's WebSocket to a kernel."""
    return connect(f"{url.replace('http', 'ws')}/api/kernels/{kernel}/channels{query}", max_size=None, proxy=None)


def round_trips(running: Server, token: str, stock: str, count: int, samples: Samples) -> None:
    """`1+1` in a warm kernel, all ways in turn."""
    with running.client(token) as client:
        notebook = notebook_with(client, {"a": "1+1"})

    async def page(times: int) -> list[float]:
        async with joined(running.url, token, notebook) as tab:
            taken = []
            for _ in range(times):
                began = time.perf_counter()
                (execution,) = await tab.execute("a")
                await tab.finished(execution)
                taken.append((time.perf_counter() - began) * 1000)
            return taken[1:]

    def client_of(socket: Any, times: int) -> list[float]:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            peer_run(socket, "1+1")
            taken.append((time.perf_counter() - began) * 1000)
        return taken[1:]

    with ExitStack() as stack:
        sockets = {}
        for whose, url, query in (
            ("collegium", f"{running.url}/jupyter", f"?token={token}"),
            ("jupyter_server", stock, ""),
        ):
            kernel = get(f"{url}/api/kernels{query}", "POST", b'{"name": "python3"}')["id"]
            sockets[whose] = stack.enter_context(channels(url, kernel, query))
            stack.callback(get, f"{url}/api/kernels/{kernel}{query}", "DELETE")
        for _ in range(6):
            ours = anyio.run(page, count // 6 + 1)
            theirs = client_of(sockets["jupyter_server"], count // 6 + 1)
            samples.setdefault(("`1+1` round trip over the WebSocket, warm", "collegium"), []).extend(ours)
            samples.setdefault(("`1+1` round trip over the WebSocket, warm", "jupyter_server"), []).extend(theirs)
            same = "`1+1` round trip over Jupyter's own WebSocket, warm"
            samples.setdefault((same, "collegium"), []).extend(client_of(sockets["collegium"], count // 6 + 1))
            samples.setdefault((same, "jupyter_server"), []).extend(theirs)


# ── in the browser ─────────────────────────────────────────────────────────────────────────────────────────────────


def in_the_browser(
    running: Server, token: str, lab: str, people: Browsers, run: tuple[str, str, str], taken: Samples
) -> None:
    """A notebook that nobody ever opened: opened and run at once, and run after a rest."""
    what, code, output = run
    for rest in (0, REST_MS):
        with running.client(token) as client:
            notebook = notebook_with(client, {"a": code})
            wait_for_pool(running)
            page = f"{running.url}/notebooks/{notebook}"
            note(taken, what, "collegium", rest, opened_and_run(people.ours, page, OURS, output, rest))
            client.post(f"/notebooks/{notebook}/session/disconnect").raise_for_status()
        new = {"type": "notebook", "content": jupyter_notebook(code)}
        get(f"{lab}/api/contents/new.ipynb", "PUT", json.dumps(new).encode())
        page = f"{lab}/lab/tree/new.ipynb?reset"
        note(taken, what, "JupyterLab", rest, opened_and_run(people.theirs, page, LABS, output, rest))
        for session in get(f"{lab}/api/sessions"):
            get(f"{lab}/api/sessions/{session['id']}", "DELETE")


def note(taken: Samples, what: str, whose: str, rest: int, times: dict[str, float]) -> None:
    """Under the names they are shown by."""
    if rest:
        taken[f"click run a second after the page (and JupyterLab's kernel) is ready → output of {what}", whose] = [
            times["clicked"]
        ]
    else:
        taken[f"open a fresh notebook → click run → output of {what} on the screen", whose] = [times["opened"]]
        taken[f"of that, click run → output of {what}", whose] = [times["clicked"]]


def opened_and_run(
    context: BrowserContext, address: str, where: dict[str, str], output: str, rest: int
) -> dict[str, float]:
    """A new tab on this address, run, and closed."""
    page = context.new_page()
    page.set_viewport_size({"width": 1360, "height": 820})
    page.goto(address, wait_until="commit")
    times = page.evaluate("([where, output, rest]) => window.measured(where, output, rest)", [where, output, rest])
    page.close()
    return dict(times)


def jupyter_notebook(code: str) -> dict[str, Any]:
    """As JupyterLab writes a new one: with its kernel's name."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}


# ── the peers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def peers_python() -> Path:
    """An environment with the peers and the stack of the runtime version: made once, and kept."""
    uv, ours = find_uv_bin(), runtime_python()
    frozen = subprocess.run(
        [uv, "pip", "freeze", "--quiet", "--python", ours], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    stack = [line for line in frozen if line.partition("==")[0] in STACK]
    wanted = [*LAB, *(one for one in SPEAKERS if one.startswith("jupyter-server")), *stack]
    digest = hashlib.sha256(f"beside {ours.resolve()} {wanted}".encode()).hexdigest()[:12]
    folder = environments_folder().parent / "clients" / digest
    python = folder / "bin/python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([uv, "venv", "--quiet", "--python", ours.resolve(), folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *wanted], check=True)
        (folder / "ready").touch()
    return python


# ── the table ──────────────────────────────────────────────────────────────────────────────────────────────────────


def target(what: str) -> float:
    """The part of the peer's time that ours may be."""
    return 1 / 4 if "round trip" in what else 1 / 10


def print_beside(samples: Samples) -> None:
    """Median, lowest and highest of both, and whether the part is small enough."""
    shown: Callable[[list[float]], str] = lambda values: (  # noqa: E731
        f"{statistics.median(values):.1f} ms ({min(values):.1f}–{max(values):.1f})"
    )
    print("| what | Collegium | beside | | ratio | target | runs |\n| --- | --- | --- | --- | --- | --- | --- |")
    for (what, whose), ours in samples.items():
        if whose != "collegium":
            continue
        for other in ("JupyterLab", "jupyter_server"):
            if (what, other) in samples:
                theirs = samples[what, other]
                part = statistics.median(ours) / statistics.median(theirs)
                verdict = "" if part <= target(what) else ", **missed**"
                print(
                    f"| {what} | {shown(ours)} | {other} | {shown(theirs)} | 1/{1 / part:.1f} "
                    f"| 1/{1 / target(what):.0f}{verdict} | {len(ours)} |"
                )


if __name__ == "__main__":
    main()
