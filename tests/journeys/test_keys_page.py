"""The keyboard where it is another's: vim's keys in a text, a Mac, and an output that has the focus."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import browser, signed_in
from support.notebook import cell, to_the_mouse
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
IS_MAC = "Object.defineProperty(Navigator.prototype, 'platform', { get: () => 'MacIntel' })"


@dataclass
class House:
    """A server that runs nothing, and Ada."""

    server: Server
    chromium: Browser
    token: str

    def open(self, page: Page, *cells: dict[str, Any]) -> None:
        """A notebook of these cells, which can be worked with."""
        notebook = self.server.notebook_of(self.token, cells, name="keys.ipynb")
        page.goto(f"{self.server.url}/notebooks/{notebook}")
        expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
        expect(page.locator(".cells .cell").first).to_be_visible()

    def set(self, **change: object) -> None:
        """What Ada sets about the page; it holds from the next load on."""
        with self.server.client(self.token) as api:
            api.patch("/me/settings", json=change).raise_for_status()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        yield House(running, chromium, running.add_user(ADA))


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    page = signed_in(house.chromium, house.server.url, ADA)
    yield page
    page.context.close()
    house.set(keys={"preset": "default"})


def code(name: str, source: str, html: str | None = None) -> dict[str, Any]:
    """A code cell; with HTML, it has that for a saved output."""
    outputs = [] if html is None else [{"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}]
    return {
        "id": name,
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": outputs,
        "execution_count": None,
    }


def lines(page: Page, name: str) -> Locator:
    return cell(page, name).locator(".cm-line")


def write(page: Page, name: str) -> None:
    cell(page, name).get_by_role("textbox", name="Source").click()
    expect(cell(page, name).locator(".cm-content")).to_be_focused()


def test_vim_writes_moves_saves_and_leaves(house: House, page: Page) -> None:
    house.set(keys={"preset": "vim"})
    house.open(page, code("a", "one two\nthree"), code("b", "last"))
    write(page, "a")
    expect(cell(page, "a").locator(".cm-fat-cursor").first).to_be_attached()

    page.keyboard.type("gg0wcwTWO")
    page.keyboard.press("Escape")
    page.keyboard.type("jA four")
    page.keyboard.press("Escape")
    expect(lines(page, "a")).to_have_text(["one TWO", "three four"])
    page.keyboard.type("yyp:%s/three/3/g")
    page.keyboard.press("Enter")
    expect(lines(page, "a")).to_have_text(["one TWO", "3 four", "3 four"])
    page.keyboard.press("Control+v")
    page.keyboard.type("kx")
    expect(lines(page, "a")).to_have_text(["one TWO", " four", " four"])
    page.keyboard.type("u")
    expect(lines(page, "a")).to_have_text(["one TWO", "3 four", "3 four"])
    page.keyboard.press("Control+r")
    expect(lines(page, "a")).to_have_text(["one TWO", " four", " four"])

    page.keyboard.type(":w")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything is saved")).to_be_visible()
    expect(cell(page, "a").locator(".cm-content")).to_be_focused()
    page.keyboard.type("i")
    page.keyboard.press("Escape")
    expect(cell(page, "a").locator(".cm-content")).to_be_focused()
    page.keyboard.press("Escape")
    expect(cell(page, "a")).to_be_focused()
    page.keyboard.type("dd")
    expect(page.locator(".cells .cell")).to_have_count(1)
    page.keyboard.press("i")
    expect(cell(page, "b").locator(".cm-content")).to_be_focused()
    page.keyboard.type(":q")
    page.keyboard.press("Enter")
    expect(cell(page, "b")).to_be_focused()


def test_a_mac_has_command_for_control(house: House) -> None:
    page = signed_in(house.chromium, house.server.url, ADA, user_agent=MAC, permissions=["clipboard-read"])
    page.add_init_script(IS_MAC)
    house.open(page, code("a", "one = 1"), code("b", "two = 2"))
    write(page, "a")

    page.keyboard.press("Meta+/")
    expect(lines(page, "a")).to_have_text(["# one = 1"])
    page.keyboard.press("Meta+z")
    expect(lines(page, "a")).to_have_text(["one = 1"])
    page.keyboard.press("Meta+ArrowRight")
    page.keyboard.type("1")
    page.keyboard.press("Alt+Backspace")
    expect(lines(page, "a")).to_have_text(["one = "])
    page.keyboard.press("Meta+s")
    expect(page.get_by_text("Everything is saved")).to_be_visible()
    page.keyboard.press("Control+m")
    page.keyboard.press("b")
    expect(page.locator(".cells .cell")).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+m")
    page.keyboard.press("d")
    expect(page.locator(".cells .cell")).to_have_count(2)
    page.keyboard.press("Meta+f")
    expect(page.get_by_role("textbox", name="Find")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Meta+Shift+p")
    palette = page.get_by_role("dialog", name="Commands", exact=True)
    expect(palette.locator('[data-command="run"]')).to_contain_text("⌘↩")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(page.get_by_role("menuitem", name="Undo cell operation")).to_contain_text("⌘M Z")
    page.context.close()


LISTENS = """<button id=in>in</button><input id=field><p id=heard></p><script>
addEventListener('keydown', (event) => { document.getElementById('heard').textContent += event.key + ' ' }, true)
document.getElementById('in').onkeydown = (event) => { if (event.key === 'F2') event.preventDefault() }
</script>"""


def executions(page: Page) -> list[str]:
    """What this page asks the server to run, from now on."""
    asked: list[str] = []

    def sent(frame: str | bytes) -> None:
        if isinstance(frame, str) and '"execute"' in frame:
            asked.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", sent))
    return asked


def test_an_output_gives_the_keyboard_back_and_runs_nothing(house: House, page: Page) -> None:
    asked = executions(page)
    house.open(page, code("a", "1", LISTENS), code("b", "2"))
    frame = cell(page, "a").frame_locator("iframe")
    frame_has_it = cell(page, "a").locator("iframe")

    frame.locator("#in").click()
    page.keyboard.press("Escape")
    expect(cell(page, "a")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cell(page, "b")).to_be_focused()

    to_the_mouse(page)
    frame.locator("#field").click()
    page.keyboard.type("shift")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Escape")
    expect(frame_has_it).to_be_focused()
    expect(frame.locator("#field")).to_have_value("shift")
    expect(frame.locator("#field")).not_to_be_focused()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Everything is saved")).to_be_visible()
    expect(frame_has_it).to_be_focused()
    page.keyboard.press("Control+Shift+p")
    palette = page.get_by_role("dialog", name="Commands", exact=True)
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)

    to_the_mouse(page)
    frame.locator("#in").click()
    page.keyboard.press("Control+b")
    expect(frame.locator("#heard")).to_have_text(re.compile("Control b $"))
    expect(frame_has_it).to_be_focused()
    page.keyboard.down("Control")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The output had the keyboard")).to_be_visible()
    expect(cell(page, "a")).to_be_focused()
    # As long as the key is down that was pressed in the output, nothing is run.
    page.keyboard.press("Enter")
    page.keyboard.up("Control")
    assert asked == []
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(500)
    assert len(asked) == 1


SHOUTS = """<button id=in>Press Ctrl+Enter</button><p id=ran></p><script>
const wishes = ['back', 'run', 'command:run-all', 'command:run', 'command:delete', 'command:restart', 'command:save',
  'command:palette', 'run-all', { toString: () => 'command:run-all' }, null, 7]
