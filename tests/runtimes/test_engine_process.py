"""The engine's process: what it makes, what it finds again, and that it leaves nothing."""

import json
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from runtime_world import EngineProcess

pytestmark = pytest.mark.sandbox


def says(engine: EngineProcess, runtime: str, line: str) -> str:
    """What the stub in a runtime answers to a line of Python."""
    with engine.agent_socket(runtime) as connection, connection.makefile("rw") as lines:
        assert lines.readline() == "hello\n"
        lines.write(line + "\n")
        lines.flush()
        connection.shutdown(socket.SHUT_WR)
        return lines.read()


def test_a_runtime_answers_at_its_address_and_is_nobody_inside(engine: EngineProcess) -> None:
    created = engine.create("one")

    assert created["state"] == "ready"
    assert says(engine, "one", "import os; print(os.getuid(), os.getgid(), os.getcwd())") == "1000 1000 /\n"
    assert says(engine, "one", "import os; print(sorted(os.listdir('/content')))") == "[]\n"


def test_creating_twice_gives_the_same_runtime(engine: EngineProcess) -> None:
    first, second = engine.create("one"), engine.create("one")

    assert first == second
    assert len(engine.ask("list")["runtimes"]) == 1


def test_nothing_is_left_of_a_deleted_runtime(engine: EngineProcess) -> None:
    engine.create("one")
    says(
        engine,
        "one",
        "import subprocess; subprocess.Popen(['sleep', '1000'], stdout=-3, stderr=-3, start_new_session=True)",
    )
    assert engine.runtime_processes()

    engine.ask("delete", runtime="one")

    assert engine.traces() == []
    with pytest.raises(AssertionError, match="not_found"):
        engine.ask("get", runtime="one")


def test_twenty_runtimes_come_and_go_and_leave_nothing(engine: EngineProcess) -> None:
    pid = engine.ask("status")["pid"]
    engine.create("warm-up")
    engine.ask("delete", runtime="warm-up")
    open_before = len(os.listdir(f"/proc/{pid}/fd"))

    for number in range(20):
        engine.create(f"r{number}")
        engine.ask("delete", runtime=f"r{number}")

    assert engine.traces() == []
    engine.until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= open_before)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) <= 4, "what ended is waited for"


def test_a_killed_engine_is_back_and_finds_its_runtimes(engine: EngineProcess) -> None:
    engine.create("one")
    says(engine, "one", "open('/content/kept', 'w').write('here')")

    engine.kill_engine()

    assert [one["runtime"] for one in engine.ask("list")["runtimes"]] == ["one"]
    assert says(engine, "one", "print(open('/content/kept').read())") == "here\n"
    engine.ask("delete", runtime="one")
    assert engine.traces() == []


def test_what_died_while_the_engine_was_away_is_cleaned_and_named(engine: EngineProcess) -> None:
    engine.create("one")
    processes = engine.runtime_processes()
    assert engine.keeper is not None
    os.kill(engine.keeper.pid, signal.SIGKILL)
    os.kill(engine.ask("status")["pid"], signal.SIGKILL)
    engine.keeper.wait()
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    # A killed process is there until its memory is given back; an engine that came sooner would find it alive.
    engine.until(lambda: engine.runtime_processes() == [])

    engine.start()

    (found,) = engine.ask("list")["runtimes"]
    assert (found["state"], found["reason"]) == ("failed", "it ended while the engine was not running")
    assert engine.runtime_processes() == []
    engine.ask("delete", runtime="one")
    assert engine.traces() == []


def test_an_engine_that_is_stopped_while_it_makes_a_runtime_ends_and_leaves_nothing(engine: EngineProcess) -> None:
    assert engine.keeper is not None
    for milliseconds in (5, 20, 40, 60, 80, 120):
        engine.ask("pool", of=[engine.wanted() | {"ready": 1}])
        time.sleep(milliseconds / 1000)
        os.kill(engine.keeper.pid, signal.SIGTERM)
        # Less than the engine waits for an end that it no longer sees.
        assert engine.keeper.wait(20) == 0, engine.log()

        assert engine.runtime_processes() == []
        assert engine.groups() == []
        engine.start()
    engine.ask("status")


def test_a_half_made_runtime_is_removed_by_the_next_engine(engine: EngineProcess) -> None:
    engine.create("one")
    (record,) = engine.data.glob("runtimes/*/record.json")
    value = json.loads(record.read_text())
    record.write_text(json.dumps(value | {"state": "starting"}))

    engine.kill_engine()

    engine.until(lambda: engine.traces() == [])
    assert engine.ask("list")["runtimes"] == []


