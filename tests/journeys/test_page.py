"""The notebook page under the hands of people: keyboard, input, stop, undo, colleagues, phones, a dead server."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from support.browser import at_home, browser, signed_in
from support.looking import looked_at
from support.notebook import cell, output, saved, source
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server, two people signed in, and Ada's token."""

    server: Server
    chromium: Browser
    ada: Page
    bob: Page
    token: str

    def notebook(self, *cells: tuple[str, str], bob: str | None = None) -> str:
        """A notebook of Ada's with these code cells; Bob may open it in this role."""
        shared = {BOB: bob} if bob else {}
        return self.server.notebook(self.token, dict(cells), name="page.ipynb", shared=shared)

    def open(self, page: Page, notebook: str) -> None:
        """Go there, and wait until it can be worked with."""
        page.goto(f"{self.server.url}/notebooks/{notebook}")
        expect(saved(page)).to_have_text("Saved")
        expect(page.get_by_role("listitem").first).to_be_visible()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        ada, bob = (signed_in(chromium, running.url, email, service_workers="allow") for email in (ADA, BOB))
        yield House(running, chromium, ada, bob, token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    """A person may have a few runtimes at a time; each test begins with none."""
    yield
    house.server.give_back(house.token)


def order(page: Page) -> list[str]:
    return [str(one.get_attribute("data-cell-id")) for one in page.locator("[data-cell-id]").all()]


def kinds(page: Page) -> Locator:
    return page.get_by_role("list", name="Cells").locator("[data-cell-id]")


def chord(page: Page, key: str) -> None:
    page.keyboard.press("Control+m")
    page.keyboard.press(key)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement?.closest('[data-cell-id]')?.dataset.cellId ?? ''"))


def test_a_new_notebook_says_what_to_do_and_takes_what_is_typed(house: House) -> None:
    page = house.ada
    page.goto(house.server.url)
    page.get_by_role("button", name="New notebook").click()
    first = page.get_by_role("textbox", name="Source")
    expect(first).to_be_focused()
    expect(first).to_contain_text("Write code here and press Ctrl+Enter to run it")
    page.keyboard.type("6 * 7")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("region", name="Output")).to_contain_text("42")
    page.reload()
    expect(saved(page)).to_have_text("Saved")
    expect(page.get_by_role("region", name="Output")).to_contain_text("42")
    expect(first).not_to_be_focused()


def test_cells_are_made_moved_and_undone_by_keys_alone(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(("one", "1"), ("two", "2")))
    source(page, "one").click()

    chord(page, "b")
    expect(kinds(page)).to_have_count(3)
    page.keyboard.type("below")
    chord(page, "a")
    expect(kinds(page)).to_have_count(4)
    page.keyboard.type("above")
    expect(kinds(page).nth(1)).to_contain_text("above")
    expect(kinds(page).nth(2)).to_contain_text("below")
    chord(page, "d")
    expect(kinds(page)).to_have_count(3)
    chord(page, "z")
    expect(kinds(page)).to_have_count(4)
    expect(kinds(page).nth(1)).to_contain_text("above")

    source(page, "one").click()
    chord(page, "j")
    expect(kinds(page).nth(1)).to_have_attribute("data-cell-id", "one")
    chord(page, "k")
    expect(kinds(page).nth(0)).to_have_attribute("data-cell-id", "one")
    chord(page, "m")
    expect(cell(page, "one")).to_have_attribute("aria-label", "Text cell")
    chord(page, "y")
    expect(cell(page, "one")).to_have_attribute("aria-label", "Code cell")


def test_a_deleted_cell_comes_back_from_the_notice(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(("one", "kept = 1"), ("two", "2")))
    cell(page, "one").hover()
    cell(page, "one").get_by_role("button", name="Delete cell").click()
    expect(cell(page, "one")).to_have_count(0)

    page.get_by_role("button", name="Undo").click()

    expect(cell(page, "one")).to_contain_text("kept = 1")
    assert order(page) == ["one", "two"]


def test_running_by_keys_goes_on_stays_or_makes_room(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(("one", "print('first')"), ("two", "print('second')")))
    source(page, "one").click()

    page.keyboard.press("Shift+Enter")
    expect(output(page, "one")).to_contain_text("first")
    assert focused(page) == "two"
    page.keyboard.press("Control+Enter")
    expect(output(page, "two")).to_contain_text("second")
    assert focused(page) == "two"
    page.keyboard.press("Alt+Enter")
    expect(kinds(page)).to_have_count(3)
    assert focused(page) not in ("one", "two")

    source(page, "one").click()
    page.keyboard.press("Escape")
    expect(cell(page, "one")).to_be_focused()
    page.keyboard.press("Enter")
    expect(source(page, "one")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.cm-content, [data-cell-id=one]')"), (
        "the keyboard is caught"
    )


def test_tab_completes_by_the_kernel(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(("one", "import math"), ("two", "math.factor")))
    cell(page, "one").get_by_role("button", name="Run cell").click()
    expect(cell(page, "one")).to_contain_text("[1]")
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")
    source(page, "two").click()
    page.keyboard.press("Control+End")

    page.keyboard.press("Tab")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("factorial")
    page.wait_for_timeout(100)  # the list takes no key before 75 ms, so that typing is never taken for a choice
    page.keyboard.press("Tab")

    expect(source(page, "two")).to_have_text(re.compile("math.factorial"))


