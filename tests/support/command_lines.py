"""Every command of an open notebook by its id, with what it is to do. Whoever adds a command adds its line."""

import re

from playwright.sync_api import expect

from collegium import __version__
from support.command_cases import (
    Case,
    Step,
    address,
    at,
    changed_cells,
    count,
    dialog,
    downloads,
    finding,
    formats,
    keep,
    kind,
    lines,
    marks,
    order,
    pasted,
    ran,
    says,
    shows,
    status,
    told,
    types,
    undone,
)
from support.commands import SOURCES, World, eventually


def version_told(world: World) -> None:
    expect(world.page.get_by_role("dialog", name="About Collegium")).to_contain_text(__version__)


FILE = {
    "locate": address(r"127.0.0.1:\d+/(drive/\w+)?$"),
    "playground": Case(
        lambda world: eventually(lambda: world.notebook in world.address(), False), lambda world: world.focus("b")
    ),
    "new-notebook": Case(lambda world: eventually(lambda: world.notebook in world.address(), False), keep),
    "open": dialog("Open notebook"),
    "search": address("/drive/search$"),
    "upload": Case(lambda world: eventually(world.asked_for_a_file, True), keep),
    "rename": Case(lambda world: expect(world.page.get_by_role("textbox", name="Notebook name")).to_be_focused(), keep),
    "move-file": dialog("Move “plan.ipynb”"),
    "trash": dialog("Move “plan.ipynb” to the trash?", role="alertdialog"),
    "save-copy": told("This is your copy", before=keep),
    "save": told("Everything is saved", before=keep),
    "save-revision": dialog("Save and pin revision"),
    "history": shows("complementary", "Revision history"),
    "info": dialog("Notebook info"),
    "merge-file": Case(lambda world: eventually(world.asked_for_a_file, True), keep),
    "download": downloads(r"plan.*\.ipynb"),
    "download-py": downloads(r"plan.*\.py"),
    "download-html": downloads(r"plan.*\.html"),
    "download-md": downloads(r"plan.*\.md"),
    "print": Case(lambda world: eventually(lambda: world.page.evaluate("window.printed ?? 0"), 1), keep),
}

EDIT = {
    "undo": Case(lambda world: eventually(lambda: len(world.order()), len(SOURCES)), changed_cells),
    "redo": Case(lambda world: eventually(lambda: len(world.order()), len(SOURCES) + 1), undone),
    "select-all": Case(lambda world: eventually(world.selected, len(SOURCES)), keep),
    "select-cell": Case(
        lambda world: expect(world.cell("b")).to_be_focused(), lambda world: world.write("b"), keys="Control+Shift+s"
    ),
    "cut": count(-1),
    "copy": told("Cell copied"),
    "copy-json": told("Cell copied"),
    "paste": Case(lambda world: eventually(lambda: len(world.order()), len(SOURCES) + 1), pasted),
    "duplicate": count(1),
    "delete": count(-1),
    "up": order("a", "h", "b", "t", "s", "c"),
    "down": order("a", "h", "t", "s", "b", "c"),
    "to-top": order("b", "a", "h", "t", "s", "c"),
    "to-bottom": order("a", "h", "t", "s", "c", "b"),
    "merge": says("b", "y = x + 1\ny\n## Later", before=lambda world: world.focus("b")),
    "merge-above": order("a", "h", "t", "s", "c"),
    "to-code": kind("code", "t"),
    "to-text": kind("markdown", "b"),
    "to-raw": kind("raw", "b"),
    "read-only": marks("read-only", before=lambda world: world.focus("b")),
    "notebook-settings": dialog("Notebook settings"),
    "cell-link": told("Link to the cell copied"),
    "find": shows("search", "Find and replace"),
    "replace": shows("textbox", "Replace with"),
    "find-next": Case(
        lambda world: expect(world.page.get_by_role("status", name="Found")).to_contain_text("2 of"),
        finding,
        keys="Control+g",
    ),
    "find-previous": Case(
        lambda world: expect(world.page.get_by_role("status", name="Found")).not_to_contain_text(re.compile("^1 of")),
        finding,
        keys="Control+Shift+g",
    ),
}


def first_line(world: World) -> None:
    world.write("a")
    world.page.keyboard.press("Control+Home")


def indented(world: World) -> None:
    world.write("a")
    world.by_palette("indent-lines")
    eventually(lambda: world.text("a"), "x = 1\n    print(x)")


def folded_block(world: World) -> None:
    world.write("a")
    world.page.keyboard.press("Control+a")
    world.page.keyboard.insert_text("if x:\n    y = 1\n    z = 2")
    world.page.keyboard.press("Control+Home")


