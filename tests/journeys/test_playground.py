"""A playground: somebody who may only look runs a cell, and the original knows nothing of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from support.browser import browser, signed_in
from support.notebook import cell
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server, Bob signed in, and both tokens."""

    server: Server
    bob: Page
    ada_token: str
    bob_token: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        ada, bob = running.add_user(ADA), running.add_user(BOB)
        yield House(running, signed_in(chromium, running.url, BOB), ada, bob)
        running.give_back(bob)


def test_a_viewer_runs_a_cell_in_a_playground_and_saves_a_copy_and_the_original_stays(house: House) -> None:
    cells = {"a": "print(6 * 7)", "b": "print('never')"}
    original = house.server.notebook(house.ada_token, cells, name="lesson.ipynb", shared={BOB: "viewer"})
    page = house.bob
    page.goto(f"{house.server.url}/notebooks/{original}")
    expect(page.get_by_role("region", name="Your access")).to_contain_text("look at this notebook")

    cell(page, "a").hover()
    cell(page, "a").get_by_role("button", name="Run cell").click()
    bar = page.get_by_role("region", name="Playground")
    expect(bar).to_contain_text("Changes are not kept")
    assert original not in page.url
    expect(cell(page, "a").get_by_role("region", name="Output")).to_have_text("42")

    source = cell(page, "b").get_by_role("textbox", name="Source")
    source.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("print('mine')")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    bar.get_by_role("button", name="Save a copy").click()
    expect(bar).to_have_count(0)
    expect(page.get_by_role("textbox", name="Notebook name")).to_have_value("Copy of lesson.ipynb")
    copy = re.sub(r".*/notebooks/", "", page.url)
    with house.server.client(house.ada_token) as api:
        before = api.get(f"/notebooks/{original}/content").raise_for_status().json()
        assert ["".join(one["source"]) for one in before["cells"]] == list(cells.values())
        assert [one["outputs"] for one in before["cells"]] == [[], []]
        assert api.get(f"/notebooks/{copy}").status_code == 404
    with house.server.client(house.bob_token) as api:
        after = api.get(f"/notebooks/{copy}/content").raise_for_status().json()
    assert ["".join(one["source"]) for one in after["cells"]] == ["print(6 * 7)", "print('mine')"]
    assert "".join(after["cells"][0]["outputs"][0]["text"]) == "42\n"


def test_a_playground_is_the_same_one_when_one_comes_back_and_gone_when_it_is_discarded(house: House) -> None:
    original = house.server.notebook(house.ada_token, {"a": "1"}, name="again.ipynb", shared={BOB: "commenter"})
    page = house.bob
    page.goto(f"{house.server.url}/notebooks/{original}")
    page.get_by_role("button", name="Open in playground").click()
    bar = page.get_by_role("region", name="Playground")
    expect(bar).to_be_visible()
    first = page.url
    bar.get_by_role("link", name="Back to the original").click()
    page.get_by_role("button", name="Open in playground").click()
    expect(bar).to_be_visible()
    assert page.url == first

    bar.get_by_role("button", name="Discard").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_role("region", name="Your access")).to_be_visible()
    page.get_by_role("button", name="Open in playground").click()
    expect(bar).to_be_visible()
    assert page.url != first


def test_an_editor_opens_one_from_the_menu(house: House) -> None:
    original = house.server.notebook(house.ada_token, {"a": "1"}, name="mine.ipynb", shared={BOB: "editor"})
    page = house.bob
    page.goto(f"{house.server.url}/notebooks/{original}")
    expect(cell(page, "a")).to_be_visible()
    expect(page.get_by_role("region", name="Your access")).to_have_count(0)

    page.get_by_role("menuitem", name="File").click()
    page.get_by_role("menuitem", name="Notebook info").click()
    expect(page.get_by_role("dialog", name="Notebook info")).to_contain_text("1 code cell")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("menuitem", name="File").click()
    page.get_by_role("menuitem", name="Open in playground").click()
    expect(page.get_by_role("region", name="Playground")).to_be_visible()
