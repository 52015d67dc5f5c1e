"""Outputs that take the keyboard by themselves, in Chromium, and outputs that a person uses."""

import re

import pytest
from playwright.sync_api import Locator, expect

from support.notebook import source, to_the_mouse
from support.still import Still

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

THIEF = """<input id=trap><button id=in>in</button><script>
const trap = document.getElementById('trap')
setInterval(() => { if (!window.rests) { window.focus(); trap.focus() } }, %d)
</script>"""
RESTING = "<script>window.rests = true</script>" + THIEF
SNOOP = THIEF + "<img src='https://example.invalid/x.png'>"
"""It wants the internet besides, so that one can be asked to open it."""
FORM = "<input id=name><input id=other><script>1</script>"
NOTE = "This output took the keyboard again and again."


def opened(still: Still, html: str) -> tuple[Locator, Locator]:
    """A notebook whose first cell has this for a saved output: that cell, and the text of an empty one below."""
    first, _ = still.opened(html, None)
    return first, source(still.page, "c1")


@pytest.mark.parametrize("network", ["closed", "open"])
def test_a_script_that_takes_the_keyboard_all_the_time_is_put_away(still: Still, network: str) -> None:
    page = still.page
    first, text = opened(still, (SNOOP if network == "open" else THIEF) % 20)
    if network == "open":
        first.get_by_role("button", name="Let it use the internet").click()
        to_the_mouse(page)

    text.click()
    page.wait_for_timeout(300)  # A hand comes from the mouse to the keys.
    page.keyboard.type("the whole of a sentence", delay=60)

    expect(text).to_have_text("the whole of a sentence")
    expect(first.get_by_role("alert")).to_contain_text(NOTE)
    expect(first.locator("iframe")).to_have_count(0)

    page.keyboard.type(" = 1")
    first.get_by_role("button", name="Show it again").click()
    expect(first.get_by_role("alert")).to_have_count(0)
    to_the_mouse(page)
    text.click()
    page.wait_for_timeout(300)
    page.keyboard.type(", and more")
    expect(text).to_have_text("the whole of a sentence = 1, and more")
    expect(first.get_by_role("alert")).to_contain_text(NOTE)


def test_a_script_that_takes_the_keyboard_now_and_then_learns_no_word_of_who_writes(still: Still) -> None:
    page = still.page
    first, text = opened(still, RESTING % 700)
    inside = first.frame_locator("iframe")
    expect(inside.locator("#in")).to_be_visible()
    text.click()
    page.keyboard.type("x")
    inside.locator("#in").evaluate("() => { window.rests = false }")
    whole = "WORDS of somebody, and Some More"
    page.keyboard.type(whole, delay=200)

    expect(first.get_by_role("alert")).to_contain_text(NOTE)
    # A key may be pressed in the very moment of a theft, of which there are three at most.
    assert len(str(text.text_content())) >= len("x" + whole) - 2


def test_a_field_of_an_output_that_is_clicked_has_the_keyboard(still: Still) -> None:
    page = still.page
    first, text = opened(still, FORM)
    inside = first.frame_locator("iframe")
    expect(inside.locator("#name")).to_be_visible()

    text.click()
    page.keyboard.type("one")
    page.wait_for_timeout(1000)
    inside.locator("#name").click()
    page.keyboard.type("two", delay=100)
    expect(inside.locator("#name")).to_have_value("two")

    text.click()
    page.keyboard.press("Shift+Enter")
    to_the_mouse(page)
    inside.locator("#other").click()
    page.keyboard.type("three", delay=100)
    expect(inside.locator("#other")).to_have_value("three")
    expect(first.locator("iframe")).to_be_focused()
    expect(text).to_have_text("one")


def test_tab_leads_into_an_output(still: Still) -> None:
    page = still.page
    first, text = opened(still, FORM)
    expect(first.frame_locator("iframe").locator("#name")).to_be_visible()
    text.click()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()

    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.matches('iframe')"):
            break
    expect(first.locator("iframe")).to_be_focused()
    to_the_mouse(page)
    page.keyboard.type("by keys")
    expect(first.frame_locator("iframe").locator("#name")).to_have_value(re.compile("by keys$"))


def test_after_a_theft_from_a_cell_that_is_chosen_letters_are_no_commands(still: Still) -> None:
    """Who pressed them may have meant the output."""
    page = still.page
    first, text = opened(still, RESTING % 20)
    inside = first.frame_locator("iframe")
    expect(inside.locator("#in")).to_be_visible()
    text.click()
    page.keyboard.press("Escape")
    inside.locator("#in").evaluate("() => { setTimeout(() => { window.rests = false }, 100) }")
    for _ in range(100):
        page.keyboard.press("ArrowUp")
        if first.get_by_role("alert").count():
            break
        page.wait_for_timeout(50)

    expect(first.get_by_role("alert")).to_contain_text(NOTE)
    expect(first).to_be_focused()
    page.keyboard.press("Control+m")
    page.keyboard.press("d")
    expect(page.get_by_text("What you typed did nothing").first).to_be_visible()
    expect(page.locator(".cells .cell")).to_have_count(2)
