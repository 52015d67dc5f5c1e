"""Which packages are installed, and what became of them since the runtime started."""

import json
import os
import re
import site
import sysconfig
from pathlib import Path
from typing import Any

PACKAGES_MAX = 5000


def folders() -> list[str]:
    """Where packages are installed, for everybody and for the user."""
    paths = sysconfig.get_paths()
    return list(dict.fromkeys((paths["purelib"], paths["platlib"], site.getusersitepackages())))


def installed() -> dict[str, str]:
    """Versions by normalised name, as the folders that installers leave say."""
    found: dict[str, str] = {}
    for folder in reversed(folders()):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                package, _, version = name.removesuffix(".dist-info").rpartition("-")
                if package:
                    found[re.sub(r"[-_.]+", "-", package).lower()] = version
    return dict(sorted(found.items())[:PACKAGES_MAX])


class Packages:
    """What there was when the runtime's first agent started, kept in a file for the agents after it."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_text(json.dumps(installed()))
            part.replace(file)
        self._file = file

    def answer(self) -> dict[str, Any]:
        """What was added, changed and removed since, and all that there is."""
        before: dict[str, str] = json.loads(self._file.read_text())
        now = installed()
        return {
            "added": [_one(name, version) for name, version in now.items() if name not in before],
            "changed": [
                {"name": name, "from": before[name], "to": version}
                for name, version in now.items()
                if before.get(name, version) != version
            ],
            "removed": [_one(name, version) for name, version in before.items() if name not in now],
            "installed": [_one(name, version) for name, version in now.items()],
        }


def _one(name: str, version: str) -> dict[str, str]:
    return {"name": name, "version": version}
