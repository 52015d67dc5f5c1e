"""Output widgets: while one captures a run, what the run puts out becomes the widget's, and not the cell's."""

import json
from dataclasses import dataclass, field
from typing import Any

from collegium.sessions.folding import DISPLAY, Event, Folded
from collegium.sessions.widget_model import Model, Value, Values


@dataclass(slots=True)
class _Capturing:
    folded: Folded
    changed: bool = False
    """The model's `outputs` do not say yet what was captured."""
    untold: bool = False
    """The kernel does not know yet what was captured."""


@dataclass(slots=True)
class Captures:
    """Which Output widget captures which run: the one that began last."""

    _runs: list[tuple[str, str]] = field(default_factory=list)
    _by_model: dict[str, _Capturing] = field(default_factory=dict)

    def heed(self, model: Model, changed: Values) -> None:
        """An Output widget begins or ends to capture, or its outputs were set by the program."""
        if not model.is_output:
            return
        if "msg_id" in changed:
            self._runs = [(run, id) for run, id in self._runs if id != model.id]
            run = changed["msg_id"].plain
            if isinstance(run, str) and run:
                self._runs.append((run, model.id))
        if "outputs" in changed:
            self._by_model.pop(model.id, None)

    def of(self, run: str) -> str | None:
        """The Output widget that captures this run."""
        return next((id for known, id in reversed(self._runs) if known == run), None) if run else None

    def take(self, model: Model, event: Event) -> None:
        """Something that the captured run put out."""
        capturing = self._by_model.get(model.id)
        if capturing is None:
            left = model.plain("outputs")
            kept = [one for one in left if isinstance(one, dict)] if isinstance(left, list) else []
            capturing = self._by_model[model.id] = _Capturing(Folded(kept))
        capturing.folded.apply(event)
        capturing.changed = capturing.untold = True

    def showing(self, display: str) -> list[str]:
        """The Output widgets that hold a display of this id."""
        return [id for id, capturing in self._by_model.items() if display in capturing.folded.displays]

    def changed(self) -> dict[str, Value]:
        """What Output widgets hold that changed since this was asked last."""
        values: dict[str, Value] = {}
        for id, capturing in self._by_model.items():
            if capturing.changed:
                capturing.changed = False
                outputs = [_plain(output) for output in capturing.folded.outputs()]
                values[id] = Value(outputs, size=len(json.dumps(outputs)))
        return values

    def untold(self) -> list[str]:
        """Output widgets that captured something the kernel does not know of, and capture nothing now."""
        busy = {id for _, id in self._runs}
        return [id for id, capturing in self._by_model.items() if capturing.untold and id not in busy]

    def tell(self, id: str) -> None:
        """The kernel is being told."""
        self._by_model[id].untold = False

    def drop(self, id: str) -> None:
        """This widget is no more."""
        self._runs = [(run, known) for run, known in self._runs if known != id]
        self._by_model.pop(id, None)

    def forget(self) -> None:
        """The kernel is gone."""
        self._runs.clear()
        self._by_model.clear()


def _plain(output: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in output.items() if key not in (DISPLAY, "omitted")}
