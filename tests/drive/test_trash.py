"""The trash empties itself and is emptied, once each, whoever else does the same."""

import anyio
import pytest

from collegium.accounts.model import Principal, Role
from collegium.accounts.service import Accounts
from collegium.drive import store
from collegium.drive.adapters.local import LocalBlobs
from collegium.drive.model import Item, Kind
from collegium.drive.service import Drive
from collegium.drive.settings import DriveSettings
from collegium.drive.trash import Trash
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import NotFound
from collegium.ground.news import News

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


@pytest.fixture
def trash(database: Database, drive: Drive) -> Trash:
    return Trash(database, drive)


@pytest.fixture
def another(database: Database, blobs: LocalBlobs, accounts: Accounts, settings: DriveSettings) -> Trash:
    """The trash as another server process has it."""
    return Trash(database, Drive(database, blobs, accounts, News(), settings))


async def trashed(drive: Drive, database: Database, owner: Principal, name: str, *, days: float = 0) -> Item:
    item = await drive.create_folder(owner, name, None)
    await drive.create_folder(owner, "inside", item.id)
    async with database.write() as tx:
        await drive.create_item(tx, kind=Kind.NOTEBOOK, owner=owner.user, name="n.ipynb", parent=item.id)
        await store.update_item(tx, item.id, trashed_at=now_ms() - int(days * DAY_MS))
        return await store.read_item(tx, item.id)


async def test_what_was_in_the_trash_for_thirty_days_goes_by_itself(
    trash: Trash, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    await trashed(drive, database, ada, "old", days=30.1)
    await trashed(drive, database, bob, "old too", days=400)
    await trashed(drive, database, ada, "young", days=29.9)
    kept = await drive.create_folder(ada, "kept", None)

    assert await trash.let_go() == 2
    assert [item.name for item in await drive.list_trash(ada)] == ["young"]
    assert await drive.list_trash(bob) == []
    assert await drive.list_root(ada) == [kept]


async def test_emptying_deletes_all_that_is_ones_own_and_says_how_much(
    trash: Trash, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    for name in ("one", "two", "three"):
        item = await trashed(drive, database, ada, name)
        await drive.grant(ada, item.id, bob.email, Role.EDITOR)
    await trashed(drive, database, bob, "theirs")

    assert await trash.empty(ada) == 3
    assert await trash.empty(ada) == 0
    assert await drive.list_trash(ada) == []
    assert len(await drive.list_trash(bob)) == 1


async def test_two_who_empty_the_same_trash_at_once_delete_each_item_once(
    trash: Trash, another: Trash, drive: Drive, database: Database, ada: Principal
) -> None:
    for number in range(8):
        await trashed(drive, database, ada, f"{number}", days=31)
    deleted: list[int] = []

    async def emptied(one: Trash, *, by_itself: bool) -> None:
        deleted.append(await one.let_go() if by_itself else await one.empty(ada))

    async with anyio.create_task_group() as tasks:
        for one in (trash, another):
            for by_itself in (True, False):

                async def run(one: Trash = one, by_itself: bool = by_itself) -> None:
                    await emptied(one, by_itself=by_itself)

                tasks.start_soon(run)

    assert sum(deleted) == 8
    assert await drive.list_trash(ada) == []


async def test_what_is_restored_in_the_meantime_stays(
    trash: Trash, drive: Drive, database: Database, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await trashed(drive, database, ada, "saved", days=31)
    listed = await drive.list_trash(ada)

    async def as_it_was(_who: Principal) -> list[Item]:
        return listed

    monkeypatch.setattr(drive, "list_trash", as_it_was)
    await drive.restore(ada, item.id)

    assert await trash.empty(ada) == 0
    assert [one.id for one in await drive.list_root(ada)] == [item.id]


async def test_one_item_that_cannot_be_deleted_does_not_keep_the_others(
    trash: Trash, drive: Drive, database: Database, ada: Principal
) -> None:
    stuck = await trashed(drive, database, ada, "stuck", days=32)
    await trashed(drive, database, ada, "free", days=31)

    async def refuses(_tx: object, notebooks: object) -> None:
        async with database.read() as tx:
            inside = {one.id for one, _ in await store.read_subtree(tx, stuck.id)}
        if inside & set(notebooks):  # type: ignore[call-overload]
            raise NotFound("not now")

    drive.on_delete.append(refuses)

    assert await trash.let_go() == 1
    assert [item.name for item in await drive.list_trash(ada)] == ["stuck"]
