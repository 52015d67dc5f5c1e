"""Writing in a notebook: find and replace, several cursors, vim, pictures, tasks, diagrams, slides, snippets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from support.browser import browser, signed_in
from support.listening import ear
from support.notebook import cell
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


def code(name: str, source: str, **metadata: object) -> dict[str, Any]:
    return {
        "id": name,
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def text(name: str, source: str, **metadata: object) -> dict[str, Any]:
    return {"id": name, "cell_type": "markdown", "metadata": metadata, "source": source}


@dataclass
class House:
    """A server that runs nothing, and two people in their browsers."""

    server: Server
    chromium: Browser
    token: str
    ada: Page
    bob: Page

    def notebook(self, *cells: dict[str, Any], bob: str | None = None) -> str:
        """A notebook of Ada's with these cells; Bob may open it in this role."""
        shared = {} if bob is None else {BOB: bob}
        return self.server.notebook_of(self.token, cells, name="words.ipynb", shared=shared)

    def open(self, page: Page, notebook: str) -> None:
        """Go there, and wait until it can be worked with."""
        page.goto(f"{self.server.url}/notebooks/{notebook}")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
        expect(page.locator(".cells .cell").first).to_be_visible()

    def set(self, **change: object) -> None:
        """What Ada sets about the page; it holds from the next load on."""
        with self.server.client(self.token) as api:
            api.patch("/me/settings", json=change).raise_for_status()

    def cells(self, notebook: str) -> dict[str, dict[str, Any]]:
        """What the server has of it."""
        with self.server.client(self.token) as api:
            content = api.get(f"/notebooks/{notebook}/content", params={"format": "ipynb"}).raise_for_status().json()
        return {one["id"]: one for one in content["cells"]}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        ada, bob = (signed_in(chromium, running.url, email) for email in (ADA, BOB))
        yield House(running, chromium, token, ada, bob)


@pytest.fixture(autouse=True)
def nothing_set(house: House) -> Iterator[None]:
    """What one test sets about the page is not what the next begins with."""
    yield
    house.set(keys={"preset": "default"}, editor={"lineNumbers": False, "fontSize": 14})


def lines(page: Page, name: str) -> Locator:
    """The lines of a cell whose editor is alive."""
    return cell(page, name).locator(".cm-line")


