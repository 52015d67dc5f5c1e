"""The environment of a notebook over HTTP: what was installed on top, and the lock that keeps it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.ground.ids import ExecutionId, NotebookId
from collegium.sessions.environments import NotebookEnvironments
from collegium.sessions.locks import LOCK_CHARACTERS_MAX
from collegium.sessions.model import OnTop, Pin, Replaced

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Run = Annotated[str, Path(max_length=64, description="The execution's id.")]
Who = Annotated[Principal, Depends(signed_in)]


class PackageShown(BaseModel):
    name: str
    version: str


class PackageReplaced(BaseModel):
    name: str
    before: str = Field(alias="from")
    now: str = Field(alias="to")


class EnvironmentPinned(BaseModel):
    """A PEP 751 `pylock.toml`; `ready`: it has been built, and the next runtime starts with it at once."""

    lock: str
    at: int
    by: str
    ready: bool


class NotebookEnvironment(BaseModel):
    """What the notebook is pinned to, and what its runtime has on top of the runtime version now."""

    pinned: EnvironmentPinned | None
    added: list[PackageShown]
    changed: list[PackageReplaced]
    removed: list[PackageShown]


class EnvironmentRan(BaseModel):
    """What an execution ran in: a runtime version, the lock it started with (`layer`), and what was installed on top.

    Equal environments have equal names; `at` is when this one was seen first.
    """

    name: str
    version: str
    layer: str | None
    added: list[PackageShown]
    changed: list[PackageReplaced]
    removed: list[PackageShown]
    at: int


class EnvironmentWanted(BaseModel):
    """A PEP 751 lock to start with from now on, or null for none."""

    lock: str | None = Field(max_length=LOCK_CHARACTERS_MAX)


def routes(environments: NotebookEnvironments) -> APIRouter:
    """Everything about the environments of a notebook, relative to /api/v1."""
    router = APIRouter(prefix="/notebooks/{notebook}", tags=["environments"])

    @router.get("/executions/{execution}/environment", response_model=EnvironmentRan, summary="What a run ran in")
    async def read_execution_environment(notebook: Notebook, execution: Run, who: Who) -> EnvironmentRan:
        found = await environments.ran_in(who, NotebookId(notebook), ExecutionId(execution))
        on_top = _on_top(found.on_top)
        return EnvironmentRan(name=found.environment, version=found.version, layer=found.layer, at=found.at, **on_top)

    @router.get("/environment", response_model=NotebookEnvironment, summary="What is installed on top")
    async def read_environment(notebook: Notebook, who: Who) -> NotebookEnvironment:
        return _shown(*await environments.of(who, NotebookId(notebook)))

    @router.post("/environment/pin", response_model=NotebookEnvironment, summary="Keep what is installed on top")
    async def pin_environment(notebook: Notebook, who: Who) -> NotebookEnvironment:
        await environments.pin(who, NotebookId(notebook))
        return _shown(*await environments.of(who, NotebookId(notebook)))

    @router.put("/environment", response_model=NotebookEnvironment, summary="Change the lock, or unpin")
    async def write_environment(notebook: Notebook, wanted: EnvironmentWanted, who: Who) -> NotebookEnvironment:
        await environments.put(who, NotebookId(notebook), wanted.lock)
        return _shown(*await environments.of(who, NotebookId(notebook)))

    return router


def _replaced(one: Replaced) -> PackageReplaced:
    return PackageReplaced.model_validate({"name": one.name, "from": one.before, "to": one.now})


def _shown(pin: Pin | None, on_top: OnTop) -> NotebookEnvironment:
    return NotebookEnvironment(
        pinned=None if pin is None else EnvironmentPinned(lock=pin.lock, at=pin.at, by=pin.by, ready=pin.ready),
        **_on_top(on_top),
    )


def _on_top(on_top: OnTop) -> dict[str, Any]:
    return {
        "added": [PackageShown(name=one.name, version=one.version) for one in on_top.added],
        "changed": [_replaced(one) for one in on_top.changed],
        "removed": [PackageShown(name=one.name, version=one.version) for one in on_top.removed],
    }
