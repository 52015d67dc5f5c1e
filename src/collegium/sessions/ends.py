"""Why a kernel or a runtime is gone, in words for people: one table."""

import signal
from dataclasses import dataclass

SIGNALS = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic error",
    signal.SIGILL: "illegal instruction",
    signal.SIGSYS: "a system call that is not allowed",
    signal.SIGTRAP: "trap",
    signal.SIGTERM: "terminated",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGXCPU: "out of processor time",
}
CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS, signal.SIGTRAP}
)
GIVEN_BACK = "its user gave it back"
TERMINATED_AT_ONCE = "terminated: it was stopped a second time"
NEAR_LIMIT = 0.97
"""A kernel killed by the system while this much of the memory was used was, most likely, killed for it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a runtime's memory when its kernel ended. `kills`: processes it lost for want of it, since the
    last time that was asked; None: nobody counts them here."""

    kills: int | None = None
    used_bytes: int | None = None
    peak_bytes: int | None = None
    limit_bytes: int | None = None


def of_kernel(signal_number: int, code: int | None, memory: Memory, *, asked: bool = False) -> str:
    """Why a kernel ended."""
    if asked:
        return "shut down"
    if signal_number == signal.SIGKILL and memory.kills is not None and memory.kills > 0:
        return f"killed: out of memory{_numbers(memory)}"
    if signal_number == signal.SIGKILL and memory.kills is None:
        used = max(memory.used_bytes or 0, memory.peak_bytes or 0)
        if memory.limit_bytes and used >= memory.limit_bytes * NEAR_LIMIT:
            return f"killed: probably out of memory{_numbers(memory)}"
        return "killed: most likely it ran out of memory, which is not counted here"
    if signal_number == signal.SIGKILL:
        return "killed (signal 9)"
    if signal_number in CRASHES:
        return f"the kernel crashed: {SIGNALS[signal.Signals(signal_number)]}"
    if signal_number:
        words = _signal_words(signal_number)
        return f"the kernel was ended by a signal: {words}"
    if code is None:
        return "the kernel ended"
    return "the kernel ended: exit()" if code == 0 else f"the kernel ended by itself: exit code {code}"


def terminated(grace_seconds: float) -> str:
    """An interrupted cell that did not stop."""
    return f"terminated: the cell did not stop within {grace_seconds:g} s"


def _signal_words(number: int) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return SIGNALS.get(known, known.name)


def _numbers(memory: Memory) -> str:
    """`(used 2.1 GB of 2 GB)`, as far as it is known. What was used is what was asked for in the end: at least the
    limit, or nothing would have been killed."""
    if not memory.limit_bytes:
        return ""
    used = max(memory.peak_bytes or 0, memory.limit_bytes if memory.kills else memory.used_bytes or 0)
    return f" (used {gigabytes(used)} of {gigabytes(memory.limit_bytes)})"


def gigabytes(size: int) -> str:
    """`2.1 GB`, `2 GB`, `300 MB`: binary units, which people call so."""
    if size < 1 << 30:
        return f"{round(size / (1 << 20))} MB"
    return f"{round(size / (1 << 30), 1):g} GB"


def of_runtime(state: str, reason: str | None) -> str:
    """Why a runtime is gone, from what those who ended it wrote down."""
    words = (reason or "").strip().rstrip(".")
    if words in ("", GIVEN_BACK) and state == "stopped":
        return "the runtime was given back"
    if state == "stopped":
        return f"the runtime was taken back: {words}"
    return f"the runtime ended: {words}" if words else "the runtime ended"
