"""The scripts that packages bring for browsers: what lies in `share/jupyter/nbextensions`, and nothing beside it."""

import os
import sys
from pathlib import Path

from collegium_agent.side import Refused

FOLDER = "share/jupyter/nbextensions"


def roots() -> list[str]:
    """Where packages put them: those that the user installed for themselves, then the environment's."""
    return [os.path.realpath(root) for root in (Path.home() / ".local" / FOLDER, Path(sys.prefix) / FOLDER)]


def find(path: str) -> str:
    """The file of this name below a root. Raises Refused, also for a link that leads out of it."""
    if not path or path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise Refused("invalid", "This is no name of a script.")
    for root in roots():
        found = os.path.realpath(os.path.join(root, path))
        if found.startswith(root + os.sep) and os.path.isfile(found):
            return found
    raise Refused("not_found", "No package here brings such a script.")
