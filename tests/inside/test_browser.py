"""A page from inside a runtime in a real browser, on its own origin: it works, and harms nobody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from collegium.inside.settings import InsideSettings
from inside.conftest import ADA, PASSWORD, Site
from rooms.house import serving
from support.browser import ARGUMENTS, chromium

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
def settings() -> InsideSettings:
    """As it comes: names below localhost, which a browser finds by itself."""
    return InsideSettings()


PAGE = b"""<!doctype html><title>App</title><h1>From inside</h1><script>document.cookie = "theirs=1"</script>"""
WORKER = b"""self.addEventListener("fetch", event => event.respondWith(new Response("from the worker")))"""

HARM = """async ours => {
  const tried = {}
  const attempt = async (name, what) => { try { tried[name] = await what() } catch (error) { tried[name] = "no" } }
  const read = async answer => (await answer).text()
  await attempt("me", () => read(fetch(ours + "/api/v1/me", {credentials: "include"})))
  await attempt("blind", async () => (await fetch(ours + "/api/v1/me", {credentials: "include", mode: "no-cors"})).type)
  const post = {credentials: "include", mode: "no-cors", method: "POST"}
  await attempt("post", async () => (await fetch(ours + "/api/v1/notebooks", post)).type)
  await attempt("own api", async () => (await fetch("/api/v1/me")).headers.get("content-type"))
  await attempt("socket", () => new Promise((yes, no) => {
    const socket = new WebSocket(ours.replace("http", "ws") + "/api/v1/runtimes/x/terminals/y/socket")
    socket.onopen = () => yes("open"); socket.onerror = () => no() }))
  await attempt("own socket", () => new Promise((yes, no) => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws")
    socket.onmessage = event => { yes(event.data); socket.close() }; socket.onerror = () => no() }))
  document.cookie = "collegium-port=stolen; path=/"
  document.cookie = "collegium=stolen; path=/; domain=localhost"
  tried.cookie = document.cookie
  tried.opener = String(window.opener)
  await attempt("still", () => read(fetch("/")))
  return tried
}"""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """A server inside that serves one page, one worker and one socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await receive()
        return
    worker = scope["path"] == "/worker.js"
    kind = b"text/javascript" if worker else b"text/html"
    cookies = [value for key, value in scope["headers"] if key == b"cookie"]
    seen = b"" if worker else b"<pre>" + b"".join(cookies) + b"</pre>"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": (WORKER if worker else PAGE) + seen})


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield await (await browser.new_context()).new_page()
        finally:
            await browser.close()


async def test_a_page_from_inside_works_on_its_own_origin_and_harms_nobody(site: Site, page: Page) -> None:
    async with serving(app) as port:
        await page.goto(site.url)
        signed = await page.request.post(site.url + "/api/v1/login", data={"email": ADA, "password": PASSWORD})
        assert signed.ok
        address = (await (await page.request.post(f"{site.url}{site.path}/ports/{port}")).json())["url"]
        inner = await page.context.new_page()
        await inner.goto(address)
        host = await inner.evaluate("location.host")
        title, path = await inner.title(), await inner.evaluate("location.pathname + location.search")
        tried = await inner.evaluate(HARM, site.url)
        me = await page.evaluate("fetch('/api/v1/me').then(answer => answer.json())")

        assert (title, path) == ("App", "/")
        assert host.endswith(f".localhost:{site.port}")
        assert (tried["me"], tried["socket"], tried["blind"], tried["post"]) == ("no", "no", "no", "no")
        assert tried["own api"] == "text/html"
        assert tried["own socket"] == "hello"
        assert tried["cookie"] == "theirs=1" or "collegium-port" not in tried["cookie"]
        assert tried["opener"] == "null"
        assert "From inside" in tried["still"]
        assert "collegium" not in tried["still"]
        assert me["email"] == ADA

        await inner.evaluate("navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)")
        await inner.goto(f"http://{host}/anything")
        assert await inner.inner_text("body") == "from the worker"
        site.runtime.users.clear()
        again = await page.goto(site.url)
        assert again is not None
        assert "script-src 'self'" in again.headers["content-security-policy"]
        assert (await page.evaluate("fetch('/api/v1/me').then(answer => answer.json())"))["email"] == ADA


async def test_a_port_that_nobody_opened_shows_nothing(site: Site, page: Page) -> None:
    answer = await page.goto(f"http://{'a' * 26}.localhost:{site.port}/")

    assert answer is not None
    assert answer.status == 401
    assert "Open the port again" in await page.inner_text("body")
