"""Runtime versions: locked sets of packages, built by uv into environments that nobody changes afterwards."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import anyio
import anyio.to_thread
import uv

from collegium.ground import reasons
from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.log import get_log
from collegium.runtimes.languages import kernels_of
from collegium.runtimes.packages import Package, installed, locked

VERSIONS = Path(__file__).parent / "versions"
LOCK_HASH_LENGTH = 12
BUILT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}-[0-9a-f]{12}")
COMPLETE = ".complete"
PYTHON_LEAST = (3, 11)
SYSTEM_PYTHON = Path("/usr/bin/python3")
BUILD_SECONDS_MAX = 1800.0
HOME = "share/collegium/home"
"""Copied into each runtime's home: what libraries would otherwise spend a user's first second on."""
WARM_CACHES = "from importlib.util import find_spec as f; f('matplotlib') and __import__('matplotlib.font_manager')"
KERNELS = "kernels"
"""Jupyter's specifications of kernels that a version declares beside Python's, one folder each."""

log = get_log("runtimes")


class UvEnvironments:
    """One folder per runtime version and lock, complete or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._building = anyio.Lock()

    def versions(self) -> list[str]:
        """The versions that can be had: those this release of Collegium carries, and those an earlier one built."""
        return sorted({*self.carried(), *self._kept()})

    def carried(self) -> list[str]:
        """The versions that this release of Collegium carries."""
        return sorted(path.parent.name for path in VERSIONS.glob("*/requirements.lock"))

    def path(self, version: str) -> Path:
        """Where the environment of a version is or will be. Raises NotFound."""
        if version in self.carried():
            return self.folder / f"{version}-{_digest(VERSIONS / version)[:LOCK_HASH_LENGTH]}"
        kept = self._kept().get(version)
        if kept is None:
            raise NotFound(f"There is no runtime version {version[:64]!r}.")
        return kept

    def _kept(self) -> dict[str, Path]:
        """What was built, the latest of each version. Nothing is removed: notebooks may name it."""
        built = [marker for marker in self.folder.glob(f"*/{COMPLETE}") if BUILT.fullmatch(marker.parent.name)]
        latest = sorted(built, key=lambda marker: marker.stat().st_mtime)
        return {marker.parent.name[: -LOCK_HASH_LENGTH - 1]: marker.parent for marker in latest}

    def packages(self, version: str) -> list[Package]:
        """What is in it; as its lock says while it is not built. Raises NotFound."""
        if self.is_ready(version):
            return list(_installed(self.path(version)))
        return locked((VERSIONS / version / "requirements.lock").read_text(), self.python(version))

    def packages_count(self, version: str) -> int:
        """How many packages are in it. Raises NotFound."""
        return len(self.packages(version))

    def kernels(self, version: str) -> dict[str, str]:
        """The language of each kernel that a version has, by the kernel's name; fewer until it is built."""
        return {spec.name: spec.language for spec in kernels_of(self.path(version))}

    def python(self, version: str) -> str:
        """The Python of a version that is built, else of one built now: `3.11`. Raises NotFound."""
        path = self.path(version)
        found = sorted(folder.name for folder in path.glob("lib/python3.*")) if self.is_ready(version) else []
        return found[0].removeprefix("python") if found else _version_of(find_python())

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
            progress(reasons.words("version_built", version=version, program=python))
            carried = VERSIONS / version
            _uv(["venv", "--python", python, "--relocatable", str(path)], progress)
            _uv(
                ["pip", "install", "--python", str(path / "bin/python"), "--require-hashes", "--compile-bytecode",
                 "-r", str(carried / "requirements.lock")],
                progress,
            )  # fmt: skip
            if (carried / KERNELS).is_dir():
                shutil.copytree(carried / KERNELS, path / "share/jupyter/kernels", dirs_exist_ok=True)
            _warm_caches(path, progress)
            (path / COMPLETE).touch()
        log.info("environment.built", version=version, path=str(path))


@cache
def _installed(path: Path) -> tuple[Package, ...]:
    """Nobody changes an environment once it is built."""
    return tuple(installed(path))


def _digest(carried: Path) -> str:
    """What a version is made of, in one word: another lock or another kernel is another environment."""
    digest = hashlib.sha256((carried / "requirements.lock").read_bytes())
    for path in sorted(path for path in carried.glob(f"{KERNELS}/**/*") if path.is_file()):
        digest.update(f"\0{path.relative_to(carried)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _not_ours(version: str) -> Unavailable:
    return Unavailable(
        f"Runtime version {version} changed and is not built yet, and this server may not build it while it runs."
        " Its administrator should restart `collegium serve`, which builds it first."
    )


def find_python() -> str:
    """The interpreter that environments are made of: the system's if it is new enough, since /usr is in every
    runtime anyway; else the one we run on."""
    if SYSTEM_PYTHON.exists():
        version = _version_of(str(SYSTEM_PYTHON))
        if version and tuple(map(int, version.split("."))) >= PYTHON_LEAST:
            return str(SYSTEM_PYTHON)
    return os.path.realpath(sys.executable)


@cache
def _version_of(python: str) -> str:
    """`3.11`, or nothing if it does not run."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    result = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, timeout=20)
    return result.stdout.strip() if result.returncode == 0 else ""


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
    progress(reasons.words("fonts_listed"))
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
