"""What an operator can set about runtimes."""

import os
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ByteSize, Field

GIB = 1 << 30


def machine_memory_bytes() -> int:
    """All the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def default_memory_bytes() -> ByteSize:
    """A quarter of the machine, from 2 GiB to 8 GiB, and never more than three quarters of it."""
    total = machine_memory_bytes()
    return ByteSize(min(max(total // 4, 2 * GIB), 8 * GIB, total * 3 // 4))


def default_cpus() -> float:
    """As many as the machine has, up to four: a person waits for a run, then thinks for a while."""
    return float(min(len(os.sched_getaffinity(0)), 4))


class RuntimeType(BaseModel, frozen=True):
    """A size of runtime that users can choose."""

    memory: ByteSize = Field(
        default_factory=default_memory_bytes, ge=256 << 20, description="Memory, with a unit such as `2GiB`."
    )
    cpus: float = Field(default_factory=default_cpus, ge=0.1, description="Processors, in fractions if need be.")
    processes: int = Field(default=1024, ge=64, description="Processes and threads.")
    disk: ByteSize = Field(default=ByteSize(10 * GIB), ge=64 << 20, description="Room in /content, /tmp and home.")


class RuntimesSettings(BaseModel, frozen=True):
    """Which runtimes there are, how many, and for how long."""

    types: dict[str, RuntimeType] = Field(
        default_factory=lambda: {"cpu": RuntimeType()}, description="The sizes of runtimes, by name.", min_length=1
    )
    type: str = Field(default="cpu", description="The type that is used if nobody chooses one.")
    version: str = Field(default="2026.11", description="The runtime version that is used if nobody chooses one.")
    environments: Path | None = Field(
        default=None, description="Where environments are built; a folder in the data folder if not set."
    )
    pool: int = Field(default=1, ge=0, le=64, description="Runtimes of the usual type kept ready, so nobody waits.")
    per_user: int = Field(default=5, ge=1, description="Runtimes that one user may have at a time.")
    idle_timeout: timedelta = Field(
        default=timedelta(minutes=90), gt=timedelta(0), description="Unused this long, a runtime is culled."
    )
    cull_interval: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="How often idle runtimes are looked for."
    )
