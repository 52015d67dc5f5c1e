"""The machine behind a notebook as people meet it: what it uses, when it ends, what is installed, which one it is."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from runtime_world import why_no_sandbox
from support.browser import browser, signed_in
from support.looking import looked_at, violations
from support.notebook import output
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA = "ada@example.org"
SMALL = {"memory": "512MiB", "cpus": 1, "processes": 256, "disk": "512MiB"}
SETTINGS = {
    "COLLEGIUM_RUNTIMES__TYPES": json.dumps(
        {
            "cpu": {"label": "CPU"} | SMALL,
            "brief": {"label": "Brief", "idle_timeout": "PT12S"} | SMALL,
            "t4": {"label": "T4 GPU", "accelerator": "t4"} | SMALL,
        }
    ),
    "COLLEGIUM_RUNTIMES__ACCELERATORS": json.dumps(
        {"t4": {"kind": "gpu", "label": "NVIDIA T4", "units": [{"devices": ["/dev/no-such-card"]}]}}
    ),
    "COLLEGIUM_RUNTIMES__NOTICE": "PT9S",
    "COLLEGIUM_RUNTIMES__CULL_INTERVAL": "PT0.3S",
    "COLLEGIUM_SESSIONS__INTERRUPT_SECONDS": "1",
}
MAKE_WHEEL = '''
import zipfile

def wheel(version, text):
    """A package of one module, as pip installs it, without any network."""
    name, folder = f"/content/tinypackage-{version}-py3-none-any.whl", f"tinypackage-{version}.dist-info"
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("tinypackage.py", f"version = {text!r}")
        archive.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\\nName: tinypackage\\nVersion: {version}\\n")
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nTag: py3-none-any\\n")
        archive.writestr(f"{folder}/RECORD", "")
    return name
'''
INSTALL = "!pip install --quiet --no-index --disable-pip-version-check {wheel('%s', 'the %s one')}"


@dataclass
class House:
    """A running server, Ada's page and her token."""

    server: Server
    chromium: Browser
    page: Page
    token: str

    def open(self, *sources: str) -> str:
        """A new notebook of Ada's, whose cells are named a, b, c …, on her page."""
        named = {chr(ord("a") + number): source for number, source in enumerate(sources)}
        notebook = self.server.notebook(self.token, named, name="machine.ipynb")
        self.page.goto(f"{self.server.url}/notebooks/{notebook}")
        expect(self.page.get_by_role("status", name="Save status")).to_have_text("Saved")
        return notebook

    def content(self, notebook: str) -> dict[str, Any]:
        """The notebook as a file."""
        with self.server.client(self.token) as api:
            return dict(api.get(f"/notebooks/{notebook}/content").raise_for_status().json())


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    if (why := why_no_sandbox()) is not None:
        pytest.skip(f"no sandbox here: {why}")
    with server(env=SETTINGS) as running, browser() as chromium:
        token = running.add_user(ADA)
        yield House(running, chromium, signed_in(chromium, running.url, ADA), token)


@pytest.fixture(autouse=True)
def runtimes_given_back(house: House) -> Iterator[None]:
    """Each test begins with no runtime."""
    yield
    house.server.give_back(house.token)


def status(page: Page) -> Locator:
    return page.get_by_role("status", name="Runtime status")


def run(page: Page, name: str) -> None:
    page.locator(f'[data-cell-id="{name}"]').get_by_role("button", name="Run cell").click()


def connect(page: Page) -> None:
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(status(page)).to_have_text("Idle")


def choose(page: Page, entry: str) -> None:
    """From the menu beside the state of the runtime."""
    page.get_by_role("button", name="Runtime options").click()
    page.get_by_role("menuitem", name=entry).click()


def notices(page: Page) -> Locator:
    return page.get_by_role("region", name="Runtime notices")


def test_memory_and_disk_are_in_the_bar_and_the_panel_tells_more(house: House) -> None:
    page = house.page
    house.open("x = 1")
    connect(page)

    meters = page.get_by_role("button", name=re.compile(r"Resources, RAM \d+ of 512 MB, Disk \d+ of 512 MB"))
    meters.click()

    panel = page.get_by_role("complementary", name="Resources")
    expect(panel.get_by_role("meter", name="RAM")).to_have_attribute("aria-valuetext", re.compile(r"of 512 MB"))
    expect(panel.get_by_role("img", name=re.compile("CPU in the last hour: now"))).to_be_visible()
    expect(panel).to_contain_text("Running for")
    panel.get_by_text("As a table").click()
    expect(panel.get_by_role("row", name=re.compile("^Disk"))).to_be_visible()
    assert violations(page) == {}
    panel.get_by_role("button", name="Close resources").click()
    expect(panel).to_have_count(0)


