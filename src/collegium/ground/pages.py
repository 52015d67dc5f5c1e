"""Serves the built browser app: compressed once at build time, cached for ever where the name holds a hash.

Tabs that were open before an upgrade go on asking for parts of the build they began with, so those are kept for a time.
"""

import json
import mimetypes
import os
import re
import shutil
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from collegium.ground.http import FRAME_POLICIES

STATIC = Path(__file__).parent.parent / "_static"
FOR_EVER = "public, max-age=31536000, immutable"
PACKED = (".gz", ".br")
MIME = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

APP_PATHS = ("/", "/welcome", "/account", "/settings", "/diff", "/drive", "/drive/{folder}", "/notebooks/{notebook}")
"""Addresses that a person may open or reload; the app itself finds out what to show."""
NOTEBOOK = "src/pages/notebook/index.tsx"
FONTS = ("google-sans-flex-latin-wght", "google-sans-code-latin-wght")
ENTRY = re.compile(r'src="/assets/([\w-]+)\.js"')
SMALL_BYTES_MAX = 128 * 1024
SMALL_FILES_MAX = 64
"""So many small files stay in memory: a notebook's page asks for two dozen at once, and files are read in threads."""
LEGACY_FONTS = (".ttf", ".woff")
"""No browser that can run the app asks for these."""


class PageSettings(BaseModel):
    """The browser app that is served."""

    model_config = ConfigDict(frozen=True)

    folder: Path | None = Field(default=None, description="Another build of the browser app than the installed one.")
    keep_assets: timedelta = Field(
        default=timedelta(days=30),
        description="Tabs that were open when the app was upgraded find the parts of their build this long.",
    )

    @property
    def static(self) -> Path:
        """Where the build lies."""
        return self.folder or STATIC


def build_of(static: Path) -> str:
    """The name of a build: that of its first script, whose hash follows from all the others."""
    found = ENTRY.search((static / "index.html").read_text()) if (static / "index.html").is_file() else None
    return found[1] if found else ""


def keep_assets(static: Path, kept: Path, keep: timedelta) -> None:
    """Lay a copy of this build's assets aside for when it is no longer the one installed, and clear out old ones."""
    kept.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in (static / "assets").glob("*") if path.suffix not in LEGACY_FONTS}
    listed = kept / ".build.json"
    before = set(json.loads(listed.read_text())) if listed.is_file() else set()
    if before != names:
        for superseded in before - names:
            if (kept / superseded).is_file():
                os.utime(kept / superseded)
        for name in names:
            if not (kept / name).is_file():
                _put(kept / name, static / "assets" / name)
        beside = kept / f".{os.getpid()}-build.json"
        beside.write_text(json.dumps(sorted(names)))
        beside.replace(listed)
    oldest = time.time() - keep.total_seconds()
    for path in kept.iterdir():
        if path.name not in names and path != listed and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _put(there: Path, source: Path) -> None:
    # Several servers may start on one data folder, and each may be killed in the middle.
    beside = there.with_name(f".{os.getpid()}-{there.name}")
    shutil.copyfile(source, beside)
    beside.replace(there)


def add_pages(app: FastAPI, static: Path = STATIC, kept: Path | None = None) -> None:
    """Add the app's addresses and its assets, last, so that they never stand before the API.

    `kept`: where assets of earlier builds lie.
    """
    folders = [kept, static / "assets"] if kept is not None else [static / "assets"]
    assets = {path.name: path for folder in folders for path in folder.glob("[!.]*") if path.suffix not in PACKED}
    ahead = {"Link": hints(static)}

    async def page(request: Request) -> Response:
        return _file(request, static / "index.html", "no-cache")

    async def notebook(request: Request) -> Response:
        return _file(request, static / "index.html", "no-cache", ahead)

    async def output(request: Request) -> Response:
        return _file(request, static / "output.html", "no-cache")

    async def worker(request: Request) -> Response:
        if not (static / "sw.js").is_file():
            raise HTTPException(404, "There is no such file.")
        return _file(request, static / "sw.js", "no-cache")

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
    for address in FRAME_POLICIES:
        app.add_route(address, output, methods=["GET"], include_in_schema=False)
    app.add_route("/sw.js", worker, methods=["GET"], include_in_schema=False)
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
        ["</api/v1/me>; rel=preload; as=fetch; crossorigin"]
        + [f"</{file}>; rel=modulepreload" for file in scripts]
        + [f"</{file}>; rel=preload; as=style; crossorigin" for file in styles]
        + [f"</{file}>; rel=preload; as=font; crossorigin" for file in fonts]
    )


def _asks_for_a_page(request: Request) -> bool:
    first = request.url.path.split("/")[1]
    return (
        request.method == "GET"
        and first not in ("api", "jupyter", "assets")
        and "text/html" in request.headers.get("accept", "")
    )


@lru_cache(maxsize=SMALL_FILES_MAX)
def _small(path: Path) -> bytes | None:
    """What never changes, unless it is large."""
    return path.read_bytes() if path.stat().st_size <= SMALL_BYTES_MAX else None


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
    if cache == FOR_EVER and (content := _small(path)) is not None:
        return Response(content, status, headers=headers, media_type=kind)
    return FileResponse(path, status, headers=headers, media_type=kind)
