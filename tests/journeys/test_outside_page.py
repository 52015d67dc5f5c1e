"""A file from outside and people on the page: what both changed is marked, and decided in the cell."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser import browser, signed_in
from support.looking import PICTURES, violations
from support.notebook import cell, source
from support.server import Server, server

pytestmark = pytest.mark.browser

ADA = "ada@example.org"


@dataclass
class House:
    """A running server, Ada's page, and Ada's token."""

    server: Server
    ada: Page
    token: str

    def got(self, notebook: str) -> tuple[dict[str, Any], str]:
        """The file, and which version it is."""
        with self.server.client(self.token) as outsider:
            answer = outsider.get(f"/notebooks/{notebook}/content").raise_for_status()
        return answer.json(), answer.headers["etag"]

    def put(self, notebook: str, file: dict[str, Any], base: str) -> dict[str, int]:
        """Bring it back."""
        with self.server.client(self.token) as outsider:
            answer = outsider.put(f"/notebooks/{notebook}/content", json=file, headers={"If-Match": base})
            return dict(answer.raise_for_status().json())


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running, browser() as chromium:
        token = running.add_user(ADA)
        yield House(running, signed_in(chromium, running.url, ADA), token)


def opened(house: House, notebook: str) -> Page:
    house.ada.goto(f"{house.server.url}/notebooks/{notebook}")
    expect(house.ada.get_by_role("status", name="Save status")).to_have_text("Saved")
    return house.ada


def test_a_file_that_overlaps_with_typing_leaves_a_mark_and_both_can_be_kept(house: House) -> None:
    sources = {"a": "x = 1\ny = 2", "b": "print(x)", "c": "old"}
    notebook = house.server.notebook(house.token, sources, name="met.ipynb")
    page = opened(house, notebook)
    file, base = house.got(notebook)
    source(page, "a").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.type("00  # mine")
    file["cells"][0]["source"] = "x = 3  # theirs\ny = 2\nz = 4"
    file["cells"][1]["source"] = "print(x, y)"
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")

    assert house.put(notebook, file, base)["overlaps"] == 1
    expect(source(page, "b")).to_have_text("print(x, y)")
    mark = cell(page, "a").get_by_role("region", name="Overlap with a file")
    expect(mark).to_contain_text("x = 3  # theirs")
    expect(page.get_by_role("status", name="Overlaps said")).to_contain_text("One cell")
    assert source(page, "a").inner_text().replace("\n\n", "\n").strip() == "x = 100  # mine\ny = 2\nz = 4"
    assert violations(page, ".overlap, .overlaps-bar") == {}
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "overlap.png")
    mark.get_by_role("button", name="Keep both").click()
    expect(mark).to_have_count(0)
    expect(page.get_by_role("region", name="Overlaps")).to_have_count(0)
    expect(source(page, "a")).to_contain_text("x = 3  # theirs")

    again, _ = house.got(notebook)
    assert "".join(again["cells"][0]["source"]) == "x = 100  # mine\nx = 3  # theirs\ny = 2\nz = 4"
    with house.server.client(house.token) as api:
        assert api.get(f"/notebooks/{notebook}/overlaps").json() == []


def test_several_overlaps_are_walked_through_and_a_deleted_cell_can_go(house: House) -> None:
    notebook = house.server.notebook(house.token, {"a": "one", "b": "two", "c": "three"}, name="walk.ipynb")
    page = opened(house, notebook)
    file, base = house.got(notebook)
    for id in ("a", "b"):
        source(page, id).click()
        page.keyboard.press("End")
        page.keyboard.type(" here")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    changed = json.loads(json.dumps(file))
    changed["cells"][0]["source"] = "one there"
    del changed["cells"][1]
    assert house.put(notebook, changed, base)["overlaps"] == 2
    bar = page.get_by_role("region", name="Overlaps", exact=True)
    expect(bar).to_contain_text("2 cells")
    cell(page, "c").click()
    bar.get_by_role("button", name="Next overlap").click()
    expect(bar).to_contain_text("1 of 2")
    cell(page, "a").get_by_role("button", name="Take the file").click()
    expect(source(page, "a")).to_have_text("one there")
    cell(page, "b").get_by_role("button", name="Delete the cell").click()

    expect(cell(page, "b")).to_have_count(0)
    expect(bar).to_have_count(0)
