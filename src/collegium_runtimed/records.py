"""What the engine writes down of each runtime, so that another engine process finds it after this one was killed."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from collegium_runtimed.plan import Limits

RECORD = "record.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one may ask for; runtimes of one kind can stand in for each other."""

    type: str
    version: str
    environment: str
    limits: Limits
    network: str


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
        return Record(
            **value | {"kind": Kind(**kind | {"limits": Limits(**kind["limits"])}), "cgroups": tuple(value["cgroups"])}
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


__all__ = ["Kind", "Record", "boot_id", "read", "replace", "write"]
