"""The runtime and the kernel of a notebook: asked for, talked to, given back or lost."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.accounts.model import Principal
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.ids import KernelId, NotebookId, RuntimeId, new_id
from collegium.ground.log import get_log
from collegium.kernels.ports import Listener
from collegium.kernels.service import AgentLine, Malformed
from collegium.sessions import store
from collegium.sessions.model import Binding, Machine
from collegium.sessions.world import World

log = get_log("sessions")


class Loan:
    """What is known of both, and the line to their agent. `lost` is called when there is no runtime any more."""

    def __init__(
        self,
        notebook: NotebookId,
        world: World,
        tasks: TaskGroup,
        listener: Listener,
        *,
        lost: Callable[[str], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self.binding: Binding | None = None
        self.machine: Machine | None = None
        self.kernel_state = "starting"
        self.kernel_reason: str | None = None
        self.connected = False
        self.bringing_up = False
        self.handled = 0
        """The last record of the agent's journal that was taken in."""
        self.line: AgentLine | None = None
        self._notebook = notebook
        self._world = world
        self._tasks = tasks
        self._listener = listener
        self._lost = lost
        self._changed = changed
        self._scope = anyio.CancelScope()
        self._over = anyio.Event()

    def bring_up(self, principal: Principal | None) -> None:
        """Ask for a runtime (None: find the one that is bound) and talk to it from now on."""
        if not self.bringing_up:
            self.bringing_up, self._over = True, anyio.Event()
            self._scope = anyio.CancelScope()
            self._tasks.start_soon(self._live, principal, self._scope)

    async def hang_up(self) -> None:
        """Stop asking and talking."""
        if self.bringing_up:
            self._scope.cancel()
            await self._over.wait()

    async def _live(self, principal: Principal | None, scope: anyio.CancelScope) -> None:
        """From the request for a runtime to its end."""
        reason: str | None = None
        with scope:
            try:
                await self._acquire(principal)
                assert self.binding is not None
                runtime = self.binding.runtime
                self.line = AgentLine(lambda: self._world.machines.connect(runtime), self._listener)
                await self.line.run()
            except Malformed as error:
                reason = f"the runtime does not answer as it should: {error}"
                log.warning("runtime.malformed", notebook=self._notebook, detail=str(error))
                if self.binding is not None:
                    await self._world.machines.failed(self.binding.runtime, reason)
            except CollegiumError as error:
                reason = error.detail
            finally:
                self.line, self.connected, self.bringing_up = None, False, False
                self._over.set()
        if reason is not None:
            await self._lost(reason)

    async def _acquire(self, principal: Principal | None) -> None:
        if self.binding is not None:
            self.machine = await self._world.machines.get(self.binding.runtime)
            return
        assert principal is not None
        self.machine = Machine(RuntimeId(""), "requested", "cpu", "")
        self._changed()
        machine = await self._world.machines.acquire(principal.user, self._notebook)
        kills = await self._world.machines.oom_kills(machine.id)
        self.machine, self.kernel_state, self.kernel_reason = machine, "starting", None
        self.handled = 0
        self.binding = Binding(self._notebook, principal.user, machine.id, KernelId(new_id()), oom_kills=kills)
        async with self._world.db.write() as tx:
            await store.write_binding(tx, self.binding, now_ms())
        self._changed()

    async def request(self, header: dict[str, Any]) -> None:
        """Tell the kernel something. Raises Unavailable."""
        if self.line is None or self.binding is None:
            raise Unavailable("No kernel is connected.")
        await self.line.send({**header, "kernel": self.binding.kernel})

    async def ask(self, msg_type: str, content: dict[str, Any], seconds: float) -> dict[str, Any]:
        """A question that runs nothing. Raises Unavailable."""
        if self.line is None or self.binding is None:
            raise Unavailable("No kernel is connected.")
        header = {"op": "request", "kernel": self.binding.kernel, "channel": "shell", "msg_type": msg_type}
        return await self.line.ask(header | {"content": content}, seconds=seconds)
