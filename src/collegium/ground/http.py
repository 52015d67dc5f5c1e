"""HTTP: errors become problem+json in one table; strangers' pages are kept out; every answer carries its policy."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from collegium.ground import errors
from collegium.ground.ids import new_id
from collegium.ground.log import get_log

log = get_log("http")

STATUS: dict[type[errors.CollegiumError], int] = {
    errors.Invalid: 422,
    errors.TooLarge: 413,
    errors.OutOfRange: 416,
    errors.NotSignedIn: 401,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.QuotaExceeded: 429,
    errors.TooMany: 429,
    errors.StorageFull: 507,
    errors.Unavailable: 503,
}
"""The only place that knows a status code."""

CLOSE: dict[type[errors.CollegiumError], int] = {
    errors.Invalid: 4400,
    errors.TooLarge: 1009,
    errors.OutOfRange: 4400,
    errors.NotSignedIn: 4401,
    errors.NotFound: 4404,
    errors.Forbidden: 4403,
    errors.Conflict: 4409,
    errors.QuotaExceeded: 4429,
    errors.TooMany: 4429,
    errors.StorageFull: 1013,
    errors.Unavailable: 1013,
}
"""What the same errors are to a WebSocket (docs/reference/protocol.md, "Closing")."""

CLOSE_REASON_BYTES_MAX = 123

APP_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; media-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""CodeMirror and KaTeX set styles from script, which needs 'unsafe-inline' for styles and for nothing else."""

FRAME_SANDBOX = "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals"
OUTPUT_POLICY = (
    f"sandbox {FRAME_SANDBOX}; default-src * data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
)
"""The output frame: an opaque origin even when its address is opened directly."""

CLOSED_OUTPUT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "style-src 'self' 'unsafe-inline' data: blob:; font-src 'self' data:; img-src data: blob:; "
    "media-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
CLOSED_OUTPUT_CONNECTIONS = "(response-origin)"
"""The output frame for what came with a file: it has no network but the app's own scripts and fonts (decision 10).

A content policy says nothing about WebRTC, nor about connections made ahead of a refused navigation; the allowlist of
connections does, in the browsers that know it.
"""
ASSET_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""Scripts, styles and fonts. Only a worker, or a picture opened by its address, is held to it; it comes thirty times
with a page, so it is short.
"""
FRAME_POLICIES = {"/output.html": OUTPUT_POLICY, "/output-closed.html": CLOSED_OUTPUT_POLICY}

USER_CONTENT_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Whatever a person uploaded or a kernel produced, when it is served as it is."""


