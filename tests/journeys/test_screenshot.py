"""The picture of the README, made of the real page: a notebook with text, a plot, a table, and two people in it."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.browser import browser, signed_in
from support.environment import ROOT
from support.server import server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

CELLS = [
    (
        "title",
        "markdown",
        "# Random walks\n\nA walk takes one step up or down, each as likely as the other. "
        "After $n$ steps it is about $\\sqrt{n}$ from home.",
    ),
    (
        "walks",
        "code",
        "import numpy as np, pandas as pd\n"
        "rng = np.random.default_rng(7)  # fixed, so that the page is repeatable\n"
        "walks = np.cumsum(rng.choice([-1, 1], size=(1000, 6)), axis=0)\n"
        "pd.DataFrame(walks).plot(figsize=(9, 2.1), legend=False, linewidth=1);",
    ),
    ("heading", "markdown", "## Where they end"),
    ("table", "code", "pd.DataFrame(walks[[9, 99, 999]], index=[10, 100, 1000])"),
]


def target() -> Path:
    """Where the picture goes: into the documentation only when asked."""
    folder = ROOT / ("docs/images" if os.environ.get("COLLEGIUM_SCREENSHOT") == "1" else "test-results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "notebook.png"


def test_the_picture_of_the_readme() -> None:
    cells = [
        {"id": cell, "cell_type": kind, "metadata": {}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for cell, kind, source in CELLS
    ]
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    with server() as running, browser() as chromium:
        token = running.add_user("ada@example.org")
        running.add_user("bob@example.org")
        with running.client(token) as api:
            made = (
                api.post("/notebooks", params={"name": "Random walks.ipynb"}, json=document).raise_for_status().json()
            )
            api.put(f"/drive/items/{made['id']}/grants", json={"email": "bob@example.org", "role": "editor"})
        ada = signed_in(chromium, running.url, "ada@example.org", color_scheme="light")
        bob = signed_in(chromium, running.url, "bob@example.org")
        for page in (ada, bob):
            page.goto(f"{running.url}/notebooks/{made['id']}")
        ada.get_by_role("button", name="Run all").click()
        expect(ada.locator('[data-cell-id="table"]').get_by_role("region", name="Output")).to_contain_text("1000")
        expect(ada.locator('[data-cell-id="walks"] .outputs img')).to_be_visible()
        source = bob.locator('[data-cell-id="table"]').get_by_role("textbox", name="Source")
        source.click()
        bob.keyboard.press("End")
        bob.keyboard.press("Control+ArrowLeft")
        expect(ada.get_by_role("button", name="Go to bob")).to_be_visible()
        expect(ada.locator(".katex").first).to_be_visible()
        expect(ada.get_by_role("status", name="Runtime status")).to_have_text("Idle")
        ada.get_by_role("button", name="Table of contents").click()
        ada.locator('[data-cell-id="walks"]').get_by_role("textbox", name="Source").click()
        ada.mouse.move(1350, 640)

        path = target()
        ada.screenshot(path=path)

        assert path.stat().st_size > 20_000
