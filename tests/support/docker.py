"""A Docker daemon of the tests' own: its data in a folder that vanishes, in a network namespace of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import aiodocker
import anyio
import pytest

from collegium.runtimes.docker_image import AGENT, build
from support.environment import MINIMAL, ROOT, environment_of

BASE = "collegium-test-base"
PACKAGES = "python3-minimal,libpython3.11-stdlib,ca-certificates"
START_SECONDS_MAX = 60
GVISOR = "runsc"
GVISOR_WRAPPER = """\
#!/bin/sh
exec runsc --network=none --platform=ptrace "$@"
"""
"""Without a network of its own gVisor starts in any namespace; ptrace needs no virtual machine."""
NETWORKLESS = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--userland-proxy=false"]


def why_no_docker() -> str | None:
    """Why no daemon can be started here, or None."""
    if os.geteuid() != 0:
        return "only root can start a Docker daemon"
    missing = [name for name in ("dockerd", "docker", "debootstrap") if shutil.which(name) is None]
    return f"{', '.join(missing)} not installed: apt-get install docker.io debootstrap" if missing else None


def base_system() -> Path:
    """A small Debian as a tar, made once by debootstrap and kept; the first time that takes a minute."""
    kept = ROOT / ".data/docker/base.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="collegium-base-") as folder:
            os.chmod(folder, 0o755)
            debootstrap = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", folder]
            subprocess.run(debootstrap, check=True, stdout=subprocess.DEVNULL)
            part = kept.with_suffix(".part")
            subprocess.run(["tar", "-C", folder, "-cf", part, "."], check=True)
            part.rename(kept)
    return kept


@contextmanager
def docker_daemon() -> Iterator[str]:
    """The address of a daemon that has an image named BASE."""
    with tempfile.TemporaryDirectory(prefix="clg-docker-", ignore_cleanup_errors=True) as folder:
        address = f"unix://{folder}/docker.sock"
        command = [
            "unshare", "--net", "dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
            f"--pidfile={folder}/pid", f"--host={address}", "--storage-driver=overlay2", *NETWORKLESS,
            *_gvisor(Path(folder)),
        ]  # fmt: skip
        with open(f"{folder}/log", "w") as log:
            daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_it_answers(address, Path(folder, "log"))
            with base_system().open("rb") as tar:
                docker(address, "import", "-", BASE, stdin=tar)
            yield address
        finally:
            for container in docker(address, "ps", "-aq").split():
                docker(address, "rm", "-fv", container)
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)


def outside_of_any_loop(work: Callable[..., Awaitable[None]], *arguments: object) -> None:
    """Run it in a thread: fixtures are entered from within a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, work, *arguments).result()


@contextmanager
def daemon_with(image: str, *, agent: Path = AGENT) -> Iterator[str]:
    """A daemon that has the image of the smallest runtime version, with this agent in it; skips where there is none."""
    why = why_no_docker()
    if why is not None:
        pytest.skip(why)

    async def make(address: str) -> None:
        async with aiodocker.Docker(url=address) as client:
            await build(client, environment_of(MINIMAL), base=BASE, tag=image, agent=agent)

    with docker_daemon() as address:
        outside_of_any_loop(make, address)
        yield address


def _gvisor(folder: Path) -> list[str]:
    if shutil.which(GVISOR) is None:
        return []
    wrapper = folder / GVISOR
    wrapper.write_text(GVISOR_WRAPPER)
    wrapper.chmod(0o755)
    return [f"--add-runtime={GVISOR}={wrapper}"]


def docker(address: str, *words: str, stdin: object = None) -> str:
    """What Docker's own client answers."""
    command = ["docker", "--host", address, *words]
    result = subprocess.run(command, stdin=stdin, capture_output=True, text=True)  # type: ignore[call-overload]
    assert result.returncode == 0, result.stderr
    return str(result.stdout)


def _wait_until_it_answers(address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while subprocess.run(["docker", "--host", address, "version"], capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
