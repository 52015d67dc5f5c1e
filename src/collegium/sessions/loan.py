"""The runtime and the kernel of a notebook: asked for, talked to, given back or lost."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.accounts.model import Principal
from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, Invalid, NotFound, Unavailable
from collegium.ground.ids import KernelId, NotebookId, RuntimeId, new_id
from collegium.ground.log import get_log
from collegium.kernels.ports import Listener
from collegium.kernels.service import AgentLine, Malformed
from collegium.sessions import answers, ends, store
from collegium.sessions.choice import Asked, choose, choose_kernel, wish
from collegium.sessions.diary import Diary
from collegium.sessions.model import Binding, Machine, Variable
from collegium.sessions.ports import Laid, Wanted
from collegium.sessions.world import World

log = get_log("sessions")

ANYTHING = Asked()
VARIABLES_SECONDS_MAX = 5.0
AGAIN_SECONDS = 1.0
ENDED_SECONDS_MAX = 5.0
"""How long the reason of an end is waited for: whoever took a runtime back writes it down a moment later."""


class Loan:
    """What is known of both, and the line to their agent. `lost` is called when there is no runtime any more."""

    def __init__(
        self,
        notebook: NotebookId,
        world: World,
        tasks: TaskGroup,
        listener: Listener,
        *,
        diary: Diary,
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
        self._diary = diary
        self._printed_at = 0
        self._lost = lost
        self._changed = changed
        self._scope = anyio.CancelScope()
        self._over = anyio.Event()

    def bring_up(self, principal: Principal | None, asked: Asked = ANYTHING) -> None:
        """Ask for a runtime (None: find the one that is bound) and talk to it from now on."""
        if not self.bringing_up:
            self.bringing_up, self._over = True, anyio.Event()
            self._scope = anyio.CancelScope()
            self._tasks.start_soon(self._live, principal, asked, self._scope)

    async def hang_up(self) -> None:
        """Stop asking and talking."""
        if self.bringing_up:
            self._scope.cancel()
            await self._over.wait()

    async def _live(self, principal: Principal | None, asked: Asked, scope: anyio.CancelScope) -> None:
        """From the request for a runtime to its end."""
        reason: str | None = None
        with scope:
            try:
                await self._acquire(principal, asked)
                assert self.binding is not None
                runtime = self.binding.runtime
                self.line = AgentLine(lambda: self._world.machines.connect(runtime), self._listener)
                await self.line.run()
            except Malformed as error:
                reason = reasons.words("malformed", what=error)
                log.warning("runtime.malformed", notebook=self._notebook, detail=str(error))
                if self.binding is not None:
                    await self._world.machines.failed(self.binding.runtime, reason)
            except NotFound as error:
                reason = await self._why_gone(error)
            except CollegiumError as error:
                reason = error.detail
            finally:
                self.line, self.connected, self.bringing_up = None, False, False
                self._over.set()
        if reason is not None:
            await self._lost(reason)

    async def _why_gone(self, error: NotFound) -> str:
        if self.binding is None:
            return error.detail
        with suppress(CollegiumError), anyio.move_on_after(ENDED_SECONDS_MAX):
            over = await self._world.machines.ended(self.binding.runtime)
            return ends.of_runtime(over.state, over.reason)
        return error.detail

    async def _acquire(self, principal: Principal | None, asked: Asked) -> None:
        if self.binding is not None:
            self.machine = await self._found(self.binding.runtime)
            self._diary.note("runtime_found", type=self.machine.type, version=self.machine.version)
            return
        assert principal is not None
        machines, layers = self._world.machines, self._world.layers
        metadata = await self._world.documents.metadata(self._notebook)
        choice = choose(wish(metadata), asked, await machines.offers())
        self._awaited(Machine(RuntimeId(""), "requested", choice.type, choice.version, notes=choice.notes))
        self._diary.note("runtime_wanted", type=choice.type, version=choice.version, user=principal.name)
        await machines.prepare(choice.version, self._progressed)
        layer = await layers.of(self._notebook, choice.version, self._progressed)
        wanted = Wanted(choice.type, choice.version, () if layer.path is None else (layer.path,))
        try:
            machine = await machines.acquire(principal.user, wanted, self._queued)
        except (Invalid, Unavailable) as error:
            if not wanted.layers:
                raise
            # Whatever is wrong with its own environment, a notebook can always run without.
            log.warning("layer.refused", notebook=self._notebook, layer=layer.name, why=error.detail)
            layer = Laid(note=reasons.words("without_environment", because=error.detail))
            machine = await machines.acquire(principal.user, replace(wanted, layers=()), self._queued)
        name, language, note = choose_kernel(choice.kernel, await machines.kernels(choice.version))
        notes = (*choice.notes, *(one for one in (layer.note, note) if one is not None))
        self.machine, self.kernel_state, self.kernel_reason = replace(machine, notes=notes), "starting", None
        self._diary.note(
            "runtime_ready", type=machine.type, version=machine.version, memory_bytes=machine.memory_bytes, kernel=name
        )
        for one in notes:
            self._diary.note("runtime_note", "warning", text=one)
        self.handled = self._printed_at = 0
        self.binding = Binding(
            self._notebook,
            principal.user,
            machine.id,
            KernelId(new_id()),
            kernel_name=name,
            kernel_language=language,
            layer=layer.name,
        )
        async with self._world.db.write() as tx:
            await store.write_binding(tx, self.binding, now_ms())
        self._changed()

    async def _found(self, runtime: RuntimeId) -> Machine:
        """The runtime that is bound. While the database is away nothing is known of it, least that it is lost."""
        while True:
            try:
                return await self._world.machines.get(runtime)
            except Unavailable as error:
                log.warning("runtime.not_found_yet", notebook=self._notebook, why=error.detail)
                await anyio.sleep(AGAIN_SECONDS)

    def is_other_than(self, asked: Asked) -> bool:
        """The runtime that is here has not the type or the version that is asked for."""
        machine = self.machine
        return machine is not None and (
            (asked.type is not None and asked.type != machine.type)
            or (asked.version is not None and asked.version != machine.version)
        )

    async def memory(self) -> ends.Memory:
        """What is known of the runtime's memory now that its kernel ended; kills since this was asked last."""
        binding, machine = self.binding, self.machine
        assert binding is not None
        limit = None if machine is None else machine.memory_bytes
        with suppress(CollegiumError):
            use = await self._world.machines.usage(binding.runtime, fresh=True)
            kills = None if use.oom_kills is None else use.oom_kills - binding.oom_kills
            if self.binding is not None and use.oom_kills is not None:
                self.binding = replace(self.binding, oom_kills=use.oom_kills)
            return ends.Memory(kills, use.memory_bytes, use.memory_peak_bytes, limit)
        return ends.Memory(limit_bytes=limit)

    async def read_printed(self) -> None:
        """Note what the processes of the runtime printed since this was asked last."""
        if (binding := self.binding) is None:
            return
        with suppress(CollegiumError):
            text, end = await self._world.machines.printed(binding.runtime, self._printed_at)
            if self.binding is not None and self.binding.runtime == binding.runtime and end != self._printed_at:
                self._printed_at = end
                self._diary.printed(text)

    async def variables(self) -> tuple[Variable, ...]:
        """The kernel's largest variables. Raises Unavailable."""
        return answers.variables(await self.question({"op": "variables"}, VARIABLES_SECONDS_MAX, kernel=True))

    def _awaited(self, machine: Machine) -> None:
        if machine != self.machine:
            self.machine = machine
            self._changed()

    def _progressed(self, words: str | None) -> None:
        """What is being done until the runtime is there."""
        if self.machine is not None:
            self._awaited(replace(self.machine, progress=words))

    def _queued(self, position: int, of: int) -> None:
        """Where in line it stands for an accelerator."""
        if self.machine is not None and self.binding is None:
            self._awaited(replace(self.machine, queue={"position": position, "of": of}))

    def noticed(self, notice: dict[str, Any] | None) -> None:
        """The runtime will be taken back, or will not after all."""
        if self.machine is not None and self.binding is not None:
            if notice is not None and self.machine.notice is None:
                self._diary.note("notice", "warning", kind=notice["kind"], until=notice["at"])
            self._awaited(replace(self.machine, notice=notice))

    async def choose_kernel(self) -> bool:
        """Take the kernel that the notebook names now; whether it is another one than before, which is then gone."""
        binding, machine = self.binding, self.machine
        if binding is None or machine is None or not self.connected:
            return False
        wanted = wish(await self._world.documents.metadata(self._notebook)).kernel
        known = await self._world.machines.kernels(machine.version)
        name, language, _ = choose_kernel(wanted or binding.kernel_name, known)
        if name == binding.kernel_name or self.binding is not binding:
            return False
        await self.request({"op": "shutdown"})
        self.binding = replace(binding, kernel=KernelId(new_id()), kernel_name=name, kernel_language=language)
        self.kernel_state = "starting"
        async with self._world.db.write() as tx:
            await store.write_binding(tx, self.binding, now_ms())
        await self.start_kernel()
        return True

    async def start_kernel(self) -> None:
        """Ask for the kernel; one that is there already stays. Raises Unavailable."""
        assert self.binding is not None
        await self.request({"op": "start_kernel", "name": self.binding.kernel_name})

    async def request(self, header: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Tell the kernel something. Raises Unavailable."""
        if self.line is None or self.binding is None:
            raise Unavailable("No kernel is connected.")
        await self.line.send({**header, "kernel": self.binding.kernel}, buffers)

    async def ask(self, msg_type: str, content: dict[str, Any], seconds: float) -> dict[str, Any]:
        """A question to the kernel that runs nothing. Raises Unavailable."""
        header = {"op": "request", "channel": "shell", "msg_type": msg_type, "content": content}
        return await self.question(header, seconds, kernel=True)

    async def question(self, header: dict[str, Any], seconds: float, *, kernel: bool = False) -> dict[str, Any]:
        """A question to the agent, about the kernel or the whole runtime. Raises Unavailable."""
        if self.line is None or self.binding is None:
            raise Unavailable("No kernel is connected.")
        named = {"kernel": self.binding.kernel} if kernel else {}
        return await self.line.ask(header | named, seconds=seconds)
