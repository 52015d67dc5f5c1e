"""Rooms as the documents of sessions, runtimes as their machines."""

from typing import Any

from anyio.abc import ByteStream

from collegium.ground.ids import CellId, NotebookId, RuntimeId, UserId
from collegium.rooms.service import Rooms
from collegium.runtimes.model import Runtime
from collegium.runtimes.service import Runtimes
from collegium.sessions.model import Machine, Source

MAY_FAIL_TAG = "raises-exception"


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

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Tell every tab that is here."""
        room = self._rooms.find(notebook)
        if room is not None:
            room.broadcast(message)


class LentMachines:
    """Runtimes, one for each notebook that runs."""

    def __init__(self, runtimes: Runtimes) -> None:
        self._runtimes = runtimes

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        await self._runtimes.admit(user)

    async def acquire(self, user: UserId, notebook: NotebookId) -> Machine:
        """A ready runtime for this user."""
        return _machine(await self._runtimes.acquire(user))

    async def get(self, runtime: RuntimeId) -> Machine:
        """What it is now."""
        return _machine(await self._runtimes.get(runtime))

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
        self._runtimes.touch(runtime)

    async def oom_kills(self, runtime: RuntimeId) -> int:
        """How many processes it lost for want of memory; 0 where nobody counts."""
        return (await self._runtimes.usage(runtime)).oom_kills or 0

    async def release(self, runtime: RuntimeId) -> None:
        """Give it back."""
        await self._runtimes.release(runtime)

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        """It cannot be used any more."""
        await self._runtimes.failed(runtime, reason)

    def touch(self, runtime: RuntimeId) -> None:
        """It is in use."""
        self._runtimes.touch(runtime)


def _machine(runtime: Runtime) -> Machine:
    return Machine(
        id=runtime.id,
        state=runtime.state.value,
        type=runtime.type,
        version=runtime.version,
        memory_bytes=runtime.limits.memory_bytes,
        reason=runtime.reason or None,
        cpus=runtime.limits.cpus,
        disk_bytes=runtime.limits.disk_bytes,
    )
