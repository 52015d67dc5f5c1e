"""The pool: runtimes made ahead, so that whoever asks for one does not wait."""

import asyncio
import json
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collegium_runtimed.engine import Engine, EngineError
from collegium_runtimed.records import Kind, Record

REFILL_SECONDS = 3.0
"""How long after a hand-out the next is made: whoever got one is about to run something."""
RETRY_SECONDS = 30.0
MEMORY_SHARE_KEPT_FREE = 0.15
MEMORY_SHARE_SHORT = 0.08
SHED_CHECK_SECONDS = 2.0
WARM_SECONDS_MAX = 20.0
WARM_CHECK_SECONDS = 0.02
STAT_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Want:
    """So many ready runtimes of this kind."""

    kind: Kind
    ready: int


class Pool:
    """Keeps what is wanted in stock while memory lasts, and lets go of it when memory is short."""

    def __init__(self, engine: Engine, *, refill_seconds: float = REFILL_SECONDS) -> None:
        self.wants: tuple[Want, ...] = ()
        self._engine = engine
        self._refill_seconds = refill_seconds
        self._due = asyncio.Event()
        self._delay = 0.0
        self._warm: set[str] = set()
        """The slots whose kernel answered."""

    def waiting(self, kind: Kind | None = None) -> list[Record]:
        """Runtimes that nobody has yet, those whose kernel answered first, and of them the oldest."""
        found = [
            record
            for record in self._engine.records.values()
            if record.runtime is None and record.state == "ready" and kind in (None, record.kind)
        ]
        return sorted(found, key=lambda record: (record.slot not in self._warm, record.created_at))

    @property
    def ready(self) -> int:
        """How many wait whose kernel answered."""
        return sum(record.slot in self._warm for record in self.waiting())

    def adopt(self) -> None:
        """Take over those that an engine before this one kept ready."""
        self._warm = {record.slot for record in self.waiting()}

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
                print(f"pool: {error!r}", flush=True)
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # What went wrong is the cleaning away after we were told to end; the next engine does the rest.
                    raise asyncio.CancelledError from error
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
                made = await self._engine.make(want.kind, runtime=None, warm=True, patient=True)
                await until_warm(self._engine.run / made.socket)
                self._warm = {record.slot for record in self.waiting()} & {*self._warm, made.slot}

    async def shed(self) -> None:
        """Let go of one after the other while memory is short, the youngest first. Runs until cancelled."""
        while True:
            await asyncio.sleep(SHED_CHECK_SECONDS)
            waiting = self.waiting()
            if waiting and memory_is_short():
                print("pool: memory is short, one runtime less waits", flush=True)
                self._delay = RETRY_SECONDS
                await self._engine.discard(waiting[-1])
            await self._engine.zygotes.discard_unused({want.kind for want in self.wants})


async def until_warm(address: Path) -> None:
    """Wait until the agent at this address says that its kernel answered; for a while, and if it never does, so be it:
    what comes out of a runtime is a stranger's word."""
    with suppress(OSError, ValueError, EOFError, TimeoutError, TypeError, AttributeError):
        async with asyncio.timeout(WARM_SECONDS_MAX):
            reader, writer = await asyncio.open_unix_connection(str(address), limit=STAT_BYTES_MAX)
            try:
                writer.write(_packed({"op": "hello", "protocol": 1, "since": 0, "epoch": None}))
                while await _warmth(reader, writer) == "starting":  # noqa: ASYNC110 - it lies in another process
                    await asyncio.sleep(WARM_CHECK_SECONDS)
            finally:
                writer.close()


def _packed(header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">II", len(text) + 4, len(text)) + text


async def _warmth(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> object:
    writer.write(_packed({"op": "stat", "id": "pool"}))
    while True:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > STAT_BYTES_MAX:
            raise ValueError("an agent's answer is not so long")
        body = await reader.readexactly(size)
        answer = json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])
        if answer.get("op") == "reply":
            return answer["content"]["warm"]


def memory_is_short(meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether what waits should go."""
    kib = _meminfo(meminfo)
    return kib["MemAvailable"] < MEMORY_SHARE_SHORT * kib["MemTotal"]


def _meminfo(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines}


def memory_to_spare(runtime_bytes: int, meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether a runtime may wait here unused: a share of the memory, and half of what it could grow to, stay free."""
    kib = _meminfo(meminfo)
    keep = MEMORY_SHARE_KEPT_FREE * kib["MemTotal"] * 1024
    return kib["MemAvailable"] * 1024 - runtime_bytes / 2 > keep
