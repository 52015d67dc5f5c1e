"""The image of a runtime version, for the Docker engine: a Debian, the environment as it is built here, the agent."""

import io
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

import aiodocker

import collegium
from collegium.ground.errors import Unavailable
from collegium.runtimes.docker import AGENT_HOME, ENVIRONMENT, STATE, USER
from collegium.runtimes.environments import UvEnvironments

AGENT = Path(collegium.__file__).parent.parent / "collegium_agent"
DOOR = "door.py"
LANGUAGE = ("ty", "ruff")
"""Programs of our own environment that read code for the agent, each one file."""
DOCKERFILE = """\
FROM {base}
RUN command -v python3 || (apt-get update && apt-get install -y --no-install-recommends python3 ca-certificates)
RUN useradd --uid {uid} --user-group --create-home --home-dir /home/colab --shell /bin/bash colab \\
 && mkdir -p /content {state} && chown {user} /content {state} && chmod 700 {state}
COPY --chown={user} environment {environment}
COPY agent {agent}
RUN {environment}/bin/python -c 'import zmq, ipykernel'
USER {user}
WORKDIR /content
"""


async def build(
    docker: aiodocker.Docker, environment: Path, *, base: str, tag: str, agent: Path = AGENT,
    progress: Callable[[str], None] = lambda _line: None,
) -> None:  # fmt: skip
    """Make the image `tag` of an environment that is built. `base` must carry the Python that it was built with.

    Raises Unavailable with the words of the step that failed.
    """
    with tempfile.TemporaryFile() as context:
        write_context(context, environment, base=base, agent=agent)
        context.seek(0)
        last = ""
        async for line in docker.images.build(fileobj=context, tag=tag, encoding="identity", stream=True):
            if "error" in line:
                raise Unavailable(f"The image could not be built: {line['error']} {last}"[:1000])
            if text := line.get("stream", "").strip():
                last = text
                progress(text)


def write_context(file: IO[bytes], environment: Path, *, base: str, agent: Path) -> None:
    """The folder that Docker builds from, as a tar."""
    uid = USER.partition(":")[0]
    text = DOCKERFILE.format(base=base, uid=uid, user=USER, state=STATE, environment=ENVIRONMENT, agent=AGENT_HOME)
    with tarfile.open(fileobj=file, mode="w") as tar:
        _add(tar, "Dockerfile", text.encode())
        tar.add(environment, "environment")
        tar.add(agent, "agent/collegium_agent", filter=_no_caches)
        _add(tar, f"agent/collegium_agent/{DOOR}", (AGENT / DOOR).read_bytes())
        for name in LANGUAGE:
            program = Path(sys.executable).with_name(name)
            if program.is_file():
                _add(tar, f"agent/language/{name}", program.read_bytes(), mode=0o755)


def _no_caches(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if PurePosixPath(info.name).name in ("__pycache__", DOOR) else info


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


class DockerImages(UvEnvironments):
    """The port `Environments` where runtimes are containers: what a version is called there is the image's name."""

    def __init__(self, folder: Path, image: str) -> None:
        super().__init__(folder)
        self._image = image

    async def ready(self, version: str, progress: Callable[[str], None] | None = None) -> Path:
        """The image's name; whether the daemon has it shows when it is used."""
        self.path(version)
        return Path(self._image.format(version=version))
