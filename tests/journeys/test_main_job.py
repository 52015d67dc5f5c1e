"""The main job in a real browser: upload, run all, a colleague sees it live, close everything, find everything."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import at_home, signed_in
from support.environment import ROOT, runtime_python
from support.notebook import cell
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

LESSON = Path(__file__).parent / "lesson.ipynb"
RUN_SECONDS_MAX = 240
ADA, BOB = "ada@example.org", "bob@example.org"


def test_the_main_job(running: Server, chromium: Browser) -> None:
    token = running.add_user(ADA)
    running.add_user(BOB)
    ada = at_home(chromium, running.url, ADA)

    with ada.expect_file_chooser() as chooser:
        ada.get_by_role("button", name="Upload").click()
    chooser.value.set_files(LESSON)
    ada.get_by_role("grid", name="Files").get_by_role("link", name=re.compile("lesson")).click()
    expect(ada.get_by_role("status", name="Save status")).to_have_text(re.compile("Saved"))
    notebook = ada.url.rstrip("/").split("/")[-1].split("#")[0]
    with running.client(token) as api:
        api.put(f"/drive/items/{notebook}/grants", json={"email": BOB, "role": "editor"}).raise_for_status()

    bob = signed_in(chromium, running.url, BOB)
    bob.goto(f"{running.url}/notebooks/{notebook}")
    expect(bob.get_by_role("status", name="Save status")).to_have_text(re.compile("Saved"))
    source = cell(ada, "cell-04").get_by_role("textbox", name="Source")
    source.click()
    ada.keyboard.press("Control+End")
    ada.keyboard.type("  # typed by Ada")
    expect(cell(bob, "cell-04")).to_contain_text("# typed by Ada")

    ada.get_by_role("button", name="Run all").click()
    expect(cell(ada, "last").get_by_role("region", name="Output")).to_contain_text(
        "499999500000", timeout=RUN_SECONDS_MAX * 1000
    )
    expect(cell(bob, "last").get_by_role("region", name="Output")).to_contain_text("499999500000")
    look_at_outputs(ada)
    ada.close()
    bob.close()

    again = signed_in(chromium, running.url, ADA)
    again.goto(f"{running.url}/notebooks/{notebook}#scrollTo=report")
    expect(cell(again, "report").get_by_role("region", name="Output")).to_contain_text("versicolor")
    expect(cell(again, "error").get_by_role("region", name="Output")).to_contain_text("KeyError")

    with running.client(token) as api:
        downloaded = api.get(f"/notebooks/{notebook}/content?format=ipynb").raise_for_status().json()
    nbformat.validate(downloaded)
    assert_same_document(json.loads(LESSON.read_text()), downloaded)
    assert_outputs_as_nbclient_gives_them(nbformat.reads(json.dumps(downloaded), as_version=4))


def look_at_outputs(page: Page) -> None:
    """Each kind of output shows what it should."""
    shown = {
        "frame": "sepal length",
        "accuracy": "accuracy",
        "tqdm": "50/50",
        "carriage": "progress 5/5",
        "clear": "attempt 2",
        "displayid": "decided",
        "ansi": "orange",
        "error": "KeyError",
        "after": "still here",
        "shell": "from the shell",
    }
    for cell_id, text in shown.items():
        expect(cell(page, cell_id).get_by_role("region", name="Output")).to_contain_text(text)
    expect(cell(page, "clear").get_by_role("region", name="Output")).not_to_contain_text("attempt 1")
    expect(cell(page, "scatter").locator("img").first).to_be_attached()
    expect(cell(page, "latexout").locator(".katex").first).to_be_attached()
    cell(page, "script").scroll_into_view_if_needed()
    frame = cell(page, "script").frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("drawn by script")


def assert_same_document(uploaded: dict[str, Any], downloaded: dict[str, Any]) -> None:
    """Every cell but the edited one is what it was, and so is every key of metadata we do not know."""
    # What ran may have made widgets, whose states go along as nbformat has them.
    widgets = downloaded["metadata"].pop("widgets", {})
    assert all(states["version_major"] == 2 for states in widgets.values())
    assert downloaded["metadata"] == uploaded["metadata"]
    assert [c["id"] for c in downloaded["cells"]] == [c["id"] for c in uploaded["cells"]]
    for before, after in zip(uploaded["cells"], downloaded["cells"], strict=True):
        if before["id"] == "cell-04":
            assert "".join(after["source"]) == "".join(before["source"]) + "  # typed by Ada"
            continue
        for key in ("cell_type", "id", "metadata", "source"):
            assert after[key] == before[key], before["id"]


TABLE = "application/vnd.collegium.table+json"
"""Where the page finds a table itself: ours alone."""
VOLATILE = {"tqdm", "model", "plotly", "altair", "styled", "scatter", "hist", "widget", "imports", "error"}
"""Cells whose output names a time, an address, a random id, or pixels."""


def assert_outputs_as_nbclient_gives_them(downloaded: dict[str, Any]) -> None:
    """The outputs in the file equal those of nbclient with the same runtime version."""
    expected = executed_by_nbclient()
    for ours, theirs in zip(downloaded["cells"], expected["cells"], strict=True):
        if ours["cell_type"] != "code":
            continue
        assert kinds_of(ours["outputs"]) == kinds_of(theirs["outputs"]), ours["id"]
        if ours["id"] not in VOLATILE:
            assert comparable_all(ours["outputs"]) == comparable_all(theirs["outputs"]), ours["id"]


def kinds_of(outputs: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """What came, in its order; how two streams of one cell interleave is decided by the kernel's buffers, not by us."""
    streams = [("stream", name, list[str]()) for name in sorted({o["name"] for o in outputs if "name" in o})]
    rest = [
        (o["output_type"], "", sorted({*o.get("data", {})} - {TABLE})) for o in outputs if o["output_type"] != "stream"
    ]
    return streams + rest


def comparable_all(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs, neighbours of one stream as one: where a kernel's buffer was flushed is chance."""
    joined: list[dict[str, Any]] = []
    for output in map(comparable, outputs):
        if joined and output["output_type"] == "stream" and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def comparable(output: dict[str, Any]) -> dict[str, Any]:
    """An output without what differs between any two runs."""
    text = output.get("text")
    kept = {key: value for key, value in output.items() if key not in ("execution_count", "metadata")}
    if "data" in kept:
        kept["data"] = {mime: value for mime, value in kept["data"].items() if mime != TABLE}
    # A terminal ends lines with \r\n; folded for the screen, as we keep it, that is \n.
    return kept | ({"text": text.replace("\r\n", "\n")} if text is not None else {})


def executed_by_nbclient() -> dict[str, Any]:
    """The same notebook, executed by nbclient with the runtime version's own Python, without a sandbox."""
    command = [sys.executable, "-m", "support.reference", str(LESSON), str(runtime_python())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tests")
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))
