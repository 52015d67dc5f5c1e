"""Accelerators for tests: a fake behind the port, and plain device nodes that stand in for real ones."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from collegium.runtimes.model import GpuUsage
from collegium.runtimes.settings import Accelerator, AcceleratorUnit


class FakeAccelerators:
    """A machine whose devices are what the test says; kept honest by the contract that the real adapter passes too."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        """Device nodes that are not there."""
        self.busy: set[str] = set()
        """Devices whose memory is still in use."""
        self.gpus: dict[str, GpuUsage] = {}
        self.asked = 0

    async def found(self) -> Mapping[str, Accelerator]:
        return {}

    async def why_none(self, accelerator: Accelerator) -> str | None:
        if not accelerator.units:
            return "This machine has no GPU."
        reasons = [self._missing(accelerator, unit) for unit in accelerator.units]
        return None if None in reasons else reasons[0]

    async def why_not(self, accelerator: Accelerator, unit: AcceleratorUnit, *, empty: bool) -> str | None:
        self.asked += 1
        missing = self._missing(accelerator, unit)
        if missing is None and empty and self.busy.intersection(unit.devices):
            return "its memory is still in use"
        return missing

    async def usage(self, unit: AcceleratorUnit) -> tuple[GpuUsage, ...]:
        return tuple(self.gpus[gpu] for gpu in unit.gpus if gpu in self.gpus)

    def _missing(self, accelerator: Accelerator, unit: AcceleratorUnit) -> str | None:
        paths = [*accelerator.devices, *unit.devices]
        gone = next((path for path in paths if path in self.missing or not os.path.exists(path)), None)
        return None if gone is None else f"The device {gone} is not there."


def make_node(path: Path) -> str:
    """A device node that can stand in for a card: it is /dev/zero under another name. Needs root."""
    zero = os.stat("/dev/zero")
    os.mknod(path, stat.S_IFCHR | 0o666, zero.st_rdev)
    path.chmod(0o666)
    return str(path)
