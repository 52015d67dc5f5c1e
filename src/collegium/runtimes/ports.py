"""What this part needs of the world: somebody who makes runtimes, and environments to run in them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from anyio.abc import ByteStream

from collegium.ground.ids import RuntimeId
from collegium.runtimes.model import GpuUsage, Machine, Specification
from collegium.runtimes.packages import Package
from collegium.runtimes.settings import Accelerator, AcceleratorUnit


class Engine(Protocol):
    """Makes runtimes on one kind of machine. Every call raises Unavailable when the engine cannot be reached."""

    @property
    def name(self) -> str:
        """`local`, `docker`, `kubernetes`; kept with each runtime."""
        ...

    async def status(self) -> dict[str, Any]:
        """What it can do here, what is in force, what is missing and the remedy.

        `network`: the modes it can make; `boot`: which start of its machine this is, empty if runtimes outlive it.
        """
        ...

    async def create(self, runtime: RuntimeId, wanted: Specification) -> Machine:
        """A ready runtime. Asked again with the same id it gives the same one. Raises Unavailable, Invalid."""
        ...

    async def list(self) -> list[Machine]:
        """All runtimes it keeps, failed ones included."""
        ...

    async def get(self, runtime: RuntimeId) -> Machine:
        """One of them, with its usage. Raises NotFound."""
        ...

    async def delete(self, runtime: RuntimeId) -> None:
        """End it and leave nothing. Raises NotFound."""
        ...

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound if there is no such runtime."""
        ...

    async def keep_ready(self, stock: Sequence[tuple[Specification, int]]) -> None:
        """Keep so many of each of these kinds in stock, and none of another."""
        ...

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[Machine]]:
        """Entered, it misses no change from then on; the iterator ends when the engine does."""
        ...


@runtime_checkable
class Sealing(Protocol):
    """An engine that can keep what was installed in a runtime, for others to start with."""

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        """End a runtime, and keep what it wrote over its environment as a layer; where that is, as `layers` of a
        specification name it. Asked again with the same name, the same one. Raises NotFound, Unavailable."""
        ...

    async def drop_layer(self, layer: str) -> None:
        """Remove a layer; there may be none. Raises Conflict while a runtime uses it, Unavailable."""
        ...


@runtime_checkable
class Printing(Protocol):
    """An engine that keeps what the processes of a runtime print, agent and kernels among them."""

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        """What they printed behind this byte (the last 64 KiB of it), and where that ends. Raises NotFound."""
        ...


class Environments(Protocol):
    """Builds what runtimes run in."""

    def versions(self) -> list[str]:
        """The runtime versions that can be had."""
        ...

    async def ready(self, version: str, progress: Callable[[str], None] | None = None) -> Path:
        """The environment of a version, built first if it is missing. Raises NotFound, Unavailable."""
        ...

    def is_ready(self, version: str) -> bool:
        """Whether it has been built. Raises NotFound."""
        ...

    def python(self, version: str) -> str:
        """The Python that it has: `3.11`. Raises NotFound."""
        ...

    def packages(self, version: str) -> list[Package]:
        """What is in it. Reads files: call it from a thread. Raises NotFound."""
        ...

    def kernels(self, version: str) -> dict[str, str]:
        """The kernels that it has: the language of each by name. Reads files. Raises NotFound."""
        ...


class Accelerators(Protocol):
    """Knows the accelerators of this machine."""

    async def found(self) -> Mapping[str, Accelerator]:
        """Those that need no declaration, by name."""
        ...

    async def why_none(self, accelerator: Accelerator) -> str | None:
        """Why no runtime can have a unit of it, or None."""
        ...

    async def why_not(self, accelerator: Accelerator, unit: AcceleratorUnit, *, empty: bool) -> str | None:
        """Why a unit cannot be handed on now, or None. `empty`: nobody has it, so its memory must be free."""
        ...

    async def usage(self, unit: AcceleratorUnit) -> tuple[GpuUsage, ...]:
        """What its GPUs do; nothing where nobody counts."""
        ...
