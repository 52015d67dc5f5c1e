"""Two builds of the browser app that are the same but for their names, as before and after an upgrade."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from collegium.ground.pages import STATIC

TEXT = {".js", ".css", ".html", ".json"}


def installed() -> Path:
    """The build that servers under test hand out."""
    return Path(os.environ.get("COLLEGIUM_PAGES__FOLDER") or STATIC)


@contextmanager
def another_build() -> Iterator[Path]:
    """The installed build again, every script of it under another hash, where the server's own user can read it."""
    with TemporaryDirectory(prefix="collegium-test-", dir="/var/tmp") as place:
        Path(place).chmod(0o755)
        folder = Path(place, "build")
        _rename(installed(), folder)
        yield folder


def _rename(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.br", "*.gz", "*.ttf", "*.woff"))
    scripts = {path.stem: f"{path.stem}B" for path in (source / "assets").glob("*.js")}
    names = re.compile("|".join(rf"{re.escape(name)}(?=\.js)" for name in scripts))
    for path in [*folder.rglob("*")]:
        if path.suffix in TEXT:
            text = names.sub(lambda found: scripts[found[0]], path.read_text())
            path.write_text(re.sub(r'("build":"[\w-]+)"', r'\1B"', text) if path.name == "sw.js" else text)
        if path.stem in scripts and path.suffix == ".js":
            path.rename(path.with_stem(scripts[path.stem]))