def problem(status: int, code: str, detail: str, **extra: object) -> JSONResponse:
    """An RFC 9457 problem with a stable `code`."""
    body = {
        "type": f"urn:collegium:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JSONResponse(body | extra, status, media_type="application/problem+json")


def problem_of(error: errors.CollegiumError) -> Response:
    """The answer to an expected error."""
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    answer = problem(status, error.code, error.detail, **error.extra)
    if isinstance(error, errors.TooMany) and "retry_after" in error.extra:
        answer.headers["Retry-After"] = str(error.extra["retry_after"])
    if isinstance(error, errors.OutOfRange) and "size" in error.extra:
        answer.headers["Content-Range"] = f"bytes */{error.extra['size']}"
    if isinstance(error, errors.NotSignedIn):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def close_for(socket: WebSocket, error: errors.CollegiumError) -> None:
    """Close a socket with the error's code. Accepts it first if need be: a browser hides why a handshake failed."""
    if socket.application_state is WebSocketState.CONNECTING:
        await socket.accept()
    code = next(number for kind, number in CLOSE.items() if isinstance(error, kind))
    reason = error.detail.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore")
    if socket.application_state is WebSocketState.CONNECTED:
        await socket.close(code, reason)


async def converse(socket: WebSocket, talk: Callable[[], Awaitable[None]]) -> None:
    """Accept a socket and talk, in tasks perhaps, until either side goes; what went wrong is its closing code."""
    await socket.accept()
    gone = False
    try:
        await talk()
    except* WebSocketDisconnect:
        gone = True
    except* errors.CollegiumError as group:
        if not gone:
            await close_for(socket, errors.first(group))


async def refuse(scope: Scope, receive: Receive, send: Send, error: errors.CollegiumError) -> None:
    """Answer for a middleware, whose errors no route tells; nothing may have been answered before."""
    if scope["type"] == "websocket":
        await close_for(WebSocket(scope, receive, send), error)
    else:
        await problem_of(error)(scope, receive, send)


def add_problem_handlers(app: FastAPI) -> None:
    """Every error of every route leaves as problem+json; a bug says nothing of the inside."""

    async def expected(request: Any, error: Exception) -> Any:
        assert isinstance(error, errors.CollegiumError)
        if isinstance(request, WebSocket):
            await close_for(request, error)
            return None
        return problem_of(error)

    async def malformed(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        where = [{"where": [str(part)[:100] for part in e["loc"]], "what": e["msg"]} for e in error.errors()[:20]]
        return problem(422, "invalid", "The request cannot be read.", errors=where)

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "error")
        answer = problem(error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    async def broken_off(request: Request, _error: Exception) -> Response:
        log.info("request.broken_off", method=request.method, path=request.url.path)
        return problem(400, "broken_off", "The request broke off before it was whole.")

    async def bug(request: Request, error: Exception) -> Response:
        incident = new_id()
        log.error("request.failed", incident=incident, method=request.method, path=request.url.path, exc_info=error)
        answer = problem(500, "bug", f"Something went wrong here. Incident {incident} is in the server's log.")
        # Starlette answers for a bug outside of every middleware, and so outside of the gate.
        answer.raw_headers.extend(_policy(request.url.path).items())
        return answer

    app.add_exception_handler(errors.CollegiumError, expected)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(ClientDisconnect, broken_off)
    app.add_exception_handler(Exception, bug)


def header(scope: Scope, name: bytes) -> str | None:
    """One request header as text, or None."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def same_origin(scope: Scope) -> bool:
    """Whether the page that sent this is ours, as far as browsers tell.

    A browser cannot leave `Origin` or `Sec-Fetch-Site` out of a cross-site request that changes things or opens a
    socket; a program that is no browser sends neither, and holds no cookie that somebody else could ride on.
    """
    site = header(scope, b"sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origins = [str(value, "latin-1") for key, value in scope["headers"] if key == b"origin"]
    hosts = [str(value, "latin-1") for key, value in scope["headers"] if key == b"host"]
    if not origins:
        return True
    if len(origins) > 1 or len(hosts) != 1:
        return False
    match = _ORIGIN.fullmatch(origins[0].lower())
    if match is None:
        return False
    scheme, netloc = match.groups()
    # A TLS proxy in front makes https into http; nothing makes http into https.
    if scheme == "http" and scope["scheme"] in ("https", "wss"):
        return False
    return _with_port(netloc, scheme) == _with_port(hosts[0].lower(), scheme)


_ORIGIN = re.compile(r"(https?)://((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)", re.ASCII)
"""All that a browser's Origin can be, whole: no user, no path, no list. International names come as ASCII."""


def _with_port(netloc: str, scheme: str) -> str:
    bare = netloc.rsplit("]", 1)[-1]
    return netloc if ":" in bare else f"{netloc}:{443 if scheme == 'https' else 80}"


class Gate:
    """Refuses what another site's page sent, and puts the policy headers on every answer.

    Reading with a cookie from another site is refused as well, except top-level navigation: what a page may not
    see it should not be able to time or embed either.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if not same_origin(scope):
                await send({"type": "websocket.close", "code": 4403, "reason": "another site may not open this"})
                return
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_policy(message, scope["path"])
            await send(message)

        if not same_origin(scope) and not _harmless(scope):
            await problem(403, "cross_site", "This request came from another site.")(scope, receive, with_policy)
            return
        await self.app(scope, receive, with_policy)


class BodyLimit:
    """Refuses a request body over the limit before it fills the memory.

    Routes that read their body as a stream count for themselves: `streamed` matches their whole path.
    """

    def __init__(self, app: ASGIApp, *, bytes_max: int = 1 << 20, streamed: str = "") -> None:
        self.app = app
        self.bytes_max = bytes_max
        self.streamed = re.compile(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.streamed.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        detail = f"A request like this has at most {self.bytes_max} bytes."
        length = header(scope, b"content-length") or "0"
        if not length.isdecimal() or len(length) > 18 or int(length) > self.bytes_max:
            await problem(413, "too_large", detail)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.bytes_max:
                # Starlette's own error: FastAPI turns every other one that comes out of a body into a 400.
                raise HTTPException(413, detail)
            return message

        await self.app(scope, counted, send)


def _harmless(scope: Scope) -> bool:
    """A person following a link, or the opaque output frame fetching the app's own public scripts and fonts."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    if scope["path"].startswith("/assets/"):
        return True
    return header(scope, b"sec-fetch-mode") == "navigate" and header(scope, b"sec-fetch-dest") == "document"


def _add_policy(message: MutableMapping[str, Any], path: str) -> None:
    headers: list[tuple[bytes, bytes]] = list(message["headers"])
    have = {key.lower() for key, _ in headers}
    message["headers"] = headers + [(key, value) for key, value in _policy(path).items() if key not in have]


def _policy(path: str) -> dict[bytes, bytes]:
    if path.startswith("/assets/"):
        return {
            b"content-security-policy": ASSET_POLICY.encode(),
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"no-referrer",
            b"cross-origin-resource-policy": b"cross-origin",
            b"access-control-allow-origin": b"*",
        }
    wanted: dict[bytes, bytes] = {
        b"content-security-policy": FRAME_POLICIES.get(path, APP_POLICY).encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    }
    if path == "/output-closed.html":
        wanted[b"connection-allowlist"] = CLOSED_OUTPUT_CONNECTIONS.encode()
        wanted[b"x-dns-prefetch-control"] = b"off"
    if path.startswith("/api/"):
        wanted[b"cache-control"] = b"no-store"
    return wanted
