"""Programs as another user, also where the interpreter lies in a folder that is closed to that user."""

import sys
from collections.abc import Iterable
from pathlib import Path

from support.environment import ROOT

DROP = (
    "import os, sys; from pathlib import Path; from collegium.runtimes.privileges import drop_privileges; "
    "uid, paths = int(sys.argv[1]), sys.argv[2].split(':'); drop_privileges(uid, uid, map(Path, paths)); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[3:]])"
)


def python_as(uid: int, needed: Iterable[Path]) -> list[str]:
    """A command that gives root up for good, and goes on as Python with the words that follow it."""
    paths = [Path(sys.prefix), Path(sys.base_prefix), ROOT / "src", *needed]
    return [sys.executable, "-c", DROP, str(uid), ":".join(map(str, paths))]
