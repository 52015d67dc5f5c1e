"""What one tab still has to hear of the widgets it shows: gathered while it reads slowly, and bounded."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collegium.sessions.ports import Client
from collegium.sessions.widget_model import Values, shown

ITEMS_MAX = 5000
BYTES_MAX = 8 * 1024 * 1024
UNREAD_MAX = 2
"""So many frames may be on their way; what comes meanwhile is gathered."""
NAMES_MAX = 64


@dataclass(slots=True)
class _Update:
    id: str
    values: Values
    by: dict[str, list[str]] = field(default_factory=dict)


class Feed:
    """One tab. Several values of an attribute become the last of them; other messages all come, in order."""

    def __init__(self, client: Client) -> None:
        self.ids: set[str] = set()
        """The models whose changes this tab hears."""
        self._client = client
        self._items: list[_Update | dict[str, Any]] = []
        self._latest: dict[str, _Update] = {}
        self._bytes = 0
        self._reset = False
        self._sent = self._read = 0

    def update(self, id: str, values: Values, by: str | None) -> None:
        """Attributes of a model changed; `by`: the tab's or another's message that did it."""
        if id not in self.ids:
            return
        known = self._latest.get(id)
        if known is None or not _may_join(known.values, values):
            known = self._latest[id] = _Update(id, {})
            self._put(known, 100)
        for name, value in values.items():
            before = known.values.get(name)
            self._bytes += value.size - (0 if before is None else before.size)
            known.values[name] = value
            if by is not None:
                known.by.setdefault(name, []).append(by)
                del known.by[name][:-NAMES_MAX]
        self._mind()

    def say(self, id: str, data: dict[str, Any], buffers: Sequence[bytes]) -> None:
        """A message that is no change of attributes."""
        if id in self.ids:
            self._latest.pop(id, None)
            item: dict[str, Any] = {"id": id, "data": data}
            if buffers:
                item["buffers"] = [base64.b64encode(content).decode() for content in buffers]
            self._put(item, 200 + len(str(data)) + sum(map(len, buffers)))

    def closed(self, id: str) -> None:
        """The model is no more."""
        if id in self.ids:
            self.ids.discard(id)
            self._latest.pop(id, None)
            self._put({"id": id, "closed": True}, 100)

    def done(self, message: str) -> None:
        """The kernel has carried out what this tab sent."""
        self._put({"done": message}, 100)

    def gone(self) -> None:
        """The kernel is gone: its models stay as they are."""
        self._latest.clear()
        self._put({"gone": True}, 100)

    def read(self, number: int) -> None:
        """The tab has taken what it was sent up to here."""
        self._read = max(self._read, min(number, self._sent))

    def flush(self) -> None:
        """Send what there is, unless the tab is behind."""
        if (not self._items and not self._reset) or self._sent - self._read >= UNREAD_MAX:
            return
        self._sent += 1
        items = [_item(item) for item in self._items]
        frame: dict[str, Any] = {"type": "widget_updates", "n": self._sent, "items": items}
        self._client.send(frame | ({"reset": True} if self._reset else {}))
        self._clear()
        self._reset = False

    @property
    def waiting(self) -> bool:
        """There is something to send."""
        return bool(self._items) or self._reset

    def _put(self, item: "_Update | dict[str, Any]", size: int) -> None:
        self._items.append(item)
        self._bytes += size
        self._mind()

    def _mind(self) -> None:
        """Too far behind: the tab asks for its models again, and nothing that was gathered is needed then."""
        if len(self._items) > ITEMS_MAX or (len(self._items) > 1 and self._bytes > BYTES_MAX):
            done = [item for item in self._items if isinstance(item, dict) and ("done" in item or "gone" in item)]
            self._clear()
            self._items = list(done[-ITEMS_MAX:])
            self._reset = True

    def _clear(self) -> None:
        self._items, self._bytes = [], 0
        self._latest.clear()


def _may_join(known: Values, values: Values) -> bool:
    """Whether nobody misses the values in between. Some packages send messages as attributes that become null again."""
    return all(known[name].is_null == value.is_null for name, value in values.items() if name in known)


def _item(item: "_Update | dict[str, Any]") -> dict[str, Any]:
    if isinstance(item, dict):
        return item
    return {"id": item.id, **shown(item.values)} | ({"by": item.by} if item.by else {})
