"""A real server with accounts, a drive, notebooks and rooms, and no runtimes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rooms.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with open_house(tmp_path, url=database_url) as house:
        yield house