def write(page: Page, name: str) -> None:
    """Into the text of a code cell, at its beginning."""
    cell(page, name).get_by_role("textbox", name="Source").click()
    expect(cell(page, name).locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+Home")


def find(page: Page, words: str, key: str = "Control+f") -> Locator:
    """Look for this; gives where it is told how much was found."""
    page.keyboard.press(key)
    page.get_by_role("textbox", name="Find").fill(words)
    return page.get_by_role("status", name="Found")


def test_the_cursor_is_where_it_was_when_the_palette_gives_the_focus_back(house: House) -> None:
    page = house.ada
    notebook = house.notebook(code("a", "one two"))
    # It was lost when the palette came for the first time, and not always.
    for times in (1, 2, 3):
        house.open(page, notebook)
        write(page, "a")
        page.keyboard.press("End")
        page.keyboard.press("Control+ArrowLeft")
        page.keyboard.press("Control+Shift+P")
        page.locator('[role="option"][data-command="comment-lines"]').click()
        expect(lines(page, "a")).to_have_text(re.compile("^#" if times % 2 else "^one"))
        page.keyboard.type(".")

        expect(lines(page, "a")).to_contain_text(f"one {'.' * times}two")


def test_what_is_far_away_is_found_and_replaced_in_one_step(house: House) -> None:
    page = house.ada
    far = [code(f"far{number}", f"total_{number} = price * {number}") for number in range(80)]
    notebook = house.notebook(
        text("top", "# The price\n\nAbout **price**."), *far, code("kept", "price = 3", editable=False)
    )
    house.open(page, notebook)

    found = find(page, "PRICE", "Control+h")
    expect(found).to_have_text("1 of 83")
    page.get_by_role("button", name="Match case").click()
    expect(found).to_have_text("Nothing found")
    page.keyboard.press("Alt+c")
    page.get_by_role("button", name="Previous match").click()
    expect(found).to_have_text("83 of 83")
    expect(cell(page, "kept").locator(".found-mark-current")).to_be_in_viewport()

    page.get_by_role("textbox", name="Replace with").fill("cost")
    page.get_by_role("button", name="Replace all").click()
    expect(page.get_by_text("82 replaced")).to_be_visible()
    expect(page.get_by_text("1 cell is read-only")).to_be_visible()
    expect(found).to_have_text("1 of 1")
    expect(cell(page, "far40")).to_contain_text("cost * 40")
    page.get_by_role("button", name="Undo").click()
    expect(found).to_have_text(re.compile(r"of 83$"))
    expect(cell(page, "far40")).to_contain_text("price * 40")


def test_who_replaces_more_than_are_found_at_once_is_told_that_some_are_left(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(*(code(f"many{number}", "a " * 2010) for number in range(10))))
    found = find(page, "a", "Control+h")
    expect(found).to_have_text("1 of 20,000+")

    page.get_by_role("textbox", name="Replace with").fill("b")
    for said in ("20,000 replaced", "100 replaced"):
        page.get_by_role("button", name="Replace all").click()
        expect(page.get_by_text(said, exact=True)).to_be_visible()
    expect(page.get_by_text("There are more: replace all once more for the next 20,000.")).to_have_count(1)
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")


def test_a_thousand_cells_are_replaced_in_one_step_that_leaves_the_edits_of_others(house: House) -> None:
    page = house.ada
    cells = [code(f"far{number}", f"price_{number} = price * {number}") for number in range(1000)]
    notebook = house.notebook(*cells, text("other", "Of the same hand."))
    house.open(page, notebook)
    found = find(page, "price", "Control+h")
    expect(found).to_have_text("1 of 2,000")

    page.get_by_role("textbox", name="Replace with").fill("cost")
    page.get_by_role("button", name="Replace all").click()
    expect(page.get_by_text("2,000 replaced", exact=True)).to_be_visible()
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    with house.server.client(house.token) as api:
        address = f"/notebooks/{notebook}/content"
        content = api.get(address, params={"format": "ipynb"}).raise_for_status().json()
        assert ["".join(one["source"]) for one in content["cells"][:1000]] == [
            f"cost_{number} = cost * {number}" for number in range(1000)
        ]
        content["cells"][500]["source"] = "cost_500 = cost * 500\n# by another"
        content["cells"][1000]["source"] = "Of another hand."
        api.put(address, json=content).raise_for_status()
    expect(cell(page, "other")).to_contain_text("Of another hand.")
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Undo")).first.click()
    expect(found).to_have_text("2,000 found")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")

    left = ["".join(one["source"]) for one in house.cells(notebook).values()]
    expected = [one["source"] for one in cells]
    expected[500] += "\n# by another"
    assert left == [*expected, "Of another hand."]


def test_patterns_scopes_and_single_replacements(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("one", "a1 = 1\na2 = 2\nb3 = 3"), code("two", "a4 = 4"), text("three", "a5")))
    write(page, "one")

    found = find(page, r"a(\d)", "Control+h")
    expect(found).to_have_text("Nothing found")
    page.keyboard.press("Alt+r")
    expect(found).to_have_text("1 of 4")
    page.get_by_role("textbox", name="Replace with").fill("x$1$1")
    page.keyboard.press("Enter")
    expect(lines(page, "one").first).to_have_text("x11 = 1")
    expect(found).to_have_text("1 of 3")

    page.get_by_role("combobox", name="Where to look").click()
    page.get_by_role("option", name="Text only").click()
    expect(found).to_have_text("1 of 1")
    page.get_by_role("combobox", name="Where to look").click()
    page.get_by_role("option", name="Code only").click()
    expect(found).to_have_text(re.compile("of 2$"))
    page.get_by_role("textbox", name="Find").fill("a(")
    expect(found).to_contain_text("This is not a regular expression")
    page.get_by_role("textbox", name="Find").press("Escape")
    expect(page.get_by_role("search")).to_have_count(0)

    write(page, "one")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+h")
    page.get_by_role("textbox", name="Find").fill(r"\d")
    expect(found).to_have_text(re.compile("of 9$"))
    page.get_by_role("button", name="In selection").click()
    expect(found).to_have_text(re.compile("of 3$"))


def test_a_pattern_that_never_ends_does_not_take_the_page_along(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("one", "a" * 60 + "!")))

    find(page, "(a+)+$")
    page.keyboard.press("Alt+r")

    expect(page.get_by_role("status", name="Found")).to_contain_text("takes too long")
    page.get_by_role("textbox", name="Find").fill("a!")
    expect(page.get_by_role("status", name="Found")).to_have_text("1 of 1")


