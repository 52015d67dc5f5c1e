"""The API of sharing: who may see an item, what is given to whom, what its link gives, and giving it away."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, model_validator

from collegium.accounts.groups_routes import GroupShown, group_shown
from collegium.accounts.model import EMAIL_LENGTH_MAX, Principal, Role, color_of
from collegium.accounts.service import signed_in
from collegium.drive.model import Audience, Item
from collegium.drive.service import Drive
from collegium.drive.sharing import Access, Shared
from collegium.ground.ids import GroupId, ItemId

Signed = Annotated[Principal, Depends(signed_in)]
Id = Annotated[str, Field(max_length=64)]
Email = Annotated[str, Field(min_length=1, max_length=EMAIL_LENGTH_MAX)]
Given = Literal[Role.EDITOR, Role.COMMENTER, Role.VIEWER]
Expiry = Annotated[int, Field(ge=0, le=2**53, description="Milliseconds since 1970; null: never.")] | None


class Named(BaseModel):
    """A person by their address, or a group by its id: one of the two."""

    email: Email | None = None
    group: Id | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.email is None) == (self.group is None):
            raise ValueError("Name a person or a group.")
        return self


class GrantRequest(Named):
    """A role for somebody, or for everybody in a group."""

    role: Given
    expires_at: Expiry = None


class GrantWithdrawal(Named):
    """Whose role is taken back."""


class LinkRequest(BaseModel):
    """Who may open an item by its address alone, and as what. Guests may only read, whatever the role."""

    audience: Audience
    role: Given = Role.VIEWER
    expires_at: Expiry = None


class TransferRequest(BaseModel):
    """Who shall own it."""

    email: Email


class GrantShown(BaseModel):
    """Somebody who may see an item. What is `inherited` was given on a folder above, and is taken back there."""

    id: str
    email: str
    name: str
    role: Role
    inherited: bool


class FolderNamed(BaseModel):
    """A folder above the item."""

    id: str
    name: str


class PersonAccess(BaseModel):
    """Somebody who may see the item. `source`: the folder that it comes from, if one may see that."""

    id: str
    email: str
    name: str
    color: str
    role: Role
    inherited: bool
    source: FolderNamed | None
    expires_at: int | None


class GroupAccessShown(BaseModel):
    """A group whose members may see the item."""

    group: GroupShown
    role: Role
    inherited: bool
    source: FolderNamed | None
    expires_at: int | None


class LinkShown(BaseModel):
    """What the address of the item, or of a folder above it, gives."""

    audience: Audience
    role: Role
    inherited: bool
    source: FolderNamed | None
    expires_at: int | None


class OwnerOfItem(BaseModel):
    """Whose it is. Their address is told to those who may write in it."""

    id: str
    name: str
    email: str | None
    color: str


class Sharing(BaseModel):
    """With whom an item is shared. Who may not write in it sees only themselves, the owner and the links."""

    role: Role = Field(description="What the asking user is to it.")
    complete: bool = Field(description="Everybody who may see it is listed.")
    owner: OwnerOfItem
    people: list[PersonAccess]
    groups: list[GroupAccessShown]
    links: list[LinkShown]


def routes(drive: Drive) -> APIRouter:
    """Everything about sharing, relative to /api/v1/drive."""
    router = APIRouter(prefix="/items/{item}")

    @router.get("/sharing", response_model=Sharing, summary="With whom an item is shared")
    async def read_sharing(item: Id, principal: Signed) -> Sharing:
        return _sharing(await drive.shared(principal, ItemId(item)))

    @router.get("/grants", response_model=list[GrantShown], summary="The owner, and who was given a role")
    async def list_grants(item: Id, principal: Signed) -> list[GrantShown]:
        return [_grant_shown(access) for access in await drive.accesses(principal, ItemId(item))]

    @router.put("/grants", response_model=list[GrantShown], summary="Give somebody, or a group, a role")
    async def put_grant(item: Id, body: GrantRequest, principal: Signed) -> list[GrantShown]:
        if body.email is not None:
            await drive.grant(principal, ItemId(item), body.email, body.role, expires_at=body.expires_at)
        else:
            group = GroupId(body.group or "")
            await drive.grant_group(principal, ItemId(item), group, body.role, expires_at=body.expires_at)
        return await list_grants(item, principal)

    @router.delete("/grants", status_code=204, summary="Take a role back, or give up one's own")
    async def delete_grant(item: Id, body: GrantWithdrawal, principal: Signed) -> None:
        if body.email is not None:
            await drive.revoke(principal, ItemId(item), body.email)
        else:
            await drive.revoke_group(principal, ItemId(item), GroupId(body.group or ""))

    @router.put("/link", response_model=Sharing, summary="Say who may open an item by its address alone")
    async def put_link(item: Id, body: LinkRequest, principal: Signed) -> Sharing:
        await drive.set_link(principal, ItemId(item), body.audience, body.role, expires_at=body.expires_at)
        return await read_sharing(item, principal)

    @router.post("/transfer", response_model=Sharing, summary="Make somebody else the owner")
    async def transfer_item(item: Id, body: TransferRequest, principal: Signed) -> Sharing:
        await drive.transfer(principal, ItemId(item), body.email)
        return await read_sharing(item, principal)

    return router


def _grant_shown(access: Access) -> GrantShown:
    user = access.user
    return GrantShown(id=user.id, email=user.email, name=user.name, role=access.role, inherited=access.inherited)


def _sharing(shared: Shared) -> Sharing:
    owner = shared.owner
    return Sharing(
        role=shared.role,
        complete=shared.complete,
        owner=OwnerOfItem(
            id=owner.id, name=owner.name, email=owner.email if shared.complete else None, color=color_of(owner.id)
        ),
        people=[
            PersonAccess(
                id=one.user.id,
                email=one.user.email,
                name=one.user.name,
                color=color_of(one.user.id),
                role=one.role,
                inherited=one.inherited,
                source=_named(one.source),
                expires_at=one.expires_at,
            )
            for one in shared.people
        ],
        groups=[
            GroupAccessShown(
                group=group_shown(one.group),
                role=one.role,
                inherited=one.inherited,
                source=_named(one.source),
                expires_at=one.expires_at,
            )
            for one in shared.groups
        ],
        links=[
            LinkShown(
                audience=one.link.audience,
                role=one.link.role,
                inherited=one.inherited,
                source=_named(one.source),
                expires_at=one.link.expires_at,
            )
            for one in shared.links
        ],
    )


def _named(folder: Item | None) -> FolderNamed | None:
    return None if folder is None else FolderNamed(id=folder.id, name=folder.name)
