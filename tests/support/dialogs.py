"""A dialog as somebody who has keys alone meets it: it takes the focus, keeps it, and gives it back."""

from playwright.sync_api import Locator, Page, TimeoutError, expect

from support.looking import violations
from support.notebook import by_name

REMEMBER = "() => { window.cameFrom = document.activeElement }"
OPENER = "(opener) => { window.cameFrom = opener }"
IS_BACK = "() => window.cameFrom.contains(document.activeElement)"
TO_EDGE = """(dialog, last) => {
    const stops = [...dialog.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')]
        .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility())
    stops.at(last ? -1 : 0).focus()
}"""
FOCUSED = "() => document.activeElement.outerHTML.slice(0, 200)"
BACK_MS = 10_000


def press(page: Page, opener: Locator, key: str = "Enter") -> None:
    """By this key on what has a dialog of its own; the focus is to come back there."""
    opener.focus()
    page.evaluate(REMEMBER)
    page.keyboard.press(key)


def choose(page: Page, menu: Locator, entry: str) -> None:
    """An entry of the menu behind this button."""
    menu.press("Enter")
    expect(page.locator(".menu [role=menuitem]").first).to_be_focused()
    # The button is another one since its menu was drawn.
    menu.evaluate(OPENER)
    page.get_by_role("menuitem", name=entry, exact=True).press("Enter")


def command(page: Page, name: str) -> None:
    """By the palette, from where the focus is."""
    page.evaluate(REMEMBER)
    by_name(page, name)


def gone_through(page: Page, title: str) -> None:
    """The dialog that is open: axe finds nothing, Tab stays in it, Escape gives the focus back to what opened it."""
    dialog = page.get_by_role("dialog", name=title, exact=True).or_(
        page.get_by_role("alertdialog", name=title, exact=True)
    )
    expect(dialog).to_be_visible()
    expect(dialog.locator(".spinner")).to_have_count(0)
    inside = dialog.locator(":focus").or_(page.locator(".dialog:focus"))
    expect(inside).to_have_count(1)
    assert violations(page, ".dialog:not(.dialog[data-nested-dialog-open])") == {}, title
    for last, key in ((True, "Tab"), (False, "Shift+Tab")):
        dialog.evaluate(TO_EDGE, last)
        page.keyboard.press(key)
        expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    try:
        page.wait_for_function(IS_BACK, timeout=BACK_MS)
    except TimeoutError:
        raise AssertionError(f"after “{title}” the focus is at {page.evaluate(FOCUSED)}") from None
