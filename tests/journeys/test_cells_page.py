"""Whole cells under people's hands: chosen, dragged, pasted, folded, locked, undone, by two people at once."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import browser, signed_in
from support.commands import eventually
from support.notebook import cell, open_notebook, output, source
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"
Cell = dict[str, Any]


def code(id: str, source: str, **metadata: object) -> Cell:
    return {
        "id": id,
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def text(id: str, source: str, **more: object) -> Cell:
    return {"id": id, "cell_type": "markdown", "metadata": {}, "source": source, **more}


SECTIONS = [
    text("intro", "Words before."),
    text("one", "# **One** and `more`"),
    code("a", "print('in one')"),
    text("deep", "## Deep"),
    code("b", "print('in deep')"),
    text("two", "# Two"),
    code("c", "print('in two')"),
]


@dataclass
class House:
    """A running server, two people signed in, and Ada's token."""

    server: Server
    chromium: Browser
    ada: Page
    bob: Page
    token: str

    def notebook(self, *cells: Cell, bob: str = "editor") -> str:
        """A notebook of Ada's with these cells; Bob may open it in this role."""
        return self.server.notebook_of(self.token, cells, name="cells.ipynb", shared={BOB: bob})

    def open(self, page: Page, notebook: str) -> None:
        """Go there, and wait until it can be worked with."""
        open_notebook(page, self.server, notebook)

    def content(self, notebook: str) -> dict[str, Any]:
        """The notebook as a file."""
        with self.server.client(self.token) as api:
            found: dict[str, Any] = api.get(f"/notebooks/{notebook}/content").raise_for_status().json()
        return found


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        ada, bob = (signed_in(chromium, running.url, email) for email in (ADA, BOB))
        yield House(running, chromium, ada, bob, token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    """A person may have a few runtimes at a time; each test begins with none."""
    yield
    house.server.give_back(house.token)


def expect_order(page: Page, *names: str) -> None:
    expect(page.locator(".cells [data-cell-id]")).to_have_count(len(names))
    for at, name in enumerate(names):
        expect(page.locator(".cells [data-cell-id]").nth(at)).to_have_attribute("data-cell-id", name)


def choose(page: Page, menu: str, name: str) -> None:
    page.get_by_role("menubar").get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=name).or_(page.get_by_role("menuitemcheckbox", name=name)).first.click()


def gutter(page: Page, name: str, **more: Any) -> None:
    """A click beside the text."""
    cell(page, name).locator(".cell-gutter").first.click(position={"x": 50, "y": 30}, **more)


def command_mode(page: Page, name: str) -> None:
    cell(page, name).evaluate("element => element.focus()")
    expect(cell(page, name)).to_be_focused()


def test_cells_are_chosen_with_shift_and_control_and_dragged_together(house: House) -> None:
    notebook = house.notebook(*(code(name, name) for name in "abcde"))
    house.open(house.ada, notebook)
    house.open(house.bob, notebook)
    page = house.ada

    gutter(page, "b")
    gutter(page, "c", modifiers=["Shift"])
    expect(page.locator(".cell-chosen")).to_have_count(2)
    gutter(page, "e", modifiers=["ControlOrMeta"])
    expect(page.locator(".cell-chosen")).to_have_count(3)
    gutter(page, "c", modifiers=["ControlOrMeta"])
    expect(cell(page, "c")).not_to_have_attribute("aria-description", "Selected")

    handle = cell(page, "e").locator(".cell-handle")
    cell(page, "e").hover()
    handle.hover()
    page.mouse.down()
    first = cell(page, "a").bounding_box()
    assert first is not None
    page.mouse.move(300, first["y"] + 40, steps=4)
    page.mouse.move(300, first["y"] + 2, steps=4)
    expect(page.locator(".drop-line")).to_be_visible()
    page.mouse.up()

    expect(page.locator(".drop-line")).to_have_count(0)
    expect_order(page, "b", "e", "a", "c", "d")
    expect_order(house.bob, "b", "e", "a", "c", "d")


