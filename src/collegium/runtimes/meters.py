"""What runtimes use: asked of the engine now and then for the graphs, and at once when somebody looks."""

from collections.abc import Awaitable, Callable, Iterable

import anyio

from collegium.ground.clock import now_ms
from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.runtimes.model import GpuUsage, Runtime, Usage
from collegium.runtimes.usage import History, Point, Reading

FRESH_MS = 900
"""A reading no older than this answers everybody who asks."""
AT_ONCE_MAX = 8

Measure = Callable[[RuntimeId], Awaitable[tuple[Usage, tuple[GpuUsage, ...]]]]


class Meters:
    """The last hour of every runtime that lives. In memory alone: after a restart the graphs begin anew."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._histories: dict[RuntimeId, History] = {}
        self._reading: dict[RuntimeId, anyio.Lock] = {}

    async def now(self, runtime: RuntimeId) -> Reading:
        """What it uses; at most a second old. Raises NotFound, Unavailable."""
        async with self._reading.setdefault(runtime, anyio.Lock()):
            history = self._histories.get(runtime)
            if history is not None and history.last is not None and now_ms() - history.last.at < FRESH_MS:
                return history.last
            usage, gpus = await self._measure(runtime)
            return self._histories.setdefault(runtime, History()).take(now_ms(), usage, gpus)

    def points(self, runtime: RuntimeId) -> list[Point]:
        """The last hour, as far as it was seen."""
        history = self._histories.get(runtime)
        return [] if history is None else history.points()

    def last(self, runtime: RuntimeId) -> Reading | None:
        """The last reading, however old."""
        history = self._histories.get(runtime)
        return None if history is None else history.last

    async def poll(self, runtimes: Iterable[Runtime]) -> None:
        """A point for each of them; what is not among them is forgotten."""
        living = {runtime.id for runtime in runtimes}
        limiter = anyio.CapacityLimiter(AT_ONCE_MAX)

        async def one(runtime: RuntimeId) -> None:
            async with limiter:
                try:
                    await self.now(runtime)
                except (NotFound, Unavailable):
                    return  # it ended in this moment, or the engine is being restarted: no point this time
                self._histories[runtime].point()

        async with anyio.create_task_group() as tasks:
            for runtime in living:
                tasks.start_soon(one, runtime)
        for gone in (self._histories.keys() | self._reading.keys()) - living:
            self.forget(gone)

    def forget(self, runtime: RuntimeId) -> None:
        """It is over."""
        self._histories.pop(runtime, None)
        self._reading.pop(runtime, None)