def test_who_only_reads_finds_too_and_sees_what_others_write(house: House) -> None:
    notebook = house.notebook(code("one", "here = 1"), bob="viewer")
    house.open(house.ada, notebook)
    house.open(house.bob, notebook)

    found = find(house.bob, "here")
    expect(found).to_have_text("1 of 1")
    expect(house.bob.get_by_role("button", name="Replace as well")).to_have_count(0)
    house.bob.keyboard.press("Control+h")
    expect(house.bob.get_by_role("textbox", name="Replace with")).to_have_count(0)
    write(house.ada, "one")
    house.ada.keyboard.type("here += ")

    expect(found).to_have_text(re.compile("of 2$"))


def test_several_cursors_write_at_once_and_lines_are_moved_by_keys(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("one", "old = 1\nnew = old\nprint(old)")))
    write(page, "one")

    page.keyboard.press("Control+Shift+l")
    expect(cell(page, "one").locator(".cm-selectionBackground")).to_have_count(3)
    page.keyboard.type("n")
    expect(lines(page, "one")).to_have_text(["n = 1", "new = n", "print(n)"])
    page.keyboard.press("Control+Home")
    page.keyboard.press("Alt+ArrowDown")
    expect(lines(page, "one")).to_have_text(["new = n", "n = 1", "print(n)"])
    page.keyboard.press("Control+/")
    expect(lines(page, "one").nth(1)).to_have_text("# n = 1")
    # What follows quickly is one step of undo, so these are as many steps as there can be.
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(lines(page, "one")).to_have_text(["old = 1", "new = old", "print(old)"])


def test_vim_undoes_what_was_typed_and_escape_leads_out_step_by_step(house: House) -> None:
    page = house.ada
    house.set(keys={"preset": "vim"}, editor={"lineNumbers": True, "fontSize": 18})
    house.open(page, house.notebook(code("one", "first\nsecond\nthird")))
    cell(page, "one").get_by_role("textbox", name="Source").click()
    expect(cell(page, "one").locator(".cm-vimMode, .cm-fat-cursor").first).to_be_attached()

    page.keyboard.type("ggdd")
    expect(lines(page, "one")).to_have_text(["second", "third"])
    page.keyboard.type("u")
    expect(lines(page, "one")).to_have_text(["first", "second", "third"])
    page.keyboard.type("ggIzeroth ")
    expect(lines(page, "one").first).to_have_text("zeroth first")
    page.keyboard.press("Escape")
    expect(cell(page, "one").locator(".cm-content")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cell(page, "one")).to_be_focused()
    assert cell(page, "one").locator(".cm-content").evaluate("it => getComputedStyle(it).fontSize") == "18px"


