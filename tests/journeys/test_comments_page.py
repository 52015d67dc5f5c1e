"""Talking about a notebook in two browsers: mention, bell, mail, reply, resolve; ranges that follow; hostile words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.mailbox import Mailbox, open_mailbox
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
SOURCE = "radius = 3\narea = 3.14 * radius ** 2\nprint(area)"


@dataclass
class House:
    """A server that sends mail, and two people in their browsers."""

    server: Server
    chromium: Browser
    mailbox: Mailbox
    token: str
    ada: Page
    bob: Page

    def open(self, bob: str, *cells: tuple[str, str]) -> str:
        """A fresh notebook of Ada's, open for both; Bob has this role."""
        sources = dict(cells or [("a", SOURCE), ("b", "last = 1")])
        notebook = self.server.notebook(self.token, sources, name="circles.ipynb", shared={BOB: bob})
        for page in (self.ada, self.bob):
            page.goto(f"{self.server.url}/notebooks/{notebook}")
            expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
        return notebook


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_mailbox(Mailbox()) as mailbox:
        mail = {
            "COLLEGIUM_MAIL__HOST": "127.0.0.1",
            "COLLEGIUM_MAIL__PORT": str(mailbox.port),
            "COLLEGIUM_MAIL__SECURITY": "none",
            "COLLEGIUM_MAIL__DELAY": "PT0.2S",
            "COLLEGIUM_MAIL__ADDRESS": "http://collegium.test",
        }
        with server(env={"COLLEGIUM_ENGINE": "none"} | mail) as running, browser() as chromium:
            token = running.add_user(ADA)
            running.add_user(BOB)
            ada, bob = (signed_in(chromium, running.url, email) for email in (ADA, BOB))
            yield House(running, chromium, mailbox, token, ada, bob)


