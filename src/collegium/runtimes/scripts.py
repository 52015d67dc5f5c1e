"""The scripts of BokehJS, as the environments of runtime versions have them: a figure outlives its runtime."""

import re
from pathlib import Path

NAME = re.compile(r"bokeh/(\d+(?:\.\w{1,20}){1,4})/(bokeh(?:-[a-z]{1,20})?(?:\.min)?\.js)")
"""`bokeh/3.9.2/bokeh-gl.min.js`. The version is a part of the name: what one version wrote, another cannot draw."""
FOLDER = "bokeh/server/static/js"


def bokeh_script(environment: Path, path: str) -> bytes | None:
    """The script of this name, if the environment has Bokeh in that very version."""
    if (named := NAME.fullmatch(path)) is None:
        return None
    version, name = named.groups()
    for packages in environment.glob("lib/python3*/site-packages"):
        file = packages / FOLDER / name
        if (packages / f"bokeh-{version}.dist-info").is_dir() and file.is_file():
            return file.read_bytes()
    return None
