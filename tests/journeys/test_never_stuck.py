"""Cells that put out more than anybody can look at: the page stays small and alive, and nothing is dropped unsaid.

Counts here are the short form; `-m long` has a million lines, fifty megabytes and ten thousand displays.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import nbformat
import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from support.browser import signed_in
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
NODES_MAX = 30_000
HEAP_GROWN_MAX = 400 * 1024 * 1024
"""In the page, of all that a flood may leave there; what it printed is several times as much in the long form."""
SHORT_OR_LONG = ["short", pytest.param("long", marks=pytest.mark.long)]


@dataclass
class House:
    """Ada's page, and her token."""

    server: Server
    page: Page
    token: str
    notebook: str = ""

    def open(self, *sources: str) -> None:
        """A new notebook with these cells: `c0`, `c1` …"""
        cells = {f"c{at}": source for at, source in enumerate(sources)}
        self.notebook = self.server.notebook(self.token, cells, name="flood.ipynb")
        self.page.goto(f"{self.server.url}/notebooks/{self.notebook}")
        expect(self.page.get_by_role("status", name="Save status")).to_have_text("Saved")

    def run(self, cell: str) -> None:
        self.cell(cell).get_by_role("button", name="Run cell").click()

    def stop(self, cell: str) -> None:
        self.cell(cell).get_by_role("button", name="Stop cell").click()

    def cell(self, name: str) -> Locator:
        return self.page.locator(f'[data-cell-id="{name}"]')

    def output(self, name: str) -> Locator:
        return self.cell(name).get_by_role("region", name="Output")

    def frame(self, name: str) -> FrameLocator:
        """The inside of the cell's output frame."""
        return self.cell(name).frame_locator("iframe.output-frame")

    def over(self, name: str) -> None:
        """Wait until the cell has run and does not run any more."""
        expect(self.cell(name).locator(".cell-gutter")).to_contain_text(re.compile(r"\[\d+\]"), timeout=240_000)
        expect(self.cell(name).get_by_role("button", name="Run cell")).to_be_visible(timeout=240_000)

    def log(self, name: str) -> str:
        """All that the cell's last run printed, as a person downloads it."""
        with self.page.expect_download() as downloading:
            self.output(name).get_by_role("link", name="Download the full log").first.click()
        return downloading.value.path().read_text()

    def alive(self, nodes_max: int = NODES_MAX) -> None:
        """Typing is shown and saved, and the page is of a bounded size."""
        source = self.page.locator("[data-cell-id]").last.get_by_role("textbox", name="Source")
        source.click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type("!")
        expect(source).to_have_text(re.compile("!$"))
        expect(self.page.get_by_role("status", name="Save status")).to_have_text("Saved")
        assert self.page.evaluate("document.querySelectorAll('*').length") < nodes_max


@pytest.fixture(scope="module")
def signed(running: Server, chromium: Browser) -> House:
    token = running.add_user(ADA)
    return House(running, signed_in(chromium, running.url, ADA, accept_downloads=True), token)


@pytest.fixture
def house(signed: House) -> Iterator[House]:
    yield signed
    signed.server.give_back(signed.token)