def comments(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Comments")


def marks(page: Page) -> Locator:
    return page.locator(".talked")


def select(page: Page, cell: str, line: int, word: str) -> None:
    """Select a word of a line with the mouse, as people do."""
    source = page.locator(f'[data-cell-id="{cell}"] .source')
    source.click()
    expect(source.locator(".cm-content")).to_be_focused()
    text = source.locator(".cm-line").nth(line).get_by_text(word, exact=True)
    (text if text.count() else source.locator(".cm-line").nth(line)).first.dblclick(position={"x": 8, "y": 8})


def comment_on_selection(page: Page, text: str) -> None:
    page.keyboard.press("Control+Alt+m")
    field = page.get_by_role("combobox", name="Comment", exact=True)
    expect(field).to_be_focused()
    field.fill(text)
    page.keyboard.press("Control+Enter")
    expect(comments(page).get_by_text("Sending…")).to_have_count(0)


def test_a_mention_rings_is_mailed_is_answered_resolved_and_opened_again(house: House) -> None:
    house.open("commenter")
    bob, ada = house.bob, house.ada
    expect(bob.get_by_text("You may comment")).to_be_visible()
    expect(bob.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    select(bob, "a", 1, "area")
    bob.get_by_role("button", name="Comment on the selection").click()
    field = bob.get_by_role("combobox", name="Comment", exact=True)
    field.press_sequentially("Is this right, @ad")
    expect(bob.get_by_role("option")).to_have_count(1)
    bob.keyboard.press("Enter")
    expect(field).to_have_value("Is this right, @ada@example.org ")
    bob.keyboard.press("Control+Enter")
    expect(comments(bob).get_by_text("Is this right")).to_be_visible()
    expect(marks(bob)).to_have_text("area")

    expect(marks(ada)).to_have_text("area")
    expect(comments(ada)).to_have_count(0)
    ada.get_by_role("button", name="Notifications, 1 unread").click()
    house.mailbox.until(lambda: house.mailbox.texts(ADA), "mail to Ada")
    (text,) = house.mailbox.texts(ADA)
    place = re.search(r"http://collegium\.test(/notebooks/\S+#comment=\S+)", text)
    assert place is not None
    ada.get_by_role("button", name=re.compile("bob mentioned you in circles.ipynb")).click()
    expect(comments(ada).get_by_role("combobox", name="Reply")).to_be_visible()
    expect(ada.get_by_role("button", name="Notifications", exact=True)).to_be_visible()

    ada.goto("about:blank")
    ada.goto(house.server.url + place[1])
    reply = comments(ada).get_by_role("combobox", name="Reply")
    reply.fill("**Yes**: `pi` is short.")
    reply.press("Control+Enter")
    expect(comments(bob).get_by_text("Yes", exact=True)).to_be_visible()
    expect(bob.get_by_role("button", name="Notifications, 2 unread")).to_be_visible()
    comments(ada).get_by_role("button", name="Resolve", exact=True).click()
    expect(marks(bob)).to_have_count(0)
    expect(comments(bob).get_by_role("listitem")).to_have_count(0)
    comments(bob).get_by_role("button", name="Resolved", exact=True).click()
    expect(comments(bob).get_by_text("Resolved by ada")).to_be_visible()
    comments(bob).get_by_role("button", name="Reopen").click()
    expect(marks(ada)).to_have_text("area")


def test_a_commenter_comments_and_edits_nothing(house: House) -> None:
    house.open("commenter")
    bob = house.bob
    source = bob.locator('[data-cell-id="a"] .source')
    source.click()
    bob.keyboard.type("mine")
    expect(source.locator(".cm-line").first).to_have_text("radius = 3")
    bob.get_by_role("button", name="Comment on cell").click()
    bob.get_by_role("combobox", name="Comment", exact=True).fill("On all of it")
    bob.keyboard.press("Control+Enter")

    expect(bob.get_by_role("button", name="1 thread of comments")).to_be_visible()
    house.ada.get_by_role("button", name="1 thread of comments").click()
    expect(comments(house.ada).get_by_text("On all of it")).to_be_visible()


def test_a_range_follows_what_others_type_and_is_quoted_when_it_is_gone(house: House) -> None:
    house.open("editor")
    bob, ada = house.bob, house.ada
    select(ada, "a", 1, "area")
    comment_on_selection(ada, "a good name")
    expect(marks(bob)).to_have_text("area")
    bob.locator('[data-cell-id="a"] .source').click()
    bob.keyboard.press("Control+Home")
    bob.keyboard.type("# circles\n")
    expect(marks(ada)).to_have_text("area")
    expect(ada.locator('[data-cell-id="a"] .cm-line').nth(2).locator(".talked")).to_have_text("area")

    ada.locator('[data-cell-id="a"]').hover()
    bob.get_by_role("button", name="Delete cell").click()
    expect(comments(ada).get_by_text("The cell was deleted")).to_be_visible()
    expect(comments(ada).get_by_text("area", exact=True)).to_be_visible()
    bob.get_by_role("button", name="Undo", exact=True).click()
    expect(comments(ada).get_by_text("The cell was deleted")).to_have_count(0)
    expect(marks(ada)).to_have_text("area")


def test_what_was_not_sent_is_kept_and_sent_when_asked_again(house: House) -> None:
    house.open("commenter")
    bob = house.bob
    bob.route("**/comments", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    bob.get_by_role("button", name="Comments", exact=True).click()
    select(bob, "a", 1, "area")
    bob.keyboard.press("Control+Alt+m")
    bob.get_by_role("combobox", name="Comment", exact=True).fill("half a thought")
    bob.get_by_role("button", name="Close comments").click()
    bob.get_by_role("button", name="Comments", exact=True).click()
    expect(bob.get_by_role("combobox", name="Comment", exact=True)).to_have_value("half a thought")
    bob.get_by_role("button", name="Comment", exact=True).click()
    expect(comments(bob).get_by_text("Not sent")).to_be_visible()
    bob.reload()
    bob.get_by_role("button", name="Comments", exact=True).click()
    expect(comments(bob).get_by_text("Not sent")).to_be_visible()
    bob.unroute("**/comments")
    comments(bob).get_by_role("button", name="Try again").click()

    expect(comments(bob).get_by_text("Not sent")).to_have_count(0)
    expect(marks(house.ada)).to_have_text("area")


def test_hostile_words_and_anchors_do_nothing_to_the_page(house: House) -> None:
    notebook = house.open("commenter")
    ada = house.ada
    errors: list[str] = []
    outside: list[str] = []
    ada.on("pageerror", lambda error: errors.append(str(error)))
    ada.on("request", lambda request: outside.append(request.url) if "evil.example" in request.url else None)
    words = [
        '<script>document.title="owned"</script><img src=https://evil.example/x onerror=alert(1)>',
        '![x](https://evil.example/p.png) [x](javascript:alert(1)) javascript:alert(1) https://evil.example/"onclick=1',
        "\u202eesrever " + "@" * 3900,
    ]
    anchors: list[Any] = [
        {"start": "////", "end": "AAAA"},
        {"start": "A" * 200, "end": "A" * 200},
        {"start": "AP8Aww==", "end": "AQEBAQ=="},
        {"start": "AgD//////////w8=", "end": "AgD//////////w8="},
    ]
    with house.server.client(house.token) as api:
        for number, anchor in enumerate(anchors):
            place = {"cell": "a" if number else "no-such-cell", "anchor": anchor, "quote": words[0]}
            said = api.post(f"/notebooks/{notebook}/comments", json={"place": place, "text": words[number % 3]})
            said.raise_for_status()
    ada.get_by_role("button", name="Comments", exact=True).click()
    cards = comments(ada).get_by_role("list", name="Threads").locator("> li")
    expect(cards).to_have_count(len(anchors))
    for number in range(len(anchors)):
        cards.nth(number).click()

    assert comments(ada).locator("script, img, iframe").count() == 0
    links = comments(ada).locator("a").all()
    assert all(str(link.get_attribute("href")).startswith("https://evil.example/") for link in links)
    assert {link.get_attribute("rel") for link in links} == {"noopener noreferrer nofollow"}
    assert {link.get_attribute("onclick") for link in links} == {None}
    expect(ada).to_have_title(re.compile("circles"))
    assert errors == []
    assert outside == []
    expect(ada.get_by_role("status", name="Save status")).to_have_text("Saved")


def test_a_link_to_a_comment_that_is_gone_says_so(house: House) -> None:
    notebook = house.open("viewer")
    house.bob.goto("about:blank")
    house.bob.goto(f"{house.server.url}/notebooks/{notebook}#comment={'0' * 22}")

    expect(house.bob.get_by_text("This comment is not there any more")).to_be_visible()
