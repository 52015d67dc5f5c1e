"""PostgreSQL is away for a while: everything that a server does by itself bears it, and goes on when it is back."""

from collections import Counter
from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from structlog.testing import capture_logs

from collegium.accounts.model import Action
from collegium.app import open_house
from collegium.drive import playgrounds, trash
from collegium.ground.errors import Unavailable
from collegium.ground.ids import ItemId
from collegium.notebooks import indexing
from collegium.notifications import postman
from collegium.sessions import layers
from collegium.settings import Settings
from collegium.workers import service as workers
from support.postgres import database_of_postgres, postgres

pytestmark = pytest.mark.anyio

SOON = 0.05
BY_THEMSELVES = {
    "beat.missed",
    "layers.untidied",
    "logins.unwatched",
    "mail.delayed",
    "notebook.not_indexed",
    "notebooks.not_tidied",
    "playgrounds.untidied",
    "runtimes.not_reviewed",
    "trash.not_emptied",
    "usage.not_read",
}
"""What each of them says when it could not do its work."""


@pytest.fixture
def url() -> Iterator[str]:
    with database_of_postgres() as url:
        yield url


@pytest.fixture
def settings(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a server that does by itself every moment what others do every minute or hour."""
    for module, name in [
        (indexing, "LOOK_SECONDS"),
        (indexing, "MISSED_EVERY_SECONDS"),
        (layers, "TIDY_SECONDS"),
        (playgrounds, "LOOKED_AT_EVERY_SECONDS"),
        (postman, "POLL_SECONDS_MAX"),
        (trash, "LOOKED_AT_EVERY_SECONDS"),
        (workers, "BEAT_SECONDS"),
    ]:
        monkeypatch.setattr(module, name, SOON)
    often = timedelta(seconds=SOON)
    settings = Settings(data=tmp_path, engine="none", database_url=url)
    return settings.model_copy(
        update={
            "accounts": settings.accounts.model_copy(update={"watch_interval": often}),
            "mail": settings.mail.model_copy(update={"host": "127.0.0.1"}),
            "rooms": settings.rooms.model_copy(update={"tidy_seconds": SOON}),
            "runtimes": settings.runtimes.model_copy(update={"cull_interval": often, "usage_interval": often}),
        }
    )


async def test_a_server_whose_database_is_away_for_long_goes_on_when_it_is_back(settings: Settings) -> None:
    async with open_house(settings, alone=False) as house:
        user = await house.accounts.create_user("ada@example.org", "Ada", "correct horse battery")
        ada = await house.accounts.principal_by_token(await house.accounts.create_token(user.email, "test"))
        assert ada is not None
        notebook = ItemId((await house.notebooks.create(ada, name="a.ipynb", folder=None, file=None)).id)
        async with house.accounts.ended(ada) as ended:
            with capture_logs() as lines:
                await anyio.to_thread.run_sync(postgres().end)
                try:
                    await missed_twice(lines)
                    with pytest.raises(Unavailable):
                        await house.drive.authorize(ada, notebook, Action.READ)
                finally:
                    await anyio.to_thread.run_sync(postgres().begin)
            item, _ = await house.drive.authorize(ada, notebook, Action.READ)
            renamed = await house.drive.rename(ada, notebook, "b.ipynb")

        assert not ended.is_set()
        assert (item.name, renamed.name) == ("a.ipynb", "b.ipynb")
        assert house.workers.leads


async def missed_twice(lines: list[MutableMapping[str, Any]]) -> None:
    """Each of them met the database's absence, and tried again."""
    with anyio.fail_after(60):
        while BY_THEMSELVES - {event for event, times in Counter(line["event"] for line in lines).items() if times > 1}:
            await anyio.sleep(SOON)
