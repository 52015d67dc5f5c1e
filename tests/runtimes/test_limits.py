"""A runtime that takes too much hurts itself, is named, and its neighbour goes on."""

from collections.abc import Iterator

import pytest

from collegium.runtimes.model import Limits
from runtime_world import EngineProcess, Notebook
from runtimes.test_zygote import PRELOAD, have_zygote

pytestmark = pytest.mark.sandbox
TIGHT = Limits(memory_bytes=384 << 20, cpus=1.0, processes=96, disk_bytes=256 << 20)
MEMORY_BOMB = "kept = bytearray(2 << 30)\nfor at in range(0, len(kept), 4096): kept[at] = 1\nprint('survived')"
FORK_BOMB = """
import os, time
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as error:
    print(children, error.strerror)
"""


@pytest.fixture(params=["executed", "forked"])
def pair(
    request: pytest.FixtureRequest, whole_engine: EngineProcess
) -> Iterator[tuple[EngineProcess, Notebook, Notebook]]:
    """A runtime about to misbehave, and its neighbour; executed, or forked by a zygote."""
    preload = PRELOAD if request.param == "forked" else []
    if preload:
        have_zygote(whole_engine)
    for name in ("bomb", "neighbour"):
        whole_engine.ask("create", runtime=name, **whole_engine.wanted(TIGHT) | {"preload": preload})
    bomb, neighbour = (Notebook(whole_engine.agent_socket(name)) for name in ("bomb", "neighbour"))
    assert neighbour.run("x = 41").error == ""
    yield whole_engine, bomb, neighbour
    for notebook in (bomb, neighbour):
        notebook.close()
    for name in ("bomb", "neighbour"):
        whole_engine.ask("delete", runtime=name)


def enforced(engine: EngineProcess, limit: str) -> bool:
    """Whether this machine bounds it for the runtime as a whole."""
    return bool(engine.ask("status")["limits"][limit]["enforced"])


def test_a_memory_bomb_hurts_only_its_runtime_and_is_named(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, neighbour = pair

    result = bomb.run(MEMORY_BOMB)

    if enforced(engine, "memory"):
        assert result.kernel_died
        assert engine.ask("get", runtime="bomb")["usage"]["oom_kills"] >= 1
        assert engine.ask("get", runtime="neighbour")["usage"]["oom_kills"] == 0
    else:
        assert result.error.startswith("MemoryError")
    assert engine.ask("get", runtime="bomb")["state"] == "ready"
    assert neighbour.run("print(x + 1)").text == "42\n"


def test_after_a_memory_bomb_the_runtime_takes_a_new_kernel(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, _ = pair
    bomb.run(MEMORY_BOMB)
    again = Notebook(engine.agent_socket("bomb"), "second")

    assert again.run("print('alive')").text == "alive\n"
    again.close()


def test_a_fork_bomb_stops_at_its_limit_and_can_be_deleted(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, neighbour = pair

    children, why = bomb.run(FORK_BOMB).text.split(maxsplit=1)

    assert int(children) < TIGHT.processes
    assert "temporarily unavailable" in why
    assert neighbour.run("import subprocess; print(subprocess.run(['echo', 'ok'], capture_output=True).stdout)").text
    assert len(engine.runtime_processes()) > TIGHT.processes / 2


def test_a_true_fork_bomb_ends_with_its_runtime(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, neighbour = pair
    bomb.run("import subprocess; subprocess.Popen(['bash', '-c', ':(){ :|:& };:'], stderr=subprocess.DEVNULL)")

    engine.ask("delete", runtime="bomb")

    engine.until(lambda: len(engine.runtime_processes()) < 20)
    assert neighbour.run("print(x + 1)").text == "42\n"
    engine.create("bomb", TIGHT)


def test_a_full_disk_is_the_runtimes_own(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, neighbour = pair
    if not enforced(engine, "disk"):
        pytest.skip("an ordinary user cannot bound a disk; `status` says so")

    result = bomb.run("with open('/content/big', 'wb') as f:\n    for _ in range(512): f.write(bytes(1 << 20))")

    assert "No space left on device" in result.error
    assert neighbour.run("open('/content/small', 'w').write('x'); print(x + 1)").text == "42\n"
    assert bomb.run("import os; os.unlink('/content/big'); print('again')").text == "again\n"


def test_processors_are_shared_out(pair: tuple[EngineProcess, Notebook, Notebook]) -> None:
    engine, bomb, _ = pair
    if not enforced(engine, "cpus"):
        pytest.skip("an ordinary user cannot bound processors; `status` says so")

    spin = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass"
    result = bomb.run(
        f"import subprocess, sys, resource\ncode = {spin!r}\n"
        "for p in [subprocess.Popen([sys.executable, '-c', code]) for _ in range(3)]: p.wait()\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(used.ru_utime + used.ru_stime)"
    )

    assert float(result.text) < 2 * 1.35
