"""The socket of an open notebook, and beside it what comes from outside."""

import time
from typing import Any

import anyio
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from collegium.accounts.model import Action
from collegium.accounts.service import visitor
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.errors import CollegiumError, Forbidden, NotFound, NotSignedIn
from collegium.ground.ids import ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.notebooks.service import CLIENT_MAX, Notebooks
from collegium.rooms import model, outside_routes
from collegium.rooms.client import Client
from collegium.rooms.model import Goodbye, Hello
from collegium.rooms.ports import Plane
from collegium.rooms.room import Room
from collegium.rooms.service import Rooms

log = get_log("rooms")

SIGNED_OUT_DETAIL = "You are signed out."


def routes(rooms: Rooms, notebooks: Notebooks, drive: Drive, plane: Plane) -> APIRouter:
    """Their routes, below /api/v1."""
    router = APIRouter(prefix="/notebooks", tags=["notebooks"])

    router.include_router(outside_routes.routes(rooms, notebooks, drive))

    @router.websocket("/{id}/socket")
    async def notebook_socket(websocket: WebSocket, id: str) -> None:
        await websocket.accept()
        try:
            await _visit(websocket, NotebookId(id), rooms, drive, plane)
        except Goodbye as goodbye:
            await _hang_up(websocket, goodbye)
        except WebSocketDisconnect:
            return

    return router


async def _visit(websocket: WebSocket, notebook: NotebookId, rooms: Rooms, drive: Drive, plane: Plane) -> None:
    try:
        principal = visitor(websocket)
        item, role = await drive.authorize(principal, ItemId(notebook), Action.READ)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        hello = await _hello(websocket, rooms.settings.hello_seconds_max)
        async with rooms.accounts.ended(principal) as ended:
            if ended.is_set():
                raise Goodbye(model.SIGNED_OUT, SIGNED_OUT_DETAIL)
            async with rooms.open_here(notebook) as room, room.joined(principal, role, hello) as client:
                with drive.opening(principal, item):
                    await _Conversation(websocket, room, client, plane).run(ended)
    except CollegiumError as error:
        raise _goodbye_for(error) from error


def _goodbye_for(error: CollegiumError) -> Goodbye:
    match error:
        case NotSignedIn():
            return Goodbye(model.SIGNED_OUT, error.detail)
        case NotFound():
            return Goodbye(model.MISSING, error.detail)
        case Forbidden():
            return Goodbye(model.FORBIDDEN, error.detail)
        case _:
            return Goodbye(model.RESTARTING, error.detail)


async def _hello(websocket: WebSocket, seconds: float) -> Hello:
    with anyio.move_on_after(seconds):
        kind, frame = _frame(await websocket.receive())
        if kind == "bytes":
            raise Goodbye(model.MALFORMED, "The first frame must be a hello.")
        return model.parsed_hello(model.parsed_message(frame), client_max=CLIENT_MAX)
    raise Goodbye(model.TOO_SLOW, "No hello came.")


