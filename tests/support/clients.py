"""Clients that other people wrote, each set in an environment of its own: made once by uv, and kept."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from support.environment import environments_folder

SPEAKERS = (
    "jupyter-kernel-client==1.0.2",
    "jupyter-kernel-test==0.7.0",
    "jupyter-server==2.21.1",
    "schemathesis==4.32.5",
)
LAB = ("jupyterlab==4.6.6",)


@cache
def clients(packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these; the first time that takes a minute."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {packages}".encode()).hexdigest()[:12]
    folder = environments_folder().parent / "clients" / digest
    python = folder / "bin/python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            uv = find_uv_bin()
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
            (folder / "ready").touch()
    return python
