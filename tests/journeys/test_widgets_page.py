"""Widgets in Chromium with a real kernel: they draw, a move reaches Python, a reload loses nothing, browsers agree."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from support.browser import signed_in
from support.notebook import to_the_mouse
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
CONTROLS = """import ipywidgets as w
from IPython.display import display
slider = w.IntSlider(value=3, description="How many")
text = w.Text(description="Name")
w.VBox([slider, text])"""
LINKED = """import ipywidgets as w
a, b = w.IntText(description="A"), w.IntText(description="B")
link = w.jslink((a, "value"), (b, "value"))
w.HBox([a, b])"""
INTERACT = "import ipywidgets as w\n@w.interact(n=(0, 10))\ndef squared(n=4):\n    print('square', n * n)"
BUTTON = """import ipywidgets as w
out = w.Output()
button = w.Button(description="Press", icon="check")
def pressed(_):
    with out:
        print("pressed", out.layout is not None)
    print("beside")
button.on_click(pressed)
w.VBox([button, out])"""
TABS = (
    "import ipywidgets as w\ntab = w.Tab([w.Label('first page'), w.Label('second page')], titles=['One', 'Two'])\ntab"
)
UPLOAD = "import ipywidgets as w\nupload = w.FileUpload()\nupload"
ANYWIDGET = '''import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
      const b = document.createElement("button")
      const draw = () => { b.textContent = `count is ${model.get("value")}` }
      b.onclick = () => { model.set("value", model.get("value") + 1); model.save_changes() }
      model.on("change:value", draw); draw(); el.append(b)
    } }"""
    value = traitlets.Int(0).tag(sync=True)
