"""Without a network, and without a server: people go on writing, load the page again, and all of it comes together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import browser, signed_in
from support.dialogs import gone_through, press
from support.notebook import open_notebook, saved, source
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
        page = signed_in(self.chromium, self.server.url, email, service_workers="allow")
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
    expect(ada.get_by_text("7 edits wait")).to_be_visible()
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


def test_tabs_of_one_browser_see_each_other_offline_and_nothing_is_lost_or_doubled(house: House) -> None:
    notebook = house.notebook(one="a = 1", two="b = 2")
    first = house.page(ADA, notebook)
    can_be_opened_offline(first)
    second = first.context.new_page()
    open_notebook(second, house.server, notebook)
    first.context.set_offline(True)
    for page in (first, second):
        expect(saved(page)).to_have_text("Offline")
    write(first, "one", "f")
    expect(source(second, "one")).to_have_text("a = 1f")
    write(second, "one", "s")
    expect(source(first, "one")).to_have_text("a = 1fs")
    second.reload()
    write(second, "one", "r")
    expect(source(first, "one")).to_have_text("a = 1fsr")
    for page in (first, second):
        expect(page.get_by_text("3 edits wait")).to_be_visible()
    first.close()

    second.context.set_offline(False)
    expect(saved(second)).to_have_text("Saved")

    assert house.sources(notebook) == {"one": "a = 1fsr", "two": "b = 2"}
    second.reload()
    expect(saved(second)).to_have_text("Saved")
    expect(source(second, "one")).to_have_text("a = 1fsr")
    assert house.sources(notebook) == {"one": "a = 1fsr", "two": "b = 2"}
    second.context.close()


@pytest.mark.parametrize("role", ["viewer", None])
def test_edits_of_somebody_who_may_no_longer_write_become_a_copy_of_their_own(house: House, role: str | None) -> None:
    notebook = house.notebook(one="a = 1")
    bob = house.page(BOB, notebook)
    bob.context.set_offline(True)
    expect(saved(bob)).to_have_text("Offline")
    write(bob, "one", " # bob")
    with house.server.client(house.ada) as api:
        grants = f"/drive/items/{notebook}/grants"
        if role is None:
            api.request("DELETE", grants, json={"email": BOB}).raise_for_status()
        else:
            api.put(grants, json={"email": BOB, "role": role}).raise_for_status()
    bob.context.set_offline(False)

    if role is None:
        expect(bob.get_by_role("heading", name="This notebook is gone")).to_be_visible()
    else:
        expect(bob.get_by_text("View only")).to_be_visible()
        bob.get_by_role("button", name="Review").click()
        expect(bob.get_by_role("dialog")).to_contain_text("a = 1 # bob")
    bob.get_by_role("button", name="Save as my own copy").click()
    expect(bob.get_by_role("textbox", name="Notebook name")).to_have_value("field notes (my edits).ipynb")
    expect(source(bob, "one")).to_have_text("a = 1 # bob")
    assert house.sources(notebook) == {"one": "a = 1"}
    bob.context.close()


def test_edits_on_a_document_that_was_replaced_are_made_in_its_successor_and_what_clashes_is_reviewed(
    house: House,
) -> None:
    notebook = house.notebook(one="a = 1\nb = 2\nc = 3\nd = 4", two="x = 1", three="")
    ada = house.page(ADA, notebook)
    ada.context.set_offline(True)
    expect(saved(ada)).to_have_text("Offline")
    write(ada, "one", " # ada")
    write(ada, "two", " # ada")
    house.server.kill()
    with closing(sqlite3.connect(house.server.data / "collegium.db")) as database, database:
        for table in ("doc", "doc_update", "doc_snapshot"):
            database.execute(f"UPDATE {table} SET epoch = 'anotherlifeofdocument1'")
    house.server.start()
    bob = house.page(BOB, notebook)
    source(bob, "one").click()
    bob.keyboard.press("Control+Home")
    bob.keyboard.type("# bob\n")
    source(bob, "two").click()
    bob.keyboard.press("Control+End")
    bob.keyboard.press("Backspace")
    bob.keyboard.type("2")
    expect(saved(bob)).to_have_text("Saved")
    bob.context.close()
    ada.context.set_offline(False)

    expect(source(ada, "one")).to_have_text("# boba = 1b = 2c = 3d = 4 # ada")
    press(ada, ada.get_by_role("button", name="Review"))
    gone_through(ada, "Edits kept in this browser")
    ada.keyboard.press("Enter")
    clash = ada.locator('[data-kept-cell="two"]')
    expect(clash).to_contain_text("x = 1 # ada")
    expect(clash).to_contain_text("x = 2")
    clash.get_by_role("button", name="Use mine").click()
    expect(ada.get_by_role("button", name="Review")).to_have_count(0)
    expect(saved(ada)).to_have_text("Saved")
    assert house.sources(notebook) == {
        "one": "# bob\na = 1\nb = 2\nc = 3\nd = 4 # ada",
        "two": "x = 1 # ada",
        "three": "",
    }
    ada.context.close()
