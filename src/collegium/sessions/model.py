"""Executions, the queue of a kernel, and what a session tells those who watch."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from collegium.ground.ids import CellId, ExecutionId, KernelId, NotebookId, RuntimeId, UserId
from collegium.runtimes.model import Runtime
from collegium.runtimes.packages import Package

QUEUE_MAX = 2000
PYTHON = "python3"
"""The kernel of a notebook that names none."""


class State(StrEnum):
    """Of an execution; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.FINISHED, State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of one cell."""

    id: ExecutionId
    notebook: NotebookId
    cell: CellId
    user: UserId
    user_name: str
    position: int
    source: str
    source_hash: str
    state: State = State.QUEUED
    count: int | None = None
    reason: str | None = None
    input: dict[str, Any] | None = None
    environment: str | None = None
    """The environment it ran in: that of `session_environments` with this name."""
    saved: bool = False
    queued_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """Which kernel of which runtime a notebook is bound to, and how much of its journal is kept here."""

    notebook: NotebookId
    user: UserId
    runtime: RuntimeId
    kernel: KernelId
    epoch: str | None = None
    stored_seq: int = 0
    oom_kills: int = 0
    kernel_name: str = PYTHON
    kernel_language: str = "python"
    layer: str | None = None
    """The layer of the notebook's own lock that its runtime was made with."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A runtime as a session sees it."""

    id: RuntimeId
    state: str
    type: str
    version: str
    memory_bytes: int | None = None
    reason: str | None = None
    label: str = ""
    cpus: float | None = None
    disk_bytes: int | None = None
    network: str = "none"
    accelerator: dict[str, Any] | None = None
    """`{"kind", "count", "name"}`."""
    notice: dict[str, Any] | None = None
    """`{"kind": "idle" | "lifetime", "at"}`: when it will be taken back, and why."""
    queue: dict[str, int] | None = None
    """`{"position", "of"}` while an accelerator is waited for."""
    progress: str | None = None
    """What is being done until it is ready."""
    notes: tuple[str, ...] = ()
    """What was asked for and could not be had."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel as its session names it: its id, the spec it was started from, and the language it speaks."""

    id: KernelId
    name: str = PYTHON
    language: str = "python"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU of a runtime, now."""

    name: str
    memory_bytes: int
    memory_limit_bytes: int
    percent: float | None


@dataclass(frozen=True, slots=True)
class Use:
    """What a runtime uses at a moment (milliseconds). None: nobody counts it on this machine."""

    at: int
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    cpu_percent: float | None = None
    """100 is one whole processor."""
    cpus: float | None = None
    disk_bytes: int | None = None
    disk_limit_bytes: int | None = None
    processes: int | None = None
    gpus: tuple[Gpu, ...] = ()
    memory_peak_bytes: int | None = None
    oom_kills: int | None = None
    """Processes it lost for want of memory so far."""


@dataclass(frozen=True, slots=True)
class Held:
    """A runtime that somebody has, and what runs in it. `name`: of the notebook, if they may still see it."""

    runtime: Runtime
    notebook: NotebookId | None = None
    name: str | None = None
    kernel: dict[str, Any] | None = None
    executing: bool = False


@dataclass(frozen=True, slots=True)
class Replaced:
    """A distribution that is installed in another version than before."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class OnTop:
    """What was installed over an environment."""

    added: tuple[Package, ...] = ()
    changed: tuple[Replaced, ...] = ()
    removed: tuple[Package, ...] = ()

    @property
    def nothing(self) -> bool:
        """The environment is as it was built."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Variable:
    """A name of a kernel's user, and how much memory its value holds."""

    name: str
    type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Pin:
    """The lock that the runtimes of a notebook start with."""

    lock: str
    at: int
    by: str
    ready: bool = False
    """Its layer has been built: the next runtime has it at once."""


@dataclass(frozen=True, slots=True)
class Source:
    """A cell of the live document."""

    cell: CellId
    type: str
    source: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A cell that somebody asked to run, and the hash of the source they saw (None: whatever it is now)."""

    cell: CellId
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionQueue:
    """What a kernel was asked to run, in the order it was asked; it runs one at a time."""

    running: ExecutionId | None = None
    waiting: tuple[ExecutionId, ...] = ()

    @property
    def all(self) -> tuple[ExecutionId, ...]:
        """The running one first."""
        return self.waiting if self.running is None else (self.running, *self.waiting)


@dataclass(frozen=True, slots=True)
class Step:
    """The new queue, what to start now, and what will never run."""

    queue: ExecutionQueue
    start: ExecutionId | None = None
    cancelled: tuple[ExecutionId, ...] = field(default=())


def requested(queue: ExecutionQueue, execution: ExecutionId) -> ExecutionQueue:
    """Behind everything else."""
    assert len(queue.waiting) < QUEUE_MAX
    assert execution not in queue.all
    return replace(queue, waiting=(*queue.waiting, execution))


def started(queue: ExecutionQueue) -> Step:
    """The kernel is free: the first in line runs."""
    if queue.running is not None or not queue.waiting:
        return Step(queue)
    first, *rest = queue.waiting
    return Step(ExecutionQueue(first, tuple(rest)), start=first)


def finished(queue: ExecutionQueue, execution: ExecutionId, *, failed: bool) -> Step:
    """The running one ended. If it failed, nothing that waited behind it runs. Too late a word changes nothing."""
    if queue.running != execution:
        return Step(queue)
    if failed:
        return Step(ExecutionQueue(), cancelled=queue.waiting)
    return Step(replace(queue, running=None))


def cancelled(queue: ExecutionQueue, execution: ExecutionId) -> Step:
    """One of those who wait is taken out; the running one cannot be."""
    if execution not in queue.waiting:
        return Step(queue)
    return Step(replace(queue, waiting=tuple(e for e in queue.waiting if e != execution)), cancelled=(execution,))


def emptied(queue: ExecutionQueue) -> Step:
    """Nothing that waits will run."""
    return Step(replace(queue, waiting=()), cancelled=queue.waiting)


def from_units(text: str, units: int) -> int:
    """The character at a position that a browser counted in UTF-16 units; inside a pair, the pair's."""
    data = text.encode("utf-16-le", "surrogatepass")[: max(0, units) * 2]
    return len(data.decode("utf-16-le", "ignore"))


def to_units(text: str, characters: int) -> int:
    """The other way."""
    return len(text[: max(0, characters)].encode("utf-16-le", "surrogatepass")) // 2
