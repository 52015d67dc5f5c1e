"""Serves the built browser app: compressed once at build time, cached for ever where the name holds a hash."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

STATIC = Path(__file__).parent.parent / "_static"
FOR_EVER = "public, max-age=31536000, immutable"
MIME = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

APP_PATHS = ("/", "/welcome", "/account", "/drive", "/drive/{folder}", "/notebooks/{notebook}")
"""Addresses that a person may open or reload; the app itself finds out what to show."""


def add_pages(app: FastAPI, static: Path = STATIC) -> None:
    """Add the app's addresses and its assets, last, so that they never stand before the API."""
    assets = {path.name: path for path in (static / "assets").glob("*") if path.suffix not in (".gz", ".br")}

    async def page(request: Request) -> Response:
        return _file(request, static / "index.html", "no-cache")

    async def output(request: Request) -> Response:
        return _file(request, static / "output.html", "no-cache")

    async def asset(request: Request) -> Response:
        # Looked up by name in what the build made; no path of a stranger ever reaches the file system.
        path = assets.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "There is no such file.")
        return _file(request, path, FOR_EVER)

    for address in APP_PATHS:
        app.add_route(address, page, methods=["GET"], include_in_schema=False)
    app.add_route("/output.html", output, methods=["GET"], include_in_schema=False)
    app.add_route("/assets/{name}", asset, methods=["GET"], include_in_schema=False)


def _file(request: Request, path: Path, cache: str) -> Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    kind = MIME.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    accepted = {word.split(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")}
    packed = path.with_name(path.name + ".gz")
    if "gzip" in accepted and packed.is_file():
        headers["Content-Encoding"] = "gzip"
        path = packed
    return FileResponse(path, headers=headers, media_type=kind)
