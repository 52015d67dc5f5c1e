"""What this part needs of the world: who may use a runtime, and a way into it."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio
from anyio.abc import ByteStream

from collegium.accounts.model import Principal
from collegium.ground.ids import RuntimeId


class Authority(Protocol):
    """Who may look into a runtime: the sessions."""

    async def reachable(self, principal: Principal, runtime: RuntimeId) -> Any:
        """Raises NotFound for everybody but who may run the notebook bound to it, or, without one, its user."""
        ...


class Machines(Protocol):
    """The runtimes."""

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound when it is gone for good, Unavailable when not now."""
        ...

    def touch(self, runtime: RuntimeId) -> None:
        """Somebody uses it."""
        ...


class Logins(Protocol):
    """The accounts."""

    def ended(self, principal: Principal) -> AbstractAsyncContextManager[anyio.Event]:
        """An event that is set as soon as this login or token has ended."""
        ...
