"""What widgets need that is large: contents of their models, and the scripts that their packages bring."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import signed_in, visitor
from collegium.ground.errors import NotFound, TooLarge, Unavailable
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import NotebookId
from collegium.kernels.extensions import read_nbextension
from collegium.sessions.service import Sessions
from collegium.sessions.widgets import MESSAGE_BYTES_MAX

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Who = Annotated[Principal, Depends(signed_in)]
Visitor = Annotated[Principal, Depends(visitor)]
NOSNIFF = {"Content-Security-Policy": USER_CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
CACHED = "private, max-age=31536000, immutable"


class Uploaded(BaseModel):
    """What a message in the socket calls it; good once."""

    name: str


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

    @router.post("/widgets", response_model=Uploaded, summary="Bytes for a widget's next message to the kernel")
    async def upload_widget_content(notebook: Notebook, request: Request, who: Who) -> Uploaded:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        content = b""
        async for piece in request.stream():
            content += piece
            if len(content) > MESSAGE_BYTES_MAX:
                raise TooLarge("What was sent to the kernel is too large.")
        return Uploaded(name=session.widgets.uploaded(content))

    @router.get("/nbextensions/{path:path}", summary="A script that a widget's package brings", response_class=Response)
    async def read_widget_script(
        notebook: Notebook, path: Annotated[str, Path(max_length=500)], who: Visitor
    ) -> Response:
        session = await sessions.allowed(who, NotebookId(notebook), Action.READ)
        binding, machines = session.loan.binding, sessions.world.machines
        try:
            if binding is None:
                raise NotFound("The notebook has no runtime.")
            content = await read_nbextension(partial(machines.connect, binding.runtime), path)
        except (NotFound, Unavailable):
            # A figure needs the BokehJS of its own version, which outlives the runtime that drew it.
            if (kept := await machines.script(path)) is None:
                raise
            content = kept
        # As text: only an output frame runs it, and it has been given it.
        return Response(content, media_type="text/plain; charset=utf-8", headers=NOSNIFF)

    return router
