"""The API of runtimes: what I have, a new one, what it uses, and giving it back."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in, signed_in_admin
from collegium.ground import reasons
from collegium.ground.errors import CollegiumError, Conflict, NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.runtimes.lifetime import NoticeKind
from collegium.runtimes.model import Limits, Runtime, State
from collegium.runtimes.offers import Offer
from collegium.runtimes.service import Runtimes
from collegium.runtimes.settings import AcceleratorKind, NetworkMode
from collegium.runtimes.usage import Reading

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


class RuntimeGpu(BaseModel):
    """What a GPU of a runtime does; null where it does not say."""

    name: str
    memory_bytes: int
    memory_limit_bytes: int
    percent: float | None


class RuntimeUsage(BaseModel):
    """What a runtime uses and used; null where this machine does not count it."""

    memory_bytes: int | None
    memory_peak_bytes: int | None
    cpu_seconds: float | None
    cpu_percent: float | None = Field(description="100: one whole processor, since the reading before.")
    processes: int | None
    disk_bytes: int | None
    oom_kills: int | None
    gpus: list[RuntimeGpu]


class RuntimeNotice(BaseModel):
    """It will be taken back at this time (ms)."""

    kind: NoticeKind
    at: int


class RuntimeQueue(BaseModel):
    """Its place in the queue for an accelerator."""

    position: int = Field(description="Counted from 1.")
    of: int


class RuntimeNotebook(BaseModel):
    """A notebook that runs in it."""

    id: str
    name: str


class RuntimeShown(BaseModel):
    """A runtime. Times are milliseconds."""

    id: str
    state: State
    reason: str
    why: dict[str, Any] | None = Field(description=reasons.WHY)
    type: str
    label: str = Field(description="What people read for its type.")
    version: str
    engine: str
    network: str
    accelerator: str | None
    limits: RuntimeLimits
    notebooks: list[RuntimeNotebook]
    notice: RuntimeNotice | None
    queue: RuntimeQueue | None
    requested_at: int
    ready_at: int | None
    used_at: int
    expires_at: int | None = Field(description="When its lifetime ends, if it has one.")
    stopped_at: int | None


class RuntimeWithUsage(RuntimeShown):
    """A runtime, and what it uses now; null once it is over."""

    usage: RuntimeUsage | None


class RuntimePoints(BaseModel):
    """What a runtime used during the last hour, about every ten seconds, the oldest first."""

    points: list[tuple[int, int | None, float | None, int | None, float | None]] = Field(
        description="Time (ms), memory (bytes), processor (percent; 100: a whole one), disk (bytes), GPU (percent)."
    )


class TypeAccelerator(BaseModel):
    """What a type of runtime has besides processors."""

    kind: AcceleratorKind
    count: int = Field(description="Units on this machine.")
    name: str
    memory_bytes: int | None = Field(description="Memory of a unit, where it has its own.")


class RuntimeTypeShown(BaseModel):
    """A type of runtime that one may choose."""

    name: str
    label: str
    description: str
    limits: RuntimeLimits
    network: NetworkMode
    accelerator: TypeAccelerator | None
    available: bool
    reason: str | None = Field(description="Why it is not available, or what it lacks here.")
    idle_seconds: float
    lifetime_seconds: float | None
    default: bool


Notebooks = Callable[[Principal, list[RuntimeId]], Awaitable[dict[RuntimeId, list[RuntimeNotebook]]]]
"""The notebooks that run in runtimes, as far as somebody may know of them."""


async def _no_notebooks(_principal: Principal, _runtimes: list[RuntimeId]) -> dict[RuntimeId, list[RuntimeNotebook]]:
    return {}


Usable = Callable[[Principal, RuntimeId], Awaitable[Runtime]]
"""A runtime, for its user and for whoever may run what runs in it. Raises NotFound."""


def routes(runtimes: Runtimes, notebooks: Notebooks = _no_notebooks, usable: Usable | None = None) -> APIRouter:
    """Everything about runtimes, relative to /api/v1."""
    router = APIRouter(tags=["runtimes"], prefix="/runtimes")

    async def own(principal: Principal, runtime: RuntimeId) -> Runtime:
        return await runtimes.get_own(principal.user, runtime)

    find = usable or own

    @router.get("", summary="The runtimes I have", response_model=list[RuntimeShown])
    async def list_runtimes(principal: User) -> list[RuntimeShown]:
        found = await runtimes.list(principal.user)
        bound = await notebooks(principal, [runtime.id for runtime in found])
        return [shown(runtimes, runtime, bound.get(runtime.id)) for runtime in found]

    @router.post("", summary="Request a runtime", status_code=201, response_model=RuntimeShown)
    async def create_runtime(principal: User, request: Request, wanted: RuntimeRequest | None = None) -> RuntimeShown:
        chosen = wanted or RuntimeRequest()
        acquire = partial(runtimes.acquire, principal.user, type=chosen.type, version=chosen.version)
        return shown(runtimes, await _unless_hung_up(request, acquire))

    @router.get("/types", summary="The types one may choose", response_model=list[RuntimeTypeShown])
    async def list_types(principal: User) -> list[RuntimeTypeShown]:
        del principal
        return [
            _type_shown(offer, default=runtimes.catalogue.is_default(offer.name)) for offer in await runtimes.offers()
        ]

    @router.get("/status", summary="What the engine says, for administrators", response_model=dict[str, Any])
    async def get_status(principal: Annotated[Principal, Depends(signed_in_admin)]) -> dict[str, Any]:
        del principal
        return await runtimes.status()

    @router.get("/{runtime}", summary="State, limits and usage", response_model=RuntimeWithUsage)
    async def get_runtime(principal: User, runtime: Id) -> RuntimeWithUsage:
        found = await runtimes.get_own(principal.user, RuntimeId(runtime))
        bound = await notebooks(principal, [found.id])
        return await shown_with_usage(runtimes, found, bound.get(found.id))

    @router.get("/{runtime}/usage", summary="What it used during the last hour", response_model=RuntimePoints)
    async def get_usage(principal: User, runtime: Id) -> RuntimePoints:
        found = await find(principal, RuntimeId(runtime))
        return RuntimePoints(points=list(runtimes.points(found.id)))

    @router.post("/{runtime}/keep", summary="I still need it", status_code=204, response_model=None)
    async def keep_runtime(principal: User, runtime: Id) -> None:
        found = await find(principal, RuntimeId(runtime))
        await runtimes.keep(found.id)

    @router.delete("/{runtime}", summary="Give a runtime back", status_code=204, response_model=None)
    async def delete_runtime(principal: User, runtime: Id) -> None:
        found = await runtimes.get_own(principal.user, RuntimeId(runtime))
        await runtimes.release(found.id, reasons.words("given_back_by_user"))

    return router


async def _unless_hung_up(request: Request, work: Callable[[], Awaitable[Runtime]]) -> Runtime:
    """Whoever hangs up waits for nothing any more: its place in a queue is the next one's."""
    outcome: Runtime | CollegiumError = Conflict("Nobody waits for the answer.")

    async def watch(scope: anyio.CancelScope) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, tasks.cancel_scope)
        try:
            outcome = await work()
        except CollegiumError as error:
            outcome = error
        tasks.cancel_scope.cancel()
    if isinstance(outcome, CollegiumError):
        raise outcome
    return outcome


