"""`python -m bench.pages`: the notebook page beside JupyterLab's, in one run.

Bytes and time until a notebook of 1, 100 and 1,000 cells with outputs can be edited, with a cold and a warm cache; the
script that one key press costs among 1,000 cells; how evenly they scroll; how long the page is busy while a million
lines arrive; and what a browser keeps in memory. Both sides take turns in one Chromium; medians. `--quick` repeats
less.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.beside_jupyter import peers_python
from bench.peers import Peer, peer
from support.browser import browser, signed_in
from support.server import Server, server

EMAIL = "pages@example.org"
SIZES = (1, 100, 1000)
LINES = 1_000_000
KEYS = 60
MB = 1_000_000
PATIENCE_MS = 120_000
WATCH = """
window.tasks = []
const observer = new PerformanceObserver(list => { for (const { duration } of list.getEntries()) tasks.push(duration) })
observer.observe({ type: 'longtask', buffered: true })
window.editable = new Promise(known => new MutationObserver((_, watch) => {
    if (!document.querySelector('.cm-content[contenteditable="true"]')) return
    watch.disconnect()
    requestAnimationFrame(() => setTimeout(() => known(window.editableAt = performance.now())))
}).observe(document, { subtree: true, childList: true, attributes: true }))
"""
PAINT = """() => {
    window.paints = []
    addEventListener('keydown', () => {
        const began = performance.now()
        requestAnimationFrame(() => {
            const channel = new MessageChannel()
            channel.port1.onmessage = () => paints.push(performance.now() - began)
            channel.port2.postMessage(0)
        })
    }, { capture: true })
}"""

SCROLL = """([selector, pixels, milliseconds]) => new Promise(done => {
    const element = document.querySelector(selector)
    const frames = []
    let last = null
    let began = null
    const step = now => {
        if (last !== null) frames.push(now - last)
        began ??= now
        last = now
        element.scrollTop += pixels
        if (now - began < milliseconds) requestAnimationFrame(step)
        else done({ frames, travelled: element.scrollTop })
    }
    requestAnimationFrame(step)
})"""
SCROLL_PIXELS = 60
SCROLL_MS = 5000


@dataclass(frozen=True)
class Side:
    """One of the two: who is signed in, and where a notebook of so many cells lies."""

    name: str
    state: Any
    address: Callable[[int], str]
    run: Callable[[Page], None]
    ended: Callable[[Page], bool]
    scroller: str
    """The selector of what scrolls the cells."""


Samples = dict[tuple[str, str, str], list[float]]
"""By what, unit and whom."""


def main() -> None:
    """Measure, and print a table."""
    rounds = 2 if "--quick" in sys.argv else 5
    samples: Samples = {}
    loads = [os.getloadavg()[0]]
    with ExitStack() as stack:
        running = stack.enter_context(server())
        lab = stack.enter_context(peer(peers_python(), "lab"))
        chromium = stack.enter_context(browser())
        sides = (ours(running, chromium), theirs(lab))
        for number in range(rounds + 1):
            taken: Samples = {}
            for side in sides:
                for size in SIZES:
                    openings(chromium, side, size, taken)
                typing(chromium, side, taken)
                scrolling(chromium, side, taken)
            if number > 0:  # The first warms the servers.
                _merge(samples, taken)
        for _ in range(max(1, rounds // 2)):
            for side in sides:
                flood(chromium, side, samples)
    loads.append(os.getloadavg()[0])
    show(samples)
    print(f"\nload {loads[0]:.1f} at the beginning, {loads[1]:.1f} at the end (the measurements' own included)")


# ── the sides ──────────────────────────────────────────────────────────────────────────────────────────────────────


def ours(running: Server, chromium: Browser) -> Side:
    """A running Collegium with the notebooks in it."""
    token = running.add_user(EMAIL)
    made = {}
    with running.client(token) as client:
        for size in (*SIZES, 0):
            answer = client.post("/notebooks", params={"name": f"{size}.ipynb"}, json=document(size))
            made[size] = answer.raise_for_status().json()["id"]
    page = signed_in(chromium, running.url, EMAIL)
    state = page.context.storage_state()
    page.context.close()

    def run(page: Page) -> None:
        page.get_by_role("button", name="Run cell").first.click()

    def ended(page: Page) -> bool:
        said = page.locator('section[aria-label="Output"]').first
        return said.count() > 0 and f"line {LINES - 1}" in (said.text_content() or "")

    return Side(
        "Collegium", state, lambda size: f"{running.url}/notebooks/{made[size]}", run, ended, ".notebook-scroll"
    )


def theirs(lab: Peer) -> Side:
    """JupyterLab with the same notebooks, its rate limits as they come."""
    for size in (*SIZES, 0):
        (lab.folder / f"{size}.ipynb").write_text(json.dumps(document(size)))

    def run(page: Page) -> None:
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")

    def ended(page: Page) -> bool:
        busy = page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').count()
        return busy == 0 and page.locator(".jp-OutputArea-output").count() > 0

    scroller = ".jp-Notebook .jp-WindowedPanel-outer"
    return Side("JupyterLab", None, lambda size: f"{lab.url}/lab/tree/{size}.ipynb?reset", run, ended, scroller)


def document(size: int) -> dict[str, Any]:
    """So many cells of a dozen lines with their outputs; 0: one that floods."""
    text = "".join(f"value_{n} = compute({n})\n" for n in range(12))
    printed = "".join(f"{n} some text that was printed\n" for n in range(5))
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    flooding = f"for n in range({LINES}):\n    print('line', n)"
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": text if size else flooding,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": printed}] if size else [],
            "execution_count": n + 1 if size else None,
        }
        for n in range(max(1, size))
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


@contextmanager
def opened(chromium: Browser, side: Side) -> Iterator[BrowserContext]:
    """A browser that holds nothing but the login."""
    context = chromium.new_context(viewport={"width": 1360, "height": 820}, storage_state=side.state)
    context.add_init_script(WATCH)
    try:
        yield context
    finally:
        context.close()


# ── what is measured ───────────────────────────────────────────────────────────────────────────────────────────────


def openings(chromium: Browser, side: Side, size: int, taken: Samples) -> None:
    """A cold and then a warm opening: time until it is editable, and the bytes until then.

    Each is opened twice: to be counted, the traffic goes through this process, which costs the page up to a third.
    """
    for counts in (False, True):
        with opened(chromium, side) as context:
            for cache in ("cold", "warm"):
                what = f"{size} cells, {cache} cache" if size > 1 else f"1 cell, {cache} cache"
                page = context.new_page()
                devtools = context.new_cdp_session(page)
                sizes = _transferred(devtools) if counts else []
                page.goto(side.address(size), wait_until="commit")
                _editable(page)
                transferred = sum(sizes)
                page.wait_for_timeout(1500)
                if counts:
                    _note(taken, f"{what}: transferred until then", "KB", side, transferred / 1000)
                else:
                    _note(taken, f"{what}: editable", "ms", side, float(page.evaluate("window.editableAt")))
                    longest = page.evaluate("Math.max(0, ...tasks)")
                    _note(taken, f"{what}: longest task", "ms", side, float(longest))
                    if cache == "warm" and size == max(SIZES):
                        devtools.send("HeapProfiler.collectGarbage")
                        heap = page.evaluate("performance.memory.usedJSHeapSize")
                        _note(taken, f"{size} cells: JavaScript's memory", "MB", side, heap / MB)
                page.close()


def _transferred(devtools: Any) -> list[float]:
    """Grows by the bytes of each answer on the wire, and of each frame of a socket."""
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    devtools.on("Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"])))
    devtools.send("Network.enable")
    return sizes


def typing(chromium: Browser, side: Side, taken: Samples) -> None:
    """Keys into a cell among 1,000: the script each costs, and the time to its frame."""
    with opened(chromium, side) as context:
        page = context.new_page()
        page.goto(side.address(max(SIZES)), wait_until="commit")
        _editable(page)
        page.wait_for_timeout(3000)
        page.locator('.cm-content[contenteditable="true"]').nth(1).click()
        page.evaluate(PAINT)
        devtools = context.new_cdp_session(page)
        # The processor's time: what else the machine does meanwhile is not the page's script.
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        costs = []
        for _ in range(KEYS):
            before = _script(devtools)
            page.keyboard.press("x")
            page.wait_for_timeout(50)
            costs.append((_script(devtools) - before) * 1000)
        _note(taken, "a key among 1,000 cells: script (processor time), p95", "ms", side, _p95(costs))
        _note(taken, "a key among 1,000 cells: to the frame, p95", "ms", side, _p95(page.evaluate("paints")))
        page.close()


def scrolling(chromium: Browser, side: Side, taken: Samples) -> None:
    """Down 1,000 cells as fast as a hand turns a wheel: how many frames a second, and how long the late ones take."""
    with opened(chromium, side) as context:
        page = context.new_page()
        page.goto(side.address(max(SIZES)), wait_until="commit")
        _editable(page)
        page.wait_for_timeout(3000)
        seen = page.evaluate(SCROLL, [side.scroller, SCROLL_PIXELS, SCROLL_MS])
        frames = seen["frames"]
        assert seen["travelled"] > SCROLL_PIXELS * len(frames) / 2, "the cells did not scroll"
        _note(taken, "scrolling 1,000 cells: frames a second", "", side, 1000 * len(frames) / sum(frames))
        _note(taken, "scrolling 1,000 cells: a frame, p95", "ms", side, _p95(frames))
        page.close()


def flood(chromium: Browser, side: Side, taken: Samples) -> None:
    """A million lines: how long, how busy the page was, and what of them it keeps."""
    with opened(chromium, side) as context:
        page = context.new_page()
        page.goto(side.address(0), wait_until="commit")
        _editable(page)
        page.wait_for_timeout(2000)
        page.evaluate("window.tasks.length = 0")
        side.run(page)
        began = time.perf_counter()
        page.wait_for_timeout(1000)
        while not side.ended(page) and time.perf_counter() - began < 180:
            page.wait_for_timeout(200)
        _note(taken, "a million lines: run → the last is there", "s", side, time.perf_counter() - began)
        tasks = page.evaluate("tasks")
        _note(taken, "a million lines: longest task", "ms", side, max(tasks, default=0))
        _note(taken, "a million lines: long tasks together", "ms", side, sum(tasks))
        devtools = context.new_cdp_session(page)
        devtools.send("HeapProfiler.collectGarbage")
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        _note(taken, "a million lines: JavaScript's memory after", "MB", side, heap / MB)
        page.close()


def _editable(page: Page) -> None:
    """Asked once: each question would take time from what is measured."""
    in_time = page.evaluate(
        "patience => Promise.race([editable, new Promise(over => setTimeout(over, patience))])", PATIENCE_MS
    )
    assert in_time, "the page never became editable"


def _script(devtools: Any) -> float:
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"])


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _note(taken: Samples, what: str, unit: str, side: Side, value: float) -> None:
    taken.setdefault((what, unit, side.name), []).append(value)


def _merge(samples: Samples, taken: Samples) -> None:
    for key, values in taken.items():
        samples.setdefault(key, []).extend(values)


def show(samples: Samples) -> None:
    """Medians beside each other, lowest and highest in brackets."""

    def said(values: list[float], unit: str) -> str:
        return f"{statistics.median(values):.1f} {unit} ({min(values):.1f}–{max(values):.1f})"

    print("| what | Collegium | JupyterLab | ratio | runs |\n| --- | --- | --- | --- | --- |")
    for (what, unit, whose), values in sorted(samples.items(), key=lambda one: one[0][2]):
        if whose != "Collegium":
            continue
        beside = samples[what, unit, "JupyterLab"]
        part = statistics.median(values) / max(statistics.median(beside), 0.001)
        print(f"| {what} | {said(values, unit)} | {said(beside, unit)} | {part:.2f} | {len(values)} |")


if __name__ == "__main__":
    main()
