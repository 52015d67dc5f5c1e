"""Every command of the table, once, in a real browser; a command without a line in `command_lines` fails."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.browser import at_home
from support.command_lines import TABLE
from support.commands import World
from support.looking import violations
from support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
REFERENCE = Path(__file__).parents[2] / "docs/reference/commands.md"
ROW = re.compile(r"^\| (.+?) \| `([\w-]+)` \|", re.MULTILINE)
NAMES = {found[2]: found[1] for found in ROW.finditer(REFERENCE.read_text())}
PRINT = "window.print = () => { window.printed = (window.printed ?? 0) + 1 }"
"""Paper comes out of nothing here."""
IN_ORDER = sorted(NAMES, key=lambda command: command in TABLE and TABLE[command].runs)


@pytest.fixture(scope="module")
def world(running: Server, chromium: Browser) -> Iterator[World]:
    token = running.add_user(ADA)
    # What moves costs as much as what the commands do; how it moves, other journeys ask.
    still: dict[str, Any] = {"reduced_motion": "reduce", "permissions": ["clipboard-read", "clipboard-write"]}
    page = at_home(chromium, running.url, ADA, **still)
    page.add_init_script(PRINT)
    page.evaluate(f"() => {{ {PRINT} }}")
    world = World(running, token, page)
    page.on("download", lambda download: world.files.append(download.suggested_filename))
    page.on("filechooser", lambda _: world.choose())
    yield world
    running.give_back(token)


def test_every_command_has_a_line_here_and_every_line_a_command() -> None:
    assert sorted(TABLE) == sorted(NAMES)


@pytest.mark.parametrize("command", IN_ORDER)
def test_the_command_does_what_it_says(world: World, command: str) -> None:
    case = TABLE[command]
    world.open_for(runs=case.runs, anew=case.anew, own=case.own)
    case.before(world)
    if case.keys is None:
        world.by_palette(command)
    else:
        world.press(case.keys)

    case.see(world)


def test_a_command_that_cannot_be_used_now_says_why_and_does_nothing(world: World) -> None:
    world.anew = True
    world.open()
    page = world.page
    page.keyboard.press("Control+Shift+P")
    field = page.get_by_role("combobox", name="Find a command")
    expect(page.get_by_role("option", name="Interrupt execution")).to_have_count(0)

    field.fill("interrupt")
    found = page.get_by_role("option").first
    expect(found).to_have_text(re.compile("Interrupt execution.*No runtime is connected"))
    expect(found).to_be_disabled()
    assert violations(page, ".dialog") == {}
    field.press("Enter")
    expect(field).to_be_focused()

    field.fill("no such thing at all")
    expect(page.get_by_text("No command has that name.")).to_be_visible()
