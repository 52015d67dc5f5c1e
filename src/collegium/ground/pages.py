"""Serves the built browser app: compressed once at build time, cached for ever where the name holds a hash."""

import json
import mimetypes
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent.parent / "_static"
FOR_EVER = "public, max-age=31536000, immutable"
MIME = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

APP_PATHS = ("/", "/welcome", "/account", "/drive", "/drive/{folder}", "/notebooks/{notebook}")
"""Addresses that a person may open or reload; the app itself finds out what to show."""
NOTEBOOK = "src/pages/notebook/index.tsx"
FONTS = ("google-sans-flex-latin-wght", "google-sans-code-latin-wght")


def add_pages(app: FastAPI, static: Path = STATIC) -> None:
    """Add the app's addresses and its assets, last, so that they never stand before the API."""
    assets = {path.name: path for path in (static / "assets").glob("*") if path.suffix not in (".gz", ".br")}
    ahead = {"Link": hints(static)}

    async def page(request: Request) -> Response:
        return _file(request, static / "index.html", "no-cache")

    async def notebook(request: Request) -> Response:
        return _file(request, static / "index.html", "no-cache", ahead)

    async def output(request: Request) -> Response:
        return _file(request, static / "output.html", "no-cache")

    async def asset(request: Request) -> Response:
        # Looked up by name in what the build made; no path of a stranger ever reaches the file system.
        path = assets.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "There is no such file.")
        return _file(request, path, FOR_EVER)

    nothing_here = app.router.default

    async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
        # A person is told by the app, in the app's words; a program by problem+json, as everywhere.
        if scope["type"] == "http" and _asks_for_a_page(request := Request(scope)):
            await _file(request, static / "index.html", "no-cache", status=404)(scope, receive, send)
        else:
            await nothing_here(scope, receive, send)

    for address in APP_PATHS:
        shown = notebook if address.startswith("/notebooks/") else page
        app.add_route(address, shown, methods=["GET"], include_in_schema=False)
    app.add_route("/output.html", output, methods=["GET"], include_in_schema=False)
    app.add_route("/assets/{name}", asset, methods=["GET"], include_in_schema=False)
    app.router.default = unknown


def hints(static: Path) -> str:
    """A Link header that has a browser fetch all of the notebook page at once, not one file after the other."""
    manifest = static / ".vite/manifest.json"
    if not manifest.is_file():
        return ""
    chunks: dict[str, dict[str, Any]] = json.loads(manifest.read_text())
    scripts, styles = dict[str, None](), dict[str, None]()
    wanted = [NOTEBOOK]
    while wanted:
        chunk = chunks.get(wanted.pop(), {})
        if not chunk or chunk["file"] in scripts:
            continue
        scripts[chunk["file"]] = None
        styles.update(dict.fromkeys(chunk.get("css", ())))
        wanted += chunk.get("imports", ())
    fonts = [c["file"] for c in chunks.values() if Path(c["file"]).name.startswith(FONTS)]
    return ", ".join(
        [f"</{file}>; rel=modulepreload" for file in scripts]
        + [f"</{file}>; rel=preload; as=style" for file in styles]
        + [f"</{file}>; rel=preload; as=font; crossorigin" for file in fonts]
    )


def _asks_for_a_page(request: Request) -> bool:
    first = request.url.path.split("/")[1]
    return (
        request.method == "GET"
        and first not in ("api", "jupyter", "assets")
        and "text/html" in request.headers.get("accept", "")
    )


def _file(request: Request, path: Path, cache: str, more: dict[str, str] | None = None, status: int = 200) -> Response:
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"} | (more or {})
    kind = MIME.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    accepted = {word.split(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")}
    for coding, ending in (("br", ".br"), ("gzip", ".gz")):
        packed = path.with_name(path.name + ending)
        if coding in accepted and packed.is_file():
            headers["Content-Encoding"] = coding
            path = packed
            break
    return FileResponse(path, status, headers=headers, media_type=kind)
