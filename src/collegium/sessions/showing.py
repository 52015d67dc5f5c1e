"""What those who watch a notebook are told: its session, what each cell shows, and every change of it in few frames."""

from collections.abc import Callable
from typing import Any

import anyio

from collegium.ground.ids import NotebookId
from collegium.sessions import store
from collegium.sessions.lives import Lives
from collegium.sessions.loan import Loan
from collegium.sessions.model import ExecutionQueue, Kernel
from collegium.sessions.present import execution_frame, kernel_frame, runtime_frame
from collegium.sessions.world import World

FLOOD_SECONDS = 1.0
"""What comes faster than anybody reads is told at most this often, and then all of it that is shown."""


class Showing:
    """Reads the session and speaks; changes nothing."""

    def __init__(
        self, notebook: NotebookId, world: World, lives: Lives, loan: Loan, queue: Callable[[], ExecutionQueue]
    ) -> None:
        self._notebook = notebook
        self._world = world
        self._lives = lives
        self._loan = loan
        self._queue = queue
        self._news = anyio.Event()
        self._flooded_at = 0.0

    def tell(self, frame: dict[str, Any]) -> None:
        """Everybody who watches."""
        self._world.documents.broadcast(self._notebook, frame)

    def tell_session(self) -> None:
        """The runtime, the kernel or the queue is another now."""
        self.tell(self.session_frame())

    def session_frame(self) -> dict[str, Any]:
        """The `session` frame."""
        binding, queue, state = self._loan.binding, self._queue(), self._loan.kernel_state
        kernel = None if binding is None else Kernel(binding.kernel, binding.kernel_name, binding.kernel_language)
        state = "busy" if queue.running is not None and state == "idle" else state
        return {
            "type": "session",
            "runtime": runtime_frame(self._loan.machine),
            "kernel": kernel_frame(kernel, state, self._loan.kernel_reason),
            "queue": [{"execution": id, "cell": self._lives[id].execution.cell} for id in queue.all],
        }

    async def shown(self) -> list[dict[str, Any]]:
        """What each cell shows, for one who comes late; every later frame continues from here."""
        async with self._world.db.read() as tx:
            heads = await store.read_heads(tx, self._notebook)
        self.flush(all_text=True)
        frames = []
        for execution, outputs in heads:
            live = self._lives.get(execution.id)
            if live is None:
                plain = [{key: value for key, value in output.items() if key != "$display"} for output in outputs]
                frames.append(execution_frame(execution, plain, 0))
            else:
                frames.append(execution_frame(live.execution, live.folded.outputs(), live.version))
        frames += [execution_frame(self._lives[id].execution) for id in self._queue().waiting]
        return frames

    def flush(self, *, all_text: bool = False) -> None:
        """Tell those who watch what they lack."""
        now = anyio.current_time()
        for live in self._lives:
            behind = live.folded.behind
            if behind and not all_text and now - self._flooded_at < FLOOD_SECONDS:
                continue
            if behind:
                self._flooded_at = now
            for frame in live.frames(all_text=all_text or behind):
                self.tell(frame)

    def changed(self) -> None:
        """Outputs came; they are told soon, with what comes meanwhile."""
        self._news.set()

    async def run(self) -> None:
        """Tell outputs, gathered, for ever."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            self.flush()
            await anyio.sleep(self._world.settings.broadcast_seconds)
            if any(live.folded.lacking for live in self._lives):
                self._news.set()
