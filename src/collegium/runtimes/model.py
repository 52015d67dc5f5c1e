"""A runtime: a machine lent to a user, what it may use, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

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

    @property
    def live(self) -> bool:
        """Whether it still is, or is about to be."""
        return self.state in LIVE


def became_ready(runtime: Runtime, now: int) -> Runtime:
    """The engine made it."""
    return replace(runtime, state=State.READY, ready_at=now, used_at=now)


def ended(runtime: Runtime, state: State, reason: str, now: int) -> Runtime:
    """It is no more. What ended once stays as it ended."""
    if not runtime.live:
        return runtime
    return replace(runtime, state=state, reason=reason[:1000], stopped_at=now)


def idle(runtimes: list[Runtime], *, now: int, timeout_ms: int) -> list[Runtime]:
    """The ready ones that nobody used for too long."""
    return [one for one in runtimes if one.state is State.READY and now - one.used_at > timeout_ms]


def lost(ours: list[Runtime], theirs: list[Machine]) -> list[tuple[Runtime, str]]:
    """Runtimes that we believe in and their engine does not, with the reason."""
    known = {machine.id: machine for machine in theirs}
    found: list[tuple[Runtime, str]] = []
    for runtime in ours:
        machine = known.get(runtime.id)
        if machine is None:
            found.append((runtime, "it ended while the server was not running"))
        elif machine.state is State.FAILED:
            found.append((runtime, machine.reason))
    return found


def strangers(ours: list[Runtime], theirs: list[Machine]) -> list[RuntimeId]:
    """Runtimes that the engine keeps for nobody: their request was never finished, or they failed."""
    wanted = {runtime.id for runtime in ours}
    return [machine.id for machine in theirs if machine.id not in wanted or machine.state is State.FAILED]
