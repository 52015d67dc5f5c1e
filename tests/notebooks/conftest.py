"""Saved notebooks on a real database, without rooms or a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notebooks.library import Library, open_library


@pytest.fixture
async def library(tmp_path: Path, database_url: str) -> AsyncIterator[Library]:
    async with open_library(tmp_path, url=database_url) as library:
        yield library
