"""The API of the drive: listing, uploading, moving, sharing."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from collegium.accounts.model import Principal, Role
from collegium.accounts.service import Accounts, signed_in
from collegium.drive import sharing_routes
from collegium.drive.model import NAME_LENGTH_MAX, Item, Kind, content_disposition, parsed_range
from collegium.drive.service import Drive
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import ItemId, UserId

ROOT, SHARED, TRASH = "root", "shared", "trash"
TITLES = {ROOT: "My drive", SHARED: "Shared with me", TRASH: "Trash"}

Signed = Annotated[Principal, Depends(signed_in)]
Id = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(max_length=4 * NAME_LENGTH_MAX)]
"""Longer than a name may be, so that it is the drive that says what is wrong with it."""


class OwnerShown(BaseModel):
    """Whose drive an item is in."""

    id: str
    name: str


class ItemShown(BaseModel):
    """A folder, notebook or file as the asking user sees it."""

    id: str
    kind: Kind
    name: str
    size: int
    created_at: int
    modified_at: int
    role: Role
    owner: OwnerShown
    trashed_at: int | None
    parent: str | None = Field(description="The folder it lies in; null: the root, or a folder one may not see.")


class PathStep(BaseModel):
    """A folder on the way."""

    id: str
    name: str


class FolderShown(BaseModel):
    """The folder that is listed. `path` begins with `root` or `shared`, and does not hold the folder itself."""

    id: str
    name: str
    path: list[PathStep]


class Listing(BaseModel):
    """A folder and what is in it, folders first."""

    folder: FolderShown
    items: list[ItemShown]


class FolderRequest(BaseModel):
    """A folder to be made; `parent` null or `root`: at the top."""

    name: Name
    parent: Id | None = None


class ItemChange(BaseModel):
    """What shall be different; what is left out or null stays. `parent: "root"`: to the top."""

    name: Name | None = None
    parent: Id | None = None


class Presenter:
    """Shows items: the names of their owners are not the drive's, but the accounts'."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def one(self, item: Item, role: Role, *, parent: ItemId | None) -> ItemShown:
        return (await self.many([(item, role, parent)]))[0]

    async def many(self, items: Sequence[tuple[Item, Role, ItemId | None]]) -> list[ItemShown]:
        owners = await self._accounts.users_by_ids(item.owner for item, _, _ in items)
        return [_item_shown(item, role, owners[item.owner].name, parent) for item, role, parent in items]


def routes(drive: Drive, accounts: Accounts) -> APIRouter:
    """Everything about the drive, relative to /api/v1."""
    router = APIRouter(tags=["drive"], prefix="/drive")
    presenter = Presenter(accounts)
    router.include_router(_listing_routes(drive, presenter))
    router.include_router(_item_routes(drive, presenter))
    router.include_router(_file_routes(drive, presenter))
    router.include_router(sharing_routes.routes(drive))
    return router


def _listing_routes(drive: Drive, presenter: Presenter) -> APIRouter:
    router = APIRouter()

    @router.get("/items", response_model=Listing, summary="What is in a folder, shared with one, or in the trash")
    async def list_items(
        principal: Signed,
        folder: Annotated[str, Query(max_length=64, description="An id, `root` or `shared`.")] = ROOT,
        trash: Annotated[bool, Query(description="The trash instead; `folder` does not matter.")] = False,
    ) -> Listing:
        if trash:
            return _listing(TRASH, await presenter.many(_own(await drive.list_trash(principal))))
        if folder == ROOT:
            return _listing(ROOT, await presenter.many(_own(await drive.list_root(principal))))
        if folder == SHARED:
            sights = await drive.list_shared(principal)
            return _listing(SHARED, await presenter.many([(sight.item, sight.role, None) for sight in sights]))
        sight, children = await drive.list_folder(principal, ItemId(folder))
        if sight.role is not Role.OWNER:
            # What lies in a folder that one came to by its link alone is found from then on.
            with drive.opening(principal, sight.item):
                pass
        top = ROOT if sight.role is Role.OWNER else SHARED
        path = [PathStep(id=top, name=TITLES[top]), *(PathStep(id=one.id, name=one.name) for one in sight.path)]
        return Listing(
            folder=FolderShown(id=sight.item.id, name=sight.item.name, path=path),
            items=await presenter.many([(item, role, item.parent) for item, role in children]),
        )

    @router.get("/items/{item}", response_model=ItemShown, summary="One item")
    async def read_item(item: Id, principal: Signed) -> ItemShown:
        sight = await drive.sight(principal, ItemId(item))
        return await presenter.one(sight.item, sight.role, parent=sight.path[-1].id if sight.path else None)

    return router


