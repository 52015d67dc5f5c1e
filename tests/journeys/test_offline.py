"""Without a network, and without a server: people go on writing, load the page again, and all of it comes together."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.server import Server, server

pytestmark = [pytest.mark.browser]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server, a browser, and tokens of two people."""

    server: Server
    chromium: Browser
    ada: str
    bob: str

    def notebook(self, **cells: str) -> str:
        """A notebook of Ada's that Bob may edit."""
        return self.server.notebook(self.ada, cells, name="field notes.ipynb", shared={BOB: "editor"})

    def page(self, email: str, notebook: str) -> Page:
        """A browser of one's own with the notebook open."""
        page = signed_in(self.chromium, self.server.url, email)
        open_notebook(page, self.server, notebook)
        return page

    def sources(self, notebook: str) -> dict[str, str]:
        """What is on the server."""
        with self.server.client(self.ada) as api:
            content = api.get(f"/notebooks/{notebook}/content").raise_for_status().json()
        return {cell["id"]: "".join(cell["source"]) for cell in content["cells"]}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        yield House(running, chromium, running.add_user(ADA), running.add_user(BOB))


def open_notebook(page: Page, running: Server, notebook: str) -> None:
    page.goto(f"{running.url}/notebooks/{notebook}")
    expect(saved(page)).to_have_text("Saved")
    expect(page.get_by_role("listitem").first).to_be_visible()


def saved(page: Page) -> Locator:
    return page.get_by_role("status", name="Save status")


def source(page: Page, cell: str) -> Locator:
    return page.locator(f'[data-cell-id="{cell}"]').get_by_role("textbox", name="Source")


def write(page: Page, cell: str, text: str) -> None:
    """At the end of a cell."""
    source(page, cell).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def can_be_opened_offline(page: Page) -> None:
    """Wait until the browser has the page's own files."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def test_edits_made_without_a_network_outlive_a_reload_and_merge_on_return(house: House) -> None:
    notebook = house.notebook(one="a = 1", two="b = 2", three="")
    ada, bob = house.page(ADA, notebook), house.page(BOB, notebook)
    can_be_opened_offline(ada)

    ada.context.set_offline(True)
    expect(saved(ada)).to_have_text("Offline")
    write(ada, "one", " # ada")
    write(ada, "two", "!")
    expect(ada.get_by_text("7 edits wait")).to_be_visible()
    ada.reload()
    expect(source(ada, "one")).to_have_text("a = 1 # ada")
    expect(saved(ada)).to_have_text("Offline")
    expect(ada.get_by_text("7 edits wait")).to_be_visible()
    write(ada, "one", "?")
    expect(ada.get_by_text("8 edits wait")).to_be_visible()
    source(bob, "two").click()
    bob.keyboard.press("Control+Home")
    bob.keyboard.type("bob = ")
    # The name at somebody's cursor is text as well.
    source(bob, "three").click()
    expect(saved(bob)).to_have_text("Saved")
    ada.context.set_offline(False)

    expect(saved(ada)).to_have_text("Saved")
    for page in (ada, bob):
        expect(source(page, "one")).to_have_text("a = 1 # ada?")
        expect(source(page, "two")).to_have_text("bob = b = 2!")
    assert house.sources(notebook) == {"one": "a = 1 # ada?", "two": "bob = b = 2!", "three": ""}
    ada.context.close()
    bob.context.close()


def test_a_killed_server_is_no_reason_to_stop_writing_or_to_keep_the_tab(house: House) -> None:
    notebook = house.notebook(one="a = 1")
    ada = house.page(ADA, notebook)
    can_be_opened_offline(ada)
    house.server.kill()
    expect(saved(ada)).to_have_text("Offline")
    write(ada, "one", " # kept")
    ada.goto(house.server.url)
    offline = ada.get_by_role("list", name="Available offline")
    expect(offline.get_by_text("7 edits wait")).to_be_visible()
    offline.get_by_role("link", name="field notes").first.click()
    expect(source(ada, "one")).to_have_text("a = 1 # kept")
    ada.get_by_role("button", name="Saving details").click()
    expect(ada.get_by_role("dialog")).to_contain_text("7 edits wait")
    expect(ada.get_by_role("dialog")).to_contain_text("may be closed and opened again")

    house.server.start()
    ada.get_by_role("button", name="Try now").click()

    expect(saved(ada)).to_have_text("Saved")
    assert house.sources(notebook) == {"one": "a = 1 # kept"}
    ada.context.close()
