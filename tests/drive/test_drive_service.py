"""What can be done to items, by whom, and what it leaves."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import ALLOWED, Action, Principal, Role, may
from collegium.accounts.service import Accounts
from collegium.drive import sharing_store, store
from collegium.drive.adapters import LocalBlobs
from collegium.drive.model import DEPTH_MAX, Item, Kind
from collegium.drive.service import Drive, open_drive
from collegium.drive.settings import DriveSettings
from collegium.ground.db import Database
from collegium.ground.errors import (
    CollegiumError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StorageFull,
    TooLarge,
    TooMany,
    Unavailable,
)
from collegium.ground.ids import ItemId, new_id
from collegium.ground.news import News

pytestmark = pytest.mark.anyio


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def notebook(drive: Drive, database: Database, owner: Principal, parent: ItemId | None = None) -> Item:
    async with database.write() as tx:
        return await drive.create_item(tx, kind=Kind.NOTEBOOK, owner=owner.user, name="n.ipynb", parent=parent)


async def kept(blobs: LocalBlobs) -> set[str]:
    return {sha256 async for sha256 in blobs.kept()}


async def nested(drive: Drive, who: Principal, *names: str) -> list[Item]:
    folders: list[Item] = []
    for name in names:
        folders.append(await drive.create_folder(who, name, folders[-1].id if folders else None))
    return folders


# --- permissions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.EDITOR, Role.COMMENTER, Role.VIEWER])
@pytest.mark.parametrize("action", Action)
async def test_a_role_allows_what_the_table_says(
    drive: Drive, ada: Principal, bob: Principal, role: Role, action: Action
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, role)

    if may(role, action):
        assert (await drive.authorize(bob, folder.id, action))[1] is role
    else:
        with pytest.raises(Forbidden):
            await drive.authorize(bob, folder.id, action)


async def test_a_stranger_cannot_tell_what_exists(drive: Drive, ada: Principal, bob: Principal) -> None:
    folder = await drive.create_folder(ada, "Secret", None)
    told = set()
    for item in (folder.id, ItemId(new_id()), ItemId("root"), ItemId(""), ItemId("x' OR 1=1"), ItemId("../..")):
        with pytest.raises(NotFound) as refused:
            await drive.authorize(bob, item, Action.READ)
        told.add((refused.value.detail, refused.value.code))

    assert len(told) == 1
    assert await drive.role(bob.user, folder.id) is None


async def test_a_stranger_can_do_nothing_to_an_item(drive: Drive, ada: Principal, bob: Principal) -> None:
    folder = await drive.create_folder(ada, "F", None)
    own = await drive.create_folder(bob, "Mine", None)
    attempts = [
        drive.rename(bob, folder.id, "x"),
        drive.move(bob, folder.id, own.id),
        drive.move(bob, own.id, folder.id),
        drive.trash(bob, folder.id),
        drive.restore(bob, folder.id),
        drive.delete(bob, folder.id),
        drive.accesses(bob, folder.id),
        drive.grant(bob, folder.id, bob.email, Role.EDITOR),
        drive.revoke(bob, folder.id, ada.email),
        drive.create_folder(bob, "x", folder.id),
        drive.upload(bob, "x", folder.id, pieces(b"x")),
        drive.file(bob, folder.id),
        drive.list_folder(bob, folder.id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            await attempt

    assert await drive.list_root(ada) == [folder]


async def test_an_editor_cannot_raise_a_role_or_share_or_delete(drive: Drive, ada: Principal, bob: Principal) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, Role.EDITOR)

    for attempt in (
        drive.grant(bob, folder.id, bob.email, Role.EDITOR),
        drive.revoke(bob, folder.id, ada.email),
        drive.trash(bob, folder.id),
        drive.delete(bob, folder.id),
        drive.move(bob, folder.id, None),
    ):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(Invalid):
        await drive.grant(ada, folder.id, bob.email, Role.OWNER)


async def test_a_role_on_a_folder_holds_for_everything_in_it(
    drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    outer, inner = await nested(drive, ada, "outer", "inner")
    inside = await notebook(drive, database, ada, inner.id)
    beside = await notebook(drive, database, ada)
    await drive.grant(ada, outer.id, bob.email, Role.VIEWER)
    await drive.grant(ada, inside.id, bob.email, Role.EDITOR)

    assert await drive.role(bob.user, outer.id) is Role.VIEWER
    assert await drive.role(bob.user, inner.id) is Role.VIEWER
    assert await drive.role(bob.user, inside.id) is Role.EDITOR
    assert await drive.role(bob.user, beside.id) is None
    sight, children = await drive.list_folder(bob, inner.id)
    assert [step.name for step in sight.path] == ["outer"]
    assert [(item.id, role) for item, role in children] == [(inside.id, Role.EDITOR)]
    assert [sight.item.name for sight in await drive.list_shared(bob)] == ["outer"]


async def test_a_path_does_not_show_folders_above_what_was_shared(drive: Drive, ada: Principal, bob: Principal) -> None:
    _, shared, inner = await nested(drive, ada, "Salaries 2026", "shared", "inner")
    await drive.grant(ada, shared.id, bob.email, Role.VIEWER)

    assert [step.name for step in (await drive.sight(bob, inner.id)).path] == ["shared"]
    assert [step.name for step in (await drive.sight(ada, inner.id)).path] == ["Salaries 2026", "shared"]


async def test_what_a_colleague_puts_into_a_folder_belongs_to_its_owner(
    drive: Drive, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, Role.EDITOR)
    made = await drive.upload(bob, "b.txt", folder.id, pieces(b"x"))

    assert made.owner == ada.user
    assert await drive.role(bob.user, made.id) is Role.EDITOR
    with pytest.raises(Forbidden):
        await drive.delete(bob, made.id)


# --- sharing -------------------------------------------------------------------------------------


async def test_an_unknown_address_is_named_as_such(drive: Drive, ada: Principal) -> None:
    folder = await drive.create_folder(ada, "F", None)

    with pytest.raises(NotFound, match="Nobody here has this e-mail address"):
        await drive.grant(ada, folder.id, "nobody@example.org", Role.VIEWER)
    with pytest.raises(Conflict, match="owner"):
        await drive.grant(ada, folder.id, ada.email, Role.VIEWER)


async def test_a_role_is_changed_shown_and_taken_back(drive: Drive, ada: Principal, bob: Principal) -> None:
    outer, inner = await nested(drive, ada, "outer", "inner")
    await drive.grant(ada, inner.id, bob.email.upper(), Role.EDITOR)
    await drive.grant(ada, inner.id, bob.email, Role.VIEWER)
    await drive.grant(ada, outer.id, bob.email, Role.COMMENTER)
    shown = [(one.user.name, one.role, one.inherited) for one in await drive.accesses(ada, inner.id)]
    await drive.revoke(ada, outer.id, bob.email)

    assert shown == [("Ada", Role.OWNER, False), ("Bob", Role.COMMENTER, True)]
    assert await drive.role(bob.user, inner.id) is Role.VIEWER
    await drive.revoke(bob, inner.id, bob.email)
    assert await drive.role(bob.user, inner.id) is None
    with pytest.raises(NotFound):
        await drive.revoke(ada, inner.id, bob.email)


async def test_a_removed_user_is_not_shown_any_more(
    drive: Drive, accounts: Accounts, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, Role.EDITOR)
    await accounts.remove_user(bob.email)

    assert [one.user.name for one in await drive.accesses(ada, folder.id)] == ["Ada"]


async def test_those_who_watch_learn_of_every_change_of_a_role(
    drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    (folder,) = await nested(drive, ada, "F")
    inside = await notebook(drive, database, ada, folder.id)
    async with drive.watch_roles(inside.id) as changes:

        async def told(expected: Role | None) -> None:
            with anyio.fail_after(5):
                await anext(changes)
            assert await drive.role(bob.user, inside.id) is expected

        await drive.grant(ada, folder.id, bob.email, Role.EDITOR)
        await told(Role.EDITOR)
        await drive.grant(ada, folder.id, bob.email, Role.VIEWER)
        await told(Role.VIEWER)
        await drive.trash(ada, folder.id)
        await told(None)
        await drive.restore(ada, folder.id)
        await told(Role.VIEWER)
        await drive.move(ada, inside.id, None)
        await told(None)
        await drive.rename(ada, inside.id, "new name")
        await told(None)
        for _ in range(100):  # nobody listens, and nothing grows
            await drive.grant(ada, inside.id, bob.email, Role.EDITOR)
        await told(Role.EDITOR)
        with anyio.move_on_after(0.05) as more:
            await anext(changes)
        assert more.cancelled_caught
    with pytest.raises(NotFound):
        async with drive.watch_roles(ItemId(new_id())):
            pass


# --- the tree ------------------------------------------------------------------------------------


async def test_a_new_notebook_finds_its_folder_made_once(drive: Drive, database: Database, ada: Principal) -> None:
    async with database.write() as tx:
        first = await drive.notebooks_folder(tx, ada.user)
    async with database.write() as tx:
        assert await drive.notebooks_folder(tx, ada.user) == first
    await drive.trash(ada, first)
    async with database.write() as tx:
        assert await drive.notebooks_folder(tx, ada.user) != first


async def test_an_item_is_renamed_and_moved_together_or_not_at_all(drive: Drive, ada: Principal) -> None:
    one, two = await drive.create_folder(ada, "one", None), await drive.create_folder(ada, "two", None)
    with pytest.raises(Invalid):
        await drive.change(ada, one.id, name="a/b", move=True, parent=two.id)
    assert (await drive.sight(ada, one.id)).item == one

    changed = await drive.change(ada, one.id, name="uno", move=True, parent=two.id)

    assert (changed.name, changed.parent) == ("uno", two.id)
    assert (await drive.move(ada, one.id, None)).parent is None


async def test_a_folder_cannot_be_put_into_itself(drive: Drive, ada: Principal) -> None:
    a, b, c = await nested(drive, ada, "a", "b", "c")
    for target in (a, b, c):
        with pytest.raises(Conflict):
            await drive.move(ada, a.id, target.id)

    assert (await drive.move(ada, c.id, a.id)).parent == a.id
    assert (await drive.move(ada, b.id, c.id)).parent == c.id


async def test_only_a_folder_holds_items_and_only_its_owners(drive: Drive, ada: Principal, bob: Principal) -> None:
    file = await drive.upload(ada, "f", None, pieces(b"x"))
    folder = await drive.create_folder(ada, "F", None)
    shared = await drive.create_folder(bob, "Shared", None)
    await drive.grant(bob, shared.id, ada.email, Role.EDITOR)

    for attempt in (
        drive.move(ada, folder.id, file.id),
        drive.create_folder(ada, "x", file.id),
        drive.upload(ada, "x", file.id, pieces(b"x")),
        drive.list_folder(ada, file.id),
    ):
        with pytest.raises(Invalid):
            await attempt
    with pytest.raises(Forbidden, match="another person"):
        await drive.move(ada, folder.id, shared.id)


async def test_folders_do_not_go_down_for_ever(drive: Drive, ada: Principal) -> None:
    folders = await nested(drive, ada, *["x"] * DEPTH_MAX)
    with pytest.raises(Conflict, match="deep"):
        await drive.create_folder(ada, "one too many", folders[-1].id)
    a, _ = await nested(drive, ada, "a", "b")
    with pytest.raises(Conflict, match="deep"):
        await drive.move(ada, a.id, folders[-2].id)

    await drive.move(ada, a.id, folders[-3].id)
    assert len((await drive.sight(ada, folders[-1].id)).path) == DEPTH_MAX - 1


async def test_a_folder_holds_a_bounded_number_of_items(drive: Drive, ada: Principal) -> None:
    for _ in range(drive.settings.items_per_folder_max):
        await drive.create_folder(ada, "same name", None)

    with pytest.raises(Conflict, match="full"):
        await drive.create_folder(ada, "x", None)
    assert len({item.id for item in await drive.list_root(ada)}) == drive.settings.items_per_folder_max


async def test_the_trash_hides_and_gives_back(drive: Drive, ada: Principal, bob: Principal) -> None:
    outer, inner = await nested(drive, ada, "outer", "inner")
    file = await drive.upload(ada, "f", inner.id, pieces(b"x"))
    await drive.grant(ada, outer.id, bob.email, Role.EDITOR)
    await drive.trash(ada, outer.id)

    assert await drive.list_root(ada) == []
    assert [item.id for item in await drive.list_trash(ada)] == [outer.id]
    assert await drive.role(bob.user, file.id) is None
    assert await drive.list_shared(bob) == []
    for attempt in (drive.create_folder(ada, "x", inner.id), drive.upload(ada, "x", outer.id, pieces(b"x"))):
        with pytest.raises(Conflict, match="trash"):
            await attempt
    with pytest.raises(Conflict, match="trash"):
        await drive.move(ada, outer.id, None)

    assert await drive.restore(ada, outer.id) == outer
    assert await drive.role(bob.user, file.id) is Role.EDITOR


async def test_what_is_restored_from_under_a_trashed_folder_goes_to_the_root(drive: Drive, ada: Principal) -> None:
    outer, inner = await nested(drive, ada, "outer", "inner")
    await drive.trash(ada, inner.id)
    await drive.trash(ada, outer.id)

    restored = await drive.restore(ada, inner.id)

    assert (restored.parent, restored.trashed_at) == (None, None)


async def test_only_what_is_in_the_trash_is_deleted(drive: Drive, ada: Principal) -> None:
    folder = await drive.create_folder(ada, "F", None)
    with pytest.raises(Conflict, match="trash"):
        await drive.delete(ada, folder.id)

    await drive.trash(ada, folder.id)
    await drive.delete(ada, folder.id)
    with pytest.raises(NotFound):
        await drive.sight(ada, folder.id)


async def test_a_deleted_folder_takes_all_that_is_in_it(
    drive: Drive, database: Database, blobs: LocalBlobs, ada: Principal, bob: Principal
) -> None:
    outer, inner = await nested(drive, ada, "outer", "inner")
    inside, deeper = await notebook(drive, database, ada, outer.id), await notebook(drive, database, ada, inner.id)
    only = await drive.upload(ada, "only", inner.id, pieces(b"only here"))
    await drive.upload(ada, "twice", inner.id, pieces(b"elsewhere too"))
    other = await drive.upload(bob, "twice", None, pieces(b"elsewhere too"))
    await drive.grant(ada, inside.id, bob.email, Role.EDITOR)
    prepared: list[ItemId] = []
    deleted: list[ItemId] = []

    async def prepare(tx: AsyncConnection, notebooks: Sequence[ItemId]) -> None:
        assert (await store.read_item(tx, notebooks[0])).kind is Kind.NOTEBOOK
        prepared.extend(notebooks)

    async def after(notebooks: Sequence[ItemId]) -> None:
        assert await drive.role(ada.user, notebooks[0]) is None
        deleted.extend(notebooks)

    drive.on_delete.append(prepare)
    drive.on_deleted.append(after)
    await drive.trash(ada, outer.id)
    await drive.delete(ada, outer.id)

    assert set(prepared) == set(deleted) == {inside.id, deeper.id}
    assert other.blob is not None
    assert await kept(blobs) == {other.blob}
    assert only.blob != other.blob
    async with database.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(store.items))).scalar_one() == 1
        assert (await tx.execute(select(func.count()).select_from(sharing_store.grants))).scalar_one() == 0


async def test_a_deletion_that_cannot_be_prepared_leaves_everything(
    drive: Drive, database: Database, ada: Principal
) -> None:
    made = await notebook(drive, database, ada)
    await drive.trash(ada, made.id)

    async def fail(_tx: AsyncConnection, _notebooks: Sequence[ItemId]) -> None:
        raise Unavailable("not now")

    drive.on_delete.append(fail)
    with pytest.raises(Unavailable):
        await drive.delete(ada, made.id)
    assert [item.id for item in await drive.list_trash(ada)] == [made.id]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_two_people_do_the_tree_stays_a_tree(
    drive: Drive, database: Database, ada: Principal, bob: Principal, seed: int
) -> None:
    chance = random.Random(seed)
    ids: list[ItemId] = []
    for _ in range(120):
        who = chance.choice([ada, ada, bob])
        item = chance.choice(ids) if ids else ItemId(new_id())
        target = chance.choice([*ids, None, None])
        try:
            match chance.randrange(8):
                case 0 | 1:
                    ids.append((await drive.create_folder(who, "f", target)).id)
                case 2 | 3:
                    await drive.move(who, item, target)
                case 4:
                    await drive.trash(who, item)
                case 5:
                    await drive.restore(who, item)
                case 6:
                    await drive.grant(who, item, bob.email, chance.choice([Role.EDITOR, Role.VIEWER]))
                case 7:
                    await drive.delete(who, item)
        except CollegiumError:
            continue

    async with database.read() as tx:
        rows = {row.id: row for row in await tx.execute(select(store.items))}
    for row in rows.values():
        seen = [row]
        while seen[-1].parent is not None:
            seen.append(rows[seen[-1].parent])
            assert len(seen) <= DEPTH_MAX, f"seed {seed}: a circle"
        assert len({step.owner for step in seen}) == 1, f"seed {seed}: two owners on one way"


# --- files ---------------------------------------------------------------------------------------


async def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
    drive: Drive, blobs: LocalBlobs, ada: Principal
) -> None:
    with pytest.raises(TooLarge):
        await drive.upload(ada, "f", None, pieces(b""), announced=2 << 20)
    with pytest.raises(TooLarge):
        await drive.upload(ada, "f", None, pieces(b"x" * (2 << 20)), announced=5)

    assert await drive.list_root(ada) == []
    assert await kept(blobs) == set()


async def test_an_upload_that_breaks_leaves_nothing(drive: Drive, blobs: LocalBlobs, ada: Principal) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await drive.upload(ada, "f", None, breaking())
    assert await drive.list_root(ada) == []
    assert await kept(blobs) == set()


async def test_an_upload_whose_folder_went_away_meanwhile_leaves_nothing(
    drive: Drive, blobs: LocalBlobs, ada: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        await drive.trash(ada, folder.id)
        await drive.delete(ada, folder.id)
        yield b"second"

    with pytest.raises(NotFound):
        await drive.upload(ada, "f", folder.id, slow())
    assert await kept(blobs) == set()


async def test_an_upload_that_stops_coming_is_ended(
    database: Database, blobs: LocalBlobs, accounts: Accounts, ada: Principal
) -> None:
    drive = Drive(database, blobs, accounts, News(), DriveSettings(upload_idle_timeout=timedelta(milliseconds=50)))

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await anyio.sleep_forever()

    with pytest.raises(Unavailable):
        await drive.upload(ada, "f", None, stalled())
    assert await kept(blobs) == set()


async def test_one_user_has_a_bounded_number_of_uploads_at_once(
    database: Database, blobs: LocalBlobs, accounts: Accounts, ada: Principal, bob: Principal
) -> None:
    drive = Drive(database, blobs, accounts, News(), DriveSettings(uploads_per_user_max=2))
    going, release = anyio.Semaphore(0), anyio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield b"x"
        going.release()
        await release.wait()

    async with anyio.create_task_group() as tasks:
        for name in ("a", "b"):
            tasks.start_soon(drive.upload, ada, name, None, waiting())
            await going.acquire()
        with pytest.raises(TooMany):
            await drive.upload(ada, "c", None, pieces(b"x"))
        await drive.upload(bob, "c", None, pieces(b"x"))
        release.set()

    await drive.upload(ada, "c", None, pieces(b"x"))
    assert not drive._uploading


async def test_with_a_full_disk_uploads_are_refused_and_what_there_is_stays(
    database: Database, tmp_path_factory: pytest.TempPathFactory, accounts: Accounts, ada: Principal
) -> None:
    folder = tmp_path_factory.mktemp("blobs")
    before = await Drive(database, LocalBlobs(folder), accounts, News(), DriveSettings()).upload(
        ada, "f", None, pieces(b"x")
    )
    full = Drive(database, LocalBlobs(folder, free_bytes_min=1 << 60), accounts, News(), DriveSettings())

    with pytest.raises(StorageFull, match="What is stored is safe"):
        await full.upload(ada, "g", None, pieces(b"y"))
    assert await full.list_root(ada) == [before]
    assert [piece async for piece in full.content(before)] == [b"x"]


async def test_the_same_bytes_uploaded_and_deleted_again_and_again_are_never_lost(
    drive: Drive, ada: Principal, bob: Principal
) -> None:
    lost = 0

    async def come_and_go(who: Principal) -> None:
        nonlocal lost
        for _ in range(15):
            try:
                made = await drive.upload(who, "f", None, pieces(b"the same"))
            except Conflict:
                continue
            try:
                assert [piece async for piece in drive.content(made)] == [b"the same"]
            except NotFound:
                lost += 1
            await drive.trash(who, made.id)
            await drive.delete(who, made.id)

    async with anyio.create_task_group() as tasks:
        for who in (ada, bob, ada, bob):
            tasks.start_soon(come_and_go, who)
    assert lost == 0


async def test_bytes_that_no_item_has_are_removed_after_a_start(
    database: Database, blobs: LocalBlobs, accounts: Accounts, drive: Drive, ada: Principal
) -> None:
    made = await drive.upload(ada, "f", None, pieces(b"wanted"))
    orphan, _ = await blobs.put(b"left by a killed server")
    async with open_drive(database, blobs, accounts, News(), DriveSettings()), anyio.create_task_group():
        with anyio.fail_after(5):
            while await blobs.exists(orphan):
                await anyio.lowlevel.checkpoint()

        assert await kept(blobs) == {made.blob}


async def test_a_file_whose_bytes_are_missing_is_named_as_such_before_a_download_begins(
    drive: Drive, blobs: LocalBlobs, ada: Principal
) -> None:
    made = await drive.upload(ada, "f", None, pieces(b"x"))
    assert made.blob is not None
    await blobs.delete(made.blob)

    with pytest.raises(Unavailable, match="missing"):
        await drive.file(ada, made.id)


async def test_a_notebook_has_no_bytes_of_its_own(drive: Drive, database: Database, ada: Principal) -> None:
    made = await notebook(drive, database, ada)

    with pytest.raises(Invalid):
        await drive.file(ada, made.id)


def test_every_action_is_somebodys() -> None:
    assert set(Action) == ALLOWED[Role.OWNER]
