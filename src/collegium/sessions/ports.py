"""What sessions need of the world: documents, machines, a place for large outputs, and who may do what."""

from typing import Any, Protocol

from anyio.abc import ByteStream

from collegium.accounts.model import Action, Principal, Role
from collegium.ground.ids import CellId, ItemId, NotebookId, RuntimeId, UserId
from collegium.runtimes.model import Runtime
from collegium.sessions.model import Machine, Source


class Documents(Protocol):
    """The live notebooks."""

    async def sources(self, notebook: NotebookId) -> list[Source]:
        """The cells in their order, as everybody sees them now. Raises NotFound."""
        ...

    async def may_fail(self, notebook: NotebookId, cell: CellId) -> bool:
        """Whether an error in this cell is meant to happen, and stops nothing: nbclient's tag `raises-exception`."""
        ...

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Tell every client of the notebook that is here now; never waits."""
        ...


class Machines(Protocol):
    """The runtimes."""

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        ...

    async def acquire(self, user: UserId, notebook: NotebookId) -> Machine:
        """A ready runtime for this user. Raises QuotaExceeded or Unavailable."""
        ...

    async def get(self, runtime: RuntimeId) -> Machine:
        """What it is now. Raises NotFound when it is gone."""
        ...

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to its agent. Raises NotFound when it is gone for good, Unavailable when not now."""
        ...

    async def lent(self, user: UserId) -> list[Runtime]:
        """The runtimes that this user has."""
        ...

    async def runtime(self, runtime: RuntimeId) -> Runtime:
        """Everything that is remembered of it. Raises NotFound."""
        ...

    async def keep(self, runtime: RuntimeId) -> None:
        """Somebody still needs it. Raises NotFound."""
        ...

    async def oom_kills(self, runtime: RuntimeId) -> int:
        """How many processes it lost for want of memory so far."""
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


class Blobs(Protocol):
    """Immutable bytes by their SHA-256; acknowledged means on disk."""

    async def put(self, content: bytes) -> tuple[str, int]: ...

    async def read(self, sha256: str) -> bytes: ...

    async def delete(self, sha256: str) -> None: ...


class Authority(Protocol):
    """Who may do what: the drive."""

    async def authorize(self, principal: Principal, item: ItemId, action: Action) -> Any:
        """Raises NotFound or Forbidden."""
        ...


class Client(Protocol):
    """A browser tab in a room."""

    @property
    def id(self) -> object: ...

    @property
    def principal(self) -> Principal: ...

    @property
    def role(self) -> Role: ...

    @property
    def notebook(self) -> NotebookId: ...

    def send(self, message: dict[str, Any]) -> None: ...
