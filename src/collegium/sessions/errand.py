"""Something the server itself does inside a runtime: a program in a kernel of its own, followed to its end."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from collegium.ground.errors import NotFound, Unavailable
from collegium.ground.ids import new_id
from collegium.kernels.ports import Road
from collegium.kernels.service import AgentLine, KernelChange, Malformed, Message, Welcome
from collegium.sessions.model import PYTHON

TEXT_CHARACTERS_MAX = 4 * 1024 * 1024


@dataclass(slots=True)
class Errand:
    """Listens to one kernel, and to nothing else that the agent tells. `heard` is told each piece of output."""

    source: str
    heard: Callable[[str], None]
    kernel: str = field(default_factory=lambda: "e" + new_id())
    execution: str = field(default_factory=new_id)
    text: str = ""
    failed: str | None = None
    over: anyio.Event = field(default_factory=anyio.Event)
    line: AgentLine | None = None
    epoch: str | None = None
    handled: int = 0

    @property
    def position(self) -> tuple[str | None, int]:
        """From where the journal is read on."""
        return self.epoch, self.handled

    async def connected(self, welcome: Welcome) -> None:
        """The agent answered: what comes from now on is of interest, and the program is asked for, once."""
        assert self.line is not None
        if self.epoch != welcome.epoch:
            if self.epoch is not None:
                self.end("the runtime was started anew")
            self.epoch, self.handled = welcome.epoch, welcome.seq if self.epoch is None else 0
        await self.line.send({"op": "start_kernel", "kernel": self.kernel, "name": PYTHON})
        header = {"op": "execute", "kernel": self.kernel, "id": self.execution, "code": self.source}
        await self.line.send(header | {"allow_stdin": False, "store_history": False})

    async def record(self, record: Message | KernelChange) -> None:
        """The next thing the agent has to tell."""
        self.handled = record.seq
        match record:
            case KernelChange(kernel=self.kernel, state="dead"):
                self.end("its process ended")
            case Message(parent=self.execution, msg_type="stream", content={"text": str(text)}):
                self.text = (self.text + text)[-TEXT_CHARACTERS_MAX:]
                self.heard(text)
            case Message(parent=self.execution, msg_type="error", content={"evalue": str(words)}):
                self.failed = words[:500]
            case Message(parent=self.execution, channel="shell", msg_type="execute_reply", content={"status": status}):
                self.end(None if status == "ok" else self.failed or "it failed")
                assert self.line is not None
                with suppress(Unavailable):
                    await self.line.send({"op": "shutdown", "kernel": self.kernel})
            case _:
                return

    async def refused(self, id: str, detail: str) -> None:
        """The agent could not carry out what was sent."""
        if id in ("", self.execution):
            self.end(detail)

    async def disconnected(self) -> None:
        """The line opens it again."""

    def end(self, failed: str | None) -> None:
        """It is over; `failed`: why it did not succeed."""
        if not self.over.is_set():
            self.failed = failed
            self.over.set()


async def run_errand(
    road: Road,
    source: str,
    *,
    seconds: float,
    heard: Callable[[str], None],
    position: tuple[str | None, int] = (None, 0),
) -> str:
    """Run a program in a runtime, and give what it printed. Raises Unavailable with the reason if it fails.

    `position`: what need not be told again of the agent's journal.
    """
    errand = Errand(source, heard)
    errand.epoch, errand.handled = position
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_talk, road, errand)
            await errand.over.wait()
            tasks.cancel_scope.cancel()
    if not errand.over.is_set():
        raise Unavailable(f"it took more than {seconds:g} s")
    if errand.failed is not None:
        raise Unavailable(errand.failed)
    return errand.text


async def _talk(road: Road, errand: Errand) -> None:
    errand.line = AgentLine(road, errand)
    try:
        await errand.line.run()
    except (Malformed, NotFound) as error:
        errand.end(f"the runtime is gone: {error}")
