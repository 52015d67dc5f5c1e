"""Bringing a revision back, and taking that back, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import signed_in
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, ItemId, NotebookId
from collegium.rooms.restoring import Restoring

NUMBER_MAX = 1 << 53
CELLS_MAX = 20_000
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="The revision's number in its notebook.")]


class Restore(BaseModel):
    """What to bring back: the whole notebook or some cells, with or without what they showed."""

    cells: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]] | None = Field(
        default=None, max_length=CELLS_MAX, description="These cells alone; null: everything."
    )
    outputs: bool = Field(default=False, description="Show what the cells showed then, too.")


class RestoreDone(BaseModel):
    """What became of it. To take it back, `POST …/revisions/{undo}/undo`."""

    changed: bool = Field(description="False: the notebook says that already, and nothing was done.")
    seq: int
    before: int | None = Field(description="The revision of just before.")
    undo: int | None = Field(description="The revision of just after.")


class RestoreUndone(BaseModel):
    """The restore was taken back, and what was typed since is still there."""

    seq: int


def routes(restoring: Restoring, drive: Drive) -> APIRouter:
    """Their routes, below /api/v1."""
    router = APIRouter(prefix="/notebooks", tags=["history"])
    User = Annotated[Principal, Depends(signed_in)]

    async def editable(principal: Principal, id: str) -> NotebookId:
        item, _ = await drive.authorize(principal, ItemId(id), Action.WRITE)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        return NotebookId(item.id)

    @router.post("/{id}/revisions/{number}/restore", response_model=RestoreDone, summary="Bring a revision back")
    async def restore_revision(id: str, number: Number, wanted: Restore, principal: User) -> RestoreDone:
        notebook = await editable(principal, id)
        cells = None if wanted.cells is None else [CellId(cell) for cell in wanted.cells]
        done = await restoring.restore(principal, notebook, number, cells=cells, outputs=wanted.outputs)
        return RestoreDone(
            changed=done.changed,
            seq=done.seq,
            before=None if done.before is None else done.before.number,
            undo=None if done.after is None else done.after.number,
        )

    @router.post("/{id}/revisions/{number}/undo", response_model=RestoreUndone, summary="Take a restore back")
    async def undo_restore(id: str, number: Number, principal: User) -> RestoreUndone:
        notebook = await editable(principal, id)
        return RestoreUndone(seq=await restoring.undo(principal, notebook, number))

    return router