def _frame(message: Any) -> tuple[str, Any]:
    """A frame and its kind. Raises WebSocketDisconnect at the end, and Goodbye over the limit."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    data, text = message.get("bytes"), message.get("text")
    if data is not None:
        if len(data) > model.FRAME_BYTES_MAX:
            raise Goodbye(model.TOO_BIG, "The frame is too large.")
        return "bytes", data
    if len(text) > model.FRAME_BYTES_MAX:
        raise Goodbye(model.TOO_BIG, "The frame is too large.")
    return "text", text


class _Conversation:
    """One tab's socket, from its welcome to its end."""

    def __init__(self, websocket: WebSocket, room: Room, client: Client, plane: Plane) -> None:
        self._websocket = websocket
        self._room = room
        self._client = client
        self._plane = plane

    async def run(self, ended: anyio.Event) -> None:
        """Until one side goes. Raises Goodbye or WebSocketDisconnect."""
        goodbye: Goodbye | None = None
        disconnect: WebSocketDisconnect | None = None
        try:
            try:
                await self._begin()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._sign_out, ended)
                    tasks.start_soon(self._let_go)
                    tasks.start_soon(self._send)
                    await self._receive()
            except* Goodbye as group:
                goodbye = _first(group, Goodbye)
            except* CollegiumError as group:
                goodbye = goodbye or _goodbye_for(_first(group, CollegiumError))
            except* WebSocketDisconnect as group:
                disconnect = _first(group, WebSocketDisconnect)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._plane.left(self._client)
        if goodbye is not None:
            await self._last_words()
            raise goodbye
        if disconnect is not None:
            raise disconnect

    async def _begin(self) -> None:
        self._client.outbox.beginning = True
        try:
            await self._plane.joined(self._client)
        finally:
            self._client.outbox.beginning = False

    async def _sign_out(self, ended: anyio.Event) -> None:
        await ended.wait()
        raise Goodbye(model.SIGNED_OUT, SIGNED_OUT_DETAIL)

    async def _let_go(self) -> None:
        raise await self._client.closed()

    async def _send(self) -> None:
        outbox = self._client.outbox
        while True:
            if outbox.overflowed:
                await self._room.resync(self._client)
                await self._begin()
            frame = outbox.take()
            if frame is None:
                await outbox.wait()
                continue
            self._client.sending_since = time.monotonic()
            await self._websocket.send(_message(frame))
            self._client.sending_since = None

    async def _last_words(self) -> None:
        """What explains the goodbye: a rejection waits in the outbox, among other things that no longer matter.

        To a tab that was not welcomed there is nothing to explain, and a welcome without the document is none.
        """
        if not self._client.outbox.is_welcomed:
            return
        with anyio.move_on_after(1):
            while (frame := self._client.outbox.take()) is not None:
                if isinstance(frame, str):
                    await self._websocket.send(_message(frame))

    async def _receive(self) -> None:
        while True:
            kind, frame = _frame(await self._websocket.receive())
            if kind == "bytes":
                await self._receive_bytes(frame)
            else:
                await self._receive_text(frame)

    async def _receive_bytes(self, frame: bytes) -> None:
        match frame[:1]:
            case model.UPDATE:
                if len(frame) < 5:
                    raise Goodbye(model.MALFORMED, "An edit is malformed.")
                self._client.require(Action.WRITE)
                await self._room.intake()
                self._room.receive_update(self._client, int.from_bytes(frame[1:5], "big"), frame[5:])
            case model.AWARENESS:
                self._room.receive_awareness(self._client, frame[1:])
            case _:
                raise Goodbye(model.MALFORMED, "A frame is of no known kind.")

    async def _receive_text(self, text: str) -> None:
        if not self._client.messages.take(anyio.current_time()):
            raise Goodbye(model.TOO_FAST, "Too many messages in too short a time.")
        message = model.parsed_message(text)
        match message["type"]:
            case "hello":
                raise Goodbye(model.MALFORMED, "There is one hello.")
            case "claim":
                self._client.require(Action.WRITE)
                await self._room.intake()
                self._room.receive_claim(self._client, model.parsed_claim(message, client_max=CLIENT_MAX))
            case "diverged":
                self._room.receive_divergence(self._client)
            case _:
                await self._plane.received(self._client, message)


def _message(frame: str | bytes) -> dict[str, Any]:
    return {"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame}


def _first(group: BaseExceptionGroup[Any], kind: type[Any]) -> Any:
    for error in group.exceptions:
        return _first(error, kind) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an empty group")


async def _hang_up(websocket: WebSocket, goodbye: Goodbye) -> None:
    log.info("client.let_go", code=goodbye.code, reason=goodbye.reason)
    with anyio.move_on_after(5):
        try:
            await websocket.close(goodbye.code, goodbye.reason.encode()[:120].decode(errors="ignore"))
        except (RuntimeError, WebSocketDisconnect):
            return
