"""The door to ports of runtimes: what is asked for below their domains never reaches our own pages or API."""

from contextlib import suppress
from html import escape
from urllib.parse import parse_qs

import anyio
import h11
from anyio.abc import ByteStream
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidMessage, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Response as Handshake
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from collegium.ground import errors
from collegium.ground.http import CLOSE, STATUS, header, same_origin
from collegium.ground.log import get_log
from collegium.inside import passing
from collegium.inside.model import Visit
from collegium.inside.passing import COOKIE, SECURE_COOKIE, Place, Unreadable
from collegium.inside.service import TICKET_PATH, Inside

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
READ_BYTES = 64 * 1024
HEAD_BYTES_MAX = 64 * 1024
CLOSED_BY_VISIT = 1008
STATUS_MAX = 599
HUNG_UP = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)

log = get_log("inside")


class PortsDoor:
    """ASGI middleware, outside of everything else. Each request, and each second of a long one, is asked for anew."""

    def __init__(self, app: ASGIApp, inside: Inside) -> None:
        self.app = app
        self.inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts = [str(value, "latin-1") for key, value in scope["headers"] if key == b"host"]
        labels = [self.inside.label_in(host) for host in hosts]
        if all(label is None for label in labels):
            await self.app(scope, receive, send)
            return
        try:
            label = labels[0]
            if len(hosts) != 1 or label is None:
                raise errors.Invalid("The request names two hosts.")
            if scope["type"] == "websocket":
                await self._socket(scope, receive, send, label, hosts[0])
            elif scope["path"] == TICKET_PATH:
                await self._admit(scope, receive, send, label)
            else:
                await self._request(scope, receive, send, label, hosts[0])
        except errors.CollegiumError as error:
            await _refuse(scope, receive, send, error)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, label: str) -> None:
        secrets = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10).get("ticket", [])
        if scope["method"] != "GET" or len(secrets) != 1:
            raise errors.Invalid("Open this port from Collegium.")
        value = self.inside.redeem(label, secrets[0])
        secure = _scheme(scope) == "https"
        answer = Response(status_code=303, headers={"Location": "/", "Cache-Control": "no-store"})
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.set_cookie(
            SECURE_COOKIE if secure else COOKIE, value, path="/", secure=secure, httponly=True, samesite="lax"
        )
        await answer(scope, receive, send)

    async def _visit(self, scope: Scope, label: str, host: str) -> tuple[Visit, Place]:
        if not same_origin(scope) and not _is_navigation(scope):
            raise errors.Forbidden("This request came from another site.")
        visit = await self.inside.visitor(label, passing.own_cookies(scope["headers"]))
        return visit, Place(_scheme(scope), host, visit.port)

    # HTTP

    async def _request(self, scope: Scope, receive: Receive, send: Send, label: str, host: str) -> None:
        visit, place = await self._visit(scope, label, host)
        exchange = _Exchange(scope, receive, send, place)
        async with self.inside.stream_to(visit) as stream:
            await exchange.send_head(stream)
            ended = await self._while_allowed(visit, exchange, stream)
        if ended is not None and not exchange.began:
            raise ended

    async def _while_allowed(self, visit: Visit, exchange: "_Exchange", stream: ByteStream) -> Exception | None:
        ended: errors.CollegiumError | None = None
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                nonlocal ended
                ended = await self.inside.until_visit_ends(visit)
                tasks.cancel_scope.cancel()

            async def limit() -> None:
                nonlocal ended
                seconds = self.inside.settings.answer_timeout.total_seconds()
                while (left := exchange.moved_at + seconds - anyio.current_time()) > 0:
                    with anyio.move_on_after(left):
                        await anyio.sleep_forever()
                if not exchange.began:
                    ended = errors.Unavailable("The server inside does not answer.")
                    tasks.cancel_scope.cancel()

            async def listen() -> None:
                await exchange.send_body(stream)
                tasks.cancel_scope.cancel()

            for task in (watch, limit, listen):
                tasks.start_soon(task)
            try:
                await exchange.answer(stream)
            except errors.CollegiumError as error:
                ended = error
            tasks.cancel_scope.cancel()
        return ended

    # WebSocket

    async def _socket(self, scope: Scope, receive: Receive, send: Send, label: str, host: str) -> None:
        visit, place = await self._visit(scope, label, host)
        async with self.inside.stream_to(visit) as stream:
            line = await _Line.open(scope, stream, place)
            await receive()  # websocket.connect
            await send({"type": "websocket.accept", "subprotocol": line.subprotocol})
            code = 1000
            async with anyio.create_task_group() as tasks:

                async def watch() -> None:
                    nonlocal code
                    await self.inside.until_visit_ends(visit)
                    code = CLOSED_BY_VISIT
                    tasks.cancel_scope.cancel()

                async def up() -> None:
                    while (message := await receive())["type"] == "websocket.receive":
                        await line.send(message)
                    with anyio.move_on_after(1):
                        await line.close(message.get("code"))
                    tasks.cancel_scope.cancel()

                tasks.start_soon(watch)
                tasks.start_soon(up)
                code = await line.pass_on(send)
                tasks.cancel_scope.cancel()
            with anyio.move_on_after(5):
                await send({"type": "websocket.close", "code": code})


