"""What lies inside a runtime, under the hands of people: its files, its terminals, its ports."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from support.browser import browser, signed_in
from support.looking import looked_at
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB = "ada@example.org", "bob@example.org"


@dataclass
class House:
    """A running server, Ada signed in, and her token."""

    server: Server
    chromium: Browser
    ada: Page
    token: str

    def notebook(self, source: str, *, bob: str | None = None) -> str:
        """A notebook of Ada's with one code cell, which has run when it is opened; Bob may open it in this role."""
        shared = {BOB: bob} if bob else {}
        return self.server.notebook(self.token, {"one": source}, name="inside.ipynb", shared=shared)

    def open(self, page: Page, source: str = "pass") -> None:
        """A new notebook in this page, its only cell run."""
        page.goto(f"{self.server.url}/notebooks/{self.notebook(source)}")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
        self.run(page)

    def run(self, page: Page) -> None:
        """Run the only cell to its end."""
        cell = page.locator('[data-cell-id="one"]')
        cell.hover()
        cell.get_by_role("button", name="Run cell").click()
        expect(page.get_by_role("status", name="Runtime status")).to_have_text("Idle")
        expect(cell).to_contain_text(re.compile(r"\[\d+\]"))

    def content(self, path: str) -> bytes:
        """A file of Ada's only runtime."""
        with self.server.client(self.token) as api:
            (runtime,) = api.get("/runtimes").raise_for_status().json()
            answer = api.get(f"/runtimes/{runtime['id']}/files/content", params={"path": path})
            return answer.raise_for_status().content


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running, browser() as chromium:
        token = running.add_user(ADA)
        running.add_user(BOB)
        yield House(running, chromium, signed_in(chromium, running.url, ADA), token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    yield
    # What was not saved there would ask before it lets the page go.
    house.ada.goto("about:blank")
    house.server.give_back(house.token)


def files(page: Page) -> Locator:
    """The files panel, opened if it was not."""
    button = page.get_by_role("button", name="Files", exact=True)
    if button.get_attribute("aria-pressed") != "true":
        button.click()
    expect(page.get_by_label("Files in /content")).to_be_visible()
    return page.get_by_role("complementary", name="Files")


def item(page: Page, name: str) -> Locator:
    return page.get_by_role("treeitem", name=name, exact=True)


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def terminal(page: Page) -> Locator:
    """The terminal's rows, opened and with a prompt."""
    page.get_by_role("button", name="Terminal", exact=True).click()
    rows = page.locator(".xterm-rows:visible")
    expect(rows).to_contain_text("$")
    return rows


def lines(rows: Locator) -> list[str]:
    """What the terminal shows, line by line."""
    return [str(line).replace("\xa0", " ").rstrip() for line in rows.locator("> div").all_inner_texts()]


def write(page: Page, line: str) -> None:
    """Type into the terminal, and press return."""
    page.get_by_role("textbox", name="Terminal 1").focus()
    page.keyboard.type(f"{line}\n")


def test_without_a_runtime_the_panels_teach_and_connect(house: House) -> None:
    page = house.ada
    page.goto(f"{house.server.url}/notebooks/{house.notebook('1')}")
    page.get_by_role("button", name="Files", exact=True).click()
    panel = page.get_by_role("complementary", name="Files")
    expect(panel).to_contain_text("Connect to a runtime to see its files.")

    panel.get_by_role("button", name="Connect").click()

    expect(panel).to_contain_text("No files here yet")


def test_who_may_not_run_sees_neither_files_nor_terminals(house: House) -> None:
    bob = signed_in(house.chromium, house.server.url, BOB)
    bob.goto(f"{house.server.url}/notebooks/{house.notebook('1', bob='viewer')}")

    expect(bob.get_by_text("View only")).to_be_visible()
    expect(bob.get_by_role("button", name="Files", exact=True)).to_have_count(0)
    expect(bob.get_by_role("button", name="Terminal", exact=True)).to_have_count(0)
    bob.context.close()


def test_a_terminal_takes_keys_knows_its_size_and_keeps_what_it_showed(house: House) -> None:
    page = house.ada
    house.open(page)
    rows = terminal(page)
    write(page, "echo $((6 * 7)) at $PWD; stty size")
    expect(rows).to_contain_text("42 at /content")
    before = re.search(r"^(\d+) \d+$", "\n".join(lines(rows)), re.M)

    edge = page.get_by_role("separator", name="Height of the terminal")
    edge.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    expect(edge).to_have_attribute("aria-valuenow", "376")
    write(page, r"printf '\e[c'; read -rsd c; clear; stty size; echo done")
    expect(rows.locator("> div").nth(1)).to_have_text("done")
    after = re.search(r"^(\d+) \d+$", "\n".join(lines(rows)), re.M)
    assert before is not None
    assert after is not None
    assert int(after[1]) > int(before[1])

    page.keyboard.press("Control+Shift+ArrowUp")
    expect(tab(page, "Terminal 1")).to_be_focused()
    page.reload()
    again = terminal(page)
    expect(again.locator("> div").nth(1)).to_have_text("done")
    expect(again.locator("> div").nth(0)).to_have_text(after[0])
    write(page, "echo nothing else was typed")
    expect(again.locator("> div").nth(2)).to_have_text(re.compile(r"^[^$]*\$.echo nothing else was typed$"))


def test_a_terminal_goes_on_after_the_server_was_killed_with_nothing_twice(house: House) -> None:
    page = house.ada
    house.open(page)
    rows = terminal(page)
    write(page, "clear; for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 0.3; done")
    expect(rows).to_contain_text("line 2")

    house.server.kill()
    expect(page.get_by_text("Reconnecting…").last).to_be_visible()
    house.server.start()

    expect(rows).to_contain_text("line 8")
    expect(page.get_by_text("Reconnecting…")).to_have_count(0)
    assert [line for line in lines(rows) if line.startswith("line")] == [f"line {n}" for n in range(1, 9)]


def test_a_shell_that_ended_is_started_again(house: House) -> None:
    page = house.ada
    house.open(page)
    terminal(page)
    write(page, "exit 3")
    expect(page.get_by_text("The shell has ended (exit code 3).")).to_be_visible()

    page.get_by_role("button", name="Start again").click()

    expect(page.locator(".xterm-rows:visible")).to_contain_text("$")
    expect(page.get_by_role("tablist", name="Terminals").get_by_role("tab")).to_have_count(1)
    page.get_by_role("button", name="New terminal").click()
    expect(tab(page, "Terminal 3")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Terminal 3").press("Delete")
    expect(page.get_by_role("tablist", name="Terminals").get_by_role("tab")).to_have_count(1)


def test_files_are_made_renamed_found_by_keys_and_deleted(house: House) -> None:
    page = house.ada
    house.open(page, "import pathlib\nfor n in ('b10.txt', 'b9.txt', 'a.txt'): pathlib.Path(n).write_text(n)")
    files(page)
    expect(page.get_by_role("treeitem")).to_have_text([re.compile(f"^{n}") for n in ("a.txt", "b9.txt", "b10.txt")])

    item(page, "a.txt").focus()
    page.keyboard.press("End")
    expect(item(page, "b10.txt")).to_be_focused()
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="New name").fill("c.txt")
    page.keyboard.press("Enter")
    expect(item(page, "c.txt")).to_be_focused()

    page.get_by_role("button", name="New folder").click()
    page.get_by_role("textbox", name="Name of the new folder").fill("data")
    page.keyboard.press("Enter")
    expect(item(page, "data")).to_be_focused()
    item(page, "data").click(button="right")
    page.get_by_role("menuitem", name="New file").click()
    name = page.get_by_role("textbox", name="Name of the new file")
    expect(name).to_be_focused()
    name.fill("notes.md")
    page.keyboard.press("Enter")
    expect(item(page, "notes.md")).to_have_attribute("aria-level", "2")
    assert house.content("/content/data/notes.md") == b""
    expect(page.get_by_role("textbox", name="notes.md", exact=True)).to_be_focused()

    item(page, "data").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("alertdialog")).to_contain_text("everything in it")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(item(page, "data")).to_have_count(0)
    expect(tab(page, "notes.md")).to_have_count(0)
    expect(item(page, "a.txt")).to_be_focused()
    assert house.content("/content/c.txt") == b"b10.txt"


