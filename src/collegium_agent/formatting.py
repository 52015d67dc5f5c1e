"""Cells put into shape by Ruff, which knows a notebook's own lines (`%`, `!`, `?`) and leaves them as they are."""

import asyncio
import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent.parent / "language"
"""Where the engine lays the programs that read code; a container's image has them there too."""

CELLS_MAX = 10_000
BYTES_MAX = 6 * 1024 * 1024
FORMAT_SECONDS_MAX = 20.0
BROKEN_MAX = 40
BROKEN = re.compile(rb"cells\.ipynb:(\d+):")
"""In what Ruff says of a cell that it cannot read: its number, from 1."""
LINE_LENGTH, LINE_LENGTH_MAX = 88, 320
DETAIL_LENGTH_MAX = 300


def program(name: str) -> Path:
    """Where such a program lies, if it is there."""
    return Path(os.environ.get("COLLEGIUM_LANGUAGE_PROGRAMS", PROGRAMS)) / name


async def formatted(cwd: str, params: Any) -> dict[str, Any]:
    """`cells`: each one's new text, or null where it is as it should be or is not Python; `failed`: why, if nothing
    could be done. A project's own settings for Ruff in the folder hold. Raises KeyError and TypeError for nonsense."""
    sources = [str(one) for one in params["cells"]][:CELLS_MAX]
    if sum(map(len, sources)) > BYTES_MAX:
        return {"cells": [], "failed": "The notebook is too large to be formatted at once."}
    length, indent = int(params.get("lineLength", LINE_LENGTH)), int(params.get("indent", 4))
    if not 1 <= length <= LINE_LENGTH_MAX or indent not in (2, 4, 8):
        return {"cells": [], "failed": "A line has 1 to 320 characters, an indent 2, 4 or 8."}
    options = ["--config", f"indent-width={indent}"] if indent != 4 else []
    if length != LINE_LENGTH:
        options += ["--line-length", str(length)]
    left = dict(enumerate(sources))
    for _ in range(BROKEN_MAX):
        status, out, error = await _ruff(cwd, options, list(left.values()))
        if status == 0:
            changed = dict(zip(left, _sources(out), strict=True))
            return {"cells": [changed[at] if changed.get(at, was) != was else None for at, was in enumerate(sources)]}
        named = BROKEN.search(error)
        number = int(named[1]) - 1 if named else -1
        if not 0 <= number < len(left):
            return {"cells": [], "failed": error.decode(errors="replace").strip()[:DETAIL_LENGTH_MAX]}
        del left[list(left)[number]]  # what cannot be parsed stays as it is
    return {"cells": [], "failed": "Too many cells have errors in their syntax."}


async def _ruff(cwd: str, options: list[str], sources: list[str]) -> tuple[int, bytes, bytes]:
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{at}", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
        for at, text in enumerate(sources)
    ]
    metadata = {"language_info": {"name": "python"}}
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()
    words = ["format", "--no-cache", "--stdin-filename", os.path.join(cwd, "cells.ipynb"), *options, "-"]
    try:
        process = await asyncio.create_subprocess_exec(
            str(program("ruff")), *words, cwd=cwd,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError:
        return 1, b"", b"There is no formatter in this runtime."
    try:
        out, error = await asyncio.wait_for(process.communicate(notebook), FORMAT_SECONDS_MAX)
    except TimeoutError:
        return 1, b"", b"The formatter took too long."
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    return process.returncode or 0, out, error


def _sources(notebook: bytes) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(notebook)["cells"]]
