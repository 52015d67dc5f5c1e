"""The API of runtimes: what I have, a new one, what it uses, and giving it back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.runtimes.model import Runtime, State, Usage
from collegium.runtimes.service import Runtimes

Name = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[str, Path(max_length=64)]
User = Annotated[Principal, Depends(signed_in)]


class RuntimeRequest(BaseModel):
    """What one may choose."""

    type: Name | None = None
    version: Name | None = None


class RuntimeLimits(BaseModel):
    """What a runtime may use."""

    memory_bytes: int
    cpus: float
    processes: int
    disk_bytes: int


class RuntimeUsage(BaseModel):
    """What a runtime uses and used; null where this machine does not count it."""

    memory_bytes: int | None
    memory_peak_bytes: int | None
    cpu_seconds: float | None
    processes: int | None
    disk_bytes: int | None
    oom_kills: int | None


class RuntimeShown(BaseModel):
    """A runtime. Times are milliseconds."""

    id: str
    state: State
    reason: str
    type: str
    version: str
    engine: str
    limits: RuntimeLimits
    requested_at: int
    ready_at: int | None
    used_at: int
    stopped_at: int | None


class RuntimeWithUsage(RuntimeShown):
    """A runtime, and what it uses now; null once it is over."""

    usage: RuntimeUsage | None


def routes(runtimes: Runtimes) -> APIRouter:
    """Everything about runtimes, relative to /api/v1."""
    router = APIRouter(tags=["runtimes"], prefix="/runtimes")

    @router.get("", summary="The runtimes I have", response_model=list[RuntimeShown])
    async def list_runtimes(principal: User) -> list[RuntimeShown]:
        return [_shown(runtime) for runtime in await runtimes.list(principal.user)]

    @router.post("", summary="Request a runtime", status_code=201, response_model=RuntimeShown)
    async def create_runtime(principal: User, request: RuntimeRequest | None = None) -> RuntimeShown:
        wanted = request or RuntimeRequest()
        return _shown(await runtimes.acquire(principal.user, type=wanted.type, version=wanted.version))

    @router.get("/{runtime}", summary="State, limits and usage", response_model=RuntimeWithUsage)
    async def get_runtime(principal: User, runtime: Id) -> RuntimeWithUsage:
        found = await runtimes.get_own(principal.user, RuntimeId(runtime))
        return await shown_with_usage(runtimes, found)

    @router.delete("/{runtime}", summary="Give a runtime back", status_code=204, response_model=None)
    async def delete_runtime(principal: User, runtime: Id) -> None:
        found = await runtimes.get_own(principal.user, RuntimeId(runtime))
        await runtimes.release(found.id, "its user gave it back")

    return router


async def shown_with_usage(runtimes: Runtimes, runtime: Runtime) -> RuntimeWithUsage:
    """A runtime as its user sees it, with what it uses now."""
    return RuntimeWithUsage(**_shown(runtime).model_dump(), usage=await _usage(runtimes, runtime))


async def _usage(runtimes: Runtimes, runtime: Runtime) -> RuntimeUsage | None:
    if runtime.state is not State.READY:
        return None
    try:
        return _usage_shown(await runtimes.usage(runtime.id))
    except (NotFound, Unavailable):
        # It ended in this moment, or the engine is being restarted: the rest of the answer still holds.
        return None


def _usage_shown(usage: Usage) -> RuntimeUsage:
    return RuntimeUsage(
        memory_bytes=usage.memory_bytes,
        memory_peak_bytes=usage.memory_peak_bytes,
        cpu_seconds=usage.cpu_seconds,
        processes=usage.processes,
        disk_bytes=usage.disk_bytes,
        oom_kills=usage.oom_kills,
    )


def _shown(runtime: Runtime) -> RuntimeShown:
    limits = runtime.limits
    return RuntimeShown(
        id=runtime.id,
        state=runtime.state,
        reason=runtime.reason,
        type=runtime.type,
        version=runtime.version,
        engine=runtime.engine,
        limits=RuntimeLimits(
            memory_bytes=limits.memory_bytes,
            cpus=limits.cpus,
            processes=limits.processes,
            disk_bytes=limits.disk_bytes,
        ),
        requested_at=runtime.requested_at,
        ready_at=runtime.ready_at,
        used_at=runtime.used_at,
        stopped_at=runtime.stopped_at,
    )
