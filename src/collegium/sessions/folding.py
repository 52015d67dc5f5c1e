"""Outputs as a run leaves them: events fold into what a cell shows, and into what readers lack of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collegium.sessions.text import StreamText, settled

FRAME_CHARACTERS_MAX = 64 * 1024
ALL = 1 << 40
OUTPUTS_MAX = 2000
"""Beyond it, further outputs are counted in a last one and not shown; the log has their text."""
OVERFLOW, OMITTED = "collegium", "omitted_outputs"
"""Where the metadata of the last output says how many more there were."""
DISPLAY = "$display"
"""The key under which a stored output remembers its display id. Never leaves the server."""

Event = dict[str, Any]
"""What happened to the outputs, in the form that segments keep: `kind` and its fields."""
Output = dict[str, Any]


def as_shown(output: Output) -> Output:
    """An output that came with a file, its progress bars where they ended: other programs save every step."""
    return output | {"text": settled(str(output["text"]))} if output["output_type"] == "stream" else output


@dataclass(slots=True)
class Stream:
    """A stream output that may still grow."""

    name: str
    shown: StreamText = field(default_factory=StreamText)

    def output(self) -> Output:
        """As it is kept."""
        text, omitted = self.shown.kept()
        return self._output(text, omitted)

    def first(self, characters_max: int) -> Output:
        """As a reader gets it anew; the rest follows."""
        return self._output(self.shown.sent_first(characters_max), self.shown.omitted_bytes)

    def _output(self, text: str, omitted: int) -> Output:
        output: Output = {"output_type": "stream", "name": self.name, "text": text}
        if omitted:
            output["omitted"] = {"bytes": omitted, "at": self.shown.omitted_at}
        return output


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the outputs from `start` on."""

    start: int
    outputs: list[Output]


@dataclass(frozen=True, slots=True)
class Append:
    """The stream at `index` keeps `keep` units and goes on with `text`."""

    index: int
    keep: int
    text: str


class Folded:
    """The outputs of one execution."""

    def __init__(self, outputs: list[Output] | None = None) -> None:
        self._items: list[Stream | Output] = []
        self._clear_next = False
        self._changed: int | None = None
        self.lacking = False
        """Readers do not have everything."""
        self._overflowed = 0
        for output in outputs or []:
            self._items.append(output)
            self._overflowed = _overflow_of(output)

    def outputs(self, *, stored: bool = False) -> list[Output]:
        """What the cell shows. `stored`: with the display ids that the server keeps for itself."""
        return [_presented(item, stored=stored) for item in self._items]

    @property
    def displays(self) -> set[str]:
        """The display ids that can be updated here."""
        return {str(item[DISPLAY]) for item in self._items if not isinstance(item, Stream) and DISPLAY in item}

    def apply(self, event: Event) -> None:
        """One event, in order."""
        self.lacking = True
        match event["kind"]:
            case "stream":
                self._stream(event["name"], event["text"])
            case "output":
                self._add(dict(event["output"]))
            case "clear":
                if event["wait"]:
                    self._clear_next = True
                else:
                    self._clear()
            case "update":
                self._update(event)

    def unsent(self, *, all_text: bool = False) -> list[Splice | Append]:
        """What readers lack, in the order they must apply it; at most FRAME_CHARACTERS_MAX of text per stream."""
        if not self.lacking:
            return []
        limit = ALL if all_text else FRAME_CHARACTERS_MAX
        changes = self._unsent(limit)
        self.lacking = any(isinstance(item, Stream) and item.shown.lacking for item in self._items)
        return changes

    def _unsent(self, limit: int) -> list[Splice | Append]:
        start, self._changed = self._changed, None
        changes: list[Splice | Append] = []
        for index, item in enumerate(self._items[:start]):
            if isinstance(item, Stream):
                if item.shown.cut:
                    return [*changes, Splice(index, [_sent(later, ALL) for later in self._items[index:]])]
                if (lacking := item.shown.unsent(limit)) is not None:
                    changes.append(Append(index, *lacking))
        if start is not None:
            changes.append(Splice(start, [_sent(item, limit) for item in self._items[start:]]))
        return changes

    @property
    def behind(self) -> bool:
        """What readers lack is much: more than a frame takes, or the middle of a long stream was left out anew."""
        streams = (item.shown for item in self._items if isinstance(item, Stream))
        return any(shown.cut or shown.lacks > FRAME_CHARACTERS_MAX for shown in streams)

    def _stream(self, name: str, text: str) -> None:
        self._clear_if_due()
        last = self._items[-1] if self._items else None
        if not (isinstance(last, Stream) and last.name == name):
            if len(self._items) >= OUTPUTS_MAX:
                self._overflow()
                return
            last = Stream(name)
            self._items.append(last)
            self._touch(len(self._items) - 1)
        last.shown.add(text)

    def _add(self, output: Output) -> None:
        self._clear_if_due()
        if len(self._items) >= OUTPUTS_MAX:
            self._overflow()
            return
        self._items.append(output)
        self._touch(len(self._items) - 1)

    def _overflow(self) -> None:
        if self._overflowed:
            self._items.pop()
        self._overflowed += 1
        self._items.append(_overflow_note(self._overflowed))
        self._touch(OUTPUTS_MAX)

    def _update(self, event: Mapping[str, Any]) -> None:
        for index, item in enumerate(self._items):
            if not isinstance(item, Stream) and item.get(DISPLAY) == event["id"]:
                self._items[index] = {**item, "data": event["data"], "metadata": event["metadata"]}
                self._touch(index)

    def _clear_if_due(self) -> None:
        if self._clear_next:
            self._clear()

    def _clear(self) -> None:
        self._clear_next = False
        self._overflowed = 0
        if self._items:
            self._items.clear()
            self._touch(0)

    def _touch(self, index: int) -> None:
        self._changed = index if self._changed is None else min(self._changed, index)


