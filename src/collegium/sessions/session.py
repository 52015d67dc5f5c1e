"""A notebook bound to a kernel: what runs next, and where its outputs go."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.accounts.model import Principal
from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, Conflict, Invalid, StorageFull, TooMany, Unavailable
from collegium.ground.ids import CellId, ExecutionId, NotebookId, new_id
from collegium.ground.log import get_log
from collegium.kernels.service import KernelChange, Message, Welcome
from collegium.notebooks.model import source_hash
from collegium.sessions import choice, ends, model, store, widget_model, widget_store
from collegium.sessions.blobs import plain_output
from collegium.sessions.choosing import chosen, is_everything
from collegium.sessions.diary import Diary
from collegium.sessions.folding import error_output
from collegium.sessions.installed import Installed
from collegium.sessions.intake import UNSEEN, Intake
from collegium.sessions.live import Live
from collegium.sessions.lives import Lives
from collegium.sessions.loan import ANYTHING, Loan
from collegium.sessions.model import Asked, Execution, ExecutionQueue, State, Step
from collegium.sessions.present import execution_frame
from collegium.sessions.showing import Showing
from collegium.sessions.stopping import Stopping
from collegium.sessions.watching import Watching
from collegium.sessions.widgets import SAVED_WIDGETS_BYTES_MAX, Widgets, widgets_path
from collegium.sessions.world import World

log = get_log("sessions")

ASIDES_MAX = 32
FULL_DISK_SECONDS = 1.0
TOUCH_SECONDS = 20.0
"""How often a runtime is told that something runs in it."""
RESTARTED = reasons.words("restarted")
INPUT_CHARACTERS_MAX = 64 * 1024
DEATHS_MAX = 3
"""A kernel that dies this often without having been idle is not started again."""
RENEWING_SECONDS_MAX = 10.0
"""After so long nothing more is expected of a new kernel that was asked for: it may be asked for once more."""


class Session:
    """Lives as long as somebody watches or a kernel runs. Every method that changes something belongs to one loop."""

    def __init__(self, notebook: NotebookId, world: World, tasks: TaskGroup) -> None:
        self.notebook = notebook
        self._world = world
        self._tasks = tasks
        self._queue = ExecutionQueue()
        self.lives = Lives(notebook, world.db, world.folder, world.settings.log_bytes_max)
        self.diary = Diary()
        """What happened besides the runs of cells."""
        self.loan = Loan(
            notebook,
            world,
            tasks,
            self,
            diary=self.diary,
            lost=self._lost,
            changed=lambda: self.showing.tell_session(),
        )
        self.showing = Showing(notebook, world, self.lives, self.loan, lambda: self._queue)
        self._intake = Intake(
            self.lives, world.blobs, tell=self.showing.tell, flush=self.showing.flush, diary=self.diary
        )
        grace = world.settings.interrupt_seconds
        self._stopping = Stopping(self.loan, tasks, grace_seconds=grace, terminate=self.restart)
        self.installed = Installed(notebook, self.loan, world.db, tell=self.showing.tell, diary=self.diary)
        self.watching = Watching(self.loan, world.machines, tell=self.showing.tell)
        self.widgets = Widgets(
            widgets_path(world.folder, notebook),
            bytes_max=world.settings.widgets_bytes_max,
            gather_seconds=world.settings.broadcast_seconds,
            request=self.loan.request,
            viewed=self.viewed,
            past=self._past_widgets,
        )
        self._position = 0
        self._deaths = 0
        self._begun = False
        """The kernel answered, and that was noted."""
        self._renewing_since: float | None = None
        """A new kernel was asked for then and has not begun: what is sent now would go to the old one."""
        self._starting = anyio.Lock()
        self._storing = anyio.Lock()
        self._asking = anyio.Lock()
        self._asides = 0
        self._unstored = anyio.Event()
        self.forgotten = False
        """The notebook is being deleted: nothing is written down any more."""

    # life

    async def load(self) -> None:
        """Read what is known, and pick up what a server before this one left."""
        async with self._world.db.read() as tx:
            self.loan.binding = await store.read_binding(tx, self.notebook)
            unfinished = await store.read_unfinished(tx, self.notebook)
            self._position = await store.last_position(tx, self.notebook)
            shown = await store.read_heads(tx, self.notebook)
        for execution, outputs in shown:
            self._intake.remember(execution.id, outputs)
        for execution in unfinished:
            self._intake.remember(execution.id, self.lives.keep(execution).stored_outputs())
            if execution.state is State.RUNNING:
                self._queue = replace(self._queue, running=execution.id)
            else:
                self._queue = model.requested(self._queue, execution.id)

    async def run(self) -> None:
        """Broadcast and store what changes, until cancelled."""
        async with anyio.create_task_group() as own:
            own.start_soon(self.showing.run)
            own.start_soon(self.watching.run)
            own.start_soon(self.installed.run)
            own.start_soon(self.widgets.run)
            own.start_soon(self._store_regularly)
            own.start_soon(self._touch_regularly)
            if self.loan.binding is not None:
                self.loan.handled = self.loan.binding.stored_seq
                self.loan.bring_up(None)
            elif self._queue.all:
                await self._lost("The server stopped before a runtime was ready.")

    async def close(self) -> None:
        """Write down what is not written yet; the kernel runs on."""
        if not self.forgotten:
            await self._store()
            await self._leave_widgets()
        self.lives.close()
        self.widgets.close()

    @property
    def idle(self) -> bool:
        """Nothing runs, nothing waits and no runtime is bound: the session may be forgotten."""
        return self.loan.binding is None and not self.loan.bringing_up and not self._queue.all

    # asked by people

    async def execute(self, principal: Principal, asked: Sequence[Asked] | None) -> list[Execution]:
        """Queue these cells (None: every code cell), all or none. Raises Conflict(code="stale_source")."""
        async with self._asking:
            sources = await self._world.documents.sources(self.notebook)
            meant = chosen(sources, asked)
            await self._admit(principal)
            if is_everything(sources, meant):
                await self._world.documents.before_run_all(self.notebook, principal.user)
            new: list[Execution] = []
            answer: list[Execution] = []
            waiting = {self.lives[id].execution.cell: self.lives[id].execution for id in self._queue.waiting}
            for source in meant:
                known = waiting.get(source.cell)
                if known is not None and known.source == source.source:
                    answer.append(known)
                    continue
                self._position += 1
                made = Execution(
                    id=ExecutionId(new_id()),
                    notebook=self.notebook,
                    cell=source.cell,
                    user=principal.user,
                    user_name=principal.name,
                    position=self._position,
                    source=source.source,
                    source_hash=source_hash(source.source),
                    queued_at=now_ms(),
                )
                new.append(made)
                answer.append(made)
            if len(self._queue.waiting) + len(new) > model.QUEUE_MAX:
                raise TooMany("More cells wait than a kernel may be asked for.", why="many_waiting")
            await self._enqueue(new)
        if self.loan.binding is None:
            self.loan.bring_up(principal)
        elif self.loan.kernel_state == "dead" and self.loan.connected and self._renewing_since is None:
            await self._renew()
        await self._pump()
        self.showing.tell_session()
        return answer

    async def _enqueue(self, new: Sequence[Execution]) -> None:
        """Write them down, then queue them. A free kernel starts the first of them without a second write."""
        async with self._starting:
            at_once = bool(new) and self._free and not self._queue.all
            if at_once:
                environment = self.installed.environment
                new = [replace(new[0], state=State.RUNNING, started_at=now_ms(), environment=environment), *new[1:]]
            async with self.lives.written() as tx:
                await store.insert_executions(tx, [(execution, []) for execution in new])
                if at_once:
                    await store.set_heads(tx, self.notebook, {new[0].cell: new[0].id})
            for execution in new:
                self.lives.keep(execution)
                self._queue = model.requested(self._queue, execution.id)
                if execution.state is State.QUEUED:
                    self.showing.tell(execution_frame(execution) | {"type": "execution"})
            if at_once:
                self._queue = model.started(self._queue).queue
                await self._begin(self.lives[new[0].id])

    @property
    def _free(self) -> bool:
        """The kernel would take an execution now."""
        return (
            self.loan.connected
            and self._renewing_since is None
            and self.loan.kernel_state != "dead"
            and self._queue.running is None
        )

    @property
    def executing(self) -> bool:
        """A cell runs."""
        return self._queue.running is not None

    async def keep(self) -> None:
        """Somebody still needs the runtime: its idle time starts again. Raises Unavailable if there is none."""
        if self.loan.binding is None:
            raise Unavailable("There is no runtime to keep.")
        await self._world.machines.keep(self.loan.binding.runtime)

    async def connect(self, principal: Principal, asked: choice.Asked = ANYTHING) -> None:
        """Ask for a runtime, if there is none; one of another type or version than the asked one is given back first.

        Raises QuotaExceeded.
        """
        if (self.loan.binding is not None or self.loan.bringing_up) and self.loan.is_other_than(asked):
            await self.disconnect()
        await self._admit(principal)
        if self.loan.binding is None:
            self.loan.bring_up(principal, asked)

    async def _admit(self, principal: Principal) -> None:
        """Refuse at once what would be refused later; whoever slips past that is refused then, with the same words."""
        if self.loan.binding is None and not self.loan.bringing_up:
            await self._world.machines.admit(principal.user)

    async def interrupt(self) -> None:
        """Stop what runs and forget what waits. A second time, or after a grace, the kernel is terminated."""
        self.diary.note("interrupt")
        self._adopt(model.emptied(self._queue), reasons.words("stopped"))
        running = self._queue.running
        await self._stopping.stop(None if running is None else self.lives[running])

    async def restart(self, reason: str = RESTARTED) -> None:
        """A new kernel in the same runtime: of another language, if the notebook names another by now."""
        meant = reason == RESTARTED
        self.diary.note("restart", "info" if meant else "warning", **reasons.told(None if meant else reason))
        self._adopt(model.emptied(self._queue), reason)
        self.loan.kernel_reason = reason
        self._deaths = 0
        if await self.loan.choose_kernel():
            await self._end_running(State.FAILED, reason)
            await self.widgets.kernel_gone(self.loan.handled)
            self.installed.kernel_is_new()
            self.showing.tell_session()
        else:
            await self._renew()

    async def disconnect(self) -> None:
        """Give the runtime back."""
        binding = self.loan.binding
        await self.loan.hang_up()
        await self._lost(reasons.words("runtime_given_back"), state=State.CANCELLED)
        if binding is not None:
            await self._world.machines.release(binding.runtime)

    def cancel(self, cell: CellId) -> None:
        """Take a cell out of the queue."""
        for id in self._queue.waiting:
            if self.lives[id].execution.cell == cell:
                self._adopt(model.cancelled(self._queue, id), None)

    async def input(self, execution: ExecutionId, value: str) -> None:
        """Answer `input()`. Raises Conflict if nobody asks any more."""
        live = self.lives.get(execution)
        if live is None or live.execution.input is None or live.over:
            raise Conflict("Nothing asks for input any more.")
        if len(value) > INPUT_CHARACTERS_MAX:
            raise Invalid("The answer is too long.")
        asked = live.execution.input
        await self.loan.request({"op": "input_reply", "parent": execution, "value": value})
        live.change(input=None)
        shown = "·" * 8 if asked["password"] else value
        text = f"{asked['prompt']}{shown}\n"
        live.take({"kind": "stream", "name": "stdout", "text": text, "seq": max(live.last_seq, int(asked["seq"]))})
        self.showing.tell(execution_frame(live.execution) | {"type": "execution"})
        self._changed()

    async def clear(self, cells: Sequence[CellId] | None) -> None:
        """Forget the outputs of these cells; what runs keeps running."""
        running = None if self._queue.running is None else self.lives[self._queue.running].execution.cell
        async with self._world.db.write() as tx:
            shown = [e for e, _ in await store.read_heads(tx, self.notebook) if cells is None or e.cell in cells]
            gone = [execution for execution in shown if execution.cell != running]
            await store.remove_heads(tx, self.notebook, [execution.cell for execution in gone])
        for execution in gone:
            live = self.lives.get(execution.id)
            version = 1 if live is None else live.version + 1
            if live is not None:
                live.version = version
            named = {"type": "outputs", "execution": execution.id, "cell": execution.cell}
            self.showing.tell(named | {"version": version, "splice": [0, []]})

    async def show(self, shown: dict[CellId, ExecutionId | None]) -> None:
        """These cells show what these executions left (None: nothing), but for the cell that runs."""
        running = None if self._queue.running is None else self.lives[self._queue.running].execution.cell
        wanted = {cell: id for cell, id in shown.items() if cell != running}
        async with self._world.db.write() as tx:
            known = await store.read_executions(tx, self.notebook, [id for id in wanted.values() if id is not None])
            before = await store.read_shown(tx, self.notebook)
            found = [(execution, left) for execution, left in known if wanted.get(execution.cell) == execution.id]
            await store.remove_heads(tx, self.notebook, list(wanted))
            await store.set_heads(tx, self.notebook, {execution.cell: execution.id for execution, _ in found})
        for cell in before.keys() & (wanted.keys() - {execution.cell for execution, _ in found}):
            named = {"type": "outputs", "execution": before[cell], "cell": cell}
            self.showing.tell(named | {"version": 1, "splice": [0, []]})
        frames = [execution_frame(execution, [plain_output(one) for one in left], 0) for execution, left in found]
        if frames:
            self.showing.tell({"type": "cells", "executions": frames})

    async def _past_widgets(self) -> dict[str, Any]:
        async with self._world.db.read() as tx:
            return await widget_store.read_states(tx, self.notebook)

    async def _leave_widgets(self) -> None:
        """What cells show of widgets is kept beside the outputs, for when nothing else is left of their kernel."""
        if self.widgets.known:
            states = await self.widgets.saved(await self.viewed(), SAVED_WIDGETS_BYTES_MAX)
            async with self._world.db.write() as tx:
                await widget_store.write_states(tx, self.notebook, states, now_ms())

    async def viewed(self) -> set[str]:
        """The models of widgets that some cell shows."""
        async with self._world.db.read() as tx:
            heads = await store.read_heads(tx, self.notebook)
        lives = [(self.lives.get(execution.id), stored) for execution, stored in heads]
        outputs = [stored if live is None else live.stored_outputs() for live, stored in lives]
        return {id for left in outputs for output in left for id in widget_model.viewed(output)}

    def aside(self, what: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Do something for a tab that the tab need not wait for. Raises TooMany."""
        if self._asides >= ASIDES_MAX:
            raise TooMany("The kernel has too many questions to answer.")
        self._asides += 1
        self._tasks.start_soon(self._do_aside, what, arguments)

    async def _do_aside(self, what: Callable[..., Awaitable[None]], arguments: tuple[Any, ...]) -> None:
        try:
            await what(*arguments)
        finally:
            self._asides -= 1

    def state_frame(self) -> dict[str, Any]:
        """The `session` frame."""
        return self.showing.session_frame()

    async def shown(self) -> list[dict[str, Any]]:
        """What each cell shows."""
        return await self.showing.shown()

    # the line to the agent

    @property
    def position(self) -> tuple[str | None, int]:
        """Where the journal of the agent is to be read on."""
        return (None if self.loan.binding is None else self.loan.binding.epoch), self.loan.handled

    async def connected(self, welcome: Welcome) -> None:
        """The agent answered."""
        binding = self.loan.binding
        assert binding is not None
        if binding.epoch != welcome.epoch:
            if binding.epoch is not None:
                await self._end_running(State.FAILED, reasons.words("started_anew"))
            self.loan.binding = binding = replace(binding, epoch=welcome.epoch, stored_seq=0)
            self.loan.handled = 0
            self._intake.forget()
            await self.widgets.kernel_gone(0)
        self.loan.connected = True
        await self.loan.start_kernel()
        if (state := welcome.kernels.get(binding.kernel)) is not None:
            self.loan.kernel_state = "idle" if state == "busy" else state
        self._renewing_since = None
        self.installed.look_once()
        if self._queue.running is not None:
            await self._send_execute(self.lives[self._queue.running].execution)
        self.showing.tell_session()
        await self._pump()

    async def disconnected(self) -> None:
        """The stream broke; the line will try again."""
        self.loan.connected = False

    async def refused(self, id: str, detail: str) -> None:
        """The agent could not do something."""
        if self._queue.running == id:
            await self._finish(self.lives[self._queue.running], State.FAILED, detail)

    async def record(self, record: Message | KernelChange) -> None:
        """The next thing the agent has to tell. On a full disk it waits for room, and the agent keeps the rest."""
        while True:
            try:
                if isinstance(record, KernelChange):
                    await self._kernel_changed(record)
                else:
                    await self._message(record)
                break
            except (StorageFull, OSError) as error:
                log.error("outputs.unwritten", notebook=self.notebook, detail=str(error))
                await anyio.sleep(FULL_DISK_SECONDS)
        self.loan.handled = record.seq
        self._unstored.set()

    async def _message(self, message: Message) -> None:
        if self.loan.binding is not None and message.kernel == self.loan.binding.kernel:
            if await self.widgets.take(message):
                self._unstored.set()
                return
            message = self.widgets.placed(message)
        live = await self._intake.take(message)
        self._changed()
        if live is not None and live.idle and live.replied and not live.over:
            reason = live.execution.reason
            stopped = reason == UNSEEN and self._stopping.interrupted == live.execution.id
            state = live.ended_as()
            meant = state is State.FAILED and not stopped and await self._may_fail(live.execution.cell)
            await self._finish(live, state, reasons.words("stopped") if stopped else reason, stops=not meant)

    async def _kernel_changed(self, change: KernelChange) -> None:
        if self.loan.binding is None or change.kernel != self.loan.binding.kernel:
            return
        self.loan.kernel_state = change.state
        if change.state in ("restarting", "dead"):
            await self.widgets.kernel_gone(change.seq)
        match change.state:
            case "idle":
                self._note_kernel_begun()
                self._deaths, self.loan.kernel_reason = 0, None
            case "restarting":
                self._renewing_since, self._begun = None, False
                self.installed.kernel_is_new()
                if self._queue.running is not None:
                    reason = self.loan.kernel_reason or RESTARTED
                    await self._end_running(State.FAILED, reason, change.seq, others=False)
            case "dead":
                reason = await self._cause(change)
                self.loan.kernel_reason = reason
                self._begun = False
                self.diary.note("kernel_ended", "info" if change.asked else "error", **reasons.told(reason))
                await self.loan.read_printed()
                await self._end_running(State.FAILED, reason, change.seq)
                self._deaths += 1
                if not change.asked and self._deaths < DEATHS_MAX:
                    await self._renew()
        self.showing.tell_session()
        await self._pump()

    def _note_kernel_begun(self) -> None:
        """A kernel is idle after every cell; that it came is noted once."""
        if not self._begun and self.loan.binding is not None:
            self._begun = True
            self.diary.note("kernel_begun", kernel=self.loan.binding.kernel_name)

    async def _renew(self) -> None:
        # One that was asked for and has not begun is as new as one asked for now, which would end it again, and with it
        # what was sent to it when the first was told of.
        now = anyio.current_time()
        if self._renewing_since is not None and now - self._renewing_since < RENEWING_SECONDS_MAX:
            return
        self._renewing_since = now
        try:
            await self.loan.request({"op": "restart"})
        except Unavailable:
            self._renewing_since = None
            raise

    async def _cause(self, change: KernelChange) -> str:
        memory = ends.Memory() if change.asked else await self.loan.memory()
        return ends.of_kernel(change.signal, change.code, memory, asked=change.asked)

    # what runs

    async def _pump(self) -> None:
        """A free kernel gets what is first in line; that it starts is written down before the kernel hears of it."""
        async with self._starting:
            if not self._free:
                return
            step = model.started(self._queue)
            self._queue = step.queue
            if step.start is None:
                return
            live = self.lives[step.start]
            live.change(state=State.RUNNING, started_at=now_ms(), environment=self.installed.environment)
            try:
                async with self.lives.written() as tx:
                    await store.set_heads(tx, self.notebook, {live.execution.cell: step.start})
            except BaseException:
                live.change(state=State.QUEUED, started_at=None)
                self._queue = replace(self._queue, running=None, waiting=(step.start, *self._queue.waiting))
                raise
            await self._begin(live)

    async def _begin(self, live: Live) -> None:
        """Its start is written down: those who watch and the kernel are told."""
        self._stopping.forget()
        if self.loan.binding is not None:
            self._world.machines.touch(self.loan.binding.runtime)
        self.showing.tell(execution_frame(live.execution, [], live.version) | {"type": "execution"})
        await self._send_execute(live.execution)

    async def _send_execute(self, execution: Execution) -> None:
        assert self.loan.binding is not None
        header = {"op": "execute", "id": execution.id, "code": execution.source}
        options = {"allow_stdin": True, "stop_on_error": True, "store_history": True, "silent": False}
        with suppress(Unavailable):
            await self.loan.request(header | options)

    async def _may_fail(self, cell: CellId) -> bool:
        try:
            return await self._world.documents.may_fail(self.notebook, cell)
        except CollegiumError as error:
            log.warning("tags.unreadable", notebook=self.notebook, why=error.code)
            return False

    async def _finish(self, live: Live, state: State, reason: str | None, *, stops: bool = True) -> None:
        """It ended; what waited behind a failure does not run, unless it was asked for after the failure."""
        live.change(state=state, reason=reason, finished_at=now_ms(), input=None)
        live.outputs_dirty = True
        for frame in live.frames(all_text=True):
            self.showing.tell(frame)
        self.showing.tell(execution_frame(live.execution) | {"type": "execution"})
        log.info("execution.finished", notebook=self.notebook, execution=live.execution.id, state=str(state))
        self.installed.ended(live.execution)
        failed = stops and state is not State.FINISHED
        self._adopt(model.finished(self._queue, live.execution.id, failed=failed), reasons.words("before_failed"))
        self._changed()
        await self._pump()
        self.showing.tell_session()

    async def _end_running(self, state: State, reason: str, seq: int | None = None, *, others: bool = True) -> None:
        """The kernel that ran it is gone, and the cell says so. `others`: what waits will not run either."""
        if self._queue.running is None:
            self._adopt(model.emptied(self._queue), reason)
            return
        live = self.lives[self._queue.running]
        number = live.last_seq if seq is None else seq
        if number > live.last_seq or seq is None:
            shown = error_output({"ename": "KernelDied", "evalue": reason, "traceback": [f"\x1b[31m{reason}\x1b[0m"]})
            live.take({"kind": "output", "output": shown, "seq": number})
        await self._finish(live, state, reason, stops=others)

    def _adopt(self, step: Step, reason: str | None) -> None:
        """The new queue; those who will never run are told."""
        self._queue = step.queue
        for id in step.cancelled:
            live = self.lives[id]
            live.change(state=State.CANCELLED, reason=reason, finished_at=now_ms())
            self.showing.tell(execution_frame(live.execution) | {"type": "execution"})
        if step.cancelled:
            self._tasks.start_soon(self._tell_heads, {self.lives[id].execution.cell for id in step.cancelled})
            self._unstored.set()
            self.showing.tell_session()

    async def _tell_heads(self, cells: set[CellId]) -> None:
        """Cells that will not run show what they showed before."""
        shown = [frame for frame in await self.showing.shown() if frame["cell"] in cells and "outputs" in frame]
        for frame in shown:
            self.showing.tell({"type": "cells", "executions": [frame]})

    # runtime

    async def _lost(self, reason: str, *, state: State = State.FAILED) -> None:
        """There is no runtime any more."""
        await self._end_running(state, reason)
        await self._leave_widgets()
        await self.widgets.kernel_gone(0)
        self.loan.binding, self.loan.kernel_state = None, "dead"
        self.watching.forget()
        self.installed.forget()
        machine, self.loan.machine = self.loan.machine, None
        self._begun = False
        self.diary.note("runtime_ended", "error" if state is State.FAILED else "info", **reasons.told(reason))
        async with self.lives.written() as tx:
            await store.delete_binding(tx, self.notebook)
        if machine is not None and state is State.FAILED:
            self.loan.machine = replace(machine, state="failed", reason=reason)
        self.showing.tell_session()

    # writing down and telling

    def _changed(self) -> None:
        self.showing.changed()
        self._unstored.set()

    async def _touch_regularly(self) -> None:
        while True:
            await anyio.sleep(TOUCH_SECONDS)
            if self.loan.binding is not None and self._queue.running is not None:
                self._world.machines.touch(self.loan.binding.runtime)

    async def _store_regularly(self) -> None:
        while True:
            await self._unstored.wait()
            self._unstored = anyio.Event()
            try:
                await self._store()
                await self._pump()
            except CollegiumError as error:
                log.error("outputs.unstored", notebook=self.notebook, detail=error.detail)
                self._unstored.set()
            await anyio.sleep(self._world.settings.store_seconds)

    async def _store(self) -> None:
        """Segments to disk, then the index, then the agent may forget."""
        async with self._storing:
            handled = self.loan.handled
            await self.lives.sync()
            await self.widgets.sync()
            async with self.lives.written() as tx:
                if self.loan.binding is not None:
                    self.loan.binding = replace(self.loan.binding, stored_seq=handled)
                    await store.write_binding(tx, self.loan.binding, now_ms())
            if self.loan.connected:
                with suppress(Unavailable):
                    await self.loan.request({"op": "stored", "seq": handled})


@asynccontextmanager
async def open_session(notebook: NotebookId, world: World, tasks: TaskGroup) -> AsyncIterator[Session]:
    """A session, read from the database; what it holds is written down at the end."""
    session = Session(notebook, world, tasks)
    await session.load()
    try:
        yield session
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            await session.close()
