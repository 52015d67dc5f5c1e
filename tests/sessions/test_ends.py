"""Why a kernel or a runtime is gone, in words: the whole table."""

import signal

import pytest

from collegium.sessions.ends import Memory, of_kernel, of_runtime, terminated

GB = 1 << 30
NOBODY_COUNTS = Memory()


@pytest.mark.parametrize(
    ("number", "code", "memory", "words"),
    [
        (9, None, Memory(1, 2 * GB, int(2.1 * GB), 2 * GB), "killed: out of memory (used 2.1 GB of 2 GB)"),
        (9, None, Memory(3, GB, None, 2 * GB), "killed: out of memory (used 2 GB of 2 GB)"),
        (9, None, Memory(1, limit_bytes=300 << 20), "killed: out of memory (used 300 MB of 300 MB)"),
        (9, None, Memory(1), "killed: out of memory"),
        (9, None, Memory(0, 2 * GB, 2 * GB, 2 * GB), "killed (signal 9)"),
        (9, None, Memory(None, GB, 2 * GB, 2 * GB), "killed: probably out of memory (used 2 GB of 2 GB)"),
        (9, None, Memory(None, GB, GB, 2 * GB), "killed: most likely it ran out of memory, which is not counted here"),
        (9, None, NOBODY_COUNTS, "killed: most likely it ran out of memory, which is not counted here"),
        (signal.SIGSEGV, None, Memory(0), "the kernel crashed: segmentation fault"),
        (signal.SIGABRT, None, Memory(1), "the kernel crashed: aborted"),
        (signal.SIGSYS, None, NOBODY_COUNTS, "the kernel crashed: a system call that is not allowed"),
        (signal.SIGTERM, None, Memory(0), "the kernel was ended by a signal: terminated"),
        (signal.SIGHUP, None, Memory(0), "the kernel was ended by a signal: SIGHUP"),
        (77, None, Memory(0), "the kernel was ended by a signal: signal 77"),
        (0, 0, Memory(0), "the kernel ended: exit()"),
        (0, 3, Memory(0), "the kernel ended by itself: exit code 3"),
        (0, None, Memory(0), "the kernel ended"),
    ],
)
def test_a_kernel_that_ended_is_explained(number: int, code: int | None, memory: Memory, words: str) -> None:
    assert of_kernel(number, code, memory) == words


def test_what_was_asked_for_is_no_accident() -> None:
    assert of_kernel(9, None, NOBODY_COUNTS, asked=True) == "shut down"


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("stopped", "it was not used for 90 minutes", "the runtime was taken back: it was not used for 90 minutes"),
        ("stopped", "its time was over: it was lent for 12 hours",
         "the runtime was taken back: its time was over: it was lent for 12 hours"),
        ("stopped", "its user gave it back", "the runtime was given back"),
        ("stopped", None, "the runtime was given back"),
        ("failed", "the machine was restarted", "the runtime ended: the machine was restarted"),
        ("failed", "it ended while the server was not running",
         "the runtime ended: it ended while the server was not running"),
        ("failed", "", "the runtime ended"),
    ],
)  # fmt: skip
def test_a_runtime_that_ended_is_explained(state: str, reason: str | None, words: str) -> None:
    assert of_runtime(state, reason) == words


def test_a_terminated_cell_says_how_long_it_was_given() -> None:
    assert terminated(10) == "terminated: the cell did not stop within 10 s"
    assert terminated(0.5) == "terminated: the cell did not stop within 0.5 s"
