"""The whole way by keys alone, from signing in to answering a comment; and whoever goes it sees where they are."""

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import PATIENCE_MS, browser
from support.server import PASSWORD, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB, CAT = "ada@example.org", "bob@example.org", "cat@example.org"
STEPS_MAX = 80
FOCUSED = """() => {
    const element = document.activeElement
    if (!element || element === document.body) return null
    // What shows the focus: the element itself, or what holds it, as a cell does for its editor.
    const marked = (one) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
    }
    let one = element
    for (let up = 0; one && up < 6; up += 1, one = one.parentElement) if (marked(one)) return null
    return element.outerHTML.slice(0, 200)
}"""


class Keys:
    """Somebody who only has a keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.unseen: list[str] = []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def to(self, wanted: Locator, key: str = "Tab") -> None:
        """Step until the focus is there."""
        expect(wanted.first).to_be_visible()
        for _ in range(STEPS_MAX):
            if wanted.first.evaluate("(one) => one === document.activeElement"):
                return
            self.press(key)
            lost = self.page.evaluate(FOCUSED)
            if lost is not None:
                self.unseen.append(lost)
        raise AssertionError(f"{key} does not lead to {wanted}")


def test_a_whole_visit_by_keys_alone() -> None:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        bobs = running.add_user(BOB)
        running.add_user(CAT)
        notebook = running.notebook(token, {"a": "6 * 7", "b": ""}, name="Lesson.ipynb", shared={BOB: "commenter"})
        with running.client(token) as api:
            api.post(f"/notebooks/{notebook}/revisions", json={"label": "Before all"}).raise_for_status()
        with running.client(bobs) as api:
            said = {"place": {"cell": "a"}, "text": "Why six?", "draft": "why"}
            api.post(f"/notebooks/{notebook}/comments", json=said).raise_for_status()
        page = chromium.new_context(viewport={"width": 1360, "height": 820}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        keys = Keys(page)

        page.goto(running.url)
        keys.to(page.get_by_role("textbox", name="Email"))
        page.keyboard.type(ADA)
        keys.to(page.get_by_role("textbox", name="Password", exact=True))
        page.keyboard.type(PASSWORD)
        keys.press("Enter")
        keys.to(page.get_by_role("link", name="Notebooks"))
        keys.press("Enter")
        keys.to(page.get_by_role("link", name="Lesson.ipynb"))
        keys.press("Enter")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")

        # Tab comes to one cell, and Enter into its text.
        keys.to(page.locator('[data-cell-id="a"]'))
        keys.press("Enter")
        expect(page.locator('[data-cell-id="a"] .cm-content')).to_be_focused()
        keys.press("Control+Enter")
        expect(page.locator('[data-cell-id="a"]')).to_contain_text("42")
        expect(page.get_by_role("status", name="News of the notebook")).to_have_text("Cell 1 is done")

        # Tab indents in an editor; Escape leads out of it.
        keys.press("Escape")
        share = page.get_by_role("button", name="Share", exact=True)
        keys.to(share, "Shift+Tab")
        keys.press("Enter")
        field = page.get_by_role("combobox", name="Add people and groups")
        expect(field).to_be_focused()
        page.keyboard.type("cat@")
        expect(page.get_by_role("option", name="cat")).to_be_visible()
        keys.press("Enter")
        keys.to(page.get_by_role("button", name="Add", exact=True))
        keys.press("Enter")
        expect(page.get_by_role("list", name="People with access").get_by_text(CAT)).to_be_visible()
        expect(field).to_be_focused()
        keys.press("Escape")
        expect(share).to_be_focused()

        keys.to(page.get_by_role("menuitem", name="File", exact=True), "Shift+Tab")
        keys.press("Enter")
        keys.to(page.get_by_role("menuitemcheckbox", name="Revision history"), "ArrowDown")
        keys.press("Enter")
        panel = page.get_by_role("complementary", name="Revision history")
        keys.to(panel.get_by_role("listitem").filter(has_text="Before all").get_by_role("button").first)
        keys.press("Enter")
        past = page.get_by_role("region", name="The past")
        expect(past).to_contain_text("You are looking at Before all")
        keys.to(past.get_by_role("button", name="Close"))
        keys.press("Enter")
        expect(past).to_have_count(0)

        keys.to(page.get_by_role("button", name="Comments", exact=True), "Shift+Tab")
        keys.press("Enter")
        comments = page.get_by_role("complementary", name="Comments")
        keys.to(comments.locator(".thread-about"))
        keys.press("Enter")
        keys.to(comments.get_by_role("combobox", name="Reply"))
        page.keyboard.type("Because of seven.")
        with page.expect_response(lambda answer: answer.request.method == "POST" and "/comments/" in answer.url):
            keys.press("Control+Enter")
        expect(comments.get_by_text("Because of seven.")).to_be_visible()
        with running.client(token) as api:
            (thread,) = api.get(f"/notebooks/{notebook}/comments").raise_for_status().json()["threads"]
        assert [comment["text"] for comment in thread["comments"]] == ["Why six?", "Because of seven."]
        assert keys.unseen == []