def _item_routes(drive: Drive, presenter: Presenter) -> APIRouter:
    router = APIRouter()

    async def shown(principal: Principal, item: Item) -> ItemShown:
        sight = await drive.sight(principal, item.id)
        return await presenter.one(sight.item, sight.role, parent=sight.path[-1].id if sight.path else None)

    @router.post("/folders", status_code=201, response_model=ItemShown, summary="Make a folder")
    async def create_folder(body: FolderRequest, principal: Signed) -> ItemShown:
        return await shown(principal, await drive.create_folder(principal, body.name, _parent(body.parent)))

    @router.patch("/items/{item}", response_model=ItemShown, summary="Rename or move an item")
    async def change_item(item: Id, body: ItemChange, principal: Signed) -> ItemShown:
        changed = await drive.change(
            principal, ItemId(item), name=body.name, move=body.parent is not None, parent=_parent(body.parent)
        )
        return await shown(principal, changed)

    @router.post("/items/{item}/trash", response_model=ItemShown, summary="Put an item into the trash")
    async def trash_item(item: Id, principal: Signed) -> ItemShown:
        return await shown(principal, await drive.trash(principal, ItemId(item)))

    @router.post("/items/{item}/restore", response_model=ItemShown, summary="Take an item out of the trash")
    async def restore_item(item: Id, principal: Signed) -> ItemShown:
        return await shown(principal, await drive.restore(principal, ItemId(item)))

    @router.delete("/items/{item}", status_code=204, summary="Delete an item that is in the trash, for ever")
    async def delete_item(item: Id, principal: Signed) -> None:
        await drive.delete(principal, ItemId(item))

    return router


def _file_routes(drive: Drive, presenter: Presenter) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/files",
        status_code=201,
        response_model=ItemShown,
        summary="Upload a file; the body is its content",
        openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
    )
    async def upload_file(
        request: Request,
        principal: Signed,
        name: Annotated[str, Query(max_length=4 * NAME_LENGTH_MAX)],
        parent: Annotated[str | None, Query(max_length=64)] = None,
    ) -> ItemShown:
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() and len(length) < 20 else None
        item = await drive.upload(principal, name, _parent(parent), request.stream(), announced=announced)
        sight = await drive.sight(principal, item.id)
        return await presenter.one(item, sight.role, parent=item.parent)

    @router.get(
        "/files/{item}/content",
        response_class=StreamingResponse,
        summary="Download a file, or a range of its bytes",
        responses={206: {"description": "The part asked for"}, 416: {"description": "The file ends before that"}},
    )
    async def download_file(item: Id, request: Request, principal: Signed) -> StreamingResponse:
        found = await drive.file(principal, ItemId(item))
        with drive.opening(principal, found):
            part = parsed_range(request.headers.get("range"), found.size)
        start, stop = part or (0, found.size)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Disposition": content_disposition(found.name),
            "Content-Length": str(stop - start),
            "Content-Security-Policy": USER_CONTENT_POLICY,
            "ETag": f'"{found.blob}"',
            "X-Content-Type-Options": "nosniff",
        }
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
        pieces = drive.content(found, part)
        return StreamingResponse(
            pieces, 200 if part is None else 206, media_type="application/octet-stream", headers=headers
        )

    return router


def _own(items: Sequence[Item]) -> list[tuple[Item, Role, ItemId | None]]:
    return [(item, Role.OWNER, item.parent) for item in items]


def _listing(place: str, items: list[ItemShown]) -> Listing:
    return Listing(folder=FolderShown(id=place, name=TITLES[place], path=[]), items=items)


def _parent(text: str | None) -> ItemId | None:
    return None if text is None or text == ROOT else ItemId(text)


def _item_shown(item: Item, role: Role, owner_name: str, parent: ItemId | None) -> ItemShown:
    owner: UserId = item.owner
    return ItemShown(
        id=item.id,
        kind=item.kind,
        name=item.name,
        size=item.size,
        created_at=item.created_at,
        modified_at=item.modified_at,
        role=role,
        owner=OwnerShown(id=owner, name=owner_name),
        trashed_at=item.trashed_at,
        parent=parent,
    )
