"""Lends runtimes to users, takes them back when idle, and keeps what we remember and what the engine has in step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import ByteStream
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Invalid, NotFound, QuotaExceeded, Unavailable
from collegium.ground.ids import RuntimeId, UserId, new_id
from collegium.ground.log import get_log
from collegium.runtimes import store
from collegium.runtimes.model import (
    Limits,
    Machine,
    Runtime,
    Specification,
    State,
    Usage,
    became_ready,
    ended,
    idle,
    lost,
    strangers,
)
from collegium.runtimes.ports import Engine, Environments
from collegium.runtimes.settings import RuntimesSettings

RECONNECT_SECONDS = 1.0
RELEASE_SECONDS_MAX = 40.0

log = get_log("runtimes")


class Runtimes:
    """The runtimes of all users."""

    def __init__(
        self, database: Database, engine: Engine, environments: Environments, settings: RuntimesSettings
    ) -> None:
        self._database = database
        self._engine = engine
        self._environments = environments
        self._settings = settings
        self._used: dict[RuntimeId, int] = {}
        self._acquiring = anyio.Lock()
        self._ended: dict[RuntimeId, anyio.Event] = {}

    # ── lending ────────────────────────────────────────────────────────────────────────────────────────────────

    async def acquire(self, user: UserId, *, type: str | None = None, version: str | None = None) -> Runtime:
        """A ready runtime for this user. Raises Invalid, QuotaExceeded or Unavailable."""
        requested = await self._request(user, type or self._settings.type, version or self._settings.version)
        try:
            environment = await self._environments.ready(requested.version)
            wanted = self._specification(requested.type, requested.version, str(environment))
            await self._engine.create(requested.id, wanted)
        except BaseException as error:
            reason = error.detail if isinstance(error, CollegiumError) else "the request was given up"
            with anyio.CancelScope(shield=True), anyio.move_on_after(RELEASE_SECONDS_MAX):
                await self._end(requested, State.FAILED, reason)
                await self._delete_from_engine(requested.id)
            raise
        ready = became_ready(requested, now_ms())
        async with self._database.write() as tx:
            await store.update_runtime(tx, ready)
        log.info("runtime.acquired", runtime=ready.id, user=user, type=ready.type, version=ready.version)
        return ready

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        async with self._database.read() as tx:
            await self._admit(tx, user)

    async def _admit(self, tx: AsyncConnection, user: UserId) -> None:
        if len(await store.read_live(tx, user)) >= self._settings.per_user:
            raise QuotaExceeded(
                f"You have {self._settings.per_user} runtimes already, and may not have more. Disconnect one first."
            )

    async def _request(self, user: UserId, type: str, version: str) -> Runtime:
        if type not in self._settings.types:
            raise Invalid(f"There is no runtime type {type[:64]!r}.", types=sorted(self._settings.types))
        if version not in self._environments.versions():
            raise Invalid(f"There is no runtime version {version[:64]!r}.", versions=self._environments.versions())
        now, limits = now_ms(), self._limits(type)
        requested = Runtime(
            RuntimeId(new_id()), user, self._engine.name, type, version, State.REQUESTED, "", limits, now, now
        )
        async with self._acquiring, self._database.write() as tx:
            await self._admit(tx, user)
            await store.insert_runtime(tx, requested)
        return requested

    def _limits(self, type: str) -> Limits:
        size = self._settings.types[type]
        return Limits(int(size.memory), size.cpus, size.processes, int(size.disk))

    def _specification(self, type: str, version: str, environment: str) -> Specification:
        return Specification(type, version, environment, self._limits(type))

    async def release(self, runtime: RuntimeId, reason: str = "") -> None:
        """Take it back; nothing in it is kept. It may be gone already."""
        async with self._database.read() as tx:
            found = await store.read_runtime(tx, runtime)
        if found is None or not found.live:
            return
        await self._delete_from_engine(runtime)
        await self._end(found, State.STOPPED, reason)

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        """It cannot be used any more, says who tried."""
        found = await self.get(runtime)
        await self._delete_from_engine(runtime)
        await self._end(found, State.FAILED, reason)

    async def _delete_from_engine(self, runtime: RuntimeId) -> None:
        try:
            await self._engine.delete(runtime)
        except NotFound:
            return
        except Unavailable as error:
            # The next reconciliation finds it as a stranger, and ends it.
            log.warning("runtime.not_deleted", runtime=runtime, why=error.detail)

    async def _end(self, runtime: Runtime, state: State, reason: str) -> None:
        over = ended(runtime, state, reason, now_ms())
        async with self._database.write() as tx:
            await store.update_runtime(tx, over)
        self._used.pop(runtime.id, None)
        event = self._ended.pop(runtime.id, None)
        if event is not None:
            event.set()
        log.info("runtime.ended", runtime=runtime.id, state=over.state.value, reason=over.reason)

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

    async def status(self) -> dict[str, Any]:
        """What the engine can do on this machine, and what it cannot."""
        return await self._engine.status()

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound when it is gone for good, Unavailable when not now."""
        found = await self.get(runtime)
        if not found.live:
            raise NotFound(f"The runtime {runtime} is gone: {found.reason or found.state.value}.")
        return await self._engine.connect(runtime)

    def touch(self, runtime: RuntimeId) -> None:
        """Somebody uses it: a person types, or a kernel is busy. Kept in memory, and written down now and then."""
        self._used[runtime] = now_ms()

    async def wait_ended(self, runtime: RuntimeId) -> Runtime:
        """Returns once it is over, with what became of it."""
        event = self._ended.setdefault(runtime, anyio.Event())
        found = await self.get(runtime)
        if not found.live:
            self._ended.pop(runtime, None)
            return found
        await event.wait()
        return await self.get(runtime)

    # ── keeping ────────────────────────────────────────────────────────────────────────────────────────────────

    async def reconcile(self) -> None:
        """Bring what we remember and what the engine has in step; the engine is right about what lives."""
        async with self._acquiring:
            async with self._database.read() as tx:
                ours = await store.read_live(tx)
            theirs = await self._engine.list()
        for runtime, reason in lost([one for one in ours if one.state is not State.REQUESTED], theirs):
            await self._end(runtime, State.FAILED, reason)
        for stranger in strangers(ours, theirs):
            await self._delete_from_engine(stranger)

    async def forget_requests(self) -> None:
        """At the start: nobody waits any more for what was being requested when the server ended."""
        for runtime in await self.list():
            if runtime.state is State.REQUESTED:
                await self._delete_from_engine(runtime.id)
                await self._end(runtime, State.FAILED, "the server ended while it was requested")

    async def follow(self) -> None:
        """Hear from the engine what ends by itself, for ever; after a break, compare everything again."""
        while True:
            try:
                async with self._engine.watch() as changes:
                    await self._keep_pool()
                    await self.reconcile()
                    async for machine in changes:
                        await self._changed(machine)
            except (Unavailable, Invalid) as error:
                log.warning("engine.unavailable", why=error.detail)
            await anyio.sleep(RECONNECT_SECONDS)

    async def _keep_pool(self) -> None:
        settings = self._settings
        try:
            environment = await self._environments.ready(settings.version)
        except Unavailable as error:
            # Who asks for a runtime is told the same; those that are lent go on and are followed.
            log.warning("environment.unavailable", version=settings.version, why=error.detail)
            return
        wanted = self._specification(settings.type, settings.version, str(environment))
        await self._engine.keep_ready(wanted, settings.pool)

    async def _changed(self, machine: Machine) -> None:
        if machine.state is not State.FAILED:
            return
        async with self._database.read() as tx:
            found = await store.read_runtime(tx, machine.id)
        if found is not None and found.live:
            await self._end(found, State.FAILED, machine.reason)
        await self._delete_from_engine(machine.id)

    async def cull(self) -> None:
        """End what nobody used for long, for ever."""
        while True:
            await anyio.sleep(self._settings.cull_interval.total_seconds())
            await self.cull_once()

    async def cull_once(self) -> None:
        """Write down what was used, then end what was not."""
        used, self._used = self._used, {}
        async with self._database.write() as tx:
            await store.set_used(tx, used.items())
        timeout_ms = int(self._settings.idle_timeout.total_seconds() * 1000)
        for runtime in idle(await self.list(), now=now_ms(), timeout_ms=timeout_ms):
            if runtime.id not in self._used:
                minutes = round(timeout_ms / 60_000)
                await self.release(runtime.id, f"it was not used for {minutes} minutes")


@asynccontextmanager
async def open_runtimes(
    database: Database, engine: Engine, environments: Environments, settings: RuntimesSettings
) -> AsyncIterator[Runtimes]:
    """The runtimes, followed and culled while open. The runtimes themselves go on when this closes."""
    runtimes = Runtimes(database, engine, environments, settings)
    await runtimes.forget_requests()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtimes.follow)
        tasks.start_soon(runtimes.cull)
        try:
            yield runtimes
        finally:
            tasks.cancel_scope.cancel()
