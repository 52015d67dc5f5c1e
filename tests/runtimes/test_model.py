"""What becomes of a runtime, as pure functions."""

from dataclasses import replace

from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.model import Limits, Machine, Runtime, State, became_ready, ended, lost, strangers

LIMITS = Limits(1 << 30, 1.0, 100, 1 << 30)


def runtime(name: str, state: State = State.READY, used_at: int = 0) -> Runtime:
    return Runtime(RuntimeId(name), UserId("ada"), "local", "cpu", "1", state, "", LIMITS, 0, used_at)


def machine(name: str, state: State = State.READY, reason: str = "") -> Machine:
    return Machine(RuntimeId(name), state, reason, LIMITS)


def test_a_runtime_that_ended_stays_as_it_ended() -> None:
    failed = ended(runtime("a"), State.FAILED, "out of memory", 5)

    assert ended(failed, State.STOPPED, "given back", 9) == failed
    assert (failed.state, failed.reason, failed.stopped_at, failed.live) == (State.FAILED, "out of memory", 5, False)


def test_becoming_ready_counts_as_being_used() -> None:
    ready = became_ready(runtime("a", State.REQUESTED), 7)

    assert (ready.state, ready.ready_at, ready.used_at) == (State.READY, 7, 7)


def test_what_the_engine_does_not_have_is_lost_and_what_we_do_not_know_is_a_stranger() -> None:
    ours = [runtime("a"), runtime("b"), runtime("c")]
    theirs = [machine("a"), machine("b", State.FAILED, "out of memory"), machine("x")]

    assert lost(ours, theirs, "") == [
        (ours[1], "out of memory"),
        (ours[2], "it ended while the server was not running"),
    ]
    assert strangers(ours, theirs) == ["b", "x"]


def test_what_lived_in_another_start_of_the_machine_ended_with_it() -> None:
    before, now, unknown = (replace(runtime(name), boot=boot) for name, boot in (("a", "1"), ("b", "2"), ("c", "")))
    theirs = [machine("a", State.FAILED, "it ended while the engine was not running"), machine("b")]

    assert lost([before, now, unknown], theirs, "2") == [
        (before, "the machine was restarted"),
        (unknown, "it ended while the server was not running"),
    ]
    assert lost([before], [], "2") == [(before, "the machine was restarted")]
    assert lost([before], [machine("a")], "2") == []
