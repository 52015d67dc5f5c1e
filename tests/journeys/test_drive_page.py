"""The drive's page under the hands of people: search, stars, what was opened, the trash, copies, details."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import at_home, browser
from support.looking import violations
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server and two people signed in, with Ada's token."""

    server: Server
    ada: Page
    bob: Page
    token: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    env = {"COLLEGIUM_DRIVE__QUOTA": "5000000", "COLLEGIUM_ENGINE": "none"}
    with server(env=env) as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        yield House(running, open_as(chromium, running, ADA), open_as(chromium, running, BOB), token)


def open_as(chromium: Browser, running: Server, email: str) -> Page:
    return at_home(chromium, running.url, email)


def files(page: Page) -> Locator:
    return page.get_by_role("grid", name="Files")


def row(page: Page, name: str) -> Locator:
    return files(page).get_by_role("row").filter(has=page.get_by_role("link", name=name))


def go(page: Page, section: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=section).click()
    expect(page.get_by_role("heading", name=section, level=1)).to_be_visible()


def choose(page: Page, name: str, entry: str) -> None:
    files(page).get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name=entry).click()


def test_search_finds_a_cell_of_a_colleagues_shared_notebook_and_not_of_a_private_one(house: House) -> None:
    text = {"a": "velocity = 3\ndef axolotl(<b>): pass"}
    house.server.notebook(house.token, text, name="shared.ipynb", shared={BOB: "viewer"})
    house.server.notebook(house.token, text, name="private.ipynb")
    field = house.bob.get_by_role("searchbox", name="Search your drive")

    field.press_sequentially("axol")
    found = row(house.bob, "shared.ipynb")
    expect(found).to_be_visible()
    expect(found.locator("mark")).to_have_text("axol")
    expect(found).to_contain_text("(<b>)")
    expect(files(house.bob).get_by_role("link", name="private.ipynb")).to_have_count(0)
    house.bob.get_by_role("button", name="Owned by me").click()
    expect(house.bob.get_by_text("Nothing has “axol”")).to_be_visible()
    house.bob.get_by_role("button", name="Owned by me").click()
    house.bob.reload()
    found.get_by_role("link").click()
    expect(house.bob.locator('[data-cell-id="a"]')).to_be_visible()
    house.bob.goto(house.server.url)


def test_a_star_keeps_an_item_at_hand_and_an_opened_notebook_is_recent(house: House) -> None:
    notebook = house.server.notebook(house.token, {"a": "1"}, name="daily.ipynb")
    page = house.ada
    page.goto(f"{house.server.url}/notebooks/{notebook}")
    expect(page.locator('[data-cell-id="a"]')).to_be_visible()
    page.goto(house.server.url)
    go(page, "Starred")
    expect(page.get_by_text("Nothing is starred yet")).to_be_visible()

    go(page, "Recent")
    row(page, "daily.ipynb").hover()
    page.get_by_role("button", name="Star daily.ipynb").click()
    expect(page.get_by_role("button", name="Star daily.ipynb")).to_have_attribute("aria-pressed", "true")
    go(page, "Starred")
    expect(row(page, "daily.ipynb")).to_be_visible()
    choose(page, "daily.ipynb", "Remove the star")
    expect(page.get_by_text("Nothing is starred yet")).to_be_visible()


def test_from_a_list_of_what_lies_in_many_places_files_go_to_ones_own_drive(house: House) -> None:
    page = house.ada
    go(page, "Recent")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files({"name": "brought.txt", "mimeType": "text/plain", "buffer": b"brought"})

    expect(page.get_by_role("region", name="Uploads").get_by_role("status")).to_have_text("Uploads complete")
    go(page, "My drive")
    expect(row(page, "brought.txt")).to_be_visible()


def test_what_is_trashed_can_be_restored_and_the_trash_emptied(house: House) -> None:
    page = house.ada
    for name in ("one.ipynb", "two.ipynb", "three.ipynb"):
        with house.server.client(house.token) as api:
            made = api.post("/notebooks", params={"name": name, "folder": "root"}).raise_for_status().json()
            api.post(f"/drive/items/{made['id']}/trash").raise_for_status()
    page.goto(house.server.url)
    go(page, "Trash")

    choose(page, "one.ipynb", "Restore")
    expect(files(page).get_by_text("one.ipynb")).to_have_count(0)
    page.get_by_role("button", name="Empty trash").click()
    dialog = page.get_by_role("alertdialog", name="Empty the trash?")
    expect(dialog).to_contain_text("2 items are deleted forever")
    dialog.get_by_role("button", name="Empty trash").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    go(page, "My drive")
    expect(row(page, "one.ipynb")).to_be_visible()


def test_a_folder_is_copied_and_a_notebook_tells_about_itself(house: House) -> None:
    page = house.ada
    with house.server.client(house.token) as api:
        folder = api.post("/drive/folders", json={"name": "Course"}).raise_for_status().json()["id"]
        api.post("/notebooks", params={"name": "lesson.ipynb", "folder": folder}).raise_for_status()
    page.goto(house.server.url)

    choose(page, "Course", "Make a copy")
    row(page, "Copy of Course").get_by_role("link").click()
    choose(page, "lesson.ipynb", "Details")
    dialog = page.get_by_role("dialog", name="lesson.ipynb")
    expect(dialog).to_contain_text("Copy of Course")
    expect(dialog).to_contain_text("1 code cell, 0 text cells")
    expect(dialog).to_contain_text("Private")
    dialog.get_by_role("button", name="Close").click()


def test_the_drive_says_how_much_of_it_is_used(house: House) -> None:
    page = house.ada
    page.goto(house.server.url)

    expect(page.get_by_role("region", name="Storage")).to_contain_text("of 5.0 MB")
    expect(page.get_by_role("meter", name="Storage used")).to_be_visible()


def test_a_full_drive_says_what_to_do_to_who_copies_and_to_who_gives_away(house: House) -> None:
    bobs = house.server.command("tokens", "create", BOB)
    with house.server.client(house.token) as api, house.server.client(bobs) as other:
        large = b"x" * 3_000_000
        made = api.post("/drive/files", params={"name": "large.bin"}, content=large).raise_for_status().json()["id"]
        theirs = (
            other.post("/drive/files", params={"name": "theirs.bin"}, content=large).raise_for_status().json()["id"]
        )
    page = house.ada
    page.goto(f"{house.server.url}/")
    choose(page, "large.bin", "Make a copy")
    expect(page.get_by_text("There is no room left in your drive.").first).to_be_visible()
    expect(page.get_by_text("empty the trash").first).to_be_visible()

    choose(page, "large.bin", "Share")
    page.get_by_role("button", name="Transfer ownership…").click()
    page.get_by_role("combobox", name="New owner").fill(BOB)
    page.get_by_role("button", name="Transfer ownership", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("They have to delete something for good")).to_be_visible()
    assert violations(page) == {}

    page.keyboard.press("Escape")
    with house.server.client(house.token) as api, house.server.client(bobs) as other:
        for client, item in ((api, made), (other, theirs)):
            client.post(f"/drive/items/{item}/trash").raise_for_status()
            client.delete(f"/drive/items/{item}").raise_for_status()
