"""Kernels and sessions for clients that speak Jupyter: started in a runtime of their user's, and found again later."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
from anyio.abc import ByteStream, TaskGroup, TaskStatus

from collegium.accounts.model import Principal
from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Invalid, NotFound, TooMany, Unavailable
from collegium.ground.ids import KernelId, NotebookId, RuntimeId, UserId, new_id
from collegium.ground.log import get_log
from collegium.jupyter import store
from collegium.jupyter.live import LiveKernel
from collegium.jupyter.model import DEFAULT_KERNEL, TEXT_MAX, Kernel, PageKernel, Session
from collegium.jupyter.ports import Machines, Pages, Specs
from collegium.kernels.channels import Malformed

log = get_log("jupyter")

KERNELS_PER_RUNTIME_MAX = 12
KERNELS_PER_USER_MAX = 24
SESSIONS_PER_USER_MAX = 200
TOUCH_SECONDS = 20.0
LINGER_SECONDS = 120.0
"""A page's kernel that no client of this API is connected to is listened to a little longer."""


class Jupyter:
    """All of it, for all users.

    The kernels of one user share a runtime: runtimes keep users apart, and a client of this API starts a kernel per
    document, which would soon use up what a user may have.
    """

    def __init__(self, db: Database, machines: Machines, specs: Specs, pages: Pages, tasks: TaskGroup) -> None:
        self.specs = specs
        self.started_at = now_ms()
        self._db = db
        self._machines = machines
        self._pages = pages
        self._tasks = tasks
        self._kernels: dict[KernelId, tuple[UserId, LiveKernel]] = {}
        self._joined: dict[tuple[UserId, KernelId], LiveKernel] = {}
        self._turns: dict[UserId, anyio.Lock] = {}
        self._holding: dict[UserId, set[RuntimeId]] = {}

    # kernels

    async def kernels(self, principal: Principal) -> list[LiveKernel]:
        """Those of this user, and those of their notebooks on pages."""
        own = [kernel for user, kernel in self._kernels.values() if user == principal.user]
        return own + [self._page_kernel(principal, page) for page in await self._pages.kernels(principal)]

    async def kernel(self, principal: Principal, id: str | None) -> LiveKernel:
        """One of them. Raises NotFound."""
        found = self._kernels.get(KernelId(id or ""))
        if found is not None and found[0] == principal.user:
            return found[1]
        for page in await self._pages.kernels(principal):
            if page.kernel == id:
                return self._page_kernel(principal, page)
        raise NotFound("Kernel does not exist.")

    async def listened(self, principal: Principal, id: str | None) -> LiveKernel:
        """The same, with its channels open. Raises NotFound or Unavailable."""
        kernel = await self.kernel(principal, id)
        if kernel.page is not None:
            key = principal.user, kernel.id
            if key not in self._joined:
                self._joined[key] = kernel
                self._tasks.start_soon(self._keep_joined, key, kernel)
            kernel = self._joined[key]
        await kernel.connected()
        return kernel

    def _page_kernel(self, principal: Principal, page: PageKernel) -> LiveKernel:
        known = self._joined.get((principal.user, page.kernel))
        if known is not None:
            return known
        kernel = self._live(page.kernel, page.runtime, page.spec, page=NotebookId(page.notebook))
        kernel.state = page.state
        return kernel

    async def start(self, principal: Principal, name: str | None, env: Mapping[str, str]) -> LiveKernel:
        """A new kernel. Raises Invalid, TooMany, QuotaExceeded or Unavailable."""
        name = name or DEFAULT_KERNEL
        specs = await self.specs.all()
        if name not in specs:
            raise Invalid(f"There is no kernel named {name[:100]!r}.", code="no_such_kernel")
        async with self._turn(principal.user):
            runtime = await self._runtime(principal.user)
            kernel = Kernel(KernelId(new_id()), principal.user, runtime, name, now_ms())
            live = self._live(
                kernel.id,
                runtime,
                name,
                interrupt_mode=specs[name].interrupt_mode,
                start={"name": name, "env": dict(env)},
            )
            async with self._db.write() as tx:
                await store.insert_kernel(tx, kernel)
            self._kernels[kernel.id] = principal.user, live
            self._tasks.start_soon(self._keep, kernel, live)
        try:
            await live.connected()
        except Unavailable:
            live.gone.set()
            raise
        log.info("kernel.started", kernel=kernel.id, runtime=runtime, user=principal.user, name=name)
        return live

    async def interrupt(self, principal: Principal, id: str | None) -> None:
        """Stop what runs. Raises NotFound or Unavailable."""
        kernel = await self.kernel(principal, id)
        if kernel.page is not None:
            await self._pages.interrupt(principal, kernel.page)
        else:
            await kernel.interrupt()

    async def restart(self, principal: Principal, id: str | None) -> LiveKernel:
        """A new process under the same id. Raises NotFound or Unavailable."""
        kernel = await self.kernel(principal, id)
        if kernel.page is not None:
            await self._pages.restart(principal, kernel.page)
        else:
            await kernel.restart()
        return kernel

    async def shut_down(self, principal: Principal, id: str | None) -> None:
        """End it; the runtime is given back after its last kernel. Raises NotFound."""
        kernel = await self.kernel(principal, id)
        if kernel.page is not None:
            await self._pages.disconnect(principal, kernel.page)
            return
        try:
            await kernel.shut_down()
        except Unavailable as error:
            log.warning("kernel.not_asked_to_end", kernel=kernel.id, why=error.detail)
        kernel.gone.set()
        await self._forgotten(kernel.id)

    # sessions

    async def sessions(self, principal: Principal) -> list[tuple[Session, LiveKernel]]:
        """Those of this user; a notebook that runs on a page is one of them."""
        async with self._db.read() as tx:
            named = await store.read_sessions(tx, principal.user)
        pages = await self._pages.kernels(principal)
        living = {page.kernel: self._page_kernel(principal, page) for page in pages}
        living |= {id: kernel for id, (user, kernel) in self._kernels.items() if user == principal.user}
        shown = [
            Session(page.notebook, principal.user, page.kernel, page.path, page.name, "notebook", 0) for page in pages
        ]
        return [(session, living[session.kernel]) for session in shown + named if session.kernel in living]

    async def session(self, principal: Principal, id: str | None) -> tuple[Session, LiveKernel]:
        """One of them. Raises NotFound."""
        for session, kernel in await self.sessions(principal):
            if session.id == id:
                return session, kernel
        raise NotFound("Session does not exist.")

    async def create_session(
        self, principal: Principal, *, path: str, name: str, type: str, kernel_name: str | None, kernel_id: str | None
    ) -> tuple[Session, LiveKernel]:
        """A name for a kernel, started if none is given; what is there under this path, if something is."""
        _refuse_long(path, name, type)
        known = await self.sessions(principal)
        for session, kernel in known:
            if session.path == path:
                return session, kernel
        if len(known) >= SESSIONS_PER_USER_MAX:
            raise TooMany("Too many sessions.")
        if kernel_id is not None:
            kernel = await self.kernel(principal, kernel_id)
        else:
            kernel = await self.start(principal, kernel_name, {})
        made = Session(new_id(), principal.user, kernel.id, path, name, type, now_ms())
        async with self._db.write() as tx:
            await store.insert_session(tx, made)
        return made, kernel

    async def change_session(
        self,
        principal: Principal,
        id: str | None,
        *,
        path: str | None = None,
        name: str | None = None,
        type: str | None = None,
        kernel_name: str | None = None,
        kernel_id: str | None = None,
    ) -> tuple[Session, LiveKernel]:
        """Another name or another kernel; the kernel it had before is shut down. Raises NotFound or Invalid."""
        session, before = await self.session(principal, id)
        if before.page is not None and session.id == before.page:
            raise Invalid("This session belongs to a notebook that is open on its page.")
        _refuse_long(path or "", name or "", type or "")
        if kernel_id is not None:
            try:
                kernel = await self.kernel(principal, kernel_id)
            except NotFound as error:
                raise Invalid("There is no such kernel.") from error
        elif kernel_name is not None:
            kernel = await self.start(principal, kernel_name, {})
        else:
            kernel = before
        changed = replace(
            session,
            path=session.path if path is None else path,
            name=session.name if name is None else name,
            type=session.type if type is None else type,
            kernel=kernel.id,
        )
        async with self._db.write() as tx:
            await store.update_session(tx, changed)
        if kernel.id != before.id and before.page is None:
            await self.shut_down(principal, before.id)
        return changed, kernel

    async def delete_session(self, principal: Principal, id: str | None) -> None:
        """Forget it and shut its kernel down; the kernel of a page runs on. Raises NotFound."""
        session, kernel = await self.session(principal, id)
        async with self._db.write() as tx:
            await store.delete_session(tx, session.id)
        if kernel.page is None:
            await self.shut_down(principal, kernel.id)

    # runtimes

    async def hold(self, principal: Principal) -> RuntimeId:
        """This user's runtime for other things than kernels (terminals). Raises QuotaExceeded or Unavailable."""
        async with self._turn(principal.user):
            runtime = await self._runtime(principal.user)
            self._holding.setdefault(principal.user, set()).add(runtime)
            return runtime

    async def let_go(self, user: UserId, runtime: RuntimeId) -> None:
        """Nothing but kernels needs it any more."""
        self._holding.get(user, set()).discard(runtime)
        await self._release_unused(user, runtime)

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        """A stream to the agent of one of these runtimes. Raises NotFound or Unavailable."""
        return await self._machines.connect(runtime)

    def touch(self, runtime: RuntimeId) -> None:
        """It is in use."""
        self._machines.touch(runtime)

    def runtimes(self, user: UserId) -> set[RuntimeId]:
        """Where something of this user's is that was asked for here."""
        mine = {kernel.runtime for owner, kernel in self._kernels.values() if owner == user}
        return mine | self._holding.get(user, set())

    async def _runtime(self, user: UserId) -> RuntimeId:
        mine = [kernel for owner, kernel in self._kernels.values() if owner == user]
        if len(mine) >= KERNELS_PER_USER_MAX:
            raise TooMany(f"You have {KERNELS_PER_USER_MAX} kernels already. Shut one down first.")
        for runtime in self.runtimes(user):
            inside = sum(kernel.runtime == runtime for kernel in mine)
            if inside < KERNELS_PER_RUNTIME_MAX and await self._machines.live(runtime):
                self._machines.touch(runtime)
                return runtime
        return await self._machines.acquire(user)

    async def _release_unused(self, user: UserId, runtime: RuntimeId) -> None:
        async with self._turn(user):
            if runtime not in self.runtimes(user):
                await self._machines.release(runtime)

    def _turn(self, user: UserId) -> anyio.Lock:
        return self._turns.setdefault(user, anyio.Lock())

    # lives

    def _live(
        self,
        id: KernelId,
        runtime: RuntimeId,
        spec: str,
        *,
        interrupt_mode: str = "signal",
        start: Mapping[str, object] | None = None,
        page: NotebookId | None = None,
    ) -> LiveKernel:
        return LiveKernel(
            id,
            runtime,
            spec,
            lambda: self._machines.connect(runtime),
            touch=lambda: self._machines.touch(runtime),
            interrupt_mode=interrupt_mode,
            start=start,
            page=page,
        )

    async def _keep(self, kernel: Kernel, live: LiveKernel) -> None:
        """A kernel's whole life. A server that ends leaves it running, for the next one to find."""
        try:
            await self._live_through(kernel, live)
        except CollegiumError as error:
            log.info("kernel.lost", kernel=kernel.id, why=error.detail)
        except Exception:  # a bug in one kernel's life is logged with its trace, and ends that kernel alone
            log.exception("kernel.failed", kernel=kernel.id)
        try:
            await self._forgotten(kernel.id)
        except CollegiumError as error:
            # The next server finds it without a runtime.
            log.warning("kernel.not_forgotten", kernel=kernel.id, why=error.detail)

    async def _live_through(self, kernel: Kernel, live: LiveKernel) -> None:
        try:
            await live.run()
        except Malformed as error:
            log.warning("runtime.malformed", runtime=kernel.runtime, detail=str(error))
            await self._machines.failed(kernel.runtime, reasons.words("malformed", what=error))

    async def _forgotten(self, kernel: KernelId) -> None:
        found = self._kernels.pop(kernel, None)
        if found is None:
            return
        user, live = found
        async with self._db.write() as tx:
            await store.delete_kernel(tx, kernel)
        await self._release_unused(user, live.runtime)
        log.info("kernel.ended", kernel=kernel, user=user)

    async def _keep_joined(self, key: tuple[UserId, KernelId], live: LiveKernel) -> None:
        try:
            await live.run()
        except (CollegiumError, Malformed) as error:
            log.info("kernel.left", kernel=live.id, why=str(error))
        except Exception:  # as above: who joined this kernel is let go, the others stay
            log.exception("kernel.failed", kernel=live.id)
        finally:
            self._joined.pop(key, None)

    async def begin(self) -> None:
        """Find what the last server left, and keep what is busy. Only one process of a server may."""
        await self._tasks.start(self.pick_up)

    async def pick_up(self, *, task_status: TaskStatus[None]) -> None:
        """Kernels that the last server left are found again; then whatever runs keeps its runtime."""
        async with self._db.read() as tx:
            rows = await store.read_kernels(tx)
        for kernel in rows:
            if await self._machines.live(kernel.runtime):
                live = self._live(kernel.id, kernel.runtime, kernel.name, interrupt_mode=await self._mode(kernel.name))
                self._kernels[kernel.id] = kernel.user, live
                self._tasks.start_soon(self._keep, kernel, live)
            else:
                async with self._db.write() as tx:
                    await store.delete_kernel(tx, kernel.id)
        task_status.started()
        while True:
            await anyio.sleep(TOUCH_SECONDS)
            for _, live in self._kernels.values():
                if live.busy:
                    self._machines.touch(live.runtime)
            for live in list(self._joined.values()):
                if live.unused_seconds > LINGER_SECONDS:
                    live.gone.set()

    async def _mode(self, name: str) -> str:
        try:
            spec = (await self.specs.all()).get(name)
        except Unavailable:
            return "signal"
        return "signal" if spec is None else spec.interrupt_mode


def _refuse_long(*texts: str) -> None:
    if any(len(text) > TEXT_MAX for text in texts):
        raise Invalid(f"A path, a name or a type has at most {TEXT_MAX} characters.")


@asynccontextmanager
async def open_jupyter(
    db: Database, machines: Machines, specs: Specs, pages: Pages, *, begin: bool = True
) -> AsyncIterator[Jupyter]:
    """The kernels of the Jupyter API; at the end they run on."""
    async with anyio.create_task_group() as tasks:
        jupyter = Jupyter(db, machines, specs, pages, tasks)
        if begin:
            await jupyter.begin()
        try:
            yield jupyter
        finally:
            tasks.cancel_scope.cancel()
