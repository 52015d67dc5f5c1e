"""A newcomer's first minutes: the tour that an empty drive offers, and the forms in it, between two people."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import at_home, browser, signed_in
from support.looking import looked_at
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
    page = at_home(house.chromium, house.server.url, ADA)
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


FIELDS = {
    'text = "v" # @param {type:"string"}': ("text", "v"),
    'hint = "" # @param {type:"string", placeholder:"a name"}': ("text", ""),
    "single = 'v' #@param {type: 'string'}": ("text", "v"),
    'template = "x" # @param {type:"string", isTemplate: true}': ("text", "x"),
    'raw = 1 + 1 # @param {type:"raw"}': ("text", "1 + 1"),
    'drop = "a" # @param ["a", "b"]': ("combobox", "a"),
    'rawdrop = 1 # @param [1, "raw_input", "False"] {type:"raw"}': ("combobox", "1"),
    'other = "c" # @param ["a", "b"]': ("combobox", "c"),
    'combo = "a" # @param ["a", "b"] {allow-input: true}': ("text", "a"),
    'turned = "a" # @param {"allow-input": true} ["a", "b"]': ("text", "a"),
    'day = "2026-01-31" # @param {type:"date"}': ("date", "2026-01-31"),
    'rate = 1.5 # @param {type:"number"}': ("number", "1.5"),
    'whole = 5 # @param {type:"integer", min:0, max:9}': ("number", "5"),
    'slide = 3 # @param {"type":"slider", "min":0, "max":9, "step":1}': ("range", "3"),
    'yes = True # @param {type:"boolean"}': ("checkbox", "on"),
    "guess = 7 #@param": ("number", "7"),
    'said = "x" #@param ["x", "y"] {type:"string"} what it is for': ("combobox", "x"),
}
"""A line of Colab's grammar, the kind of field that it becomes, and what that shows."""


def test_every_line_of_the_grammar_is_its_field(house: House) -> None:
    title = '# @title All of them { run: "auto", vertical-output: true, form-width: "60%" }'
    lines = [title, "# @markdown ## Notes", "#@markdown ---", *FIELDS, "print(drop, rawdrop, slide)"]
    notebook = house.server.notebook(house.token, {"c": "\n".join(lines)}, name="grammar.ipynb")
    page = signed_in(house.chromium, house.server.url, ADA)
    page.goto(f"{house.server.url}/notebooks/{notebook}")
    all_of_them = form(page, "All of them")
    expect(all_of_them.get_by_role("heading", name="Notes")).to_be_visible()
    expect(all_of_them.get_by_role("separator")).to_be_visible()
    shown = all_of_them.locator(".form-row").evaluate_all(
        "rows => rows.map((row) => { const field = row.querySelector('[role=combobox], input:not([aria-hidden])');"
        " const list = field.getAttribute('role') === 'combobox';"
        " return [row.querySelector('.form-name').textContent,"
        " list ? 'combobox' : field.type, list ? field.textContent : field.value] })"
    )

    assert {name.removesuffix(":"): (kind, value) for name, kind, value in shown} == {
        line.partition(" = ")[0]: field for line, field in FIELDS.items()
    }
    expect(all_of_them.get_by_placeholder("a name")).to_be_visible()
    looked_at(page, "form-grammar")
    all_of_them.get_by_role("combobox", name="rawdrop").click()
    page.get_by_role("option", name="raw_input").click()
    all_of_them.get_by_label("raw:").fill("")
    source = cells(page).get_by_label("Source")
    expect(source).to_contain_text('rawdrop = raw_input # @param [1, "raw_input", "False"] {type:"raw"}')
    expect(source).to_contain_text('raw = None # @param {type:"raw"}')
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    looked_at(page, "form-grammar-phone-dark")
    page.context.close()


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