let port = null, told = 0
addEventListener('message', ({ ports }) => { port = ports[0] ?? port })
parent.postMessage('collegium-output:hello-closed', '*')
setInterval(() => {
  if (window.rests || port === null) return
  for (const wish of wishes) try { port.postMessage({ kind: 'key', wish }); told += 1 } catch { /* cannot be sent */ }
  document.getElementById('ran').textContent = told > 500 ? 'told often' : ''
}, 5)
addEventListener('keydown', ({ key }) => { if ((key === 'Control' || key === 'a') && window.hands) {
  port.postMessage({ kind: 'key', wish: window.wish ?? 'back' })
  if (window.hands === 'window') { blur(); parent.focus() } } })
</script>"""


def test_an_output_that_presses_keys_by_itself_does_nothing(house: House, page: Page) -> None:
    asked = executions(page)
    house.open(page, code("a", "1", SHOUTS), code("b", "2"))
    frame = cell(page, "a").frame_locator("iframe")
    expect(frame.locator("#in")).to_be_visible()  # What stands below it has its place from then on.

    write(page, "b")
    expect(frame.locator("#ran")).to_have_text("told often")
    page.keyboard.press("Control+End")
    page.keyboard.type(" + 3")
    expect(lines(page, "b")).to_have_text(["2 + 3"])
    expect(cell(page, "b").locator(".cm-content")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)

    # With the keyboard in it, it may give that back, again and again, or ask for what is harmless.
    frame.locator("#in").click()
    expect(cell(page, "a").locator("iframe")).not_to_be_focused()
    expect(page.locator(".cells .cell")).to_have_count(2)
    assert asked == []


@pytest.mark.parametrize("hands", ["asks", "window"])
def test_a_stroke_that_began_in_an_output_does_not_end_in_the_page(house: House, page: Page, hands: str) -> None:
    asked = executions(page)
    house.open(page, code("a", "1", SHOUTS), code("b", "2"))
    frame = cell(page, "a").frame_locator("iframe")
    expect(frame.locator("#ran")).to_have_text("told often")
    frame.locator("#in").evaluate(f"() => {{ window.rests = true; window.hands = '{hands}' }}")

    frame.locator("#in").click()
    page.keyboard.down("Control")
    if hands == "asks":
        expect(cell(page, "a")).to_be_focused()
    else:
        page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    page.keyboard.up("Control")

    page.wait_for_timeout(300)
    assert asked == []


def handing_over(house: House, page: Page, hands: str, wish: str = "back") -> None:
    """Two cells, the keys of JupyterLab, and the keyboard in an output that gets rid of it at the first `a`."""
    house.set(keys={"preset": "jupyterlab"})
    house.open(page, code("a", "1", SHOUTS), code("b", "2"))
    frame = cell(page, "a").frame_locator("iframe")
    expect(frame.locator("#ran")).to_have_text("told often")
    frame.locator("#in").evaluate(f"() => {{ window.rests = true; window.hands = '{hands}'; window.wish = '{wish}' }}")
    cell(page, "b").focus()
    frame.locator("#in").click()
    expect(cell(page, "a").locator("iframe")).to_be_focused()


@pytest.mark.parametrize("hands", ["asks", "window", "goes"])
def test_what_is_typed_for_an_output_does_nothing_in_the_page(house: House, page: Page, hands: str) -> None:
    """It gets rid of the keyboard at a moment of its choosing, and whoever types on types words for it."""
    asked = executions(page)
    handing_over(house, page, hands)
    if hands == "goes":
        cell(page, "a").locator("iframe").evaluate("(frame) => frame.remove()")

    page.keyboard.press("a")
    if hands == "asks":
        expect(cell(page, "a")).to_be_focused()
    else:
        page.wait_for_timeout(300)
    for key in "ddxybm":
        page.keyboard.press(key)
    for keys in ("Control+x", "Delete", "Enter", "z", "Shift+Enter"):
        page.keyboard.press(keys)

    if hands != "window":  # There the frame's element has the keys, and commands of cells mean nothing.
        expect(page.get_by_text("What you typed did nothing").first).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.locator(".cells .cell.cell-code")).to_have_count(2)
    expect(cell(page, "a").locator(".source")).to_have_text(re.compile("^›?1$"))
    assert asked == []
    page.keyboard.press("Escape")
    cell(page, "b").focus()
    page.keyboard.type("dd")
    expect(page.locator(".cells .cell")).to_have_count(1)


def test_a_palette_that_an_output_opened_does_nothing_at_the_first_enter(house: House, page: Page) -> None:
    handing_over(house, page, "asks", "command:palette")

    page.keyboard.press("a")
    expect(page.get_by_role("combobox", name="Find a command")).to_be_focused()
    page.keyboard.type("delete cell")
    expect(page.get_by_role("option", name="Delete cell").first).to_be_visible()
    page.keyboard.press("Enter")

    expect(page.get_by_text("What you typed did nothing").first).to_be_visible()
    expect(page.get_by_role("combobox", name="Find a command")).to_be_focused()
    expect(page.locator(".cells .cell")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".cells .cell")).to_have_count(1)


def test_shift_and_a_click_into_another_text_choose_cells_and_in_the_same_text_letters(
    house: House, page: Page
) -> None:
    house.open(page, *(code(name, f"{name} = 1") for name in "abcd"))
    write(page, "b")

    cell(page, "d").locator(".source").click(modifiers=["Shift"])
    expect(page.locator(".cell-chosen")).to_have_count(3)
    expect(cell(page, "d")).to_be_focused()
    page.keyboard.press("Control+m")
    page.keyboard.press("d")
    expect(page.locator(".cells .cell")).to_have_count(1)

    write(page, "a")
    page.keyboard.press("Home")
    cell(page, "a").locator(".cm-line").click(position={"x": 200, "y": 8}, modifiers=["Shift"])
    page.keyboard.type("x")
    expect(lines(page, "a")).to_have_text(["x"])


def test_a_long_line_goes_under_its_numbers(house: House, page: Page) -> None:
    house.set(editor={"lineNumbers": True, "wrap": False})
    house.open(page, code("a", "x" * 400))
    write(page, "a")
    page.keyboard.press("End")

    ground = cell(page, "a").locator(".cm-gutters").evaluate("it => getComputedStyle(it).backgroundImage")
    house.set(editor={"lineNumbers": False})
    assert "rgba(0, 0, 0, 0)" not in ground
    assert "gradient" in ground


def test_a_tooltip_names_what_is_pointed_at_or_focused_and_goes_with_it(house: House, page: Page) -> None:
    """There is one for the whole page, so it follows from one to the next, and to nothing that has gone."""
    house.open(page, code("a", "1"))
    hint = page.locator(".tooltip")
    files, history = (page.get_by_role("button", name=name, exact=True) for name in ("Files", "Executed code history"))

    files.hover()
    expect(hint).to_have_text(re.compile("^Files"))
    history.hover()
    expect(hint).to_have_text(re.compile("^Executed code history"))
    box, of = hint.bounding_box(), history.bounding_box()
    assert box
    assert of
    assert abs((box["x"] + box["width"] / 2) - (of["x"] + of["width"] / 2)) < 150, "it stands beside its element"
    page.mouse.move(700, 700)
    expect(hint).to_have_count(0)

    files.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(hint).to_have_text(re.compile("^Files"))
    page.keyboard.press("Escape")
    expect(hint).to_have_count(0)

    files.hover()
    expect(hint).to_be_visible()
    files.click()
    expect(hint).to_have_count(0)
    close = page.get_by_role("button", name="Close files")
    close.hover()
    expect(hint).to_have_text("Close files")
    close.press("Enter")
    expect(close).to_have_count(0)
    # By keys the focus is back where it came from, and says so.
    expect(files).to_be_focused()
    expect(hint).to_have_text(re.compile("^Files"))
    page.keyboard.press("Escape")
    expect(hint).to_have_count(0)
