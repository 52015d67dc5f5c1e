"""What every test may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collegium.ground.db import Database, open_database, sqlite_url


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A real, empty, migrated database."""
    async with open_database(sqlite_url(tmp_path / "collegium.db")) as database:
        yield database
