"""What is remembered of each runtime: it goes forward only, ends once, and whoever waits for the end hears of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import anyio

from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, NotFound, QuotaExceeded, Unavailable
from collegium.ground.ids import RuntimeId, UserId
from collegium.ground.log import get_log
from collegium.runtimes import store
from collegium.runtimes.model import Machine, Runtime, State, ended
from collegium.runtimes.ports import Engine

log = get_log("runtimes")


class Books:
    """The table of runtimes, and what the engine is told because of it. Every change looks at the row again."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self.on_end: list[Callable[[Runtime, str], None]] = []
        """Called once for each, with how it ended."""
        self._database = database
        self._engine = engine
        self._asking = anyio.Lock()
        self._held: set[RuntimeId] = set()
        self._ended: dict[RuntimeId, anyio.Event] = {}

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, runtime: RuntimeId) -> Runtime:
        """What it is now, also when it is over. Raises NotFound if there never was one."""
        async with self._database.read() as tx:
            found = await store.read_runtime(tx, runtime)
        if found is None:
            raise NotFound(f"There is no runtime {runtime[:32]}.")
        return found

    async def living(self, user: UserId | None = None) -> list[Runtime]:
        """Those that are, of one user or of all."""
        async with self._database.read() as tx:
            return await store.read_live(tx, user)

    async def both(self) -> tuple[list[Runtime], list[Machine]]:
        """What we believe in and what the engine has, at a moment in which nothing is asked for."""
        async with self._asking:
            return await self.living(), await self._engine.list()

    async def wait_ended(self, runtime: RuntimeId) -> Runtime:
        """Returns once it is over, with what became of it."""
        event = self._ended.setdefault(runtime, anyio.Event())
        found = await self.get(runtime)
        if not found.live:
            self._ended.pop(runtime, None)
            return found
        await event.wait()
        return await self.get(runtime)

    # ── who is at it ───────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def held(self, runtime: RuntimeId) -> Iterator[None]:
        """Somebody in this process is at it: nobody else finishes what they began."""
        mine = runtime not in self._held
        self._held.add(runtime)
        try:
            yield
        finally:
            if mine:
                self._held.discard(runtime)

    def is_held(self, runtime: RuntimeId) -> bool:
        """Whether somebody is at it now."""
        return runtime in self._held

    # ── going forward ──────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, requested: Runtime, *, per_user: int) -> None:
        """Write down a request. Raises QuotaExceeded."""
        async with self._asking, self._database.write() as tx:
            admit(len(await store.read_live(tx, requested.user)), per_user)
            await store.insert_runtime(tx, requested)

    async def progress(self, runtime: Runtime) -> Runtime:
        """Write down how far a request has come. Raises Unavailable if it has ended meanwhile."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime.id)
            if found is None or not found.live:
                raise Unavailable(f"The runtime ended while it was made: {found and found.reason}.")
            await store.update_runtime(tx, runtime)
        return runtime

    async def stopping(self, runtime: RuntimeId, reason: str) -> bool:
        """Write down that it is about to end: if we do not come to the end of it, the keeper does."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime)
            if found is None or not found.live:
                return False
            await store.update_runtime(tx, replace(found, state=State.STOPPING, reason=reason[:1000]))
        return True

    async def delete_from_engine(self, runtime: RuntimeId) -> bool:
        """Whether the engine has it no more."""
        try:
            await self._engine.delete(runtime)
        except NotFound:
            return True
        except CollegiumError as error:
            log.warning("runtime.not_deleted", runtime=runtime, why=error.detail)
            return False
        return True

    async def end(self, runtime: RuntimeId, state: State, reason: str, how: str) -> bool:
        """It is over, once: what ended already stays as it ended, and False is the answer."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime)
            if found is None or not found.live:
                return False
            over = ended(found, state, reason, now_ms())
            await store.update_runtime(tx, over)
        for told in self.on_end:
            told(over, how)
        event = self._ended.pop(runtime, None)
        if event is not None:
            event.set()
        log.info("runtime.ended", runtime=runtime, state=over.state.value, reason=over.reason)
        return True


def admit(living: int, per_user: int) -> None:
    """Raises QuotaExceeded if a user with so many may have no runtime more."""
    if living >= per_user:
        raise QuotaExceeded(reasons.words("many_runtimes", most=per_user), why="many_runtimes", most=per_user)