def test_a_drag_that_is_cancelled_moves_nothing(house: House) -> None:
    house.open(house.ada, house.notebook(code("a", "1"), code("b", "2")))
    page = house.ada
    cell(page, "b").hover()
    cell(page, "b").locator(".cell-handle").hover()
    page.mouse.down()
    page.mouse.move(300, 160, steps=6)
    expect(page.locator(".drop-line")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.up()

    expect(page.locator(".drop-line")).to_have_count(0)
    expect_order(page, "a", "b")


def test_a_finger_drags_a_cell(house: House) -> None:
    notebook = house.notebook(code("a", "1"), code("b", "2"), code("c", "3"))
    phone = signed_in(house.chromium, house.server.url, ADA, has_touch=True, is_mobile=False)
    phone.set_viewport_size({"width": 360, "height": 740})
    house.open(phone, notebook)
    cell(phone, "c").locator(".cell-gutter").first.tap(position={"x": 40, "y": 40})
    handle = cell(phone, "c").locator(".cell-handle")
    expect(handle).to_be_visible()
    box, first = handle.bounding_box(), cell(phone, "a").bounding_box()
    assert box is not None
    assert first is not None
    client = phone.context.new_cdp_session(phone)

    def touch(kind: str, *points: dict[str, float]) -> None:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    with phone.expect_event("requestfinished", predicate=lambda asked: "touchdrag" in asked.url):
        touch("touchStart", {"x": box["x"] + 8, "y": box["y"] + 12})
    touch("touchMove", {"x": box["x"] + 8, "y": box["y"] - 30})
    touch("touchMove", {"x": box["x"] + 8, "y": first["y"] + 2})
    expect(phone.locator(".drop-line")).to_be_visible()
    touch("touchEnd")

    expect_order(phone, "c", "a", "b")
    phone.context.close()


def test_cells_go_from_notebook_to_notebook_by_the_keys_of_the_clipboard(house: House) -> None:
    picture = {"a.png": {"image/png": "iVBORw0KGgo="}}
    here = house.notebook(code("a", "x = 1", tags=["kept"]), text("b", "![](attachment:a.png)", attachments=picture))
    there = house.notebook(code("z", "last"))
    page = house.ada
    house.open(page, here)
    choose(page, "Edit", "Select all cells")
    expect(page.locator(".cell-chosen")).to_have_count(2)
    command_mode(page, "b")
    page.keyboard.press("ControlOrMeta+c")

    other = house.bob
    house.open(other, there)
    command_mode(other, "z")
    other.keyboard.press("ControlOrMeta+v")

    expect(other.locator(".cells [data-cell-id]")).to_have_count(3)
    expect(other.get_by_role("status", name="Save status")).to_have_text("Saved")
    _, first, second = house.content(there)["cells"]
    assert ("".join(first["source"]), first["metadata"]) == ("x = 1", {"tags": ["kept"]})
    assert second["attachments"] == picture
    assert first["id"] != "a"


def test_text_and_the_cells_of_jupyterlab_are_pasted_as_cells_without_asking_for_permission(house: House) -> None:
    notebook = house.notebook(code("a", "1"))
    page = house.ada
    house.open(page, notebook)
    jupyterlab = [
        {"cell_type": "code", "id": "x", "metadata": {"k": 1}, "source": ["lab\n", "2"], "outputs": [{"o": 1}]},
        {"cell_type": "markdown", "id": "y", "metadata": {}, "source": "*words*"},
    ]

    def paste(words: str) -> None:
        source(page, "a").click()
        page.evaluate(
            """words => {
                const data = new DataTransfer()
                data.setData('text/plain', words)
                const cell = document.activeElement.closest('[data-cell-id]')
                cell.focus()
                cell.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))
            }""",
            words,
        )

    paste(json.dumps(jupyterlab))
    expect(page.locator(".cells [data-cell-id]")).to_have_count(3)
    paste("plain = 'text'")
    expect(page.locator(".cells [data-cell-id]")).to_have_count(4)

    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    cells = house.content(notebook)["cells"]
    assert [(one["cell_type"], "".join(one["source"])) for one in cells] == [
        ("code", "1"),
        ("code", "plain = 'text'"),
        ("code", "lab\n2"),
        ("markdown", "*words*"),
    ]
    assert (cells[2]["metadata"], cells[2]["outputs"]) == ({"k": 1}, [])


def test_what_the_menu_copies_is_the_source_for_everybody_and_cells_for_jupyterlab(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, permissions=["clipboard-read", "clipboard-write"])
    house.open(page, house.notebook(code("a", "x = 1"), code("b", "y")))
    gutter(page, "a")
    choose(page, "Edit", "Copy cells for JupyterLab")
    eventually(lambda: page.evaluate("navigator.clipboard.readText()").startswith("[{"), True)
    (one,) = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert (one["cell_type"], one["source"]) == ("code", "x = 1")

    gutter(page, "a")
    choose(page, "Edit", "Copy cells")
    eventually(lambda: page.evaluate("navigator.clipboard.readText()"), "x = 1")
    choose(page, "Edit", "Paste cells below")
    expect(page.locator(".cells [data-cell-id]")).to_have_count(3)
    expect(page.locator(".cells [data-cell-id]").nth(1)).to_contain_text("x = 1")
    page.context.close()


def test_a_section_is_collapsed_run_saved_and_opened_by_a_link(house: House) -> None:
    notebook = house.notebook(*SECTIONS)
    page = house.ada
    house.open(page, notebook)
    cell(page, "one").get_by_role("button", name="Collapse section").click()
    expect_order(page, "intro", "one", "two", "c")
    expect(cell(page, "one")).to_contain_text("3 cells hidden")

    cell(page, "one").get_by_role("button", name="Run the hidden cells").click()
    choose(page, "View", "Save collapsed section layout")
    house.open(house.bob, notebook)
    expect_order(house.bob, "intro", "one", "two", "c")
    metadata = house.content(notebook)["metadata"]
    assert metadata["colab"]["collapsed_sections"] == ["one"]

    page.evaluate("location.hash = '#scrollTo=b'")
    expect_order(page, "intro", "one", "a", "deep", "b", "two", "c")
    expect(output(page, "a")).to_contain_text("in one")
    expect(output(page, "b")).to_contain_text("in deep")
    expect(output(page, "c")).to_have_count(0)
    expect_order(house.bob, "intro", "one", "two", "c")

    command_mode(page, "b")
    page.keyboard.press("ControlOrMeta+]")
    expect_order(page, "intro", "one", "two")
    page.keyboard.press("ControlOrMeta+[")
    expect_order(page, "intro", "one", "a", "deep", "b", "two", "c")


def test_a_collapsed_section_moves_and_goes_as_a_whole(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(*SECTIONS))
    cell(page, "one").get_by_role("button", name="Collapse section").click()
    command_mode(page, "one")
    cell(page, "one").get_by_role("button", name="Move cell down").click()
    expect_order(page, "intro", "two", "c", "one")
    cell(page, "one").get_by_role("button", name="Expand section").click()
    expect_order(page, "intro", "two", "c", "one", "a", "deep", "b")


def test_the_table_of_contents_is_walked_collapsed_and_put_in_another_order(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(*SECTIONS))
    page.get_by_role("button", name="Table of contents").click()
    tree = page.get_by_role("tree", name="Headings")
    expect(tree.get_by_role("treeitem")).to_have_text(["One and more", "Deep", "Two"])

    tree.get_by_role("treeitem", name="One and more").focus()
    page.keyboard.press("ArrowLeft")
    expect_order(page, "intro", "one", "two", "c")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(cell(page, "deep")).to_be_focused()
    tree.get_by_role("treeitem", name="One and more").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect_order(page, "intro", "two", "c", "one", "a", "deep", "b")

    tree.get_by_role("treeitem", name="One and more").drag_to(
        tree.get_by_role("treeitem", name="Two"), target_position={"x": 80, "y": 2}
    )
    expect_order(page, "intro", "one", "a", "deep", "b", "two", "c")
    tree.get_by_role("treeitem", name="Two").hover()
    tree.get_by_role("button", name="Run section Two").click()
    expect(output(page, "c")).to_contain_text("in two")
    page.get_by_role("button", name="Close contents").click()


def test_a_cell_that_is_read_only_refuses_with_a_word(house: House) -> None:
    notebook = house.notebook(code("a", "kept = 1"), code("b", "2"))
    page = house.ada
    house.open(page, notebook)
    house.open(house.bob, notebook)
    gutter(page, "a")
    choose(page, "Edit", "Mark cell as read-only")
    expect(cell(page, "a")).to_contain_text("Read-only")
    expect(cell(house.bob, "a")).to_contain_text("Read-only")

    source(house.bob, "a").click()
    house.bob.keyboard.type("nothing")
    expect(source(house.bob, "a")).to_have_text("kept = 1")
    gutter(house.bob, "a")
    cell(house.bob, "a").get_by_role("button", name="Delete cell").click()
    expect(house.bob.get_by_text("This cell is read-only")).to_be_visible()
    expect_order(house.bob, "a", "b")

    gutter(house.bob, "a")
    choose(house.bob, "Edit", "Mark cell as read-only")
    expect(cell(page, "a")).not_to_contain_text("Read-only")


def test_code_and_output_are_hidden_for_everybody_and_shown_again(house: House) -> None:
    notebook = house.notebook(code("a", "print('out')\n2"), bob="viewer")
    page = house.ada
    house.open(page, notebook)
    cell(page, "a").get_by_role("button", name="Run cell").click()
    expect(output(page, "a")).to_contain_text("out")
    house.open(house.bob, notebook)
    gutter(page, "a")
    page.keyboard.press("Control+m")
    page.keyboard.press("o")
    choose(page, "View", "Show or hide code")

    expect(cell(house.bob, "a")).to_contain_text("2 lines of code hidden")
    expect(cell(house.bob, "a")).to_contain_text("outputs hidden")
    cell(house.bob, "a").get_by_role("button", name="2 lines of code hidden").click()
    expect(source(house.bob, "a")).to_be_visible()
    expect(source(page, "a")).to_have_count(0)
    jupyter = house.content(notebook)["cells"][0]["metadata"]["jupyter"]
    assert jupyter == {"source_hidden": True, "outputs_hidden": True}


def test_undo_brings_back_a_cell_with_what_a_colleague_wrote_and_takes_away_none(house: House) -> None:
    notebook = house.notebook(code("a", "one"), code("b", "two"))
    ada, bob = house.ada, house.bob
    house.open(ada, notebook)
    house.open(bob, notebook)
    gutter(ada, "b")
    ada.keyboard.press("Control+m")
    ada.keyboard.press("b")
    expect(ada.locator(".cells [data-cell-id]")).to_have_count(3)
    new = str(ada.locator(".cells [data-cell-id]").last.get_attribute("data-cell-id"))
    source(bob, new).click()
    bob.keyboard.type("from Bob")
    expect(source(ada, new)).to_contain_text("from Bob")

    ada.keyboard.press("Control+m")
    ada.keyboard.press("z")
    expect(ada.get_by_text("The cell stays")).to_be_visible()
    expect(source(ada, new)).to_contain_text("from Bob")
    expect(source(bob, new)).to_contain_text("from Bob")


def test_a_cell_is_split_at_every_cursor_and_merged_with_what_stands_above(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("a", "one\ntwo\nthree")))
    source(page, "a").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+Alt+ArrowDown")
    page.keyboard.press("Control+m")
    page.keyboard.press("-")
    expect(page.locator(".cells [data-cell-id]")).to_have_count(3)
    assert page.locator(".cells .source").all_inner_texts() == ["one", "two", "three"]

    gutter(page, "a")
    page.keyboard.press("ArrowDown")
    choose(page, "Edit", "Merge with the cell above")
    expect(page.locator(".cells [data-cell-id]")).to_have_count(2)
    expect(source(page, "a")).to_contain_text("two")


