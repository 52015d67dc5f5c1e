"""Groups, links, expiry and giving away: who may do what then, and who learns of it."""

import anyio
import pytest

from collegium.accounts.groups import Groups
from collegium.accounts.model import GUEST, Action, Principal, Role
from collegium.accounts.service import Accounts
from collegium.drive.model import Audience
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Forbidden, Invalid, NotFound, NotSignedIn, TooMany
from collegium.ground.ids import GroupId, ItemId, new_id

from .conftest import somebody

pytestmark = pytest.mark.anyio

FAR = 4_000_000_000_000


@pytest.fixture
async def root(accounts: Accounts) -> Principal:
    """An administrator."""
    return await somebody(accounts, "Root", admin=True)


@pytest.fixture
def groups(database: Database, accounts: Accounts, drive: Drive) -> Groups:
    made = Groups(database, accounts, drive._news)
    made.on_delete.append(drive.forget_group)
    return made


async def folder_in(drive: Drive, owner: Principal, name: str, parent: ItemId | None = None) -> ItemId:
    return (await drive.create_folder(owner, name, parent)).id


async def test_a_group_has_its_role_for_as_long_as_one_is_in_it(
    drive: Drive, groups: Groups, root: Principal, ada: Principal, bob: Principal
) -> None:
    outer = await folder_in(drive, ada, "outer")
    inner = await folder_in(drive, ada, "inner", outer)
    physics = await groups.create(root, "Physics")
    await drive.grant_group(ada, outer, physics.id, Role.COMMENTER)
    assert await drive.role(bob.user, inner) is None

    await groups.add(root, physics.id, bob.email)
    assert await drive.role(bob.user, inner) is Role.COMMENTER
    assert [sight.item.id for sight in await drive.list_shared(bob)] == [outer]
    await drive.grant(ada, inner, bob.email, Role.EDITOR)
    assert await drive.role(bob.user, inner) is Role.EDITOR
    assert [role for _, role in (await drive.list_folder(bob, outer))[1]] == [Role.EDITOR]
    await drive.revoke(ada, inner, bob.email)

    await groups.remove(root, physics.id, bob.email)
    assert await drive.role(bob.user, inner) is None
    await groups.add(root, physics.id, bob.email)
    await groups.delete(root, physics.id)
    assert await drive.role(bob.user, inner) is None
    with pytest.raises(NotFound):
        await drive.grant_group(ada, outer, physics.id, Role.VIEWER)
    with pytest.raises(NotFound):
        await drive.grant_group(ada, outer, GroupId(new_id()), Role.VIEWER)


async def test_a_link_gives_what_it_says_and_guests_only_ever_read(
    drive: Drive, ada: Principal, bob: Principal
) -> None:
    outer = await folder_in(drive, ada, "outer")
    inner = await folder_in(drive, ada, "inner", outer)

    await drive.set_link(ada, outer, Audience.SIGNED_IN, Role.EDITOR)
    assert (await drive.sight(bob, inner)).role is Role.EDITOR
    assert await drive.list_shared(bob) == []
    with pytest.raises(NotSignedIn):
        await drive.sight(GUEST, inner)

    await drive.set_link(ada, outer, Audience.ANYONE, Role.EDITOR)
    assert (await drive.sight(GUEST, inner)).role is Role.VIEWER
    for action in Action:
        if action is not Action.READ:
            with pytest.raises(Forbidden):
                await drive.authorize(GUEST, inner, action)

    await drive.trash(ada, inner)
    with pytest.raises(NotSignedIn):
        await drive.sight(GUEST, inner)
    with pytest.raises(NotFound):
        await drive.sight(bob, inner)
    await drive.restore(ada, inner)
    await drive.set_link(ada, outer, Audience.RESTRICTED, Role.EDITOR)
    assert await drive.role(bob.user, inner) is None


