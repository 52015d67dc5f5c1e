"""What journeys share: one server and one browser for the tests of a file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from support.browser import browser
from support.server import Server, server


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
