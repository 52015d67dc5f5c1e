"""The history of a notebook in the page: looked at, compared, one cell brought back beside a colleague, taken back."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import browser, signed_in
from support.looking import violations
from support.notebook import cell
from support.server import Server, server

pytestmark = [pytest.mark.browser]

ADA, BOB = "ada@example.org", "bob@example.org"
BEFORE = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"


@dataclass
class House:
    """A server without runtimes, and two people at one notebook."""

    server: Server
    chromium: Browser
    ada: Page
    bob: Page
    notebook: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        ada, bob = (signed_in(chromium, running.url, email) for email in (ADA, BOB))
        sources = {"mean": BEFORE, "show": "print(mean([1, 2, 3]))"}
        notebook = running.notebook(token, sources, name="history.ipynb", shared={BOB: "editor"})
        yield House(running, chromium, ada, bob, notebook)


def opened(page: Page, house: House) -> None:
    page.goto(f"{house.server.url}/notebooks/{house.notebook}")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    expect(page.get_by_role("listitem", name="Code cell").first).to_be_visible()


def write(page: Page, id: str, text: str) -> None:
    """At the end of a cell."""
    source = cell(page, id).get_by_role("textbox", name="Source")
    source.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")


def file_menu(page: Page, entry: str) -> None:
    page.get_by_role("menuitem", name="File").click()
    page.get_by_role("menuitem", name=re.compile(f"^{entry}")).or_(
        page.get_by_role("menuitemcheckbox", name=re.compile(f"^{entry}"))
    ).click()


def test_one_cell_is_brought_back_while_a_colleague_types_and_that_is_taken_back(house: House) -> None:
    ada, bob = house.ada, house.bob
    opened(ada, house)
    opened(bob, house)
    file_menu(ada, "Save and pin revision")
    dialog = ada.get_by_role("dialog", name="Save and pin revision")
    dialog.get_by_role("textbox", name="Name").fill("Before <b>Bob</b>")
    dialog.get_by_role("button", name="Save").click()
    write(bob, "mean", "# Bob was here")
    write(bob, "show", "  # twice")
    expect(cell(ada, "mean")).to_contain_text("Bob was here")

    file_menu(ada, "Revision history")
    panel = ada.get_by_role("complementary", name="Revision history")
    entry = panel.get_by_role("listitem").filter(has_text="Before <b>Bob</b>")
    entry.get_by_role("button").first.click()
    past = ada.get_by_role("region", name="The past")
    expect(past).to_contain_text("You are looking at Before <b>Bob</b>")
    expect(ada.get_by_role("list", name="Cells of the revision")).not_to_contain_text("Bob was here")
    assert violations(ada) == {}

    past.get_by_role("button", name="Compare with now").click()
    differences = ada.get_by_role("list", name="Differences")
    expect(differences.get_by_role("listitem")).to_have_count(2)
    expect(differences).to_contain_text("Bob was here")
    assert violations(ada) == {}
    write(bob, "show", "!")
    differences.locator('[data-cell-id="mean"]').get_by_role("button", name="Restore this cell").click()
    expect(ada.get_by_text("The cell was restored")).to_be_visible()
    expect(cell(bob, "mean")).not_to_contain_text("Bob was here")
    write(bob, "mean", "# and is still")
    past.get_by_role("button", name="Close").click()
    expect(cell(ada, "mean")).to_contain_text("and is still")
    expect(cell(ada, "show")).to_contain_text("# twice!")

    ada.get_by_role("button", name="Undo", exact=True).click()
    for page in (ada, bob):
        expect(cell(page, "mean")).to_contain_text("# Bob was here")
        expect(cell(page, "mean")).to_contain_text("# and is still")
        expect(cell(page, "show")).to_contain_text("# twice!")
    expect(panel.get_by_role("listitem").filter(has_text="Restored")).to_have_count(1)


def test_what_one_cell_said_over_time_is_stepped_through_by_keys(house: House) -> None:
    ada = house.ada
    opened(ada, house)
    write(ada, "show", "\n# Ada too")
    cell(ada, "show").hover()
    cell(ada, "show").get_by_role("button", name="More cell actions").click()
    ada.get_by_role("menuitem", name="History of this cell").click()
    slider = ada.get_by_role("slider", name="Version")
    slider.focus()
    ada.keyboard.press("Home")
    expect(ada.get_by_text("version 1 of")).to_be_visible()
    assert violations(ada) == {}
    ada.get_by_role("button", name="Restore this version").click()
    expect(cell(ada, "show")).not_to_contain_text("Ada too")

    ada.get_by_role("button", name="Undo", exact=True).click()

    expect(cell(ada, "show")).to_contain_text("Ada too")


def test_two_files_are_compared(house: House, tmp_path: Path) -> None:
    files = []
    for name, sources in (("before", ["a = 1", "b = 2"]), ("after", ["a = 1", "b = 3", "c = 4"])):
        cells = [{"cell_type": "code", "metadata": {}, "source": text, "outputs": []} for text in sources]
        path = tmp_path / f"{name}.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
        files.append(path)
    page = house.bob
    page.goto(f"{house.server.url}/diff")
    page.get_by_label("Before: a file").set_input_files(files[0])
    page.get_by_label("After: a file").set_input_files(files[1])
    page.get_by_role("button", name="Compare", exact=True).click()

    expect(page.get_by_role("list", name="Differences")).to_contain_text("1 cell is the same")
    expect(page.get_by_role("list", name="Differences")).to_contain_text("c = 4")
    assert violations(page) == {}


def test_on_a_phone_the_page_comes_to_the_differences(house: House, tmp_path: Path) -> None:
    page = signed_in(house.chromium, house.server.url, BOB, viewport={"width": 360, "height": 740})
    page.goto(f"{house.server.url}/diff")
    for name, source in (("Before", "a = 1"), ("After", "a = 2")):
        path = tmp_path / f"{name}.ipynb"
        cells = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []}]
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
        page.get_by_label(f"{name}: a file").set_input_files(path)
    page.get_by_role("button", name="Compare", exact=True).click()

    expect(page.get_by_role("list", name="Differences")).to_be_in_viewport()
    summary, bar = page.get_by_text("1 changed", exact=True).bounding_box(), page.locator("header").bounding_box()
    assert summary is not None
    assert bar is not None
    assert bar["y"] + bar["height"] <= summary["y"] < 370
    page.context.close()


def test_notebooks_of_the_drive_and_addresses_are_compared(house: House) -> None:
    opened(house.ada, house)
    page = house.ada
    page.goto(f"{house.server.url}/diff")
    before, after = page.get_by_role("region", name="Before"), page.get_by_role("region", name="After")
    before.get_by_role("button", name="From the drive").click()
    page.get_by_role("dialog").get_by_role("button", name="history.ipynb").first.click()
    expect(before.get_by_role("status")).to_have_text("history.ipynb")
    after.get_by_label("Or an address, here or on the web").fill(f"{house.server.url}/notebooks/{house.notebook}")
    after.get_by_role("button", name="Use it").click()
    expect(after.get_by_role("status")).to_have_text("history.ipynb")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="No differences")).to_be_visible()
    assert violations(page) == {}

    after.get_by_label("Or an address, here or on the web").fill("http://127.0.0.1:8080/private.ipynb")
    after.get_by_role("button", name="Use it").click()
    expect(after.get_by_role("status")).to_have_text("private.ipynb")
    page.get_by_role("button", name="Compare", exact=True).click()

    expect(page.get_by_text("There is no such public address.").first).to_be_visible()


def test_a_viewer_has_no_way_into_history(house: House) -> None:
    email = "vic@example.org"
    house.server.add_user(email)
    token = house.server.command("tokens", "create", ADA)
    with house.server.client(token) as api:
        grant = {"email": email, "role": "viewer"}
        api.put(f"/drive/items/{house.notebook}/grants", json=grant).raise_for_status()
    vic = signed_in(house.chromium, house.server.url, email)
    opened(vic, house)

    vic.get_by_role("menuitem", name="File").click()

    expect(vic.get_by_role("menuitemcheckbox", name="Revision history")).to_be_disabled()
