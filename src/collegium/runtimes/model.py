"""A runtime: a machine lent to a user, what it may use, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from collegium.ground import reasons
from collegium.ground.ids import RuntimeId, UserId


class State(StrEnum):
    """Where a runtime is in its life."""

    REQUESTED = "requested"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


LIVE = frozenset({State.REQUESTED, State.STARTING, State.READY, State.STOPPING})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a runtime may use."""

    memory_bytes: int
    cpus: float
    processes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a runtime uses and used. None: nobody counts it on this machine."""

    memory_bytes: int | None = None
    memory_peak_bytes: int | None = None
    cpu_seconds: float | None = None
    processes: int | None = None
    disk_bytes: int | None = None
    oom_kills: int | None = None


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """What one GPU does, for all who share it."""

    name: str
    memory_bytes: int
    memory_limit_bytes: int
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What a runtime may reach. `mode`: `none`; `packages`, the hosts in `allow` by way of a proxy; `internet`, every
    public address, and those in `allow` besides."""

    mode: str = "none"
    allow: tuple[str, ...] = ()


NO_NETWORK = Network()


@dataclass(frozen=True, slots=True)
class Specification:
    """What an engine is asked for. Two runtimes of equal specification can stand in for each other."""

    type: str
    version: str
    environment: str
    limits: Limits
    network: Network = NO_NETWORK
    layers: tuple[str, ...] = ()
    """Folders laid over the environment, read-only, the uppermost first."""
    devices: tuple[str, ...] = ()
    """Device nodes of the machine that are seen inside."""
    binds: tuple[str, ...] = ()
    """Folders and files of the machine that are seen inside, read-only: a driver's libraries."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that everything inside starts with."""
    preload: tuple[str, ...] = ()
    """Modules that runtimes have imported before their user comes."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A runtime as its engine sees it."""

    id: RuntimeId
    state: State
    reason: str
    limits: Limits
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long a runtime is lent, as it was when it was asked for. Milliseconds."""

    idle_ms: int = 90 * 60_000
    lifetime_ms: int | None = None
    keep_ms: int = 0
    """How much longer than its lifetime its user may keep it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of an accelerator that a runtime has, by their names in the settings."""

    accelerator: str
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The place of a runtime in the queue for an accelerator, counted from 1."""

    runtime: RuntimeId
    position: int
    of: int


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime as we remember it. Times are milliseconds."""

    id: RuntimeId
    user: UserId
    engine: str
    type: str
    version: str
    state: State
    reason: str
    limits: Limits
    requested_at: int
    used_at: int
    ready_at: int | None = None
    stopped_at: int | None = None
    network: str = "none"
    terms: Terms = Terms()
    expires_at: int | None = None
    """When its lifetime ends, if it has one."""
    boot: str = ""
    """Which start of its machine it lives in; it does not outlive it."""
    unit: Unit | None = None

    @property
    def live(self) -> bool:
        """Whether it still is, or is about to be."""
        return self.state in LIVE


def became_ready(runtime: Runtime, now: int) -> Runtime:
    """The engine made it."""
    lifetime = runtime.terms.lifetime_ms
    expires_at = None if lifetime is None else now + lifetime
    return replace(runtime, state=State.READY, ready_at=now, used_at=now, expires_at=expires_at)


def ended(runtime: Runtime, state: State, reason: str, now: int) -> Runtime:
    """It is no more. What ended once stays as it ended."""
    if not runtime.live:
        return runtime
    return replace(runtime, state=state, reason=reason[:1000], stopped_at=now)


def lost(ours: list[Runtime], theirs: list[Machine], boot: str) -> list[tuple[Runtime, str]]:
    """Runtimes that we believe in and their engine does not, with the reason. `boot`: this start of its machine."""
    known = {machine.id: machine for machine in theirs}
    found: list[tuple[Runtime, str]] = []
    for runtime in ours:
        machine = known.get(runtime.id)
        if machine is not None and machine.state is not State.FAILED:
            continue
        if runtime.boot and boot and runtime.boot != boot:
            found.append((runtime, reasons.words("machine_restarted")))
        elif machine is None:
            found.append((runtime, reasons.words("ended_unseen")))
        else:
            found.append((runtime, machine.reason))
    return found


def strangers(ours: list[Runtime], theirs: list[Machine]) -> list[RuntimeId]:
    """Runtimes that the engine keeps for nobody: their request was never finished, or they failed."""
    wanted = {runtime.id for runtime in ours}
    return [machine.id for machine in theirs if machine.id not in wanted or machine.state is State.FAILED]
