"""Every widget model of a notebook, in memory and in its log: changed, bounded, and read back after a restart."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from collegium.sessions.folding import Event
from collegium.sessions.widget_captures import Captures
from collegium.sessions.widget_figures import Figures, made
from collegium.sessions.widget_log import COMPACT_BYTES_MIN, Record, WidgetLog
from collegium.sessions.widget_model import Large, Model, New, Values, closure, decoded, encoded

MODELS_MAX = 50_000
SMALL_BYTES_MAX = 32 * 1024 * 1024
"""What is kept in memory of one notebook's models."""


class WidgetShelf:
    """Each change is a record of the log with the number of the kernel's message, and counts once."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self.models: dict[str, Model] = {}
        self.captures = Captures()
        self.figures = Figures()
        self.last_seq = 0
        self.generation = 0
        """Grows with each kernel: models of an older one are as it left them."""
        self.settled: dict[str, Values] = {}
        """What `settle` changed, for whoever tells it."""
        self._log = WidgetLog(path)
        self._bytes_max = bytes_max
        self._small = self._large = 0
        self._uses: dict[str, int] = {}

    def load(self) -> None:
        """Read back what is written. Called from a thread."""
        for record in self._log.recover():
            self._apply(record)

    def alive(self, id: str) -> Model | None:
        """The model of a comm that the present kernel has."""
        model = self.models.get(id)
        return model if model is not None and model.generation == self.generation else None

    # changes

    def open(self, id: str, target: str, metadata: dict[str, Any], values: Values, new: New, seq: int) -> bool:
        """A new comm; False if there is no room for it."""
        if len(self.models) >= MODELS_MAX:
            return False
        kept, over = self._fitting(None, values)
        self._write({"op": "open", "id": id, "target": target, "meta": metadata}, kept, over, new, seq)
        return True

    def update(self, model: Model, values: Values, new: New, seq: int) -> Values:
        """Attributes changed; gives those that were kept."""
        kept, over = self._fitting(model, values)
        self._write({"op": "update", "id": model.id}, kept, over, new, seq)
        return kept

    def close_comm(self, id: str, seq: int) -> None:
        """The comm is closed."""
        self._keep({"op": "close", "id": id, "seq": seq}, {})

    def capture(self, id: str, event: Event, seq: int) -> None:
        """An Output widget captured something; without room for it, the widget says so."""
        if self._small + len(json.dumps(event)) > SMALL_BYTES_MAX:
            self._keep({"op": "update", "id": id, "seq": seq, "attrs": {}, "over": True}, {})
        else:
            self._keep({"op": "capture", "id": id, "event": event, "seq": seq}, {})

    def displayed_again(self, event: Event, seq: int) -> list[str]:
        """A display changed; the Output widgets that hold it."""
        holders = self.captures.showing(event["id"])
        for id in holders:
            self.capture(id, event, seq)
        return holders

    def kernel_gone(self, seq: int, *, kept: set[str]) -> None:
        """Its models stay as they are, if a cell shows them; the next kernel's are counted apart."""
        self._keep({"op": "gone", "seq": seq, "kept": sorted(kept & self.models.keys())}, {})

    def settle(self) -> None:
        """What Output widgets captured becomes what they hold, and is noted in `settled`."""
        for id, value in self.captures.changed().items():
            model = self.models.get(id)
            if model is not None:
                self._set(model, {"outputs": value})
                self.settled[id] = {"outputs": value}

    # reading

    def read(self, sha256: str) -> bytes:
        """A large content. Raises KeyError. Called from a thread."""
        return self._log.read(sha256)

    def has(self, sha256: str) -> bool:
        """Whether this large content is here."""
        return self._log.has(sha256)

    def larges(self, models: Iterable[Model]) -> dict[str, Large]:
        """The large contents of these models."""
        return {large.sha256: large for model in models for value in model.values.values() for large in value.larges}

    # the disk

    def sync(self) -> None:
        """Everything written is on disk, in a file that is not much larger than what it says. Called from a thread."""
        if self._log.size > COMPACT_BYTES_MIN + 2 * (self._small + self._large):
            self._log.rewrite(self._records())
        self._log.sync()

    @property
    def dirty(self) -> bool:
        """There is something that is not on disk."""
        return self._log.dirty

    def close(self) -> None:
        """Let the file go."""
        self._log.close()

    def _records(self) -> Iterator[tuple[Record, Iterable[str]]]:
        yield {"op": "at", "seq": self.last_seq, "generation": self.generation}, ()
        for model in list(self.models.values()):
            yield self._record(model), self.larges([model])

    def _record(self, model: Model) -> Record:
        record: Record = {"op": "open", "id": model.id, "target": model.target, "meta": model.metadata}
        record |= {"seq": self.last_seq, "generation": model.generation, "attrs": encoded(model.values)}
        return record | ({"over": True} if model.over else {})

    def _write(self, record: Record, values: Values, over: bool, new: New, seq: int) -> None:
        wanted = {large.sha256 for value in values.values() for large in value.larges}
        record = {**record, "seq": seq, "attrs": encoded(values)} | ({"over": True} if over else {})
        self._keep(record, {sha256: content for sha256, content in new.items() if sha256 in wanted})

    def _keep(self, record: Record, new: New) -> None:
        self._log.append(record, new)
        self._apply(record)

    def _fitting(self, model: Model | None, values: Values) -> tuple[Values, bool]:
        """Those of these values for which there is room, and whether some have none."""
        small, large = self._small, self._large
        kept: Values = {}
        for name, value in values.items():
            before = 0 if model is None or name not in model.values else model.values[name].size
            more = sum(one.size for one in value.larges if one.sha256 not in self._uses)
            if small + value.size - before <= SMALL_BYTES_MAX and small + large + more <= self._bytes_max:
                kept[name] = value
                small, large = small + value.size - before, large + more
        return kept, len(kept) < len(values)

    def _apply(self, record: Mapping[str, Any]) -> None:
        self.last_seq = max(self.last_seq, record["seq"])
        match record["op"]:
            case "at":
                self.generation = record["generation"]
            case "open":
                self._remove(record["id"])
                generation = record.get("generation", self.generation)
                model = Model(record["id"], record["target"], record["meta"], generation)
                self.models[model.id] = model
                self._small += model.size
                self._changed(model, record)
            case "update":
                if (known := self.models.get(record["id"])) is not None:
                    self._changed(known, record)
            case "close":
                self._remove(record["id"])
            case "capture":
                if (known := self.models.get(record["id"])) is not None:
                    self.captures.take(known, record["event"])
            case "gone":
                self._new_kernel(record["seq"], set(record["kept"]))

    def _changed(self, model: Model, record: Mapping[str, Any]) -> None:
        values = decoded(record["attrs"])
        model.over = model.over or record.get("over") is True
        self._set(model, values)
        self.figures.heed(model, values)
        if model.generation == self.generation:
            self.captures.heed(model, values)

    def _new_kernel(self, seq: int, kept: set[str]) -> None:
        self.settle()
        self.captures.forget()
        self.generation += 1
        self.last_seq = seq
        staying = {model.id for model in closure(self.models, kept)}
        for id in [id for id in self.models if id not in staying]:
            self._remove(id)

    def _set(self, model: Model, values: Values) -> None:
        self._small -= model.size
        for name, value in values.items():
            before = model.values.get(name)
            self._use(value.larges, 1)
            if before is not None:
                self._use(before.larges, -1)
            model.values[name] = value
        self._small += model.size

    def _remove(self, id: str) -> None:
        model = self.models.pop(id, None)
        if model is None:
            return
        self.captures.drop(id)
        self.figures.drop(id)
        self._small -= model.size
        for value in model.values.values():
            self._use(value.larges, -1)

    def _use(self, larges: Iterable[Large], by: int) -> None:
        for large in larges:
            uses = self._uses.get(large.sha256, 0) + by
            self._large += large.size * ((uses > 0) - (uses - by > 0))
            if uses:
                self._uses[large.sha256] = uses
            else:
                self._uses.pop(large.sha256, None)


