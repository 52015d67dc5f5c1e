"""Every page, panel and dialog, as people with other eyes, hands and screens have them: axe finds nothing, and nothing
sticks out. A picture of each is kept for people to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.looking import looked_at
from support.notebook import by_name
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
WIDE, PHONE = {"width": 1360, "height": 820}, {"width": 360, "height": 760}
WAYS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "phone-dark": {"color_scheme": "dark", "viewport": PHONE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "phone": {"color_scheme": "light", "viewport": PHONE},
    # A page at 200 % has half the pixels to lay itself out in.
    "zoomed": {"color_scheme": "light", "viewport": {"width": 680, "height": 410}, "device_scale_factor": 2},
    "contrast": {"color_scheme": "dark", "viewport": WIDE, "contrast": "more"},
    "forced": {"color_scheme": "dark", "viewport": WIDE, "forced_colors": "active"},
}
SHORT = ("light", "phone-dark")
ways = pytest.mark.parametrize(
    "way", [pytest.param(way, marks=() if way in SHORT else pytest.mark.long) for way in WAYS]
)

CELLS = {
    "head": ("markdown", "# A lesson\n\nText with $x^2$, `code`, a [link](https://example.org), and\n\n- [ ] a task"),
    "form": ("code", '# @title Choose { run: "auto" }\nn = 3 # @param {type:"slider", min:0, max:9}\nprint(n)'),
    "table": ("code", "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', None]})\nframe"),
    "wrong": ("code", "def broken():\n    return 1 / 0\n\nbroken()"),
    "more": ("markdown", "## A section\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"),
}
DIALOGS = {
    "Command palette": "Commands",
    "Keyboard shortcuts": "Keyboard shortcuts",
    "Open notebook": "Open notebook",
    "Move": "Move",
    "Move to trash": "trash",
    "Save and pin revision": "revision",
    "Notebook info": "Notebook info",
    "Add a form field": "Add a form field",
    "Go to cell": "Go to cell",
    "Change runtime type": "Change runtime type",
    "Manage sessions": "sessions",
    "Disconnect and delete runtime": "Disconnect",
    "Environment": "Environment",
    "Frequently asked questions": "questions",
    "Release notes": "Release notes",
    "Report a problem": "problem",
    "About Collegium": "About Collegium",
}
"""Commands that open one, and a part of its title."""
PANELS = (
    "Table of contents", "Files", "Find…", "Variables", "Code snippets", "Executed code history", "Comments",
    "Revision history", "Resources", "Terminal",
)  # fmt: skip


@dataclass
class House:
    """A running server, its browser, and a notebook of Ada's that has run."""

    server: Server
    chromium: Browser
    notebook: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        cells = [
            {"id": cell, "cell_type": kind, "metadata": {}, "source": source}
            | ({"outputs": [], "execution_count": None} if kind == "code" else {})
            for cell, (kind, source) in CELLS.items()
        ]
        notebook = running.notebook_of(token, cells, name="Lesson.ipynb", shared={BOB: "commenter"})
        page = signed_in(chromium, running.url, ADA)
        page.goto(f"{running.url}/notebooks/{notebook}")
        page.get_by_role("button", name="Run all", exact=True).click()
        expect(page.get_by_text("ZeroDivisionError").first).to_be_visible()
        page.context.close()
        yield House(running, chromium, notebook)


@pytest.fixture
def ada(house: House, way: str) -> Iterator[Page]:
    """Ada's page, in one of the ways."""
    page = signed_in(house.chromium, house.server.url, ADA, **(WAYS[way] | {"reduced_motion": "reduce"}))
    yield page
    page.context.close()


def open_lesson(house: House, page: Page) -> None:
    page.goto(f"{house.server.url}/notebooks/{house.notebook}")
    expect(page.get_by_text("ZeroDivisionError").first).to_be_attached()
    # Tables learn that they scroll when they come near.
    for cell in (*CELLS, "head"):
        page.locator(f'[data-cell-id="{cell}"]').scroll_into_view_if_needed()
        page.wait_for_timeout(50)


def settled(page: Page) -> None:
    """What is shown is here: nothing of it is still on its way."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)
    expect(page.locator(".spinner")).to_have_count(0)


def dialog(page: Page, title: str) -> Locator:
    return page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).filter(has_text=title)


@ways
def test_pages_for_who_is_not_signed_in(house: House, way: str) -> None:
    context = house.chromium.new_context(**(WAYS[way] | {"reduced_motion": "reduce"}))
    page = context.new_page()
    page.goto(house.server.url)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    looked_at(page, f"sign-in-{way}")
    page.goto(f"{house.server.url}/welcome")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    looked_at(page, f"welcome-{way}")
    context.close()


@ways
def test_pages_around_notebooks(house: House, way: str, ada: Page) -> None:
    for address, heading in {
        "/": "My drive",
        "/drive/shared": "Shared with me",
        "/drive/recent": "Recent",
        "/drive/starred": "Starred",
        "/drive/search": "Search",
        "/drive/trash": "Trash",
        "/account": "API tokens",
        "/settings": "Settings",
        "/diff": "Compare",
        "/no/such/page": "There is nothing here",
    }.items():
        ada.goto(house.server.url + address)
        expect(ada.get_by_role("heading", name=heading).first).to_be_visible()
        settled(ada)
        looked_at(ada, f"page-{address.strip('/').replace('/', '-') or 'drive'}-{way}")


@ways
def test_a_notebook_and_its_panels(house: House, way: str, ada: Page) -> None:
    open_lesson(house, ada)
    looked_at(ada, f"notebook-{way}")
    for panel in PANELS:
        by_name(ada, panel)
        name = panel.rstrip("…")
        shown = (
            ada.get_by_role("complementary").or_(ada.get_by_role("region", name=name)).or_(ada.get_by_role("search"))
        )
        expect(shown.first).to_be_visible()
        settled(ada)
        looked_at(ada, f"panel-{name.lower().replace(' ', '-')}-{way}")
        if name == "Terminal":
            continue  # It keeps the keys for the shell, and stands last.
        if name == "Find":  # Asked for again, it takes the keyboard and stays.
            expect(ada.get_by_role("textbox", name="Find", exact=True)).to_be_focused()
            ada.keyboard.press("Escape")
        else:
            by_name(ada, panel)
        expect(shown).to_have_count(0)


@ways
def test_the_dialogs_of_a_notebook(house: House, way: str, ada: Page) -> None:
    open_lesson(house, ada)
    # Some are about the cell that has the focus.
    ada.locator('[data-cell-id="form"]').focus()
    for name, title in DIALOGS.items():
        if name == "Command palette":
            ada.keyboard.press("Control+Shift+P")
        else:
            by_name(ada, name)
        expect(dialog(ada, title).first).to_be_visible()
        settled(ada)
        looked_at(ada, f"dialog-{name.lower().replace(' ', '-')}-{way}")
        ada.keyboard.press("Escape")
        expect(ada.get_by_role("dialog").or_(ada.get_by_role("alertdialog"))).to_have_count(0)
    ada.get_by_role("button", name="Share").click()
    expect(ada.get_by_role("dialog").get_by_text("Owner", exact=True)).to_be_visible()
    looked_at(ada, f"dialog-share-{way}")
