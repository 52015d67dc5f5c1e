"""Files brought into a notebook over HTTP, and the overlaps that they leave."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import signed_in
from collegium.drive.service import Drive
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.bases import channel_of
from collegium.notebooks.overlaps import KeptOverlap
from collegium.notebooks.service import Notebooks
from collegium.rooms.outside import SOURCE_CHARACTERS_MAX
from collegium.rooms.service import Rooms

BASE = "The version that the file was made from: the ETag that came with it, or a sequence number."


class ContentMerged(BaseModel):
    """The file is in the notebook now, and on disk. `overlaps`: so many cells wait for somebody to decide."""

    seq: int
    overlaps: int


class OverlapShown(BaseModel):
    """Three sources of a cell that both sides changed. `base`: null, if nobody knows; `ours` or `theirs`: null, if that
    side deleted the cell."""

    id: str
    cell: str
    base: str | None
    ours: str | None
    theirs: str | None
    by: str
    at: int


class Decision(BaseModel):
    """What becomes of an overlap: what is here, what the file says, both of it, or another text."""

    choice: Literal["keep", "take", "both", "edited"]
    text: str | None = Field(default=None, max_length=SOURCE_CHARACTERS_MAX)


class Decided(BaseModel):
    """It is decided, and on disk."""

    seq: int


def routes(rooms: Rooms, notebooks: Notebooks, drive: Drive) -> APIRouter:
    """Their routes, below a notebook's."""
    router = APIRouter()
    User = Annotated[Principal, Depends(signed_in)]

    @router.put("/{id}/content", response_model=ContentMerged, summary="Merge a file into a notebook")
    async def put_notebook_content(
        id: str,
        request: Request,
        principal: User,
        base: Annotated[str | None, Query(description=BASE)] = None,
        if_match: Annotated[str | None, Header(description=BASE)] = None,
    ) -> ContentMerged:
        await drive.authorize(principal, ItemId(id), Action.WRITE)
        file = await notebooks.received(request.stream(), request.headers.get("content-length"))
        named = base if base is not None or if_match == "*" else if_match
        channel = channel_of(principal, request.headers.get("user-agent", ""))
        brought = await rooms.outside.bring(principal, NotebookId(id), file, channel=channel, named=named)
        return ContentMerged(seq=brought.seq, overlaps=brought.overlaps)

    @router.get("/{id}/overlaps", response_model=list[OverlapShown], summary="Where a file and people met")
    async def list_overlaps(id: str, principal: User) -> list[dict[str, Any]]:
        return [_shown(kept) for kept in await rooms.outside.overlaps(principal, NotebookId(id))]

    @router.post("/{id}/overlaps/{overlap}", response_model=Decided, summary="Decide about an overlap")
    async def decide_overlap(id: str, overlap: str, decision: Decision, principal: User) -> Decided:
        seq = await rooms.outside.resolve(principal, NotebookId(id), overlap, decision.choice, decision.text)
        return Decided(seq=seq)

    return router


def _shown(kept: KeptOverlap) -> dict[str, Any]:
    met = kept.overlap
    return {
        "id": kept.id,
        "cell": met.cell,
        "base": met.base,
        "ours": met.ours,
        "theirs": met.theirs,
        "by": kept.by,
        "at": kept.at,
    }
