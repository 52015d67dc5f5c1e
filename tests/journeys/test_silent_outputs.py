"""Outputs that loop for ever, in Chromium: the page says so, the loop can be stopped, and the others come back."""

import pytest
from playwright.sync_api import Locator, expect

from support.still import Still

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ENDLESS = "<p>It loops.</p><script>while (true) {}</script>"
LATER = "<button id=go onclick='setTimeout(() => { while (true) {} }, 500)'>Loop</button><script>0</script>"
SANE = """<button id=count onclick="this.textContent = 'pressed'">Count</button><script>
document.getElementById('count').insertAdjacentText('afterend', 'it ran')</script>"""
SILENT = "This output does not answer."
WAITING = "This output waits for another one, which does not answer."
STOPPED = "This output was stopped because it did not answer."


def lives(cell: Locator) -> None:
    """Its output is drawn, and answers."""
    inside = cell.frame_locator("iframe")
    expect(inside.get_by_text("it ran")).to_be_visible()
    inside.locator("#count").click()
    expect(inside.locator("#count")).to_have_text("pressed")


def test_an_endless_output_is_named_and_stopped_and_stays_so_when_the_page_is_loaded_again(still: Still) -> None:
    page = still.page
    first, endless, last = still.opened(SANE, ENDLESS, SANE)
    expect(endless.get_by_role("alert")).to_contain_text(SILENT)
    for sane in (first, last):
        expect(sane.get_by_text(WAITING)).to_be_visible()
    last.get_by_role("button", name="Go there").click()
    expect(endless).to_be_focused()

    endless.get_by_role("button", name="Stop it").click()
    expect(endless.get_by_text(STOPPED)).to_be_visible()
    expect(endless.locator("iframe")).to_have_count(0)
    expect(endless).to_be_focused()
    for sane in (first, last):
        lives(sane)
        expect(sane.get_by_text(WAITING)).to_have_count(0)

    page.reload()
    expect(endless.get_by_text(STOPPED)).to_be_visible()
    for sane in (first, last):
        lives(sane)
    endless.get_by_role("button", name="Show it again").click()
    expect(endless.get_by_role("alert")).to_contain_text(SILENT)
    expect(page.get_by_role("alert")).to_have_count(1)


def test_who_loads_the_page_again_instead_of_stopping_an_endless_output_does_not_meet_it_again(still: Still) -> None:
    page = still.page
    endless, sane = still.opened(ENDLESS, SANE)
    expect(endless.get_by_role("alert")).to_contain_text(SILENT)
    page.reload()

    expect(endless.get_by_text(STOPPED)).to_be_visible()
    lives(sane)


def test_an_output_that_loops_when_it_is_pressed_is_the_one_that_is_named(still: Still) -> None:
    looping, sane = still.opened(LATER, SANE)
    lives(sane)
    looping.frame_locator("iframe").locator("#go").click()
    expect(looping.get_by_role("alert")).to_contain_text(SILENT)
    looping.get_by_role("button", name="Stop it").click()

    lives(sane)


def test_an_endless_output_whose_cell_is_deleted_leaves_the_others_in_peace(still: Still) -> None:
    page = still.page
    sane, endless = still.opened(SANE, ENDLESS)
    expect(endless.locator("iframe")).to_have_count(1)
    page.wait_for_timeout(2000)  # That it has begun to loop cannot be seen from here.
    endless.get_by_role("textbox", name="Source").click()
    endless.get_by_role("button", name="Delete cell").click()
    expect(endless).to_have_count(0)

    lives(sane)
    expect(page.get_by_role("alert")).to_have_count(0)
