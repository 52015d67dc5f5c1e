"""The door that every request comes through: what another worker has to answer is passed on to it, both ways."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import ObjectSendStream
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.http import problem_of
from collegium.ground.log import get_log
from collegium.workers.model import WorkerId
from collegium.workers.service import WAIT_SECONDS_MAX, Garbled, HungUp, Line, Message, Workers

log = get_log("workers")

KIND = "request"
PIECE_BYTES_MAX = 1 << 20
RESTARTING = 1012
RETRY_SECONDS = 0.1
CLOSE_SECONDS_MAX = 5
GONE = "Another process of the server went away. Try again in a moment."

Whose = Callable[[Scope], Awaitable[WorkerId | None]]
"""Which other worker has to answer a request; None: this one may."""


class OwnerDoor:
    """ASGI middleware, outside of everything else.

    What is passed on carries the headers it came with, and is signed in again where it arrives: a worker believes
    another nothing but the address of the client.
    """

    def __init__(self, app: ASGIApp, workers: Workers, whose: Whose) -> None:
        self.app = app
        self.workers = workers
        self.whose = whose
        workers.handlers[KIND] = self._answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.workers.alone or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            line = await self._line(scope)
        except CollegiumError as error:
            await _refuse(scope, receive, send, error)
            return
        if line is None:
            await self.app(scope, receive, send)
        else:
            owner, line_to = line
            await _Passage(self.workers, owner, line_to, scope, receive, send).run()

    async def _line(self, scope: Scope) -> tuple[WorkerId, Line] | None:
        """To whoever has to answer; None: that is us. Raises Unavailable when nobody does for long."""
        with anyio.move_on_after(WAIT_SECONDS_MAX):
            while (owner := await self.whose(scope)) is not None:
                try:
                    return owner, await self.workers.dial(owner, _opening(scope))
                except HungUp:
                    await self.workers.suspect(owner)
                    await anyio.sleep(RETRY_SECONDS)
            return None
        raise Unavailable(GONE)

    async def _answer(self, line: Line, message: Message, _body: bytes) -> None:
        """A request that another worker passed on."""
        scope = _scope(message)
        send_event, receive_event = anyio.create_memory_object_stream[Event](1)
        ended = {"type": "http.disconnect"} if scope["type"] == "http" else _disconnected()
        over = False

        async def receive() -> Event:
            try:
                return await receive_event.receive()
            except anyio.EndOfStream:
                return ended

        async def send(event: Event) -> None:
            with suppress(HungUp):
                # Whoever asked is gone, which `receive` says as well.
                await _send_event(line, event)

        async with receive_event, anyio.create_task_group() as tasks:
            tasks.start_soon(_read_events, line, send_event)
            try:
                if await self.whose(scope) is not None:
                    raise Unavailable(GONE)
                await self.app(scope, receive, send)
                over = True
            except CollegiumError as error:
                await _refuse(scope, receive, send, error)
                over = True
            finally:
                if not over:
                    log.warning("request.broke_off", path=scope["path"])
                tasks.cancel_scope.cancel()


class _Passage:
    """One request on its way to another worker, and the answer on its way back."""

    def __init__(
        self, workers: Workers, owner: WorkerId, line: Line, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._workers = workers
        self._owner = owner
        self._line = line
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = False
        self._over = False

    async def run(self) -> None:
        """Until one side ends it, or the other worker does."""
        try:
            async with anyio.create_task_group() as tasks:

                async def up() -> None:
                    await self._up()

                async def watch() -> None:
                    await self._workers.until_gone(self._owner)
                    tasks.cancel_scope.cancel()

                async def down() -> None:
                    await self._down()
                    tasks.cancel_scope.cancel()

                for task in (up, watch, down):
                    tasks.start_soon(task)
        finally:
            with anyio.CancelScope(shield=True):
                await self._line.aclose()
        if not self._over:
            await self._break_off()

    async def _up(self) -> None:
        with suppress(HungUp):
            while True:
                event = await self._receive()
                await _send_event(self._line, event)
                if event["type"] in ("http.disconnect", "websocket.disconnect"):
                    self._over = True
                    return

    async def _down(self) -> None:
        # OSError: the client is gone, which `receive` says as well.
        with suppress(HungUp, Garbled, OSError):
            while True:
                event = _event(*await self._line.receive())
                self._began = True
                await self._send(event)
                if event["type"] in ("websocket.close", "http.response.body", "websocket.http.response.body"):
                    self._over = not event.get("more_body", False)

    async def _break_off(self) -> None:
        if self._scope["type"] == "websocket":
            with anyio.move_on_after(CLOSE_SECONDS_MAX), suppress(OSError):
                if not self._began:
                    await self._send({"type": "websocket.accept"})
                await self._send({"type": "websocket.close", "code": RESTARTING, "reason": GONE})
        elif not self._began:
            await problem_of(Unavailable(GONE))(self._scope, self._receive, self._send)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: CollegiumError) -> None:
    if scope["type"] == "websocket":
        # Accepted first: a browser hides why a handshake failed.
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": RESTARTING, "reason": error.detail[:100]})
    else:
        await problem_of(error)(scope, receive, send)


# --- what is passed on, as messages of a line ----------------------------------------------------------------------

_BYTES = ("body", "bytes")
_NAMES = ("type", "http_version", "method", "scheme", "path", "root_path", "client", "server", "subprotocols")
_PLAIN = re.compile("http|websocket")


def _opening(scope: Scope) -> Message:
    said = {name: scope[name] for name in _NAMES if name in scope}
    said |= {name: scope.get(name, b"").decode("latin-1") for name in ("raw_path", "query_string")}
    said["headers"] = [[key.decode("latin-1"), value.decode("latin-1")] for key, value in scope["headers"]]
    return {"kind": KIND, "scope": said}


def _scope(message: Message) -> Scope:
    said = message.get("scope")
    if not isinstance(said, dict) or _PLAIN.fullmatch(str(said.get("type"))) is None:
        raise Garbled("no request")
    try:
        scope: dict[str, Any] = {name: said[name] for name in _NAMES if name in said}
        scope["path"], scope["headers"] = (
            str(said["path"]),
            [(str(key).encode("latin-1"), str(value).encode("latin-1")) for key, value in said["headers"]],
        )
        scope |= {name: str(said[name]).encode("latin-1") for name in ("raw_path", "query_string")}
        for name in ("client", "server"):
            scope[name] = tuple(said[name]) if said.get(name) else None
    except (KeyError, TypeError, ValueError) as error:
        raise Garbled("no request") from error
    extensions: dict[str, Any] = {"websocket.http.response": {}} if scope["type"] == "websocket" else {}
    return scope | {"asgi": {"version": "3.0", "spec_version": "2.4"}, "state": {}, "extensions": extensions}


def _disconnected() -> Event:
    return {"type": "websocket.disconnect", "code": 1006, "reason": ""}


async def _send_event(line: Line, event: Event) -> None:
    name = next((name for name in _BYTES if event.get(name) is not None), None)
    said = {key: value for key, value in event.items() if key not in _BYTES}
    if "headers" in said:
        said["headers"] = [[bytes(k).decode("latin-1"), bytes(v).decode("latin-1")] for k, v in said["headers"]]
    if name is None:
        await line.send({"event": said})
        return
    data = bytes(event[name])
    while name == "body" and len(data) > PIECE_BYTES_MAX:
        await line.send({"event": said | {"more_body": True}, "as": name}, data[:PIECE_BYTES_MAX])
        data = data[PIECE_BYTES_MAX:]
    await line.send({"event": said, "as": name}, data)


def _event(message: Message, body: bytes) -> Event:
    event = message.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise Garbled("no event")
    if "headers" in event:
        event["headers"] = [(str(k).encode("latin-1"), str(v).encode("latin-1")) for k, v in event["headers"]]
    if message.get("as") in _BYTES:
        event[message["as"]] = body
    return event


async def _read_events(line: Line, send: ObjectSendStream[Event]) -> None:
    """Until the line ends. In a task of its own, since who waits for an event may give up half-way."""
    async with send:
        with suppress(HungUp, Garbled, anyio.BrokenResourceError):
            while True:
                await send.send(_event(*await line.receive()))
