"""Where the focus is: Tab passes the cells, panels take it and give it back, and nothing that is done loses it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.looking import overflow, violations
from support.notebook import by_name, cell
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
STEPS_MAX = 12
PLACE = """() => {
    const at = document.activeElement
    return at === document.body ? 'nowhere' : at.closest('.cell-group > .cell')?.dataset.cellId ?? 'elsewhere'
}"""
SEEN = """() => {
    const at = document.activeElement
    const box = at.getBoundingClientRect()
    const marked = (one) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
    }
    let one = at
    for (let up = 0; one && up < 6; up += 1, one = one.parentElement) if (marked(one)) break
    return { shown: !!one, inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
        what: at.outerHTML.slice(0, 120) }
}"""
WAYS: dict[str, dict[str, Any]] = {
    "wide": {},
    "zoomed": {"viewport": {"width": 680, "height": 410}, "device_scale_factor": 2},
    "phone": {"viewport": {"width": 360, "height": 760}},
    "forced": {"forced_colors": "active"},
}


@dataclass
class House:
    """A server that runs nothing; Ada, and Bob who may write with her."""

    server: Server
    chromium: Browser
    token: str

    def notebook(self, *names: str) -> str:
        """Its address; cells of these names, `m…` are text."""
        cells: list[dict[str, Any]] = [
            {"id": name, "cell_type": "markdown", "metadata": {}, "source": f"A [link](https://example.org) in {name}"}
            if name.startswith("m")
            else {
                "id": name,
                "cell_type": "code",
                "metadata": {},
                "source": f"{name} = 1",
                "outputs": [],
                "execution_count": None,
            }
            for name in names
        ]
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        with self.server.client(self.token) as api:
            made = api.post("/notebooks", params={"name": "focus.ipynb"}, json=document).raise_for_status().json()
            grant = {"email": BOB, "role": "editor"}
            api.put(f"/drive/items/{made['id']}/grants", json=grant).raise_for_status()
        return f"{self.server.url}/notebooks/{made['id']}"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        yield House(running, chromium, token)


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    page = signed_in(house.chromium, house.server.url, ADA, reduced_motion="reduce")
    yield page
    page.context.close()


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    expect(page.locator(".cell-group > .cell").first).to_be_visible()
    return page


def place(page: Page) -> str:
    """The cell that has the focus in it, `elsewhere`, or `nowhere`."""
    return str(page.evaluate(PLACE))


@pytest.mark.parametrize("way", WAYS)
def test_tab_comes_to_one_cell_to_what_is_in_it_and_then_past_all(house: House, way: str) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, **WAYS[way])
    opened(page, house.notebook("m1", "a", "m2", "b", "c"))

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the cells")
    expect(skip).to_be_focused()
    assert page.evaluate(SEEN)["inside"]
    assert overflow(page) <= 0
    assert violations(page) == {}
    page.keyboard.press("Enter")
    expect(cell(page, "m1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cell(page, "a")).to_be_focused()

    been, unseen = [], []
    for _ in range(STEPS_MAX):
        page.keyboard.press("Tab")
        been.append(place(page))
        seen = page.evaluate(SEEN)
        if not (seen["shown"] and seen["inside"]):
            unseen.append(seen["what"])
        if been[-1] != "a":
            break
    assert set(been[:-1]) == {"a"}
    assert been[-1] == "elsewhere"
    assert unseen == []
    expect(page.locator(".insert-last button").first).to_be_focused()

    page.keyboard.press("Shift+Tab")
    expect(cell(page, "a")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    past = page.get_by_role("button", name="Skip past the cells")
    expect(past).to_be_focused()
    assert page.evaluate(SEEN)["inside"]
    page.keyboard.press("Enter")
    expect(page.get_by_text("End of the cells")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".insert-last button").first).to_be_focused()
    past.focus()
    page.keyboard.press("Tab")
    expect(cell(page, "a")).to_be_focused()
    page.context.close()


def test_in_a_text_tab_indents_and_after_escape_it_leads_on(house: House, page: Page) -> None:
    opened(page, house.notebook("a", "b"))
    cell(page, "a").focus()
    page.keyboard.press("Enter")
    expect(cell(page, "a").locator(".cm-content")).to_be_focused()

    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(cell(page, "a").locator(".cm-line")).to_have_text("    a = 1")
    page.keyboard.press("Escape")
    expect(cell(page, "a")).to_be_focused()
    for _ in range(STEPS_MAX):
        page.keyboard.press("Tab")
    assert place(page) in ("elsewhere", "nowhere")
    expect(cell(page, "a").locator(".cm-line")).to_have_text("    a = 1")


def test_the_toolbar_of_a_cell_is_one_stop_and_walked_by_arrows(house: House, page: Page) -> None:
    opened(page, house.notebook("a", "b"))
    cell(page, "a").focus()
    tools = cell(page, "a").get_by_role("toolbar", name="Cell")
    for _ in range(STEPS_MAX):
        page.keyboard.press("Tab")
        if tools.locator(":focus").count() == 1:
            break

    expect(tools.get_by_role("button", name="Move cell up")).to_be_focused()
    page.keyboard.press("End")
    expect(tools.get_by_role("button", name="More cell actions")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tools.get_by_role("button", name="Move cell down")).to_be_focused()
    page.keyboard.press("Enter")
    assert place(page) == "a"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tools.get_by_role("button", name="Move cell down")).to_be_focused()


PANELS = (
    "Table of contents", "Files", "Code snippets", "Variables", "Executed code history", "Comments", "Revision history",
    "Resources",
)  # fmt: skip


@pytest.mark.parametrize("editing", [False, True], ids=["on-a-cell", "in-a-text"])
def test_a_panel_takes_the_focus_and_escape_gives_it_back(house: House, page: Page, *, editing: bool) -> None:
    opened(page, house.notebook("a", "b"))
    cell(page, "b").focus()
    if editing:
        page.keyboard.press("Enter")
    back = cell(page, "b").locator(".cm-content") if editing else cell(page, "b")
    expect(back).to_be_focused()

    for name in PANELS:
        by_name(page, name)
        panel = page.locator("aside.panel:visible")
        expect(panel).to_have_count(1)
        expect(page.locator("aside.panel:focus, aside.panel :focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        expect(back).to_be_focused()
    page.keyboard.press("Control+f")
    expect(page.get_by_role("textbox", name="Find", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("search")).to_have_count(0)
    assert place(page) == "b"


def test_from_panel_to_panel_the_way_back_is_to_before_the_first(house: House, page: Page) -> None:
    opened(page, house.notebook("a", "b"))
    cell(page, "b").focus()
    by_name(page, "Table of contents")
    expect(page.locator("aside.panel:focus, aside.panel :focus")).to_have_count(1)
    by_name(page, "Variables")
    expect(page.get_by_role("complementary", name="Variables")).to_be_focused()

    page.get_by_role("button", name="Close variables").press("Enter")

    expect(cell(page, "b")).to_be_focused()


def test_a_key_goes_around_the_parts_of_the_page_that_are_shown(house: House, page: Page) -> None:
    opened(page, house.notebook("a", "b"))
    cell(page, "b").focus()
    for name in ("Table of contents", "Comments"):
        by_name(page, name)
        expect(page.get_by_role("complementary", name=name)).to_be_visible()
    contents, comments = (
        page.get_by_role("complementary", name=name).locator(":scope:focus, :focus")
        for name in ("Table of contents", "Comments")
    )
    expect(comments).to_have_count(1)

    for key, there in (("F6", contents), ("F6", cell(page, "b")), ("F6", comments), ("Shift+F6", cell(page, "b"))):
        page.keyboard.press(key)
        expect(there.and_(page.locator(":focus"))).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+F6")
    expect(contents).to_have_count(1)
    page.keyboard.press("Control+Backslash")
    expect(page.get_by_role("complementary", name="Table of contents")).to_have_count(0)


def test_nothing_that_is_done_with_cells_loses_the_focus(house: House, page: Page) -> None:
    opened(page, house.notebook("a", "b", "c", "d"))
    cells = page.locator(".cell-group > .cell")

    cell(page, "b").focus()
    for dialog in ("Keyboard shortcuts", "Notebook info", "Go to cell", "About Collegium", "Notebook settings"):
        by_name(page, dialog)
        expect(page.locator(".dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".dialog")).to_have_count(0)
        expect(cell(page, "b")).to_be_focused()

    page.keyboard.press("Control+m")
    page.keyboard.press("d")
    expect(cells).to_have_count(3)
    expect(cell(page, "c")).to_be_focused()
    page.keyboard.press("Control+m")
    page.keyboard.press("z")
    expect(cells).to_have_count(4)
    assert place(page) not in ("nowhere", "elsewhere")

    cell(page, "c").focus()
    for key, at in (("k", 1), ("j", 2)):
        page.keyboard.press("Control+m")
        page.keyboard.press(key)
        expect(cells.nth(at)).to_have_attribute("data-cell-id", "c")
        expect(cell(page, "c")).to_be_focused()

    more = cell(page, "c").get_by_role("button", name="More cell actions")
    more.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(more).to_be_focused()
    more.press("Enter")
    page.get_by_role("menuitem", name="Cut cells").press("Enter")
    expect(cells).to_have_count(3)
    expect(cell(page, "d")).to_be_focused()
    page.get_by_role("button", name="Undo", exact=True).last.press("Enter")
    expect(cells).to_have_count(4)
    assert place(page) != "nowhere"

    cell(page, "d").focus()
    page.keyboard.press("Shift+Enter")
    expect(cells).to_have_count(5)
    expect(cells.last.locator(".cm-content")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cells.last).to_be_focused()

    for left in range(4, -1, -1):
        page.keyboard.press("Control+m")
        page.keyboard.press("d")
        expect(cells).to_have_count(left)
        expect(page.locator("body :focus")).to_have_count(1)
    expect(page.locator(".insert-last button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(cells).to_have_count(1)
    expect(cells.locator(".cm-content")).to_be_focused()


def two_notices(house: House, page: Page) -> Locator:
    """Of two cells that were deleted; one is left. The focus may not go from one notice to the other."""
    opened(page, house.notebook("a", "b", "c"))
    cell(page, "b").focus()
    for _ in range(2):
        page.keyboard.press("Control+m")
        page.keyboard.press("d")
    expect(page.locator(".cell-group > .cell")).to_have_count(1)
    notices = page.locator(".toast:not([data-ending-style])")
    expect(notices).to_have_count(2)
    return notices


def test_who_takes_back_at_a_notice_by_keys_is_at_the_cells_again(house: House, page: Page) -> None:
    notices = two_notices(house, page)

    notices.first.get_by_role("button", name="Undo", exact=True).press("Enter")
    expect(page.locator(".cell-group > .cell")).to_have_count(2)
    assert place(page) not in ("nowhere", "elsewhere")

    for dialog in ("Go to cell", "About Collegium"):
        by_name(page, dialog)
        expect(page.locator(".dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".dialog")).to_have_count(0)
        expect(page.locator(".cell-group > .cell:focus")).to_have_count(1)


def test_who_closes_one_of_two_notices_by_keys_is_at_the_cells_again(house: House, page: Page) -> None:
    notices = two_notices(house, page)
    assert violations(page, ".toasts") == {}

    notices.first.get_by_role("button", name="Close").press("Enter")
    expect(notices).to_have_count(1)
    expect(notices).to_be_focused()
    notices.get_by_role("button", name="Close").press("Enter")
    expect(notices).to_have_count(0)
    expect(page.locator(".cell-group > .cell:focus")).to_have_count(1)


def test_a_colleague_comes_goes_and_deletes_the_cell_that_one_is_in(house: House, page: Page) -> None:
    address = house.notebook("a", "b", "c")
    opened(page, address)
    news = page.get_by_role("status", name="News of the notebook")
    cell(page, "b").focus()
    page.keyboard.press("Enter")
    expect(cell(page, "b").locator(".cm-content")).to_be_focused()

    bob = opened(signed_in(house.chromium, house.server.url, BOB), address)
    expect(news).to_have_text("bob is here")
    cell(bob, "b").focus()
    bob.keyboard.press("Control+m")
    bob.keyboard.press("d")
    expect(page.locator(".cell-group > .cell")).to_have_count(2)
    expect(page.locator("body :focus")).to_have_count(1)
    expect(cell(page, "c")).to_be_focused()
    bob.context.close()
    expect(news).to_have_text("bob has left")
