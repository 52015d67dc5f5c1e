"""The API of what a person may want to know of a notebook."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from collegium.accounts.model import Principal, Role
from collegium.accounts.service import Accounts, signed_in
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.errors import NotFound
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.info import notebook_info
from collegium.notebooks.service import Notebooks


class InfoShown(BaseModel):
    """All that is told of a notebook. `words` are those of text cells, `code_lines` those that are not empty."""

    id: str
    name: str
    role: Role
    owner: str
    path: list[str] = Field(description="The names of the folders it lies in, as far as one may see them.")
    created_at: int
    modified_at: int
    modified_by: str | None
    size: int = Field(description="Bytes of its document and of its outputs, as far as they are known.")
    code_cells: int
    text_cells: int
    words: int
    code_lines: int
    runtime_version: str | None = Field(description="The one that it asks for.")
    omits_outputs: bool = Field(description="No file, copy or revision of it has outputs.")
    playground_of: str | None


def routes(database: Database, notebooks: Notebooks, drive: Drive, accounts: Accounts) -> APIRouter:
    """Relative to /api/v1."""
    router = APIRouter(prefix="/notebooks", tags=["notebooks"])

    @router.get("/{id}/info", response_model=InfoShown, summary="What there is to know of a notebook")
    async def read_notebook_info(
        id: Annotated[str, Path(max_length=64)], principal: Annotated[Principal, Depends(signed_in)]
    ) -> InfoShown:
        sight = await drive.sight(principal, ItemId(id))
        item = sight.item
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        info = await notebook_info(database, notebooks, accounts, NotebookId(item.id))
        owners = await accounts.users_by_ids([item.owner])
        return InfoShown(
            id=item.id,
            name=item.name,
            role=sight.role,
            owner=owners[item.owner].name,
            path=[step.name for step in sight.path],
            created_at=item.created_at,
            modified_at=item.modified_at,
            modified_by=info.modified_by,
            size=item.size,
            code_cells=info.lengths.code_cells,
            text_cells=info.lengths.text_cells,
            words=info.lengths.words,
            code_lines=info.lengths.code_lines,
            runtime_version=info.runtime_version,
            omits_outputs=info.omits_outputs,
            playground_of=item.playground_of,
        )

    return router
