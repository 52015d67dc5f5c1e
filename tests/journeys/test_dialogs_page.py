"""Every dialog of the page, opened by keys: axe finds nothing, it keeps the focus, and gives it back at Escape."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import at_home, browser
from support.dialogs import choose, command, gone_through, press
from support.notebook import cell, open_notebook
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
SOURCES = Path(__file__).parents[2] / "web/src"
DIALOG = re.compile(r"<(?:Dialog|ConfirmDialog|NameDialog)\b")
ELSEWHERE = Counter({"ui/notebook/KeptEdits.tsx": 1})
"""Comes only after a document was replaced: gone through in test_offline."""


@dataclass(frozen=True)
class Asked:
    """A dialog: the file it stands in, its title, and the keys that open it."""

    where: str
    title: str
    opens: Callable[[Page], None]


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def by_button(name: str) -> Callable[[Page], None]:
    return lambda page: press(page, button(page, name))


def by_menu(of: str, entry: str) -> Callable[[Page], None]:
    return lambda page: choose(page, button(page, f"More for {of}"), entry)


def by_command(name: str) -> Callable[[Page], None]:
    return lambda page: command(page, name)


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("grid", name="Files").get_by_role("link", name=name)


def chosen(page: Page, opener: Locator, name: str) -> None:
    """A file of this name, where the page asks for one."""
    with page.expect_file_chooser() as chooser:
        press(page, opener)
    chooser.value.set_files({"name": name, "mimeType": "application/json", "buffer": b"{}"})


ITEMS = "pages/drive/useItemActions.tsx"
IN_THE_DRIVE = (
    Asked(ITEMS, "New folder", by_button("New folder")),
    Asked(ITEMS, "Rename", lambda page: press(page, link(page, "lesson.ipynb"), "F2")),
    Asked("ui/drive/MoveDialog.tsx", "Move “lesson.ipynb”", by_menu("lesson.ipynb", "Move")),
    Asked("ui/sharing/ShareDialog.tsx", "Share “lesson.ipynb”", by_menu("lesson.ipynb", "Share")),
    Asked("pages/drive/DetailsDialog.tsx", "lesson.ipynb", by_menu("lesson.ipynb", "Details")),
    Asked(
        "pages/drive/MergeDialog.tsx",
        "Merge into the notebook that is here?",
        lambda page: chosen(page, button(page, "Upload"), "lesson.ipynb"),
    ),
)
IN_THE_TRASH = (
    Asked(ITEMS, "Empty the trash?", by_button("Empty trash")),
    Asked(ITEMS, "Delete “old.ipynb” forever?", by_menu("old.ipynb", "Delete forever")),
)


def token_made(page: Page) -> None:
    name = page.get_by_role("textbox", name="Name of the new token")
    name.fill("robot")
    press(page, name)


IN_THE_ACCOUNT = (
    Asked("pages/account/Tokens.tsx", "Token “robot”", token_made),
    Asked("pages/account/Tokens.tsx", "Revoke “robot”?", by_button("Revoke robot")),
    Asked("pages/account/Groups.tsx", "Rename group", by_button("Rename Class")),
    Asked("pages/account/Groups.tsx", "Delete “Class”?", by_button("Delete Class")),
)
IN_THE_COMPARISON = (
    Asked(
        "pages/diff/Chooser.tsx", "Choose a notebook", lambda page: press(page, button(page, "From the drive").first)
    ),
)


def keys_reset(page: Page) -> None:
    command(page, "Keyboard shortcuts")
    press(page, button(page, "Reset all"))


def revision_named(page: Page) -> None:
    command(page, "Revision history")
    panel = page.get_by_role("complementary", name="Revision history")
    choose(page, panel.get_by_role("button", name=re.compile("^More about ")).first, "Name …")


def playground_left(page: Page) -> None:
    command(page, "Open in playground")
    press(page, page.get_by_role("region", name="Playground").get_by_role("button", name="Discard"))


DESK = "ui/notebook/Dialogs.tsx"
IN_A_NOTEBOOK = (
    Asked(DESK, "Keyboard shortcuts", by_command("Keyboard shortcuts")),
    Asked(DESK, "Commands", lambda page: press(page, cell(page, "form"), "Control+Shift+P")),
    Asked(DESK, "Frequently asked questions", by_command("Frequently asked questions")),
    Asked(DESK, "Release notes", by_command("Release notes")),
    Asked(DESK, "Report a problem", by_command("Report a problem")),
    Asked(DESK, "About Collegium", by_command("About Collegium")),
    Asked(DESK, "Notebook info", by_command("Notebook info")),
    Asked(DESK, "Move “lesson.ipynb” to the trash?", by_command("Move to trash")),
    Asked("ui/drive/OpenDialog.tsx", "Open notebook", by_command("Open notebook")),
    Asked("ui/resources/RuntimeTypeDialog.tsx", "Change runtime type", by_command("Change runtime type")),
    Asked("ui/resources/EnvironmentDialog.tsx", "Environment", by_command("Environment")),
    Asked("ui/resources/SessionsDialog.tsx", "Manage sessions", by_command("Manage sessions")),
    Asked("ui/snippets/SnippetDialog.tsx", "Save as a snippet", by_command("Save as a snippet")),
    Asked("ui/notebook/NotebookSettings.tsx", "Notebook settings", by_command("Notebook settings")),
    Asked("ui/notebook/FullOutput.tsx", "Output", by_command("View output full screen")),
    Asked("ui/notebook/GoToCell.tsx", "Go to cell", by_command("Go to cell")),
    Asked("ui/forms/FieldDialog.tsx", "Add a form field", by_command("Add a form field")),
    Asked("ui/history/RevisionDialog.tsx", "Save and pin revision", by_command("Save and pin revision")),
    Asked("ui/history/HistoryPanel.tsx", "Name this revision", revision_named),
    Asked("ui/settings/KeyEditor.tsx", "Give up all your own keys?", keys_reset),
    Asked("ui/notebook/PlaygroundBar.tsx", "Discard this playground?", playground_left),
)


def session_ended(page: Page) -> None:
    command(page, "Manage sessions")
    press(page, button(page, "Terminate the session of “busy.ipynb”"))


def charted(page: Page) -> None:
    button(page, "Open as interactive table").press("Enter")
    expect(page.get_by_role("grid").locator("#grid-cell-0-0")).to_be_visible()
    press(page, button(page, "Chart this"))


def file(page: Page) -> Locator:
    """In the tree of the runtime's files."""
    return page.get_by_role("treeitem", name="same.txt", exact=True)


