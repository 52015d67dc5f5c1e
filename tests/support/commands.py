"""Commands of an open notebook, driven in a browser: how one is run, and how what it did is seen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect

from support.server import Server

SEEN_SECONDS_MAX = 60
SOURCES = {
    "a": "x = 1\nprint(x)",
    "h": "# Plan",
    "t": "Some words.",
    "b": "y = x + 1\ny",
    "s": "## Later",
    "c": "z = 3",
}
TEXT = {"h", "t", "s"}


@dataclass
class World:
    """A server, somebody's page, and the notebook that is open in it."""

    server: Server
    token: str
    page: Page
    notebook: str = ""
    lively: str = ""
    """A notebook whose cells have all run, and can again."""
    files: list[str] = field(default_factory=list)
    """What was downloaded."""
    anew: bool = True
    """Notebooks are opened by loading the page, not within the one that is there, which is several times faster."""
    choosers: int = 0
    was_checked: bool = False
    runs: dict[str, str] = field(default_factory=dict)

    def made(self) -> str:
        """A new notebook of code, headings and words."""
        cells: list[dict[str, Any]] = [
            {"id": cell, "cell_type": "markdown", "metadata": {}, "source": source}
            if cell in TEXT
            else {
                "id": cell,
                "cell_type": "code",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for cell, source in SOURCES.items()
        ]
        return self.kept(cells)

    def kept(self, cells: list[dict[str, Any]]) -> str:
        """A new notebook of these cells; its id."""
        return self.server.notebook_of(self.token, cells, name="plan.ipynb")

    def open(self, notebook: str | None = None) -> None:
        """Show this notebook, or a fresh one."""
        self.notebook = notebook or self.made()
        if self.anew:
            self.page.goto(f"{self.server.url}/notebooks/{self.notebook}")
        else:
            # By way of nothing, so that the same notebook is opened again as well.
            self.go("/nowhere")
            expect(self.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
            self.go(f"/notebooks/{self.notebook}")
        self.ready()

    def go(self, path: str) -> None:
        """Follow a link of the page."""
        self.page.evaluate("path => history.pushState(null, '', path)", path)

    def open_for(self, *, runs: bool, anew: bool, own: bool) -> None:
        """As every command finds it: fresh, or with a runtime and outputs; or not yet, if it opens one of its own."""
        self.files.clear()
        self.choosers = 0
        self.anew = anew
        # Behind another tab all takes seconds: nothing is drawn there.
        for tab in self.page.context.pages:
            if tab != self.page:
                tab.close()
        if own:
            return
        if not runs:
            self.open()
            return
        self.open(self.lively or None)
        self.lively = self.notebook
        expect(self.cell("c").locator(".run")).to_be_visible()
        if not self.executions().keys() >= {"a", "b", "c"}:
            self.by_palette("run-all")
            eventually(lambda: self.executions().keys() >= {"a", "b", "c"}, True)

    def choose(self) -> None:
        """A file was asked for."""
        self.choosers += 1

    # The page is asked something each time, so that what the browser has to tell is heard.

    def downloaded(self) -> str:
        """The name of the file that came last."""
        self.page.title()
        return self.files[-1] if self.files else ""

    def asked_for_a_file(self) -> bool:
        self.page.title()
        return self.choosers > 0

    def address(self) -> str:
        return str(self.page.evaluate("location.href"))

    def other_tabs(self) -> list[str]:
        """Where the tabs lead that came."""
        self.page.title()
        return [str(page.evaluate("location.pathname")) for page in self.page.context.pages if page != self.page]

    def press(self, keys: str) -> None:
        for stroke in keys.split(" "):
            self.page.keyboard.press(stroke)

    def checked(self, command: str) -> bool:
        """What the palette says of a tick box."""
        self.page.keyboard.press("Control+Shift+P")
        entry = self.page.locator(f'[role="option"][data-command="{command}"]')
        expect(entry).to_be_visible()
        checked = entry.get_attribute("data-checked") == "true"
        self.page.keyboard.press("Escape")
        expect(entry).to_have_count(0)
        return checked

    def executions(self) -> dict[str, str]:
        """What is told of each cell's last run that has ended: its number, and when that was."""
        read = """all => all.flatMap(cell => { const count = cell.querySelector('.run-count')?.innerText
            return count ? [[cell.dataset.cellId, `${count} ${cell.querySelector('.run').title}`]] : [] })"""
        return dict(self.page.locator(".cells [data-cell-id]").evaluate_all(read))

    def ready(self) -> None:
        """The cells can be edited."""
        expect(self.page.get_by_role("status", name="Save status")).to_have_text("Saved")
        expect(self.page.locator("[data-cell-id]").first).to_be_visible()

    def cell(self, cell: str) -> Locator:
        return self.page.locator(f'[data-cell-id="{cell}"]')

    def focus(self, cell: str) -> None:
        """On the cell, not in its text."""
        self.cell(cell).focus()

    def write(self, cell: str) -> None:
        """In the text of the cell, at its end."""
        self.focus(cell)
        self.page.keyboard.press("Enter")
        expect(self.cell(cell).locator(".cm-content")).to_be_focused()
        self.page.keyboard.press("Control+End")

    def by_palette(self, command: str) -> None:
        """Run a command as people do who know its name only."""
        self.page.keyboard.press("Control+Shift+P")
        entry = self.page.locator(f'[role="option"][data-command="{command}"]')
        entry.click()
        expect(self.page.get_by_role("dialog", name="Commands", exact=True)).to_have_count(0)

    def cells(self) -> list[tuple[str, str, str]]:
        """The cells on the page: id, kind, text."""
        read = """all => all.map(cell => [cell.dataset.cellId, /\\bcell-(code|markdown|raw)\\b/.exec(cell.className)[1],
            [...cell.querySelectorAll('.cm-line')].map(line => line.innerText.replace('\\n', '')).join('\\n')
                || (cell.querySelector('.source-still, .source pre')?.innerText ?? '')])"""
        return [
            (cell, kind, text) for cell, kind, text in self.page.locator(".cells [data-cell-id]").evaluate_all(read)
        ]

    def order(self) -> list[str]:
        return [cell for cell, _, _ in self.cells()]

    def kind(self, cell: str) -> str:
        return next(kind for one, kind, _ in self.cells() if one == cell)

    def text(self, cell: str) -> str:
        """A cell's source, as the server has it."""
        with self.server.client(self.token) as api:
            document = api.get(f"/notebooks/{self.notebook}/content").raise_for_status().json()
        return next("".join(one["source"]) for one in document["cells"] if one["id"] == cell)

    def last_text(self) -> str:
        """Of the cell at the foot."""
        return self.cells()[-1][2]

    def run_b(self) -> None:
        """One cell runs, and has ended."""
        before = self.executions()
        self.focus("b")
        self.page.keyboard.press("Control+Enter")
        eventually(lambda: self.executions().get("b") not in (None, before.get("b")), True)

    def busy(self) -> None:
        """A cell runs that does not end; this notebook is of no more use."""
        self.lively = ""
        self.write("c")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text("while True: pass")
        self.page.keyboard.press("Control+Enter")
        expect(self.page.get_by_role("status", name="Runtime status")).to_contain_text("Busy")

    def only_form(self) -> None:
        """A cell that shows its form, and not its code."""
        self.write("c")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text('# @title Size { display-mode: "form" }\nsize = 3 #@param {type: "integer"}')
        self.page.keyboard.press("Escape")
        expect(self.cell("c").get_by_text("#@param")).to_have_count(0)
        self.focus("c")

    def focused(self) -> str | None:
        return self.page.evaluate("document.activeElement?.closest('[data-cell-id]')?.dataset.cellId ?? null")

    def selected(self) -> int:
        return self.page.locator(".cell-chosen").count()


def eventually(read: Callable[[], Any], wanted: Any) -> None:
    """Waits until this is read; shows what was read last if it never is."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while (last := read()) != wanted:
        assert time.monotonic() < deadline, f"{last!r} is not {wanted!r}"
        time.sleep(0.05)
