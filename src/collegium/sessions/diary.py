"""What happened to a notebook's runtime and kernel, and what they printed outside of cells."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from collegium.ground.clock import now_ms

EVENTS_MAX = 1000
PRINTED_MAX = 1000
PRINTED_CHARACTERS_MAX = 4000
"""Of one piece; what is longer keeps its end."""

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something happened. `what` is its code, for which the page has the words; `about` what they fill in."""

    n: int
    at: int
    level: Level
    what: str
    about: dict[str, Any] = field(default_factory=dict)


class Diary:
    """The latest of it, in memory: it begins anew with the server. Much that is printed drives out no event."""

    def __init__(self) -> None:
        self.since = now_ms()
        self._n = 0
        self._events: deque[Entry] = deque(maxlen=EVENTS_MAX)
        self._printed: deque[Entry] = deque(maxlen=PRINTED_MAX)

    def note(self, what: str, level: Level = "info", **about: Any) -> None:
        """Something happened now."""
        self._add(self._events, Entry(self._n + 1, now_ms(), level, what, about))

    def printed(self, text: str, *, error: bool = False) -> None:
        """Something was printed that no cell shows."""
        text = text.strip("\n")
        if text.strip():
            about = {"text": text[-PRINTED_CHARACTERS_MAX:]}
            self._add(self._printed, Entry(self._n + 1, now_ms(), "warning" if error else "info", "printed", about))

    def after(self, n: int) -> list[Entry]:
        """What came after the entry with this number, in order. With 0: everything."""
        both = [entry for kept in (self._events, self._printed) for entry in kept if entry.n > n]
        return sorted(both, key=lambda entry: entry.n)

    def _add(self, kept: deque[Entry], entry: Entry) -> None:
        self._n = entry.n
        kept.append(entry)
