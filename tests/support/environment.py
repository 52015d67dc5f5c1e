"""The runtime version that tests run kernels in: built once, by whichever test needs it first, and kept."""

import os
import sys
from functools import cache
from pathlib import Path

from collegium.runtimes.environments import UvEnvironments
from collegium.runtimes.settings import RuntimesSettings

ROOT = Path(__file__).parents[2]
VERSION: str = RuntimesSettings.model_fields["version"].default


def environments_folder() -> Path:
    """Where tests build runtime versions: COLLEGIUM_RUNTIMES__ENVIRONMENTS, or the one of `make serve`."""
    return Path(os.environ.get("COLLEGIUM_RUNTIMES__ENVIRONMENTS", ROOT / ".data/environments"))


MINIMAL = "2026.11-minimal"
"""A version that holds little more than a kernel."""


@cache
def environment_of(version: str) -> Path:
    """A runtime version, built if it is missing."""
    environments = UvEnvironments(environments_folder())
    environments.build(version, lambda line: print(line, file=sys.stderr))
    return environments.path(version)


@cache
def environment() -> Path:
    """The usual runtime version, built if it is missing; the first time that takes a minute."""
    return environment_of(VERSION)


def runtime_python() -> Path:
    """The interpreter of the usual runtime version."""
    return environment() / "bin/python"


if __name__ == "__main__":
    # Before the tests, which would wait for it.
    for version in (VERSION, MINIMAL):
        environment_of(version)
