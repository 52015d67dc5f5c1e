"""Rooms as the documents of sessions, runtimes as their machines."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio.to_thread
from anyio.abc import ByteStream

from collegium.ground.errors import Invalid
from collegium.ground.ids import CellId, NotebookId, RuntimeId, UserId
from collegium.notebooks.history import RevisionKind
from collegium.rooms.service import Rooms
from collegium.runtimes.lifetime import Notice
from collegium.runtimes.model import Runtime, Waiting
from collegium.runtimes.offers import Offer
from collegium.runtimes.packages import Package
from collegium.runtimes.ports import Environments
from collegium.runtimes.scripts import bokeh_script
from collegium.runtimes.service import Runtimes
from collegium.runtimes.settings import RuntimesSettings
from collegium.sessions.choice import Offers, TypeOffer
from collegium.sessions.model import Gpu, Machine, Source, Use
from collegium.sessions.ports import Progress, Queued, Wanted

MAY_FAIL_TAG = "raises-exception"
PROGRESS_SECONDS = 0.25


class RoomDocuments:
    """The notebooks that are open; one that is not is opened for as long as it is read."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def sources(self, notebook: NotebookId) -> list[Source]:
        """The cells in their order."""
        async with self._rooms.open(notebook) as room:
            return [Source(cell, kind, source) for cell, kind, source in room.sources()]

    async def may_fail(self, notebook: NotebookId, cell: CellId) -> bool:
        """Whether the cell, as it is now, is tagged so."""
        async with self._rooms.open(notebook) as room:
            return MAY_FAIL_TAG in room.tags(cell)

    async def metadata(self, notebook: NotebookId) -> Mapping[str, Any]:
        """The notebook's own, as it is now."""
        async with self._rooms.open(notebook) as room:
            return room.metadata()

    async def before_run_all(self, notebook: NotebookId, user: UserId) -> None:
        """What it says and shows now becomes a revision, if that is new."""
        await self._rooms.revise_soon(notebook, RevisionKind.BEFORE_RUN, user)

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Tell every tab that is here."""
        self._rooms.broadcast(notebook, message)


class LentMachines:
    """Runtimes, one for each notebook that runs."""

    def __init__(self, runtimes: Runtimes, environments: Environments, settings: RuntimesSettings) -> None:
        self._runtimes = runtimes
        self._environments = environments
        self._settings = settings

    async def offers(self) -> Offers:
        """What can be had here now."""
        return Offers(
            types=[_type_offer(offer) for offer in await self._runtimes.offers()],
            versions=self._environments.versions(),
            default_type=self._settings.type,
            default_version=self._settings.version,
        )

    async def kernels(self, version: str) -> Mapping[str, str]:
        """The kernels of a runtime version: the language each speaks, by name."""
        return await anyio.to_thread.run_sync(self._environments.kernels, version)

    async def packages(self, version: str) -> Sequence[Package]:
        """The packages of a runtime version."""
        return await anyio.to_thread.run_sync(self._environments.packages, version)

    async def environment(self, version: str) -> str:
        """The name of the environment of a runtime version."""
        return (await self._environments.ready(version)).name

    async def prepare(self, version: str, progress: Progress) -> None:
        """Have it built; what is being done is said at most a few times a second, from a thread."""
        loop = from_this_loop(progress)
        await self._environments.ready(version, lambda line: loop(f"Building runtime version {version}: {line[:80]}"))

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        await self._runtimes.admit(user)

    async def acquire(self, user: UserId, wanted: Wanted, queued: Queued) -> Machine:
        """A ready runtime for this user."""

        def told(waiting: Waiting) -> None:
            queued(waiting.position, waiting.of)

        runtime = await self._runtimes.acquire(
            user, type=wanted.type, version=wanted.version, layers=wanted.layers, on_wait=told
        )
        return await self._machine(runtime)

    async def get(self, runtime: RuntimeId) -> Machine:
        """What it is now."""
        return await self._machine(await self._runtimes.get(runtime))

    async def ended(self, runtime: RuntimeId) -> Machine:
        """What became of it, once it is over."""
        return await self._machine(await self._runtimes.wait_ended(runtime))

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent."""
        return await self._runtimes.connect(runtime)

    async def lent(self, user: UserId) -> list[Runtime]:
        """The runtimes that this user has."""
        return await self._runtimes.list(user)

    async def runtime(self, runtime: RuntimeId) -> Runtime:
        """Everything that is remembered of it."""
        return await self._runtimes.get(runtime)

    async def keep(self, runtime: RuntimeId) -> None:
        """Its idle time starts again."""
        await self._runtimes.keep(runtime)

    async def usage(self, runtime: RuntimeId, *, fresh: bool = False) -> Use:
        """What it uses now."""
        reading = await self._runtimes.usage_now(runtime)
        if fresh:
            reading = replace(reading, usage=await self._runtimes.usage(runtime))
        limits = (await self._runtimes.get(runtime)).limits
        return Use(
            at=reading.at,
            memory_bytes=reading.usage.memory_bytes,
            memory_limit_bytes=limits.memory_bytes,
            cpu_percent=reading.cpu_percent,
            cpus=limits.cpus,
            disk_bytes=reading.usage.disk_bytes,
            disk_limit_bytes=limits.disk_bytes,
            processes=reading.usage.processes,
            gpus=tuple(Gpu(gpu.name, gpu.memory_bytes, gpu.memory_limit_bytes, gpu.percent) for gpu in reading.gpus),
            memory_peak_bytes=reading.usage.memory_peak_bytes,
            oom_kills=reading.usage.oom_kills,
        )

    async def script(self, path: str) -> bytes | None:
        """From the environments that are built."""
        for version in self._environments.versions():
            if self._environments.is_ready(version):
                found = await anyio.to_thread.run_sync(bokeh_script, await self._environments.ready(version), path)
                if found is not None:
                    return found
        return None

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        """What its processes printed since."""
        return await self._runtimes.printed(runtime, after)

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        """Keep what was installed in it as a layer."""
        return await self._runtimes.seal(runtime, layer)

    async def drop_layer(self, layer: str) -> None:
        """It is not needed any more."""
        await self._runtimes.drop_layer(layer)

    def on_notice(self, told: Callable[[RuntimeId, dict[str, Any] | None], None]) -> None:
        """Tell whenever a notice is given or taken away."""
        leases = self._runtimes.leases
        leases.on_notice.append(lambda runtime, notice: told(runtime, None if notice is None else notice_shown(notice)))

    async def release(self, runtime: RuntimeId) -> None:
        """Give it back."""
        await self._runtimes.release(runtime)

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        """It cannot be used any more."""
        await self._runtimes.failed(runtime, reason)

    def touch(self, runtime: RuntimeId) -> None:
        """It is in use."""
        self._runtimes.touch(runtime)

    async def _machine(self, runtime: Runtime) -> Machine:
        notice = self._runtimes.notice(runtime.id)
        return Machine(
            id=runtime.id,
            state=runtime.state.value,
            type=runtime.type,
            version=runtime.version,
            memory_bytes=runtime.limits.memory_bytes,
            reason=runtime.reason or None,
            label=self._runtimes.label(runtime.type),
            cpus=runtime.limits.cpus,
            disk_bytes=runtime.limits.disk_bytes,
            network=runtime.network,
            accelerator=await self._accelerator(runtime),
            notice=None if notice is None else notice_shown(notice),
        )

    async def _accelerator(self, runtime: Runtime) -> dict[str, Any] | None:
        if runtime.unit is None:
            return None
        try:
            known = (await self._runtimes.offer(runtime.type)).accelerator
        except Invalid:
            # The settings know the type no more; the runtime lives on.
            known = None
        kind = "gpu" if known is None else known.kind
        name = runtime.unit.accelerator if known is None else known.label or runtime.unit.accelerator
        return {"kind": kind, "count": 1, "name": name}


def notice_shown(notice: Notice) -> dict[str, Any]:
    """A notice as the page sees it."""
    return {"kind": notice.kind.value, "at": notice.at}


def _type_offer(offer: Offer) -> TypeOffer:
    accelerator = offer.accelerator
    return TypeOffer(
        name=offer.name,
        accelerator=None if accelerator is None else accelerator.kind,
        model=None if accelerator is None else accelerator.label,
        available=offer.available,
        reason=offer.reason,
        version=None if accelerator is None else accelerator.version,
    )


def from_this_loop(progress: Progress) -> Callable[[str], None]:
    """The same for a thread, and at most a few times a second."""
    loop, last = asyncio.get_running_loop(), 0.0

    def said(words: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            loop.call_soon_threadsafe(progress, words)

    return said
