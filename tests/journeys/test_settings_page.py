"""Settings in two browsers and two tabs, the shortcut editor, and news of what ran."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import signed_in
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture(scope="module")
def token(running: Server) -> Iterator[str]:
    token = running.add_user(ADA)
    running.add_user(BOB)
    yield token
    running.give_back(token)


@pytest.fixture
def page(running: Server, chromium: Browser, token: str) -> Iterator[Page]:
    page = signed_in(chromium, running.url, ADA, permissions=["notifications"])
    yield page
    page.context.close()


def settings(page: Page, url: str) -> None:
    page.goto(f"{url}/settings")
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


def told(page: Page) -> None:
    """The account has what was chosen."""
    expect(page.get_by_role("status", name="Settings are")).to_have_text("Kept for your account.")


def opened(page: Page, running: Server, token: str) -> None:
    notebook = running.notebook(token, {"a": "x = 1", "b": "y = 2"}, name="keys.ipynb")
    page.goto(f"{running.url}/notebooks/{notebook}")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")


def test_what_is_chosen_reaches_other_tabs_at_once_and_other_browsers_when_they_load(
    running: Server, chromium: Browser, page: Page
) -> None:
    settings(page, running.url)
    tab = page.context.new_page()
    settings(tab, running.url)
    elsewhere = signed_in(chromium, running.url, ADA)
    other = signed_in(chromium, running.url, BOB)

    page.get_by_label("Font size").fill("20")
    page.get_by_role("switch", name="Line numbers").check()
    expect(tab.get_by_label("Font size")).to_have_value("20")
    expect(tab.get_by_role("switch", name="Line numbers")).to_be_checked()
    told(page)
    settings(elsewhere, running.url)
    expect(elsewhere.get_by_label("Font size")).to_have_value("20")
    settings(other, running.url)
    told(other)
    expect(other.get_by_label("Font size")).to_have_value("14")
    page.get_by_label("Font size").fill("900")
    expect(page.get_by_role("alert")).to_have_text("A whole number from 8 to 32.")
    expect(tab.get_by_label("Font size")).to_have_value("20")
    elsewhere.context.close()
    other.context.close()


def test_a_browser_two_people_use_keeps_their_settings_apart(running: Server, page: Page) -> None:
    settings(page, running.url)
    page.get_by_label("Rulers").fill("72")
    told(page)
    page.get_by_role("button", name="Account: ada").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("textbox", name="Email").fill(BOB)
    page.get_by_role("textbox", name="Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="New notebook")).to_be_visible()
    settings(page, running.url)
    told(page)

    expect(page.get_by_label("Rulers")).to_have_value("")


def test_what_was_chosen_without_a_network_is_told_when_it_is_back(
    running: Server, chromium: Browser, page: Page
) -> None:
    settings(page, running.url)
    told(page)
    page.context.set_offline(True)
    page.get_by_role("switch", name="Ligatures").check()
    expect(page.get_by_role("status", name="Settings are")).to_contain_text("Kept in this browser for now")
    page.context.set_offline(False)
    told(page)
    elsewhere = signed_in(chromium, running.url, ADA)
    settings(elsewhere, running.url)

    expect(elsewhere.get_by_role("switch", name="Ligatures")).to_be_checked()
    elsewhere.context.close()


def test_contrast_motion_and_search(running: Server, page: Page) -> None:
    settings(page, running.url)
    page.get_by_role("searchbox", name="Search the settings").fill("contrast")
    expect(page.get_by_role("combobox")).to_have_count(1)
    page.get_by_role("combobox", name="Contrast").click()
    page.get_by_role("option", name="More").click()
    expect(page.locator("html")).to_have_attribute("data-contrast", "more")
    told(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-contrast", "more")
    page.get_by_role("searchbox", name="Search the settings").fill("teleport")

    expect(page.get_by_text("No setting has that name.")).to_be_visible()


def test_on_a_phone_nothing_stands_beside_the_page(running: Server, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    settings(page, running.url)
    expect(page.locator("#keys li")).not_to_have_count(0)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_command_gets_other_keys_which_hold_at_once_and_can_be_given_back(
    running: Server, page: Page, token: str
) -> None:
    opened(page, running, token)
    page.keyboard.press("Control+m")
    page.keyboard.press("h")
    editor = page.get_by_role("dialog", name="Keyboard shortcuts")
    below = editor.locator('li[data-command="below"]')
    below.get_by_role("button", name="Give Code cell below keys").click()
    page.keyboard.press("Control+m")
    page.keyboard.press("d")
    chips = below.locator(".keys-chip")
    expect(chips).to_have_text(["Ctrl+M B", "Ctrl+M D"])
    expect(below).to_contain_text("Ctrl+M D is also: Delete cells")
    below.get_by_role("button", name="Take Ctrl+M D from Code cell below").click()
    below.get_by_role("button", name="Give Code cell below keys").click()
    page.keyboard.press("Control+Alt+b")
    expect(chips).to_have_text(["Ctrl+M B", "Ctrl+Alt+B"])
    page.keyboard.press("Escape")
    page.locator('[data-cell-id="a"]').focus()
    page.keyboard.press("Control+Alt+b")
    expect(page.locator("[data-cell-id]")).to_have_count(3)
    page.get_by_role("menuitem", name="Insert", exact=True).click()
    expect(page.get_by_role("menuitem", name="Code cell below")).to_contain_text("Ctrl+M B")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    settings(page, running.url)
    page.get_by_role("button", name="Reset all").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Reset all").click()

    expect(page.locator('li[data-command="below"]')).not_to_contain_text("Ctrl+Alt+B")
    told(page)


def test_jupyterlabs_keys_work_on_cells_and_write_in_texts(running: Server, page: Page, token: str) -> None:
    settings(page, running.url)
    page.get_by_role("combobox", name="Keys as in").click()
    page.get_by_role("option", name="JupyterLab").click()
    expect(page.get_by_role("combobox", name="Keys as in")).to_have_text("JupyterLab")
    told(page)
    opened(page, running, token)
    # The page may know of the choice a moment later only; then the menus say so, too.
    page.get_by_role("menuitem", name="Insert", exact=True).click()
    expect(page.get_by_role("menuitem", name="Code cell below")).to_have_text(re.compile(r"^Code cell below\s*B$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Code cell below")).to_have_count(0)
    cells = page.locator("[data-cell-id]")
    page.locator('[data-cell-id="a"]').focus()
    page.keyboard.press("b")
    expect(cells).to_have_count(3)
    expect(cells.nth(1).locator(".cm-content")).to_be_focused()
    page.keyboard.type("abddm")
    expect(cells.nth(1).locator(".cm-content")).to_have_text("abddm")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(cells).to_have_count(2)
    page.keyboard.press("z")
    expect(cells).to_have_count(3)
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Notebook name").press_sequentially("dd")
    page.keyboard.press("Enter")

    expect(cells).to_have_count(3)
    settings(page, running.url)
    page.get_by_role("combobox", name="Keys as in").click()
    page.get_by_role("option", name="Colab").click()
    told(page)


def test_a_long_run_is_told_on_the_desktop_and_by_the_tab(running: Server, page: Page, token: str) -> None:
    page.add_init_script(
        """window.told = []
        window.Notification = class { constructor(title, { body }) { window.told.push(`${title}. ${body}`) } close() {}
            static permission = 'granted'; static requestPermission() { return Promise.resolve('granted') } }
        Document.prototype.hasFocus = () => window.looking ?? true"""
    )
    settings(page, running.url)
    page.get_by_role("switch", name="Desktop notification when a long run ends").check()
    page.get_by_label("A run is long after").fill("1")
    told(page)
    notebook = running.notebook(token, {"a": "import time; time.sleep(3)", "b": "1 / 0"}, name="long.ipynb")
    page.goto(f"{running.url}/notebooks/{notebook}")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    page.evaluate("window.looking = false")
    page.keyboard.press("Control+F9")
    expect(page).to_have_title(re.compile(r"^● "))
    expect(page).to_have_title(re.compile(r"^✗ "))
    # What ends within the same moment is told of in one sentence, failures first.
    failed = re.compile(r"^Cell 2 failed: ZeroDivisionError(\. Cell 1 is done)?$")
    expect(page.get_by_role("status", name="News of the notebook")).to_have_text(failed)
    notices = page.evaluate("window.told")
    page.evaluate("window.looking = true; window.dispatchEvent(new Event('focus'))")

    assert len(notices) == 1
    assert re.fullmatch(r"Failed after [\d.]+s\. long\.ipynb: 2 cells", notices[0])
    expect(page).to_have_title("long.ipynb · Collegium")
