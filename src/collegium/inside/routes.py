"""The doors into a runtime: its files, its terminals, its ports."""

import json
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import anyio
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.drive.model import content_disposition, parsed_range
from collegium.ground.errors import Invalid, TooLarge, Unavailable
from collegium.ground.http import USER_CONTENT_POLICY, converse
from collegium.ground.ids import RuntimeId
from collegium.ground.log import get_log
from collegium.inside import language_routes
from collegium.inside.service import Inside
from collegium.kernels.files import PATH_BYTES_MAX, FilesClient, Kind
from collegium.kernels.terminals import INPUT_BYTES_MAX, OFFSET_MAX, Exited, Output, TerminalStream

log = get_log("inside")

CHUNK_BYTES_MAX = 8 * 1024 * 1024
ROWS_MAX = 1000
SHOWN_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
}
"""What an <img>, <audio> or <video> of the page may show. An address opened by itself is saved, never shown."""

User = Annotated[Principal, Depends(signed_in)]
Id = Annotated[str, Path(max_length=64)]
TerminalName = Annotated[str, Path(max_length=64)]
FilePath = Annotated[str, Field(min_length=1, max_length=PATH_BYTES_MAX)]
PathQuery = Annotated[str, Query(min_length=1, max_length=PATH_BYTES_MAX, description="An absolute path inside.")]
Mark = Annotated[
    str, Query(max_length=64, pattern="^[A-Za-z0-9_-]*$", description="Tells two uploads of one path apart.")
]
Size = Annotated[int, Query(ge=0, le=2**50)]
BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}


class EntryShown(BaseModel):
    """One name in a directory."""

    name: str
    kind: Kind
    size: int
    modified_ms: int


class DirectoryShown(BaseModel):
    """What is in a directory, by name; `truncated`: there is more than is listed."""

    path: str
    entries: list[EntryShown]
    truncated: bool


class EntryRequest(BaseModel):
    """An empty file, or a directory."""

    path: FilePath
    kind: Literal["file", "directory"]


class EntryChange(BaseModel):
    """Where it shall be."""

    path: FilePath
    to: FilePath


class FileWritten(BaseModel):
    """The file as it is now; `etag` as in the header."""

    size: int
    modified_ms: int
    etag: str


class UploadShown(BaseModel):
    """How much of an upload has arrived; `total` is null when there is none."""

    received: int
    total: int | None


class TerminalShown(BaseModel):
    """A shell that runs; `title` is what its programs set."""

    name: str
    title: str


class TerminalRequest(BaseModel):
    """A new shell, and the directory it starts in."""

    cwd: FilePath | None = None


class PortShown(BaseModel):
    """A TCP port that a program inside listens on."""

    port: int
    process: str


class PortAddress(BaseModel):
    """An address that opens the port, once and soon, in this person's browser."""

    url: str


def routes(inside: Inside) -> APIRouter:
    """Everything inside a runtime, relative to /api/v1."""
    router = APIRouter(tags=["inside a runtime"], prefix="/runtimes/{runtime}")
    router.include_router(_file_routes(inside))
    router.include_router(_content_routes(inside))
    router.include_router(_terminal_routes(inside))
    router.include_router(_port_routes(inside))
    router.include_router(language_routes.routes(inside))
    return router