def code_folded(folds: int) -> Step:
    return lambda world: expect(world.cell("a").locator(".cm-foldPlaceholder")).to_have_count(folds)


def folded_by(command: str) -> Step:
    def before(world: World) -> None:
        folded_block(world)
        world.by_palette(command)
        code_folded(1)(world)

    return before


def two_cursors(world: World) -> None:
    # What looks for occurrences comes when it is first asked for.
    expect(world.cell("a").locator(".cm-cursor")).to_have_count(2)
    world.page.keyboard.type("!")
    eventually(lambda: world.text("a").count("!"), 2)


TEXT = {
    "split": Case(
        lambda world: eventually(lambda: len(world.order()), len(SOURCES) + 1),
        lambda world: world.write("b"),
        keys="Control+m -",
    ),
    "comment-lines": lines("x = 1\n# print(x)", "Control+/"),
    "indent-lines": lines("x = 1\n    print(x)"),
    "outdent-lines": Case(lambda world: eventually(lambda: world.text("a"), "x = 1\nprint(x)"), indented),
    "line-up": lines("print(x)\nx = 1", "Alt+ArrowUp"),
    "line-down": Case(
        lambda world: eventually(lambda: world.text("a"), "print(x)\nx = 1"), first_line, keys="Alt+ArrowDown"
    ),
    "copy-line-up": lines("x = 1\nprint(x)\nprint(x)", "Shift+Alt+ArrowUp"),
    "copy-line-down": lines("x = 1\nprint(x)\nprint(x)", "Shift+Alt+ArrowDown"),
    "delete-line": lines("x = 1", "Control+Shift+k"),
    "select-line": types("Control+l", "x = 1\n!"),
    "next-occurrence": Case(two_cursors, first_line, keys="Control+d Control+d"),
    "all-occurrences": Case(two_cursors, first_line, keys="Control+Shift+l"),
    "cursor-above": Case(two_cursors, lambda world: world.write("a"), keys="Control+Alt+ArrowUp"),
    "cursor-below": Case(two_cursors, first_line, keys="Control+Alt+ArrowDown"),
    "goto-line": Case(
        lambda world: expect(world.cell("a").locator(".cm-panels")).to_be_visible(),
        lambda world: world.write("a"),
        keys="Control+Alt+g",
    ),
    "fold-code": Case(code_folded(1), folded_block, keys="Control+Shift+BracketLeft"),
    "unfold-code": Case(code_folded(0), folded_by("fold-code"), keys="Control+Shift+BracketRight"),
    "fold-all-code": Case(code_folded(1), folded_block),
    "unfold-all-code": Case(code_folded(0), folded_by("fold-all-code")),
    "format-heading": formats(r"# Some words\."),
    "format-bold": formats(r"\*\*Some words\.\*\*"),
    "format-italic": formats(r"[*_]Some words\.[*_]"),
    "format-strike": formats(r"~~Some words\.~~"),
    "format-code": formats(r"`Some words\.`"),
    "format-link": formats(r"\[Some words\.\]\(https://\)"),
    "format-image": Case(lambda world: eventually(world.asked_for_a_file, True), lambda world: world.write("t")),
    "format-quote": formats(r"> Some words\."),
    "format-numbered": formats(r"1\. Some words\."),
    "format-list": formats(r"- Some words\."),
    "format-todo": formats(r"- \[ \] Some words\."),
    "format-table": formats(r"(?s).*\|.*-.*\|.*"),
    "format-rule": formats(r"(?s).*---.*"),
    "format-formula": formats(r"(?s).*\$.*"),
    "format-diagram": formats(r"(?s).*mermaid.*"),
}


def turned(theme: str | None) -> Step:
    return lambda world: eventually(
        lambda: world.page.evaluate("document.documentElement.dataset.theme ?? null"), theme
    )


def collapsed(world: World) -> None:
    world.focus("h")
    world.page.keyboard.press("ArrowLeft")
    expect(world.cell("t")).to_have_count(0)


def in_a_panel(world: World) -> None:
    world.focus("b")
    world.by_palette("contents")
    panel = world.page.get_by_role("complementary", name="Table of contents")
    expect(panel.locator(":focus").or_(panel.and_(world.page.locator(":focus")))).to_have_count(1)