def test_a_cell_that_was_edited_since_it_ran_says_so(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("a", "1 + 1"), code("bad", "1 / 0"), code("later", "3")))
    cell(page, "a").get_by_role("button", name="Run cell").click()
    expect(output(page, "a")).to_contain_text("2")
    expect(cell(page, "a").get_by_role("button", name="Run cell")).to_have_attribute(
        "title", re.compile("^Ran by .+ at ")
    )
    source(page, "a").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("0")
    expect(cell(page, "a")).to_contain_text("edited since it ran")
    page.keyboard.press("Backspace")
    expect(cell(page, "a")).not_to_contain_text("edited since it ran")

    cell(page, "bad").get_by_role("button", name="Run cell").click()
    expect(output(page, "bad")).to_contain_text("ZeroDivisionError")
    command_mode(page, "later")
    choose(page, "Runtime", "Go to the cell that failed last")
    expect(cell(page, "bad")).to_be_focused()
    choose(page, "View", "Go to cell")
    page.get_by_role("combobox", name="Number or first line").fill("3")
    page.keyboard.press("Enter")
    expect(cell(page, "later")).to_be_focused()


def test_a_command_of_a_menu_ends_with_the_focus_where_it_leads(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("a", "1"), code("b", "2")))
    command_mode(page, "a")
    choose(page, "Insert", "Code cell below")
    expect(page.locator(".cells .cm-content:focus")).to_be_visible()
    page.keyboard.type("by pointer")
    expect(page.locator(".cells [data-cell-id]").nth(1)).to_contain_text("by pointer")

    page.get_by_role("menuitem", name="Insert", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Code cell above").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cells .cm-content:focus")).to_be_visible()
    page.keyboard.type("by keys")
    expect(page.locator(".cells [data-cell-id]").nth(1)).to_contain_text("by keys")

    choose(page, "Edit", "Mark cell as read-only")
    expect(page.get_by_role("menuitem", name="Edit", exact=True)).to_be_focused()


