"""Groups: who may make and fill them, who sees what of them, and finding people by how their names begin."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from collegium.accounts.groups import GROUPS, Groups, open_groups
from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Forbidden, Invalid, NotFound
from collegium.ground.ids import GroupId, TokenId, new_id
from collegium.ground.news import News

pytestmark = pytest.mark.anyio


class World:
    """Groups, and people who are in them or not."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self.accounts = accounts
        self.news = News()
        self.groups = Groups(database, self.accounts, self.news)

    async def person(self, name: str, email: str, *, admin: bool = False) -> Principal:
        user = await self.accounts.create_user(email, name, "correct horse", admin=admin)
        return Principal(user.id, user.name, user.email, user.admin, token=TokenId(new_id()))


@pytest.fixture
async def world(database: Database, accounts: Accounts) -> World:
    return World(database, accounts)


async def test_only_administrators_make_and_fill_groups(world: World) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    ada, eve = await world.person("Ada", "ada@example.org"), await world.person("Eve", "eve@example.org")
    physics = await world.groups.create(root, " Physics ")
    await world.groups.add(root, physics.id, "ADA@example.org")
    await world.groups.add(root, physics.id, ada.email)
    for attempt in (
        world.groups.create(ada, "Mine"),
        world.groups.rename(ada, physics.id, "Mine"),
        world.groups.delete(ada, physics.id),
        world.groups.add(ada, physics.id, eve.email),
        world.groups.remove(ada, physics.id, ada.email),
    ):
        with pytest.raises(Forbidden):
            await attempt

    assert [(group.name, group.size) for group in await world.groups.of(ada)] == [("Physics", 1)]
    assert [user.name for user in (await world.groups.group(ada, physics.id))[1]] == ["Ada"]
    assert await world.groups.of(eve) == []
    for unknown in (physics.id, GroupId(new_id())):
        with pytest.raises(NotFound, match="or you are not in it"):
            await world.groups.group(eve, unknown)
    with pytest.raises(NotFound):
        await world.groups.add(root, GroupId(new_id()), ada.email)
    with pytest.raises(NotFound):
        await world.groups.remove(root, physics.id, eve.email)


async def test_names_of_groups_are_unique_and_printable(world: World) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    physics = await world.groups.create(root, "Physics")
    other = await world.groups.create(root, "Chemistry")
    with pytest.raises(Conflict):
        await world.groups.create(root, "PHYSICS")
    with pytest.raises(Conflict):
        await world.groups.rename(root, other.id, "physics")
    for name in ("", "a\nb", "x" * 101, "\u202egnp"):
        with pytest.raises(Invalid):
            await world.groups.create(root, name)

    assert (await world.groups.rename(root, physics.id, "PHYSICS")).name == "PHYSICS"


async def test_a_change_of_a_group_is_told_and_removed_people_are_not_in_it(world: World) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    ada = await world.person("Ada", "ada@example.org")
    physics = await world.groups.create(root, "Physics")
    heard: list[str] = []
    with world.news.listening(GROUPS, lambda news: heard.append(news["group"])):
        await world.groups.add(root, physics.id, ada.email)
        await world.groups.remove(root, physics.id, ada.email)
        await world.groups.add(root, physics.id, ada.email)
        await world.accounts.remove_user(ada.email)
        assert (await world.groups.group(root, physics.id))[1] == []
        assert [group.size for group in await world.groups.all()] == [0]
        await world.groups.delete(root, physics.id)

    assert heard == [physics.id] * 4
    assert await world.groups.all() == []


async def test_who_types_enough_finds_people_and_groups_and_never_the_directory(world: World) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    await world.person("Ada Lovelace", "ada@example.org")
    await world.person("Émile Zola", "zola@example.org")
    await world.person("100% Sure_", "sure@example.org")
    for number in range(12):
        await world.person(f"Many {number}", f"many{number}@example.org")
    await world.groups.create(root, "Lovely people")

    async def found(text: str) -> list[str]:
        both = await world.groups.find(text)
        return [user.name for user in both.people] + [group.name for group in both.groups]

    assert await found("lov") == ["Ada Lovelace", "Lovely people"]
    assert await found("ADA@ex") == ["Ada Lovelace"]
    assert await found("émi") == ["Émile Zola"]
    assert len(await found("many")) == 8
    for nothing in ("", "ad", "  a ", "%%%", "___", "ada_", "velace", "example"):
        assert await found(nothing) == []
    assert await found("100%") == ["100% Sure_"]
    await world.accounts.remove_user("ada@example.org")
    assert await found("lov") == ["Lovely people"]


async def test_what_another_process_changed_is_told_of_the_groups_that_it_concerns(
    world: World, database: Database
) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    ada = await world.person("Ada", "ada@example.org")
    physics, other = [await world.groups.create(root, name) for name in ("Physics", "Other")]
    await world.groups.add(root, other.id, ada.email)
    await world.groups.add(root, physics.id, root.email)
    quick = world.accounts.settings.model_copy(update={"watch_interval": timedelta(milliseconds=10)})
    world.accounts.settings = quick
    heard, news = [], News()
    changed = anyio.Event()

    def note(fields: dict[str, Any]) -> None:
        heard.append(fields["group"])
        changed.set()

    async with open_groups(database, world.accounts, news):
        with news.listening(GROUPS, note):
            for change in (world.groups.add, world.groups.remove):
                changed = anyio.Event()
                await change(root, physics.id, ada.email)
                with anyio.fail_after(10):
                    await changed.wait()

    assert heard == [physics.id, physics.id]


async def test_a_group_is_found_by_its_name_however_it_is_written(world: World) -> None:
    root = await world.person("Root", "root@example.org", admin=True)
    physics = await world.groups.create(root, "Physics")

    assert (await world.groups.named(" physics ")).id == physics.id
    with pytest.raises(NotFound):
        await world.groups.named("Chemistry")
