"""Which kernels a runtime version offers: Python's own, those it declares, and those of the machine's packages."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

PYTHON = "python3"
KERNELS = "share/jupyter/kernels"
MACHINE = (Path("/usr/local"), Path("/usr"))
"""Seen in every runtime."""
MACHINE_PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
IRKERNEL = Path("/usr/lib/R/site-library/IRkernel/DESCRIPTION")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TEXT_MAX = 64


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """One kernel that a notebook may name in its `kernelspec`."""

    name: str
    display_name: str
    language: str


def kernels_of(environment: Path) -> list[KernelSpec]:
    """The kernels of an environment, Python's first; the agent finds them in the same places, in the same order."""
    found = {PYTHON: KernelSpec(PYTHON, "Python 3", "python")}
    for prefix in (environment, *MACHINE):
        for path in sorted((prefix / KERNELS).glob("*/kernel.json")):
            name = path.parent.name
            if name not in found and NAME.fullmatch(name) and (spec := _read(path, environment)):
                found[name] = spec
    first, *others = found.values()
    return [first, *sorted(others, key=lambda spec: spec.display_name.lower())]


def _read(path: Path, environment: Path) -> KernelSpec | None:
    """None where it is broken, or its program is not in reach of a runtime: whoever chose it would wait in vain."""
    try:
        value = json.loads(path.read_bytes())
        program, shown, language = value["argv"][0], value["display_name"], value["language"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    if not all(isinstance(text, str) for text in (program, shown, language)):
        return None
    reach = f"{environment}/bin:{MACHINE_PROGRAMS}"
    is_seen = not program.startswith("/") or Path(program).is_relative_to(environment) or program.startswith("/usr/")
    if not is_seen or shutil.which(program, path=reach) is None:
        return None
    return KernelSpec(path.parent.name, shown[:TEXT_MAX], language[:TEXT_MAX])