VIEW = {
    "contents": shows("complementary", "Table of contents"),
    "files": shows("complementary", "Files"),
    "snippets": shows("complementary", "Code snippets"),
    "variables": shows("complementary", "Variables"),
    "executed": shows("complementary", "Executed code"),
    "comments": shows("complementary", "Comments"),
    "terminal": shows("region", "Terminal"),
    "resources": shows("complementary", "Resources"),
    "view-resources": shows("complementary", "Resources"),
    "numbers": marks("numbers"),
    "left-panel": shows("complementary", "Table of contents"),
    "next-pane": Case(lambda world: expect(world.cell("b")).to_be_focused(), in_a_panel, keys="F6", anew=True),
    "previous-pane": Case(
        lambda world: expect(world.cell("b")).to_be_focused(), in_a_panel, keys="Shift+F6", anew=True
    ),
    "header": shows("button", "Show the header"),
    "theme-light": Case(turned("light"), keep),
    "theme-dark": Case(turned("dark"), keep),
    "theme-system": Case(turned(None), lambda world: world.by_palette("theme-dark")),
    "collapse-sections": Case(lambda world: eventually(world.order, ["a", "h"]), keep),
    "expand-sections": Case(lambda world: eventually(world.order, list(SOURCES)), collapsed),
    "collapse-section": Case(lambda world: expect(world.cell("t")).to_have_count(0), lambda world: world.focus("h")),
    "expand-section": Case(lambda world: expect(world.cell("t")).to_be_visible(), collapsed),
    "save-sections": told("The layout of the sections is saved", before=collapsed),
    "toggle-code": Case(lambda world: expect(world.cell("b").get_by_title("Show code")).to_be_visible()),
    "toggle-output": Case(lambda world: expect(world.cell("b").get_by_title("Show output")).to_be_visible(), runs=True),
    "toggle-all-code": Case(lambda world: expect(world.page.get_by_title("Show code")).to_have_count(3), keep),
    "toggle-all-outputs": Case(
        lambda world: expect(world.page.get_by_title("Show output")).not_to_have_count(0), keep, runs=True
    ),
    "go-to-cell": dialog("Go to cell"),
    "cell-history": shows("slider", "Version", before=lambda world: world.focus("b")),
    "mirror": shows("region", "Beside the cells", before=lambda world: world.focus("b")),
    "form-code": Case(
        lambda world: expect(world.page.get_by_text("#@param").first).to_be_visible(), lambda world: world.only_form()
    ),
    "slideshow": shows("toolbar", "Slideshow"),
    "slideshow-start": shows("toolbar", "Slideshow"),
}

INSERT = {
    "comment": shows("combobox", "Comment", before=lambda world: world.focus("b")),
    "code": count(1),
    "text": count(1),
    "section": Case(lambda world: eventually(lambda: world.last_text(), "# "), lambda world: world.focus("c")),
    "above": count(1),
    "below": count(1),
    "add-form": says("b", "# @title\ny = x + 1\ny", before=lambda world: world.focus("b")),
    "add-form-field": dialog("Add a form field", before=lambda world: world.focus("b")),
    "save-snippet": dialog("Save as a snippet", before=lambda world: world.focus("b")),
    "insert-snippet": shows("complementary", "Code snippets"),
    "scratch": shows("region", "Scratch cell"),
    "copy-to-scratch": shows("region", "Scratch cell", before=lambda world: world.focus("b")),
}


def first_run_of_its_kernel(world: World) -> None:
    """A new kernel counts from one; and it is here, for whatever comes next."""
    before = world.executions()["a"]
    world.focus("a")
    world.press("Control+Enter")
    eventually(lambda: world.executions().get("a", before) != before, True)
    assert world.executions()["a"].startswith("[1]"), world.executions()


RUNTIME = {
    "connect": status("^(Connecting|Idle|Busy)", runs=False),
    "run-all": ran("a", "b", "c"),
    "run-before": ran("a"),
    "run": ran("b"),
    "run-next": ran("b"),
    "run-insert": Case(lambda world: eventually(lambda: len(world.order()), len(SOURCES) + 1)),
    "run-selection": ran("b"),
    "run-after": ran("b", "c"),
    "run-section": ran("b", "c", at="h"),
    "interrupt": status("^Idle", lambda world: world.busy()),
    "restart": Case(first_run_of_its_kernel, keep, runs=True),
    "restart-all": ran("a", "b", "c"),
    "go-running": told("No cell runs now", runs=True),
    "go-last-run": Case(lambda world: eventually(world.focused, "b"), lambda world: world.run_b(), runs=True),
    "go-failed": told("No cell has failed", runs=True),
    "disconnect": dialog("Disconnect and delete the runtime?", role="alertdialog", runs=True),
    "runtime-type": dialog("Change runtime type"),
    "sessions": dialog("Manage sessions"),
    "runtime-log": dialog("Runtime log"),
    "clear": Case(
        lambda world: expect(world.page.get_by_role("region", name="Output")).to_have_count(0), keep, runs=True
    ),
    "clear-cells": Case(
        lambda world: expect(world.cell("b").get_by_role("region", name="Output")).to_have_count(0),
        lambda world: world.run_b(),
        runs=True,
    ),
}

