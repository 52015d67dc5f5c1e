"""A notebook is hostile code: what it may try from a cell, in a real runtime, as root and as an ordinary user."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime_world import ORDINARY_UID, EngineProcess, Notebook
from runtimes.inside.probes import PROBES
from runtimes.test_zygote import PRELOAD, have_zygote

pytestmark = pytest.mark.sandbox
CANARY = "canary-of-the-server"


def host_address() -> str:
    """The machine's own address, or a loopback one if it has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        address: str = probe.getsockname()[0]
        return address


@contextmanager
def plain_process(uid: int = ORDINARY_UID) -> Iterator["subprocess.Popen[str]"]:
    """A process of the machine with a secret in its environment."""
    become = [] if uid == os.geteuid() else ["setpriv", f"--reuid={uid}", "--clear-groups"]
    variables = {"SECRET": CANARY, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen([*become, "sleep", "600"], env=variables, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["executed", "forked"], scope="module")
def outcomes(request: pytest.FixtureRequest, whole_engine: EngineProcess) -> Iterator[dict[str, tuple[bool, str]]]:
    """Every attempt, made once from a cell, in a runtime that was executed or forked by a zygote: whether it was
    stopped, and how."""
    engine = whole_engine
    preload = PRELOAD if request.param == "forked" else []
    if preload:
        have_zygote(engine)
    secret = engine.data / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    abstract = f"canary-{os.getpid()}"
    with plain_process(engine.uid) as victim, socket.socket() as service, socket.socket(socket.AF_UNIX) as hidden:
        service.bind(("0.0.0.0", 0))
        service.listen()
        hidden.bind("\0" + abstract)
        hidden.listen()
        for runtime in ("neighbour", "attacker"):
            engine.ask("create", runtime=runtime, **engine.wanted() | {"preload": preload})
        neighbour = Notebook(engine.agent_socket("neighbour"))
        assert neighbour.run("open('/content/private', 'w').write('x')").error == ""
        attacker = Notebook(engine.agent_socket("attacker"))
        world = {
            "secret": str(secret),
            "data": str(engine.data),
            "database": str(engine.data / "collegium.db"),
            "account": "sync:x:",
            "neighbour_file": "/content/private",
            "neighbour_socket": str(engine.data / "run/neighbour.sock"),
            "engine_socket": str(engine.data / "run/runtimed.sock"),
            "canary": CANARY,
            "pid": victim.pid,
            "port": service.getsockname()[1],
            "host": host_address(),
            "abstract": abstract,
        }
        code = (Path(__file__).parent / "inside/probes.py").read_text()
        result = attacker.run(f"{code}\nimport json; print(json.dumps(run({world!r})))")
        neighbour.close()
        attacker.close()
    assert result.error == ""
    yield {name: (stopped, how) for name, stopped, how in json.loads(result.text.splitlines()[-1])}
    for runtime in ("neighbour", "attacker"):
        engine.ask("delete", runtime=runtime)


@pytest.mark.parametrize("attempt", sorted(PROBES))
def test_it_is_stopped(attempt: str, outcomes: dict[str, tuple[bool, str]]) -> None:
    stopped, how = outcomes[attempt]

    assert stopped, how


WITHOUT_A_SANDBOX = [
    "a secret file of the machine by its path",
    "a service on the machine's loopback",
    "a signal to a process of the machine",
    "being root outside",
    "capabilities, privileges to gain, and the filter",
    "keyrings",
    "roots and working folders of processes",
    "secrets in environments of processes",
    "the machine's password file",
]
"""What a plain process of the same user surely may. Harmless ones only: these do run outside."""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to start a plain process of another user")
def test_without_a_sandbox_the_attempts_reach_what_they_should() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "secret").write_text("x")
    world = {"secret": str(folder / "secret"), "data": "-", "canary": CANARY, "account": "root:x:"}
    with plain_process() as victim, socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        service.listen()
        world |= {"pid": victim.pid, "port": service.getsockname()[1]}
        code = (Path(__file__).parent / "inside/probes.py").read_text()
        script = f"{code}\nimport json; print(json.dumps(run({world!r}, {WITHOUT_A_SANDBOX!r})))"
        command = ["setpriv", f"--reuid={ORDINARY_UID}", "--clear-groups", "/usr/bin/python3", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    shutil.rmtree(folder)

    assert [name for name, stopped, _ in json.loads(done.stdout) if stopped] == []


def test_there_are_at_least_as_many_attempts_as_ever() -> None:
    assert len(PROBES) >= 78
