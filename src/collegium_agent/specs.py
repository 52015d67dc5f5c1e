"""Which kernels there are inside: Jupyter's specifications, of the environment first, then of the machine."""

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from collegium_agent.wire import Malformed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PYTHONS = ("python", "python3")
SPEC_BYTES_MAX = 64 << 10
R_LIBRARY = ".local/lib/R"
"""Where `install.packages` puts what a notebook in R wants; the machine's own library cannot be written."""


@dataclass(frozen=True, slots=True)
class Spec:
    """How a kernel is started. `{connection_file}` is yet to be filled in."""

    argv: tuple[str, ...]
    language: str = ""
    env: dict[str, str] = field(default_factory=dict)


def folders() -> list[Path]:
    """Where specifications lie, the most particular first."""
    return [Path(prefix, "share/jupyter/kernels") for prefix in (sys.prefix, "/usr/local", "/usr")]


def find(name: str) -> Spec:
    """The specification of a kernel. Raises Malformed if none of this name is installed here."""
    if not NAME.fullmatch(name):
        raise Malformed("not the name of a kernel")
    for folder in folders():
        try:
            with (folder / name / "kernel.json").open("rb") as file:
                text = file.read(SPEC_BYTES_MAX)
        except OSError:
            continue
        return _parsed(text, name, folder / name)
    raise Malformed(f"no kernel named {name} is installed here")


def _parsed(text: bytes, name: str, folder: Path) -> Spec:
    try:
        value = json.loads(text)
        argv = tuple(str(word).replace("{resource_dir}", str(folder)) for word in value["argv"])
        language = str(value.get("language", ""))
        env = {str(key): str(word) for key, word in value.get("env", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"the kernel {name} is not installed as it should be") from error
    if not argv:
        raise Malformed(f"the kernel {name} is not installed as it should be")
    # As Jupyter does for Python: whichever is first in PATH may be another.
    program = sys.executable if argv[0] in PYTHONS else shutil.which(argv[0])
    if program is None:
        raise Malformed(f"the kernel {name} needs {argv[0]}, which is not installed here")
    return Spec((program, *argv[1:]), language, env | (_for_r() if language == "R" else {}))


def _for_r() -> dict[str, str]:
    """R looks for a library of one's own only where there is one."""
    library = Path(os.environ.get("HOME", "/"), R_LIBRARY)
    try:
        library.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {}  # its home is full or not its own; then the machine's packages are all there is
    return {"R_LIBS_USER": str(library)}
