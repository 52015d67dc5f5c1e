"""Sessions over a real agent, a real database, and documents that are a dict."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream

from agent_process import AgentProcess, agent_process
from collegium.accounts.model import Action, Principal, Role
from collegium.drive.adapters import LocalBlobs
from collegium.ground.db import Database
from collegium.ground.errors import NotFound, QuotaExceeded, Unavailable
from collegium.ground.ids import CellId, ItemId, NotebookId, RuntimeId, UserId
from collegium.runtimes.model import Limits, Runtime, State
from collegium.runtimes.packages import Package
from collegium.sessions.choice import Offers, TypeOffer
from collegium.sessions.model import Machine, Source, Use
from collegium.sessions.ports import Authority, Progress, Queued, Wanted
from collegium.sessions.service import Sessions, open_sessions
from collegium.sessions.settings import SessionSettings

NOTEBOOK = NotebookId("n" * 22)
ADA = Principal(UserId("a" * 22), "Ada", "ada@example.org", False)


class FakeDocuments:
    """Cells in a dict; what is broadcast is kept."""

    def __init__(self) -> None:
        self.cells: dict[str, tuple[str, str]] = {}
        self.told: list[dict[str, Any]] = []
        self.failing: set[str] = set()
        self.about: dict[str, Any] = {}
        self.changed = anyio.Event()

    async def metadata(self, notebook: NotebookId) -> Mapping[str, Any]:
        return self.about

    async def before_run_all(self, notebook: NotebookId, user: UserId) -> None:
        return None

    async def may_fail(self, notebook: NotebookId, cell: CellId) -> bool:
        return cell in self.failing

    async def sources(self, notebook: NotebookId) -> list[Source]:
        return [Source(CellId(cell), kind, source) for cell, (kind, source) in self.cells.items()]

    def broadcast(self, notebook: NotebookId, message: dict[str, Any]) -> None:
        self.told.append(message)
        self.changed.set()
        self.changed = anyio.Event()


class FakeMachines:
    """One runtime, which is a plain process."""

    def __init__(self, agent: AgentProcess) -> None:
        self.agent = agent
        self.gone = False
        self.full = False
        self.why_not: str | None = None
        self.prints = ""
        self.over: str | None = None
        self.kills: int | None = 0
        self.used: int | None = None
        self.asked = 0
        self.read = anyio.Event()
        self.acquired: list[Wanted] = []
        self.released: list[RuntimeId] = []
        self.built = {"test"}
        self.line: int | None = None
        self.notify: Callable[[RuntimeId, dict[str, Any] | None], None] = lambda _runtime, _notice: None
        self.kept = 0
        self.broken: str | None = None
        self.machine = Machine(RuntimeId("r" * 22), "ready", "cpu", "test", 2 * 1024**3)

    async def admit(self, user: UserId) -> None:
        if self.full:
            raise QuotaExceeded("You have 1 runtime already.")

    async def offers(self) -> Offers:
        types = [TypeOffer("cpu"), TypeOffer("gpu", accelerator="gpu", available=False, reason="There is no GPU here.")]
        return Offers(types, ["test", "older"], "cpu", "test")

    async def kernels(self, version: str) -> Mapping[str, str]:
        return {"python3": "python", "other": "parrot"}

    async def packages(self, version: str) -> Sequence[Package]:
        return []

    async def environment(self, version: str) -> str:
        return f"{version}-0"

    async def prepare(self, version: str, progress: Progress) -> None:
        if version not in self.built:
            progress(f"Building runtime version {version}: 1 of 2")
            self.built.add(version)

    async def acquire(self, user: UserId, wanted: Wanted, queued: Queued) -> Machine:
        if self.why_not is not None:
            raise Unavailable(self.why_not)
        if self.line is not None:
            for place in range(self.line, 0, -1):
                queued(place, self.line)
        self.acquired.append(wanted)
        self.gone = False
        self.machine = replace(self.machine, type=wanted.type or "cpu", version=wanted.version or "test")
        return self.machine

    async def get(self, runtime: RuntimeId) -> Machine:
        if self.gone:
            raise NotFound("The runtime is gone.")
        return self.machine

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        if self.gone:
            raise NotFound("The runtime is gone.")
        return await self.agent.connect()

    async def lent(self, user: UserId) -> list[Runtime]:
        return [] if self.gone or user != ADA.user else [self.remembered()]

    async def runtime(self, runtime: RuntimeId) -> Runtime:
        if self.gone or runtime != self.machine.id:
            raise NotFound("There is no such runtime.")
        return self.remembered()

    def remembered(self) -> Runtime:
        limits = Limits(2 * 1024**3, 2, 1024, 1024**3)
        return Runtime(self.machine.id, ADA.user, "fake", "cpu", "test", State.READY, "", limits, 0, 0)

    async def keep(self, runtime: RuntimeId) -> None:
        self.kept += 1

    async def usage(self, runtime: RuntimeId, *, fresh: bool = False) -> Use:
        self.asked += 1
        self.read.set()
        self.read = anyio.Event()
        limit = self.machine.memory_bytes
        return Use(self.asked, self.used, limit, memory_peak_bytes=self.used, oom_kills=self.kills)

    async def script(self, path: str) -> bytes | None:
        return None

    async def printed(self, runtime: RuntimeId, after: int) -> tuple[str, int]:
        return self.prints[after:], len(self.prints)

    async def ended(self, runtime: RuntimeId) -> Machine:
        if self.over is None:
            await anyio.sleep_forever()
        return replace(self.machine, state=str(State.STOPPED), reason=self.over)

    async def seal(self, runtime: RuntimeId, layer: str) -> str:
        raise Unavailable("A plain process keeps nothing.")

    async def drop_layer(self, layer: str) -> None:
        return None

    def on_notice(self, told: Callable[[RuntimeId, dict[str, Any] | None], None]) -> None:
        self.notify = told

    async def release(self, runtime: RuntimeId) -> None:
        self.released.append(runtime)
        self.gone = True

    def touch(self, runtime: RuntimeId) -> None:
        return None

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        self.broken = reason


class FakeAuthority:
    """Everybody may everything."""

    async def authorize(self, principal: Principal, item: ItemId, action: Action) -> tuple[Any, Role]:
        return SimpleNamespace(id=item, name="notebook.ipynb"), Role.OWNER


class Tab:
    """A browser tab: what it was sent, and what it shows when it follows the protocol."""

    def __init__(self, role: Role = Role.OWNER) -> None:
        self.id = object()
        self.principal = ADA
        self.role = role
        self.notebook = NOTEBOOK
        self.told: list[dict[str, Any]] = []
        self.changed = anyio.Event()

    def send(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self.changed.set()
        self.changed = anyio.Event()


async def heard(ear: Tab | FakeDocuments, wanted: Callable[[dict[str, Any]], bool], start: int = 0) -> dict[str, Any]:
    """The first frame that is wanted."""
    with anyio.fail_after(60):
        while True:
            for frame in ear.told[start:]:
                if wanted(frame):
                    return frame
            await ear.changed.wait()


async def ended(documents: FakeDocuments, execution: str) -> dict[str, Any]:
    """The frame that says how an execution ended."""
    final = ("finished", "failed", "cancelled")
    return await heard(
        documents,
        lambda f: f["type"] == "execution" and f["execution"] == execution and f["state"] in final,
    )


def followed(frames: list[dict[str, Any]], execution: str) -> list[dict[str, Any]]:
    """The outputs that a tab shows that applied every frame of an execution, as the page does."""
    outputs: list[dict[str, Any]] = []
    version = 0
    for frame in frames:
        if frame.get("execution") != execution:
            continue
        if frame["type"] in ("outputs", "append"):
            assert frame["version"] == version + 1
            version = frame["version"]
        if frame["type"] == "outputs":
            start, more = frame["splice"]
            outputs[start:] = [dict(output) for output in more]
        elif frame["type"] == "append":
            shown = outputs[frame["index"]]["text"].encode("utf-16-le")[: frame["keep"] * 2].decode("utf-16-le")
            outputs[frame["index"]]["text"] = shown + frame["text"]
    return outputs


@pytest.fixture
def agent() -> Iterator[AgentProcess]:
    with agent_process(forked=True) as agent:
        yield agent


@pytest.fixture
def documents() -> FakeDocuments:
    return FakeDocuments()


@pytest.fixture
def machines(agent: AgentProcess) -> FakeMachines:
    return FakeMachines(agent)


OpenServer = Callable[..., AbstractAsyncContextManager[Sessions]]


@pytest.fixture
def server(database: Database, documents: FakeDocuments, machines: FakeMachines, tmp_path: Path) -> OpenServer:
    """Starts the server's side; leaving it is the server's end, and it can be started again."""

    @asynccontextmanager
    async def start(authority: Authority | None = None, **settings: Any) -> AsyncIterator[Sessions]:
        async with open_sessions(
            db=database,
            documents=documents,
            machines=machines,
            blobs=LocalBlobs(tmp_path / "blobs"),
            authority=authority or FakeAuthority(),
            folder=tmp_path / "outputs",
            settings=SessionSettings(**settings),
        ) as sessions:
            yield sessions

    return start
