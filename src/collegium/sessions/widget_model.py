"""The models of widgets as their kernel tells them: attributes with buffers, what refers to what, and what is saved."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WIDGET = "jupyter.widget"
OUTPUT_MODEL = "OutputModel"
REFERENCE = "IPY_MODEL_"
VIEW = "application/vnd.jupyter.widget-view+json"
LARGE_BYTES = 64 * 1024
"""A value or buffer above this is kept by its hash, once for all models."""
COMM_ID_MAX = 200
ATTRIBUTES_MAX = 2000
DEPTH_MAX = 100

BufferPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Large:
    """Bytes that are kept elsewhere."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Value:
    """What an attribute holds: plain JSON, or large JSON by its hash; bytes belong at their paths in it."""

    plain: Any = None
    large: Large | None = None
    buffers: tuple[tuple[BufferPath, bytes | Large], ...] = ()
    size: int = 0
    named: tuple[str, ...] = ()
    """The models that large JSON names."""

    @property
    def is_null(self) -> bool:
        """It holds nothing."""
        return self.plain is None and self.large is None

    @property
    def larges(self) -> Iterator[Large]:
        """Everything of it that is kept elsewhere."""
        if self.large is not None:
            yield self.large
        yield from (content for _, content in self.buffers if isinstance(content, Large))


Values = dict[str, Value]
New = dict[str, bytes]
"""Large contents by their SHA-256, not kept yet."""


