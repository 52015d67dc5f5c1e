"""Notebooks over HTTP: made from a file or from nothing, looked at, and given out as files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from collegium.accounts.model import Action, Principal, Role
from collegium.accounts.service import signed_in, visitor
from collegium.drive.model import Kind, content_disposition
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound, NotSignedIn, TooMany
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.bases import channel_of, tag_of
from collegium.notebooks.service import Format, Notebooks

MEDIA_TYPES: dict[Format, str] = {
    "ipynb": "application/x-ipynb+json",
    "py": "text/x-python; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}

GUEST_FORMATS: tuple[Format, ...] = ("ipynb", "py")
"""What is made without much work."""
GUESTS_AT_ONCE = 4
"""So many files are made at once for people who are not signed in."""


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
    Visitor = Annotated[Principal, Depends(visitor)]
    guests = anyio.Semaphore(GUESTS_AT_ONCE)

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
        channel = channel_of(principal, request.headers.get("user-agent", ""))
        await notebooks.bases.note(made.id, principal.user, channel, await notebooks.bases.version(made.id))
        return NotebookMade(id=made.id, name=made.name, url=url_of(made.id))

    @router.get("/{id}", response_model=NotebookShown, summary="Look at a notebook")
    async def get_notebook(id: str, principal: Visitor) -> NotebookShown:
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
        id: str,
        request: Request,
        principal: Visitor,
        format: Annotated[Format, Query()] = "ipynb",
        download: bool = False,
    ) -> Response:
        if principal.guest and format not in GUEST_FORMATS:
            raise NotSignedIn(f"Please sign in to have a notebook as {format}.")
        item, _ = await drive.authorize(principal, ItemId(id), Action.READ)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        stem = item.name.removesuffix(".ipynb")
        notebook = NotebookId(item.id)
        headers = {"Content-Security-Policy": USER_CONTENT_POLICY}
        async with _a_turn(guests) if principal.guest else nullcontext():
            if format == "ipynb":
                given = await notebooks.given(notebook)
                body = given.file
                headers["ETag"] = tag_of(*given.version)
            else:
                body = await notebooks.export(notebook, format, name=stem)
        if format == "ipynb" and not principal.guest:
            channel = channel_of(principal, request.headers.get("user-agent", ""))
            await notebooks.bases.note(notebook, principal.user, channel, given.version)
        if download or format != "html":
            headers["Content-Disposition"] = content_disposition(f"{stem}.{format}")
        return Response(body, media_type=MEDIA_TYPES[format], headers=headers)

    return router


@asynccontextmanager
async def _a_turn(guests: anyio.Semaphore) -> AsyncIterator[None]:
    try:
        guests.acquire_nowait()
    except anyio.WouldBlock as error:
        raise TooMany("Many people fetch notebooks now. Sign in, or try again in a moment.", retry_after=2) from error
    try:
        yield
    finally:
        guests.release()


def url_of(notebook: str) -> str:
    """The page of a notebook."""
    return f"/notebooks/{notebook}"
