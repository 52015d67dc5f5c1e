"""The same hostile attempts from inside a container of the Docker engine."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from collegium.ground.ids import RuntimeId
from collegium.runtimes.docker import ENVIRONMENT, DockerEngine
from collegium.runtimes.model import Specification
from collegium.runtimes.settings import DockerSettings
from runtime_world import SMALL
from runtimes.inside.probes import PROBES
from runtimes.test_escape import CANARY, host_address, plain_process
from support.docker import daemon_with, docker, outside_of_any_loop
from support.environment import MINIMAL

pytestmark = [pytest.mark.sandbox, pytest.mark.long]
IMAGE = "collegium/runtime:probed"
PROBES_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def daemon() -> Iterator[str]:
    with daemon_with(IMAGE) as address:
        yield address


async def _create(address: str, runtime: str, *names: str) -> None:
    engine = DockerEngine(DockerSettings(url=address, runtime=runtime), house="probes")
    for name in names:
        await engine.create(RuntimeId(name), Specification("cpu", MINIMAL, IMAGE, SMALL))
    await engine.aclose()


@pytest.fixture(scope="module")
def outcomes(daemon: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[bool, str]]]:
    """Every attempt, made once: whether it was stopped, and how."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "secret").write_text("secret")
    abstract = f"canary-{os.getpid()}"
    with plain_process() as victim, socket.socket() as service, socket.socket(socket.AF_UNIX) as hidden:
        service.bind(("0.0.0.0", 0))
        service.listen()
        hidden.bind("\0" + abstract)
        hidden.listen()
        outside_of_any_loop(_create, daemon, "runc", "neighbour", "attacker")
        neighbour, attacker = (
            docker(daemon, "ps", "-q", "--filter", f"name={name}").strip() for name in ("neighbour", "attacker")
        )
        docker(daemon, "exec", neighbour, "sh", "-c", "echo x > /content/private")
        world = {
            "secret": str(folder / "secret"),
            "data": str(folder),
            "database": str(folder / "collegium.db"),
            "account": "collegium-server:x:",
            "neighbour_file": "/content/private",
            "neighbour_socket": str(folder / "neighbour.sock"),
            "engine_socket": daemon.removeprefix("unix://"),
            "canary": CANARY,
            "pid": victim.pid,
            "port": service.getsockname()[1],
            "host": host_address(),
            "abstract": abstract,
        }
        code = (Path(__file__).parent / "inside/probes.py").read_text()
        # Not on the command line: the canary there would be one that the process shows itself.
        script = folder / "script"
        bounded = f"import faulthandler; faulthandler.dump_traceback_later({PROBES_SECONDS_MAX}, exit=True)"
        script.write_text(f"{bounded}\n{code}\nimport json; print(json.dumps(run({world!r})))")
        with script.open() as text:
            said = docker(daemon, "exec", "-i", attacker, f"{ENVIRONMENT}/bin/python", "-", stdin=text)
    yield {name: (stopped, how) for name, stopped, how in json.loads(said.splitlines()[-1])}
    for container in (neighbour, attacker):
        docker(daemon, "rm", "-fv", container)


THE_DAEMONS = {"being root outside"}
"""Whether users inside are others outside is for whoever starts the daemon to say (`userns-remap`)."""


@pytest.mark.parametrize("attempt", sorted(PROBES.keys() - THE_DAEMONS))
def test_it_is_stopped_in_a_container(attempt: str, outcomes: dict[str, tuple[bool, str]]) -> None:
    stopped, how = outcomes[attempt]

    assert stopped, how
