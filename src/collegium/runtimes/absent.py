"""The engine of a server that runs nothing: for machines that only keep documents, and for tests of the rest."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import anyio
from anyio.abc import ByteStream

from collegium.ground import reasons
from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.runtimes.model import GpuUsage, Machine, Specification
from collegium.runtimes.packages import Package
from collegium.runtimes.settings import Accelerator, AcceleratorUnit


class NoEngine:
    """The port `Engine`, where every request for a runtime is refused with a reason."""

    name = "none"

    async def create(self, runtime: RuntimeId, specification: Specification) -> Machine:
        """Refused."""
        raise Unavailable(reasons.words("no_runtimes"), why="no_runtimes")

    async def keep_ready(self, stock: Sequence[tuple[Specification, int]]) -> None:
        """Nothing is kept ready."""

    async def list(self) -> list[Machine]:
        """There are none."""
        return []

    async def get(self, runtime: RuntimeId) -> Machine:
        """There is none."""
        self._none(runtime)

    async def delete(self, runtime: RuntimeId) -> None:
        """There is none."""
        self._none(runtime)

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """There is none."""
        self._none(runtime)

    async def status(self) -> dict[str, Any]:
        """Says so."""
        return {"engine": "none"}

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Machine]]:
        """Nothing ever happens."""
        yield _for_ever()

    def _none(self, runtime: RuntimeId) -> NoReturn:
        raise NotFound(f"There is no runtime {runtime[:32]}.")


async def _for_ever() -> AsyncIterator[Machine]:
    await anyio.sleep_forever()
    yield NoEngine()._none(RuntimeId(""))


class NoEnvironments:
    """The port `Environments`, empty: what cannot run needs nothing to run in."""

    def versions(self) -> list[str]:
        """There are none."""
        return []

    async def ready(self, version: str, progress: Callable[[str], None] | None = None) -> Path:
        """A folder that nobody will look into."""
        return Path("/nonexistent")

    def is_ready(self, version: str) -> bool:
        """Nothing is."""
        return False

    def python(self, version: str) -> str:
        """There is none."""
        return ""

    def packages(self, version: str) -> list[Package]:
        """There are none."""
        return []

    def kernels(self, version: str) -> dict[str, str]:
        """There are none."""
        return {}


class NoAccelerators:
    """The port `Accelerators` of a machine without any."""

    async def found(self) -> Mapping[str, Accelerator]:
        """There are none."""
        return {}

    async def why_none(self, accelerator: Accelerator) -> str | None:
        """Always for the same reason."""
        return "This server has no accelerators."

    async def why_not(self, accelerator: Accelerator, unit: AcceleratorUnit, *, empty: bool) -> str | None:
        """The same."""
        return await self.why_none(accelerator)

    async def usage(self, unit: AcceleratorUnit) -> tuple[GpuUsage, ...]:
        """Nothing."""
        return ()