@dataclass(slots=True)
class Model:
    """One comm and, if it is a widget's, the state of the widget's model."""

    id: str
    target: str
    metadata: dict[str, Any]
    generation: int
    values: Values = field(default_factory=dict)
    over: bool = False
    """Some of it was refused for want of room."""

    def plain(self, name: str) -> Any:
        """A small attribute; None if there is none."""
        value = self.values.get(name)
        return None if value is None else value.plain

    @property
    def size(self) -> int:
        """What its attributes take, large ones not counted."""
        return 200 + sum(value.size for value in self.values.values())

    @property
    def is_link(self) -> bool:
        """It joins others, is shown nowhere, and nothing refers to it."""
        return str(self.plain("_model_name")).endswith("LinkModel")

    @property
    def is_output(self) -> bool:
        """It captures the outputs of runs."""
        return str(self.plain("_model_name")) == OUTPUT_MODEL

    def references(self) -> set[str]:
        """The models that its small attributes name, and those that captured outputs show."""
        named = {id for value in self.values.values() for id in (*value.named, *references(value.plain))}
        outputs = self.plain("outputs") if self.is_output else None
        shown = [viewed(one) for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
        return named.union(*shown)


def values_of(state: Mapping[str, Any], paths: Sequence[Any], buffers: Sequence[bytes], new: New) -> Values:
    """Attributes as a kernel or a tab sent them; what is large goes into `new`. Nonsense is read as nothing."""
    held: dict[str, list[tuple[BufferPath, bytes | Large]]] = {}
    for path, content in zip(paths, buffers, strict=False):
        if isinstance(path, list) and path and all(isinstance(step, str | int) for step in path):
            held.setdefault(str(path[0]), []).append((tuple(path), _kept(content, new)))
    values: Values = {}
    for name in list(dict.fromkeys([*state, *held]))[:ATTRIBUTES_MAX]:
        values[name[:COMM_ID_MAX]] = value_of(state.get(name), tuple(held.get(name, ())), new)
    return values


def value_of(plain: Any, buffers: tuple[tuple[BufferPath, bytes | Large], ...], new: New) -> Value:
    """One attribute; what is large goes into `new`."""
    text = json.dumps(plain).encode()
    small = sum(len(content) for _, content in buffers if isinstance(content, bytes))
    if len(text) > LARGE_BYTES:
        named = tuple(dict.fromkeys(references(plain)))
        return Value(None, _put(text, new), buffers, 100 + small + sum(map(len, named)), named)
    return Value(plain, None, buffers, len(text) + small)


def _kept(content: bytes, new: New) -> bytes | Large:
    return _put(content, new) if len(content) > LARGE_BYTES else content


def _put(content: bytes, new: New) -> Large:
    sha256 = hashlib.sha256(content).hexdigest()
    new[sha256] = content
    return Large(sha256, len(content))


def references(value: Any, depth: int = 0) -> Iterator[str]:
    """The models that a value names."""
    if isinstance(value, str):
        if value.startswith(REFERENCE):
            yield value.removeprefix(REFERENCE)
    elif depth < DEPTH_MAX and isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from references(item, depth + 1)


def closure(models: Mapping[str, Model], wanted: Iterable[str]) -> Iterator[Model]:
    """These models and all they refer to, then the links between them; each once, near ones first."""
    seen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        later: list[str] = []
        for id in waiting:
            model = models.get(id)
            if model is not None and id not in seen:
                seen.add(id)
                later += model.references()
                yield model
        waiting = later
    for model in list(models.values()):
        if model.is_link and model.id not in seen and model.references() & seen:
            yield model


def viewed(output: Mapping[str, Any]) -> Iterator[str]:
    """The models that an output shows."""
    data = output.get("data")
    view = data.get(VIEW) if isinstance(data, dict) else None
    if isinstance(view, dict) and isinstance(view.get("model_id"), str):
        yield view["model_id"]


# as records of the log


def encoded(values: Values) -> dict[str, Any]:
    """Attributes as JSON that `decoded` reads."""
    return {name: _encoded(value) for name, value in values.items()}


def _encoded(value: Value) -> dict[str, Any]:
    written: dict[str, Any] = {"v": value.plain, "n": value.size}
    if value.large is not None:
        written |= {"l": [value.large.sha256, value.large.size], "r": list(value.named)}
    if value.buffers:
        written["b"] = [[list(path), _buffer(content)] for path, content in value.buffers]
    return written


def _buffer(content: bytes | Large) -> Any:
    return [content.sha256, content.size] if isinstance(content, Large) else base64.b64encode(content).decode()


def decoded(written: Mapping[str, Any]) -> Values:
    """The other way."""
    return {
        name: Value(
            one["v"],
            Large(*one["l"]) if "l" in one else None,
            tuple((tuple(path), _unbuffer(content)) for path, content in one.get("b", ())),
            one["n"],
            tuple(one.get("r", ())),
        )
        for name, one in written.items()
    }


def _unbuffer(content: Any) -> bytes | Large:
    return Large(*content) if isinstance(content, list) else base64.b64decode(content)


# as the page sees them


def shown(values: Values) -> dict[str, Any]:
    """STATE of the protocol: small values as they are, large ones by their hash, bytes in base64."""
    frame: dict[str, Any] = {"state": {name: value.plain for name, value in values.items() if value.large is None}}
    large = {name: _named(value.large) for name, value in values.items() if value.large is not None}
    buffers = [[list(path), _sent(content)] for value in values.values() for path, content in value.buffers]
    return frame | ({"large": large} if large else {}) | ({"buffers": buffers} if buffers else {})


def _named(large: Large) -> dict[str, Any]:
    return {"sha256": large.sha256, "size": large.size}


def _sent(content: bytes | Large) -> Any:
    return _named(content) if isinstance(content, Large) else base64.b64encode(content).decode()


# as a notebook's file has them


def saved(model: Model, larges: Mapping[str, bytes]) -> dict[str, Any]:
    """One entry of `application/vnd.jupyter.widget-state+json`."""
    state = {
        name: value.plain if value.large is None else json.loads(larges[value.large.sha256])
        for name, value in model.values.items()
    }
    # What captures the output of a run that is over captures nothing.
    state = {name: "" if name == "msg_id" and model.is_output else value for name, value in state.items()}
    entry: dict[str, Any] = {
        "model_name": str(state.get("_model_name") or "WidgetModel"),
        "model_module": str(state.get("_model_module") or "@jupyter-widgets/base"),
        "model_module_version": str(state.get("_model_module_version") or ""),
        "state": state,
    }
    buffers = [
        {"path": list(path), "data": base64.b64encode(content).decode(), "encoding": "base64"}
        for path, content in _whole(model, larges)
    ]
    return entry | ({"buffers": buffers} if buffers else {})


def reachable(states: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Of saved states these and all that they refer to, then the links between them."""
    found: dict[str, Any] = {}
    waiting = list(wanted)
    while waiting:
        id = waiting.pop()
        if id in states and id not in found:
            found[id] = states[id]
            waiting += references(states[id]["state"])
            waiting += [one for output in _outputs(states[id]) for one in viewed(output)]
    for id, entry in states.items():
        if entry["model_name"].endswith("LinkModel") and any(one in found for one in references(entry["state"])):
            found[id] = entry
    return found


def _outputs(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs = entry["state"].get("outputs")
    return [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []


def past(id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """MODEL of the protocol for a saved state: no kernel has it."""
    frame = {"id": id, "target": WIDGET, "live": False, "state": entry["state"]}
    buffers = [[one["path"], one["data"]] for one in entry.get("buffers", ())]
    return frame | ({"buffers": buffers} if buffers else {})


def _whole(model: Model, larges: Mapping[str, bytes]) -> Iterator[tuple[BufferPath, bytes]]:
    for value in model.values.values():
        for path, content in value.buffers:
            yield path, larges[content.sha256] if isinstance(content, Large) else content