def test_what_a_cell_writes_appears_by_itself(house: House) -> None:
    page = house.ada
    house.open(page, "import time; open(f'made-{__import__(\"os\").getpid()}', 'a').close(); open('x', 'a').write('.')")
    files(page)
    expect(page.get_by_role("treeitem")).to_have_count(2)
    item(page, "x").click()
    expect(page.get_by_role("textbox", name="x", exact=True)).to_have_text(".")

    house.run(page)

    expect(page.get_by_role("textbox", name="x", exact=True)).to_have_text("..")


def test_uploads_come_by_button_and_by_drop_and_no_name_is_lost(house: House) -> None:
    page = house.ada
    house.open(page, "import os; os.mkdir('data'); open('same.txt', 'w').write('mine')")
    panel = files(page)
    with page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Upload").click()
    chooser.value.set_files(
        [
            {"name": "same.txt", "mimeType": "text/plain", "buffer": b"theirs"},
            {"name": "empty", "mimeType": "text/plain", "buffer": b""},
        ]
    )
    expect(page.get_by_role("dialog")).to_contain_text("“same.txt” is there already")
    page.get_by_role("button", name="Keep both").click()
    expect(item(page, "same (1).txt")).to_be_visible()
    expect(item(page, "empty")).to_be_visible()
    assert (house.content("/content/same.txt"), house.content("/content/same (1).txt")) == (b"mine", b"theirs")

    dropped = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(new File(['dropped'], 'd.txt')); return t }"
    )
    item(page, "data").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_role("region", name="Uploads").get_by_role("status")).to_have_text("Uploads complete")
    item(page, "data").click()
    expect(item(page, "d.txt")).to_be_visible()
    assert house.content("/content/data/d.txt") == b"dropped"


