"""An open notebook as journeys look at it: its cells, what they say, and whether all of it is saved."""

from playwright.sync_api import Locator, Page, expect

from support.server import Server

HAND_MS = 600
"""From the keys to the mouse. What comes much sooner is taken for a script's doing (web/src/outputs/theft.ts)."""


def to_the_mouse(page: Page) -> None:
    """As long as a person's hand needs from the keys."""
    page.wait_for_timeout(HAND_MS)


def open_notebook(page: Page, server: Server, notebook: str) -> None:
    """Go there, and wait until it can be worked with."""
    page.goto(f"{server.url}/notebooks/{notebook}")
    expect(saved(page)).to_have_text("Saved")
    expect(page.get_by_role("listitem").first).to_be_visible()


def saved(page: Page) -> Locator:
    """Where the page says whether everything is."""
    return page.get_by_role("status", name="Save status")


def cell(page: Page, name: str) -> Locator:
    """By its id, wherever it stands."""
    return page.locator(f'.cells [data-cell-id="{name}"]')


def source(page: Page, name: str) -> Locator:
    """A cell's text."""
    return cell(page, name).get_by_role("textbox", name="Source")


def output(page: Page, name: str) -> Locator:
    """What a cell put out."""
    return cell(page, name).get_by_role("region", name="Output")


def by_name(page: Page, command: str) -> None:
    """Run a command from the palette, as whoever knows no menu."""
    page.keyboard.press("Control+Shift+P")
    field = page.get_by_role("combobox", name="Find a command")
    field.fill(command)
    expect(page.get_by_role("option").first).to_contain_text(command)
    field.press("Enter")
    expect(field).to_have_count(0)
