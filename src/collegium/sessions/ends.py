"""Why a kernel or a runtime is gone, from what is known: the words are `ground.reasons`'."""

import signal
from dataclasses import dataclass

from collegium.ground import reasons

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
GIVEN_BACK = reasons.words("given_back_by_user")
TERMINATED_AT_ONCE = reasons.words("terminated_at_once")
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
        return reasons.words("shut_down")
    if signal_number == signal.SIGKILL and memory.kills is not None and memory.kills > 0:
        if not memory.limit_bytes:
            return reasons.words("out_of_memory")
        # What was used is what was asked for in the end: at least the limit, or nothing would have been killed.
        used = max(memory.peak_bytes or 0, memory.limit_bytes)
        return reasons.words("out_of_memory_of", memory_used=used, memory_limit=memory.limit_bytes)
    if signal_number == signal.SIGKILL and memory.kills is None:
        used = max(memory.used_bytes or 0, memory.peak_bytes or 0)
        if memory.limit_bytes and used >= memory.limit_bytes * NEAR_LIMIT:
            return reasons.words("probably_out_of_memory", memory_used=used, memory_limit=memory.limit_bytes)
        return reasons.words("memory_uncounted")
    if signal_number == signal.SIGKILL:
        return reasons.words("killed")
    if signal_number in CRASHES:
        return reasons.words("crashed", signal=_signal_words(signal_number))
    if signal_number:
        return reasons.words("signalled", signal=_signal_words(signal_number))
    if code is None:
        return reasons.words("ended")
    return reasons.words("exited") if code == 0 else reasons.words("exited_with", status=code)


def terminated(grace_seconds: float) -> str:
    """An interrupted cell that did not stop."""
    return reasons.words("terminated", seconds=grace_seconds)


def _signal_words(number: int) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return SIGNALS.get(known, known.name)


def of_runtime(state: str, reason: str | None) -> str:
    """Why a runtime is gone, from what those who ended it wrote down."""
    words = (reason or "").strip().rstrip(".")
    if words in ("", GIVEN_BACK) and state == "stopped":
        return reasons.words("runtime_given_back")
    if state == "stopped":
        return reasons.words("runtime_taken_back", because=words)
    return reasons.words("runtime_ended_because", because=words) if words else reasons.words("runtime_ended")
