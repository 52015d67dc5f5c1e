"""The server is upgraded while tabs are open: they go on, are told, or load themselves again, and lose nothing."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from support.browser import browser, signed_in
from support.builds import another_build, installed
from support.notebook import saved
from support.server import Server, server

pytestmark = [pytest.mark.browser]

ADA = "ada@example.org"
FOLDER = "COLLEGIUM_PAGES__FOLDER"


@dataclass
class House:
    """A running server, its two builds, and Ada's token."""

    server: Server
    chromium: Browser
    ada: str
    builds: tuple[Path, Path]

    def serve(self, build: int) -> None:
        """Upgrade, or go back."""
        self.server.kill()
        self.server.env[FOLDER] = str(self.builds[build])
        self.server.start()

    def opened(self, **context: object) -> Page:
        """Ada's tab with a notebook."""
        page = signed_in(self.chromium, self.server.url, ADA, **({"service_workers": "allow"} | context))
        page.goto(f"{self.server.url}/notebooks/{self.server.notebook(self.ada, {'one': 'a = 1'}, name='notes.ipynb')}")
        expect(saved(page)).to_have_text("Saved")
        expect(source(page)).to_be_visible()
        return page


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with (
        another_build() as second,
        server(env={"COLLEGIUM_ENGINE": "none", FOLDER: str(installed())}) as running,
        browser() as chromium,
    ):
        yield House(running, chromium, running.add_user(ADA), (installed(), second))


@pytest.fixture(autouse=True)
def first_build(house: House) -> Iterator[None]:
    """Each test begins with the first build served."""
    yield
    house.serve(0)


def source(page: Page) -> Locator:
    return page.locator('[data-cell-id="one"]').get_by_role("textbox", name="Source")


def write(page: Page, text: str) -> None:
    source(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def written(text: str) -> re.Pattern[str]:
    """A cell's text and no more, but for the name of who else has their cursor at its end."""
    return re.compile(rf"^{re.escape(text)}[\u2060\s]*(ada)?[\u2060\s]*$")


def entry(page: Page) -> str:
    return str(page.evaluate("document.querySelector('script[type=module]').src"))


def mark(page: Page) -> None:
    """Something that a reload takes away."""
    page.evaluate("window.marked = true")


def marked(page: Page) -> bool:
    return bool(page.evaluate("window.marked === true"))


def test_an_old_tab_goes_on_beside_a_new_one_and_is_offered_the_new_version(house: House) -> None:
    old = house.opened(service_workers="block")
    mark(old)
    house.server.kill()
    write(old, " # unsent")
    house.serve(1)

    expect(saved(old)).to_have_text("Saved")
    expect(old.get_by_text("A new version is ready")).to_be_visible()
    new = old.context.new_page()
    new.goto(old.url)
    expect(source(new)).to_have_text(written("a = 1 # unsent"))
    assert entry(new) != entry(old)
    write(new, "!")
    expect(source(old)).to_contain_text("a = 1 # unsent!")
    # A part of the old build that was not needed before is still to be had.
    old.get_by_role("button", name="Account").click()
    old.get_by_role("menuitem", name="Manage sessions").click()
    expect(old.get_by_role("dialog")).to_be_visible()
    assert marked(old)
    old.keyboard.press("Escape")
    old.get_by_role("button", name="Reload", exact=True).click()
    expect(source(old)).to_have_text(written("a = 1 # unsent!"))
    assert entry(old) == entry(new)
    old.context.close()


def test_a_tab_whose_build_is_gone_loads_itself_again_with_its_unsent_edits(house: House) -> None:
    page = house.opened(service_workers="block")
    mark(page)
    # What comes when the page is at rest is here, or it would be missed before anybody asks for a part.
    page.wait_for_function(
        "() => ['build', 'CommentsLayer'].every((part) =>"
        " performance.getEntriesByType('resource').some(({ name }) => name.includes(`/${part}-`)))"
    )
    page.wait_for_load_state("networkidle")
    # The menu is here by then, and what it opens is not.
    page.get_by_role("button", name="Account").click()
    expect(page.get_by_role("menuitem", name="Manage sessions")).to_be_visible()
    page.keyboard.press("Escape")
    house.server.kill()
    write(page, " # unsent")
    shutil.rmtree(house.server.data / "pages")
    house.serve(1)

    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Manage sessions").click()
    page.wait_for_function("() => window.marked === undefined")

    expect(source(page)).to_have_text("a = 1 # unsent")
    expect(saved(page)).to_have_text("Saved")
    mark(page)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Manage sessions").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert marked(page)
    page.context.close()


def test_a_page_of_another_protocol_loads_itself_again_once_and_keeps_what_is_written(house: House) -> None:
    page = house.opened()
    spoken = {"protocol": 1}
    sockets: list[WebSocketRoute] = []

    def relayed(route: WebSocketRoute) -> None:
        """As if this page spoke the protocol in `spoken`."""
        upstream = route.connect_to_server()

        def up(frame: str | bytes) -> None:
            is_hello = isinstance(frame, str) and '"hello"' in frame
            upstream.send(json.dumps(json.loads(frame) | spoken) if is_hello else frame)

        route.on_message(up)
        upstream.on_close(lambda code, reason: route.close(code=code, reason=reason))
        sockets.append(route)

    page.route_web_socket("**/notebooks/*/socket", relayed)
    page.reload()
    expect(saved(page)).to_have_text("Saved")
    mark(page)
    spoken["protocol"] = 99
    sockets[-1].close(code=3000)
    page.wait_for_function("() => window.marked === undefined")
    mark(page)
    expect(page.get_by_text("of different versions").first).to_be_visible()
    expect(saved(page)).to_have_text("Offline")
    write(page, " # kept")
    assert marked(page)
    spoken["protocol"] = 1

    expect(saved(page)).to_have_text("Saved")
    with house.server.client(house.ada) as api:
        content = api.get(f"/notebooks/{page.url.rsplit('/', 1)[-1]}/content").raise_for_status().json()
    assert "".join(content["cells"][0]["source"]) == "a = 1 # kept"
    page.context.close()
