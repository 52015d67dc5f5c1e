"""What was opened last, and what is starred: by whom it is seen, and what makes it vanish."""

from collections.abc import AsyncIterator

import anyio
import pytest

from collegium.accounts.model import GUEST, Principal, Role
from collegium.drive import shelves, shelves_store
from collegium.drive.model import Item, Kind
from collegium.drive.service import Drive
from collegium.drive.shelves import Shelves, open_shelves
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, NotFound
from collegium.ground.ids import ItemId

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shelf(database: Database, drive: Drive) -> AsyncIterator[Shelves]:
    async with open_shelves(database, drive) as opened:
        yield opened


async def notebook(drive: Drive, database: Database, owner: Principal, name: str, **more: object) -> Item:
    async with database.write() as tx:
        return await drive.create_item(
            tx,
            kind=Kind.NOTEBOOK,
            owner=owner.user,
            name=name,
            parent=None,
            **more,  # type: ignore[arg-type]
        )


async def recent(shelf: Shelves, who: Principal) -> list[str]:
    return [opening.sight.item.name for opening in await shelf.recent(who)]


async def test_what_was_opened_last_comes_first(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [await notebook(drive, database, ada, name) for name in ("one", "two", "three")]
    now = 1_000_000_000_000
    for item in (*items, items[0]):
        now += shelves.NOTED_AGAIN_AFTER_MS + 1
        monkeypatch.setattr(shelves, "now_ms", lambda at=now: at)
        await shelf.note_opening(ada, item.id)

    assert await recent(shelf, ada) == ["one", "three", "two"]


async def test_opening_again_and_again_is_written_once_in_a_few_minutes(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await notebook(drive, database, ada, "n")
    written = []

    async def counted(*arguments: object, **more: object) -> None:
        written.append(arguments)
        await set_opening(*arguments, **more)

    set_opening = shelves_store.set_opening
    monkeypatch.setattr(shelves_store, "set_opening", counted)
    for _ in range(5):
        await shelf.note_opening(ada, item.id)

    assert len(written) == 1


async def test_whoever_has_a_notebook_open_has_opened_it_and_a_guest_leaves_no_trace(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal
) -> None:
    item = await notebook(drive, database, ada, "n")

    with drive.opening(GUEST, item), drive.opening(ada, item), anyio.fail_after(10):
        while not await recent(shelf, ada):
            await anyio.sleep(0.01)
    async with database.read() as tx:
        assert await shelves_store.read_openings(tx, GUEST.user) == []


async def test_only_so_many_openings_are_remembered(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "OPENINGS_MAX", 3)
    for number in range(6):
        monkeypatch.setattr(shelves, "now_ms", lambda at=number: at)
        await shelf.note_opening(ada, (await notebook(drive, database, ada, f"n{number}")).id)

    assert await recent(shelf, ada) == ["n5", "n4", "n3"]


async def test_items_that_one_may_no_longer_see_vanish_and_come_back(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    item = await notebook(drive, database, ada, "n")
    await drive.grant(ada, item.id, bob.email, Role.VIEWER)
    await shelf.note_opening(bob, item.id)
    await shelf.star(bob, item.id)

    async def seen() -> tuple[list[str], list[str]]:
        return await recent(shelf, bob), [sight.item.name for sight in await shelf.starred(bob)]

    assert await seen() == (["n"], ["n"])
    await drive.revoke(ada, item.id, bob.email)
    assert await seen() == ([], [])
    await drive.grant(ada, item.id, bob.email, Role.EDITOR)
    assert await seen() == (["n"], ["n"])
    await drive.trash(ada, item.id)
    assert await seen() == ([], [])


async def test_trash_and_playgrounds_are_on_no_shelf(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    inner = await drive.create_folder(ada, "inner", folder.id)
    playground = await notebook(drive, database, ada, "p", playground_of=ItemId(folder.id))
    for item in (inner, playground):
        await shelf.note_opening(ada, item.id)
        await shelf.star(ada, item.id)

    assert [sight.item.name for sight in await shelf.starred(ada)] == ["inner"]
    await drive.trash(ada, folder.id)
    assert await shelf.starred(ada) == []
    assert await shelf.recent(ada) == []
    assert await drive.list_root(ada) == []


async def test_a_star_is_given_once_and_taken_away(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    item = await notebook(drive, database, ada, "n")
    await shelf.star(ada, item.id)
    await shelf.star(ada, item.id)

    assert await shelf.starred_ids(ada) == {item.id}
    with pytest.raises(NotFound):
        await shelf.star(bob, item.id)
    await shelf.unstar(bob, item.id)
    await shelf.unstar(ada, item.id)
    assert await shelf.starred(ada) == []


async def test_stars_are_bounded(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "STARS_MAX", 1)
    await shelf.star(ada, (await notebook(drive, database, ada, "one")).id)

    with pytest.raises(Conflict):
        await shelf.star(ada, (await notebook(drive, database, ada, "two")).id)


async def test_a_deleted_item_takes_its_marks_along(
    shelf: Shelves, drive: Drive, database: Database, ada: Principal
) -> None:
    item = await notebook(drive, database, ada, "n")
    await shelf.note_opening(ada, item.id)
    await shelf.star(ada, item.id)
    await drive.trash(ada, item.id)
    await drive.delete(ada, item.id)

    assert await shelf.starred_ids(ada) == frozenset()
    async with database.read() as tx:
        assert await shelves_store.read_openings(tx, ada.user) == []
