"""What a kernel holds, under the hands of people: variables, tables as a grid, charts made of them, code that ran."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.looking import PICTURES, looked_at, overflow, violations
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
FRAME = """import numpy as np, pandas as pd
rng = np.random.default_rng(1)
people = pd.DataFrame({
    "name": [f"person {at}" for at in range(10_000)], "age": rng.integers(18, 90, 10_000),
    "height": rng.normal(1.7, 0.1, 10_000), "city": rng.choice(["Rome", "Oslo", None], 10_000),
    "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 9000, 10_000), unit="D"),
})
people.loc[3, "name"] = "<img src=x onerror=alert(1)>"
people"""


@dataclass
class House:
    """A running server, Ada signed in, and her token."""

    server: Server
    chromium: Browser
    ada: Page
    token: str

    def open(self, source: str, page: Page | None = None, **shared: str) -> str:
        """A new notebook whose only cell has run."""
        made = self.server.notebook(self.token, {"one": source}, name="data.ipynb", shared=shared)
        page = page or self.ada
        page.goto(f"{self.server.url}/notebooks/{made}")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
        run(page)
        return made


def run(page: Page) -> None:
    """Run the first cell to its end."""
    cell = page.locator('[data-cell-id="one"]')
    cell.hover()
    cell.get_by_role("button", name="Run cell").click()
    expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")
    expect(cell).to_contain_text(re.compile(r"\[\d+\]"))


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        ada = signed_in(chromium, running.url, ADA)
        ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield House(running, chromium, ada, token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    yield
    house.ada.goto("about:blank")
    house.server.give_back(house.token)


def grid(page: Page) -> Locator:
    """The open table."""
    return page.get_by_role("grid", name="Table")


def column(page: Page, number: int, count: int = 3) -> list[str]:
    """The first cells of a column."""
    return [grid(page).locator(f"#grid-cell-{row}-{number}").inner_text() for row in range(count)]


def seen(page: Page, name: str) -> None:
    """Keep a picture of the table beside an output that pandas made, whose table has heads without words."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    assert overflow(page) <= 0
    assert violations(page, ".gridtab") == {}


def choose(page: Page, name: str, command: str) -> None:
    """A command of a column's menu."""
    page.get_by_role("button", name=f"Column {name}", exact=True).click()
    page.get_by_role("menuitem", name=command, exact=True).click()