def test_a_text_is_formatted_illustrated_and_ticked(house: House) -> None:
    page = house.ada
    notebook = house.notebook(text("one", "plain words"), text("two", "- [ ] open\n- [x] done"), bob="editor")
    house.open(page, notebook)
    house.open(house.bob, notebook)

    cell(page, "one").dblclick()
    expect(cell(page, "one").locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+b")
    expect(lines(page, "one")).to_have_text(["**plain words**"])
    page.keyboard.press("Control+End")
    page.evaluate(PASTE_A_PICTURE)
    expect(cell(page, "one").locator(".text-preview img")).to_have_attribute(
        "src", re.compile("^data:image/png;base64,")
    )
    expect(lines(page, "one")).to_have_text(["**plain words**![plot.png](attachment:plot.png)"])
    expect(cell(house.bob, "one").locator("img")).to_be_visible()

    cell(page, "two").get_by_role("checkbox", name="open").click()
    expect(cell(page, "two").get_by_role("checkbox", name="open")).to_be_checked()
    expect(cell(house.bob, "two").get_by_role("checkbox", name="open")).to_be_checked()
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    kept = house.cells(notebook)
    assert list(kept["one"]["attachments"]["plot.png"]) == ["image/png"]
    assert "".join(kept["two"]["source"]) == "- [x] open\n- [x] done"


PASTE_A_PICTURE = """async () => {
  const canvas = new OffscreenCanvas(60, 30)
  canvas.getContext('2d').fillRect(0, 0, 60, 30)
  const data = new DataTransfer()
  data.items.add(new File([await canvas.convertToBlob({ type: 'image/png' })], 'plot.png', { type: 'image/png' }))
  const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
  document.activeElement.dispatchEvent(paste)
}"""


def test_a_diagram_is_drawn_without_a_network_and_a_hostile_text_asks_for_nothing(house: House) -> None:
    page = house.ada
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    with ear() as listening:
        house.open(page, house.notebook(text("one", hostile(listening.url))))
        last = cell(page, "one").locator(".diagram").last.frame_locator("iframe")
        expect(last.locator("svg")).to_contain_text("Diagram")
        expect(cell(page, "one").locator(".remote-image").first).to_be_visible()
        for link in cell(page, "one").locator("a[href]").all():
            assert "noopener" in str(link.get_attribute("rel"))
            assert not str(link.get_attribute("href")).startswith("javascript")
        assert listening.heard == []
    page.remove_listener("dialog", refuse)
    assert dialogs == []
    assert page.evaluate("'mermaid' in window") is False


def hostile(elsewhere: str) -> str:
    """A text that wants to be noticed there, by Markdown, HTML and diagrams; the last diagram is honest."""
    shape = f'C@{{ img: "{elsewhere}/shape.png", label: "x" }}'
    diagrams = [
        f'flowchart LR\n  A["<img src={elsewhere}/label.png>"] --> B\n  {shape}',
        f"%%{{init: {{'themeCSS': '* {{ background: url({elsewhere}/theme) }}'}}}}%%\nflowchart LR\n  A --> B",
        f'flowchart LR\n  A --> B\n  style A fill:url({elsewhere}/fill)\n  click A "javascript:alert(1)"',
        "flowchart LR\n  Fine --> Diagram",
    ]
    return (
        f"![seen]({elsewhere}/seen.png) <img src={elsewhere}/x onerror=alert(1)>\n\n"
        f"<style>@import '{elsewhere}/y'</style><link rel=prefetch href={elsewhere}/z>\n\n"
        "[x](javascript:alert(1)) <a href='javascript:alert(1)'>y</a>\n\n"
        + "\n\n".join(f"```mermaid\n{diagram}\n```" for diagram in diagrams)
    )


def test_slides_are_the_cells_themselves(house: House) -> None:
    page = house.ada
    cells = [
        text("one", "# One"),
        code("a", "a = 1"),
        text("two", "## Two\n\nwords"),
        code("b", "b = 2"),
        text("three", "## Three"),
    ]
    notebook = house.notebook(*cells)
    house.open(page, notebook)
    cell(page, "b").get_by_role("textbox", name="Source").click()
    page.keyboard.press("Escape")

    page.keyboard.press("Alt+v")
    place = page.get_by_role("status", name="Slide")
    expect(place).to_have_text("2 / 3")
    expect(cell(page, "two")).to_be_visible()
    expect(cell(page, "b")).to_be_visible()
    expect(cell(page, "one")).to_be_hidden()
    page.keyboard.press("End")
    expect(place).to_have_text("3 / 3")
    page.keyboard.press("Home")
    expect(place).to_have_text("1 / 3")
    page.keyboard.press(" ")
    expect(place).to_have_text("2 / 3")
    cell(page, "b").get_by_role("textbox", name="Source").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + 0")
    expect(cell(page, "b")).to_contain_text("b = 2 + 0")
    page.get_by_role("button", name="End slideshow").click()
    expect(page.locator(".cells .cell:visible")).to_have_count(5)

    page.goto("about:blank")
    page.goto(f"{house.server.url}/notebooks/{notebook}#slideshowMode=true")
    expect(place).to_have_text("1 / 3")
    page.get_by_role("button", name="End slideshow").click()
    assert "slideshowMode" not in page.url


def test_fragments_come_one_after_another(house: House) -> None:
    page = house.ada
    kinds = {"s": "slide", "f": "fragment", "k": "skip", "t": "slide"}
    house.open(
        page,
        house.notebook(*(text(name, f"words {name}", slideshow={"slide_type": kind}) for name, kind in kinds.items())),
    )

    page.keyboard.press("Alt+Shift+v")
    expect(page.get_by_role("status", name="Slide")).to_have_text("1 / 2")
    expect(cell(page, "f")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "f")).to_be_visible()
    expect(cell(page, "k")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status", name="Slide")).to_have_text("2 / 2")
    page.get_by_role("button", name="End slideshow").click()


def test_a_snippet_is_found_looked_at_and_put_into_the_notebook(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("one", "x = 1")))

    page.keyboard.press("Control+Alt+p")
    panel = page.get_by_role("complementary", name="Code snippets")
    panel.get_by_role("textbox", name="Search").fill("sql table")
    panel.get_by_role("button", name="Ask tables with SQL").click()
    expect(panel.get_by_role("textbox", name="Source")).to_contain_text("duckdb.sql(")
    panel.get_by_role("button", name="Insert").click()

    expect(page.locator(".cells .cell")).to_have_count(2)
    expect(page.locator(".cells .cell").nth(1)).to_contain_text("import duckdb")


def test_on_a_phone_the_bar_that_finds_stays_on_the_screen(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA)
    page.set_viewport_size({"width": 360, "height": 740})
    house.open(page, house.notebook(code("one", "here = 1")))

    expect(find(page, "here", "Control+h")).to_have_text("1 of 1")

    box = page.get_by_role("search").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.context.close()