def test_a_cell_that_takes_all_memory_says_so_and_what_to_do(house: House) -> None:
    page = house.page
    house.open("kept = []\nwhile True: kept.append(bytearray(b'x' * (16 << 20)))", "'kept' in globals()")

    run(page, "a")

    cell = page.locator('[data-cell-id="a"]')
    expect(cell).to_contain_text(re.compile(r"killed: .*out of memory \(used .* of 512 MB\)"))
    expect(cell).to_contain_text("variables are gone, files are still there")
    run(page, "b")
    expect(output(page, "b")).to_contain_text("False")
    cell.get_by_role("button", name="Change runtime type").click()
    expect(page.get_by_role("dialog", name="Change runtime type")).to_be_visible()
    page.keyboard.press("Escape")


def test_memory_that_ends_is_told_with_what_holds_it(house: House) -> None:
    page = house.page
    house.open("holder = bytearray(420 << 20)\nholder[::4096] = b'x' * (420 * 256)", "del holder")

    run(page, "a")

    expect(notices(page)).to_contain_text("Memory is nearly full")
    expect(notices(page)).to_contain_text("holder")
    notices(page).get_by_role("button", name="View resources").click()
    panel = page.get_by_role("complementary", name="Resources")
    expect(panel.get_by_role("meter", name=re.compile("holder"))).to_be_visible()
    run(page, "b")
    expect(notices(page)).not_to_contain_text("Memory is nearly full")


def test_an_idle_runtime_is_announced_kept_and_in_the_end_taken_back(house: House) -> None:
    page = house.page
    notebook = house.open("x = 1")
    choose(page, "Change runtime type")
    page.get_by_role("radio", name="Brief").check()
    page.get_by_role("button", name="Save and connect").click()
    expect(status(page)).to_have_text("Idle")
    other = page.context.new_page()
    other.goto(f"{house.server.url}/notebooks/{notebook}")

    expect(notices(page)).to_contain_text(re.compile(r"given back.* in 0:0\d"))
    expect(notices(other)).to_contain_text("Are you still there?")
    expect(page).to_have_title(re.compile("^⏳"))
    notices(other).get_by_role("button", name="Keep").click()
    for tab in (page, other):
        expect(notices(tab)).not_to_contain_text("Are you still there?")
    expect(page).not_to_have_title(re.compile("^⏳"))

    expect(notices(page)).to_contain_text("Are you still there?")
    expect(notices(page)).to_contain_text("it was not used for 12 seconds")
    expect(status(page)).to_have_text(re.compile("^Disconnected"))
    other.close()
    notices(page).get_by_role("button", name="Reconnect").click()
    expect(status(page)).to_have_text("Idle")


def test_all_sessions_are_listed_and_one_is_terminated(house: House) -> None:
    page = house.page
    house.open("import time; time.sleep(1000)")
    run(page, "a")
    expect(status(page)).to_have_text("Busy")
    page.goto(house.server.url)
    page.get_by_role("button", name=re.compile("^Account")).click()
    page.get_by_role("menuitem", name="Manage sessions").click()

    dialog = page.get_by_role("dialog", name="Manage sessions")
    row = dialog.get_by_role("list", name="Sessions").get_by_role("listitem")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Running")
    expect(row.get_by_role("meter", name="RAM")).to_be_visible()
    assert violations(page) == {}
    row.get_by_role("button", name=re.compile("^Terminate")).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Terminate").click()
    expect(dialog).to_contain_text("No active sessions")

    with house.server.client(house.token) as api:
        assert api.get("/runtimes").json() == []
    page.keyboard.press("Escape")


