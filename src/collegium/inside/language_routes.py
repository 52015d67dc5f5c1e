"""The language server of a runtime: one socket for each page that edits its code."""

import json

import anyio
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from collegium.accounts.service import signed_in
from collegium.ground.errors import Invalid
from collegium.ground.http import converse
from collegium.ground.ids import RuntimeId
from collegium.inside.service import Inside
from collegium.kernels.language import Ended, LanguageStream


def routes(inside: Inside) -> APIRouter:
    """Relative to one runtime."""
    router = APIRouter()

    @router.websocket("/language")
    async def language_socket(websocket: WebSocket, runtime: str) -> None:
        await converse(websocket, lambda: _converse(websocket, inside, RuntimeId(runtime)))

    return router


async def _converse(websocket: WebSocket, inside: Inside, runtime: RuntimeId) -> None:
    """Reading code is no use of a runtime that would keep it: whoever only types has the notebook for that."""
    principal = signed_in(websocket)
    language = await inside.language(principal, runtime)
    async with language.attach() as stream, anyio.create_task_group() as tasks:
        await websocket.send_text(json.dumps({"type": "opened", "name": stream.name}))
        tasks.start_soon(inside.until_withdrawn, principal, runtime)
        tasks.start_soon(_tell, websocket, stream)
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
            text = message.get("text")
            if text is None:
                raise Invalid("A message is text.")
            await stream.send(text)


async def _tell(websocket: WebSocket, stream: LanguageStream) -> None:
    while True:
        match await stream.receive():
            case Ended(why=why):
                await websocket.send_text(json.dumps({"type": "ended", "why": why}))
                await websocket.close(1000)
                raise WebSocketDisconnect(1000)
            case message:
                await websocket.send_text(message)
