"""The runtime versions over HTTP: which there are, and what is in each."""

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.ground.errors import NotFound
from collegium.runtimes.ports import Environments

User = Annotated[Principal, Depends(signed_in)]
Version = Annotated[str, Path(max_length=64, description="A runtime version's name.")]


class RuntimeVersion(BaseModel):
    """A locked set of packages. `languages`: its kernels; `ready`: built, so that nobody waits for it."""

    name: str
    languages: list[str]
    python: str
    default: bool
    ready: bool
    packages_count: int


class VersionPackage(BaseModel):
    name: str
    version: str


class RuntimeVersionWithPackages(RuntimeVersion):
    """A version and what is in it."""

    packages: list[VersionPackage]


def routes(environments: Environments, default: str) -> APIRouter:
    """Everything under /runtimes/versions; to be asked before /runtimes/{id}."""
    router = APIRouter(tags=["runtimes"], prefix="/runtimes/versions")

    @router.get("", response_model=list[RuntimeVersion], summary="The runtime versions one may choose")
    async def list_versions(_principal: User) -> list[RuntimeVersion]:
        return await anyio.to_thread.run_sync(lambda: [_shown(environments, name, default) for name in _known()])

    @router.get("/{version}", response_model=RuntimeVersionWithPackages, summary="What is in a version")
    async def read_version(version: Version, _principal: User) -> RuntimeVersionWithPackages:
        if version not in _known():
            raise NotFound("There is no such runtime version.")
        return await anyio.to_thread.run_sync(_whole, environments, version, default)

    def _known() -> list[str]:
        return environments.versions()

    return router


def _shown(environments: Environments, name: str, default: str) -> RuntimeVersion:
    return RuntimeVersion(
        name=name,
        languages=sorted(environments.kernels(name)),
        python=environments.python(name),
        default=name == default,
        ready=environments.is_ready(name),
        packages_count=len(environments.packages(name)),
    )


def _whole(environments: Environments, name: str, default: str) -> RuntimeVersionWithPackages:
    packages = [VersionPackage(name=one.name, version=one.version) for one in environments.packages(name)]
    return RuntimeVersionWithPackages(**_shown(environments, name, default).model_dump(), packages=packages)
