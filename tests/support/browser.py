"""A real Chromium, Debian's own, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from support.server import PASSWORD

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str:
    """Where Chromium is; `make test` installs it from Debian's packages."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found, "no Chromium here: apt-get install chromium"
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; each `new_context()` of it is a person with cookies of their own."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def signed_in(browser: Browser, url: str, email: str, **context: object) -> Page:
    """A blank page of somebody who signed in; that this is done by a form is asked elsewhere.

    It keeps nothing for a time without a server, which costs each new context more than loading the page does: who
    asks about that says `service_workers="allow"`.
    """
    usual = {"viewport": {"width": 1360, "height": 820}, "service_workers": "block"}
    page = browser.new_context(**(usual | context)).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE_MS)
    answer = page.context.request.post(f"{url}/api/v1/login", data={"email": email, "password": PASSWORD})
    assert answer.ok, answer.text()
    return page


def at_home(browser: Browser, url: str, email: str, **context: object) -> Page:
    """Where somebody who signed in begins: the page has come, and New notebook is on it."""
    page = signed_in(browser, url, email, **context)
    page.goto(url)
    expect(page.get_by_role("button", name="New notebook")).to_be_visible()
    return page
