"""The API of groups, and of finding people and groups to share with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from collegium.accounts.groups import Groups
from collegium.accounts.model import EMAIL_LENGTH_MAX, NAME_LENGTH_MAX, Group, Principal, User, color_of
from collegium.accounts.service import signed_in, signed_in_admin
from collegium.ground.ids import GroupId

Who = Annotated[Principal, Depends(signed_in)]
Admin = Annotated[Principal, Depends(signed_in_admin)]
Id = Annotated[str, Field(max_length=64)]


class PersonNamed(BaseModel):
    """Somebody who has an account here."""

    id: str
    name: str
    email: str
    color: str


class GroupShown(BaseModel):
    """A group, and how many are in it."""

    id: str
    name: str
    size: int


class GroupWithMembers(BaseModel):
    """A group, and who is in it."""

    id: str
    name: str
    members: list[PersonNamed]


class GroupRequest(BaseModel):
    """What a group shall be called."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]


class MemberNamed(BaseModel):
    """Who is put into a group, or taken out of it."""

    email: Annotated[str, Field(min_length=1, max_length=EMAIL_LENGTH_MAX)]


class FoundShown(BaseModel):
    """A few people and groups with a name like that; none if too little of it was typed."""

    people: list[PersonNamed]
    groups: list[GroupShown]


def routes(groups: Groups) -> APIRouter:
    """Everything about groups, relative to /api/v1."""
    router = APIRouter(tags=["groups"])

    @router.get("/people", response_model=FoundShown, summary="People and groups whose name begins so")
    async def find_people(who: Who, query: Annotated[str, Query(max_length=EMAIL_LENGTH_MAX)]) -> FoundShown:
        found = await groups.find(query)
        return FoundShown(
            people=[person_named(user) for user in found.people], groups=[group_shown(one) for one in found.groups]
        )

    @router.get("/groups", response_model=list[GroupShown], summary="One's groups; for an administrator, all")
    async def list_groups(who: Who) -> list[GroupShown]:
        return [group_shown(group) for group in (await groups.all() if who.admin else await groups.of(who))]

    @router.post("/groups", status_code=201, response_model=GroupShown, summary="Make a group")
    async def create_group(body: GroupRequest, who: Admin) -> GroupShown:
        return group_shown(await groups.create(who, body.name))

    @router.get("/groups/{group}", response_model=GroupWithMembers, summary="Who is in a group")
    async def read_group(group: Id, who: Who) -> GroupWithMembers:
        found, members = await groups.group(who, GroupId(group))
        return GroupWithMembers(id=found.id, name=found.name, members=[person_named(user) for user in members])

    @router.patch("/groups/{group}", response_model=GroupShown, summary="Rename a group")
    async def rename_group(group: Id, body: GroupRequest, who: Admin) -> GroupShown:
        return group_shown(await groups.rename(who, GroupId(group), body.name))

    @router.delete("/groups/{group}", status_code=204, summary="Delete a group, and what it was given")
    async def delete_group(group: Id, who: Admin) -> None:
        await groups.delete(who, GroupId(group))

    @router.put("/groups/{group}/members", status_code=204, summary="Put somebody into a group")
    async def put_member(group: Id, body: MemberNamed, who: Admin) -> None:
        await groups.add(who, GroupId(group), body.email)

    @router.delete("/groups/{group}/members", status_code=204, summary="Take somebody out of a group")
    async def delete_member(group: Id, body: MemberNamed, who: Admin) -> None:
        await groups.remove(who, GroupId(group), body.email)

    return router


def person_named(user: User) -> PersonNamed:
    """Somebody as others see them."""
    return PersonNamed(id=user.id, name=user.name, email=user.email, color=color_of(user.id))


def group_shown(group: Group) -> GroupShown:
    """A group as everybody sees it."""
    return GroupShown(id=group.id, name=group.name, size=group.size)
