"""The browser app's files: what an old tab still asks for is there, what nobody asks for goes."""

import json
import os
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from collegium.ground.pages import STATIC, add_pages, build_of, hints, keep_assets

pytestmark = pytest.mark.anyio
MONTH = timedelta(days=30)


def build(folder: Path, name: str) -> Path:
    """A build whose first script is called main-NAME."""
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / f"main-{name}.js").write_text(f"// {name}")
    (folder / "assets" / "same-1.css").write_text("a {}")
    (folder / "assets" / "font.ttf").write_text("font")
    (folder / "index.html").write_text(f'<script type="module" crossorigin src="/assets/main-{name}.js"></script>')
    (folder / "sw.js").write_text("// worker")
    return folder


def test_a_build_is_called_what_its_first_script_is_called(tmp_path: Path) -> None:
    assert build_of(build(tmp_path / "a", "x-_1")) == "main-x-_1"
    assert build_of(tmp_path / "none") == ""


async def test_assets_of_the_build_before_are_served_until_their_time_is_over(tmp_path: Path) -> None:
    first, second, kept = build(tmp_path / "a", "A"), build(tmp_path / "b", "B"), tmp_path / "kept"
    keep_assets(first, kept, MONTH)
    # The first build was installed long ago, and is superseded now: its time begins with this.
    long_ago = time.time() - 2 * MONTH.total_seconds()
    os.utime(kept / "main-A.js", (long_ago, long_ago))
    keep_assets(second, kept, MONTH)

    app = FastAPI()
    add_pages(app, second, kept)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        for name in ("main-A.js", "main-B.js", "same-1.css"):
            answer = await client.get(f"/assets/{name}")
            assert answer.status_code == 200
            assert answer.headers["cache-control"].endswith("immutable")
        for name in (".build.json", "..%2F..%2Fb%2Findex.html", "main-C.js"):
            assert (await client.get(f"/assets/{name}")).status_code == 404
        assert (await client.get("/sw.js")).headers["cache-control"] == "no-cache"

    os.utime(kept / "main-A.js", (long_ago, long_ago))
    keep_assets(second, kept, MONTH)
    assert sorted(path.name for path in kept.iterdir()) == [".build.json", "main-B.js", "same-1.css"]


def test_going_back_to_the_build_before_finds_it_whole(tmp_path: Path) -> None:
    first, second, kept = build(tmp_path / "a", "A"), build(tmp_path / "b", "B"), tmp_path / "kept"
    for installed in (first, second, first):
        keep_assets(installed, kept, MONTH)

    assert {path.name for path in kept.glob("*.js")} == {"main-A.js", "main-B.js"}


FIRST_LOAD_BYTES_MAX = 400_000
"""Brotli, and fonts as they are. What is told with it, heads of answers and what the page asks, takes 28 KB more."""


def test_a_notebook_needs_no_more_before_its_first_key_than_was_planned() -> None:
    ahead = re.findall(r"</(assets/[^>]+)>", hints(STATIC))

    assert any(name.startswith("assets/codemirror-") for name in ahead)
    assert sum(packed(STATIC / name).stat().st_size for name in ahead) <= FIRST_LOAD_BYTES_MAX
    # What helps while one writes, menus and what cleans HTML come once they are asked for, or when the page is at rest.
    assert not [
        name for name in ahead if re.match(r"assets/(writing|DrawnMenu|DrawnHint|purify|sanitize|markdown)", name)
    ]


FRAME_BYTES_MAX = 20_000


def test_an_output_frame_loads_little_of_the_page() -> None:
    """Each cell with such outputs has a frame of its own: what it begins with is begun a hundred times."""
    chunks = json.loads((STATIC / ".vite/manifest.json").read_text())
    seen, wanted = set[str](), ["output.html"]
    while wanted:
        if (name := wanted.pop()) not in seen:
            seen.add(name)
            wanted += chunks[name].get("imports", [])

    assert sum(packed(STATIC / chunks[name]["file"]).stat().st_size for name in seen) <= FRAME_BYTES_MAX


def packed(path: Path) -> Path:
    """The file as it goes over the wire."""
    beside = path.with_name(f"{path.name}.br")
    return beside if beside.is_file() else path
