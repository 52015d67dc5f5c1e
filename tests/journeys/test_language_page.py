"""Who knows the code, as people meet it: problems, hover, completion, definitions, names and shapes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from runtime_world import why_no_sandbox
from support.browser import browser, signed_in
from support.environment import ROOT
from support.notebook import source
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
PICTURES = ROOT / "test-results"


@dataclass
class House:
    """A running server, Ada's page and her token."""

    server: Server
    chromium: Browser
    page: Page
    token: str

    def open(self, *sources: str, **more: Any) -> str:
        """A new notebook of Ada's, whose cells are named a, b, c …, on her page, with a runtime."""
        named = {chr(ord("a") + number): source for number, source in enumerate(sources)}
        notebook = self.server.notebook(self.token, named, name="code.ipynb", **more)
        self.page.goto(f"{self.server.url}/notebooks/{notebook}")
        expect(self.page.get_by_role("status", name="Save status")).to_have_text("Saved")
        return notebook

    def sources(self, notebook: str) -> list[str]:
        """What the cells say, as saved."""
        with self.server.client(self.token) as api:
            content = api.get(f"/notebooks/{notebook}/content").raise_for_status().json()
        return ["".join(cell["source"]) for cell in content["cells"]]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    if (why := why_no_sandbox()) is not None:
        pytest.skip(f"no sandbox here: {why}")
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        yield House(running, chromium, signed_in(chromium, running.url, ADA), token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    """Each test begins with no runtime."""
    yield
    house.server.give_back(house.token)


def connect(page: Page) -> None:
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")


def wake(page: Page, name: str) -> None:
    """Whoever writes has a language server a moment later."""
    source(page, name).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n")


def level(house: House, wanted: str) -> None:
    with house.server.client(house.token) as api:
        api.patch("/me/settings", json={"editor": {"diagnostics": wanted}}).raise_for_status()


def underlined(page: Page, name: str, kind: str = "error") -> Locator:
    return page.locator(f'[data-cell-id="{name}"] .cm-lintRange-{kind}')


def test_an_error_in_the_syntax_is_underlined_and_goes_when_it_is_mended(house: House) -> None:
    page = house.page
    house.open("x = 1", "%%bash\nls |", "%matplotlib inline\n!ls 'a\nx")
    connect(page)
    wake(page, "a")
    page.keyboard.type("y = = 2")

    expect(underlined(page, "a")).to_have_count(1)
    expect(underlined(page, "b")).to_have_count(0)
    expect(underlined(page, "c")).to_have_count(0)
    underlined(page, "a").hover()
    expect(page.locator(".cm-diagnostic")).to_contain_text("Expected an expression")
    page.screenshot(path=PICTURES / "language-problem.png")
    for _ in range(4):
        page.keyboard.press("Backspace")
    page.keyboard.type("2")
    expect(underlined(page, "a")).to_have_count(0)


def test_hover_and_completion_know_what_was_never_run(house: House) -> None:
    page = house.page
    house.open(
        "def mean(values):\n    '''Mean of *values*, <img src=x onerror=alert(1)>.'''\n    return 1", "mean([1])", ""
    )
    connect(page)
    wake(page, "c")

    source(page, "b").get_by_text("mean").first.hover()
    shown = page.get_by_role("tooltip")
    expect(shown).to_contain_text("def mean(values)")
    expect(shown.locator("em")).to_have_text("values")
    expect(shown.locator("img")).to_have_count(0)
    page.screenshot(path=PICTURES / "language-hover.png")
    source(page, "c").click()
    page.keyboard.type("mea")
    offered = page.get_by_role("listbox", name="Completions")
    expect(offered.get_by_role("option", name=re.compile("^mean"))).to_be_visible()
    page.screenshot(path=PICTURES / "language-completion.png")
    page.keyboard.press("Escape")
    page.keyboard.type("n(")
    expect(page.locator(".cm-signature")).to_contain_text("(values)")


def test_what_was_written_before_the_help_had_come_is_helped_with_when_it_comes(house: House) -> None:
    """On a slow line the code of completion arrives after the first words."""
    held: list[Route] = []
    # A browser that keeps nothing yet.
    with signed_in(house.chromium, house.server.url, ADA) as page:
        page.context.route(re.compile(r"/assets/writing-[^/]*\.js"), lambda route: held.append(route))
        slow = replace(house, page=page)
        notebook = slow.open("def median(values):\n    return 1", "median([2])", "")
        connect(page)

        source(page, "c").click()
        page.keyboard.type("y = = 2\nmed")
        expect(source(page, "c")).to_contain_text("med")
        assert held, "the help was asked for"
        assert page.locator(".cm-tooltip-autocomplete").count() == 0
        for route in held:
            route.continue_()
        page.context.unroute_all()
        expect(
            page.get_by_role("listbox", name="Completions").get_by_role("option", name=re.compile("^median"))
        ).to_be_visible()
        expect(underlined(page, "c")).to_have_count(1)

        source(page, "b").click()
        page.keyboard.press("Control+Home")
        page.keyboard.press("F2")
        page.get_by_role("textbox", name="New name").fill("middle")
        page.keyboard.press("Enter")
        expect(source(page, "a")).to_contain_text("def middle(values)")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    assert house.sources(notebook)[1] == "middle([2])"


def test_names_lead_to_where_they_come_from_and_are_renamed_everywhere(house: House) -> None:
    page = house.page
    notebook = house.open("def mean(values):\n    return sum(values)", "print(mean([1]))", "mean([2]), 'mean'")
    connect(page)
    wake(page, "b")

    source(page, "c").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("F12")
    expect(source(page, "a")).to_be_focused()
    source(page, "a").get_by_text("mean", exact=True).hover()
    hover = page.locator(".cm-tooltip-hover")
    expect(hover).to_be_visible()
    page.keyboard.press("F2")
    name = page.get_by_role("textbox", name="New name")
    expect(name).to_have_value("mean")
    expect(hover).to_have_count(0)
    page.screenshot(path=PICTURES / "language-rename.png")
    name.fill("1 b")
    name.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="That is no name")).to_be_visible()
    name.fill("average")
    name.press("Enter")

    expect(page.get_by_text("3 places say “average” now")).to_be_visible()
    expect(source(page, "c")).to_contain_text("average([2]), 'mean'")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    said = house.sources(notebook)
    assert said == ["def average(values):\n    return sum(values)", "print(average([1]))\n", "average([2]), 'mean'"]
    page.get_by_role("button", name="Undo").last.click()
    expect(source(page, "c")).to_contain_text("mean([2]), 'mean'")
    expect(source(page, "a")).to_contain_text("def mean(")


