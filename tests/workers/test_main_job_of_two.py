"""The main job in a real browser once more, at a server of two processes."""

from collections.abc import Iterator

import pytest

from journeys.conftest import chromium  # noqa: F401  # the fixture
from journeys.test_main_job import test_the_main_job  # noqa: F401  # runs here, with the server below
from support.server import Server, server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.long]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of two processes."""
    with server("--workers", "2") as running:
        yield running