counter = Counter()
counter'''
IPYMPL = """%matplotlib widget
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(4, 3))
line, = axes.plot([1, 2, 3], [3, 1, 2])
plt.show()"""
FIGURE = """import plotly.graph_objects as go
figure_widget = go.FigureWidget(data=[go.Bar(y=[2, 1, 3])], layout={"width": 400, "height": 300})
figure_widget.update_layout(title_text="Bars")
figure_widget"""
BQPLOT = """import bqplot as bq
x, y = bq.LinearScale(), bq.LinearScale()
marks = bq.Lines(x=[1, 2, 3], y=[3, 1, 2], scales={"x": x, "y": y})
bq.Figure(marks=[marks], axes=[bq.Axis(scale=x), bq.Axis(scale=y, orientation="vertical")], title="Lines")"""
BOKEH = """from bokeh.io import output_notebook, show
from bokeh.plotting import figure as bokeh_figure
from bokeh.resources import INLINE
output_notebook(INLINE, hide_banner=True)
drawing = bokeh_figure(width=300, height=200)
drawing.line([1, 2, 3], [3, 1, 2])
show(drawing)"""
BOKEH_ELSEWHERE = """from bokeh.io import output_notebook, show
from bokeh.plotting import figure as bokeh_figure
output_notebook()
drawing = bokeh_figure(width=300, height=200)
drawing.line([1, 2, 3], [3, 1, 2])
show(drawing)"""
"""Its scripts name an address elsewhere, as those of every lesson do."""
WORDS = r"""import ipywidgets as w
w.VBox([w.IntSlider(description=r"$\alpha_1$"), w.Label(r"for $5 or $6"), w.HTMLMath(r"<b>so</b> $$x^2$$")])"""
POSTER = """import time
began, n = time.time(), 0
while time.time() - began < 5:
    slider.value = n % 100; text.value = str(n); n += 1
text.value = 'the end'"""
LARGE = """import os
import ipywidgets as w
picture = w.Image(value=os.urandom(50_000_000))
note = w.Text(description="Note")
note.send({"much": True}, buffers=[bytes(50_000_000)])
w.VBox([note, picture])"""
CELLS = {
    "controls": CONTROLS,
    "linked": LINKED,
    "interact": INTERACT,
    "button": BUTTON,
    "tabs": TABS,
    "upload": UPLOAD,
    "anywidget": ANYWIDGET,
    "ipympl": IPYMPL,
    "plotly": FIGURE,
    "bqplot": BQPLOT,
    "bokeh": BOKEH,
    "elsewhere": BOKEH_ELSEWHERE,
    "words": WORDS,
    "poster": POSTER,
    "large": LARGE,
    "ask": "print('empty')",
}


@pytest.fixture(scope="module")
def site(running: Server) -> dict[str, str]:
    """Ada's notebook of all widgets, which Bob may edit and Eve look at."""
    tokens = {email: running.add_user(email) for email in (ADA, BOB, EVE)}
    notebook = running.notebook(tokens[ADA], CELLS, name="Widgets", shared={BOB: "editor", EVE: "viewer"})
    return {
        "url": f"{running.url}/notebooks/{notebook}",
        "notebook": notebook,
        "token": tokens[ADA],
        "home": running.url,
    }


@pytest.fixture(scope="module")
def ada(site: dict[str, str], chromium: Browser) -> Page:
    """Ada, with the notebook open."""
    return opened(chromium, site, ADA)


def opened(chromium: Browser, site: dict[str, str], email: str) -> Page:
    page = signed_in(chromium, site["home"], email)
    page.goto(site["url"])
    expect(page.get_by_role("list", name="Cells")).to_be_visible()
    return page


def cell(page: Page, id: str) -> FrameLocator:
    """The output frame of a cell."""
    return page.frame_locator(f'[data-cell-id="{id}"] iframe.output-frame')


def run(page: Page, id: str) -> None:
    """Run a cell to its end."""
    item = page.locator(f'[data-cell-id="{id}"]')
    item.scroll_into_view_if_needed()
    item.hover()
    count = item.locator(".run-count")
    before = count.inner_text() if count.count() else None
    if before is not None:
        count.evaluate("span => span.setAttribute('data-before', '')")
    item.get_by_role("button", name="Run cell").first.click()
    # The runtime is idle until the run begins: the count it had is another's then, or has been drawn anew.
    expect(item.locator(".run-count[data-before]").filter(has_text=before or "never")).to_have_count(0)
    expect(count).to_be_visible(timeout=120_000)
    expect(page.get_by_role("status", name="Runtime status")).to_have_text(re.compile("^Idle"), timeout=120_000)


def take(page: Page, handle: Locator) -> None:
    """Click a handle, so that keys move it: an output that has the keyboard without that is taken for a thief."""
    to_the_mouse(page)
    handle.click()


def python(page: Page, site: dict[str, str], running: Server, expression: str) -> str:
    """What an expression is in the kernel, asked over the API."""
    address = f"/notebooks/{site['notebook']}"
    with running.client(site["token"]) as api:
        content = api.get(f"{address}/content", params={"format": "ipynb"}).raise_for_status().json()
        [found] = [one for one in content["cells"] if one["id"] == "ask"]
        # What the cell said before would count as no change.
        found["source"] = f"print({expression})  # {time.monotonic_ns()}"
        api.put(f"{address}/content", json=content).raise_for_status()
        made = api.post(f"{address}/executions", json={"cells": ["ask"]}).raise_for_status().json()
        asked = f"{address}/executions/{made['executions'][0]['id']}"
        ended = until(lambda: api.get(asked).json(), lambda run: run["state"] in ("finished", "failed"))
        return "".join(ended["outputs"][0]["text"]).strip()


def until(read: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """What is read, once it is as wanted."""
    end = time.monotonic() + 60
    while not wanted(found := read()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def test_a_slider_moves_python_and_the_other_browser(
    ada: Page, chromium: Browser, site: dict[str, str], running: Server
) -> None:
    bob = opened(chromium, site, BOB)
    eve = opened(chromium, site, EVE)
    run(ada, "controls")
    handle = cell(ada, "controls").get_by_role("slider")
    expect(handle).to_have_attribute("aria-valuenow", re.compile("3"))
    expect(cell(bob, "controls").get_by_role("slider")).to_have_attribute("aria-valuenow", re.compile("3"))
    take(ada, handle)
    for _ in range(4):
        handle.press("ArrowRight")

    for page in (ada, bob, eve):
        expect(cell(page, "controls").locator(".widget-readout")).to_have_text("7")
    assert python(ada, site, running, "slider.value") == "7"
    cell(bob, "controls").get_by_label("Name").fill("Bob was here")
    expect(cell(ada, "controls").get_by_label("Name")).to_have_value("Bob was here")
    assert python(ada, site, running, "text.value") == "Bob was here"
    expect(cell(eve, "controls").locator(".widget-note")).to_have_text("You may look at this widget, and not move it.")
    ada.reload()
    expect(cell(ada, "controls").locator(".widget-readout")).to_have_text("7")
    bob.context.close()
    eve.context.close()


def test_a_link_works_without_python(ada: Page) -> None:
    run(ada, "linked")
    frame = cell(ada, "linked")
    frame.get_by_label("A").fill("12")
    frame.get_by_label("A").press("Enter")

    expect(frame.get_by_label("B")).to_have_value("12")


def test_interact_runs_again_with_what_was_moved(ada: Page) -> None:
    run(ada, "interact")
    frame = cell(ada, "interact")
    expect(frame.get_by_text("square 16")).to_be_visible()
    take(ada, frame.get_by_role("slider"))
    frame.get_by_role("slider").press("ArrowRight")

    expect(frame.get_by_text("square 25")).to_be_visible()
    expect(frame.get_by_text("square 16")).to_have_count(0)


def test_what_a_button_prints_goes_into_its_output_widget_or_below_the_cell(ada: Page) -> None:
    run(ada, "button")
    cell(ada, "button").get_by_role("button", name="Press").click()

    expect(cell(ada, "button").locator(".jupyter-widgets-output")).to_contain_text("pressed True")
    expect(ada.locator('[data-cell-id="button"] .stream-block').get_by_text("beside")).to_be_visible()


def test_a_tab_turns_to_its_other_page(ada: Page) -> None:
    run(ada, "tabs")
    frame = cell(ada, "tabs")
    expect(frame.get_by_text("first page")).to_be_visible()
    frame.get_by_text("Two").click()

    expect(frame.get_by_text("second page")).to_be_visible()


def test_a_file_is_uploaded_to_python_also_a_large_one(ada: Page, site: dict[str, str], running: Server) -> None:
    run(ada, "upload")
    for name, content in (("small.txt", b"hello"), ("large.bin", bytes(5_000_000))):
        with ada.expect_file_chooser() as choosing:
            cell(ada, "upload").get_by_role("button").click()
        choosing.value.set_files({"name": name, "mimeType": "text/plain", "buffer": content})
        expect(cell(ada, "upload").get_by_role("button")).to_contain_text("(1)")
        until(lambda: python(ada, site, running, "upload.value[0].name"), lambda found, name=name: found == name)

        assert python(ada, site, running, "len(upload.value[0].content)") == str(len(content))


def test_anywidget_runs_its_own_code_and_outlives_a_reload(ada: Page, site: dict[str, str], running: Server) -> None:
    run(ada, "anywidget")
    cell(ada, "anywidget").get_by_role("button", name="count is 0").click()
    expect(cell(ada, "anywidget").get_by_role("button", name="count is 1")).to_be_visible()
    assert python(ada, site, running, "counter.value") == "1"
    ada.reload()
    ada.locator('[data-cell-id="anywidget"]').scroll_into_view_if_needed()

    cell(ada, "anywidget").get_by_role("button", name="count is 1").click()
    expect(cell(ada, "anywidget").get_by_role("button", name="count is 2")).to_be_visible()


def test_ipympl_draws_and_zooms(ada: Page) -> None:
    run(ada, "ipympl")
    frame = cell(ada, "ipympl")
    canvas = frame.locator(".jupyter-matplotlib-canvas-div canvas").first
    expect(canvas).to_be_visible()

    until(lambda: canvas.evaluate(INKED), lambda inked: inked > 1000)


INKED = """canvas => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
    let inked = 0
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] > 0 && data[at] + data[at + 1] + data[at + 2] < 600) inked += 1
    }
    return inked
}"""
"""How many dark pixels a canvas has."""


def test_a_figure_widget_changes_with_python(ada: Page, site: dict[str, str], running: Server) -> None:
    run(ada, "plotly")
    frame = cell(ada, "plotly")
    expect(frame.locator(".js-plotly-plot .bars .point")).to_have_count(3)
    python(ada, site, running, "figure_widget.add_bar(y=[1, 2, 3])")

    expect(frame.locator(".js-plotly-plot .bars .point")).to_have_count(6)
    python(ada, site, running, "figure_widget.update_traces(marker_color='red', selector=0)")
    python(ada, site, running, "figure_widget.update_layout(title_text='Reddened')")
    expect(frame.locator(".gtitle")).to_have_text("Reddened")
    ada.reload()
    ada.locator('[data-cell-id="plotly"]').scroll_into_view_if_needed()

    expect(frame.locator(".gtitle")).to_have_text("Reddened")
    expect(frame.locator(".js-plotly-plot .bars .point")).to_have_count(6)
    expect(frame.locator(".bars .point path").first).to_have_css("fill", "rgb(255, 0, 0)")


def test_bqplot_draws(ada: Page) -> None:
    run(ada, "bqplot")

    expect(cell(ada, "bqplot").locator("svg path.line").first).to_be_visible()


def test_bokeh_draws(ada: Page) -> None:
    run(ada, "bokeh")

    expect(cell(ada, "bokeh").locator(".bk-Figure canvas").first).to_be_visible()


def test_a_saved_bokeh_plot_draws_where_there_is_no_network(ada: Page, site: dict[str, str], running: Server) -> None:
    with running.client(site["token"]) as api:
        content = (
            api.get(f"/notebooks/{site['notebook']}/content", params={"format": "ipynb"}).raise_for_status().json()
        )
        content["cells"] = [one for one in content["cells"] if one["id"] == "bokeh"]
        assert content["cells"][0]["outputs"]
        made = api.post("/notebooks", params={"name": "Saved plot"}, json=content).raise_for_status().json()
    page = ada.context.new_page()
    page.goto(f"{site['home']}/notebooks/{made['id']}")

    expect(cell(page, "bokeh").locator(".bk-Figure canvas").first).to_be_visible()
    assert str(page.locator("iframe.output-frame").get_attribute("src")).startswith("/output-closed.html#")
    page.close()


def test_bokeh_is_drawn_by_the_runtime_s_own_scripts(ada: Page, site: dict[str, str], running: Server) -> None:
    asked: list[str] = []
    ada.context.on("request", lambda request: asked.append(request.url))
    run(ada, "elsewhere")
    expect(cell(ada, "elsewhere").locator(".bk-Figure canvas").first).to_be_visible()

    with running.client(site["token"]) as api:
        address = f"/notebooks/{site['notebook']}/content"
        content = api.get(address, params={"format": "ipynb"}).raise_for_status().json()
        content["cells"] = [one for one in content["cells"] if one["id"] == "elsewhere"]
        assert len(json.dumps(content["cells"])) < 200_000
        content["cells"].append({"id": "n", "cell_type": "code", "metadata": {}, "source": "1", "outputs": []})
        content["cells"][1]["execution_count"] = None
        made = api.post("/notebooks", params={"name": "Lesson"}, json=content).raise_for_status().json()
        api.post(f"/notebooks/{made['id']}/executions", json={"cells": ["n"]}).raise_for_status()
        until(
            lambda: api.get(f"/notebooks/{made['id']}/content", params={"format": "ipynb"}).json()["cells"][1],
            lambda found: found["outputs"] != [],
        )
    page = ada.context.new_page()
    page.goto(f"{site['home']}/notebooks/{made['id']}")
    expect(cell(page, "elsewhere").locator(".bk-Figure canvas").first).to_be_visible()
    assert str(page.locator("iframe.output-frame").get_attribute("src")).startswith("/output-closed.html#")
    assert [url for url in asked if url.startswith("http") and not url.startswith(site["home"])] == []
    page.close()


def test_a_saved_bokeh_plot_is_drawn_without_a_runtime(ada: Page, site: dict[str, str], running: Server) -> None:
    asked: list[str] = []
    run(ada, "elsewhere")
    with running.client(site["token"]) as api:
        address = f"/notebooks/{site['notebook']}/content"
        content = api.get(address, params={"format": "ipynb"}).raise_for_status().json()
        content["cells"] = [one for one in content["cells"] if one["id"] == "elsewhere"]
        made = api.post("/notebooks", params={"name": "Old lesson"}, json=content).raise_for_status().json()
    page = ada.context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site['home']}/notebooks/{made['id']}")

    expect(cell(page, "elsewhere").locator(".bk-Figure canvas").first).to_be_visible()
    expect(page.get_by_role("status", name="Runtime status")).to_have_text(re.compile("^Not connected"))
    assert [url for url in asked if url.startswith("http") and not url.startswith(site["home"])] == []
    page.close()


def test_formulas_in_the_words_of_widgets_are_set(ada: Page) -> None:
    run(ada, "words")
    frame = cell(ada, "words")

    expect(frame.locator(".katex")).to_have_count(2)
    expect(frame.locator(".widget-slider .widget-label .katex")).to_be_visible()
    expect(frame.get_by_text("for $5 or $6")).to_be_visible()


def test_a_widget_set_without_end_delays_neither_page_nor_neighbour(
    ada: Page, chromium: Browser, site: dict[str, str]
) -> None:
    run(ada, "controls")
    bob = opened(chromium, site, BOB)
    ada.locator('[data-cell-id="poster"]').get_by_role("button", name="Run cell").first.click()
    label = cell(ada, "controls").get_by_label("Name")
    expect(label).to_have_value(re.compile(r"\d\d"))
    source = ada.locator('[data-cell-id="tabs"]').get_by_role("textbox", name="Source")
    source.click()
    ada.keyboard.press("Control+End")
    ada.keyboard.type("  # typed meanwhile")

    expect(bob.locator('[data-cell-id="tabs"]')).to_contain_text("# typed meanwhile")
    expect(ada.get_by_role("status", name="Save status")).to_have_text("Saved")
    for page in (ada, bob):
        expect(cell(page, "controls").get_by_label("Name")).to_have_value("the end")
    bob.context.close()


def test_fifty_megabytes_to_a_widget_leave_it_alive(ada: Page, site: dict[str, str], running: Server) -> None:
    run(ada, "large")
    frame = cell(ada, "large")
    expect(frame.locator("img")).to_have_attribute("src", re.compile("^blob:"))
    frame.get_by_label("Note").fill("alive")

    until(lambda: python(ada, site, running, "note.value"), lambda found: found == "alive")


def test_a_widget_in_the_scratch_cell_is_moved(ada: Page, site: dict[str, str], running: Server) -> None:
    # Keys that are pressed in an output are the output's, and the page's again after a click in the page.
    ada.locator('[data-cell-id="ask"]').get_by_role("textbox", name="Source").click()
    ada.keyboard.press("Control+Alt+n")
    scratch = ada.get_by_role("region", name="Scratch cell")
    scratch.get_by_role("textbox", name="Scratch source").click()
    ada.keyboard.type("import ipywidgets as w; scratched = w.IntSlider(value=3)")
    ada.keyboard.press("Enter")
    ada.keyboard.type("scratched")
    ada.keyboard.press("Control+Enter")
    frame = scratch.frame_locator("iframe.output-frame")
    take(ada, frame.get_by_role("slider"))
    frame.get_by_role("slider").press("ArrowRight")

    expect(frame.locator(".widget-readout")).to_have_text("4")
    until(lambda: python(ada, site, running, "scratched.value"), lambda found: found == "4")
    scratch.get_by_role("button", name="Close").click()


def test_a_kernel_that_dies_in_the_middle_of_a_drag_lets_the_handle_go(
    ada: Page, site: dict[str, str], running: Server
) -> None:
    run(ada, "controls")
    frame = cell(ada, "controls")
    handle = frame.get_by_role("slider")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    ada.mouse.move(x, y)
    ada.mouse.down()
    ada.mouse.move(x + 40, y, steps=5)
    expect(frame.locator(".widget-readout")).not_to_have_text("3")
    until(lambda: python(ada, site, running, "slider.value"), lambda found: found != "3")
    reached = frame.locator(".widget-readout").inner_text()
    with running.client(site["token"]) as api:
        api.post(f"/notebooks/{site['notebook']}/session/restart").raise_for_status()

    expect(frame.locator(".widget-note")).to_have_text(GONE)
    ada.mouse.move(x + 80, y, steps=5)
    ada.mouse.up()
    expect(frame.locator(".widget-readout")).to_have_text(reached)
    run(ada, "controls")
    expect(frame.locator(".widget-note")).to_have_text("")
    take(ada, handle)
    handle.press("ArrowRight")
    expect(frame.locator(".widget-readout")).to_have_text("4")


def test_a_kernel_that_is_gone_leaves_its_widgets_as_they_were(ada: Page) -> None:
    run(ada, "controls")
    frame = cell(ada, "controls")
    expect(frame.locator(".widget-readout")).to_have_text("3")
    ada.get_by_role("menuitem", name="Runtime").click()
    ada.get_by_role("menuitem", name="Restart session").first.click()

    expect(frame.locator(".widget-note")).to_have_text(GONE)
    expect(frame.locator(".widget-readout")).to_have_text("3")
    ada.reload()
    expect(frame.locator(".widget-readout")).to_have_text("3")


GONE = "The kernel of this widget is gone. Run the cell again to use it."


def test_a_saved_file_shows_its_widgets_without_a_kernel_and_asks_nobody(
    ada: Page, site: dict[str, str], running: Server
) -> None:
    hostile = "<img src='https://tracker.example/pixel.png'><b>saved</b>"
    state = {"_model_name": "HTMLModel", "_model_module": "@jupyter-widgets/controls", "_model_module_version": "2.0.0"}
    state |= {"_view_name": "HTMLView", "_view_module": "@jupyter-widgets/controls", "_view_module_version": "2.0.0"}
    entry = {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0"}
    shown = {"application/vnd.jupyter.widget-view+json": {"model_id": "m1", "version_major": 2, "version_minor": 0}}
    output = {"output_type": "display_data", "metadata": {}, "data": shown}
    code = {"id": "saved", "cell_type": "code", "metadata": {}, "source": "", "execution_count": 1, "outputs": [output]}
    colab = {"application/vnd.jupyter.widget-state+json": {"m1": entry | {"state": state | {"value": hostile}}}}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": colab}, "cells": [code]}
    with running.client(site["token"]) as api:
        made = api.post("/notebooks", params={"name": "Saved"}, json=document).raise_for_status().json()
    page = ada.context.new_page()
    strangers: list[str] = []
    page.on("response", lambda answer: strangers.append(answer.url))
    page.on("requestfailed", lambda asked: strangers.append(asked.url) if asked.failure != "csp" else None)
    page.goto(f"{site['home']}/notebooks/{made['id']}")

    expect(cell(page, "saved").get_by_text("saved", exact=True)).to_be_visible()
    assert [url for url in strangers if url.startswith("http") and not url.startswith(site["home"])] == []
    page.close()