def test_an_output_opens_as_a_table_that_is_sorted_filtered_copied_and_charted(house: House) -> None:
    page = house.ada
    house.open(FRAME)
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 0")
    expect(grid(page).locator("#grid-cell-3-0")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.get_by_role("status").filter(has_text="10,000 rows × 5 columns")).to_be_visible()

    choose(page, "age", "Sort descending")
    expect(grid(page).locator("#grid-cell-0-1")).to_have_text("89")
    assert column(page, 1) == ["89", "89", "89"]
    choose(page, "age", "Filter and statistics")
    panel = page.get_by_role("complementary", name="Column age")
    expect(panel).to_contain_text("Mean")
    expect(panel.get_by_role("img", name="Histogram from 18 to 89")).to_be_visible()
    panel.get_by_role("textbox", name="To", exact=True).fill("20")
    panel.get_by_role("button", name="Filter", exact=True).click()
    expect(grid(page).locator("#grid-cell-0-1")).to_have_text("20")
    seen(page, "data-grid-filtered")
    page.get_by_role("button", name="Remove this filter").click()
    page.get_by_role("button", name="Close column").click()
    page.get_by_role("searchbox", name="Search the table").fill("person 9999")
    expect(page.get_by_role("status").filter(has_text="1 of 10,000 rows")).to_be_visible()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 9999")

    page.get_by_role("searchbox", name="Search the table").fill("")
    expect(grid(page).locator("#grid-cell-1-0")).to_be_visible()
    grid(page).locator("#grid-cell-0-0").click()
    for key in ("Shift+ArrowDown", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Control+c")
    expect(page.get_by_text("2 rows copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert copied[0] == "name\tage"
    assert [line.split("\t")[1] for line in copied[1:]] == ["89", "89"]

    page.get_by_role("button", name="Chart this").click()
    cards = page.get_by_role("dialog", name="Chart this").locator(".grid-chart")
    assert cards.count() >= 1
    expect(cards.locator("svg[data-drawn=true]")).to_have_count(cards.count())
    page.screenshot(path=PICTURES / "data-charts.png")
    assert violations(page, ".dialog") == {}
    cards.first.click()
    expect(page.get_by_role("listitem", name="Code cell")).to_have_count(2)
    made = page.get_by_role("listitem", name="Code cell").nth(1)
    expect(made).to_contain_text("data = people")
    made.get_by_role("button", name="Run cell").click()
    expect(made.get_by_role("region", name="Output").locator("img")).to_be_visible()


def test_chart_cards_show_what_they_would_draw(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, color_scheme="dark")
    house.open(f"{FRAME}\npeople['weight'] = people.height * 40 + people.age / 9\npeople", page)
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 0")
    page.get_by_role("button", name="Chart this").click()
    cards = page.get_by_role("dialog", name="Chart this").locator(".grid-chart")
    expect(cards.first).to_be_visible()

    names = [card.get_by_role("img").get_attribute("aria-label") for card in cards.all()]
    assert {"Line chart", "Histogram", "Scatter plot", "Bar chart", "Box plot", "Heat map"} <= set(names)
    expect(cards.locator("svg[data-drawn=true]")).to_have_count(cards.count())
    assert cards.filter(has_text="How the numbers go together").locator("rect").count() == 9
    page.screenshot(path=PICTURES / "data-charts-dark.png")
    page.set_viewport_size({"width": 360, "height": 740})
    page.screenshot(path=PICTURES / "data-charts-phone.png")
    assert overflow(page) <= 0
    assert violations(page, ".dialog") == {}
    page.context.close()


@pytest.mark.parametrize("form", ["short", pytest.param("long", marks=pytest.mark.long)])
def test_a_table_of_very_many_rows_and_columns_is_walked_sorted_and_filtered(house: House, form: str) -> None:
    page, rows = house.ada, 10_000_000 if form == "long" else 200_000
    # Three hundred columns of four arrays: what is asked of the grid is the same, and it fits a small runtime.
    house.open(
        f"import numpy as np, pandas as pd\nrng = np.random.default_rng(5)\nrows = {rows}\n"
        "some = [rng.permutation(rows).astype('int32'), *(rng.random(rows, dtype='float32') for _ in range(3))]\n"
        "wide = pd.DataFrame({f'c{at}': some[at % 4] for at in range(300)}, copy=False)\nwide"
    )
    page.get_by_role("button", name="Open as interactive table").click()
    expect(page.get_by_role("status").filter(has_text=f"{rows:,} rows × 300 columns")).to_be_visible()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text(re.compile(r"\d"))
    grid(page).focus()
    page.keyboard.press("Control+End")
    expect(grid(page).locator(f"#grid-cell-{rows - 1}-299")).to_have_text(re.compile(r"\d"))
    page.keyboard.press("Control+Home")
    choose(page, "c0", "Sort descending")
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text(str(rows - 1))
    choose(page, "c0", "Filter and statistics")
    panel = page.get_by_role("complementary", name="Column c0")
    panel.get_by_role("textbox", name="To", exact=True).fill("41")
    panel.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("status").filter(has_text=f"42 of {rows:,} rows")).to_be_visible()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("41")
    assert page.locator(".grid [role=gridcell]").count() < 2000


def test_a_sort_that_takes_too_long_is_stopped_and_the_next_one_is_not_behind_it(house: House) -> None:
    page = house.ada
    house.open(
        "import pandas as pd\nrows = 1_000_000\n"
        "odd = pd.DataFrame({'mixed': [n if n % 2 else str(n) for n in range(rows)], 'n': range(rows)})\nodd"
    )
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-3-1")).to_have_text("3")
    choose(page, "mixed", "Sort descending")
    page.locator(".grid-tools").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="1,000,000 rows")).to_be_visible()
    expect(grid(page).locator("#grid-head-0")).to_have_attribute("aria-sort", "none")
    expect(grid(page).locator("#grid-cell-3-1")).to_have_text("3")
    choose(page, "n", "Sort descending")

    expect(grid(page).locator("#grid-cell-0-1")).to_have_text("999999")


