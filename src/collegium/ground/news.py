"""News between the parts of a server, and between the servers of one installation: that something changed.

News are hints to look again, never the truth itself: that is in the database, committed before anybody is told.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Heard = Callable[[dict[str, Any]], None]
Missed = Callable[[bool], None]
"""Told that news went by: surely, or perhaps."""
Spread = Callable[[str, dict[str, Any]], None]


class News:
    """Who listens to what. Nothing here waits: a listener notes what it heard, and acts in a task of its own."""

    def __init__(self) -> None:
        self._missing: set[Missed] = set()
        self._listeners: dict[str, set[Heard]] = defaultdict(set)
        self.spread: Spread | None = None
        """Passes news on to the other processes of this installation, as soon as it can."""

    def tell(self, topic: str, **fields: Any) -> None:
        """Listeners in this process hear at once, those of other processes soon. `fields` are JSON."""
        self.hear(topic, fields)
        if self.spread is not None:
            self.spread(topic, fields)

    def hear(self, topic: str, fields: dict[str, Any]) -> None:
        """Tell the listeners of this process alone: also what another process said."""
        for heard in tuple(self._listeners[topic]):
            heard(fields)

    def miss(self, *, surely: bool) -> None:
        """Another process said something that was not heard here, or may have: listeners look again at everything."""
        for missed in tuple(self._missing):
            missed(surely)

    @contextmanager
    def listening(self, topic: str, heard: Heard, *, missed: Missed | None = None) -> Iterator[None]:
        """Call `heard` with the fields of each piece of news, and `missed` when some went by, until the block ends."""
        self._listeners[topic].add(heard)
        if missed is not None:
            self._missing.add(missed)
        try:
            yield
        finally:
            self._listeners[topic].discard(heard)
            if missed is not None:
                self._missing.discard(missed)