def test_a_runtime_that_ends_by_itself_is_named_and_takes_its_things_with_it(engine: EngineProcess) -> None:
    with socket.socket(socket.AF_UNIX) as watch:
        watch.settimeout(30)
        watch.connect(str(engine.data / "run/runtimed.sock"))
        frames = watch.makefile("rb")
        body = json.dumps({"id": 1, "op": "watch"}).encode()
        watch.sendall(struct.pack(">I", len(body)) + body)
        frames.read(struct.unpack(">I", frames.read(4))[0])
        engine.create("one")
        with engine.agent_socket("one") as agent:
            agent.sendall(b"exit\n")

        states = []
        while "failed" not in states:
            states.append(json.loads(frames.read(struct.unpack(">I", frames.read(4))[0]))["state"])

    assert states == ["ready", "failed"]
    assert engine.ask("get", runtime="one")["reason"] == "its first process ended"
    assert engine.runtime_processes() == []
    engine.ask("delete", runtime="one")


def test_a_waiting_runtime_is_handed_out_and_another_takes_its_place(engine: EngineProcess) -> None:
    engine.ask("pool", of=[engine.wanted() | {"ready": 1}])
    engine.until(lambda: engine.ask("status")["pool"]["ready"] == 1)
    (waiting,) = engine.runtime_processes()

    engine.create("one")

    assert waiting in engine.runtime_processes()
    assert "1000" in says(engine, "one", "import os; print(os.getuid())")
    engine.until(lambda: engine.ask("status")["pool"]["ready"] == 1)
    engine.kill_engine()
    assert engine.ask("status")["pool"]["ready"] == 1
    assert [one["runtime"] for one in engine.ask("list")["runtimes"]] == ["one"]


def test_only_one_engine_serves_a_data_folder(engine: EngineProcess) -> None:
    second = subprocess.run(engine.command(), capture_output=True, timeout=30, cwd="/")

    assert second.returncode == 75
    assert engine.ask("status")["engine"] == "local"


def test_what_cannot_be_enforced_is_named_with_a_remedy(engine: EngineProcess) -> None:
    status = engine.ask("status")

    assert status["isolation"]["in_force"]
    missing = {one["what"] for one in status["missing"]}
    assert all(one["remedy"] for one in status["missing"])
    assert status["limits"]["disk"]["enforced"] == ("disk limits" not in missing)
    if not status["root"]:
        assert "a user id for each runtime" in missing


@pytest.mark.parametrize(
    "change",
    [
        {"runtime": "../x"},
        {"runtime": ""},
        {"environment": "/etc"},
        {"environment": "relative"},
        {"limits": {"memory_bytes": -1}},
        {"limits": None},
        {"network": "internet"},
        {"type": 7},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(engine: EngineProcess, change: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match=r"invalid|unavailable"):
        engine.ask("create", **{"runtime": "one", **engine.wanted(), **change})

    assert engine.traces() == []


def test_noise_on_the_socket_ends_the_conversation_and_nothing_else(engine: EngineProcess) -> None:
    for noise in (b"\xff" * 100, struct.pack(">I", 5) + b"[1,2]", struct.pack(">I", 3) + b"{{{"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(engine.data / "run/runtimed.sock"))
            connection.sendall(noise)

            assert connection.recv(10) == b""

    assert engine.ask("list") == {"runtimes": []}


def prints(engine: EngineProcess, text: str) -> None:
    """As the processes of the only runtime do, whose descriptors 1 and 2 lead here."""
    [log] = (engine.data / "runtimes").glob("*/log")
    with log.open("a") as file:
        file.write(text)


def test_what_a_runtime_prints_is_told_in_pieces(engine: EngineProcess) -> None:
    engine.create("one")
    begun = engine.ask("printed", runtime="one", after=0)["end"]
    prints(engine, "Fatal Python error\n")

    told = engine.ask("printed", runtime="one", after=begun)

    assert told == {"text": "Fatal Python error\n", "end": begun + 19}
    assert engine.ask("printed", runtime="one", after=told["end"]) == {"text": "", "end": told["end"]}
    # It was cut since then.
    assert engine.ask("printed", runtime="one", after=1 << 30)["text"].endswith("Fatal Python error\n")


def test_much_that_a_runtime_prints_is_told_from_its_end(engine: EngineProcess) -> None:
    engine.create("one")
    prints(engine, "".join(f"{number:06d}\n" for number in range(20_000)))

    told = engine.ask("printed", runtime="one", after=0)

    assert len(told["text"]) == 64 << 10
    assert told["text"].endswith("019999\n")
