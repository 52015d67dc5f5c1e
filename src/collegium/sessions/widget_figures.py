"""Plotly's FigureWidget: a program says its changes in passing; the figure as it is now is made of them."""

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from collegium.sessions.widget_model import BufferPath, Large, Model, New, Value, Values, value_of

DATA, LAYOUT = "_widget_data", "_widget_layout"
PASSING = "_py2js_"
"""Attributes of this beginning are messages: set, and null again at once."""
EDITS_MAX = 1000
"""More than these are not gathered: the figure is made anew in between."""
INDEX_MAX = 100_000
DEPTH_MAX = 100

Edit = tuple[str, Value]
Read = Callable[[str], bytes]
Key = str | int


@dataclass(slots=True)
class Figures:
    """Of each figure the changes that its data and layout do not say yet, in order."""

    edits: dict[str, list[Edit]] = field(default_factory=dict)

    def heed(self, model: Model, changed: Values) -> None:
        """Attributes of a model were set."""
        if DATA not in model.values:
            return
        if DATA in changed and LAYOUT in changed:
            self.edits.pop(model.id, None)
            return
        for name, value in changed.items():
            if name in (DATA, LAYOUT):
                # Only what was changed before it must not be applied to it.
                if model.id in self.edits:
                    self.edits[model.id].append((name, value))
            elif name.startswith(PASSING) and not value.is_null:
                self.edits.setdefault(model.id, []).append((name, value))

    def drop(self, id: str) -> None:
        """This model is no more, or says all that was changed."""
        self.edits.pop(id, None)

    @property
    def are_many(self) -> bool:
        """It is time to make figures of the changes."""
        return any(len(edits) > EDITS_MAX for edits in self.edits.values())


def made(values: Values, edits: Sequence[Edit], read: Read, new: New) -> Values:
    """Data and layout after these changes; nonsense among them is passed over. Called from a thread."""
    whole = {name: _whole(values[name], read) if name in values else None for name in (DATA, LAYOUT)}
    for name, value in edits:
        message = _whole(value, read)
        if name in whole:
            whole[name] = message
        elif isinstance(message, dict):
            _apply(name.removeprefix(PASSING), message, _list(whole[DATA]), _dict(whole[LAYOUT]))
    return {name: _parted(name, content, new) for name, content in whole.items() if name in values}


def _apply(kind: str, message: dict[str, Any], data: list[Any], layout: dict[str, Any]) -> None:
    """As the widget's own script does it in the browser."""
    match kind:
        case "addTraces":
            data.extend(_list(message.get("trace_data")))
        case "deleteTraces":
            for at in sorted(_numbers(message.get("delete_inds")), reverse=True):
                del data[at : at + 1]
        case "moveTraces":
            _move(data, _numbers(message.get("current_trace_inds")), _numbers(message.get("new_trace_inds")))
        case "restyle":
            _restyle(data, _dict(message.get("restyle_data")), message.get("restyle_traces"))
        case "relayout":
            _set_all(layout, _dict(message.get("relayout_data")))
        case "update":
            _restyle(data, _dict(message.get("style_data")), message.get("style_traces"))
            _set_all(layout, _dict(message.get("layout_data")))
        case "animate":
            traces = _traces(data, message.get("style_traces"))
            for trace, style in zip(traces, _list(message.get("style_data")), strict=False):
                _set_all(trace, _dict(style))
            _set_all(layout, _dict(message.get("layout_data")))
        case "removeLayoutProps":
            _unset_all(layout, _list(message.get("remove_props")))
        case "removeTraceProps":
            for trace in _traces(data, message.get("remove_trace")):
                _unset_all(trace, _list(message.get("remove_props")))
        case _:
            pass


def _move(data: list[Any], now: list[int], then: list[int]) -> None:
    taken = [(to, data[at]) for at, to in zip(now, then, strict=False) if at < len(data)]
    for at in sorted(now, reverse=True):
        del data[at : at + 1]
    for to, trace in sorted(taken, key=lambda one: one[0]):
        data.insert(to, trace)


