"""`/jupyter/api/contents`, its checkpoints, and downloads from `/jupyter/files`."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from collegium.accounts.model import Principal
from collegium.drive.model import Kind, content_disposition
from collegium.ground.errors import Invalid, NotFound
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.jupyter.checkpoints import Checkpoints
from collegium.jupyter.contents import Contents, Model
from collegium.jupyter.door import PREFIX, JupyterRoute, body_of, text_in, who
from collegium.jupyter.model import id_of, time_of, uuid_of
from collegium.jupyter.store import Checkpoint
from collegium.notebooks.bases import channel_of

BASE = PREFIX + "/api/contents"
SAVED_BYTES_MAX = 256 << 20
"""A whole notebook with its outputs, as JSON in JSON."""

SMALL_BYTES_MAX = 1 << 20
CHECKPOINTS = "checkpoints"

Who = Annotated[Principal, Depends(who)]


def routes(contents: Contents, checkpoints: Checkpoints) -> APIRouter:
    """All of them. A path may end in `checkpoints`, which then is no file's name."""
    router = APIRouter(route_class=JupyterRoute)
    router.include_router(_checkpoint_routes(checkpoints))
    router.include_router(_content_routes(contents))
    router.include_router(_other_routes(contents))
    return router


def _content_routes(contents: Contents) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute, prefix=BASE)

    @router.get("")
    @router.get("/{path:path}")
    async def read_contents(
        request: Request,
        principal: Who,
        path: str = "",
        type: str | None = None,
        format: str | None = None,
        content: str = "1",
        hash: str = "0",
    ) -> Response:
        if type not in (None, "directory", "file", "notebook"):
            type = "file"
        if format not in (None, "text", "base64"):
            raise Invalid(f"Format {format[:40]!r} is invalid")
        if content not in ("0", "1") or hash not in ("0", "1"):
            raise Invalid("content and hash are 0 or 1")
        model = await contents.get(
            principal,
            path,
            client=_client(principal, request),
            type=type,
            format=format,
            content=content == "1",
            hash=hash == "1",
        )
        return _shown(model, 200, location=False)

    @router.post("")
    @router.post("/{path:path}")
    async def create_contents(request: Request, principal: Who, path: str = "") -> Response:
        body = await body_of(request, SMALL_BYTES_MAX) or {}
        source = text_in(body, "copy_from")
        if source:
            return _shown(await contents.copy(principal, source, path), 201)
        kind = text_in(body, "type") or ""
        if kind not in ("", "directory", "file", "notebook"):
            kind = "file"
        made = await contents.create_untitled(principal, path, type=kind, ext=text_in(body, "ext") or "")
        return _shown(made, 201)

    @router.put("/{path:path}")
    async def save_contents(request: Request, path: str, principal: Who) -> Response:
        body = await body_of(request, SAVED_BYTES_MAX)
        if body is None:
            return _shown(await contents.create_untitled(principal, path, type="", ext=""), 201)
        if body.get("copy_from"):
            raise Invalid("Cannot copy with PUT, only POST")
        model, new = await contents.save(principal, path, body, client=_client(principal, request))
        return _shown(model, 201 if new else 200)

    @router.patch("/{path:path}")
    async def rename_contents(request: Request, path: str, principal: Who) -> Response:
        body = await body_of(request, SMALL_BYTES_MAX)
        wanted = text_in(body, "path")
        if wanted is None:
            raise Invalid("JSON body missing")
        return _shown(await contents.rename(principal, path, wanted), 200)

    @router.delete("/{path:path}", status_code=204)
    async def delete_contents(path: str, principal: Who) -> None:
        await contents.delete(principal, path)

    return router


def _checkpoint_routes(checkpoints: Checkpoints) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute, prefix=BASE + "/{path:path}/" + CHECKPOINTS)

    @router.get("")
    async def list_checkpoints(path: str, principal: Who) -> list[dict[str, str]]:
        return [_checkpoint(one) for one in await checkpoints.all(principal, path)]

    @router.post("")
    async def create_checkpoint(path: str, principal: Who) -> Response:
        made = await checkpoints.create(principal, path)
        where = f"{BASE}/{path}/{CHECKPOINTS}/{uuid_of(made.id)}"
        return JSONResponse(_checkpoint(made), 201, headers={"Location": quote(where)})

    @router.post("/{id}", status_code=204)
    async def restore_checkpoint(path: str, id: str, principal: Who) -> None:
        await checkpoints.restore(principal, path, id_of(id) or "")

    @router.delete("/{id}", status_code=204)
    async def delete_checkpoint(path: str, id: str, principal: Who) -> None:
        await checkpoints.delete(principal, path, id_of(id) or "")

    return router


def _other_routes(contents: Contents) -> APIRouter:
    router = APIRouter(route_class=JupyterRoute)

    @router.get(PREFIX + "/files/{path:path}")
    async def download(path: str, principal: Who) -> Response:
        place = await contents.tree.find(principal, path)
        if place.item is None or place.item.kind is Kind.FOLDER:
            raise NotFound("A directory cannot be downloaded.")
        headers = {
            "Content-Security-Policy": USER_CONTENT_POLICY,
            "Content-Disposition": content_disposition(place.name),
            "X-Content-Type-Options": "nosniff",
        }
        if place.item.kind is Kind.NOTEBOOK:
            file = await contents.notebooks.served(principal, place.item)
            return Response(file, media_type="application/x-ipynb+json", headers=headers)
        found = await contents.drive.file(principal, place.item.id)
        headers["Content-Length"] = str(found.size)
        return StreamingResponse(contents.drive.content(found), media_type="application/octet-stream", headers=headers)

    @router.get(PREFIX + "/api/resolvePath")
    async def resolve_path(principal: Who, path: str) -> dict[str, Any]:
        try:
            place = await contents.tree.find(principal, path)
        except NotFound as error:
            return {"resolved": [], "unresolved": [{"scope": "server", "reason": error.detail}]}
        return {"resolved": [{"scope": "server", "path": place.path}]}

    return router


def _client(principal: Principal, request: Request) -> str:
    return channel_of(principal, request.headers.get("user-agent", ""))


def _shown(model: Model, status: int, *, location: bool = True) -> Response:
    headers = {"Last-Modified": model["last_modified"]}
    if location:
        headers["Location"] = quote(f"{BASE}/{model['path']}")
    return JSONResponse(model, status, headers=headers)


def _checkpoint(checkpoint: Checkpoint) -> dict[str, str]:
    return {"id": uuid_of(checkpoint.id), "last_modified": time_of(checkpoint.created_at)}