async def shown_with_usage(
    runtimes: Runtimes, runtime: Runtime, notebooks: list[RuntimeNotebook] | None = None
) -> RuntimeWithUsage:
    """A runtime as the API tells it, and what it uses."""
    usage = None
    if runtime.state is State.READY:
        # If it ended in this moment, or the engine is being restarted, the rest of the answer still holds.
        with suppress(NotFound, Unavailable):
            usage = usage_shown(await runtimes.usage_now(runtime.id))
    return RuntimeWithUsage(**shown(runtimes, runtime, notebooks).model_dump(), usage=usage)


def usage_shown(reading: Reading) -> RuntimeUsage:
    """A reading, as the API tells it."""
    usage = reading.usage
    return RuntimeUsage(
        memory_bytes=usage.memory_bytes,
        memory_peak_bytes=usage.memory_peak_bytes,
        cpu_seconds=usage.cpu_seconds,
        cpu_percent=reading.cpu_percent,
        processes=usage.processes,
        disk_bytes=usage.disk_bytes,
        oom_kills=usage.oom_kills,
        gpus=[
            RuntimeGpu(
                name=gpu.name,
                memory_bytes=gpu.memory_bytes,
                memory_limit_bytes=gpu.memory_limit_bytes,
                percent=gpu.percent,
            )
            for gpu in reading.gpus
        ],
    )


def shown(runtimes: Runtimes, runtime: Runtime, notebooks: list[RuntimeNotebook] | None = None) -> RuntimeShown:
    """A runtime, as the API tells it."""
    notice, place = runtimes.notice(runtime.id), runtimes.waiting(runtime.id)
    return RuntimeShown(
        id=runtime.id,
        state=runtime.state,
        reason=runtime.reason,
        why=reasons.why(runtime.reason),
        type=runtime.type,
        label=runtimes.label(runtime.type),
        version=runtime.version,
        engine=runtime.engine,
        network=runtime.network,
        accelerator=None if runtime.unit is None else runtime.unit.accelerator,
        limits=_limits(runtime.limits),
        notebooks=notebooks or [],
        notice=None if notice is None else RuntimeNotice(kind=notice.kind, at=notice.at),
        queue=None if place is None else RuntimeQueue(position=place.position, of=place.of),
        requested_at=runtime.requested_at,
        ready_at=runtime.ready_at,
        used_at=runtime.used_at,
        expires_at=runtime.expires_at,
        stopped_at=runtime.stopped_at,
    )


def _limits(limits: Limits) -> RuntimeLimits:
    return RuntimeLimits(
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        processes=limits.processes,
        disk_bytes=limits.disk_bytes,
    )


def _type_shown(offer: Offer, *, default: bool) -> RuntimeTypeShown:
    wanted, accelerator, what = offer.type, offer.accelerator, None
    if accelerator is not None:
        name = accelerator.label or wanted.accelerator or ""
        memory = next((unit.memory for unit in accelerator.units), None)
        what = TypeAccelerator(kind=accelerator.kind, count=len(accelerator.units), name=name, memory_bytes=memory)
    return RuntimeTypeShown(
        name=offer.name,
        label=wanted.label or offer.name,
        description=wanted.description,
        limits=_limits(offer.limits),
        network=offer.network,
        accelerator=what,
        available=offer.available,
        reason=offer.reason,
        idle_seconds=wanted.idle_timeout.total_seconds(),
        lifetime_seconds=None if wanted.lifetime is None else wanted.lifetime.total_seconds(),
        default=default,
    )
