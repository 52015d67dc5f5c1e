"""Servers of other people, each as it comes, in a folder of its own."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.runtimes import get, until
from support.server import free_port


class Peer:
    """`jupyter lab` or `jupyter server`, which can be killed and started again on what it left."""

    def __init__(self, python: Path, program: str, *words: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-peer-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        bin = python.parent
        self._command = [
            str(bin / "jupyter"), program, "--no-browser", f"--port={port}", "--ip=127.0.0.1",
            "--allow-root", "--IdentityProvider.token=", f"--ServerApp.root_dir={self.folder}",
            "--ServerApp.disable_check_xsrf=True",
        ]  # fmt: skip
        if program == "lab":
            self._command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        self._command += words
        self._env = {"HOME": str(self.folder), "JUPYTER_PLATFORM_DIRS": "0", "PATH": f"{bin}:/usr/bin:/bin"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Come back when it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=log, cwd=self.folder)
        until(lambda: get(f"{self.url}/api/status") is not None)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@contextmanager
def peer(python: Path, program: str, *words: str) -> Iterator[Peer]:
    """A running one; nothing of it is left at the end."""
    running = Peer(python, program, *words)
    try:
        running.start()
        yield running
    finally:
        if running.process is not None:
            running.process.terminate()
            running.process.wait()
        shutil.rmtree(running.folder, ignore_errors=True)
