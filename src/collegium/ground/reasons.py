"""Why something ended, or is not as it was asked for, in words for people that programs can read back: one table of
codes and their English.

The words are what is kept, with runtimes and with executions; `why` finds code and values in them again, for those who
say them in another language. So what an older server wrote, and what the engine says, has a code as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

REASONS = {
    # A kernel.
    "shut_down": "shut down",
    "restarted": "the kernel was restarted",
    "out_of_memory": "killed: out of memory",
    "out_of_memory_of": "killed: out of memory (used {memory_used} of {memory_limit})",
    "probably_out_of_memory": "killed: probably out of memory (used {memory_used} of {memory_limit})",
    "memory_uncounted": "killed: most likely it ran out of memory, which is not counted here",
    "killed": "killed (signal 9)",
    "crashed": "the kernel crashed: {signal}",
    "signalled": "the kernel was ended by a signal: {signal}",
    "ended": "the kernel ended",
    "exited": "the kernel ended: exit()",
    "exited_with": "the kernel ended by itself: exit code {status}",
    "terminated": "terminated: the cell did not stop within {seconds} s",
    "terminated_at_once": "terminated: it was stopped a second time",
    # An execution.
    "stopped": "stopped",
    "before_failed": "a cell before it failed",
    "aborted": "aborted by the kernel",
    "unseen": "the end of this run was not seen",
    "started_anew": "the runtime was started anew",
    # A runtime, as a session tells it.
    "runtime_given_back": "the runtime was given back",
    "runtime_taken_back": "the runtime was taken back: {because}",
    "runtime_ended": "the runtime ended",
    "runtime_ended_because": "the runtime ended: {because}",
    "malformed": "the runtime does not answer as it should: {what}",
    # A runtime, as it is written down with it.
    "given_back_by_user": "its user gave it back",
    "sealed": "what was installed in it is kept",
    "idle": "it was not used for {duration_ms}",
    "lifetime": "its time was over: it was lent for {duration_ms}",
    "machine_restarted": "the machine was restarted",
    "ended_unseen": "it ended while the server was not running",
    "request_lost": "the server ended while it was requested",
    "request_given_up": "the request was given up",
    # The engine's words.
    "runtime_out_of_memory": "it ran out of memory (limit {mebibytes} MiB)",
    "first_process": "its first process ended",
    "first_process_status": "its first process ended (status {status})",
    "engine_away": "it ended while the engine was not running",
    # What was asked for and could not be had, and what is used instead.
    "runtime_type_none": "There is no runtime type “{type}” here: {usual} is used.",
    "runtime_version_none": "There is no runtime version “{version}” here: {usual} is used.",
    "runtime_kernel_none": "There is no kernel “{kernel}” in this runtime version: {usual} is used.",
    "runtime_type_away_because": "You cannot have the runtime type “{type}” now: {because}. {usual} is used.",
    "runtime_type_away": "You cannot have the runtime type “{type}” now: {usual} is used.",
    "high_ram_none": "The notebook asks for a runtime with high RAM, and there is none here: {usual} is used.",
    "high_ram_away_because": "You cannot have a runtime with high RAM now: {because}. {usual} is used.",
    "high_ram_away": "You cannot have a runtime with high RAM now: {usual} is used.",
    "accelerator_none": "The notebook asks for an accelerator ({accelerator}): {because}. {usual} is used.",
    "accelerator_other": "The notebook asks for {accelerator}, which cannot be had here: {usual} is used.",
    "none_here": "there is none here",
    "network_none": "It has no network here: this machine cannot make one of kind “{network}”.",
    "without_environment": "This runtime is without the notebook’s own environment: {because}",
    # What is being done until a runtime is there.
    "environment_begun": "Building the notebook’s environment",
    "environment_built": "Building the notebook’s environment: {line}",
    "version_built": "Building runtime version {version} with {program}",
    "fonts_listed": "Listing fonts",
    # Refusals, by the `why` that they have themselves.
    "many_runtimes": "You have {most} runtimes already, and may not have more. Disconnect one first.",
    "no_type": "There is no {type} here.",
    "no_runtimes": "This server was started without runtimes, so notebooks cannot run here.",
}
WHY = "`reason` for programs: its `code`, and what its words are about."
LENGTH_MAX = 1000
"""No longer text is read back: `malformed` may quote a stranger."""


def words(code: str, **values: object) -> str:
    """The words for a code. Values go by the names of their places: `duration_ms`, `memory_used` (bytes), …"""
    return REASONS[code].format(**{name: _kind(name).said(value) for name, value in values.items()})


def why(text: str | None) -> dict[str, Any] | None:
    """The code and the values that a reason was made of, or None if it is none of the table's.

    `because`, a reason inside a reason, is read in the same way, and stays a text where that fails.
    """
    if text is None or len(text) > LENGTH_MAX:
        return None
    for code, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return {"code": code, **{name: _kind(name).read(value) for name, value in found.groupdict().items()}}
    return None


def told(text: str | None) -> dict[str, Any]:
    """The words, and their code and values where they have one, as frames have them."""
    if text is None:
        return {}
    known = why(text)
    return {"reason": text} if known is None else {"reason": text, "why": known}


def in_words(duration_ms: int) -> str:
    """A duration as people say it."""
    if duration_ms >= 2 * HOUR_MS and duration_ms % HOUR_MS == 0:
        return f"{duration_ms // HOUR_MS} hours"
    if duration_ms >= MINUTE_MS:
        minutes = round(duration_ms / MINUTE_MS)
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    seconds = max(1, round(duration_ms / 1000))
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def gigabytes(size: int) -> str:
    """`2.1 GB`, `2 GB`, `300 MB`: binary units, which people call so."""
    if size < 1 << 30:
        return f"{round(size / (1 << 20))} MB"
    return f"{round(size / (1 << 30), 1):g} GB"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What stands in a place of a text: how it is said, how it looks, and how it is read."""

    said: Callable[[Any], str]
    looks: str
    read: Callable[[str], Any]


def _duration(text: str) -> int:
    number, unit = text.split()
    return int(number) * {"hour": HOUR_MS, "minute": MINUTE_MS, "second": 1000}[unit.removesuffix("s")]


def _size(text: str) -> int:
    number, unit = text.split()
    return round(float(number) * (1 << (30 if unit == "GB" else 20)))


WORDS = _Kind(str, r".+", str)
COUNT = _Kind(str, r"-?\d+", int)
SIZE = _Kind(gigabytes, r"\d+(?:\.\d+)? [GM]B", _size)
KINDS = {
    "because": _Kind(str, r".+", lambda text: why(text) or text),
    "duration_ms": _Kind(in_words, r"\d+ (?:hour|minute|second)s?", _duration),
    "mebibytes": COUNT,
    "most": COUNT,
    "seconds": _Kind(lambda seconds: f"{seconds:g}", r"\d+(?:\.\d+)?", float),
    "memory_limit": SIZE,
    "memory_used": SIZE,
    "status": COUNT,
}


def _kind(name: str) -> _Kind:
    return KINDS.get(name, WORDS)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    def place(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{_kind(found[1]).looks})"

    return [
        (code, re.compile(re.sub(r"\\\{(\w+)\\\}", place, re.escape(english)), re.DOTALL))
        for code, english in REASONS.items()
    ]
