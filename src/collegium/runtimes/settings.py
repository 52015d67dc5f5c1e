"""What an operator can set about runtimes."""

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ByteSize, Field, StringConstraints, model_validator

GIB = 1 << 30
FOUND = "gpu"
"""The accelerator that is found by itself, if nothing is declared under this name."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
NetworkMode = Literal["none", "packages", "internet"]
AcceleratorKind = Literal["gpu", "tpu", "other"]


def machine_memory_bytes() -> int:
    """All the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def default_memory_bytes() -> ByteSize:
    """A quarter of the machine, from 2 GiB to 8 GiB, and never more than three quarters of it."""
    total = machine_memory_bytes()
    return ByteSize(min(max(total // 4, 2 * GIB), 8 * GIB, total * 3 // 4))


def high_memory_bytes() -> ByteSize:
    """Half of the machine up to 64 GiB, and at least twice the usual, which a small machine does not have."""
    return ByteSize(max(2 * default_memory_bytes(), min(machine_memory_bytes() // 2, 64 * GIB)))


def default_cpus() -> float:
    """As many as the machine has, up to four: a person waits for a run, then thinks for a while."""
    return float(min(len(os.sched_getaffinity(0)), 4))


class AcceleratorUnit(BaseModel, frozen=True):
    """What one runtime gets of an accelerator: a card, or several that belong together."""

    devices: tuple[str, ...] = Field(
        default=(), description="Device nodes: `/dev/nvidia0`, `/dev/accel0`. The first is its name in the books."
    )
    name: str = Field(default="", max_length=256, description="Its name, if it has no device nodes of its own.")
    gpus: tuple[str, ...] = Field(default=(), description="What NVML calls them: an index or a UUID for each GPU.")
    memory: ByteSize | None = Field(default=None, description="Memory of its own, shown to who chooses.")
    binds: tuple[str, ...] = Field(default=(), description="Files of the machine seen inside, read-only.")
    variables: dict[str, str] = Field(default={}, description="Variables inside, such as `CUDA_VISIBLE_DEVICES`.")


class Accelerator(BaseModel, frozen=True):
    """Units of one kind, lent one by one with the runtimes that ask for them."""

    kind: AcceleratorKind = Field(default="gpu", description="What it is.")
    label: str = Field(default="", max_length=64, description="What people read: `NVIDIA T4`; its name if not set.")
    units: tuple[AcceleratorUnit, ...] = Field(default=(), max_length=1024, description="Those that there are.")
    devices: tuple[str, ...] = Field(default=(), description="Device nodes that every unit needs besides its own.")
    binds: tuple[str, ...] = Field(default=(), description="Files every unit needs: the driver's libraries.")
    variables: dict[str, str] = Field(default={}, description="Variables that every unit needs.")
    shared: int = Field(default=1, ge=1, le=64, description="Runtimes that use one unit at a time.")
    version: str | None = Field(default=None, description="The runtime version that goes with it.")

    @model_validator(mode="after")
    def _units_have_different_names(self) -> Self:
        names = [unit_name(self, index) for index in range(len(self.units))]
        if len(set(names)) < len(names):
            raise ValueError(f"units need different names: {', '.join(sorted(names))}")
        return self


def unit_name(accelerator: Accelerator, index: int) -> str:
    """What a unit is called in our books, whichever place it has in the list and whatever else becomes of it there."""
    unit = accelerator.units[index]
    return next(iter(unit.devices), unit.name or str(index))[:256]


class RuntimeType(BaseModel, frozen=True):
    """A kind of runtime that users can choose."""

    label: str = Field(default="", max_length=64, description="What people read; its name if not set.")
    description: str = Field(default="", max_length=300, description="A sentence about it.")
    memory: ByteSize = Field(
        default_factory=default_memory_bytes, ge=256 << 20, description="Memory, with a unit such as `2GiB`."
    )
    cpus: float = Field(default_factory=default_cpus, ge=0.1, description="Processors, in fractions if need be.")
    processes: int = Field(default=1024, ge=64, description="Processes and threads.")
    disk: ByteSize = Field(default=ByteSize(10 * GIB), ge=64 << 20, description="Room in /content, /tmp and home.")
    network: NetworkMode = Field(
        default="internet",
        description="What it reaches: nothing, the hosts of `packages_hosts`, or every public address.",
    )
    idle_timeout: timedelta = Field(
        default=timedelta(minutes=90), gt=timedelta(0), description="Unused this long, it is taken back."
    )
    lifetime: timedelta | None = Field(
        default=None, gt=timedelta(0), description="So long after its start it is taken back, used or not."
    )
    keep_max: timedelta = Field(
        default=timedelta(0), ge=timedelta(0), description="How much longer than `lifetime` its user may keep it."
    )
    preload: tuple[str, ...] = Field(
        default=("numpy", "pandas", "matplotlib", "matplotlib.pyplot", "PIL.Image"),
        max_length=64,
        description="Modules imported before its user comes. If none, every kernel starts in a fresh process.",
    )
    accelerator: Name | None = Field(default=None, description="The accelerator of which it gets a unit.")
    pool: int = Field(default=0, ge=0, le=64, description="So many are kept ready.")


def default_types() -> dict[str, RuntimeType]:
    """Colab's choices, as far as they go without knowing the machine."""
    return {
        "cpu": RuntimeType(label="CPU"),
        "cpu-high-ram": RuntimeType(label="CPU, high RAM", memory=high_memory_bytes()),
        FOUND: RuntimeType(label="GPU", memory=high_memory_bytes(), accelerator=FOUND),
    }


class DockerSettings(BaseModel, frozen=True):
    """How runtimes are made where `engine` is `docker`."""

    url: str | None = Field(
        default=None, description="Where the daemon is: `unix:///run/docker.sock`; `DOCKER_HOST` if not set."
    )
    image: str = Field(
        default="collegium/runtime:{version}",
        description="The image of a runtime version, which `collegium image` makes.",
    )
    runtime: str | None = Field(
        default=None, description="The OCI runtime; gVisor's `runsc` where the daemon has it, else the usual one."
    )
    networks: dict[NetworkMode, str] = Field(
        default={"none": "none"},
        description="The Docker network for each network of a runtime type. Whoever names one for `internet` keeps"
        " private addresses out of its reach.",
    )
    disk_limits: bool = Field(
        default=False, description="Whether the daemon's storage bounds the disk of a container (xfs with prjquota)."
    )


class RuntimesSettings(BaseModel, frozen=True):
    """Which runtimes there are, how many, and for how long."""

    types: dict[Name, RuntimeType] = Field(
        default_factory=default_types, description="The kinds of runtimes, by name.", min_length=1
    )
    type: str = Field(default="cpu", description="The type that is used if nobody chooses one.")
    version: str = Field(default="2026.11", description="The runtime version that is used if nobody chooses one.")
    environments: Path | None = Field(
        default=None, description="Where environments are built; a folder in the data folder if not set."
    )
    accelerators: dict[Name, Accelerator] = Field(
        default={}, description="Accelerators by name. GPUs with NVIDIA's driver are found by themselves, as `gpu`."
    )
    pool: int = Field(default=1, ge=0, le=64, description="Runtimes of the usual type kept ready, so nobody waits.")
    per_user: int = Field(default=5, ge=1, description="Runtimes that one user may have at a time.")
    packages_hosts: tuple[str, ...] = Field(
        default=("pypi.org", "files.pythonhosted.org", "cran.r-project.org", "cloud.r-project.org"),
        max_length=60,
        description="Hosts that runtimes with the network `packages` reach.",
    )
    internet_allow: tuple[str, ...] = Field(
        default=(),
        max_length=64,
        description="Private addresses (CIDR) that runtimes with the network `internet` reach besides public ones.",
    )
    package_index: str | None = Field(
        default=None, description="The index that pip and uv use inside. A password in it is readable in each runtime."
    )
    notice: timedelta = Field(
        default=timedelta(minutes=3), gt=timedelta(0), description="So long before its end a runtime's users are told."
    )
    cull_interval: timedelta = Field(
        default=timedelta(seconds=20), gt=timedelta(0), description="How often idle runtimes are looked for."
    )
    usage_interval: timedelta = Field(
        default=timedelta(seconds=10), gt=timedelta(0), description="How often what runtimes use is looked at."
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        units = [unit for one in self.accelerators.values() for unit in one.units]
        devices = Counter(device for unit in units for device in set(unit.devices))
        twice = sorted(device for device, count in devices.items() if count > 1)
        if twice:
            raise ValueError(f"{twice[0]} is in two units, so it would be lent twice; `shared` lets several have one")
        if self.type not in self.types:
            raise ValueError(f"`type` is {self.type!r}, and `types` has only {', '.join(self.types)}")
        for name, one in self.types.items():
            if one.accelerator is not None and one.accelerator not in {FOUND, *self.accelerators}:
                raise ValueError(f"the type {name!r} names the accelerator {one.accelerator!r}, which is not declared")
        return self
