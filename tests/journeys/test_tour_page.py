"""A newcomer's first minutes: the tour that an empty drive offers, and the forms in it, between two people."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server, its browser, and Ada's token."""

    server: Server
    chromium: Browser
    token: str


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        yield House(running, chromium, token)


def cells(page: Page) -> Locator:
    return page.get_by_role("list", name="Cells").get_by_role("listitem")


def form(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=f"Form: {title}")


def test_the_tour_of_an_empty_drive_runs_and_its_form_runs_again_by_itself(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA)
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("textbox", name="Notebook name")).to_have_value("A tour of Collegium.ipynb")
    page.get_by_role("button", name="Run all", exact=True).click()
    expect(page.get_by_text("Hello from Python")).to_be_visible()
    expect(page.get_by_text("After 20 years: 2,191.12")).to_be_visible()
    expect(page.get_by_role("cell", name="Lagos")).to_be_visible()

    interest = form(page, "Compound interest")
    expect(interest.get_by_text("Interest is added once a year.")).to_be_visible()
    years = interest.get_by_role("slider", name="years:")
    years.focus()
    years.press("ArrowRight")
    # The code says what the field says, and the cell runs again without being asked.
    expect(cells(page).filter(has=interest).get_by_label("Source")).to_contain_text("years = 21 # @param")
    expect(page.get_by_text("After 21 years: 2,278.77")).to_be_visible()


def test_what_one_sets_in_a_form_another_sees_and_undo_takes_it_back(house: House) -> None:
    lines = [
        '# @title Choice { display-mode: "form" }',
        'name = \'a\' #@param ["a", "b"] {allow-input: true}',
        'raw = 1 # @param {type:"raw"}',
        "print(name, raw)",
    ]
    notebook = house.server.notebook(house.token, {"c": "\n".join(lines)}, name="form.ipynb", shared={BOB: "viewer"})
    ada, bob = (signed_in(house.chromium, house.server.url, who) for who in (ADA, BOB))
    for page in (ada, bob):
        page.goto(f"{house.server.url}/notebooks/{notebook}")
        # The title asks for the form alone.
        expect(form(page, "Choice")).to_be_visible()
        expect(cells(page).get_by_label("Source")).to_have_count(0)
    expect(form(bob, "Choice").get_by_label("name:")).to_be_disabled()

    form(ada, "Choice").get_by_label("name:").fill("it's new")
    expect(form(bob, "Choice").get_by_label("name:")).to_have_value("it's new")
    form(ada, "Choice").get_by_label("raw:").fill("5 # swallowed")
    expect(form(ada, "Choice").get_by_role("alert")).to_be_visible()

    form(ada, "Choice").get_by_role("button", name="Show code").click()
    expect(cells(ada).get_by_label("Source")).to_contain_text('name = "it\'s new" #@param ["a", "b"]')
    expect(cells(ada).get_by_label("Source")).to_contain_text("raw = 1 # @param")
    expect(cells(bob).get_by_label("Source")).to_have_count(0)


def test_a_field_is_added_and_changed_in_a_dialog(house: House) -> None:
    notebook = house.server.notebook(house.token, {"c": "print(n)"}, name="dialog.ipynb")
    page = signed_in(house.chromium, house.server.url, ADA)
    page.goto(f"{house.server.url}/notebooks/{notebook}")
    cells(page).get_by_label("Source").click()
    page.get_by_role("menuitem", name="Insert").click()
    page.get_by_role("menuitem", name="Add a form field…").click()
    dialog = page.get_by_role("dialog", name="Add a form field")
    dialog.get_by_role("combobox", name="Kind of field").click()
    page.get_by_role("option", name="Slider").click()
    dialog.get_by_role("textbox", name="Name of the variable").fill("1n")
    expect(dialog.get_by_role("button", name="Add", exact=True)).to_be_disabled()
    dialog.get_by_role("textbox", name="Name of the variable").fill("n")
    dialog.get_by_role("textbox", name="Most").fill("9")
    dialog.get_by_role("button", name="Add", exact=True).click()
    source = cells(page).get_by_label("Source")
    expect(source).to_contain_text('n = 0 # @param {"type":"slider","min":0,"max":9,"step":1}')
    expect(source).to_contain_text("print(n)")

    page.get_by_role("region", name="Form").hover()
    page.get_by_role("button", name="Edit the field n").click()
    dialog = page.get_by_role("dialog", name="Edit the form field")
    dialog.get_by_role("textbox", name="Most").fill("50")
    dialog.get_by_role("button", name="Save").click()
    expect(source).to_contain_text('n = 0 # @param {"type":"slider","min":0,"max":50,"step":1}')
