"""Lends runtimes to users, takes them back, and keeps what we remember and what the engine has in step."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from anyio.abc import ByteStream
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, QuotaExceeded, Unavailable
from collegium.ground.ids import RuntimeId, UserId, new_id
from collegium.ground.log import get_log
from collegium.runtimes import store
from collegium.runtimes.catalogue import Catalogue
from collegium.runtimes.leases import Leases
from collegium.runtimes.lifetime import Notice, NoticeKind
from collegium.runtimes.meters import Meters
from collegium.runtimes.metrics import Numbers
from collegium.runtimes.model import (
    GpuUsage,
    Machine,
    Runtime,
    State,
    Usage,
    Waiting,
    became_ready,
    ended,
    lost,
    strangers,
)
from collegium.runtimes.offers import Offer, known_accelerators, specification
from collegium.runtimes.ports import Accelerators, Engine, Environments, Sealing
from collegium.runtimes.settings import Accelerator, RuntimesSettings
from collegium.runtimes.turns import OnWait, Turns
from collegium.runtimes.usage import Point, Reading

RECONNECT_SECONDS = 1.0
RECONCILE_SECONDS = 60.0
SEALED = "what was installed in it is kept"
RELEASE_SECONDS_MAX = 40.0

log = get_log("runtimes")


@dataclass(slots=True)
class _Request:
    """Somebody in this process waits for a runtime."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)


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
        self._database = database
        self._engine = engine
        self._environments = environments
        self._settings = settings
        self._hardware = hardware
        self._accelerators = accelerators
        self._acquiring = anyio.Lock()
        self._ended: dict[RuntimeId, anyio.Event] = {}
        self._requests: dict[RuntimeId, _Request] = {}
        """Those that somebody in this process waits for."""
        self._releasing: set[RuntimeId] = set()
        self._given_back: dict[RuntimeId, str] = {}
        """Why a request was given back before it was ready."""
        self.catalogue = Catalogue(settings, engine, hardware, accelerators)
        self.leases = Leases(database, notice=settings.notice, take_back=self._take_back)
        self.turns = Turns(accelerators, hardware)
        self.meters = Meters(self._measure)
        self.numbers = Numbers(settings.types, accelerators)

    @property
    def environments(self) -> Environments:
        """The runtime versions."""
        return self._environments

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
            requested = await self._request(runtime, user, offer, version)
            with request.scope:
                try:
                    return await self._fulfil(requested, offer, tuple(layers), on_wait)
                except BaseException as error:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(RELEASE_SECONDS_MAX):
                        await self._abandon(requested, error)
                    raise
        finally:
            self._requests.pop(runtime, None)
            self._given_back.pop(runtime, None)
            request.over.set()
        raise Conflict("The runtime was given back before it was ready.", code="given_back")

    async def _fulfil(
        self, requested: Runtime, offer: Offer, layers: tuple[str, ...], on_wait: OnWait | None
    ) -> Runtime:
        environment = await self._environments.ready(requested.version)
        if offer.type.accelerator is not None:
            unit = await self.turns.wait(requested.id, requested.user, offer.type.accelerator, on_wait)
            requested = await self._progress(replace(requested, unit=unit))
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
        ready = await self._progress(replace(became_ready(requested, now_ms()), boot=boot))
        self.numbers.acquired(ready.type, time.monotonic() - began)
        log.info("runtime.acquired", runtime=ready.id, user=ready.user, type=ready.type, version=ready.version)
        return ready

    async def _progress(self, runtime: Runtime) -> Runtime:
        """Write down how far a request has come. Raises Unavailable if it has ended meanwhile."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime.id)
            if found is None or not found.live:
                raise Unavailable(f"The runtime ended while it was made: {found and found.reason}.")
            await store.update_runtime(tx, runtime)
        return runtime

    async def _abandon(self, requested: Runtime, error: BaseException) -> None:
        """Whatever there is of a request goes, the machine before the books."""
        left = not isinstance(error, Exception)
        state, how = (State.STOPPED, "given_back") if left else (State.FAILED, "failed")
        reason = error.detail if isinstance(error, CollegiumError) else "the request was given up"
        reason = self._given_back.get(requested.id, reason)
        if not left:
            self.numbers.refused(requested.type)
        if await self._delete_from_engine(requested.id):
            await self._end(requested.id, state, reason, how)
        else:
            await self._stopping(requested.id, reason)

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        async with self._database.read() as tx:
            await self._admit(tx, user)

    async def _admit(self, tx: AsyncConnection, user: UserId) -> None:
        if len(await store.read_live(tx, user)) >= self._settings.per_user:
            raise QuotaExceeded(
                f"You have {self._settings.per_user} runtimes already, and may not have more. Disconnect one first."
            )

    async def _request(self, runtime: RuntimeId, user: UserId, offer: Offer, version: str | None) -> Runtime:
        if not offer.available:
            raise Unavailable(offer.reason or f"There is no {offer.name} here.")
        if offer.reason is not None:
            log.warning("runtime.reduced", type=offer.name, why=offer.reason)
        own = offer.accelerator.version if offer.accelerator is not None else None
        version = version or own or self._settings.version
        if version not in self._environments.versions():
            raise Invalid(f"There is no runtime version {version[:64]!r}.", versions=self._environments.versions())
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
        async with self._acquiring, self._database.write() as tx:
            await self._admit(tx, user)
            await store.insert_runtime(tx, requested)
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
        with self._being_released(runtime):
            if not await self._stopping(runtime, SEALED):
                raise NotFound(f"There is no runtime {runtime[:32]}.")
            path = await self._engine.seal(runtime, layer)
            await self._end(runtime, State.STOPPED, SEALED, "given_back")
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
            self._given_back[runtime] = reason
            request.scope.cancel()
            with anyio.move_on_after(RELEASE_SECONDS_MAX):
                await request.over.wait()
        if runtime in self._releasing:
            await self.wait_ended(runtime)
            return
        with self._being_released(runtime):
            if await self._stopping(runtime, reason) and await self._delete_from_engine(runtime):
                await self._end(runtime, state, reason, how)

    @contextmanager
    def _being_released(self, runtime: RuntimeId) -> Iterator[None]:
        self._releasing.add(runtime)
        try:
            yield
        finally:
            self._releasing.discard(runtime)

    async def _stopping(self, runtime: RuntimeId, reason: str) -> bool:
        """Write down that it is about to end: if we do not come to the end of it, the reconciler does."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime)
            if found is None or not found.live:
                return False
            await store.update_runtime(tx, replace(found, state=State.STOPPING, reason=reason[:1000]))
        return True

    async def _delete_from_engine(self, runtime: RuntimeId) -> bool:
        """Whether the engine has it no more."""
        try:
            await self._engine.delete(runtime)
        except NotFound:
            return True
        except Unavailable as error:
            log.warning("runtime.not_deleted", runtime=runtime, why=error.detail)
            return False
        return True

    async def _end(self, runtime: RuntimeId, state: State, reason: str, how: str) -> bool:
        """It is over, once: what ended already stays as it ended. Its unit is free for the next."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime)
            if found is None or not found.live:
                return False
            over = ended(found, state, reason, now_ms())
            await store.update_runtime(tx, over)
        self.leases.forget(runtime)
        self.meters.forget(runtime)
        self.turns.free(runtime)
        self.numbers.ended(over.type, how)
        event = self._ended.pop(runtime, None)
        if event is not None:
            event.set()
        log.info("runtime.ended", runtime=runtime, state=over.state.value, reason=over.reason)
        return True

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
        async with self._database.read() as tx:
            found = await store.read_runtime(tx, runtime)
        if found is None:
            raise NotFound(f"There is no runtime {runtime[:32]}.")
        return found

    async def get_own(self, user: UserId, runtime: RuntimeId) -> Runtime:
        """The same, for its user alone. Raises NotFound for anybody else."""
        found = await self.get(runtime)
        if found.user != user:
            raise NotFound(f"There is no runtime {runtime[:32]}.")
        return found

    async def list(self, user: UserId | None = None) -> list[Runtime]:
        """The runtimes that are, of one user or of all."""
        async with self._database.read() as tx:
            return await store.read_live(tx, user)

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

    async def wait_ended(self, runtime: RuntimeId) -> Runtime:
        """Returns once it is over, with what became of it."""
        event = self._ended.setdefault(runtime, anyio.Event())
        found = await self.get(runtime)
        if not found.live:
            self._ended.pop(runtime, None)
            return found
        await event.wait()
        return await self.get(runtime)

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
            with _said("runtimes.not_reviewed"):
                await self.cull_once()

    async def cull_once(self) -> None:
        """Write down what was used, give notice, and end what is due."""
        await self.leases.review(await self.list())

    async def watch_usage(self) -> None:
        """A point for every graph now and then, for ever."""
        while True:
            with _said("usage.not_read"):
                await self.watch_usage_once()
            await anyio.sleep(self._settings.usage_interval.total_seconds())

    async def watch_usage_once(self) -> None:
        """One point for every graph, and the numbers of what lives."""
        living = [runtime for runtime in await self.list() if runtime.state is State.READY]
        await self.meters.poll(living)
        memory = [(runtime.type, self.meters.last(runtime.id)) for runtime in living]
        self.numbers.living((type, (last.usage.memory_bytes or 0) if last else 0) for type, last in memory)
        self.numbers.units(self.turns.lengths(), self.turns.lent())

    # ── keeping in step ────────────────────────────────────────────────────────────────────────────────────────

    async def reconcile(self) -> None:
        """Bring what we remember and what the engine has in step; the engine is right about what lives."""
        boot = (await self.catalogue.abilities()).boot
        async with self._acquiring:
            async with self._database.read() as tx:
                ours = await store.read_live(tx)
            theirs = await self._engine.list()
        mine = self._releasing | self._requests.keys()
        believed = [one for one in ours if one.id not in mine]
        for runtime, reason in lost([one for one in believed if one.state is State.READY], theirs, boot):
            if await self._end(runtime.id, State.FAILED, reason, "lost"):
                self._cleaned("lost", runtime.id)
        for runtime in believed:
            if runtime.state is State.STOPPING:
                await self._finish(runtime, "unfinished", runtime.reason)
            elif runtime.state is State.REQUESTED:
                await self._finish(runtime, "request", "the request was given up")
        for stranger in strangers(ours, theirs):
            self._cleaned("stranger", stranger)
            await self._delete_from_engine(stranger)

    async def _finish(self, runtime: Runtime, what: str, reason: str) -> None:
        """End what somebody began to end, or did not begin to use."""
        self._cleaned(what, runtime.id)
        if await self._delete_from_engine(runtime.id):
            await self._end(runtime.id, State.STOPPED, reason, "given_back")

    def _cleaned(self, what: str, runtime: RuntimeId) -> None:
        self.numbers.cleaned(what)
        log.warning("runtime.reconciled", runtime=runtime, what=what)

    async def forget_requests(self) -> None:
        """At the start: nobody waits any more for what was being requested when the server ended."""
        living = await self.list()
        self.turns.restore(living)
        for runtime in living:
            if runtime.state is State.REQUESTED:
                self._cleaned("request", runtime.id)
                reason = "the server ended while it was requested"
                if await self._delete_from_engine(runtime.id):
                    await self._end(runtime.id, State.FAILED, reason, "lost")
                else:
                    await self._stopping(runtime.id, reason)

    async def follow(self) -> None:
        """Hear from the engine what ends by itself, for ever; after a break, compare everything again."""
        while True:
            with _said("engine.not_followed"):
                async with self._engine.watch() as changes:
                    self.catalogue.ask_again()
                    await self._keep_pool()
                    await self.reconcile()
                    self.turns.open()
                    async for machine in changes:
                        await self._changed(machine)
            self.turns.close()
            await anyio.sleep(RECONNECT_SECONDS)

    async def compare(self) -> None:
        """Now and then, for ever: what no event told of is found all the same."""
        while True:
            await anyio.sleep(RECONCILE_SECONDS)
            with _said("runtimes.not_reconciled"):
                await self.reconcile()

    async def _keep_pool(self) -> None:
        settings, version = self._settings, self._settings.version
        try:
            environment = await self._environments.ready(version)
        except Unavailable as error:
            # Who asks for a runtime is told the same; those that are lent go on and are followed.
            log.warning("environment.unavailable", version=version, why=error.detail)
            return
        stock = []
        for offer in await self.offers():
            count = max(offer.type.pool, settings.pool if offer.name == settings.type else 0)
            if count and offer.available and offer.type.accelerator is None:
                wanted = specification(offer, settings, version=version, environment=str(environment))
                stock.append((wanted, count))
        await self._engine.keep_ready(stock)

    async def _changed(self, machine: Machine) -> None:
        if machine.state is not State.FAILED:
            return
        await self._end(machine.id, State.FAILED, machine.reason, "failed")
        await self._delete_from_engine(machine.id)


@contextmanager
def _said(event: str) -> Iterator[None]:
    """What goes wrong now, with a full disk or without an engine, may go well the next time: nobody ends for it."""
    try:
        yield
    except CollegiumError as error:
        log.warning(event, why=error.detail)


@asynccontextmanager
async def open_runtimes(
    database: Database,
    engine: Engine,
    environments: Environments,
    hardware: Accelerators,
    settings: RuntimesSettings,
) -> AsyncIterator[Runtimes]:
    """The runtimes, followed and culled while open. The runtimes themselves go on when this closes."""
    accelerators = known_accelerators(await hardware.found(), settings)
    runtimes = Runtimes(database, engine, environments, hardware, settings, accelerators)
    await runtimes.forget_requests()
    async with anyio.create_task_group() as tasks:
        for task in (runtimes.follow, runtimes.compare, runtimes.cull, runtimes.watch_usage, runtimes.turns.hand_on):
            tasks.start_soon(task)
        try:
            yield runtimes
        finally:
            tasks.cancel_scope.cancel()
