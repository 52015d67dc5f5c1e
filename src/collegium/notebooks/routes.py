"""Notebooks over HTTP: made from a file or from nothing, looked at, and given out as files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from collegium.accounts.model import Action, Principal, Role
from collegium.accounts.service import signed_in
from collegium.drive.model import Kind, content_disposition
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.service import Format, Notebooks

MEDIA_TYPES: dict[Format, str] = {
    "ipynb": "application/x-ipynb+json",
    "py": "text/x-python; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}


class NotebookMade(BaseModel):
    """A new notebook, and where its page is."""

    id: str
    name: str
    url: str


class NotebookShown(BaseModel):
    """A notebook, and what one is to it."""

    id: str
    name: str
    role: Role
    url: str
    created_at: int
    modified_at: int
    trashed_at: int | None


def routes(notebooks: Notebooks, drive: Drive) -> APIRouter:
    """Their routes, below /api/v1."""
    router = APIRouter(prefix="/notebooks", tags=["notebooks"])
    User = Annotated[Principal, Depends(signed_in)]

    @router.post("", status_code=201, response_model=NotebookMade, summary="Make a notebook, blank or from a file")
    async def create_notebook(
        request: Request,
        principal: User,
        name: Annotated[str | None, Query()] = None,
        folder: Annotated[str | None, Query(description="`root`: the top; without it, the folder Notebooks.")] = None,
    ) -> NotebookMade:
        file = await notebooks.received(request.stream(), request.headers.get("content-length"))
        top = folder == "root"
        place = None if top or folder is None else ItemId(folder)
        made = await notebooks.create(principal, name=name, folder=place, top=top, file=file or None)
        return NotebookMade(id=made.id, name=made.name, url=url_of(made.id))

    @router.get("/{id}", response_model=NotebookShown, summary="Look at a notebook")
    async def get_notebook(id: str, principal: User) -> NotebookShown:
        item, role = await drive.authorize(principal, ItemId(id), Action.READ)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        return NotebookShown(
            id=item.id,
            name=item.name,
            role=role,
            url=url_of(item.id),
            created_at=item.created_at,
            modified_at=item.modified_at,
            trashed_at=item.trashed_at,
        )

    @router.get("/{id}/content", response_class=Response, summary="The notebook as a file")
    async def get_notebook_content(
        id: str, principal: User, format: Annotated[Format, Query()] = "ipynb", download: bool = False
    ) -> Response:
        item, _ = await drive.authorize(principal, ItemId(id), Action.READ)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        stem = item.name.removesuffix(".ipynb")
        body = await notebooks.export(NotebookId(item.id), format, name=stem)
        headers = {"Content-Security-Policy": USER_CONTENT_POLICY}
        if download or format != "html":
            headers["Content-Disposition"] = content_disposition(f"{stem}.{format}")
        return Response(body, media_type=MEDIA_TYPES[format], headers=headers)

    return router


def url_of(notebook: str) -> str:
    """The page of a notebook."""
    return f"/notebooks/{notebook}"
