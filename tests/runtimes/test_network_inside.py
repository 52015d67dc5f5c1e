"""Real runtimes on the little internet: what a cell meets there, in Python and in R, and what a kill leaves of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collegium.runtimes.languages import IRKERNEL
from collegium_runtimed import linux
from network_world import METADATA, OWN, PUBLIC, World, kill, little_internet, until, why_no_little_internet
from runtime_world import EngineProcess, Notebook, engine_process
from runtimes.conftest import USERS, uid_of

pytestmark = pytest.mark.sandbox
TRY = """
import socket
def reach(host, port):
    try:
        with socket.create_connection((host, port), 3) as made:
            made.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return "reached " + made.recv(1000).decode().splitlines()[-3]
    except OSError as error:
        return "no"
"""
FETCH = "import urllib.request; print(urllib.request.urlopen({url!r}, timeout=5).status)"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all."""
    if why := why_no_little_internet():
        pytest.skip(why)
    with little_internet() as world:
        yield world


def moved_into(world: World) -> Callable[[], None]:
    """What makes a process one of the machine of this world."""
    host = world.host.process.pid

    def move() -> None:
        for name, flag in (("net", linux.CLONE_NEWNET), ("mnt", linux.CLONE_NEWNS)):
            with open(f"/proc/{host}/ns/{name}") as namespace:
                linux.join_namespace(namespace.fileno(), flag)

    return move


@pytest.fixture(params=USERS, scope="module")
def engine(request: pytest.FixtureRequest, world: World) -> Iterator[EngineProcess]:
    """An engine on the machine of this world, with the real agent."""
    with engine_process(uid_of(request.param), prepare=moved_into(world)) as engine:
        assert engine.ask("status")["network"] == ["internet", "none", "packages"]
        yield engine


def create(engine: EngineProcess, runtime: str, mode: str, *allow: str) -> None:
    wanted: dict[str, Any] = engine.wanted() | {"network": {"mode": mode, "allow": list(allow)}}
    assert engine.ask("create", runtime=runtime, **wanted)["state"] == "ready"


def delete(engine: EngineProcess, runtime: str) -> None:
    engine.ask("delete", runtime=runtime)
    assert list((engine.data / "networks").glob("*.slot")) == []


def test_a_cell_meets_the_public_and_nobody_else(engine: EngineProcess) -> None:
    create(engine, "wide", "internet")
    with closing(Notebook(engine.agent_socket("wide"))) as notebook:
        notebook.run(TRY)
        assert notebook.run("print(reach('public.example', 80))").text.startswith("reached")
        for host, port in ((OWN, 9001), ("10.0.2.2", 9000), ("127.0.0.1", 9000), (METADATA, 80), ("10.99.0.2", 80)):
            assert notebook.run(f"print(reach({host!r}, {port}))").text == "no\n"
        assert notebook.run("print(open('/etc/resolv.conf').read())").text.strip() == "nameserver 10.0.2.3"
        assert notebook.run("!echo 1 > /proc/sys/net/ipv4/ip_forward").text != ""
    delete(engine, "wide")


def test_a_cell_behind_the_proxy_needs_to_know_nothing_of_it(engine: EngineProcess) -> None:
    create(engine, "narrow", "packages", "public.example")
    with closing(Notebook(engine.agent_socket("narrow"))) as notebook:
        assert notebook.run(FETCH.format(url="http://public.example/x")).text == "200\n"
        assert "403" in notebook.run(FETCH.format(url="http://other.example/x")).error
        assert notebook.run(TRY + f"print(reach({PUBLIC!r}, 80))").text == "no\n"
    delete(engine, "narrow")


def test_without_a_network_there_is_only_its_own_loopback(engine: EngineProcess) -> None:
    create(engine, "none", "none")
    with closing(Notebook(engine.agent_socket("none"))) as notebook:
        notebook.run(TRY)
        for host in ("public.example", PUBLIC, OWN, "10.0.2.3"):
            assert notebook.run(f"print(reach({host!r}, 80))").text == "no\n"
        assert (
            notebook.run("s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[0])").text == "127.0.0.1\n"
        )
    delete(engine, "none")


def test_the_network_of_a_runtime_survives_and_is_mended(engine: EngineProcess) -> None:
    create(engine, "i", "internet")
    create(engine, "p", "packages", "public.example")
    with closing(Notebook(engine.agent_socket("i"))) as wide, closing(Notebook(engine.agent_socket("p"))) as narrow:
        wide.run(TRY)
        engine.kill_engine()
        assert wide.run(f"print(reach({PUBLIC!r}, 80))").text.startswith("reached")
        assert narrow.run(FETCH.format(url="http://public.example/x")).text == "200\n"

        for pid in _network_processes(engine):
            kill(pid)
        until(lambda: wide.run(f"print(reach({PUBLIC!r}, 80))").text.startswith("reached"))
        until(lambda: narrow.run(FETCH.format(url="http://public.example/x")).text == "200\n")
        assert wide.run("print(reach('10.99.0.2', 80))").text == "no\n"
    engine.ask("delete", runtime="i")
    delete(engine, "p")


def test_r_runs_in_a_sandbox(engine: EngineProcess) -> None:
    if not IRKERNEL.exists():
        pytest.skip("R is not installed: apt-get install r-base-core r-cran-irkernel")
    create(engine, "r", "packages", "public.example")
    with closing(Notebook(engine.agent_socket("r"), "r", "ir")) as notebook:
        assert notebook.run("cat(sum(1:10))").text == "55"
        assert "nobody" in notebook.run("stop('nobody')").error
        assert notebook.run("cat(readLines('http://public.example/x')[1])").text.startswith("at 11.0.0.2:80")
        assert notebook.run("png('/content/p.png'); plot(1:3); dev.off(); cat(file.size('/content/p.png') > 0)").text
    delete(engine, "r")


def test_bash_runs_in_a_sandbox(engine: EngineProcess) -> None:
    create(engine, "b", "none")
    with closing(Notebook(engine.agent_socket("b"), "b", "bash")) as notebook:
        assert notebook.run("echo $((6 * 7)); id -un").text.split() == ["42", "colab"]
    delete(engine, "b")


def _network_processes(engine: EngineProcess) -> list[int]:
    """slirp4netns of the runtimes of this engine, and their proxy."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if b"slirp4netns" in words or b"network_proxy" in words:
                found.append((int(entry.name), int(parent)))
    engines = {engine.ask("status")["pid"], engine.keeper.pid if engine.keeper is not None else 0}
    return [pid for pid, parent in found if parent in engines]