async def test_what_moves_out_of_a_shared_folder_is_not_shared_any_more(
    drive: Drive, ada: Principal, bob: Principal
) -> None:
    shared = await folder_in(drive, ada, "shared")
    inside = await folder_in(drive, ada, "inside", shared)
    await drive.set_link(ada, shared, Audience.ANYONE, Role.VIEWER)
    await drive.grant(ada, shared, bob.email, Role.EDITOR)
    with pytest.raises(Forbidden):
        await drive.move(bob, inside, None)

    await drive.move(ada, inside, None)

    assert await drive.role(bob.user, inside) is None
    with pytest.raises(NotSignedIn):
        await drive.sight(GUEST, inside)


async def test_what_has_expired_gives_nothing_and_is_not_shown(
    drive: Drive, groups: Groups, root: Principal, ada: Principal, bob: Principal
) -> None:
    item = await folder_in(drive, ada, "F")
    physics = await groups.create(root, "Physics")
    await groups.add(root, physics.id, bob.email)
    soon = now_ms() + 2_000
    await drive.grant(ada, item, bob.email, Role.EDITOR, expires_at=soon)
    await drive.grant_group(ada, item, physics.id, Role.EDITOR, expires_at=soon)
    await drive.set_link(ada, item, Audience.ANYONE, Role.EDITOR, expires_at=soon)

    async with drive.watch_roles(item) as changes:
        assert await drive.role(bob.user, item) is Role.EDITOR
        with anyio.fail_after(10):
            while await drive.role(bob.user, item) is not None:
                await anext(changes)

    assert now_ms() >= soon
    shared = await drive.shared(ada, item)
    assert (shared.people, shared.groups, shared.links) == ([], [], [])
    with pytest.raises(NotSignedIn):
        await drive.sight(GUEST, item)
    with pytest.raises(Invalid):
        await drive.grant(ada, item, bob.email, Role.EDITOR, expires_at=soon)


async def test_those_who_watch_learn_of_groups_links_and_new_owners(
    drive: Drive, groups: Groups, root: Principal, ada: Principal, bob: Principal
) -> None:
    outer = await folder_in(drive, ada, "outer")
    inner = await folder_in(drive, ada, "inner", outer)
    physics = await groups.create(root, "Physics")
    async with drive.watch_roles(inner) as changes:

        async def told(expected: Role | None) -> None:
            with anyio.fail_after(5):
                await anext(changes)
            assert await drive.role(bob.user, inner) is expected

        await drive.grant_group(ada, outer, physics.id, Role.VIEWER)
        await told(None)
        await groups.add(root, physics.id, bob.email)
        await told(Role.VIEWER)
        await groups.remove(root, physics.id, bob.email)
        await told(None)
        await drive.set_link(ada, outer, Audience.SIGNED_IN, Role.COMMENTER)
        await told(Role.COMMENTER)
        await drive.transfer(ada, inner, bob.email)
        await told(Role.OWNER)
        await drive.rename(bob, inner, "mine")
        await told(Role.OWNER)
        await drive.grant(bob, inner, root.email, Role.VIEWER)
        await told(Role.OWNER)


async def test_a_new_owner_has_it_all_and_the_former_one_is_an_editor(
    drive: Drive, accounts: Accounts, ada: Principal, bob: Principal
) -> None:
    cat = await somebody(accounts, "Cat")
    outer = await folder_in(drive, ada, "outer")
    item = await folder_in(drive, ada, "item", outer)
    deep = await folder_in(drive, ada, "deep", item)
    await drive.grant(ada, outer, cat.email, Role.EDITOR)
    await drive.grant(ada, item, cat.email, Role.VIEWER)
    await drive.grant(ada, item, bob.email, Role.EDITOR)
    await drive.set_link(ada, item, Audience.SIGNED_IN, Role.VIEWER)
    for other in (bob, cat):
        with pytest.raises(Forbidden):
            await drive.transfer(other, item, other.email)

    given = await drive.transfer(ada, item, bob.email)

    assert (given.owner, given.parent) == (bob.user, None)
    assert [one.id for one in await drive.list_root(bob)] == [item]
    assert await drive.role(bob.user, deep) is Role.OWNER
    assert await drive.role(ada.user, deep) is Role.EDITOR
    assert await drive.role(cat.user, deep) is Role.VIEWER  # not by the folder of the former owner any more
    shared = await drive.shared(bob, item)
    assert [(one.user.id, one.role) for one in shared.people] == [(cat.user, Role.VIEWER), (ada.user, Role.EDITOR)]
    assert [one.link.audience for one in shared.links] == [Audience.SIGNED_IN]
    for trick in (drive.transfer(ada, item, ada.email), drive.set_link(ada, item, Audience.ANYONE, Role.EDITOR)):
        with pytest.raises(Forbidden):
            await trick
    await drive.revoke(bob, item, ada.email)
    assert await drive.role(ada.user, deep) is Role.VIEWER  # by the link, as anybody's


