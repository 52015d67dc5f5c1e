"""What the engine writes down of each runtime, so that another engine process finds it after this one was killed."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from collegium_runtimed.plan import NO_NETWORK, Limits, Network

RECORD = "record.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one may ask for; runtimes of one kind can stand in for each other."""

    type: str
    version: str
    environment: str
    limits: Limits
    network: Network = NO_NETWORK
    layers: tuple[str, ...] = ()
    """Folders laid over the environment, read-only, the uppermost first."""
    devices: tuple[str, ...] = ()
    """Device nodes of the machine that are seen inside at the same path."""
    binds: tuple[str, ...] = ()
    """Folders and files of the machine that are seen inside at the same path, read-only: a driver's libraries."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables that everything inside starts with."""
    preload: tuple[str, ...] = ()
    """Modules that the template of these runtimes has imported."""


@dataclass(frozen=True, slots=True)
class Record:
    """One runtime. `slot` names its folder, socket and groups from the start; `runtime` is whose it became."""

    slot: str
    kind: Kind
    uid: int
    gid: int
    image: bool
    created_at: int
    runtime: str | None = None
    state: str = "starting"
    reason: str = ""
    pid: int = 0
    started: int = 0
    boot: str = ""
    cgroups: tuple[str, ...] = ()
    last_usage: dict[str, Any] = field(default_factory=dict)

    @property
    def socket(self) -> str:
        """The file name of the agent's address."""
        return f"{self.runtime or self.slot}.sock"


def boot_id() -> str:
    """Pids and start times mean something only until the machine restarts."""
    return BOOT_ID.read_text().strip()


def write(folder: Path, record: Record) -> None:
    """Replace the record in a runtime's folder, in one step."""
    new = folder / f"{RECORD}.new"
    new.write_text(json.dumps(asdict(record)))
    os.replace(new, folder / RECORD)


def read(folder: Path) -> Record | None:
    """The record in a runtime's folder, or None if nobody finished writing one."""
    try:
        value = json.loads((folder / RECORD).read_text())
        kind = value["kind"]
        return Record(**value | {"kind": _kind(kind), "cgroups": tuple(value["cgroups"])})
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _kind(value: dict[str, Any]) -> Kind:
    network = value["network"]
    return Kind(
        **value
        | {
            "limits": Limits(**value["limits"]),
            "network": Network(network["mode"], tuple(network["allow"])),
            "layers": tuple(value["layers"]),
            "devices": tuple(value["devices"]),
            "binds": tuple(value["binds"]),
            "variables": tuple((name, text) for name, text in value["variables"]),
            "preload": tuple(value["preload"]),
        }
    )


__all__ = ["Kind", "Record", "boot_id", "read", "replace", "write"]