def test_cells_are_put_into_shape(house: House) -> None:
    page = house.page
    notebook = house.open("x=f( 1,2 )\n!ls   -l", "y = = 1", "%%bash\nls   -l")
    connect(page)
    source(page, "a").click()
    page.keyboard.press("Alt+Shift+F")

    expect(page.get_by_text("1 cell formatted")).to_be_visible()
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    assert house.sources(notebook) == ["x = f(1, 2)\n!ls   -l", "y = = 1", "%%bash\nls   -l"]


def test_types_are_told_to_who_wants_them_and_order_does_not_matter(house: House) -> None:
    page = house.page
    level(house, "types")
    house.open("later(1), nowhere, display(1)", "def later(x: int): ...", "later('a')\n")
    connect(page)
    wake(page, "b")

    expect(underlined(page, "a")).to_have_text(["nowhere"])
    expect(underlined(page, "c")).to_have_text(["'a'"])
    source(page, "a").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("F8")
    expect(page.get_by_text("2 problems in this notebook")).to_be_visible()
    count = page.get_by_role("button", name="2 errors. Go to the next")
    page.screenshot(path=PICTURES / "language-count.png")
    count.click()
    expect(source(page, "c")).to_be_focused()
    source(page, "a").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("later(1)")
    expect(page.get_by_role("button", name="1 error. Go to the next")).to_be_visible()
    level(house, "syntax")


def test_a_problem_can_be_mended_by_the_choice_of_a_fix(house: House) -> None:
    page = house.page
    level(house, "types")
    notebook = house.open("1", "x: int = 'a'\n")
    connect(page)
    wake(page, "a")
    underlined(page, "b").hover()
    page.get_by_role("button", name="Quick fix").click()
    page.screenshot(path=PICTURES / "language-fix.png")
    page.get_by_role("button", name=re.compile("^Ignore")).click()

    expect(source(page, "b")).to_contain_text("# ty: ignore")
    expect(underlined(page, "b")).to_have_count(0)
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    assert house.sources(notebook)[1] == "x: int = 'a'  # ty: ignore[invalid-assignment]\n"
    level(house, "syntax")