TOOLS = {
    "palette": Case(
        lambda world: expect(world.page.get_by_role("combobox", name="Find a command")).to_be_focused(),
        keep,
        keys="Control+Shift+p",
    ),
    "settings": address("/settings$"),
    "shortcuts": dialog("Keyboard shortcuts"),
    "diff": Case(lambda world: eventually(world.other_tabs, ["/diff"]), keep),
    "environment": dialog("Environment"),
    "questions": told("Is my work saved?", before=keep),
    "release-notes": told("Unreleased", before=keep),
    "bug": dialog("Report a problem"),
    "about": Case(version_told, keep),
}

WAYS = {
    "edit": Case(lambda world: expect(world.cell("b").locator(".cm-content")).to_be_focused()),
    "previous": at("t", "b"),
    "next": at("s", "b"),
    "first": at("a", "b"),
    "last": at("c", "b"),
    "extend-up": Case(lambda world: eventually(world.selected, 2)),
    "extend-down": Case(lambda world: eventually(world.selected, 2)),
}

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
JPG = (
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////"
    "wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": "printed " * 60},
    *(
        {"output_type": "display_data", "metadata": {}, "data": {mime: value}}
        for mime, value in {
            "image/png": PNG,
            "image/jpeg": JPG,
            "image/svg+xml": SVG,
            "text/html": "<table><tr><th>n</th></tr><tr><td>1</td></tr></table>",
            "application/pdf": "JVBERi0xLjQKJSVFT0YK",
            "application/json": {"n": 1},
        }.items()
    ),
]


def drawn(world: World) -> None:
    """On a cell that has outputs of every kind."""
    cell = {
        "id": "o",
        "cell_type": "code",
        "metadata": {},
        "source": "draw()",
        "outputs": OUTPUTS,
        "execution_count": 1,
    }
    world.open(world.kept([cell]))
    expect(world.cell("o").get_by_text("printed")).to_be_visible()
    world.focus("o")


OUTPUT = {
    "full-output": Case(lambda world: expect(world.page.locator(".output-full")).to_be_visible(), drawn, own=True),
    "scroll-output": marks("scroll-output", before=drawn, own=True),
    "wrap-output": marks("wrap-output", before=drawn, own=True),
    "copy-output": told("Output copied", before=drawn, own=True),
    "copy-output-image": told("Output copied", before=drawn, own=True),
    "copy-output-table": told("Output copied", before=drawn, own=True),
    **{
        f"save-output-{kind}": downloads(rf".*\.{kind}", before=drawn, own=True)
        for kind in ("txt", "png", "svg", "jpg", "pdf", "html", "csv", "json")
    },
    "download-log": downloads(r".*", before=lambda world: world.focus("a"), runs=True),
}


def at_x(world: World) -> None:
    """In the cell that uses a name of another one, on this name."""
    world.write("b")
    world.press("Control+Home ArrowRight ArrowRight ArrowRight ArrowRight")


def unshapely(world: World) -> None:
    world.write("c")
    world.press("Control+a")
    world.page.keyboard.insert_text("z=3")
    eventually(lambda: world.text("c"), "z=3")


CODE = {
    "definition": Case(lambda world: eventually(world.focused, "a"), at_x, keys="F12", runs=True),
    "references": told("3 references", before=at_x, runs=True),
    "rename-symbol": Case(
        lambda world: expect(world.page.get_by_role("textbox", name=re.compile("^New name"))).to_be_focused(),
        at_x,
        keys="F2",
        runs=True,
    ),
    "quick-fix": Case(
        lambda world: expect(world.page.get_by_text("No problem is known here").first).to_be_visible(),
        at_x,
        keys="Alt+.",
        runs=True,
    ),
    "next-problem": told("No problems are known", runs=True),
    "previous-problem": told("No problems are known", runs=True),
    "format-cells": Case(lambda world: eventually(lambda: world.text("c"), "z = 3"), unshapely, runs=True),
    "format-notebook": Case(lambda world: eventually(lambda: world.text("c"), "z = 3"), unshapely, runs=True),
}

TABLE: dict[str, Case] = FILE | EDIT | TEXT | VIEW | INSERT | RUNTIME | TOOLS | WAYS | OUTPUT | CODE