def choose(page: Page, menu: str, name: str) -> None:
    page.get_by_role("menubar").get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=name).first.click()


def test_a_notebook_that_omits_its_outputs_shows_them_and_saves_none(house: House) -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": "for the page alone\n"}
    notebook = house.notebook(code("a", "print()") | {"outputs": [shown]}, bob="viewer")
    page = house.ada
    house.open(page, notebook)
    assert house.cells(notebook)["a"]["outputs"]

    choose(page, "Edit", "Notebook settings")
    switch = page.get_by_role("switch", name="Omit code cell output when saving this notebook")
    switch.check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    choose(page, "File", "Notebook info")
    expect(page.get_by_role("dialog", name="Notebook info")).to_contain_text("Omitted when it is saved")
    page.keyboard.press("Escape")
    page.reload()
    expect(cell(page, "a")).to_contain_text("for the page alone")
    assert house.cells(notebook)["a"]["outputs"] == []

    house.open(house.bob, notebook)
    choose(house.bob, "Edit", "Notebook settings")
    expect(house.bob.get_by_role("switch")).to_be_checked()
    expect(house.bob.get_by_role("switch")).to_be_disabled()


def test_a_footnote_leads_there_and_back(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(text("one", "As measured[^1].\n\n[^1]: On a *cold* day.\n\nAnd so on.")))
    shown = cell(page, "one")

    shown.get_by_role("link", name="Footnote 1").click()
    expect(shown.get_by_role("listitem").filter(has_text="On a cold day.")).to_be_focused()
    shown.get_by_role("link", name="Back to the text").click()
    expect(shown.get_by_role("link", name="Footnote 1")).to_be_focused()


def test_indentation_has_guides_where_they_are_wanted(house: House) -> None:
    page = house.ada
    house.set(editor={"guides": True, "indent": 2})
    house.open(page, house.notebook(code("one", "if x:\n    y\n\n    z\nend")))
    write(page, "one")

    expect(cell(page, "one").locator(".cm-guided")).to_have_count(3)
    assert "repeating-linear-gradient" in cell(page, "one").locator(".cm-guided").first.evaluate(
        "line => getComputedStyle(line).backgroundImage"
    )


def test_code_is_kept_as_a_snippet_of_ones_own_and_is_there_in_another_browser(house: House) -> None:
    page = house.ada
    house.open(page, house.notebook(code("one", "first = 1\nsecond = 2")))
    write(page, "one")
    page.keyboard.press("Shift+End")
    choose(page, "Insert", "Save as a snippet")
    dialog = page.get_by_role("dialog", name="Save as a snippet")
    expect(dialog.get_by_role("textbox", name="Name")).to_have_value("first = 1")
    expect(dialog.get_by_role("textbox", name="Code")).to_have_value("first = 1")
    dialog.get_by_role("textbox", name="Name").fill("My beginning")
    with page.expect_response(lambda told: told.url.endswith("/me/settings") and told.request.method == "PATCH"):
        dialog.get_by_role("button", name="Save").click()

    other = signed_in(house.chromium, house.server.url, ADA)
    house.open(other, house.notebook(code("two", "pass")))
    other.keyboard.press("Control+Alt+p")
    panel = other.get_by_role("complementary", name="Code snippets")
    panel.get_by_role("button", name="My beginning").click()
    panel.get_by_role("button", name="Edit").click()
    other.get_by_role("textbox", name="Code").fill("third = 3")
    other.get_by_role("dialog").get_by_role("button", name="Save").click()
    panel.get_by_role("button", name="Insert").click()
    expect(other.locator(".cells .cell").nth(1)).to_contain_text("third = 3")
    panel.get_by_role("button", name="Delete").click()
    expect(panel.get_by_role("button", name="My beginning")).to_have_count(0)
    other.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("button", name="My beginning")).to_be_visible()
    other.context.close()


def test_on_paper_a_long_line_of_code_breaks_and_a_panel_leaves_the_page_its_width(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA)
    house.open(page, house.notebook(code("one", "x = 1  # " + "long " * 200)))
    write(page, "one")
    page.keyboard.press("Control+Alt+p")
    expect(page.get_by_role("complementary", name="Code snippets")).to_be_visible()
    assert page.evaluate("document.querySelector('.nb').scrollWidth - innerWidth") <= 0

    # What paper wants comes once the page is at rest.
    page.wait_for_function("() => [...document.styleSheets].some(({ href }) => href?.includes('/print-'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.context.close()
