"""The API of playgrounds."""

from fastapi import APIRouter
from pydantic import BaseModel

from collegium.drive.model import Item
from collegium.drive.playgrounds import Playgrounds
from collegium.drive.routes import Id, Signed
from collegium.ground.ids import ItemId


class PlaygroundShown(BaseModel):
    """A playground, or the notebook that became of it, and where its page is."""

    id: str
    name: str
    url: str


def routes(playgrounds: Playgrounds) -> APIRouter:
    """Relative to /api/v1."""
    router = APIRouter(tags=["notebooks"], prefix="/notebooks/{id}/playground")

    @router.post("", response_model=PlaygroundShown, summary="One's playground of a notebook, made if there is none")
    async def open_playground(id: Id, principal: Signed) -> PlaygroundShown:
        return _shown(await playgrounds.open(principal, ItemId(id)))

    @router.post("/save", response_model=PlaygroundShown, summary="Make a playground an ordinary notebook")
    async def save_playground(id: Id, principal: Signed) -> PlaygroundShown:
        return _shown(await playgrounds.save(principal, ItemId(id)))

    @router.delete("", status_code=204, summary="Delete a playground, with what was changed in it")
    async def discard_playground(id: Id, principal: Signed) -> None:
        await playgrounds.discard(principal, ItemId(id))

    return router


def _shown(item: Item) -> PlaygroundShown:
    return PlaygroundShown(id=item.id, name=item.name, url=f"/notebooks/{item.id}")
