"""One execution while it may still change: its state, its outputs, its segment, and what was told of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from collegium.sessions.folding import Append, Event, Folded, Output, Splice
from collegium.sessions.model import FINAL, Execution, State
from collegium.sessions.segments import Segment


class Live:
    """What the session keeps in memory of an execution; everything in it can be read back from disk."""

    def __init__(self, execution: Execution, segment: Segment, outputs: list[Output] | None = None) -> None:
        self.execution = execution
        self.version = 0
        self.row_dirty = False
        self.outputs_dirty = False
        self.taken = 0
        self.replied = False
        self.idle = False
        self.failed = False
        self._segment = segment
        events = segment.recover()
        self.folded = Folded(None if events else outputs)
        for event in events:
            self._apply(event)
        self.folded.unsent(all_text=True)

    @property
    def last_seq(self) -> int:
        """The last record whose effect is in the segment."""
        return self._segment.last_seq

    @property
    def unsynced(self) -> bool:
        """Something was written that is not on disk yet."""
        return self._segment.dirty

    @property
    def unwritten(self) -> bool:
        """The index does not say yet what is known of it."""
        return self.row_dirty or (self.over and self.outputs_dirty)

    @property
    def over(self) -> bool:
        """It has ended."""
        return self.execution.state in FINAL

    def change(self, **changes: Any) -> None:
        """The execution's state, to be written down soon."""
        self.execution = replace(self.execution, **changes)
        self.row_dirty = True

    def take(self, event: Event) -> None:
        """An event with its number: written, then folded."""
        self._segment.append(event)
        self._apply(event)
        self.taken += 1
        self.outputs_dirty = True

    def _apply(self, event: Event) -> None:
        if event["kind"] == "idle":
            self.idle = True
        elif event["kind"] == "reply":
            self.replied, self.failed = True, event["status"] != "ok"
        else:
            self.folded.apply(event)

    def sync(self) -> None:
        """Everything written is on disk. Called from a thread."""
        self._segment.sync()

    def close(self) -> None:
        """Let the file go."""
        self._segment.close()

    def stored_outputs(self) -> list[Output]:
        """What the database keeps."""
        return self.folded.outputs(stored=True)

    def frames(self, *, all_text: bool = False) -> list[dict[str, Any]]:
        """What watchers lack, as frames of the protocol; each counts."""
        return [self._frame(change) for change in self.folded.unsent(all_text=all_text)]

    def whole(self) -> dict[str, Any]:
        """All outputs again, for one who missed a frame."""
        return self._named("outputs") | {"splice": [0, self.folded.outputs()]}

    def _frame(self, change: Splice | Append) -> dict[str, Any]:
        self.version += 1
        if isinstance(change, Splice):
            return self._named("outputs") | {"splice": [change.start, change.outputs]}
        return self._named("append") | {"index": change.index, "keep": change.keep, "text": change.text}

    def _named(self, kind: str) -> dict[str, Any]:
        return {"type": kind, "execution": self.execution.id, "cell": self.execution.cell, "version": self.version}

    def ended_as(self) -> State:
        """How it ended, once it did."""
        return State.FAILED if self.failed else State.FINISHED


def segment_path(folder: Path, execution: Execution) -> Path:
    """Where an execution's events are."""
    return folder / execution.notebook / f"{execution.id}.segment"
