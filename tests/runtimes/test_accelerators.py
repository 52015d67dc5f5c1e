"""What every adapter that knows a machine's accelerators must do, and NVIDIA's driver where there is one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collegium.runtimes.model import GpuUsage
from collegium.runtimes.nvml import MachineAccelerators, driver_files, why_taken
from collegium.runtimes.ports import Accelerators
from collegium.runtimes.settings import FOUND, Accelerator, AcceleratorUnit
from runtimes.accelerator_world import FakeAccelerators

pytestmark = pytest.mark.anyio
GONE = "/dev/no-such-card"


def cards(*devices: str) -> Accelerator:
    return Accelerator(units=tuple(AcceleratorUnit(devices=(device,)) for device in devices))


@pytest.fixture(params=["fake", "machine"])
def accelerators(request: pytest.FixtureRequest) -> Accelerators:
    return FakeAccelerators() if request.param == "fake" else MachineAccelerators()


async def test_without_units_there_is_a_reason(accelerators: Accelerators) -> None:
    assert "no GPU" in (await accelerators.why_none(Accelerator()) or "")


async def test_one_unit_that_is_there_is_enough(accelerators: Accelerators) -> None:
    assert await accelerators.why_none(cards(GONE, "/dev/zero")) is None
    assert GONE in (await accelerators.why_none(cards(GONE)) or "")


async def test_a_unit_is_handed_on_only_when_its_device_nodes_are_there(accelerators: Accelerators) -> None:
    both = cards("/dev/zero", GONE)
    shared = Accelerator(units=both.units[:1], devices=(GONE,))

    assert await accelerators.why_not(both, both.units[0], empty=True) is None
    assert GONE in (await accelerators.why_not(both, both.units[1], empty=True) or "")
    assert GONE in (await accelerators.why_not(shared, shared.units[0], empty=False) or "")


async def test_a_unit_that_is_no_gpu_has_no_usage(accelerators: Accelerators) -> None:
    assert await accelerators.usage(cards("/dev/zero").units[0]) == ()


async def test_what_is_no_device_is_none(tmp_path: Path) -> None:
    plain = tmp_path / "card"
    plain.touch()
    one = cards(str(plain))

    assert "no device" in (await MachineAccelerators().why_not(one, one.units[0], empty=True) or "")


async def test_a_gpu_whose_memory_nobody_can_tell_is_not_handed_on() -> None:
    unit = AcceleratorUnit(devices=("/dev/zero",), gpus=("GPU-none-such",))
    one = Accelerator(units=(unit,))

    why = await MachineAccelerators().why_not(one, unit, empty=True)

    assert why is not None
    assert await MachineAccelerators().why_not(one, unit, empty=False) is None


def test_a_gpu_is_free_when_the_driver_alone_uses_it() -> None:
    assert "9216 MiB" in (why_taken(GpuUsage("T4", 9 << 30, 16 << 30)) or "")
    assert why_taken(GpuUsage("T4", 300 << 20, 16 << 30)) is None
    assert why_taken(GpuUsage("H200", 3 << 30, 140 << 30)) is None


async def test_a_driver_s_libraries_are_those_that_ldconfig_lists(tmp_path: Path) -> None:
    ldconfig = tmp_path / "ldconfig"
    ldconfig.write_text(
        "#!/bin/sh\nprintf '\\tlibcuda.so.1 (libc6,x86-64) => /opt/nv/libcuda.so.1\\n"
        "\\tlibc.so.6 (libc6,x86-64) => /lib/libc.so.6\\n\\tlibnvidia-ml.so.1 => /opt/nv/libnvidia-ml.so.1\\n'\n"
    )
    ldconfig.chmod(0o755)

    files = driver_files(str(ldconfig))

    assert files[:2] == ("/opt/nv/libcuda.so.1", "/opt/nv/libnvidia-ml.so.1")
    assert "/lib/libc.so.6" not in files
    assert set(driver_files("/no/such/ldconfig")) <= {"/usr/bin/nvidia-smi"}


LOOK = """
import anyio, json
from collegium.runtimes.nvml import MachineAccelerators
from collegium.runtimes.settings import Accelerator

async def look():
    machine = MachineAccelerators()
    found = (await machine.found())["gpu"]
    plain = Accelerator()
    units = [unit.model_copy(update={"devices": ("/dev/zero",)}) for unit in found.units]
    print(json.dumps({
        "label": found.label,
        "names": [unit.name for unit in found.units],
        "devices": [unit.devices for unit in found.units],
        "memory": [unit.memory for unit in found.units],
        "visible": [unit.variables["CUDA_VISIBLE_DEVICES"] for unit in found.units],
        "usage": [[(gpu.memory_bytes >> 20, gpu.percent) for gpu in await machine.usage(unit)] for unit in units],
        "busy": [await machine.why_not(plain, unit, empty=True) for unit in units],
        "shared": [await machine.why_not(plain, unit, empty=False) for unit in units],
    }))

anyio.run(look)
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no compiler for the driver's stand-in")
@pytest.mark.parametrize("defines", [[], ["-DOLD"]], ids=["driver", "older driver"])
def test_gpus_are_found_by_their_driver_and_one_in_use_is_not_handed_on(tmp_path: Path, defines: list[str]) -> None:
    library, source = tmp_path / "libnvidia-ml.so.1", Path(__file__).parent / "driver.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, *defines, source], check=True)

    variables = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    looked = subprocess.run([sys.executable, "-c", LOOK], env=variables, capture_output=True, check=True, text=True)
    seen = json.loads(looked.stdout.splitlines()[-1])

    assert (seen["label"], seen["names"]) == ("Stand-in T4", ["GPU-aaaa", "GPU-cccc"])
    assert seen["devices"] == [["/dev/nvidia0"], ["/dev/nvidia2"]]
    assert seen["memory"] == [16 << 30, 16 << 30]
    assert seen["visible"] == seen["names"]
    assert seen["usage"] == [[[256, 37.0]], [[9216, None]]]
    assert seen["busy"] == [None, "9216 MiB of the memory of Stand-in T4 are still in use"]
    assert seen["shared"] == [None, None]


@pytest.mark.skipif(not os.path.exists("/dev/nvidiactl"), reason="this machine has no GPU of NVIDIA's")
async def test_real_gpus_are_found_free_and_with_their_usage() -> None:
    machine = MachineAccelerators()
    found = (await machine.found())[FOUND]

    assert await machine.why_none(found) is None
    for unit in found.units:
        (gpu,) = await machine.usage(unit)
        assert gpu.memory_limit_bytes == unit.memory
        assert await machine.why_not(found, unit, empty=True) is None
        assert unit.variables["CUDA_VISIBLE_DEVICES"] == unit.gpus[0]
    assert any("libcuda" in path for path in found.binds)
