"""News between the parts of a server, and between the servers of one installation: that something changed.

News are hints to look again, never the truth itself: that is in the database, committed before anybody is told.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Heard = Callable[[dict[str, Any]], None]
Spread = Callable[[str, dict[str, Any]], None]


class News:
    """Who listens to what. Nothing here waits: a listener notes what it heard, and acts in a task of its own."""

    def __init__(self) -> None:
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

    @contextmanager
    def listening(self, topic: str, heard: Heard) -> Iterator[None]:
        """Call `heard` with the fields of each piece of news, until the block ends."""
        self._listeners[topic].add(heard)
        try:
            yield
        finally:
            self._listeners[topic].discard(heard)