def test_the_keyboard_reaches_every_cell_and_the_head(house: House) -> None:
    page = house.ada
    house.open(FRAME)
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 0")
    grid(page).focus()
    page.keyboard.press("Control+End")
    expect(grid(page)).to_have_attribute("aria-activedescendant", "grid-cell-9999-4")
    expect(grid(page).locator("#grid-cell-9999-0")).to_have_text("person 9999")
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    expect(grid(page)).to_have_attribute("aria-activedescendant", "grid-head-0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Sort ascending")).to_be_visible()


def test_variables_are_listed_opened_and_deleted_and_a_change_is_told(house: House) -> None:
    page = house.ada
    house.open("import pandas as pd\nnumbers = pd.DataFrame({'n': range(50)})\nword = 'hello'")
    page.get_by_role("button", name="Variables", exact=True).click()
    panel = page.get_by_role("complementary", name="Variables")
    expect(panel).to_contain_text("'hello'")
    expect(panel).to_contain_text("2 variables")
    panel.get_by_role("button", name="Show numbers as a table").click()
    expect(grid(page).locator("#grid-cell-2-0")).to_have_text("2")
    looked_at(page, "data-variables")
    source = page.locator('[data-cell-id="one"]').get_by_role("textbox", name="Source")
    source.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("numbers.loc[2, 'n'] = 7777")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    run(page)
    note = page.get_by_role("status").filter(has_text="The variable has changed since.")
    note.get_by_role("button", name="Refresh").click()
    expect(grid(page).locator("#grid-cell-2-0")).to_have_text("7777")
    panel.get_by_role("button", name="More about numbers").click()
    page.get_by_role("menuitem", name="Delete variable").click()
    expect(panel).to_contain_text("1 variable")
    panel.get_by_role("searchbox", name="Filter variables").fill("zzz")
    expect(panel).to_contain_text("No variable is called so.")


def test_a_restart_leaves_the_static_table_and_says_that_the_kernel_is_gone(house: House) -> None:
    page = house.ada
    made = house.open(FRAME)
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 0")
    with house.server.client(house.token) as api:
        api.post(f"/notebooks/{made}/session/restart").raise_for_status()
    expect(page.get_by_role("status").filter(has_text="The kernel that held this table is gone.")).to_be_visible()
    expect(page.locator('[data-cell-id="one"] table.dataframe')).to_be_visible()


def test_code_that_ran_is_listed_with_who_and_brought_back(house: House) -> None:
    page = house.ada
    house.open("1 / 0")
    page.get_by_role("button", name="Executed code history").click()
    panel = page.get_by_role("complementary", name="Executed code")
    expect(panel).to_contain_text("1 / 0")
    expect(panel).to_contain_text("failed")
    expect(panel).to_contain_text("[1]")
    looked_at(page, "data-executed")
    panel.get_by_role("button", name="Insert code as a cell").click()
    expect(page.get_by_role("listitem", name="Code cell")).to_have_count(2)
    expect(page.get_by_role("listitem", name="Code cell").nth(1)).to_contain_text("1 / 0")
    panel.get_by_role("searchbox", name="Filter executed code").fill("nothing like it")
    expect(panel).to_contain_text("Nothing found")


def test_a_table_on_a_phone_and_in_the_dark(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, color_scheme="dark")
    house.open(FRAME, page)
    page.get_by_role("button", name="Open as interactive table").click()
    expect(grid(page).locator("#grid-cell-0-0")).to_have_text("person 0")
    seen(page, "data-grid-dark")
    page.set_viewport_size({"width": 360, "height": 740})
    expect(grid(page).locator("#grid-cell-0-0")).to_be_visible()
    seen(page, "data-grid-phone")
    page.context.close()


def test_who_may_only_look_has_no_way_into_the_kernel(house: House) -> None:
    made = house.open(FRAME, **{BOB: "viewer"})
    bob = signed_in(house.chromium, house.server.url, BOB)
    bob.goto(f"{house.server.url}/notebooks/{made}")
    expect(bob.locator("table.dataframe")).to_be_visible()
    expect(bob.get_by_role("button", name="Open as interactive table")).to_have_count(0)
    expect(bob.get_by_role("button", name="Variables", exact=True)).to_have_count(0)
    expect(bob.get_by_role("button", name="Executed code history")).to_have_count(0)
    bob.context.close()