def test_input_is_answered_a_loop_is_stopped_and_a_session_restarted(house: House) -> None:
    page = house.ada
    cells = ("ask", "name = input('Your name? ')\nprint('Hello', name)"), ("loop", "while True: pass"), ("name", "name")
    house.open(page, house.notebook(*cells))
    cell(page, "ask").get_by_role("button", name="Run cell").click()
    page.get_by_label("Your name?").fill("Ada")
    page.keyboard.press("Enter")
    expect(output(page, "ask")).to_contain_text("Hello Ada")

    cell(page, "loop").get_by_role("button", name="Run cell").click()
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Busy")
    cell(page, "loop").get_by_role("button", name="Stop cell").click()
    expect(output(page, "loop")).to_contain_text("KeyboardInterrupt")

    chord(page, ".")
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")
    cell(page, "name").get_by_role("button", name="Run cell").click()
    expect(output(page, "name")).to_contain_text("NameError")


def test_a_colleague_moves_the_cell_one_is_typing_in(house: House) -> None:
    notebook = house.notebook(("one", "1"), ("two", "2"), ("three", "3"), bob="editor")
    house.open(house.ada, notebook)
    house.open(house.bob, notebook)
    source(house.ada, "one").click()
    house.ada.keyboard.press("Control+End")
    house.ada.keyboard.type(" + before")

    cell(house.bob, "one").hover()
    cell(house.bob, "one").get_by_role("button", name="Move cell down").click()
    expect(kinds(house.ada).nth(1)).to_have_attribute("data-cell-id", "one")
    house.ada.keyboard.type(" + after")

    expect(cell(house.bob, "one")).to_contain_text("1 + before + after")
    assert order(house.bob) == order(house.ada) == ["two", "one", "three"]


def test_a_viewer_reads_and_changes_nothing(house: House) -> None:
    house.open(house.bob, house.notebook(("one", "print('x')"), bob="viewer"))

    expect(house.bob.get_by_text("View only")).to_be_visible()
    expect(house.bob.get_by_role("button", name="Open in playground")).to_be_visible()
    expect(house.bob.get_by_role("button", name="Add code cell")).to_have_count(0)
    source(house.bob, "one").click()
    house.bob.keyboard.type("never")
    chord(house.bob, "b")
    chord(house.bob, "d")
    expect(kinds(house.bob)).to_have_count(1)
    expect(source(house.bob, "one")).to_have_text("print('x')")


def test_offline_is_said_and_what_was_typed_then_is_saved(house: House) -> None:
    page = house.ada
    notebook = house.notebook(("one", "1"))
    house.open(page, notebook)
    house.server.kill()
    expect(saved(page)).to_have_text("Offline")
    source(page, "one").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + offline")
    expect(saved(page)).to_have_text("Offline")

    house.server.start()

    expect(saved(page)).to_have_text("Saved")
    with house.server.client(house.token) as api:
        content = api.get(f"/notebooks/{notebook}/content").raise_for_status().json()
    assert "".join(content["cells"][0]["source"]) == "1 + offline"


def test_a_tab_that_was_too_slow_to_say_hello_comes_back(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA)
    let_go: list[WebSocketRoute] = []

    def met(socket: WebSocketRoute) -> None:
        if let_go:
            socket.connect_to_server()
        else:
            let_go.append(socket)
            socket.close(code=4408, reason="No hello came.")

    page.route_web_socket(re.compile(r"/notebooks/\w+/socket$"), met)
    house.open(page, house.notebook(("one", "1")))

    assert let_go
    page.context.close()


def test_signing_out_in_one_tab_closes_the_other(house: House) -> None:
    tab = at_home(house.chromium, house.server.url, ADA)
    other = tab.context.new_page()
    house.open(other, house.notebook(("one", "1")))

    tab.get_by_role("button", name="Account").click()
    tab.get_by_role("menuitem", name="Sign out").click()

    expect(tab.get_by_role("button", name="Sign in")).to_be_visible()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    tab.context.close()


def test_an_unknown_address_says_so(house: House) -> None:
    answer = house.ada.goto(f"{house.server.url}/no/such/page")

    assert answer is not None
    assert answer.status == 404
    expect(house.ada.get_by_role("heading", name="There is nothing here")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
def test_every_page_fits_and_can_be_used_by_everybody(house: House, scheme: str, width: int) -> None:
    notebook = house.notebook(("one", "import numpy as np\nnp.arange(400)"), ("two", "1 / 0"))
    context = house.chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    stranger = context.new_page()
    ada = at_home(house.chromium, house.server.url, ADA, color_scheme=scheme, reduced_motion="reduce")
    for page in (stranger, ada):
        page.set_viewport_size({"width": width, "height": 820})
    stranger.goto(house.server.url)
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    looked_at(stranger, f"sign-in-{scheme}-{width}")
    expect(ada.get_by_role("grid", name="Files").get_by_role("link").first).to_be_visible()
    looked_at(ada, f"drive-{scheme}-{width}")
    house.open(ada, notebook)
    for name, text in (("one", "array"), ("two", "ZeroDivisionError")):
        cell(ada, name).get_by_role("button", name="Run cell").click()
        expect(output(ada, name)).to_contain_text(text)
    looked_at(ada, f"notebook-{scheme}-{width}")
    ada.get_by_role("button", name="Share").click()
    expect(ada.get_by_role("dialog").get_by_text("Owner", exact=True)).to_be_visible()
    looked_at(ada, f"share-{scheme}-{width}")
    context.close()
    ada.context.close()
