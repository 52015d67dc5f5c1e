"""Runtime versions: locked sets of packages, built by uv into environments that nobody changes afterwards."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import uv

from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.log import get_log

VERSIONS = Path(__file__).parent / "versions"
LOCK_HASH_LENGTH = 12
COMPLETE = ".complete"
PYTHON_LEAST = (3, 11)
SYSTEM_PYTHON = Path("/usr/bin/python3")
BUILD_SECONDS_MAX = 1800.0
HOME = "share/collegium/home"
"""Copied into each runtime's home: what libraries would otherwise spend a user's first second on."""
WARM_CACHES = "import matplotlib.font_manager"

log = get_log("runtimes")


class UvEnvironments:
    """One folder per runtime version and lock, complete or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._building = anyio.Lock()

    def versions(self) -> list[str]:
        """The versions that this release of Collegium carries."""
        return sorted(path.parent.name for path in VERSIONS.glob("*/requirements.lock"))

    def path(self, version: str) -> Path:
        """Where the environment of a version is or will be. Raises NotFound."""
        lock = VERSIONS / version / "requirements.lock"
        if version not in self.versions():
            raise NotFound(f"There is no runtime version {version[:64]!r}.")
        return self.folder / f"{version}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:LOCK_HASH_LENGTH]}"

    def is_ready(self, version: str) -> bool:
        """Whether it has been built."""
        return (self.path(version) / COMPLETE).exists()

    async def ready(self, version: str, progress: Callable[[str], None] | None = None) -> Path:
        """The environment of a version, built first if it is missing. Raises NotFound, Unavailable."""
        if self.is_ready(version):
            return self.path(version)
        async with self._building:
            await anyio.to_thread.run_sync(self.build, version, progress or (lambda _line: None))
        return self.path(version)

    def build(self, version: str, progress: Callable[[str], None]) -> None:
        """Build it, unless somebody else just did. Blocks for about a minute, most of it downloading.

        Raises Unavailable, also when the folder is another user's: what runtimes execute is not for the server to
        change once it gave up its privileges.
        """
        path = self.path(version)
        if self.is_ready(version):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except PermissionError as error:
            raise _not_ours(version) from error
        if not os.access(self.folder, os.W_OK, effective_ids=True):
            raise _not_ours(version)
        with _one_at_a_time(self.folder / f"{path.name}.lock"):
            if self.is_ready(version):
                return
            shutil.rmtree(path, ignore_errors=not path.exists())
            python = find_python()
            progress(f"Building runtime version {version} with {python}")
            _uv(["venv", "--python", python, "--relocatable", str(path)], progress)
            lock = VERSIONS / version / "requirements.lock"
            _uv(
                ["pip", "install", "--python", str(path / "bin/python"), "--require-hashes", "--compile-bytecode",
                 "-r", str(lock)],
                progress,
            )  # fmt: skip
            _warm_caches(path, progress)
            (path / COMPLETE).touch()
        log.info("environment.built", version=version, path=str(path))


def _not_ours(version: str) -> Unavailable:
    return Unavailable(
        f"Runtime version {version} changed and is not built yet, and this server may not build it while it runs."
        " Its administrator should restart `collegium serve`, which builds it first."
    )


def find_python() -> str:
    """The interpreter that environments are made of: the system's if it is new enough, since /usr is in every
    runtime anyway; else the one we run on."""
    if SYSTEM_PYTHON.exists():
        script = "import sys; print(*sys.version_info[:2])"
        result = subprocess.run([SYSTEM_PYTHON, "-I", "-c", script], capture_output=True, text=True, timeout=20)
        if result.returncode == 0 and tuple(map(int, result.stdout.split())) >= PYTHON_LEAST:
            return str(SYSTEM_PYTHON)
    return os.path.realpath(sys.executable)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _uv(arguments: list[str], progress: Callable[[str], None]) -> None:
    _run([uv.find_uv_bin(), "--no-config", "--system-certs", *arguments], dict(os.environ), progress)


def _warm_caches(environment: Path, progress: Callable[[str], None]) -> None:
    home = environment / HOME
    home.mkdir(parents=True)
    progress("Listing fonts")
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    _run([str(environment / "bin/python"), "-I", "-c", WARM_CACHES], variables, progress)


def _run(command: list[str], variables: dict[str, str], progress: Callable[[str], None]) -> None:
    """Run a command, its lines going to `progress`; what root builds, everybody may read."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=variables,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0o022,
    ) as process:
        assert process.stdout is not None
        patience = threading.Timer(BUILD_SECONDS_MAX, process.kill)
        patience.start()
        try:
            for line in process.stdout:
                lines = [*lines[-20:], line.rstrip()]
                progress(line.rstrip())
            status = process.wait()
        finally:
            patience.cancel()
    if status:
        raise Unavailable(f"{Path(command[0]).name} failed: {' '.join(lines)[-800:]}")
