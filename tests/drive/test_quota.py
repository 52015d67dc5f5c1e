"""Nobody stores more than their quota, whichever way they try and however many at once."""

from collections.abc import AsyncIterator

import anyio
import pytest

from collegium.accounts.model import Principal, Role
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.drive.settings import DriveSettings
from collegium.ground.db import Database
from collegium.ground.errors import QuotaExceeded
from collegium.ground.ids import ItemId
from drive.conftest import ClientOf

pytestmark = pytest.mark.anyio

QUOTA = 1_000


@pytest.fixture
def settings() -> DriveSettings:
    return DriveSettings(quota=QUOTA)  # type: ignore[arg-type]


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def used(drive: Drive, who: Principal) -> int:
    return (await drive.usage(who)).used


async def test_uploads_stop_at_the_quota_and_go_on_when_there_is_room(drive: Drive, ada: Principal) -> None:
    first = await drive.upload(ada, "a", None, pieces(b"x" * 600))
    await drive.upload(ada, "b", None, pieces(b"x" * 400))

    with pytest.raises(QuotaExceeded) as refused:
        await drive.upload(ada, "c", None, pieces(b"y"))
    assert refused.value.extra == {"used": 1_000, "quota": 1_000}
    await drive.trash(ada, first.id)
    with pytest.raises(QuotaExceeded):
        await drive.upload(ada, "c", None, pieces(b"y"))
    await drive.delete(ada, first.id)
    await drive.upload(ada, "c", None, pieces(b"y" * 600))
    assert await used(drive, ada) == 1_000


async def test_nothing_is_left_of_an_upload_that_was_refused(drive: Drive, ada: Principal) -> None:
    with pytest.raises(QuotaExceeded):
        await drive.upload(ada, "big", None, pieces(b"z" * 2_000))
    with pytest.raises(QuotaExceeded):
        await drive.upload(ada, "big", None, pieces(b"z"), announced=2_000)

    assert await drive.list_root(ada) == []
    assert [blob async for blob in drive._blobs.kept()] == []


async def test_of_two_uploads_at_once_that_fit_only_one_by_one_one_is_refused(drive: Drive, ada: Principal) -> None:
    outcomes: list[str] = []

    async def upload(name: str) -> None:
        try:
            await drive.upload(ada, name, None, pieces(name.encode() * 300, name.encode() * 300))
            outcomes.append("kept")
        except QuotaExceeded:
            outcomes.append("refused")

    async with anyio.create_task_group() as tasks:
        for name in "abcd":
            tasks.start_soon(upload, name)

    assert sorted(outcomes) == ["kept", "refused", "refused", "refused"]
    assert await used(drive, ada) == 600


async def test_a_file_is_replaced_by_what_fits_in_its_place(drive: Drive, ada: Principal) -> None:
    item = await drive.upload(ada, "a", None, pieces(b"x" * 900))

    assert (await drive.replace(ada, item.id, pieces(b"y" * 1_000))).size == 1_000
    with pytest.raises(QuotaExceeded):
        await drive.replace(ada, item.id, pieces(b"z" * 1_001))
    assert (await drive.replace(ada, item.id, pieces(b"z"))).size == 1


async def test_what_somebody_puts_into_a_colleagues_folder_counts_for_the_colleague(
    drive: Drive, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, Role.EDITOR)
    await drive.upload(bob, "a", folder.id, pieces(b"x" * 1_000))

    assert (await used(drive, ada), await used(drive, bob)) == (1_000, 0)
    with pytest.raises(QuotaExceeded) as refused:
        await drive.upload(bob, "b", folder.id, pieces(b"x"))
    assert (refused.value.code, refused.value.extra) == ("drive_of_another_full", {})


async def test_nobody_is_given_what_has_no_room_in_their_drive(drive: Drive, ada: Principal, bob: Principal) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.upload(ada, "a", folder.id, pieces(b"x" * 400))
    mine = await drive.upload(bob, "b", None, pieces(b"x" * 601))

    with pytest.raises(QuotaExceeded) as refused:
        await drive.transfer(ada, folder.id, bob.email)
    assert (refused.value.code, refused.value.extra) == ("drive_of_another_full", {})
    assert "empty their trash" in refused.value.detail
    assert (await drive.sight(ada, folder.id)).item.owner == ada.user
    assert (await used(drive, ada), await used(drive, bob)) == (400, 601)

    await drive.trash(bob, mine.id)
    with pytest.raises(QuotaExceeded):
        await drive.transfer(ada, folder.id, bob.email)
    await drive.delete(bob, mine.id)
    await drive.transfer(ada, folder.id, bob.email)
    assert (await used(drive, ada), await used(drive, bob)) == (0, 400)


async def test_what_is_restored_from_the_trash_has_its_room_already(drive: Drive, ada: Principal) -> None:
    item = await drive.upload(ada, "a", None, pieces(b"x" * 1_000))
    await drive.trash(ada, item.id)
    await drive.restore(ada, item.id)

    assert await used(drive, ada) == 1_000


async def test_notebooks_count_and_playgrounds_do_not(drive: Drive, database: Database, ada: Principal) -> None:
    async with database.write() as tx:
        made = await drive.create_item(tx, kind=Kind.NOTEBOOK, owner=ada.user, name="n", parent=None, size=700)
        await drive.create_item(
            tx, kind=Kind.NOTEBOOK, owner=ada.user, name="p", parent=None, size=700, playground_of=ItemId(made.id)
        )
        with pytest.raises(QuotaExceeded):
            await drive.create_item(tx, kind=Kind.NOTEBOOK, owner=ada.user, name="m", parent=None, size=301)
        await drive.refuse_over_quota(tx, ada.user, 300, asking=ada.user)
        with pytest.raises(QuotaExceeded):
            await drive.refuse_over_quota(tx, ada.user, 301, asking=ada.user)

    assert await used(drive, ada) == 700


async def test_an_upload_over_the_quota_is_named_in_the_answer(client_of: ClientOf, ada: Principal) -> None:
    api = await client_of(ada)

    answer = await api.post("/files?name=big", content=b"x" * 1_001)

    assert answer.json()["code"] == "drive_full"
    assert "trash" in answer.json()["detail"]
