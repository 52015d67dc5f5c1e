"""Whatever is killed, and whenever: the next start finds what lives, and nothing stays of what does not."""

import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from runtime_world import EngineProcess, engine_process
from runtimes.conftest import USERS, uid_of
from runtimes.test_zygote import wanted, zygotes

pytestmark = pytest.mark.sandbox
KINDS = ("engine", "keeper", "zygote", "first", "agent", "nobody")


def left_on_the_machine(engine: EngineProcess) -> list[str]:
    """Traces, and also what no record names any more."""
    known = {path.name for path in (engine.data / "runtimes").iterdir() if path.is_dir()}
    alive = {one["pid"] for one in zygotes(engine)}
    found = [f"group {path}" for path in engine.groups() if path.name not in known | zygote_names(engine)]
    found += [f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if engine.data.name in line]
    found += [f"template {pid}" for pid in templates(engine) if pid not in alive]
    return found


def zygote_names(engine: EngineProcess) -> set[str]:
    """Those that are written down."""
    return {path.stem for path in (engine.data / "zygotes").glob("*.json")}


def templates(engine: EngineProcess) -> list[int]:
    """Template processes of this engine."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and b"collegium_runtimed.zygote" in (entry / "cmdline").read_bytes():
                log = os.readlink(entry / "fd/1")
                inside = os.stat(entry / "ns/pid").st_ino != os.stat("/proc/self/ns/pid").st_ino
                if engine.data.name in log and not inside:
                    found.append(int(entry.name))
    return found


def kill_one(engine: EngineProcess, kind: str, dice: random.Random) -> None:
    """SIGKILL one of a kind, if there is one."""
    assert engine.keeper is not None
    runtimes = engine.runtime_processes()
    match kind:
        case "engine":
            pids = [engine.ask("status")["pid"]]
        case "keeper":
            pids = [engine.keeper.pid, engine.ask("status")["pid"]]
        case "zygote":
            pids = templates(engine)[:1]
        case "first":
            pids = [pid for pid in runtimes if _inner_pid(pid) == 1][:1]
        case "agent":
            pids = [pid for pid in runtimes if _inner_pid(pid) == 2][:1]
        case _:
            pids = dice.sample(runtimes, min(1, len(runtimes)))
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if kind == "keeper":
        engine.keeper.wait()
        engine.start()
    engine.until(lambda: answers(engine))


def _inner_pid(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return 0


def answers(engine: EngineProcess) -> bool:
    """Whether it is up."""
    try:
        engine.ask("status")
    except OSError:
        return False
    return True


def turmoil(user: str, rounds: int, seed: int) -> None:
    """Runtimes come and go while everything is killed now and then; in the end nothing is left."""
    dice = random.Random(seed)
    with engine_process(uid_of(user)) as engine:
        engine.ask("pool", of=[wanted(engine) | {"ready": 1}])
        engine.until(lambda: engine.ask("status")["pool"]["ready"] == 1)
        for number in range(rounds):
            with suppress(OSError, AssertionError):
                engine.ask("create", runtime=f"r{number}", **wanted(engine))
            kill_one(engine, dice.choice(KINDS), dice)
            with suppress(AssertionError):
                engine.ask("delete", runtime=f"r{number}")
        engine.until(lambda: answers(engine))
        engine.ask("pool", of=[])
        for one in engine.ask("list")["runtimes"]:
            engine.ask("delete", runtime=one["runtime"])
        engine.until(lambda: engine.traces() == [])
        engine.until(lambda: left_on_the_machine(engine) == [])


@pytest.mark.parametrize("user", USERS)
def test_nothing_stays_of_what_was_killed(user: str) -> None:
    turmoil(user, 15, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("seed", [2, 3])
def test_nothing_stays_of_what_was_killed_a_hundred_times(user: str, seed: int) -> None:
    turmoil(user, 100, seed)
