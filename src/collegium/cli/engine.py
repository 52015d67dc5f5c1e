"""What the commands do with the local engine: build what it needs, start it, give up root, stop it."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
from rich.console import Console

import collegium
from collegium.ground.errors import Unavailable
from collegium.runtimes import doctor
from collegium.runtimes.adapters import LocalEngine, start_engine
from collegium.runtimes.environments import UvEnvironments
from collegium.runtimes.nvml import MachineAccelerators
from collegium.runtimes.offers import known_accelerators, may_be_given
from collegium.runtimes.privileges import drop_privileges
from collegium.settings import Settings

console = Console(stderr=True)


def with_environment(settings: Settings) -> Settings:
    """Build the usual runtime version if it is missing, with progress; the settings to go on with."""
    environments = UvEnvironments(settings.environments)
    version = settings.runtimes.version
    if settings.engine == "local" and not environments.is_ready(version):
        with console.status(f"Preparing runtime version {version}: about a minute, once …") as status:
            environments.build(version, lambda line: status.update(f"Preparing runtime version {version}: {line[:80]}"))
        console.print(f"Runtime version {version} is ready.")
    if settings.engine == "local" and os.geteuid() == 0:
        _build_others(environments)
    return settings


def _build_others(environments: UvEnvironments) -> None:
    """A server that will give up root cannot build what a notebook names later: build it now, if that is possible."""
    for version in environments.carried():
        try:
            if not environments.is_ready(version):
                with console.status(f"Preparing runtime version {version} …"):
                    environments.build(version, lambda _line: None)
                console.print(f"Runtime version {version} is ready.")
        except Unavailable as error:
            console.print(f"Runtime version {version} is not there: {error.detail}", soft_wrap=True)


def without(settings: Settings) -> Settings:
    """The settings of a server that runs nothing."""
    return settings.model_copy(update={"engine": "none"})


def keep(settings: Settings, uid: int, gid: int) -> None:
    """Start the engine if it is not running. What is wrong with it is said, and tried again later."""
    if settings.engine != "local":
        return
    try:
        found = anyio.run(MachineAccelerators().found)
        allow = may_be_given(known_accelerators(found, settings.runtimes))
        start_engine(settings.data, uid=uid, gid=gid, environments=settings.environments, allow=allow)
    except Unavailable as error:
        console.print(f"[red]{error.detail}[/red]", soft_wrap=True)


def become(settings: Settings, uid: int, gid: int) -> None:
    """Give root up for good, keeping in reach only what the server needs."""
    code = Path(collegium.__file__).parent.parent
    drop_privileges(uid, gid, [settings.data, code, Path(sys.prefix), Path(sys.base_prefix), settings.environments])
    # Its home would be root's, which it may not enter.
    os.environ["HOME"] = str(settings.data)


def findings(settings: Settings) -> list[doctor.Finding]:
    """What this machine can do for runtimes."""

    async def reasons() -> dict[str, str | None]:
        machine = MachineAccelerators()
        known = known_accelerators(await machine.found(), settings.runtimes)
        return {name: await machine.why_none(one) for name, one in known.items() if one.units}

    return doctor.report(anyio.run(reasons))


def why_not_isolated(settings: Settings) -> str | None:
    """Why runtimes made here would have no wall around them, or None; what others make is theirs to wall off."""
    return doctor.why_not_isolated(doctor.isolation()) if settings.engine == "local" else None


@contextmanager
def temporary_settings() -> Iterator[Settings]:
    """A house without an engine in a folder that vanishes."""
    with tempfile.TemporaryDirectory(prefix="collegium-") as folder:
        yield Settings(data=Path(folder), engine="none")


async def make_image(settings: Settings, version: str, base: str, progress: Callable[[str], None]) -> str:
    """Build the image of a runtime version for the Docker engine; its name. Raises CollegiumError."""
    import aiodocker

    from collegium.runtimes.docker_image import build

    environment = await UvEnvironments(settings.environments).ready(version, progress)
    tag = settings.docker.image.format(version=version)
    async with aiodocker.Docker(url=settings.docker.url) as docker:
        await build(docker, environment, base=base, tag=tag, progress=progress)
    return tag


def stop(settings: Settings) -> None:
    """End every runtime and the engine; nothing happens if there is none."""
    anyio.run(partial(LocalEngine(settings.data, environments=settings.environments).stop, runtimes=True))
