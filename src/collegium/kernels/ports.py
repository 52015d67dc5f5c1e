"""What this part needs of the world: a way to the agent, and somebody to tell."""

from typing import Protocol

from anyio.abc import ByteStream

from collegium.kernels.model import Record, Welcome


class Road(Protocol):
    """Opens a stream to one agent; raises NotFound when its runtime is gone for good, Unavailable when not now."""

    async def __call__(self) -> ByteStream: ...


class Listener(Protocol):
    """Who the agent's records are for."""

    @property
    def position(self) -> tuple[str | None, int]:
        """The epoch and the number of the last record taken in."""

    async def connected(self, welcome: Welcome) -> None:
        """The agent answered; records follow."""

    async def record(self, record: Record) -> None:
        """The next record; never one twice, never one left out."""

    async def refused(self, id: str, detail: str) -> None:
        """The agent could not carry out what was sent with this id."""

    async def disconnected(self) -> None:
        """The stream broke; it will be opened again."""