def written_by_two(page: Page) -> None:
    file(page).press("Enter")
    text = page.get_by_role("textbox", name="same.txt")
    text.focus()
    page.keyboard.type("mine ")
    cell(page, "write").focus()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("It changed in the runtime since you opened it.")).to_be_visible()
    press(page, text, "Control+s")


def left_unsaved(page: Page) -> None:
    press(page, page.get_by_role("tab", name="same.txt, not saved"), "Delete")


WITH_A_RUNTIME = (
    Asked(DESK, "Runtime log", by_command("View runtime log")),
    Asked(DESK, "Disconnect and delete the runtime?", by_command("Disconnect and delete runtime")),
    Asked("ui/resources/SessionsDialog.tsx", "Terminate the session of “busy.ipynb”?", session_ended),
    Asked("ui/files/FilesPanel.tsx", "Delete “same.txt”?", lambda page: press(page, file(page), "Delete")),
    Asked(
        "ui/files/useUploads.tsx",
        "“same.txt” is there already",
        lambda page: chosen(page, page.get_by_role("toolbar", name="Files").get_by_label("Upload"), "same.txt"),
    ),
    Asked("ui/files/OpenFile.tsx", "“same.txt” changed since you opened it", written_by_two),
    Asked("ui/files/FileTab.tsx", "Close “same.txt” without saving?", left_unsaved),
    Asked("ui/grid/ChartThis.tsx", "Chart this", charted),
)
ALL = (*IN_THE_DRIVE, *IN_THE_TRASH, *IN_THE_ACCOUNT, *IN_THE_COMPARISON, *IN_A_NOTEBOOK, *WITH_A_RUNTIME)


