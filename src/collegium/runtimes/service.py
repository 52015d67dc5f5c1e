"""Lends runtimes to users, takes them back, and tells what they are and use."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from anyio.abc import ByteStream, TaskGroup

from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, Unavailable
from collegium.ground.ids import RuntimeId, UserId, new_id
from collegium.ground.log import get_log
from collegium.runtimes.books import Books, admit
from collegium.runtimes.catalogue import Catalogue
from collegium.runtimes.keeping import Keeper, said
from collegium.runtimes.leases import Leases
from collegium.runtimes.lifetime import Notice, NoticeKind
from collegium.runtimes.meters import Meters
from collegium.runtimes.metrics import Numbers
from collegium.runtimes.model import (
    GpuUsage,
    Runtime,
    State,
    Usage,
    Waiting,
    became_ready,
)
from collegium.runtimes.offers import Offer, known_accelerators, specification
from collegium.runtimes.ports import Accelerators, Engine, Environments, Printing, Sealing
from collegium.runtimes.settings import Accelerator, RuntimesSettings
from collegium.runtimes.turns import OnWait, Turns
from collegium.runtimes.usage import Point, Reading

SEALED = reasons.words("sealed")
RELEASE_SECONDS_MAX = 40.0

log = get_log("runtimes")


@dataclass(slots=True)
class _Request:
    """Somebody in this process waits for a runtime."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)
    given_back: str | None = None
    """Why it was given back before it was ready."""


