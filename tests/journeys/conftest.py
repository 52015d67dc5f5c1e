"""What journeys share: one server and one browser for the tests of a file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from support.browser import browser, signed_in
from support.server import Server, server
from support.still import Still

ADA = "ada@example.org"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server with its usual settings."""
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; each person in it has a context of their own."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def runs_nothing() -> Iterator[tuple[Server, str]]:
    """A server without runtimes, and Ada's token."""
    with server(env={"COLLEGIUM_ENGINE": "none"}) as running:
        yield running, running.add_user(ADA)


@pytest.fixture
def still(runs_nothing: tuple[Server, str], chromium: Browser) -> Iterator[Still]:
    """Ada's page there, in a context of its own for each test."""
    running, token = runs_nothing
    page = signed_in(chromium, running.url, ADA)
    yield Still(running, token, page)
    page.context.close()
