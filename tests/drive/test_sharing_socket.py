"""Whoever loses a role feels it in tabs that are open, however they lose it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from collegium.accounts.groups import Groups
from collegium.accounts.model import Principal, Role
from collegium.drive.model import Audience, Kind
from collegium.ground.clock import now_ms
from collegium.ground.ids import GroupId, ItemId, NotebookId
from rooms.house import House, open_house
from rooms.tab import dialled, joined

pytestmark = pytest.mark.anyio

SECONDS_MAX = 10
"""A second is promised; a machine that does much else is given more."""


@dataclass
class World:
    """Ada's notebook in a folder of hers, and Bob, whom it is shared with in one way or another."""

    house: House
    groups: Groups
    ada: Principal
    root: Principal
    bob: Principal
    folder: ItemId
    item: ItemId
    group: GroupId


Step = Callable[[World], Awaitable[object]]

grant: Step = lambda w: w.house.drive.grant(w.ada, w.item, w.bob.email, Role.EDITOR)  # noqa: E731
grant_folder: Step = lambda w: w.house.drive.grant(w.ada, w.folder, w.bob.email, Role.EDITOR)  # noqa: E731
to_group: Step = lambda w: w.house.drive.grant_group(w.ada, w.folder, w.group, Role.EDITOR)  # noqa: E731
by_link: Step = lambda w: w.house.drive.set_link(w.ada, w.folder, Audience.ANYONE, Role.EDITOR)  # noqa: E731
soon: Step = lambda w: w.house.drive.grant(  # noqa: E731
    w.ada, w.item, w.bob.email, Role.EDITOR, expires_at=now_ms() + 1000
)
link_soon: Step = lambda w: w.house.drive.set_link(  # noqa: E731
    w.ada, w.folder, Audience.ANYONE, Role.EDITOR, expires_at=now_ms() + 1000
)

GONE: dict[str, tuple[Step, Step | None]] = {
    "a grant taken back": (grant, lambda w: w.house.drive.revoke(w.ada, w.item, w.bob.email)),
    "a grant given up": (grant, lambda w: w.house.drive.revoke(w.bob, w.item, w.bob.email)),
    "a group left": (to_group, lambda w: w.groups.remove(w.root, w.group, w.bob.email)),
    "a group deleted": (to_group, lambda w: w.groups.delete(w.root, w.group)),
    "a group's grant taken back": (to_group, lambda w: w.house.drive.revoke_group(w.ada, w.folder, w.group)),
    "a link restricted": (
        by_link,
        lambda w: w.house.drive.set_link(w.ada, w.folder, Audience.RESTRICTED, Role.VIEWER),
    ),
    "moved out of the folder": (grant_folder, lambda w: w.house.drive.move(w.ada, w.item, None)),
    "given to somebody else": (grant_folder, lambda w: w.house.drive.transfer(w.ada, w.item, w.root.email)),
    "the folder in the trash": (grant_folder, lambda w: w.house.drive.trash(w.ada, w.folder)),
    "a grant expired": (soon, None),
    "a link expired": (link_soon, None),
}
LESS: dict[str, tuple[Step, Step]] = {
    "a viewer now": (grant, lambda w: w.house.drive.grant(w.ada, w.item, w.bob.email, Role.VIEWER)),
    "a group of viewers": (to_group, lambda w: w.house.drive.grant_group(w.ada, w.folder, w.group, Role.VIEWER)),
    "a link to read": (by_link, lambda w: w.house.drive.set_link(w.ada, w.folder, Audience.SIGNED_IN, Role.VIEWER)),
}


async def test_every_way_to_lose_a_role_is_felt_in_open_tabs(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, url=database_url) as house:
        groups = Groups(house.database, house.accounts, house.drive._news)
        groups.on_delete.append(house.drive.forget_group)
        ada, _ = await house.person("Ada")
        bob, secret = await house.person("Bob")
        await house.accounts.create_user("root@example.org", "Root", "correct horse", admin=True)
        root = await house.accounts.principal_by_token(await house.accounts.create_token("root@example.org", "t"))
        assert root is not None

        async def world() -> World:
            folder = (await house.drive.create_folder(ada, "F", None)).id
            item = ItemId(await house.notebook(ada, "x = 1"))
            await house.drive.move(ada, item, folder)
            assert (await house.drive.sight(ada, item)).item.kind is Kind.NOTEBOOK
            group = (await groups.create(root, f"G {item}")).id
            await groups.add(root, group, bob.email)
            return World(house, groups, ada, root, bob, folder, item, group)

        for name, (give, take) in (GONE | LESS).items():
            here = await world()
            await give(here)
            async with joined(house.port, NotebookId(here.item), secret) as tab:
                assert tab.welcome["role"] == "editor", name
                began = time.monotonic()
                if take is not None:
                    await take(here)
                await tab.until(lambda tab: tab.closed or tab.of_type("role"), seconds=SECONDS_MAX)
                print(f"{name}: {time.monotonic() - began:.3f} s")
                if name in LESS:
                    assert tab.of_type("role")[-1]["may"] == ["read"], name
                else:
                    assert tab.closed == (4403, "The notebook is not shared with you any more."), name


async def test_a_guest_is_told_when_a_link_closes_and_the_limit_of_guests_leaves_others_alone(
    tmp_path: Path, database_url: str
) -> None:
    async with open_house(tmp_path, url=database_url) as house:
        ada, secret = await house.person("Ada")
        item = ItemId(await house.notebook(ada, "x = 1"))
        await house.drive.set_link(ada, item, Audience.ANYONE, Role.EDITOR)
        object.__setattr__(house.rooms.settings, "guests_max", 1)
        async with joined(house.port, NotebookId(item), None) as guest:
            assert (guest.welcome["role"], guest.source("c0")) == ("viewer", "x = 1")
            async with dialled(house.port, NotebookId(item), None) as second:
                await second.hello()
                await second.read()
                assert second.closed is not None
                assert second.closed[0] == 4429
            async with joined(house.port, NotebookId(item), secret) as owner:
                assert owner.welcome["role"] == "owner"
            await house.drive.set_link(ada, item, Audience.RESTRICTED, Role.VIEWER)
            await guest.until(lambda tab: tab.closed, seconds=SECONDS_MAX)
            assert guest.closed == (4403, "The notebook is not open to everybody any more.")
