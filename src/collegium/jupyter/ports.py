"""What the Jupyter API needs of the world: runtimes, kinds of kernels, and the kernels of notebooks on pages."""

from typing import Protocol

from anyio.abc import ByteStream

from collegium.accounts.model import Principal
from collegium.ground.ids import NotebookId, RuntimeId, UserId
from collegium.jupyter.model import PageKernel, Spec


class Machines(Protocol):
    """The runtimes."""

    async def acquire(self, user: UserId) -> RuntimeId:
        """A ready runtime for this user. Raises QuotaExceeded or Unavailable."""
        ...

    async def live(self, runtime: RuntimeId) -> bool:
        """Whether it still is."""
        ...

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound when it is gone for good, Unavailable when not now."""
        ...

    async def release(self, runtime: RuntimeId) -> None:
        """Give it back; it may be gone already."""
        ...

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        """It cannot be used any more."""
        ...

    def touch(self, runtime: RuntimeId) -> None:
        """It is in use: something runs or somebody asked."""
        ...


class Specs(Protocol):
    """The kinds of kernels that can be started."""

    async def all(self) -> dict[str, Spec]:
        """By name. Raises Unavailable when nobody can tell now."""
        ...

    async def resource(self, spec: Spec, file: str) -> bytes:
        """A file beside kernel.json that the spec names."""
        ...


class Pages(Protocol):
    """Notebooks that run on pages."""

    async def kernels(self, principal: Principal) -> list[PageKernel]:
        """Those in the runtimes of this user."""
        ...

    async def interrupt(self, principal: Principal, notebook: NotebookId) -> None:
        """As the page's own button."""
        ...

    async def restart(self, principal: Principal, notebook: NotebookId) -> None:
        """As the page's own button."""
        ...

    async def disconnect(self, principal: Principal, notebook: NotebookId) -> None:
        """As the page's own button: the runtime is given back."""
        ...
