"""Measures in a real Chromium: first output, warm click, page weight, time to editable."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from playwright.sync_api import Browser, Page, expect

from bench.on_the_wire import IMPORTS, notebook_with, pool_is_full
from support.browser import signed_in
from support.server import Server

Row = tuple[str, str, list[float], str]
CELLS = 1000
CLICK = """cell => new Promise((done, fail) => {
    const item = () => document.querySelector(`[data-cell-id="${cell}"]`)
    const region = () => item().querySelector('section[aria-label="Output"]')
    const before = region()?.textContent ?? ''
    setTimeout(() => fail(new Error('no output: ' + item().textContent)), 20_000)
    const began = performance.now()
    const look = () => {
        const now = region()?.textContent ?? ''
        if (now !== before && now !== '') { watch.disconnect(); done(performance.now() - began) }
    }
    const watch = new MutationObserver(look)
    watch.observe(document.body, { subtree: true, childList: true, characterData: true })
    item().querySelector('button[aria-label="Run cell"]').click()
})"""


WATCH_FOR_EDITOR = """
new MutationObserver((_, watch) => {
    if (!document.querySelector('.cm-content')) return
    watch.disconnect()
    requestAnimationFrame(() => setTimeout(() => { window.editableAt = performance.now() }))
}).observe(document, { subtree: true, childList: true })
"""


def measure_in_browser(running: Server, chromium: Browser, repeats: int) -> list[Row]:
    """Cold and warm clicks, what a page weighs, and how long until it can be edited."""
    email = "page@example.org"
    token = running.add_user(email)
    page = signed_in(chromium, running.url, email)
    rows: list[Row] = []
    with running.client(token) as client:
        cold = []
        for _ in range(repeats):
            notebook = notebook_with(client, {"a": f"{IMPORTS}\nprint('here')"})
            wait_for_pool(running)
            cold.append(opened_and_run_ms(page, running.url, notebook))
            client.post(f"/notebooks/{notebook}/session/disconnect").raise_for_status()
        rows.append(("open a fresh notebook → run → output of the imports on the screen", "ms", cold, "≤ 800 ms"))
        notebook = notebook_with(client, {"a": "import time; print(time.time())"})
        wait_for_pool(running)
        page.goto(f"{running.url}/notebooks/{notebook}")
        editable(page)
        first = page.evaluate(CLICK, "a")
        warm = [float(page.evaluate(CLICK, "a")) for _ in range(repeats * 3) if not page.wait_for_timeout(150)]
        rows.append(("click run in an open fresh notebook → first output in the DOM", "ms", [first], "≤ 150 ms"))
        rows.append(("click run on a warm kernel → output in the DOM", "ms", warm, "≤ 20 ms"))
        client.post(f"/notebooks/{notebook}/session/disconnect").raise_for_status()
        empty = notebook_with(client, {"a": ""})
        large = notebook_with(client, {f"c{n}": f"value_{n} = {n}\n" * 12 for n in range(CELLS)})
    weights = [weight_kb(chromium, running, email, empty) for _ in range(3)]
    rows.append(("transferred to an editable notebook, cold cache", "KB", weights, "≤ 450 KB"))
    for what, notebook, target in (("empty", empty, "≤ 600 ms"), (f"{CELLS} cells", large, "≤ 1000 ms")):
        samples = [cold_editable_ms(chromium, running, email, notebook) for _ in range(max(3, repeats // 3))]
        rows.append((f"open a notebook, cold cache → editable: {what}", "ms", samples, target))
    return rows


def wait_for_pool(running: Server) -> None:
    """Wait as long as a person needs to look at the page; meanwhile the pool refills."""
    with ThreadPoolExecutor(1) as apart:
        # Playwright's own loop runs in this thread.
        apart.submit(anyio.run, pool_is_full, running).result()


def editable(page: Page) -> None:
    """Wait until a cell's source can be typed into."""
    expect(page.get_by_role("textbox", name="Source").first).to_be_editable()
    expect(page.get_by_role("status", name="Save status")).to_have_text(re.compile("Saved"))


def opened_and_run_ms(page: Page, url: str, notebook: str) -> float:
    """Open the address, press run as soon as it can be pressed, wait for the text."""
    began = time.perf_counter()
    page.goto(f"{url}/notebooks/{notebook}", wait_until="commit")
    page.get_by_role("button", name="Run cell").first.click()
    page.get_by_role("region", name="Output").get_by_text("here").wait_for()
    return (time.perf_counter() - began) * 1000


def fresh_page(chromium: Browser, running: Server, email: str) -> Page:
    """A signed-in page whose cache holds nothing but the login."""
    page = signed_in(chromium, running.url, email)
    state = page.context.storage_state()
    page.context.close()
    return chromium.new_context(storage_state=state, viewport={"width": 1360, "height": 820}).new_page()


def cold_editable_ms(chromium: Browser, running: Server, email: str, notebook: str) -> float:
    """From the address to an editable cell, with an empty cache."""
    page = fresh_page(chromium, running, email)
    # The page's own clock: the browser driver looks at growing intervals, half a second in the end.
    page.add_init_script(WATCH_FOR_EDITOR)
    page.goto(f"{running.url}/notebooks/{notebook}", wait_until="commit")
    page.locator(".cm-content").first.wait_for()
    took = float(page.evaluate("window.editableAt"))
    page.context.close()
    return took


def weight_kb(chromium: Browser, running: Server, email: str, notebook: str) -> float:
    """Bytes on the wire until a notebook is editable, socket frames left out."""
    page = fresh_page(chromium, running, email)
    devtools: Any = page.context.new_cdp_session(page)
    total = [0.0]
    devtools.on("Network.loadingFinished", lambda event: total.__setitem__(0, total[0] + event["encodedDataLength"]))
    devtools.send("Network.enable")
    page.goto(f"{running.url}/notebooks/{notebook}")
    editable(page)
    page.wait_for_timeout(500)
    page.context.close()
    return total[0] / 1000
