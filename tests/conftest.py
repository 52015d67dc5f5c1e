"""What every test may ask for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from collegium.ground.db import Database, open_database, sqlite_url
from support.postgres import postgres, why_no_postgres

# How long an example takes depends on what else the machine does; that it ends is asked elsewhere.
settings.register_profile("collegium", deadline=None)
settings.load_profile("collegium")


SQLITE_IN_SHORT = ("jupyter", "sessions", "inside")
"""Folders whose tests start kernels, and ask of the database what others ask too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `sqlite_in_short`, or lies in such a folder, runs on PostgreSQL too, under `make test-long`."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        on_postgresql = callspec is not None and "postgresql" in map(str, callspec.params.values())
        here = item.path.relative_to(Path(__file__).parent).parts[0]
        if on_postgresql and (here in SQLITE_IN_SHORT or item.get_closest_marker("sqlite_in_short")):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database; every test that asks for it runs on each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "collegium.db")
        return
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(reason)
    url = postgres().new()
    yield url
    postgres().drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A real, empty, migrated database."""
    async with open_database(database_url) as database:
        yield database