def test_a_name_of_a_package_says_where_it_is_and_one_of_a_file_opens_it(house: House) -> None:
    page = house.page
    house.open("open('mine.py', 'w').write('def own(): ...\\n')", "import json, mine\njson.dumps, mine.own")
    connect(page)
    page.locator('[data-cell-id="a"]').get_by_role("button", name="Run cell").click()
    expect(page.locator('[data-cell-id="a"]').get_by_role("region", name="Output")).to_contain_text("15")
    wake(page, "a")

    source(page, "b").get_by_text("dumps").click(modifiers=["Control"])
    expect(page.get_by_text("It is defined in a package")).to_be_visible()
    source(page, "b").get_by_text("own").last.click(modifiers=["Control"])
    expect(page.get_by_role("tab", name=re.compile("mine.py"))).to_be_visible()


def test_two_people_write_at_once_and_both_are_told(house: House) -> None:
    bob = "bob@example.org"
    house.server.add_user(bob)
    notebook = house.open("a = 1", "b = 2", shared={bob: "editor"})
    other = signed_in(house.chromium, house.server.url, bob)
    other.goto(f"{house.server.url}/notebooks/{notebook}")
    connect(house.page)
    expect(other.get_by_role("status", name="Runtime status")).to_have_text("Idle")
    source(house.page, "a").click()
    source(other, "b").click()
    for page in (house.page, other):
        page.keyboard.press("Control+End")
    for letter in "\nx = = 1":
        house.page.keyboard.type(letter)
        other.keyboard.type(letter)

    for page in (house.page, other):
        expect(underlined(page, "a")).to_have_count(1)
        expect(underlined(page, "b")).to_have_count(1)
    other.context.close()


def test_it_fits_a_dark_phone(house: House) -> None:
    context = house.chromium.new_context(
        storage_state=house.page.context.storage_state(), viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    notebook = house.open("import json\njson.dumps(1)", "y = = 1")
    connect(house.page)
    page = context.new_page()
    page.goto(f"{house.server.url}/notebooks/{notebook}")
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")
    wake(page, "a")
    expect(underlined(page, "b")).to_have_count(1)
    underlined(page, "b").hover()
    expect(page.locator(".cm-diagnostic")).to_be_visible()
    page.screenshot(path=PICTURES / "language-phone.png")
    source(page, "a").get_by_text("dumps").hover()
    shown = page.get_by_role("tooltip").filter(has_text="Serialize")
    expect(shown).to_be_visible()
    page.screenshot(path=PICTURES / "language-phone-hover.png")

    box = shown.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    context.close()


def test_without_a_runtime_words_are_offered_and_nothing_is_said(house: House) -> None:
    page = house.page
    house.open("measurement = 1", "")
    source(page, "b").click()
    page.keyboard.type("mea")

    expect(page.get_by_role("listbox", name="Completions").get_by_role("option", name="measurement")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type(" = = ")
    expect(underlined(page, "b")).to_have_count(0)
    expect(page.get_by_text("Nobody knows")).to_have_count(0)


def test_a_server_that_is_killed_comes_back_unseen(house: House) -> None:
    page = house.page
    house.open("!pkill -9 -x ty; sleep 1; pgrep -cx ty", "x = = 1")
    connect(page)
    wake(page, "b")
    expect(underlined(page, "b")).to_have_count(1)

    page.locator('[data-cell-id="a"]').get_by_role("button", name="Run cell").click()
    expect(page.locator('[data-cell-id="a"]').get_by_role("region", name="Output")).to_contain_text("0")
    expect(underlined(page, "b")).to_have_count(0)
    page.wait_for_timeout(1500)
    wake(page, "b")

    expect(underlined(page, "b")).to_have_count(1)
    expect(page.get_by_text("Help with the code has stopped")).to_have_count(0)


def test_bash_is_completed_by_its_kernel_and_not_judged_as_python(house: House) -> None:
    page = house.page
    spec = {"kernelspec": {"name": "bash", "display_name": "Bash", "language": "bash"}}
    cell = {"id": "a", "cell_type": "code", "metadata": {}, "source": "echo shell", "outputs": []}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": spec, "cells": [cell | {"execution_count": None}]}
    with house.server.client(house.token) as api:
        made = api.post("/notebooks", params={"name": "shell.ipynb"}, json=document).raise_for_status().json()
    page.goto(f"{house.server.url}/notebooks/{made['id']}")
    connect(page)
    source(page, "a").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-cell-id="a"]').get_by_role("region", name="Output")).to_contain_text("shell")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nif [ 1 = 1 ]; then\nreadonl")
    page.keyboard.press("Tab")

    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("readonly")
    expect(underlined(page, "a")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(page.get_by_role("menuitem", name="Format cell")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nobody knows the code now")).to_have_count(0)
