"""Lent runtimes as machines, the folders of runtime versions as specs, and notebooks' sessions as pages."""

from contextlib import suppress
from pathlib import Path

import anyio.to_thread
from anyio.abc import ByteStream

from collegium.accounts.model import Action, Principal
from collegium.drive.service import Drive
from collegium.ground.errors import Forbidden, NotFound
from collegium.ground.ids import ItemId, KernelId, NotebookId, RuntimeId, UserId
from collegium.jupyter.model import DEFAULT_KERNEL, PageKernel, Spec, spec_of
from collegium.jupyter.tree import Tree
from collegium.runtimes.ports import Environments
from collegium.runtimes.service import Runtimes
from collegium.sessions.service import Sessions

RESOURCE_BYTES_MAX = 1 << 20


class LentRuntimes:
    """The port `Machines`."""

    def __init__(self, runtimes: Runtimes) -> None:
        self._runtimes = runtimes

    async def acquire(self, user: UserId) -> RuntimeId:
        return (await self._runtimes.acquire(user)).id

    async def live(self, runtime: RuntimeId) -> bool:
        try:
            return (await self._runtimes.get(runtime)).live
        except NotFound:
            return False

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        return await self._runtimes.connect(runtime)

    async def release(self, runtime: RuntimeId) -> None:
        await self._runtimes.release(runtime)

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        await self._runtimes.failed(runtime, reason)

    def touch(self, runtime: RuntimeId) -> None:
        self._runtimes.touch(runtime)


class VersionSpecs:
    """The port `Specs`: what the usual runtime version brings. The folder is the server's own, and read-only."""

    def __init__(self, environments: Environments, version: str) -> None:
        self._environments = environments
        self._version = version

    async def all(self) -> dict[str, Spec]:
        if self._version not in self._environments.versions():
            return {}
        folder = await self._folder()
        found = await anyio.to_thread.run_sync(_specs, folder)
        # The one that everybody expects stands first.
        return dict(sorted(found.items(), key=lambda entry: (entry[0] != DEFAULT_KERNEL, entry[0])))

    async def resource(self, spec: Spec, file: str) -> bytes:
        if file not in spec.resources:
            raise NotFound("There is no such file.")
        path = await self._folder() / spec.name / file
        return await anyio.to_thread.run_sync(_beginning, path)

    async def _folder(self) -> Path:
        return await self._environments.ready(self._version) / "share/jupyter/kernels"


def _specs(folder: Path) -> dict[str, Spec]:
    found: dict[str, Spec] = {}
    for file in folder.glob("*/kernel.json"):
        name = file.parent.name
        with suppress(OSError, UnicodeDecodeError):
            spec = spec_of(name, file.read_text(), [one.name for one in file.parent.iterdir()])
            if spec is not None:
                found[name] = spec
    return found


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(RESOURCE_BYTES_MAX)


class SessionPages:
    """The port `Pages`."""

    def __init__(self, sessions: Sessions, drive: Drive) -> None:
        self._sessions = sessions
        self._drive = drive
        self._tree = Tree(drive)

    async def kernels(self, principal: Principal) -> list[PageKernel]:
        found: list[PageKernel] = []
        for held in await self._sessions.held(principal):
            if held.notebook is None or held.kernel is None:
                continue
            with suppress(NotFound, Forbidden):
                await self._drive.authorize(principal, ItemId(held.notebook), Action.RUN)
                path = await self._tree.path_of(principal, ItemId(held.notebook))
                found.append(
                    PageKernel(
                        notebook=held.notebook,
                        path=path,
                        name=held.name or "",
                        kernel=KernelId(held.kernel["id"]),
                        spec=held.kernel.get("name") or DEFAULT_KERNEL,
                        runtime=held.runtime.id,
                        state=held.kernel["state"],
                    )
                )
        return found

    async def interrupt(self, principal: Principal, notebook: NotebookId) -> None:
        await (await self._sessions.allowed(principal, notebook, Action.RUN)).interrupt()

    async def restart(self, principal: Principal, notebook: NotebookId) -> None:
        await (await self._sessions.allowed(principal, notebook, Action.RUN)).restart()

    async def disconnect(self, principal: Principal, notebook: NotebookId) -> None:
        await (await self._sessions.allowed(principal, notebook, Action.RUN)).disconnect()
