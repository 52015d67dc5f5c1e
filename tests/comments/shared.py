"""A whole server for all tests of a file, and a fresh notebook on it for every test: fixtures for a conftest."""

from collections.abc import AsyncIterator, Iterator

import pytest

from collegium.comments.settings import CommentSettings
from collegium.ground.db import sqlite_url
from comments.site import Site, open_site
from support.postgres import database_of_postgres


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """As elsewhere, for as long as the server of a file runs."""
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`database_url`, for as long as that."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path_factory.mktemp("database") / "collegium.db")
        return
    with database_of_postgres() as url:
        yield url


@pytest.fixture(scope="module")
async def shared_site(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    patience = CommentSettings(changes_per_minute_max=10_000)
    with pytest.MonkeyPatch.context() as patch:
        async with open_site(tmp_path_factory.mktemp("site"), shared_url, patch, comments=patience) as site:
            yield site


@pytest.fixture
async def site(shared_site: Site) -> Site:
    return await shared_site.anew()