def test_an_upload_that_is_cut_goes_on_where_it_was(house: House) -> None:
    page = house.ada
    house.open(page)
    panel = files(page)
    content = hashlib.shake_128(b"upload").digest(3_000_000)
    asked: list[tuple[str, int]] = []
    cuts = iter([False, False, True])

    def answer(route: Route, request: Request) -> None:
        asked.append((request.method, int(parse_qs(urlsplit(request.url).query).get("offset", ["-1"])[0])))
        if next(cuts, False):
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/files/upload?*", answer)
    with page.expect_file_chooser() as chooser:
        panel.get_by_role("button", name="Upload").click()
    chooser.value.set_files([{"name": "big.bin", "mimeType": "application/octet-stream", "buffer": content}])
    expect(item(page, "big.bin")).to_be_visible()
    page.unroute("**/files/upload?*")

    assert house.content("/content/big.bin") == content
    cut = next(at for at, (method, _) in enumerate(asked) if method == "GET")
    assert asked[cut + 1] == asked[cut - 1]
    assert [offset for method, offset in asked if method == "PUT"].count(0) == 1


def test_a_file_is_edited_saved_and_never_overwritten_unasked(house: House) -> None:
    page = house.ada
    house.open(page, "import pathlib; pathlib.Path('a.py').write_bytes(b'x = 1\\r\\ny = 2\\r\\n')")
    files(page)
    item(page, "a.py").click()
    editor = page.get_by_role("textbox", name="a.py")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# mine\n")
    expect(tab(page, "a.py, not saved")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(tab(page, "a.py")).to_be_visible()
    assert house.content("/content/a.py") == b"# mine\r\nx = 1\r\ny = 2\r\n"

    page.keyboard.type("# again\n")
    with house.server.client(house.token) as api:
        (runtime,) = api.get("/runtimes").raise_for_status().json()
        put = f"/runtimes/{runtime['id']}/files/content"
        api.put(put, params={"path": "/content/a.py"}, content=b"theirs\n").raise_for_status()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog")).to_contain_text("changed since you opened it")
    assert house.content("/content/a.py") == b"theirs\n"
    page.get_by_role("button", name="Load theirs").click()
    expect(editor).to_have_text("theirs")
    expect(tab(page, "a.py")).to_be_visible()

    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("not yet ")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close a.py").click()
    page.get_by_role("button", name="Cancel").click()
    expect(editor).to_have_text("not yet theirs")
    page.get_by_role("button", name="Close a.py").click()
    page.get_by_role("button", name="Close without saving").click()
    expect(editor).to_have_count(0)


STRANGERS = """
import pathlib, json
import matplotlib.pyplot as plt
plt.plot([1, 3, 2]); plt.savefig('plot.png'); plt.close()
pathlib.Path('people.csv').write_text('name,born\\n' + ''.join(f'Person {i},{i}\\n' for i in range(1500)))
pathlib.Path('tree.json').write_text(json.dumps({'branch': [1, 2]}))
pathlib.Path('page.html').write_text('<script>parent.hurt = opener.hurt = window.hurt = 1</script><b>bold</b>')
pathlib.Path('bad.svg').write_text('<svg xmlns="http://www.w3.org/2000/svg" onload="window.hurt = 1"><rect/></svg>')
pathlib.Path('<img src=x onerror=hurt=1>.txt').write_text('name')
pathlib.Path('noise.dat').write_bytes(bytes(range(256)))
pathlib.Path('big.log').write_text('a line\\n' * 400_000)
"""


def test_files_are_shown_as_what_they_are_and_none_of_them_runs(house: House) -> None:
    page = house.ada
    house.open(page, STRANGERS)
    files(page)
    item(page, "plot.png").click()
    expect(page.get_by_text(re.compile(r"640 × 480"))).to_be_visible()
    item(page, "people.csv").click()
    table = page.get_by_role("region", name="people.csv as a table")
    expect(table.get_by_role("cell", name="Person 7", exact=True)).to_be_visible()
    expect(table).to_contain_text("The first 1,000 rows.")
    item(page, "tree.json").click()
    expect(page.get_by_text("branch")).to_be_visible()
    item(page, "page.html").click()
    expect(page.get_by_role("textbox", name="page.html")).to_contain_text("<b>bold</b>")
    item(page, "bad.svg").click()
    expect(page.get_by_role("img", name="bad.svg")).to_be_visible()
    item(page, "<img src=x onerror=hurt=1>.txt").click()
    expect(page.get_by_role("textbox", name="<img src=x onerror=hurt=1>.txt")).to_have_text("name")
    item(page, "noise.dat").click()
    expect(page.get_by_text("A file of this kind cannot be shown here.")).to_be_visible()
    item(page, "big.log").click()
    expect(page.get_by_text("It is too large to be edited here.")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("tabpanel", name="big.log").get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "big.log"
    assert saved.value.path().stat().st_size == 7 * 400_000
    assert page.evaluate("window.hurt") is None


SERVING = """
import subprocess, sys, pathlib, socket
pathlib.Path('site').mkdir()
pathlib.Path('site/index.html').write_text('<title>Mine</title><h1>Hello from inside</h1>')
subprocess.Popen([sys.executable, '-m', 'http.server', '8765', '-d', 'site'],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while True:
    try: socket.create_connection(('127.0.0.1', 8765)).close(); break
    except OSError: pass
"""


def test_a_server_inside_opens_on_an_origin_of_its_own(house: House) -> None:
    page = house.ada
    house.open(page, SERVING)
    files(page).get_by_role("button", name="Ports").click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Open port 8765").click()
    inside = opened.value
    expect(inside.get_by_role("heading", name="Hello from inside")).to_be_visible()

    assert urlsplit(inside.url).hostname != urlsplit(page.url).hostname
    assert "ticket" not in inside.url
    assert inside.evaluate("[window.opener, document.referrer]") == [None, ""]
    mine = inside.evaluate(
        "address => fetch(address, { credentials: 'include' }).then(a => a.text(), () => null)",
        f"{house.server.url}/api/v1/me",
    )
    assert mine is None or "ada@example.org" not in mine
    stranger = httpx.get(inside.url.replace(urlsplit(inside.url).hostname or "", "127.0.0.1"), trust_env=False)
    assert "Hello from inside" not in stranger.text
    inside.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 360])
def test_panels_fit_and_can_be_used_by_everybody(house: House, scheme: str, width: int) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, color_scheme=scheme, reduced_motion="reduce")
    house.open(page, "import pathlib; pathlib.Path('people.csv').write_text('name,born\\nAda,1815\\n')")
    files(page)
    item(page, "people.csv").click()
    expect(page.get_by_role("cell", name="Ada", exact=True)).to_be_visible()
    terminal(page)
    page.set_viewport_size({"width": width, "height": 820})
    looked_at(page, f"inside-{scheme}-{width}")
    page.get_by_role("button", name="Close people.csv").click()
    looked_at(page, f"files-{scheme}-{width}")
    page.context.close()
