"""What every test may ask for."""

import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path
from zlib import crc32

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from collegium.ground.db import Database, open_database, sqlite_url
from support.postgres import database_of_postgres
from support.sqlite import quick_sqlite

# How long an example takes depends on what else the machine does; that it ends is asked elsewhere.
settings.register_profile("collegium", deadline=None)
settings.load_profile("collegium")


TESTS = Path(__file__).parent
SQLITE_IN_SHORT = ("jupyter", "sessions", "inside")
"""Folders whose tests start kernels, and ask of the database what others ask too."""
BOTH_IN_SHORT = ("ground", "workers", "backup")
"""Folders that are about the database itself."""
SAMPLED = 4
"""Elsewhere one in so many tests runs on PostgreSQL in the short form, the same ones each time."""
REAL = 5
"""A test that drives a browser or starts a sandbox takes as long as so many others."""
LONG = {"journeys/test_every_page.py": 100, "journeys/test_offline.py": 50, "workers/test_killed_workers.py": 50}
"""Files of few tests, which take as long as so many others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests run on PostgreSQL only under `make test-long`, and in which order files are given out."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "postgresql" in map(str, callspec.params.values()) and not _is_short(item):
            item.add_marker(pytest.mark.long)
    items[:] = _mixed(items)


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files are given out in this order: a journey and something else by turns, so that browsers do not meet and what
    waits has company; the long ones first, since at the end they would run beside nothing."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    longest = sorted(files.values(), key=_length, reverse=True)
    journeys = [file for file in longest if _folder(file[0]) == "journeys"]
    others = [file for file in longest if _folder(file[0]) != "journeys"]
    return [item for pair in zip_longest(journeys, others, fillvalue=()) for file in pair for item in file]


def _length(file: list[pytest.Item]) -> int:
    """How long the short form of a file takes beside that of others; only what runs counts."""
    known = LONG.get(file[0].path.relative_to(TESTS).as_posix(), 0)
    short = [item for item in file if not item.get_closest_marker("long")]
    return known or sum(REAL if any(map(item.get_closest_marker, ("browser", "sandbox"))) else 1 for item in short)


def _is_short(item: pytest.Item) -> bool:
    folder = _folder(item)
    if folder in SQLITE_IN_SHORT or item.get_closest_marker("sqlite_in_short"):
        return False
    return folder in BOTH_IN_SHORT or crc32(item.nodeid.encode()) % SAMPLED == 0


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def without_bad_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What protects people on a bad day costs more than most tests: the disk's word for every commit, Argon2, and a
    copy of the page for who has the one before an upgrade."""
    hasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    with quick_sqlite(tmp_path_factory.mktemp("sqlite")), pytest.MonkeyPatch.context() as patch:
        patch.setattr("collegium.accounts.adapters.PasswordHasher", hasher)
        if app := sys.modules.get("collegium.app"):
            # `ground/test_pages` asks for the copy, and `journeys/test_upgrade` at a server in a process of its own.
            patch.setattr(app, "keep_assets", lambda _static, kept, _keep: kept.mkdir(parents=True, exist_ok=True))
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database; every test that asks for it runs on each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "collegium.db")
        return
    with database_of_postgres() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A real, empty, migrated database."""
    async with open_database(database_url) as database:
        yield database
