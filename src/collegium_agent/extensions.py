"""The scripts that packages bring for browsers: `share/jupyter/nbextensions` and BokehJS, and nothing beside them."""

import os
import re
import site
import sys
import sysconfig
from pathlib import Path

from collegium_agent.side import Refused

FOLDER = "share/jupyter/nbextensions"
BOKEH = re.compile(r"bokeh/(\d+(?:\.\w{1,20}){1,4})/(bokeh(?:-[a-z]{1,20})?(?:\.min)?\.js)")
"""BokehJS lies in its package. Its version is a part of the name: what one version wrote, another cannot draw."""
BOKEH_FOLDER = "bokeh/server/static/js"


def roots() -> list[str]:
    """Where packages put them: those that the user installed for themselves, then the environment's."""
    return [os.path.realpath(root) for root in (Path.home() / ".local" / FOLDER, Path(sys.prefix) / FOLDER)]


def find(path: str) -> str:
    """The file of this name below a root. Raises Refused, also for a link that leads out of it."""
    if not path or path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise Refused("invalid", "This is no name of a script.")
    for root, name in _places(path):
        found = os.path.realpath(os.path.join(root, name))
        if found.startswith(root + os.sep) and os.path.isfile(found):
            return found
    raise Refused("not_found", "No package here brings such a script.")


def _places(path: str) -> list[tuple[str, str]]:
    bokeh = BOKEH.fullmatch(path)
    if bokeh is None:
        return [(root, path) for root in roots()]
    version, name = bokeh.groups()
    packages = (site.getusersitepackages(), sysconfig.get_path("purelib"))
    installed = [one for one in packages if os.path.isdir(os.path.join(one, f"bokeh-{version}.dist-info"))]
    return [(os.path.realpath(os.path.join(one, BOKEH_FOLDER)), name) for one in installed]