class Runtimes:
    """The runtimes of all users."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        environments: Environments,
        hardware: Accelerators,
        settings: RuntimesSettings,
        accelerators: Mapping[str, Accelerator],
    ) -> None:
        self._engine = engine
        self._environments = environments
        self._settings = settings
        self._hardware = hardware
        self._books = Books(database, engine)
        self._requests: dict[RuntimeId, _Request] = {}
        """Those that somebody in this process waits for."""
        self.catalogue = Catalogue(settings, engine, hardware, accelerators)
        self.leases = Leases(database, notice=settings.notice, take_back=self._take_back)
        self.turns = Turns(accelerators, hardware)
        self.meters = Meters(self._measure)
        self.numbers = Numbers(settings.types, accelerators)
        self.keeper = Keeper(
            self._books,
            engine,
            environments,
            settings,
            catalogue=self.catalogue,
            turns=self.turns,
            numbers=self.numbers,
        )
        self._books.on_end.append(self._over)

    @property
    def environments(self) -> Environments:
        """The runtime versions."""
        return self._environments

    async def begin(self, tasks: TaskGroup) -> None:
        """Follow and cull from now on. Only one process of a server may."""
        await self.keeper.forget_requests()
        for task in (self.keeper.follow, self.keeper.compare, self.cull, self.watch_usage, self.turns.hand_on):
            tasks.start_soon(task)

    # ── lending ────────────────────────────────────────────────────────────────────────────────────────────────

    async def acquire(
        self,
        user: UserId,
        *,
        type: str | None = None,
        version: str | None = None,
        layers: Sequence[str] = (),
        on_wait: OnWait | None = None,
    ) -> Runtime:
        """A ready runtime for this user. `on_wait` is told the place in the queue for an accelerator, whenever it
        changes. Raises Invalid, QuotaExceeded, Unavailable; Conflict if it was given back before it was ready."""
        offer = await self.offer(type or self._settings.type)
        runtime, request = RuntimeId(new_id()), _Request()
        self._requests[runtime] = request
        try:
            with self._books.held(runtime):
                requested = await self._request(runtime, user, offer, version)
                with request.scope:
                    try:
                        return await self._fulfil(requested, offer, tuple(layers), on_wait)
                    except BaseException as error:
                        with anyio.CancelScope(shield=True), anyio.move_on_after(RELEASE_SECONDS_MAX):
                            await self._abandon(requested, request, error)
                        raise
        finally:
            self._requests.pop(runtime, None)
            request.over.set()
        raise Conflict("The runtime was given back before it was ready.", code="given_back")

    async def _fulfil(
        self, requested: Runtime, offer: Offer, layers: tuple[str, ...], on_wait: OnWait | None
    ) -> Runtime:
        environment = await self._environments.ready(requested.version)
        if offer.type.accelerator is not None:
            unit = await self.turns.wait(requested.id, requested.user, offer.type.accelerator, on_wait)
            requested = await self._books.progress(replace(requested, unit=unit))
        began, boot = time.monotonic(), (await self.catalogue.abilities()).boot
        wanted = specification(
            offer,
            self._settings,
            version=requested.version,
            environment=str(environment),
            layers=layers,
            unit=requested.unit,
        )
        # Never left half-way: what the engine makes after we gave up would have the devices of somebody else.
        with anyio.CancelScope(shield=True):
            await self._engine.create(requested.id, wanted)
        await anyio.lowlevel.checkpoint_if_cancelled()
        ready = await self._books.progress(replace(became_ready(requested, now_ms()), boot=boot))
        self.numbers.acquired(ready.type, time.monotonic() - began)
        log.info("runtime.acquired", runtime=ready.id, user=ready.user, type=ready.type, version=ready.version)
        return ready

    async def _abandon(self, requested: Runtime, request: _Request, error: BaseException) -> None:
        """Whatever there is of a request goes, the machine before the books."""
        left = not isinstance(error, Exception)
        state, how = (State.STOPPED, "given_back") if left else (State.FAILED, "failed")
        reason = error.detail if isinstance(error, CollegiumError) else reasons.words("request_given_up")
        reason = reason if request.given_back is None else request.given_back
        if not left:
            self.numbers.refused(requested.type)
        if await self._books.delete_from_engine(requested.id):
            await self._books.end(requested.id, state, reason, how)
        else:
            await self._books.stopping(requested.id, reason)

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        admit(len(await self._books.living(user)), self._settings.per_user)

    async def _request(self, runtime: RuntimeId, user: UserId, offer: Offer, version: str | None) -> Runtime:
        if not offer.available:
            if offer.reason is not None:
                raise Unavailable(offer.reason)
            raise Unavailable(reasons.words("no_type", type=offer.name), why="no_type", type=offer.name)
        if offer.reason is not None:
            log.warning("runtime.reduced", type=offer.name, why=offer.reason)
        own = offer.accelerator.version if offer.accelerator is not None else None
        version = version or own or self._settings.version
        if version not in self._environments.versions():
            raise Invalid(
                f"There is no runtime version {version[:64]!r}.",
                why="no_version",
                version=version[:64],
                versions=self._environments.versions(),
            )
        now = now_ms()
        requested = Runtime(
            id=runtime,
            user=user,
            engine=self._engine.name,
            type=offer.name,
            version=version,
            state=State.REQUESTED,
            reason="",
            limits=offer.limits,
            requested_at=now,
            used_at=now,
            network=offer.network,
            terms=offer.terms,
        )
        await self._books.ask(requested, per_user=self._settings.per_user)
        return requested

    async def release(self, runtime: RuntimeId, reason: str = "") -> None:
        """Take it back; nothing in it is kept. It may be gone already."""
        await self._release(runtime, State.STOPPED, reason, "given_back")

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        """It cannot be used any more, says who tried."""
        await self._release(runtime, State.FAILED, reason, "failed")

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        """End it, and keep what was installed in it as a layer; where that is. Raises NotFound, Unavailable."""
        if not isinstance(self._engine, Sealing):
            raise Unavailable("This kind of runtime cannot keep what is installed in it.")
        with self._books.held(runtime):
            if not await self._books.stopping(runtime, SEALED):
                raise NotFound(f"There is no runtime {runtime[:32]}.")
            path = await self._engine.seal(runtime, layer)
            await self._books.end(runtime, State.STOPPED, SEALED, "given_back")
        return path

    async def drop_layer(self, layer: str) -> None:
        """Remove a layer; there may be none. Raises Conflict while a runtime uses it, Unavailable."""
        if not isinstance(self._engine, Sealing):
            raise Unavailable("This kind of engine keeps no layers.")
        await self._engine.drop_layer(layer)

    async def _take_back(self, runtime: RuntimeId, reason: str, kind: NoticeKind) -> None:
        await self._release(runtime, State.STOPPED, reason, kind.value)

    async def _release(self, runtime: RuntimeId, state: State, reason: str, how: str) -> None:
        request = self._requests.get(runtime)
        if request is not None:
            request.given_back = reason
            request.scope.cancel()
            with anyio.move_on_after(RELEASE_SECONDS_MAX):
                await request.over.wait()
        if self._books.is_held(runtime):
            with anyio.move_on_after(RELEASE_SECONDS_MAX):
                await self.wait_ended(runtime)
            return
        with self._books.held(runtime):
            if await self._books.stopping(runtime, reason) and await self._books.delete_from_engine(runtime):
                await self._books.end(runtime, state, reason, how)

    def _over(self, runtime: Runtime, how: str) -> None:
        self.leases.forget(runtime.id)
        self.meters.forget(runtime.id)
        self.turns.free(runtime.id)
        self.numbers.ended(runtime.type, how)

    # ── offering ───────────────────────────────────────────────────────────────────────────────────────────────

    async def offers(self) -> list[Offer]:
        """Every type, with what can be had of it here."""
        return await self.catalogue.offers()

    async def offer(self, type: str) -> Offer:
        """What can be had of a type. Raises Invalid."""
        return await self.catalogue.offer(type)

    def label(self, type: str) -> str:
        """What people read for a type, also for one that is offered no more."""
        return self.catalogue.label(type)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, runtime: RuntimeId) -> Runtime:
        """What it is now, also when it is over. Raises NotFound if there never was one."""
        return await self._books.get(runtime)

    async def get_own(self, user: UserId, runtime: RuntimeId) -> Runtime:
        """The same, for its user alone. Raises NotFound for anybody else."""
        found = await self.get(runtime)
        if found.user != user:
            raise NotFound(f"There is no runtime {runtime[:32]}.")
        return found

    async def list(self, user: UserId | None = None) -> list[Runtime]:
        """The runtimes that are, of one user or of all."""
        return await self._books.living(user)

    async def usage(self, runtime: RuntimeId) -> Usage:
        """What it uses now. Raises NotFound when it is gone."""
        return (await self._engine.get(runtime)).usage or Usage()

    async def usage_now(self, runtime: RuntimeId) -> Reading:
        """What it uses and how busy it is, at most a second old. Raises NotFound, Unavailable."""
        return await self.meters.now(runtime)

    def points(self, runtime: RuntimeId) -> Sequence[Point]:
        """What it used during the last hour."""
        return self.meters.points(runtime)

    async def _measure(self, runtime: RuntimeId) -> tuple[Usage, tuple[GpuUsage, ...]]:
        unit = self.turns.unit_of(runtime)
        return await self.usage(runtime), () if unit is None else await self._hardware.usage(unit)

    def waiting(self, runtime: RuntimeId) -> Waiting | None:
        """Its place in the queue for an accelerator, while it is in one."""
        return self.turns.place(runtime)

    async def status(self) -> dict[str, Any]:
        """What the engine can do on this machine, and what it cannot."""
        return await self._engine.status()

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound when it is gone for good, Unavailable when not now."""
        found = await self.get(runtime)
        if not found.live:
            raise NotFound(f"The runtime {runtime} is gone: {found.reason or found.state.value}.")
        return await self._engine.connect(runtime)

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        """What its processes printed behind this byte, and where that ends; nothing where no engine keeps it.

        Raises NotFound, Unavailable.
        """
        return await self._engine.printed(runtime, after) if isinstance(self._engine, Printing) else ("", after)

    async def wait_ended(self, runtime: RuntimeId) -> Runtime:
        """Returns once it is over, with what became of it."""
        return await self._books.wait_ended(runtime)

    # ── time ───────────────────────────────────────────────────────────────────────────────────────────────────

    def touch(self, runtime: RuntimeId) -> None:
        """Somebody uses it: a person types, or a kernel is busy. Kept in memory, and written down now and then."""
        self.leases.touch(runtime)

    async def keep(self, runtime: RuntimeId) -> Runtime:
        """Its user needs it longer. Raises NotFound, and Conflict if its type allows no more."""
        return await self.leases.keep(runtime)

    def notice(self, runtime: RuntimeId) -> Notice | None:
        """Whether it is about to be taken back, and when."""
        return self.leases.notice(runtime)

    def notices(self) -> dict[RuntimeId, Notice]:
        """All notices that stand. `leases.on_notice` hears of every change."""
        return self.leases.notices()

    async def cull(self) -> None:
        """End what nobody used for long and what was lent for long enough, for ever."""
        while True:
            await anyio.sleep(self._settings.cull_interval.total_seconds())
            with said("runtimes.not_reviewed"):
                await self.cull_once()

    async def cull_once(self) -> None:
        """Write down what was used, give notice, and end what is due."""
        await self.leases.review(await self.list())

    async def watch_usage(self) -> None:
        """A point for every graph now and then, for ever."""
        while True:
            with said("usage.not_read"):
                await self.watch_usage_once()
            await anyio.sleep(self._settings.usage_interval.total_seconds())

    async def watch_usage_once(self) -> None:
        """One point for every graph, and the numbers of what lives."""
        living = [runtime for runtime in await self.list() if runtime.state is State.READY]
        await self.meters.poll(living)
        memory = [(runtime.type, self.meters.last(runtime.id)) for runtime in living]
        self.numbers.living((type, (last.usage.memory_bytes or 0) if last else 0) for type, last in memory)
        self.numbers.units(self.turns.lengths(), self.turns.lent())


@asynccontextmanager
async def open_runtimes(
    database: Database,
    engine: Engine,
    environments: Environments,
    hardware: Accelerators,
    settings: RuntimesSettings,
    *,
    begin: bool = True,
) -> AsyncIterator[Runtimes]:
    """The runtimes, followed and culled once begun. The runtimes themselves go on when this closes."""
    accelerators = known_accelerators(await hardware.found(), settings)
    runtimes = Runtimes(database, engine, environments, hardware, settings, accelerators)
    async with anyio.create_task_group() as tasks:
        if begin:
            await runtimes.begin(tasks)
        try:
            yield runtimes
        finally:
            tasks.cancel_scope.cancel()