def _file_routes(inside: Inside) -> APIRouter:
    router = APIRouter()

    @router.get("/files", response_model=DirectoryShown, summary="What is in a directory of a runtime")
    async def list_runtime_files(runtime: Id, principal: User, path: PathQuery = "/content") -> DirectoryShown:
        files = await inside.files(principal, RuntimeId(runtime))
        found = await files.list(path)
        entries = [
            EntryShown(name=one.name, kind=one.kind, size=one.size, modified_ms=one.modified_ms)
            for one in found.entries
        ]
        return DirectoryShown(path=found.path, entries=entries, truncated=found.truncated)

    @router.post("/files", status_code=201, response_model=None, summary="Make an empty file or a directory")
    async def create_runtime_file(runtime: Id, principal: User, body: EntryRequest) -> None:
        files = await inside.files(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        await files.create(body.path, body.kind)

    @router.patch("/files", status_code=204, response_model=None, summary="Rename or move a file or directory")
    async def rename_runtime_file(runtime: Id, principal: User, body: EntryChange) -> None:
        files = await inside.files(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        await files.rename(body.path, body.to)

    @router.delete(
        "/files", status_code=204, response_model=None, summary="Delete a file, or a directory with all in it"
    )
    async def delete_runtime_file(runtime: Id, principal: User, path: PathQuery) -> None:
        files = await inside.files(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        await files.delete(path)

    return router


def _content_routes(inside: Inside) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/files/content",
        response_class=Response,
        summary="A file of a runtime, or a range of its bytes",
        responses={206: {"description": "The part asked for"}, 416: {"description": "The file ends before that"}},
    )
    async def read_runtime_file(
        runtime: Id,
        principal: User,
        request: Request,
        path: PathQuery,
        download: Annotated[bool, Query(description="Of no type that a browser shows.")] = False,
    ) -> Response:
        files = await inside.files(principal, RuntimeId(runtime))
        return _FileAnswer(files, path, request.headers.get("range"), download=download)

    @router.put(
        "/files/content",
        response_model=FileWritten,
        summary="Write a file of a runtime whole, in one step",
        openapi_extra=BODY,
        responses={409: {"description": "The file is not the one that `If-Match` names"}},
    )
    async def write_runtime_file(
        runtime: Id,
        principal: User,
        request: Request,
        path: PathQuery,
        if_match: Annotated[str | None, Header(max_length=100)] = None,
    ) -> FileWritten:
        files = await inside.files(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        tag = None if if_match in (None, "*") else str(if_match).removeprefix("W/").strip('"')
        written = await files.write(path, _pieces(request), tag=tag)
        return FileWritten(size=written.size, modified_ms=written.modified_ms, etag=f'"{written.tag}"')

    @router.put(
        "/files/upload",
        response_model=UploadShown,
        summary="Continue an upload; with the last byte the file appears",
        openapi_extra=BODY,
        responses={409: {"description": "`received` bytes are there, and `offset` is another number"}},
    )
    async def upload_runtime_file(
        runtime: Id, principal: User, request: Request, path: PathQuery, offset: Size, total: Size, mark: Mark = ""
    ) -> UploadShown:
        files = await inside.files(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        found = await files.upload(path, _pieces(request), offset=offset, total=total, mark=mark)
        return UploadShown(received=found.received, total=found.total)

    @router.get("/files/upload", response_model=UploadShown, summary="How far an upload has come")
    async def read_runtime_upload(
        runtime: Id, principal: User, path: PathQuery, total: Size | None = None, mark: Mark = ""
    ) -> UploadShown:
        files = await inside.files(principal, RuntimeId(runtime))
        found = await files.received(path, total=total, mark=mark)
        return UploadShown(received=found.received, total=found.total)

    return router


def _terminal_routes(inside: Inside) -> APIRouter:
    router = APIRouter()

    @router.get("/terminals", response_model=list[TerminalShown], summary="The terminals of a runtime")
    async def list_terminals(runtime: Id, principal: User) -> list[TerminalShown]:
        terminals = await inside.terminals(principal, RuntimeId(runtime))
        return [TerminalShown(name=one.name, title=one.title) for one in await terminals.list()]

    @router.post("/terminals", status_code=201, response_model=TerminalShown, summary="A new terminal")
    async def create_terminal(runtime: Id, principal: User, body: TerminalRequest | None = None) -> TerminalShown:
        terminals = await inside.terminals(principal, RuntimeId(runtime))
        inside.touch(RuntimeId(runtime))
        made = await terminals.create(cwd=body.cwd if body else None)
        return TerminalShown(name=made.name, title=made.title)

    @router.delete("/terminals/{name}", status_code=204, response_model=None, summary="End a terminal")
    async def delete_terminal(runtime: Id, name: TerminalName, principal: User) -> None:
        terminals = await inside.terminals(principal, RuntimeId(runtime))
        await terminals.delete(name)

    @router.websocket("/terminals/{name}/socket")
    async def terminal_socket(
        websocket: WebSocket, runtime: str, name: str, since: Annotated[int, Query(ge=0, lt=OFFSET_MAX)] = 0
    ) -> None:
        await converse(websocket, lambda: _look(websocket, inside, RuntimeId(runtime), name, since))

    return router


def _port_routes(inside: Inside) -> APIRouter:
    router = APIRouter()

    @router.get("/ports", response_model=list[PortShown], summary="The ports that programs in a runtime listen on")
    async def list_ports(runtime: Id, principal: User) -> list[PortShown]:
        ports = await inside.ports(principal, RuntimeId(runtime))
        return [PortShown(port=one.port, process=one.process) for one in await ports.list()]

    @router.post("/ports/{port}", response_model=PortAddress, summary="An address that opens a port, on another origin")
    async def open_port(
        runtime: Id, port: Annotated[int, Path(ge=1, le=65535)], principal: User, request: Request
    ) -> PortAddress:
        # A TLS proxy in front makes https into http. The page knows better, and the gate compared.
        scheme = urlsplit(request.headers.get("origin", "")).scheme or request.url.scheme
        host = request.headers.get("host", "")
        return PortAddress(url=await inside.invite(principal, RuntimeId(runtime), port, scheme=scheme, host=host))

    return router


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    received = 0
    async for piece in request.stream():
        received += len(piece)
        if received > CHUNK_BYTES_MAX:
            raise TooLarge(f"At most {CHUNK_BYTES_MAX} bytes at once.")
        if piece:
            yield piece


class _FileAnswer(Response):
    """A file as a stranger's: never shown by itself, never of our origin. It is opened when the answer begins."""

    def __init__(self, files: FilesClient, path: str, range_header: str | None, *, download: bool) -> None:
        self.background = None
        self._files = files
        self._path = path
        self._range = range_header
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._files.open(self._path) as opened:
            file = opened.file
            part = parsed_range(self._range, file.size)
            start, stop = part or (0, file.size)
            name = PurePosixPath(self._path).name
            kind = None if self._download else SHOWN_TYPES.get(PurePosixPath(name.lower()).suffix)
            headers = {
                "Accept-Ranges": "bytes",
                "Content-Disposition": content_disposition(name),
                "Content-Length": str(stop - start),
                "Content-Security-Policy": USER_CONTENT_POLICY,
                "Content-Type": kind or "application/octet-stream",
                "ETag": f'"{file.tag}"',
                "X-Content-Type-Options": "nosniff",
            }
            if part is not None:
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
            raw = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()]
            status = 200 if part is None else 206
            async with anyio.create_task_group() as tasks:

                async def send_all() -> None:
                    await send({"type": "http.response.start", "status": status, "headers": raw})
                    try:
                        async for piece in opened.pieces(start, stop):
                            await send({"type": "http.response.body", "body": piece, "more_body": True})
                        await send({"type": "http.response.body", "body": b""})
                    except Unavailable as error:
                        # It became shorter, or its runtime ended: the browser sees that the answer is not whole.
                        log.info("file.broke_off", why=error.detail)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(send_all)
                while (await receive())["type"] != "http.disconnect":
                    continue
                tasks.cancel_scope.cancel()


async def _look(websocket: WebSocket, inside: Inside, runtime: RuntimeId, name: str, since: int) -> None:
    principal = signed_in(websocket)
    terminals = await inside.terminals(principal, runtime)
    async with terminals.attach(name, since=since) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(inside.until_withdrawn, principal, runtime)
        tasks.start_soon(_show, websocket, stream)
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1005)
            inside.touch(runtime)
            await _pass(message.get("text"), stream)


async def _show(websocket: WebSocket, stream: TerminalStream) -> None:
    while True:
        match await stream.receive():
            case Output(offset=offset, data=data):
                await websocket.send_bytes(offset.to_bytes(8, "big") + data)
            case Exited(code=code):
                await websocket.send_text(json.dumps({"type": "exited", "code": code}))
                await websocket.close(1000)
                raise WebSocketDisconnect(1000)


async def _pass(text: str | None, stream: TerminalStream) -> None:
    try:
        message: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        message = None
    match message:
        case {"type": "input", "data": str(data)} if len(data) <= INPUT_BYTES_MAX:
            await stream.input(data)
        case {"type": "resize", "rows": int(rows), "cols": int(columns)} if (
            0 < rows <= ROWS_MAX and 0 < columns <= ROWS_MAX
        ):
            await stream.resize(rows, columns)
        case _:
            raise Invalid("The frame is malformed.")