class _Exchange:
    """One request and its answer, by HTTP/1.1 to a connection of its own."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, place: Place) -> None:
        self.began = False
        self.moved_at = anyio.current_time()
        self._scope, self._receive, self._send, self._place = scope, receive, send, place
        self._has_body = passing.has_body(scope["headers"])
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)

    async def send_head(self, stream: ByteStream) -> None:
        """Raises Invalid for what cannot be said in HTTP."""
        try:
            headers = passing.request_headers(self._scope["headers"], self._place, body=self._has_body)
            request = h11.Request(
                method=self._scope["method"], target=_target(self._scope), headers=[*headers, (b"connection", b"close")]
            )
            data = self._http.send(request) or b""
        except (h11.LocalProtocolError, Unreadable) as error:
            raise errors.Invalid("The request cannot be passed on.") from error
        await stream.send(data)

    async def send_body(self, stream: ByteStream) -> None:
        """Comes back when the browser is gone. What the server inside does not take any more is dropped."""
        more = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            if not more:
                continue
            more = message.get("more_body", False)
            try:
                data = self._http.send(h11.Data(data=message["body"])) if self._has_body and message["body"] else b""
                data = (data or b"") + (b"" if more else self._http.send(h11.EndOfMessage()) or b"")
                if data:
                    await stream.send(data)
                    self.moved_at = anyio.current_time()
            except (h11.LocalProtocolError, *HUNG_UP):
                more = False  # it may have answered already, and hung up

    async def answer(self, stream: ByteStream) -> None:
        """Raises Unavailable if there is none; one that breaks off is left unfinished."""
        try:
            while True:
                event = self._http.next_event()
                match event:
                    case h11.NEED_DATA:
                        self._http.receive_data(await _received(stream))
                    case h11.Response():
                        await self._start(event)
                    case h11.Data():
                        await self._send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
                    case h11.EndOfMessage():
                        await self._send({"type": "http.response.body", "body": b""})
                        return
                    case h11.ConnectionClosed():
                        raise h11.RemoteProtocolError("it hung up")
        except h11.RemoteProtocolError as error:
            if not self.began:
                raise errors.Unavailable("The server inside answered something that is not HTTP.") from error
            log.info("port.broke_off", why=str(error))

    async def _start(self, event: h11.Response) -> None:
        if event.status_code > STATUS_MAX:
            raise h11.RemoteProtocolError("a status that is none")
        headers = passing.response_headers([(bytes(k), bytes(v)) for k, v in event.headers], self._place)
        self.began = True
        await self._send({"type": "http.response.start", "status": event.status_code, "headers": headers})


class _Line:
    """A WebSocket to the server inside."""

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        self._stream, self._protocol = stream, protocol
        self._parts: list[bytes] = []
        self._text = False
        self._waiting: list[Frame] = []

    @property
    def subprotocol(self) -> str | None:
        return self._protocol.subprotocol

    @classmethod
    async def open(cls, scope: Scope, stream: ByteStream, place: Place) -> "_Line":
        """The handshake. Raises Invalid, or Unavailable if the server inside refuses."""
        target = _target(scope).decode("latin-1")
        wanted = [Subprotocol(name) for name in scope.get("subprotocols", [])] or None
        protocol = ClientProtocol(
            parse_uri(f"ws://localhost:{place.port}{target}"), subprotocols=wanted, max_size=MESSAGE_BYTES_MAX
        )
        request = protocol.connect()
        for key, value in passing.request_headers(scope["headers"], place, body=False):
            if not key.startswith(b"sec-websocket-") and key not in (b"host", b"content-type"):
                request.headers[key.decode("latin-1")] = value.decode("latin-1")
        protocol.send_request(request)
        line = cls(stream, protocol)
        try:
            with anyio.fail_after(30):
                await line._flush()
                while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
                    await line._read()
        except (TimeoutError, InvalidHandshake, InvalidMessage) as error:
            raise errors.Unavailable("The server inside does not answer.") from error
        if protocol.handshake_exc is not None:
            raise errors.Unavailable("The server inside does not take this socket.") from protocol.handshake_exc
        return line

    async def send(self, message: Message) -> None:
        """One message of the browser."""
        if self._protocol.state is not State.OPEN:
            return
        if message.get("text") is not None:
            self._protocol.send_text(message["text"].encode())
        else:
            self._protocol.send_binary(message["bytes"])
        await self._flush()

    async def close(self, code: int | None) -> None:
        """The browser closed it."""
        if self._protocol.state is State.OPEN:
            try:
                self._protocol.send_close(code or 1000)
            except ProtocolError:
                self._protocol.send_close(1000)
            await self._flush()

    async def pass_on(self, send: Send) -> int:
        """Hand every message of the server inside over, to the end. The code that it closed with."""
        while True:
            for frame in self._waiting:
                message = self._whole(frame)
                if message is not None:
                    await send(message)
            self._waiting = []
            if self._protocol.state in (State.CLOSING, State.CLOSED):
                return _passable(self._protocol.close_rcvd.code if self._protocol.close_rcvd else 1006)
            await self._read()

    def _whole(self, frame: Frame) -> Message | None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._parts, self._text = [], frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        data, self._parts = b"".join(self._parts), []
        if self._text:
            return {"type": "websocket.send", "text": data.decode(errors="replace")}
        return {"type": "websocket.send", "bytes": data}

    async def _read(self) -> None:
        data = await _received(self._stream)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if not isinstance(event, Handshake) and isinstance(event, Frame):
                self._waiting.append(event)
        await self._flush()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                with suppress(*HUNG_UP):  # whoever reads hears it
                    await self._stream.send(data)


async def _received(stream: ByteStream) -> bytes:
    """What comes next; nothing at the end, whatever ended it."""
    try:
        return await stream.receive(READ_BYTES)
    except (anyio.EndOfStream, *HUNG_UP):
        return b""


def _passable(code: int) -> int:
    """A code that may be sent; 1005, 1006 and 1015 only say that there was none."""
    return code if 1000 <= code <= 4999 and code not in (1004, 1005, 1006, 1015) else 1001


def _target(scope: Scope) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + (b"?" + query if query else b"")


def _scheme(scope: Scope) -> str:
    """As the browser sees it: a proxy in front that ends TLS says so, and lies only to its own."""
    forwarded = header(scope, b"x-forwarded-proto")
    secure = scope["scheme"] in ("https", "wss") or (forwarded or "").rsplit(",", 1)[-1].strip() == "https"
    return "https" if secure else "http"


def _is_navigation(scope: Scope) -> bool:
    """Somebody follows a link to here, in a window of its own."""
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and header(scope, b"sec-fetch-mode") == "navigate"
        and header(scope, b"sec-fetch-dest") == "document"
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, error: errors.CollegiumError) -> None:
    if scope["type"] == "websocket":
        code = next(number for kind, number in CLOSE.items() if isinstance(error, kind))
        await send({"type": "websocket.close", "code": code, "reason": error.detail[:100]})
        return
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    page = (
        '<!doctype html><meta charset="utf-8"><title>Collegium</title>'
        f"<p>{escape(error.detail)}</p><p>Open the port again from the notebook that it belongs to.</p>"
    )
    answer = HTMLResponse(page, status)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    answer.headers["Cache-Control"] = "no-store"
    await answer(scope, receive, send)
