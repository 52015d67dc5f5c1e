"""What every test may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from collegium.ground.db import Database, open_database, sqlite_url

# How long an example takes depends on what else the machine does; that it ends is asked elsewhere.
settings.register_profile("collegium", deadline=None)
settings.load_profile("collegium")


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A real, empty, migrated database."""
    async with open_database(sqlite_url(tmp_path / "collegium.db")) as database:
        yield database
