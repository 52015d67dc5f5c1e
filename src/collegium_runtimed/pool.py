"""The pool: runtimes made ahead, so that whoever asks for one does not wait."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from collegium_runtimed.engine import Engine, EngineError
from collegium_runtimed.records import Kind, Record

REFILL_SECONDS = 3.0
"""How long after a hand-out the next is made: whoever got one is about to run something."""
RETRY_SECONDS = 30.0
MEMORY_SHARE_KEPT_FREE = 0.15


@dataclass(frozen=True, slots=True)
class Want:
    """So many ready runtimes of this kind."""

    kind: Kind
    ready: int


class Pool:
    """Keeps what is wanted in stock while memory lasts."""

    def __init__(self, engine: Engine, *, refill_seconds: float = REFILL_SECONDS) -> None:
        self.wants: tuple[Want, ...] = ()
        self._engine = engine
        self._refill_seconds = refill_seconds
        self._due = asyncio.Event()
        self._delay = 0.0

    def waiting(self, kind: Kind | None = None) -> list[Record]:
        """Ready runtimes that nobody has yet, the oldest first."""
        found = [
            record
            for record in self._engine.records.values()
            if record.runtime is None and record.state == "ready" and kind in (None, record.kind)
        ]
        return sorted(found, key=lambda record: record.created_at)

    def want(self, wants: tuple[Want, ...]) -> None:
        """Say what should be in stock from now on; the rest of the stock is removed."""
        if wants != self.wants:
            self.wants = wants
            self._wake(0.0)

    async def take(self, kind: Kind, runtime: str) -> Record:
        """A runtime of this kind: one that waits, or else a new one."""
        waiting = self.waiting(kind)
        if waiting:
            taken = self._engine.hand_out(waiting[0], runtime)
            self._wake(self._refill_seconds)
            return taken
        return await self._engine.make(kind, runtime=runtime, warm=True)

    def _wake(self, delay: float) -> None:
        self._delay = delay
        self._due.set()

    async def keep(self) -> None:
        """Fill up, one at a time, whenever something was taken or the wish changed. Runs until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            await asyncio.sleep(self._delay)
            try:
                await self._remove_unwanted()
                await self._fill()
            except (EngineError, OSError, TimeoutError) as error:
                print(f"pool: {error}", flush=True)
                self._delay = RETRY_SECONDS
                self._due.set()

    async def _remove_unwanted(self) -> None:
        wanted = {want.kind: want.ready for want in self.wants}
        for kind in {record.kind for record in self.waiting()}:
            for record in self.waiting(kind)[wanted.get(kind, 0) :]:
                await self._engine.discard(record)

    async def _fill(self) -> None:
        for want in self.wants:
            while len(self.waiting(want.kind)) < want.ready:
                if not memory_to_spare(want.kind.limits.memory_bytes):
                    print("pool: too little memory is free to keep runtimes ready", flush=True)
                    self._delay = RETRY_SECONDS
                    self._due.set()
                    return
                await self._engine.make(want.kind, runtime=None, warm=True, patient=True)


def memory_to_spare(runtime_bytes: int, meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether a runtime may wait here unused: a share of the memory, and half of what it could grow to, stay free."""
    lines = (line.split() for line in meminfo.read_text().splitlines())
    kib = {line[0].rstrip(":"): int(line[1]) for line in lines}
    keep = MEMORY_SHARE_KEPT_FREE * kib["MemTotal"] * 1024
    return kib["MemAvailable"] * 1024 - runtime_bytes / 2 > keep