async def test_what_cannot_be_given_away_stays(
    drive: Drive, accounts: Accounts, ada: Principal, bob: Principal
) -> None:
    folder = await folder_in(drive, ada, "F")
    inside = await folder_in(drive, ada, "G", folder)
    gone = await somebody(accounts, "Gone")
    await accounts.remove_user(gone.email)
    with pytest.raises(NotFound):
        await drive.transfer(ada, inside, gone.email)
    with pytest.raises(Conflict):
        await drive.transfer(ada, inside, ada.email)
    await drive.trash(ada, folder)
    with pytest.raises(Conflict):
        await drive.transfer(ada, inside, bob.email)

    assert await drive.role(ada.user, inside) is Role.OWNER


async def test_who_may_not_write_learns_of_nobody_else(
    drive: Drive, groups: Groups, root: Principal, accounts: Accounts, ada: Principal, bob: Principal
) -> None:
    cat = await somebody(accounts, "Cat")
    secret = await folder_in(drive, ada, "secret project")
    item = await folder_in(drive, ada, "item", secret)
    physics = await groups.create(root, "Physics")
    await drive.grant(ada, secret, cat.email, Role.EDITOR)
    await drive.grant_group(ada, item, physics.id, Role.VIEWER)
    await drive.grant(ada, item, bob.email, Role.VIEWER)

    reduced = await drive.shared(bob, item)
    assert ([one.user.id for one in reduced.people], reduced.groups, reduced.complete) == ([bob.user], [], False)
    await drive.grant(ada, item, bob.email, Role.EDITOR)
    whole = await drive.shared(bob, item)
    assert {(one.user.id, one.inherited, one.source) for one in whole.people} == {
        (cat.user, True, None),  # the folder's name is not for Bob, who may not see it
        (bob.user, False, None),
    }
    assert [one.group.name for one in whole.groups] == ["Physics"]
    named = next(one for one in (await drive.shared(ada, item)).people if one.inherited)
    assert named.source is not None
    assert named.source.name == "secret project"


async def test_an_editor_shares_nothing_and_who_guesses_addresses_is_stopped(
    drive: Drive, groups: Groups, root: Principal, ada: Principal, bob: Principal
) -> None:
    item = await folder_in(drive, ada, "item")
    physics = await groups.create(root, "Physics")
    await drive.grant(ada, item, bob.email, Role.EDITOR)
    for attempt in (
        drive.grant(bob, item, root.email, Role.VIEWER),
        drive.grant(bob, item, "nobody@example.org", Role.VIEWER),
        drive.revoke(bob, item, ada.email),
        drive.grant_group(bob, item, physics.id, Role.VIEWER),
        drive.revoke_group(bob, item, physics.id),
        drive.set_link(bob, item, Audience.ANYONE, Role.VIEWER),
        drive.set_link(bob, item, Audience.RESTRICTED, Role.VIEWER),
        drive.transfer(bob, item, bob.email),
    ):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(Invalid):
        await drive.set_link(ada, item, Audience.ANYONE, Role.OWNER)
    for number in range(30):
        with pytest.raises(NotFound):
            await drive.grant(ada, item, f"guess{number}@example.org", Role.VIEWER)
    with pytest.raises(TooMany):
        await drive.transfer(ada, item, "guess@example.org")