@dataclass
class House:
    """A running server, Ada's page, and her token."""

    server: Server
    page: Page
    token: str

    def go_through(self, dialogs: tuple[Asked, ...]) -> None:
        """Open each, and leave it."""
        for one in dialogs:
            one.opens(self.page)
            gone_through(self.page, one.title)
            # Some stand over another one.
            if self.page.locator(".dialog").count() > 0:
                self.page.keyboard.press("Escape")
            expect(self.page.locator(".dialog")).to_have_count(0)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA, admin=True)
        yield House(running, at_home(chromium, running.url, ADA, reduced_motion="reduce"), token)
        running.give_back(token)


def test_every_dialog_of_the_source_has_its_line_here() -> None:
    written = Counter(
        {
            path.relative_to(SOURCES).as_posix(): found
            for path in SOURCES.rglob("*.tsx")
            if "ui/kit" not in path.as_posix() and (found := len(DIALOG.findall(path.read_text())))
        }
    )

    assert written == Counter(one.where for one in ALL) + ELSEWHERE


def test_the_dialogs_of_the_drive(house: House) -> None:
    with house.server.client(house.token) as api:
        api.post("/notebooks", params={"name": "lesson.ipynb", "folder": "root"}).raise_for_status()
        old = api.post("/notebooks", params={"name": "old.ipynb"}).raise_for_status().json()["id"]
        api.post(f"/drive/items/{old}/trash").raise_for_status()
    house.page.goto(house.server.url)

    house.go_through(IN_THE_DRIVE)
    house.page.get_by_role("link", name="Trash", exact=True).press("Enter")
    house.go_through(IN_THE_TRASH)


def test_the_dialogs_of_the_account_and_of_the_comparison(house: House) -> None:
    with house.server.client(house.token) as api:
        api.post("/groups", json={"name": "Class"}).raise_for_status()
    house.page.goto(f"{house.server.url}/account")

    house.go_through(IN_THE_ACCOUNT)
    house.page.goto(f"{house.server.url}/diff")
    house.go_through(IN_THE_COMPARISON)


def test_the_dialogs_of_a_notebook(house: House) -> None:
    cells: list[dict[str, Any]] = [
        {"id": "text", "cell_type": "markdown", "metadata": {}, "source": "# A lesson"},
        {
            "id": "form",
            "cell_type": "code",
            "metadata": {},
            "source": "n = 3 # @param {type:'integer'}",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "three"}],
            "execution_count": 1,
        },
    ]
    notebook = house.server.notebook_of(house.token, cells, name="lesson.ipynb")
    with house.server.client(house.token) as api:
        api.post(f"/notebooks/{notebook}/revisions", json={"label": "Before all"}).raise_for_status()
        api.patch("/me/settings", json={"keys": {"bindings": {"run-all": ["Ctrl+F7"]}}}).raise_for_status()
    open_notebook(house.page, house.server, notebook)
    cell(house.page, "form").focus()

    house.go_through(IN_A_NOTEBOOK)


def test_the_dialogs_of_a_runtime(house: House) -> None:
    sources = {
        "write": "open('same.txt', 'a').write('theirs')",
        "table": "import pandas as pd\npd.DataFrame({'a': [1, 2, 3]})",
    }
    notebook = house.server.notebook(house.token, sources, name="busy.ipynb")
    open_notebook(house.page, house.server, notebook)
    button(house.page, "Run all").press("Enter")
    expect(button(house.page, "Open as interactive table")).to_be_visible()
    command(house.page, "Files")
    expect(file(house.page)).to_be_visible()

    house.go_through(WITH_A_RUNTIME)