def test_the_keys_of_running_lead_a_reader_into_a_playground(house: House) -> None:
    notebook = house.notebook(code("a", "print(6 * 7)"), bob="viewer")
    page = house.bob
    house.open(page, notebook)
    command_mode(page, "a")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("region", name="Playground")).to_be_visible()
    expect(output(page, "a")).to_have_text("42")


def test_a_cell_is_mirrored_and_a_scratch_cell_is_ones_own(house: House) -> None:
    notebook = house.notebook(code("a", "x = 41"))
    page = house.ada
    house.open(page, notebook)
    house.open(house.bob, notebook)
    cell(page, "a").get_by_role("button", name="Run cell").click()
    expect(cell(page, "a")).to_contain_text("[1]")
    gutter(page, "a")
    choose(page, "View", "Mirror cell in a tab")
    mirror = page.get_by_role("region", name="Cell 1")
    mirror.get_by_role("textbox", name="Source").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # seen")
    expect(source(page, "a")).to_have_text("x = 41  # seen")

    page.keyboard.press("Control+Alt+n")
    scratch = page.get_by_role("region", name="Scratch cell")
    scratch.get_by_role("textbox", name="Scratch source").click()
    page.keyboard.type("print(x + 1)")
    page.keyboard.press("Control+Enter")
    expect(scratch.get_by_role("region", name="Output")).to_have_text("42")
    expect_order(house.bob, "a")
    expect(house.bob.get_by_text("print(x + 1)")).to_have_count(0)

    scratch.get_by_role("button", name="Insert as cell").click()
    expect(scratch).to_have_count(0)
    expect(house.bob.locator(".cells [data-cell-id]").nth(1)).to_contain_text("print(x + 1)")


def test_an_outputs_buttons_have_their_pictures_when_seen_and_a_menu_of_its_own_cell(house: House) -> None:
    printed = {"output_type": "stream", "name": "stdout", "text": "said\n"}
    wrong = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["ValueError: no"]}
    cells = [
        {**code(name, "1"), "outputs": [output]} for name, output in (("a", printed), ("b", wrong), ("c", printed))
    ]
    page = house.ada
    house.open(page, house.notebook(*cells))
    first, second, third = (page.locator(f'[data-cell-id="{name}"]') for name in "abc")
    pictures = third.locator(".output-tools svg")
    expect(third.get_by_role("button", name="Output actions")).to_have_count(1)
    expect(pictures).to_have_count(0)
    third.get_by_role("region", name="Output").hover()
    expect(pictures).to_have_count(2)
    first.locator(".cm-content").click()
    expect(pictures).to_have_count(0)
    second.get_by_role("button", name="Output actions").focus()
    expect(second.locator(".output-tools svg")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Show or hide output")).to_be_focused()
    page.keyboard.press("Enter")
    expect(second.get_by_role("region", name="Output")).to_have_count(0)
    expect(third.get_by_role("region", name="Output")).to_have_count(1)