def _overflow_note(count: int) -> Output:
    """The output that stands for those that are not kept; a valid one, since it is exported with the rest."""
    words = f"{count:,} more {'output was' if count == 1 else 'outputs were'} not kept here; the log has their text."
    return {"output_type": "display_data", "data": {"text/plain": words}, "metadata": {OVERFLOW: {OMITTED: count}}}


def _overflow_of(output: Output) -> int:
    count = _dict(_dict(output.get("metadata")).get(OVERFLOW)).get(OMITTED)
    return count if isinstance(count, int) and count > 0 else 0


def _presented(item: Stream | Output, *, stored: bool = False) -> Output:
    if isinstance(item, Stream):
        return item.output()
    return item if stored or DISPLAY not in item else {key: value for key, value in item.items() if key != DISPLAY}


def _sent(item: Stream | Output, limit: int) -> Output:
    return item.first(limit) if isinstance(item, Stream) else _presented(item)


def event_of(msg_type: str, content: Mapping[str, Any]) -> Event | None:
    """What a kernel's message does to outputs; None if nothing. Fields of a wrong type are read as empty."""
    output: Output
    match msg_type:
        case "stream":
            name = "stderr" if content.get("name") == "stderr" else "stdout"
            return {"kind": "stream", "name": name, "text": _str(content.get("text"))}
        case "display_data":
            output = {
                "output_type": "display_data",
                "data": _bundle(content),
                "metadata": _dict(content.get("metadata")),
            }
            return {"kind": "output", "output": output | _display(content)}
        case "execute_result":
            count = content.get("execution_count")
            output = {
                "output_type": "execute_result",
                "execution_count": count if isinstance(count, int) else None,
                "data": _bundle(content),
                "metadata": _dict(content.get("metadata")),
            }
            return {"kind": "output", "output": output | _display(content)}
        case "error":
            return {"kind": "output", "output": error_output(content)}
        case "clear_output":
            return {"kind": "clear", "wait": content.get("wait") is True}
        case "update_display_data" if shown := _display(content):
            data, more = _bundle(content), _dict(content.get("metadata"))
            return {"kind": "update", "id": shown[DISPLAY], "data": data, "metadata": more}
        case _:
            return None


def error_output(content: Mapping[str, Any]) -> Output:
    """An error as nbformat has it."""
    lines = content.get("traceback")
    return {
        "output_type": "error",
        "ename": _str(content.get("ename")),
        "evalue": _str(content.get("evalue")),
        "traceback": [_str(line) for line in lines] if isinstance(lines, list) else [],
    }


def _display(content: Mapping[str, Any]) -> Output:
    id = _dict(content.get("transient")).get("display_id")
    return {DISPLAY: id[:200]} if isinstance(id, str) and id else {}


def _bundle(content: Mapping[str, Any]) -> dict[str, Any]:
    return {str(mime)[:200]: value for mime, value in _dict(content.get("data")).items()}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