def _restyle(data: list[Any], styles: dict[str, Any], which: Any) -> None:
    traces = _traces(data, which)
    for path, given in styles.items():
        each = given if isinstance(given, list) else [given]
        for at, trace in enumerate(traces):
            if each:
                _set(trace, path, copy.deepcopy(each[at % len(each)]))


def _traces(data: list[Any], which: Any) -> list[dict[str, Any]]:
    """Those of these numbers; None: all."""
    numbers = range(len(data)) if which is None else _numbers(which if isinstance(which, list) else [which])
    return [data[at] for at in numbers if at < len(data) and isinstance(data[at], dict)]


def _set_all(into: dict[str, Any], given: dict[str, Any]) -> None:
    for path, content in given.items():
        _set(into, path, content)


def _unset_all(of: dict[str, Any], paths: Iterable[Any]) -> None:
    for path in paths:
        _set(of, path, None)


def _set(into: dict[str, Any], path: Any, content: Any) -> None:
    """`marker.color`, `shapes[0].x0`; None takes away."""
    keys = _keys(path)
    if content == "_undefined_" or not 0 < len(keys) <= DEPTH_MAX:
        return
    holder: Any = into
    for key, following in itertools.pairwise(keys):
        inner = _get(holder, key)
        if not isinstance(inner, dict | list):
            if content is None:
                return
            inner = [] if isinstance(following, int) else {}
            _put(holder, key, inner)
        holder = inner
    if content is not None or isinstance(holder, list):
        _put(holder, keys[-1], content)
    elif isinstance(holder, dict):
        holder.pop(str(keys[-1]), None)


def _keys(path: Any) -> list[Key]:
    steps = [str(one) for one in path] if isinstance(path, list) else re.findall(r"[^.\[\]]+", str(path))
    return [int(step) if step.isdecimal() else step for step in steps]


def _get(holder: Any, key: Key) -> Any:
    if isinstance(holder, dict):
        return holder.get(str(key))
    return holder[key] if isinstance(key, int) and key < len(holder) else None


def _put(holder: Any, key: Key, content: Any) -> None:
    if isinstance(holder, dict):
        holder[str(key)] = content
    elif isinstance(key, int) and key < INDEX_MAX:
        holder.extend([None] * (key + 1 - len(holder)))
        holder[key] = content


def _list(content: Any) -> list[Any]:
    return content if isinstance(content, list) else []


def _dict(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}


def _numbers(content: Any) -> list[int]:
    return [one for one in _list(content) if isinstance(one, int) and one >= 0]


# buffers are moved with what holds them


@dataclass(frozen=True, slots=True)
class _Held:
    content: bytes | Large


def _whole(value: Value, read: Read) -> Any:
    """The value with its buffers where they belong."""
    content = copy.deepcopy(value.plain) if value.large is None else json.loads(read(value.large.sha256))
    for (_, *steps), buffer in value.buffers:
        holder = content
        for step in steps[:-1]:
            holder = _get(holder, step) if isinstance(holder, dict | list) else None
        if steps and isinstance(holder, dict | list):
            _put(holder, steps[-1], _Held(buffer))
    return content


def _parted(name: str, whole: Any, new: New) -> Value:
    buffers: list[tuple[BufferPath, bytes | Large]] = []
    return value_of(_without(whole, (name,), buffers), tuple(buffers), new)


def _without(content: Any, path: BufferPath, buffers: list[tuple[BufferPath, bytes | Large]]) -> Any:
    """The content without buffers, which are noted."""
    if isinstance(content, _Held):
        buffers.append((path, content.content))
        return None
    if isinstance(content, dict):
        inner = {key: _without(one, (*path, key), buffers) for key, one in content.items()}
        return {key: one for key, one in inner.items() if not isinstance(content[key], _Held)}
    if isinstance(content, list):
        return [_without(one, (*path, at), buffers) for at, one in enumerate(content)]
    return content
