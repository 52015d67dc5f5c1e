"""Stopping a cell: asked once it is interrupted, asked again or after a grace its kernel is terminated."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup

from collegium.ground.clock import now_ms
from collegium.ground.errors import Unavailable
from collegium.ground.ids import ExecutionId
from collegium.sessions import ends
from collegium.sessions.live import Live
from collegium.sessions.loan import Loan

JUST_BEGUN_SECONDS = 2.0
INTERRUPT_AGAIN_SECONDS = 1.0


class Stopping:
    """Knows which execution was interrupted. `terminate` ends the kernel, with the words that the cell shows."""

    def __init__(
        self, loan: Loan, tasks: TaskGroup, *, grace_seconds: float, terminate: Callable[[str], Awaitable[None]]
    ) -> None:
        self.interrupted: ExecutionId | None = None
        self._loan = loan
        self._tasks = tasks
        self._grace_seconds = grace_seconds
        self._terminate = terminate

    def forget(self) -> None:
        """Another execution runs."""
        self.interrupted = None

    async def stop(self, running: Live | None) -> None:
        """Interrupt what runs. A second time the kernel is terminated at once, and after a grace by itself."""
        if running is not None and self.interrupted == running.execution.id:
            await self._terminate(ends.TERMINATED_AT_ONCE)
            return
        if running is not None:
            self.interrupted = running.execution.id
            self._tasks.start_soon(self._insist, running)
        await self._loan.request({"op": "interrupt"})

    async def _insist(self, running: Live) -> None:
        """Between two of its own lines ipykernel swallows an interrupt, which happens when a cell has just begun: then
        it is sent again. Later it has surely arrived, and a second one could tear a cell out of what it does to save.
        """
        execution, deadline = running.execution.id, anyio.current_time() + self._grace_seconds
        just_begun = now_ms() - (running.execution.started_at or 0) < JUST_BEGUN_SECONDS * 1000
        while (left := deadline - anyio.current_time()) > 0:
            await anyio.sleep(min(left, INTERRUPT_AGAIN_SECONDS))
            if running.over or self.interrupted != execution:
                return
            if just_begun:
                with suppress(Unavailable):
                    await self._loan.request({"op": "interrupt"})
        with suppress(Unavailable):
            await self._terminate(ends.terminated(self._grace_seconds))
