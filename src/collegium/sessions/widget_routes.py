"""What widgets need that is large: contents of their models, and the scripts that their packages bring."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import visitor
from collegium.ground.errors import NotFound
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import NotebookId
from collegium.kernels.extensions import read_nbextension
from collegium.sessions.service import Sessions

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Visitor = Annotated[Principal, Depends(visitor)]
NOSNIFF = {"Content-Security-Policy": USER_CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
CACHED = "private, max-age=31536000, immutable"


def routes(sessions: Sessions) -> APIRouter:
    """Everything about the widgets of a notebook, relative to /api/v1."""
    router = APIRouter(prefix="/notebooks/{notebook}", tags=["runs"])

    @router.get("/widgets/{sha256}", summary="A large value or buffer of a widget", response_class=Response)
    async def read_widget_content(
        notebook: Notebook, sha256: Annotated[str, Path(max_length=64)], who: Visitor
    ) -> Response:
        session = await sessions.allowed(who, NotebookId(notebook), Action.READ)
        content = await session.widgets.content(sha256)
        return Response(content, media_type="application/octet-stream", headers=NOSNIFF | {"Cache-Control": CACHED})

    @router.get("/nbextensions/{path:path}", summary="A script that a widget's package brings", response_class=Response)
    async def read_widget_script(
        notebook: Notebook, path: Annotated[str, Path(max_length=500)], who: Visitor
    ) -> Response:
        session = await sessions.allowed(who, NotebookId(notebook), Action.READ)
        binding = session.loan.binding
        if binding is None:
            raise NotFound("The notebook has no runtime.")
        content = await read_nbextension(partial(sessions.world.machines.connect, binding.runtime), path)
        # As text: only an output frame runs it, and it has been given it.
        return Response(content, media_type="text/plain; charset=utf-8", headers=NOSNIFF)

    return router