def test_what_pip_replaces_asks_for_a_restart_and_what_is_pinned_is_in_the_next_runtime(house: House) -> None:
    page = house.page
    see = "import tinypackage; print(tinypackage.version)"
    house.open(MAKE_WHEEL, INSTALL % ("1.0", "old"), see, INSTALL % ("2.0", "new"), see)
    for name, text in (("a", None), ("b", None), ("c", "the old one"), ("d", None)):
        run(page, name)
        if text is None:
            expect(page.locator(f'[data-cell-id="{name}"]').get_by_role("img", name="done in")).to_be_visible()
        else:
            expect(output(page, name)).to_contain_text(text)

    expect(notices(page)).to_contain_text("tinypackage 1.0 (now 2.0)")
    notices(page).get_by_role("button", name="Restart session").click()
    expect(notices(page)).not_to_contain_text("tinypackage")
    run(page, "e")
    expect(output(page, "e")).to_contain_text("the new one")

    page.get_by_role("menuitem", name="Tools").click()
    page.get_by_role("menuitem", name="Environment").click()
    dialog = page.get_by_role("dialog", name="Environment")
    expect(dialog.get_by_role("row", name=re.compile("tinypackage"))).to_contain_text("2.0")
    dialog.get_by_role("button", name="Pin to this notebook").click()
    expect(dialog.get_by_role("textbox", name="pylock.toml")).to_contain_text("tinypackage")
    expect(dialog.get_by_role("status", name="Environment status")).to_contain_text("It is ready")
    assert violations(page) == {}
    dialog.get_by_role("button", name="Close").last.click()

    choose(page, "Disconnect and delete runtime")
    page.get_by_role("button", name="Disconnect and delete").click()
    expect(status(page)).to_have_text("Not connected")
    page.locator('[data-cell-id="e"]').get_by_role("button", name="More cell actions").click()
    page.get_by_role("menuitem", name="Clear outputs of the selected cells").click()
    expect(output(page, "e")).to_have_count(0)
    run(page, "e")
    expect(output(page, "e")).to_contain_text("the new one")


def test_the_runtime_type_is_chosen_by_keyboard_and_kept_in_the_notebook_as_colab_keeps_it(house: House) -> None:
    page = house.page
    notebook = house.open("echo $((6 * 7))")
    page.get_by_role("menuitem", name="Runtime", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Change runtime type").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Change runtime type")
    gpu = dialog.get_by_role("radio", name="T4 GPU")
    expect(gpu).to_be_disabled()
    expect(gpu).to_have_accessible_description(re.compile("no-such-card|There is no"))
    assert violations(page) == {}

    language = dialog.get_by_role("combobox", name="Language")
    language.focus()
    page.keyboard.press("Enter")
    page.get_by_role("option", name="Bash").focus()
    page.keyboard.press("Enter")
    version = dialog.get_by_role("combobox", name="Runtime version")
    version.click()
    page.get_by_role("option", name="2026.11", exact=True).click()
    dialog.get_by_role("button", name="Save and connect").press("Enter")

    expect(status(page)).to_have_text("Idle")
    expect(page.locator('[data-cell-id="a"]')).to_contain_text("Bash")
    run(page, "a")
    expect(output(page, "a")).to_contain_text("42")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    metadata = house.content(notebook)["metadata"]
    assert metadata["kernelspec"]["name"] == "bash"
    assert metadata["colab"] == {"runtime_attributes": {"runtime_version": "2026.11"}}


def test_a_cell_that_does_not_stop_is_terminated_and_says_so(house: House) -> None:
    page = house.page
    house.open("import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('on'); time.sleep(1000)")
    run(page, "a")
    expect(output(page, "a")).to_contain_text("on")

    page.locator('[data-cell-id="a"]').get_by_role("button", name="Stop cell").click()

    cell = page.locator('[data-cell-id="a"]')
    expect(cell).to_contain_text("terminated: the cell did not stop within 1 s")
    expect(cell).to_contain_text("The cell went on when it was interrupted")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_all_fits_on_a_phone_and_can_be_used_by_everybody(house: House, scheme: str) -> None:
    address = house.page.url
    house.open("x = 1")
    address = house.page.url
    page = signed_in(house.chromium, house.server.url, ADA, color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    looked_at(page, f"runtime-phone-{scheme}-unconnected")
    connect(page)
    page.get_by_role("button", name=re.compile("^Resources, RAM")).click()
    expect(page.get_by_role("complementary", name="Resources").get_by_role("meter", name="RAM")).to_be_visible()
    looked_at(page, f"runtime-phone-{scheme}-resources")
    page.get_by_role("button", name="Close resources").click()
    for entry, ready in (
        ("Change runtime type", page.get_by_role("radio", name="Brief")),
        ("Manage sessions", page.get_by_role("list", name="Sessions")),
    ):
        choose(page, entry)
        expect(ready).to_be_attached()
        looked_at(page, f"runtime-phone-{scheme}-{entry.split()[0].lower()}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.close()