class LazyShelf:
    """A shelf that is read when it is first needed: most notebooks have no widgets."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self.path = path
        self._make = partial(WidgetShelf, path, bytes_max=bytes_max)
        self._shelf: WidgetShelf | None = None
        self.turn = anyio.Lock()
        """Held by whoever changes the shelf or its file."""

    @property
    def here(self) -> WidgetShelf | None:
        """The shelf, if it has been read."""
        return self._shelf

    async def get(self, *, make: bool = True) -> WidgetShelf | None:
        """The shelf; unless `make`, None if nothing was ever written."""
        if self._shelf is not None:
            return self._shelf
        if not make and not self.path.exists():
            return None
        async with self.turn:
            if self._shelf is None:
                shelf = self._make()
                await anyio.to_thread.run_sync(shelf.load)
                self._shelf = shelf
        return self._shelf

    async def fold(self) -> None:
        """Figures say all that was changed in them. Raises StorageFull or OSError."""
        if self._shelf is not None and self._shelf.figures.edits:
            async with self.turn:
                await self._fold(self._shelf)

    async def _fold(self, shelf: WidgetShelf) -> None:
        for id, edits in list(shelf.figures.edits.items()):
            model, new = shelf.models[id], New()
            # What is nested deeper than anybody can follow stays as it was.
            with suppress(RecursionError):
                values = await anyio.to_thread.run_sync(made, model.values, edits, shelf.read, new)
                shelf.update(model, values, new, shelf.last_seq)
            shelf.figures.drop(id)

    async def sync(self) -> None:
        """Everything is on disk."""
        if self._shelf is not None and self._shelf.dirty:
            async with self.turn:
                await self._fold(self._shelf)
                self._shelf.settle()
                await anyio.to_thread.run_sync(self._shelf.sync)

    async def read(self, sha256s: Iterable[str]) -> dict[str, bytes]:
        """Large contents by their hashes. Raises KeyError."""
        shelf, wanted = self._shelf, list(sha256s)
        assert shelf is not None
        async with self.turn:
            return await anyio.to_thread.run_sync(lambda: {sha256: shelf.read(sha256) for sha256 in wanted})

    def close(self) -> None:
        """Let the file go."""
        if self._shelf is not None:
            self._shelf.close()