def heap(page: Page) -> int:
    """Bytes that live in the page, garbage collected first."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_printed_lines_show_both_ends_and_the_log_has_them_all(house: House, form: str) -> None:
    count = 1_000_000 if form == "long" else 150_000
    house.open(f"for n in range({count}): print('line', n)", "here")
    before = heap(house.page)
    house.run("c0")
    house.over("c0")

    expect(house.output("c0")).to_contain_text("line 0")
    expect(house.output("c0")).to_contain_text(f"line {count - 1}")
    expect(house.output("c0").locator(".stream-gap")).to_contain_text("left out here")
    house.alive()
    assert heap(house.page) - before < HEAP_GROWN_MAX
    assert house.log("c0") == "".join(f"line {n}\n" for n in range(count))


def test_an_endless_loop_that_prints_is_stopped_while_it_prints(house: House) -> None:
    house.open("n = 0\nwhile True:\n    print('round', n); n += 1", "here")
    house.run("c0")
    expect(house.output("c0").locator(".stream-gap")).to_contain_text("left out here")
    house.alive()
    house.stop("c0")

    expect(house.output("c0")).to_contain_text("KeyboardInterrupt")
    house.alive()
    lines = house.log("c0").splitlines()
    rounds = [line for line in lines if line.startswith("round ")]
    assert rounds[:-1] == [f"round {n}" for n in range(len(rounds) - 1)]


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_a_bar_that_is_drawn_again_and_again_is_one_line(house: House, form: str) -> None:
    count = 1_000_000 if form == "long" else 100_000
    code = f"import sys\nfor n in range({count} + 1): sys.stderr.write(f'\\r{{n}}/{count} it')\nsys.stderr.flush()"
    house.open(code, "here")
    house.run("c0")
    house.over("c0")

    expect(house.output("c0").locator(".stream")).to_have_text(f"{count}/{count} it")
    house.alive()


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_a_progress_bar_of_tqdm_that_is_drawn_at_every_step_is_one_line(house: House, form: str) -> None:
    count = 1_000_000 if form == "long" else 20_000
    house.open(f"from tqdm import tqdm\nfor n in tqdm(range({count}), mininterval=0, miniters=1): pass", "here")
    house.run("c0")
    house.over("c0")

    expect(house.output("c0").locator(".stream")).to_have_text(
        re.compile(rf"^\s*100%.*\b{count}/{count} \[[^\r\n]*\]\s*$")
    )
    house.alive()


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_a_progress_bar_of_widgets_that_moves_at_every_step_ends_and_is_stopped(house: House, form: str) -> None:
    count = 200_000 if form == "long" else 3000
    loop = f"from tqdm.notebook import tqdm\nfor n in tqdm(range({count}), mininterval=0, miniters=1): pass"
    endless = "bar = tqdm(total=10 ** 9, mininterval=0, miniters=1)\nwhile True: bar.update()"
    house.open(loop, endless, "here")
    before = heap(house.page)
    house.run("c0")
    house.over("c0")
    expect(house.frame("c0").get_by_text(f"{count}/{count}")).to_be_visible()
    house.run("c1")
    expect(house.frame("c1").get_by_text(re.compile(r"\d+/1000000000"))).to_be_visible()
    house.alive()
    house.stop("c1")

    expect(house.output("c1")).to_contain_text("KeyboardInterrupt")
    house.alive()
    assert heap(house.page) - before < HEAP_GROWN_MAX


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_very_many_displays_are_shown_from_both_ends_and_counted(house: House, form: str) -> None:
    count = 10_000 if form == "long" else 2_600
    house.open(f"from IPython.display import *\nfor n in range({count}): display(Markdown(f'no. {{n}}'))", "x")
    house.run("c0")
    house.over("c0")
    output = house.output("c0")

    expect(output).to_contain_text("no. 0")
    expect(output).to_contain_text("1,901 more outputs")
    expect(output).to_contain_text(f"{count - 2000:,} more outputs were not kept")
    expect(output.locator(".output-rich")).to_have_count(99)
    house.alive()
    output.get_by_role("button", name="Show 200").click()
    expect(output.locator(".output-rich")).to_have_count(299)
    assert house.log("c0").count("\n") == count


@pytest.mark.parametrize("form", SHORT_OR_LONG)
def test_a_huge_text_and_a_huge_picture_come_whole_and_show_in_part(house: House, form: str) -> None:
    megabytes = 50 if form == "long" else 12
    # No line's end at the end: IPython leaves that out of what an object says of itself.
    text = (
        f"RESULT = ('x' * 79 + '\\n') * ({megabytes}_000_000 // 80 - 1) + 'x' * 80\n"
        "class Text:\n    def __repr__(self): return RESULT\nText()"
    )
    image = (
        "import os, struct, zlib\nfrom IPython.display import Image\n"
        "def number(n): return struct.pack('>I', n)\n"
        "def chunk(kind, data): return number(len(data)) + kind + data + number(zlib.crc32(kind + data))\n"
        f"side = int(({megabytes}_000_000 * .74 / 3) ** .5)\n"
        "rows = b''.join(b'\\0' + os.urandom(side * 3) for _ in range(side))\n"
        "Image(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0))"
        " + chunk(b'IDAT', zlib.compress(rows, 0)) + chunk(b'IEND', b''))"
    )
    house.open(text, image, "here")
    before = heap(house.page)
    for cell in ("c0", "c1"):
        house.run(cell)
        house.over(cell)

    expect(house.output("c0")).to_contain_text("The first 1 MB is shown")
    picture = house.output("c1").locator("img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 1000
    with house.page.expect_download() as downloading:
        house.output("c0").get_by_role("link", name="Download all of it").click()
    assert downloading.value.path().stat().st_size == megabytes * 1_000_000
    house.alive()
    assert heap(house.page) - before < HEAP_GROWN_MAX


def thousand_cells() -> dict[str, Any]:
    """A thousand cells, each with an output, and words that stand far down."""
    cells = []
    for at in range(1000):
        output = nbformat.v4.new_output("stream", name="stdout", text=f"result of {at}\n" * 5)
        cells.append(
            nbformat.v4.new_code_cell(f"value_{at} = {at}\n" * 6, id=f"c{at}", outputs=[output], execution_count=1)
        )
    return dict(nbformat.v4.new_notebook(cells=cells))


def test_a_thousand_cells_are_found_linked_to_and_printed(house: House) -> None:
    with house.server.client(house.token) as api:
        made = api.post("/notebooks", params={"name": "large.ipynb"}, json=thousand_cells()).raise_for_status().json()
    page, address = house.page, f"{house.server.url}/notebooks/{made['id']}"
    page.goto("about:blank")
    page.goto(f"{address}#scrollTo=c900")

    expect(house.cell("c900")).to_be_in_viewport()
    expect(page.locator("[data-cell-id]")).to_have_count(1000)
    assert page.locator(".cm-editor").count() <= 20
    # The browser's own search sees only what stands in the page. (Asked for by script it selects, and does not scroll.)
    page.evaluate("getSelection().removeAllRanges()")
    assert page.evaluate("window.find('result of 450')")
    assert page.evaluate("getSelection().anchorNode.parentElement.closest('[data-cell-id]').dataset.cellId") == "c450"
    page.keyboard.press("Control+f")
    page.get_by_role("textbox", name="Find", exact=True).fill("value_451 = 451")
    expect(page.get_by_role("status", name="Found")).to_have_text("1 of 6")
    expect(house.cell("c451")).to_be_in_viewport()
    page.get_by_role("button", name="Close find").click()
    page.emulate_media(media="print")
    text = page.evaluate("document.querySelector('[aria-label=Cells]').innerText")
    assert "result of 3\n" in text
    assert "result of 997" in text
    assert (
        page.evaluate("getComputedStyle(document.querySelector('[data-cell-id=c600]')).contentVisibility") == "visible"
    )
    page.emulate_media(media="screen")
    house.alive(nodes_max=40_000)


def test_whatever_scrolls_far_leaves_what_came_into_sight_there(house: House) -> None:
    """The browser's own search, a key, a script: cells that were never drawn are taller than was guessed."""
    source = "".join(f"value_{n} = {n}\n" for n in range(15))
    cells = [{"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source} for n in range(300)]
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    with house.server.client(house.token) as api:
        made = api.post("/notebooks", params={"name": "tall.ipynb"}, json=document).raise_for_status().json()
    page = house.page
    page.goto(f"{house.server.url}/notebooks/{made['id']}")
    expect(page.locator("[data-cell-id]")).to_have_count(300)

    for name in ("c150", "c40", "c230", "c7"):
        house.cell(name).evaluate("cell => cell.scrollIntoView({ block: 'start' })")
        page.evaluate(FRAMES_LATER)
        places = house.cell(name).evaluate(
            "cell => [cell.getBoundingClientRect().top, cell.closest('.notebook-scroll').getBoundingClientRect().top]"
        )
        assert abs(places[0] - places[1]) < 12, (name, places)
    scroller = page.locator(".notebook-scroll")
    scroller.evaluate("all => { all.scrollTop = all.scrollHeight }")
    page.evaluate(FRAMES_LATER)
    expect(house.cell("c299")).to_be_in_viewport()
    assert scroller.evaluate("all => all.scrollHeight - all.clientHeight - all.scrollTop") < 2


FRAMES_LATER = """() => new Promise((done) => {
  let left = 10
  const next = () => (left-- > 0 ? requestAnimationFrame(next) : done())
  next()
})"""
"""Until what has come near is drawn."""
SHIFTS = """
window.shifted = 0
let from = Infinity
const wait = () => {
  if (document.querySelectorAll('.output-frame-box').length === 8) from = performance.now()
  else requestAnimationFrame(wait)
}
wait()
const look = (list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput && one.startTime > from) window.shifted += one.value
}
new PerformanceObserver(look).observe({ type: 'layout-shift', buffered: true })
"""
"""How much moves once the cells are there and their frames are not."""
ALL_SHIFTS = """
window.moved = 0
const count = (list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.moved += one.value
}
new PerformanceObserver(count).observe({ type: 'layout-shift', buffered: true })
"""
"""How much moves of what nobody moved, from the first drawing on; browsers call a page calm below 0.1."""


def test_frames_that_come_again_move_nothing(house: House) -> None:
    tall = "<script>0</script><div style='height: {}px; background: teal'>tall</div>"
    outputs = [nbformat.v4.new_output("display_data", {"text/html": tall.format(200 + at * 40)}) for at in range(8)]
    cells = [nbformat.v4.new_code_cell("1", id=f"c{at}", outputs=[one]) for at, one in enumerate(outputs)]
    with house.server.client(house.token) as api:
        document = dict(nbformat.v4.new_notebook(cells=cells))
        made = api.post("/notebooks", params={"name": "frames.ipynb"}, json=document).raise_for_status().json()
    page = house.page
    page.goto(f"{house.server.url}/notebooks/{made['id']}")
    for at in range(8):
        house.cell(f"c{at}").scroll_into_view_if_needed()
        expect(house.cell(f"c{at}").frame_locator("iframe").get_by_text("tall")).to_be_visible()
    page.wait_for_function("Object.keys(sessionStorage).some((key) => key.startsWith('collegium/heights/'))")
    page.wait_for_timeout(600)
    known = [page.locator(".output-frame-box").nth(at).bounding_box() for at in range(8)]

    page.add_init_script(SHIFTS)
    page.reload()
    expect(house.cell("c0").frame_locator("iframe").get_by_text("tall")).to_be_visible()
    expect(page.locator(".output-frame-box")).to_have_count(8)
    again = [page.locator(".output-frame-box").nth(at).bounding_box() for at in range(8)]

    assert [box and box["height"] for box in again] == [box and box["height"] for box in known]
    assert page.evaluate("window.shifted") < 0.1


def plot(width: int, height: int) -> str:
    """A grey PNG, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + b"\x99" * width) * height))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")).decode()


def test_a_hundred_cells_with_outputs_come_and_run_without_a_jump(house: House) -> None:
    table = "<table class='dataframe'>" + "<tr><td>1</td><td>2</td></tr>" * 5 + "</table>"
    cells: list[Any] = []
    for at in range(0, 100, 4):
        lines = nbformat.v4.new_output("stream", name="stdout", text="a line\n" * (at % 17))
        frame = nbformat.v4.new_output("display_data", {"text/html": table, "text/plain": "a table"})
        drawn = nbformat.v4.new_output("display_data", {"image/png": plot(400, 260)})
        cells += [
            nbformat.v4.new_markdown_cell(
                f"## Section {at}\n\nText with $x^{at}$ and\n\n$$\\sum_k k^{at}$$", id=f"c{at}"
            ),
            nbformat.v4.new_code_cell("print('now')", id=f"c{at + 1}", outputs=[lines]),
            nbformat.v4.new_code_cell("plot()", id=f"c{at + 2}", outputs=[drawn]),
            nbformat.v4.new_code_cell("frame", id=f"c{at + 3}", outputs=[frame]),
        ]
    with house.server.client(house.token) as api:
        document = dict(nbformat.v4.new_notebook(cells=cells))
        made = api.post("/notebooks", params={"name": "hundred.ipynb"}, json=document).raise_for_status().json()
    page = house.page
    page.add_init_script(ALL_SHIFTS)
    page.goto(f"{house.server.url}/notebooks/{made['id']}")
    expect(house.cell("c0").locator(".katex").first).to_be_visible()
    expect(house.output("c2").locator("img")).to_be_visible()
    assert page.evaluate("window.moved") < 0.1

    house.run("c1")
    expect(house.output("c1")).to_contain_text("now")
    page.mouse.move(700, 500)
    for _ in range(12):
        page.mouse.wheel(0, 600)
    expect(house.cell("c4")).not_to_be_in_viewport()

    assert page.evaluate("window.moved") < 0.15


def test_a_film_is_read_in_parts(house: House) -> None:
    code = "import base64, os\nfilm = base64.b64encode(os.urandom(200_000)).decode()\n"
    code += "display({'video/mp4': film}, raw=True)"
    house.open(code)
    house.run("c0")
    video = house.output("c0").locator("video")
    expect(video).to_be_visible()
    address = str(video.get_attribute("src"))

    with httpx.Client(headers={"Authorization": f"Bearer {house.token}"}, trust_env=False) as client:
        part = client.get(house.server.url + address, headers={"Range": "bytes=100-199"})
        beyond = client.get(house.server.url + address, headers={"Range": "bytes=900000-"})
    assert (part.status_code, len(part.content), part.headers["content-range"]) == (206, 100, "bytes 100-199/200000")
    assert beyond.status_code == 416
