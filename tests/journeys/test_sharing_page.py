"""Sharing in the browser: a colleague opens it, a role bites, a guest comes by a link, and goes with it."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import PATIENCE_MS, signed_in
from support.server import PASSWORD, Server, server

pytestmark = [pytest.mark.browser]

ADA, BOB, CAT = "ada@example.org", "bob@example.org", "cat@example.org"
TYPED = "seen_by_all = 1"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server that runs nothing, with three people."""
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running:
        for email in (ADA, BOB, CAT):
            running.add_user(email, admin=email == ADA)
        yield running


@pytest.fixture(scope="module")
def token(running: Server) -> str:
    return running.command("tokens", "create", ADA)


def source(page: Page) -> str:
    return page.locator("[data-cell-id=c0] .cm-content, [data-cell-id=c0] pre").first.inner_text()


def read_only(page: Page) -> Locator:
    """The editor, once it takes no letters."""
    return page.locator("[data-cell-id=c0] .cm-content[aria-readonly=true]")


def choose(page: Page, label: str, option: str) -> None:
    """One of a few, by the keyboard's and the screen reader's names."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def guest(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def test_a_colleague_and_a_guest_come_and_go(running: Server, chromium: Browser, token: str) -> None:
    notebook = running.notebook(token, {"c0": "x = 1"}, name="shared.ipynb")
    address = f"{running.url}/notebooks/{notebook}"
    ada, bob = signed_in(chromium, running.url, ADA), signed_in(chromium, running.url, BOB)
    ada.goto(address)
    expect(ada.get_by_role("listitem", name="Code cell")).to_be_visible()

    # Share with a colleague, found by the first letters of a name.
    ada.get_by_role("button", name="Share").click()
    field = ada.get_by_role("combobox", name="Add people and groups")
    field.press_sequentially("bob@")
    expect(ada.get_by_role("option", name=re.compile("bob"))).to_be_visible()
    field.press("Enter")
    ada.get_by_role("button", name="Add", exact=True).click()
    expect(ada.get_by_role("list", name="People with access").get_by_text(BOB)).to_be_visible()

    # They open it in a browser of their own, and write.
    bob.goto(address)
    bob.get_by_role("listitem", name="Code cell").get_by_role("textbox", name="Source").click()
    bob.keyboard.press("ControlOrMeta+a")
    bob.keyboard.type(TYPED)
    expect(bob.get_by_role("status", name="Save status")).to_have_text("Saved")
    assert TYPED in source(bob)

    # From now on they may only look: nothing is reloaded, nothing that was typed is lost.
    bob.evaluate("window.sameTab = true")
    choose(ada, "Role of bob", "Viewer")
    chosen = time.monotonic()
    expect(read_only(bob)).to_have_count(1)
    print(f"\nread-only {time.monotonic() - chosen:.3f} s after the choice, playwright's own time included")
    assert bob.evaluate("window.sameTab") is True
    bob.keyboard.type("not written")
    assert TYPED in source(bob)
    assert "not written" not in source(bob)

    # Whoever has the link may read.
    choose(ada, "Who may open it", "Anyone with the link")
    expect(ada.get_by_text("also without an account")).to_be_visible()
    nobody = guest(chromium, address)
    expect(nobody.get_by_role("listitem", name="Code cell")).to_be_visible()
    assert TYPED in source(nobody)
    expect(read_only(nobody)).to_have_count(1)
    expect(nobody.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    for absent in ("Share", "Comments", "Run all"):
        expect(nobody.get_by_role("button", name=absent, exact=True)).to_have_count(0)
    nobody.get_by_role("listitem", name="Code cell").click()
    expect(ada.get_by_role("button", name="Go to Guest", include_hidden=True)).to_have_count(1)

    # Restricted again: the guest is told, and may sign in at the same place.
    choose(ada, "Who may open it", "Restricted")
    expect(nobody.get_by_role("heading", name="This notebook is not open to everybody any more")).to_be_visible()
    nobody.get_by_role("button", name="Sign in", exact=True).click()
    nobody.get_by_role("textbox", name="Email").fill(BOB)
    nobody.get_by_role("textbox", name="Password").fill(PASSWORD)
    nobody.get_by_role("button", name="Sign in", exact=True).click()
    expect(nobody.get_by_role("listitem", name="Code cell")).to_be_visible()
    assert nobody.url == address
    fresh = guest(chromium, address)
    expect(fresh.get_by_role("textbox", name="Email")).to_be_visible()
    for page in (ada, bob, nobody, fresh):
        page.context.close()


def test_what_was_typed_and_not_sent_is_kept_when_the_right_to_write_goes(
    running: Server, chromium: Browser, token: str
) -> None:
    notebook = running.notebook(token, {"c0": "x = 1"}, name="kept.ipynb", shared={BOB: "editor"})
    bob = signed_in(chromium, running.url, BOB)
    bob.goto(f"{running.url}/notebooks/{notebook}")
    cell = bob.get_by_role("listitem", name="Code cell").get_by_role("textbox", name="Source")
    cell.click()
    expect(bob.get_by_role("status", name="Save status")).to_have_text("Saved")
    bob.context.set_offline(True)
    bob.keyboard.type("UNSENT ")
    expect(bob.get_by_role("status", name="Save status")).to_contain_text("Offline")
    with running.client(token) as api:
        grant = {"email": BOB, "role": "viewer"}
        api.put(f"/drive/items/{notebook}/grants", json=grant).raise_for_status()

    bob.context.set_offline(False)
    expect(read_only(bob)).to_have_count(1)
    expect(bob.get_by_text(re.compile("kept|never got", re.I)).first).to_be_visible()
    with running.client(token) as api:
        assert "UNSENT" not in api.get(f"/notebooks/{notebook}/content").text
    bob.context.close()


def test_a_group_a_link_from_a_folder_and_a_new_owner(running: Server, chromium: Browser, token: str) -> None:
    ada = signed_in(chromium, running.url, ADA)
    ada.goto(f"{running.url}/account")
    ada.get_by_role("textbox", name="Name of the new group").fill("Physics")
    ada.get_by_role("button", name="Create group").click()
    ada.get_by_role("combobox", name="Add to Physics").fill(CAT)
    ada.get_by_role("button", name="Add", exact=True).click()
    expect(ada.get_by_role("list", name="Members of Physics").get_by_text(CAT)).to_be_visible()

    with running.client(token) as api:
        folder = api.post("/drive/folders", json={"name": "Course"}).raise_for_status().json()["id"]
        link = {"audience": "signed_in", "role": "viewer"}
        api.put(f"/drive/items/{folder}/link", json=link).raise_for_status()
        made = api.post("/notebooks", params={"name": "lesson.ipynb", "folder": folder}).raise_for_status().json()
    ada.goto(f"{running.url}/notebooks/{made['id']}")
    ada.get_by_role("button", name="Share").click()
    expect(ada.get_by_text("that comes from the folder “Course”")).to_be_visible()
    field = ada.get_by_role("combobox", name="Add people and groups")
    field.press_sequentially("phy")
    ada.get_by_role("option", name=re.compile("Physics")).click()
    ada.get_by_role("button", name="Add", exact=True).click()
    expect(ada.get_by_role("list", name="People with access").get_by_text("Physics")).to_be_visible()

    cat = signed_in(chromium, running.url, CAT)
    cat.goto(f"{running.url}/notebooks/{made['id']}")
    expect(cat.get_by_role("button", name="Run all")).to_be_enabled()
    ada.get_by_role("button", name="Transfer ownership…").click()
    ada.get_by_role("combobox", name="New owner").fill(CAT)
    ada.get_by_role("button", name="Transfer ownership", exact=True).click()
    expect(ada.get_by_text("Only the owner can change with whom it is shared.")).to_be_visible()
    cat.get_by_role("button", name="Share").click()
    expect(cat.get_by_role("button", name="Transfer ownership…")).to_be_visible()
    expect(cat.get_by_role("list", name="People with access").get_by_text(ADA)).to_be_visible()
    for page in (ada, cat):
        page.context.close()
