"""The environments of notebooks: what was installed on top of a runtime version, and the locks that keep it."""

from dataclasses import replace

from collegium.accounts.model import Action, Principal
from collegium.ground.clock import now_ms
from collegium.ground.errors import Invalid, NotFound, TooLarge, Unavailable
from collegium.ground.ids import ExecutionId, ItemId, NotebookId, RuntimeId
from collegium.ground.log import get_log
from collegium.kernels.files import FilesClient
from collegium.sessions import environment_store, programs, store
from collegium.sessions.choice import Asked, choose, wish
from collegium.sessions.environment_store import Environment
from collegium.sessions.errand import run_errand
from collegium.sessions.locks import LocalFile, parse
from collegium.sessions.model import OnTop, Pin
from collegium.sessions.ports import Authority
from collegium.sessions.service import Sessions
from collegium.sessions.session import Session

FILES_BYTES_MAX = 64 * 1024 * 1024
LOCK_SECONDS_MAX = 120.0
WHEEL = "application/zip"

log = get_log("sessions")


class NotebookEnvironments:
    """One per server."""

    def __init__(self, sessions: Sessions, authority: Authority) -> None:
        self._sessions = sessions
        self._world = sessions.world
        self._layers = sessions.layers
        self._authority = authority

    async def of(self, principal: Principal, notebook: NotebookId) -> tuple[Pin | None, OnTop]:
        """What a notebook is pinned to, and what its runtime has on top. Raises NotFound."""
        session = await self._sessions.allowed(principal, notebook, Action.READ)
        async with self._world.db.read() as tx:
            pin = await environment_store.read_pin(tx, notebook)
        if pin is not None:
            pin = replace(pin, ready=await self._layers.is_ready(pin.lock, await self._version(session)))
        return pin, session.installed.on_top

    async def ran_in(self, principal: Principal, notebook: NotebookId, execution: ExecutionId) -> Environment:
        """What an execution ran in. Raises NotFound, also if that was not recorded."""
        ran, _ = await self._sessions.execution(principal, notebook, execution)
        async with self._world.db.read() as tx:
            found = await environment_store.read_environment(tx, notebook, ran.environment or "")
        if found is None:
            raise NotFound("What this execution ran in was not recorded.")
        return found

    async def pin(self, principal: Principal, notebook: NotebookId) -> None:
        """Lock what the notebook's runtime has on top. Raises NotFound, Forbidden, Invalid, Unavailable."""
        session = await self._sessions.allowed(principal, notebook, Action.RUN)
        binding, machine = session.loan.binding, session.loan.machine
        if binding is None or machine is None or not session.loan.connected:
            raise Unavailable("There is no runtime whose packages could be kept. Connect first.")
        base = [(one.name, one.version) for one in await self._world.machines.packages(machine.version)]
        try:
            printed = await run_errand(
                lambda: self._world.machines.connect(binding.runtime),
                programs.lock(base),
                seconds=LOCK_SECONDS_MAX,
                heard=lambda _text: None,
                position=session.position,
            )
        except Unavailable as error:
            raise Invalid(f"What is installed cannot be kept: {error.detail}") from error
        found = programs.locked(printed)
        text = None if found is None else found.get("lock")
        if not isinstance(text, str):
            raise Unavailable("The runtime did not say what is installed in it.")
        if not text.strip():
            raise Invalid("Nothing is installed on top of the runtime version, so there is nothing to keep.")
        lock = parse(text)
        for file in lock.files:
            await self._keep_file(binding.runtime, notebook, file)
        await self._write(principal, notebook, text, machine.version)

    async def put(self, principal: Principal, notebook: NotebookId, lock: str | None) -> None:
        """Start with this lock from now on; None: with the version alone. Raises NotFound, Forbidden, Invalid."""
        await self._authority.authorize(principal, ItemId(notebook), Action.RUN)
        if lock is None:
            async with self._world.db.write() as tx:
                await environment_store.delete_pin(tx, notebook)
            log.info("environment.unpinned", notebook=notebook, user=principal.user)
            return
        parsed = parse(lock)
        if not parsed.names:
            raise Invalid("The lock names no package. Unpin the notebook instead.")
        session = await self._sessions.allowed(principal, notebook, Action.RUN)
        await self._write(principal, notebook, lock, await self._version(session))

    async def _write(self, principal: Principal, notebook: NotebookId, lock: str, version: str) -> None:
        pin = Pin(lock=lock, at=now_ms(), by=principal.name)
        async with self._world.db.write() as tx:
            await environment_store.write_pin(tx, notebook, pin, principal.user)
        log.info("environment.pinned", notebook=notebook, user=principal.user)
        self._layers.begin(notebook, lock, version)

    async def _version(self, session: Session) -> str:
        """The runtime version that the notebook has, or would get."""
        if session.loan.binding is not None and session.loan.machine is not None:
            return session.loan.machine.version
        metadata = await self._world.documents.metadata(session.notebook)
        return choose(wish(metadata), Asked(), await self._world.machines.offers()).version

    async def _keep_file(self, runtime: RuntimeId, notebook: NotebookId, file: LocalFile) -> None:
        """A file that was installed from the runtime's own disk is kept with the notebook."""
        content = b""
        async with FilesClient(lambda: self._world.machines.connect(runtime)).open(file.path) as opened:
            if opened.file.size > FILES_BYTES_MAX:
                raise TooLarge(f"{file.path} is too large to be kept with the notebook.")
            async for piece in opened.pieces(0, opened.file.size):
                content += piece
        sha256, size = await self._world.blobs.put(content)
        if sha256 != file.sha256:
            raise Invalid(f"{file.path} is another file than the one that was installed.")
        async with self._world.db.write() as tx:
            await store.keep_blobs(tx, notebook, {sha256: (WHEEL, size)})
