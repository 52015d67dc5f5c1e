"""Playgrounds: who gets one, of what, and how long it stays."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from collegium.accounts.model import Action, Principal, Role
from collegium.app import House
from collegium.drive.model import Item
from collegium.drive.settings import DriveSettings
from collegium.ground.clock import now_ms
from collegium.ground.errors import Conflict, NotFound, QuotaExceeded
from collegium.ground.ids import CellId, ItemId, KernelId, NotebookId, RuntimeId
from collegium.sessions import store as session_store
from collegium.sessions.model import Binding
from drive.house import edit, ipynb, notebook, opened, outputs, printed, somebody, sources

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    settings = DriveSettings(quota=30_000, playground_lifetime=timedelta(hours=24))  # type: ignore[arg-type]
    async with opened(tmp_path / "data", database_url, settings) as house:
        yield house


@pytest.fixture
async def ada(house: House) -> Principal:
    return await somebody(house, "Ada")


@pytest.fixture
async def bob(house: House) -> Principal:
    return await somebody(house, "Bob")


@pytest.fixture
async def lesson(house: House, ada: Principal, bob: Principal) -> ItemId:
    """A notebook of Ada's that Bob may look at."""
    file = ipynb({"a": "print('lesson')"}, outputs={"a": printed("lesson")})
    item = ItemId(await notebook(house, ada, "lesson.ipynb", file))
    await house.drive.grant(ada, item, bob.email, Role.VIEWER)
    return item


async def test_a_viewer_gets_a_notebook_of_their_own_to_run_and_change(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    await edit(house, made.id, "a", "print('mine')")

    await house.drive.authorize(bob, made.id, Action.RUN)
    assert await sources(house, lesson) == {"a": "print('lesson')"}
    assert await sources(house, made.id) == {"a": "print('mine')"}
    assert (await outputs(house, made.id))[CellId("a")].outputs == printed("lesson")
    with pytest.raises(NotFound):
        await house.drive.sight(ada, made.id)


async def test_there_is_one_of_each_notebook_for_each_person_however_often_it_is_asked_for(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    made: list[Item] = []

    async def ask(who: Principal) -> None:
        made.append(await house.playgrounds.open(who, lesson))

    async with anyio.create_task_group() as tasks:
        for who in (ada, bob, bob, bob):
            tasks.start_soon(ask, who)

    assert len({item.id for item in made if item.owner == bob.user}) == 1
    assert len({item.id for item in made}) == 2


async def test_a_playground_is_listed_nowhere_and_counts_for_nothing(
    house: House, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    await house.shelves.note_opening(bob, made.id)

    assert await house.drive.list_root(bob) == []
    assert await house.shelves.recent(bob) == []
    assert [found.sight.item.id for found in await house.search.find(bob, "lesson")] == [lesson]
    assert (await house.drive.usage(bob)).used == 0


async def test_a_saved_playground_is_an_ordinary_notebook_and_the_next_one_begins_anew(
    house: House, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    await edit(house, made.id, "a", "print('kept')")

    saved = await house.playgrounds.save(bob, made.id)

    assert (saved.name, saved.playground_of, saved.id) == ("Copy of lesson.ipynb", None, made.id)
    (folder,) = await house.drive.list_root(bob)
    assert [item.id for item, _ in (await house.drive.list_folder(bob, folder.id))[1]] == [made.id]
    with pytest.raises(NotFound):
        await house.playgrounds.save(bob, made.id)
    with pytest.raises(NotFound):
        await house.playgrounds.discard(bob, made.id)
    again = await house.playgrounds.open(bob, lesson)
    assert await sources(house, again.id) == {"a": "print('lesson')"}


async def test_a_playground_that_does_not_fit_is_not_saved_and_stays(
    house: House, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    async with house.database.write() as tx:
        await house.drive.measured(tx, made.id, 40_000)

    with pytest.raises(QuotaExceeded):
        await house.playgrounds.save(bob, made.id)
    assert await sources(house, made.id) == {"a": "print('lesson')"}


async def test_only_its_owner_can_save_or_discard_it(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)

    for attempt in (house.playgrounds.save(ada, made.id), house.playgrounds.discard(ada, made.id)):
        with pytest.raises(NotFound):
            await attempt
    await house.playgrounds.discard(bob, made.id)
    with pytest.raises(NotFound):
        await house.drive.sight(bob, made.id)
    with pytest.raises(NotFound):
        await sources(house, made.id)


async def test_it_cannot_be_shared_moved_or_put_into_the_trash(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)

    for attempt in (
        house.drive.grant(bob, made.id, ada.email, Role.VIEWER),
        house.drive.move(bob, made.id, None),
        house.drive.trash(bob, made.id),
    ):
        with pytest.raises(Conflict):
            await attempt
    await house.playgrounds.discard(bob, made.id)


async def test_there_is_none_of_what_one_may_not_read_of_folders_and_of_playgrounds(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    private = ItemId(await notebook(house, ada, "private.ipynb"))
    folder = await house.drive.create_folder(bob, "F", None)
    made = await house.playgrounds.open(bob, lesson)

    for item in (private, folder.id, ItemId("nothing")):
        with pytest.raises(NotFound):
            await house.playgrounds.open(bob, item)
    with pytest.raises(Conflict):
        await house.playgrounds.open(bob, made.id)


async def test_losing_the_original_brings_nothing_new_and_deleting_it_leaves_the_playground(
    house: House, ada: Principal, bob: Principal, lesson: ItemId
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    await house.drive.revoke(ada, lesson, bob.email)
    await edit(house, lesson, "a", "secret")
    with pytest.raises(NotFound):
        await house.playgrounds.open(bob, lesson)
    await house.drive.trash(ada, lesson)
    await house.drive.delete(ada, lesson)

    assert await sources(house, made.id) == {"a": "print('lesson')"}
    assert (await house.playgrounds.save(bob, made.id)).name == "Copy of lesson.ipynb"


async def test_one_that_nobody_came_back_to_goes_unless_a_runtime_of_it_lives(
    house: House, bob: Principal, lesson: ItemId, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await house.playgrounds.open(bob, lesson)
    binding = Binding(
        notebook=NotebookId(made.id),
        user=bob.user,
        runtime=RuntimeId("r"),
        kernel=KernelId("k"),
        kernel_name="python3",
        kernel_language="python",
    )
    async with house.database.write() as tx:
        await session_store.write_binding(tx, binding, now_ms())

    async def after(hours: float) -> int:
        at = now_ms() + int(hours * 3_600_000)
        monkeypatch.setattr("collegium.drive.playgrounds.now_ms", lambda: at)
        gone = await house.playgrounds.let_go()
        monkeypatch.undo()
        return gone

    assert await after(23.9) == 0
    assert await after(24.1) == 0
    async with house.database.write() as tx:
        await session_store.delete_binding(tx, NotebookId(made.id))
    await house.shelves.note_opening(bob, made.id)
    assert await after(23.9) == 0
    assert await after(24.1) == 1
    with pytest.raises(NotFound):
        await house.drive.sight(bob, made.id)
