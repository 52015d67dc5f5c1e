"""The API of what is found, opened, starred, copied and emptied in a drive."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from collegium.accounts.service import Accounts
from collegium.drive.copying import Copying
from collegium.drive.model import Kind, Sight
from collegium.drive.routes import ROOT, Id, ItemShown, Name, PathStep, Presenter, Signed
from collegium.drive.search import Search
from collegium.drive.service import Drive
from collegium.drive.shelves import Shelves
from collegium.drive.trash import Trash
from collegium.drive.words import QUERY_LENGTH_MAX
from collegium.ground.ids import ItemId

Query_ = Annotated[str, Query(max_length=4 * QUERY_LENGTH_MAX, description="Beginnings of words; all must be there.")]


class OpenedShown(BaseModel):
    """An item, and when the asking user last opened it."""

    item: ItemShown
    opened_at: int


class PieceShown(BaseModel):
    """A part of a snippet; `matched`: it is what was looked for."""

    text: str
    matched: bool


class FoundItemShown(BaseModel):
    """An item that was found, the folders it lies in, and where its text has what was looked for."""

    item: ItemShown
    path: list[PathStep]
    snippet: list[PieceShown]


class TrashEmptied(BaseModel):
    """How many of the items in the trash went."""

    deleted: int


class UsageShown(BaseModel):
    """Bytes of files and notebooks, those in the trash too; `quota` null: as much as there is room for."""

    used: int
    quota: int | None


class CopyRequest(BaseModel):
    """Where the copy goes (`root`: the top; null: beside the original, if that is one's own), and its name."""

    parent: Id | None = Field(default=None)
    name: Name | None = None


def routes(
    drive: Drive, accounts: Accounts, *, shelves: Shelves, search: Search, trash: Trash, copying: Copying
) -> APIRouter:
    """Relative to /api/v1."""
    router = APIRouter(tags=["drive"], prefix="/drive")
    presenter = Presenter(accounts)
    router.include_router(_shelf_routes(shelves, presenter))
    router.include_router(_search_routes(search, presenter))

    @router.delete("/trash", response_model=TrashEmptied, summary="Delete everything in the trash, for ever")
    async def empty_trash(principal: Signed) -> TrashEmptied:
        return TrashEmptied(deleted=await trash.empty(principal))

    @router.get("/usage", response_model=UsageShown, summary="How much one stores, and how much one may")
    async def read_usage(principal: Signed) -> UsageShown:
        usage = await drive.usage(principal)
        return UsageShown(used=usage.used, quota=usage.quota)

    @router.post(
        "/items/{item}/copy", status_code=201, response_model=ItemShown, summary="Copy an item and everything in it"
    )
    async def copy_item(item: Id, body: CopyRequest, principal: Signed) -> ItemShown:
        to_top = body.parent == ROOT
        into = None if to_top or body.parent is None else ItemId(body.parent)
        made = await copying.copy(principal, ItemId(item), into=into, to_top=to_top, name=body.name)
        sight = await drive.sight(principal, made.id)
        return await presenter.one(sight.item, sight.role, parent=sight.path[-1].id if sight.path else None)

    return router


def _shelf_routes(shelves: Shelves, presenter: Presenter) -> APIRouter:
    router = APIRouter()

    @router.get("/recent", response_model=list[OpenedShown], summary="What one opened last")
    async def list_recent(principal: Signed) -> list[OpenedShown]:
        openings = await shelves.recent(principal)
        shown = await _shown(presenter, [opening.sight for opening in openings])
        return [
            OpenedShown(item=item, opened_at=opening.opened_at) for item, opening in zip(shown, openings, strict=True)
        ]

    @router.get("/starred", response_model=list[ItemShown], summary="What one starred")
    async def list_starred(principal: Signed) -> list[ItemShown]:
        return await _shown(presenter, await shelves.starred(principal))

    @router.get("/stars", response_model=list[str], summary="The ids of what one starred")
    async def list_stars(principal: Signed) -> list[str]:
        return sorted(await shelves.starred_ids(principal))

    @router.put("/items/{item}/star", status_code=204, summary="Star an item")
    async def star_item(item: Id, principal: Signed) -> None:
        await shelves.star(principal, ItemId(item))

    @router.delete("/items/{item}/star", status_code=204, summary="Take the star of an item away")
    async def unstar_item(item: Id, principal: Signed) -> None:
        await shelves.unstar(principal, ItemId(item))

    return router


def _search_routes(search: Search, presenter: Presenter) -> APIRouter:
    router = APIRouter()

    @router.get("/search", response_model=list[FoundItemShown], summary="Find items by words of their names and cells")
    async def search_items(
        principal: Signed, q: Query_, kind: Kind | None = None, owner: Literal["mine", "others"] | None = None
    ) -> list[FoundItemShown]:
        found = await search.find(principal, q, kind=kind, whose=owner)
        shown = await _shown(presenter, [one.sight for one in found])
        return [
            FoundItemShown(
                item=item,
                path=[PathStep(id=step.id, name=step.name) for step in one.sight.path],
                snippet=[PieceShown(text=piece.text, matched=piece.matched) for piece in one.snippet],
            )
            for item, one in zip(shown, found, strict=True)
        ]

    return router


async def _shown(presenter: Presenter, sights: list[Sight]) -> list[ItemShown]:
    return await presenter.many([(s.item, s.role, s.path[-1].id if s.path else None) for s in sights])
