"""A stranger's notebook, opened in a real browser: it asks nobody and breaks out of nothing."""

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from support.browser import signed_in
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
ELSEWHERE = "http://127.0.0.1:9/seen"

HOSTILE = [
    "<script>top.hostile = 1</script>",
    "<img src=x onerror='window.hostile = 2'>",
    f"<img src={ELSEWHERE}>",
    f"<style>@import url({ELSEWHERE}); * {{ background: url({ELSEWHERE}) }}</style>",
    f"<svg onload='window.hostile = 3'><image href={ELSEWHERE} /></svg>",
    f"<math><mtext><table><mglyph><style><img src={ELSEWHERE} onerror='window.hostile = 4'></style></table></math>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    "<iframe srcdoc='<script>top.hostile = 5</script>'></iframe>",
    f"<div style='position:fixed;inset:0;background:url({ELSEWHERE})'>cover</div>",
    f"<link rel=stylesheet href={ELSEWHERE}><base href={ELSEWHERE}><object data={ELSEWHERE}></object>",
    f"<video src={ELSEWHERE} poster={ELSEWHERE} autoplay></video><table background={ELSEWHERE}></table>",
    "<form name=getElementById><input name=body autofocus onfocus='window.hostile = 6'></form>",
    "<a href='javascript:window.hostile = 7' id=root>x</a>",
]

ESCAPE = """<p id=tried></p><script>
let blocked = 0
for (const reach of [
  () => parent.document, () => document.cookie, () => localStorage.length, () => top.location.href,
  () => parent.localStorage, () => indexedDB.open('x'),
]) { try { reach() } catch (error) { blocked += 1 } }
const outside = frameElement === null && origin === 'null'
fetch('/api/v1/me', { credentials: 'include' }).then(() => 'answered', () => 'refused').then((word) => {
  document.getElementById('tried').textContent = `blocked ${blocked} of 6, outside ${outside}, server ${word}`
})
</script>"""


def display(html: str) -> Any:
    return nbformat.v4.new_output("display_data", {"text/html": html, "text/plain": "x"})


def hostile_notebook() -> dict[str, Any]:
    """Every hostile text as an output that came with the file, alone in its cell, and as a text cell."""
    cells = [nbformat.v4.new_code_cell("1", id=f"out-{at}", outputs=[display(html)]) for at, html in enumerate(HOSTILE)]
    cells += [nbformat.v4.new_markdown_cell(f"# {at}\n\n{html}", id=f"text-{at}") for at, html in enumerate(HOSTILE)]
    script = nbformat.v4.new_output("display_data", {"application/javascript": "top.hostile = 8"})
    cells.append(nbformat.v4.new_code_cell("1", id="script", outputs=[script]))
    drawing = nbformat.v4.new_output("display_data", {"image/svg+xml": HOSTILE[4]})
    cells.append(nbformat.v4.new_code_cell("1", id="drawing", outputs=[drawing]))
    cells.append(nbformat.v4.new_code_cell("1", id="escape", outputs=[display(ESCAPE)]))
    cells.append(nbformat.v4.new_markdown_cell("the last", id="last"))
    return dict(nbformat.v4.new_notebook(cells=cells))


@pytest.fixture(scope="module")
def notebook(running: Server) -> str:
    """The hostile notebook, uploaded by Ada, under a hostile name."""
    with running.client(running.add_user(ADA)) as api:
        made = api.post("/notebooks", params={"name": "<img src=x onerror=alert(1)>.ipynb"}, json=hostile_notebook())
        return str(made.raise_for_status().json()["id"])


@pytest.fixture
def opened(running: Server, chromium: Browser, notebook: str) -> Iterator[tuple[Page, list[str]]]:
    """The hostile notebook on the screen, scrolled through once, and what was asked of anybody but the server."""
    page = signed_in(chromium, running.url, ADA)
    foreign: list[str] = []

    def note(request: Request) -> None:
        if request.url.startswith((running.url, "data:", "blob:")) or request.is_navigation_request():
            return
        # What the frames try is recorded too, although their policy stops it; test_hostile_outputs.py listens there.
        if request.frame == page.main_frame:
            foreign.append(request.url)

    page.context.on("request", note)
    page.goto(f"{running.url}/notebooks/{notebook}")
    for at in range(len(HOSTILE)):
        page.locator(f'[data-cell-id="out-{at}"]').scroll_into_view_if_needed()
    last = page.locator('[data-cell-id="last"]')
    last.scroll_into_view_if_needed()
    expect(last).to_contain_text("the last")
    yield page, foreign
    page.close()


def test_an_opened_notebook_runs_nothing_here_and_asks_nobody(opened: tuple[Page, list[str]], running: Server) -> None:
    page, foreign = opened

    assert page.evaluate("window.hostile") is None
    assert foreign == []
    assert page.url.startswith(running.url)
    for frame in page.locator("[data-cell-id] iframe").all():
        assert str(frame.get_attribute("src")).startswith("/output-closed.html#")


def test_a_frame_reaches_nothing_outside(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    cell = page.locator('[data-cell-id="escape"]')

    tried = cell.frame_locator("iframe").locator("#tried")
    expect(tried).to_contain_text("blocked 6 of 6, outside true, server refused")
