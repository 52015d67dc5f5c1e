"""What every route of the Jupyter API has in common: who asks, what bodies look like, and how errors are told."""

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.ground.errors import CollegiumError, Invalid, NotSignedIn, TooLarge
from collegium.ground.http import STATUS, header

PREFIX = "/jupyter"
FORBIDDEN = 403


class QueryToken:
    """ASGI middleware: below /jupyter a token may stand in the address, as Jupyter's clients put it there.

    It moves to the header at once, so that nothing behind this line sees it in an address, or writes it down.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(PREFIX + "/"):
            query = scope.get("query_string", b"")
            if b"token" in query:
                scope = _with_header(scope, query)
        await self.app(scope, receive, send)


def _with_header(scope: Scope, query: bytes) -> Scope:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    tokens = [value for key, value in pairs if key == "token"]
    rest = urlencode([(key, value) for key, value in pairs if key != "token"], encoding="latin-1")
    changed = dict(scope) | {"query_string": rest.encode("latin-1")}
    if tokens and header(scope, b"authorization") is None:
        given = f"token {tokens[0]}".encode("latin-1", "replace")
        changed["headers"] = [*scope["headers"], (b"authorization", given)]
    return changed


class JupyterRoute(APIRoute):
    """A route whose errors are told as Jupyter tells them: `{"message", "reason"}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors told."""
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handler(request)
            except CollegiumError as error:
                return refusal(error)
            except RequestValidationError:
                return refusal(Invalid("The request cannot be read."))
            except HTTPException as error:
                return _told(error.status_code, str(error.detail), None)

        return told


def refusal(error: CollegiumError) -> Response:
    """An expected error as an answer. `reason`: what some clients look for (`bad type`, `bad format`)."""
    status = next(number for kind, number in STATUS.items() if isinstance(error, kind))
    if isinstance(error, Invalid):
        status = 400
    if isinstance(error, NotSignedIn):
        status = FORBIDDEN
    reason = error.extra.get("reason")
    return _told(status, error.detail, reason if isinstance(reason, str) else None)


def _told(status: int, message: str, reason: str | None) -> Response:
    return JSONResponse({"message": message, "reason": reason}, status)


async def refuse_socket(websocket: WebSocket, error: CollegiumError) -> None:
    """Refuse a socket before it is opened, with the status that a request would get."""
    if isinstance(error, NotSignedIn):
        # What a close means before the accept; uvicorn logs an error for the other way, which a stranger could call.
        await websocket.close()
        return
    await websocket.send_denial_response(refusal(error))


async def body_of(request: Request, bytes_max: int) -> dict[str, Any] | None:
    """The JSON object in the body; None if there is no body. Raises Invalid or TooLarge."""
    length = request.headers.get("content-length", "")
    data = bytearray()
    if length.isdecimal() and len(length) < 20 and int(length) > bytes_max:
        raise TooLarge(f"A request like this has at most {bytes_max} bytes.")
    async for piece in request.stream():
        data += piece
        if len(data) > bytes_max:
            raise TooLarge(f"A request like this has at most {bytes_max} bytes.")
    if not data.strip():
        return None
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("Invalid JSON in body of request") from error
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Invalid("The body of the request is not an object.")
    return value


def text_in(body: dict[str, Any] | None, key: str) -> str | None:
    """A text in a body; None if it is not there, or null. Raises Invalid if it is something else."""
    value = None if body is None else body.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid(f"{key!r} is not a text.")
    return value


def object_in(body: dict[str, Any] | None, key: str) -> dict[str, Any]:
    """An object in a body; an empty one if it is not there, or null. Raises Invalid if it is something else."""
    value = None if body is None else body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{key!r} is not an object.")
    return value


def who(request: Request) -> Principal:
    """FastAPI dependency: who makes this request. Raises NotSignedIn."""
    return signed_in(request)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
