"""The accelerators of this machine: device nodes that are looked at, and NVIDIA's GPUs by way of NVML."""

import os
import re
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread
import pynvml

from collegium.ground.log import get_log
from collegium.runtimes.model import GpuUsage
from collegium.runtimes.settings import FOUND, Accelerator, AcceleratorUnit

COMMON_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
LIBRARIES = re.compile(
    r"lib(cuda|cudadebugger|nvidia-ml|nvidia-ptxjitcompiler|nvidia-nvvm|nvidia-cfg|nvidia-gpucomp|nvidia-opencl"
    r"|nvidia-allocator)\.so(\.[0-9.]+)?"
)
FREE_BYTES_USED_MAX = 1 << 30
FREE_SHARE_USED_MAX = 0.05
"""A GPU is free when no more than this of its memory is taken: the driver and a display keep a little."""
START_SECONDS_MAX = 20.0
"""A driver that nobody uses is loaded at the first question."""
ASK_SECONDS_MAX = 3.0

log = get_log("runtimes")
T = TypeVar("T")


class MachineAccelerators:
    """The port `Accelerators` on the machine that the server runs on."""

    def __init__(self, *, ldconfig: str = "/sbin/ldconfig") -> None:
        self._ldconfig = ldconfig
        self._started = False
        self._thread = anyio.CapacityLimiter(1)

    async def found(self) -> Mapping[str, Accelerator]:
        """NVIDIA's GPUs, if there is a driver."""
        accelerator = await self._ask(self._gpus, seconds=START_SECONDS_MAX)
        return {} if accelerator is None else {FOUND: accelerator}

    async def why_none(self, accelerator: Accelerator) -> str | None:
        """There are no units, or none of them has its device nodes."""
        if not accelerator.units:
            return "This machine has no GPU with NVIDIA's driver, and no other accelerator is declared for it."
        reasons = [why_no_node(accelerator, unit) for unit in accelerator.units]
        return None if None in reasons else next(iter(reasons))

    async def why_not(self, accelerator: Accelerator, unit: AcceleratorUnit, *, empty: bool) -> str | None:
        """Its device nodes are missing, or its memory is not free although nobody should have it."""
        missing = why_no_node(accelerator, unit)
        if missing is not None or not empty:
            return missing
        used = await self.usage(unit)
        if len(used) < len(unit.gpus):
            return "NVIDIA's driver does not say whether its memory is free"
        return next((why for why in map(why_taken, used) if why is not None), None)

    async def usage(self, unit: AcceleratorUnit) -> tuple[GpuUsage, ...]:
        """Asked of NVML."""
        if not unit.gpus:
            return ()
        return await self._ask(lambda: tuple(_usage(gpu) for gpu in unit.gpus)) or ()

    async def _ask(self, question: Callable[[], T], *, seconds: float = ASK_SECONDS_MAX) -> T | None:
        """On a thread of its own, since a driver may take its time; None where there is none that answers."""
        with anyio.move_on_after(seconds):
            return await anyio.to_thread.run_sync(self._answer, question, limiter=self._thread, abandon_on_cancel=True)
        log.warning("nvml.silent", seconds=seconds)
        return None

    def _answer(self, question: Callable[[], T]) -> T | None:
        try:
            if not self._started:
                pynvml.nvmlInit()
                self._started = True
            return question()
        except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
            return None
        except pynvml.NVMLError as error:
            log.warning("nvml.failed", why=str(error))
            return None

    def _gpus(self) -> Accelerator | None:
        names, units = list[str](), list[AcceleratorUnit]()
        for index in range(pynvml.nvmlDeviceGetCount()):
            try:
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                units.append(_unit(handle))
                names.append(_text(pynvml.nvmlDeviceGetName(handle)))
            except pynvml.NVMLError as error:
                log.warning("gpu.failed", index=index, why=str(error))
        if not names:
            return None
        return Accelerator(
            kind="gpu",
            label=" · ".join(dict.fromkeys(names))[:64],
            units=tuple(units),
            devices=tuple(node for node in COMMON_NODES if os.path.exists(node)),
            binds=driver_files(self._ldconfig),
        )


def why_no_node(accelerator: Accelerator, unit: AcceleratorUnit) -> str | None:
    """The first device node of a unit that is missing."""
    for path in (*accelerator.devices, *unit.devices):
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            return f"The device {path} is not there: {error.strerror}."
        if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
            return f"{path} is no device."
    return None


def why_taken(gpu: GpuUsage) -> str | None:
    """Whether somebody still has memory of a GPU that nobody should have."""
    if gpu.memory_bytes <= max(FREE_BYTES_USED_MAX, FREE_SHARE_USED_MAX * gpu.memory_limit_bytes):
        return None
    return f"{gpu.memory_bytes >> 20} MiB of the memory of {gpu.name} are still in use"


def driver_files(ldconfig: str) -> tuple[str, ...]:
    """The driver's libraries and `nvidia-smi`, where this machine has them."""
    try:
        listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, timeout=ASK_SECONDS_MAX).stdout
    except (OSError, subprocess.TimeoutExpired):
        listed = ""
    paths = [line.rpartition("=> ")[2].strip() for line in listed.splitlines() if "=> " in line]
    libraries = [path for path in paths if LIBRARIES.fullmatch(Path(path).name)]
    tools = [path for path in ("/usr/bin/nvidia-smi",) if os.path.exists(path)]
    return tuple(dict.fromkeys([*libraries, *tools]))


def _unit(handle: Any) -> AcceleratorUnit:
    uuid = _text(pynvml.nvmlDeviceGetUUID(handle))
    return AcceleratorUnit(
        name=uuid,
        devices=(f"/dev/nvidia{pynvml.nvmlDeviceGetMinorNumber(handle)}",),
        gpus=(uuid,),
        memory=pynvml.nvmlDeviceGetMemoryInfo(handle).total,
        variables={"CUDA_VISIBLE_DEVICES": uuid, "NVIDIA_VISIBLE_DEVICES": uuid},
    )


def _usage(gpu: str) -> GpuUsage:
    by_index = gpu.isdecimal()
    handle = pynvml.nvmlDeviceGetHandleByIndex(int(gpu)) if by_index else pynvml.nvmlDeviceGetHandleByUUID(gpu)
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
    except pynvml.NVMLError_FunctionNotFound:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)  # an older driver counts its own share as used
    try:
        percent = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError_NotSupported:
        percent = None  # a part of a GPU has no utilisation of its own
    return GpuUsage(_text(pynvml.nvmlDeviceGetName(handle)), int(memory.used), int(memory.total), percent)


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
