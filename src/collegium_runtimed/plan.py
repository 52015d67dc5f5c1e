"""What a runtime is made of, as the engine tells it to the launcher: plain values that survive as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

UID_INSIDE = 1000
"""Inside, everybody is `colab`, whoever that is outside."""
AGENT_HOME = "/opt/collegium"
STATE_INSIDE = "/var/lib/collegium"
LISTEN_FD = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What a runtime may use."""

    memory_bytes: int
    cpus: float
    processes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Network:
    """What a runtime may reach. `mode`: `none`; `packages`, the hosts in `allow` by way of a proxy; `internet`, every
    public address, and those in `allow` besides."""

    mode: str = "none"
    allow: tuple[str, ...] = ()


NO_NETWORK = Network()


@dataclass(frozen=True, slots=True)
class Bind:
    """A folder or file of the machine that is seen inside."""

    source: str
    target: str
    read_only: bool = True
    devices: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the launcher needs to know; the paths are the machine's."""

    name: str
    uid: int
    gid: int
    distinct: bool
    """Made by root: the runtime has a user id of its own."""
    environment: str
    lowers: tuple[str, ...]
    """What is seen at the environment's path: folders over folders, the uppermost first, the environment last."""
    writable: bool
    """Whether the runtime may write over them, on its own disk."""
    disk: str
    """The folder with `content`, `home`, `tmp`, `state` and `layer`."""
    image: str | None
    """A file system to mount at `disk` first."""
    binds: tuple[Bind, ...]
    links: tuple[tuple[str, str], ...]
    limits: Limits
    data_bytes: int | None
    """A bound for each process's memory where the group of them cannot be bounded."""
    cgroups: tuple[str, ...]
    listen_fd: int
    log_fd: int
    warm: bool
    net_fd: int | None = None
    """A network namespace to join instead of making one; `user_fd` is the user namespace that owns it."""
    user_fd: int | None = None
    resolv_conf: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables besides the usual ones."""
    zygote_fd: int | None = None
    """Where a zygote is asked for forks; without one, PID 1 executes the agent."""
    command: tuple[str, ...] = ()
    """Instead of the agent; for probes."""


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON's types."""
    return asdict(plan)


def from_json(value: dict[str, Any]) -> Plan:
    """The plan that to_json wrote."""
    return Plan(
        **value
        | {
            "binds": tuple(Bind(**bind) for bind in value["binds"]),
            "links": tuple((name, target) for name, target in value["links"]),
            "limits": Limits(**value["limits"]),
            **{name: tuple(value[name]) for name in ("lowers", "cgroups", "command")},
        }
    )
