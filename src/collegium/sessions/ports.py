"""What sessions need of the world: documents, machines, a place for large outputs, and who may do what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from anyio.abc import ByteStream

from collegium.accounts.model import Action, Principal, Role
from collegium.ground.ids import CellId, ItemId, NotebookId, RuntimeId, UserId
from collegium.runtimes.model import Runtime
from collegium.runtimes.packages import Package
from collegium.sessions.choice import Offers
from collegium.sessions.model import Machine, Source, Use

Progress = Callable[[str | None], None]
"""What is being done, in words; None: no more."""
Queued = Callable[[int, int], None]
"""A place in line, counted from 1, and how long the line is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session asks a runtime for. `layers`: laid over the environment, the uppermost first."""

    type: str | None
    version: str | None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Laid:
    """The layer that a notebook's runtime is made with, if it has one; `note`: why it has none although it should."""

    name: str | None = None
    path: str | None = None
    note: str | None = None


class Documents(Protocol):
    """The live notebooks."""

    async def metadata(self, notebook: NotebookId) -> Mapping[str, Any]:
        """The notebook's own metadata. Raises NotFound."""
        ...

    async def sources(self, notebook: NotebookId) -> list[Source]:
        """The cells in their order, as everybody sees them now. Raises NotFound."""
        ...

    async def may_fail(self, notebook: NotebookId, cell: CellId) -> bool:
        """Whether an error in this cell is meant to happen, and stops nothing: nbclient's tag `raises-exception`."""
        ...

    async def before_run_all(self, notebook: NotebookId, user: UserId) -> None:
        """All cells are about to run: what the notebook says and shows at this moment is kept. Returns at once."""
        ...

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        """Tell every client of the notebook that is here now; never waits."""
        ...


class Machines(Protocol):
    """The runtimes."""

    async def admit(self, user: UserId) -> None:
        """Raises QuotaExceeded if this user may have no runtime more now."""
        ...

    async def offers(self) -> Offers:
        """What can be had here now."""
        ...

    async def kernels(self, version: str) -> Mapping[str, str]:
        """The kernels of a runtime version: the language each speaks, by name."""
        ...

    async def packages(self, version: str) -> Sequence[Package]:
        """The packages of a runtime version."""
        ...

    async def prepare(self, version: str, progress: Progress) -> None:
        """Have a runtime version built if it is not. Raises Unavailable."""
        ...

    async def environment(self, version: str) -> str:
        """The name of the environment of a runtime version: another when its lock changes."""
        ...

    async def acquire(self, user: UserId, wanted: Wanted, queued: Queued) -> Machine:
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

    async def usage(self, runtime: RuntimeId, *, fresh: bool = False) -> Use:
        """What it uses now, at most a second old; `fresh`: not even that. Raises NotFound, Unavailable."""
        ...

    async def script(self, path: str) -> bytes | None:
        """A script of Bokeh, `bokeh/VERSION/NAME`, as the environment of any runtime version has it."""
        ...

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        """What its processes printed behind this byte, and where that ends. Raises NotFound, Unavailable."""
        ...

    async def ended(self, runtime: RuntimeId) -> Machine:
        """What became of it; comes back once it is over. Raises NotFound."""
        ...

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        """Keep what was installed in it as a layer, and end it; where the layer is. Raises Unavailable."""
        ...

    async def drop_layer(self, layer: str) -> None:
        """A layer is not needed any more. Raises Conflict while a runtime uses it, Unavailable."""
        ...

    def on_notice(self, told: Callable[[RuntimeId, dict[str, Any] | None], None]) -> None:
        """Tell whenever a runtime is about to be taken back (`{"kind", "at"}`), and when it is not any more."""
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


class Layers(Protocol):
    """What notebooks start with on top of a runtime version."""

    async def of(self, notebook: NotebookId, version: str, progress: Progress) -> Laid:
        """The layer of a notebook's lock, built first if need be. Never an error: what fails is noted."""
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
