"""What is shared with a group is told to those in it to whom it is news, in the page and by mail."""

from dataclasses import replace
from typing import Any

import pytest

from collegium.ground.ids import ItemId, new_id
from comments.site import Site, address_of

pytestmark = pytest.mark.anyio


async def group_of(site: Site, *names: str) -> str:
    """A new group of these people."""
    root = replace(site.people["Ada"], admin=True)
    group = await site.house.groups.create(root, f"Physics {new_id()}")
    for name in names:
        await site.house.groups.add(root, group.id, address_of(name))
    return group.id


async def give(site: Site, item: str, role: str, *, who: str = "Ada", **to: Any) -> None:
    body = {"role": role, **to}
    (await site.clients[who].put(f"/drive/items/{item}/grants", json=body)).raise_for_status()


async def folder(site: Site, owner: str = "Ada") -> ItemId:
    return (await site.house.drive.create_folder(site.people[owner], f"Course {new_id()}", None)).id


async def test_the_group_is_told_but_not_who_did_it_nor_the_owner(site: Site) -> None:
    group = await group_of(site, "Ada", "Ed", "Eve")
    await give(site, site.notebook, "viewer", group=group)
    await give(site, site.notebook, "commenter", group=group)

    assert await site.told("Eve") == [("shared", "As viewer")]
    assert await site.told("Ada") == []
    page = (await site.clients["Eve"].get("/me/notifications")).json()
    (one,) = page["notifications"]
    assert (one["by"]["name"], one["item_name"]) == ("Ada", "lesson.ipynb")
    assert one["place"] == f"/notebooks/{site.notebook}"


async def test_who_had_as_much_already_is_not_told_and_who_had_less_is(site: Site) -> None:
    await give(site, site.notebook, "commenter", group=await group_of(site, "Ed", "Cleo", "Vi", "Eve"))

    told = {name: len(await site.told(name)) for name in ("Ed", "Cleo", "Vi", "Eve")}
    assert told == {"Ed": 0, "Cleo": 0, "Vi": 1, "Eve": 1}


async def test_what_one_has_by_a_folder_or_by_another_group_counts_too(site: Site) -> None:
    outer = await folder(site)
    inner = (await site.house.drive.create_folder(site.people["Ada"], "inner", outer)).id
    await give(site, outer, "editor", email=address_of("Eve"))
    await give(site, outer, "editor", group=await group_of(site, "Vi"))
    before = {name: await site.told(name) for name in ("Eve", "Vi", "Ed")}
    await give(site, inner, "viewer", group=await group_of(site, "Eve", "Vi", "Ed"))
    await give(site, inner, "viewer", email=address_of("Vi"))

    after = {name: await site.told(name) for name in before}
    assert {name: len(after[name]) - len(before[name]) for name in before} == {"Eve": 0, "Vi": 0, "Ed": 1}


async def test_the_address_alone_gives_nobody_as_much_for_they_were_not_told_of_it(site: Site) -> None:
    item = await folder(site)
    link = {"audience": "signed_in", "role": "editor"}
    (await site.clients["Ada"].put(f"/drive/items/{item}/link", json=link)).raise_for_status()
    await give(site, item, "viewer", group=await group_of(site, "Eve"))

    assert await site.told("Eve") == [("shared", "As viewer")]


async def test_a_large_group_is_told_in_several_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collegium.notifications.service.TOLD_AT_ONCE", 3)
    item = await folder(site)
    await give(site, item, "viewer", group=await group_of(site, "Cleo", "Ed", "Eve", "Vi"))

    assert [await site.told(name) for name in ("Cleo", "Ed", "Eve", "Vi")] == [[("shared", "As viewer")]] * 4
