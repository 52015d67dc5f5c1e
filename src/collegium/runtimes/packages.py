"""Which packages an environment holds: read from what is installed, or from the lock it will be built from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

METADATA_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """An installed distribution."""

    name: str
    version: str


def installed(environment: Path) -> list[Package]:
    """The distributions of an environment, by name."""
    found = set()
    for folder in environment.glob("lib/python3*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        found.add(Package(_named(folder) or canonicalize_name(name), version))
    return sorted(found)


def _named(folder: Path) -> str | None:
    """The name as its authors write it, in the form that everybody compares."""
    try:
        with (folder / "METADATA").open(encoding="utf-8", errors="replace") as file:
            for line in file.read(METADATA_BYTES_MAX).splitlines():
                if line.startswith("Name:"):
                    return str(canonicalize_name(line[5:].strip()))
                if not line:
                    return None
    except OSError:
        return None
    return None


def locked(lock: str, python: str) -> list[Package]:
    """The packages of a `requirements.lock` that this Python (`3.11`) would get here, by name."""
    return sorted(set(_pins(lock.splitlines(), {"python_version": python, "python_full_version": f"{python}.0"})))


def _pins(lines: Iterable[str], here: dict[str, str]) -> Iterable[Package]:
    for line in lines:
        pin = line.rstrip("\\ ")
        if not pin or pin.startswith((" ", "#", "-")):
            continue
        try:
            wanted = Requirement(pin)
        except InvalidRequirement:
            continue
        versions = [one.version for one in wanted.specifier if one.operator == "=="]
        if versions and (wanted.marker is None or wanted.marker.evaluate(here)):
            yield Package(str(canonicalize_name(wanted.name)), versions[0])
