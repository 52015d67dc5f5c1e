"""Layers: the locks of notebooks, each built once in a runtime that is thrown away, and kept while they are used."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from collegium.ground import reasons
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, NotFound, Unavailable
from collegium.ground.ids import NotebookId, RuntimeId, UserId
from collegium.ground.log import get_log
from collegium.kernels.files import FilesClient
from collegium.sessions import environment_store, programs, store
from collegium.sessions.environment_store import Layer
from collegium.sessions.errand import run_errand
from collegium.sessions.locks import Lock, layer_name, parse
from collegium.sessions.ports import Blobs, Laid, Machines, Progress, Wanted
from collegium.sessions.settings import SessionSettings

BUILDER = UserId("environments")
"""Whose the runtimes are in which layers are built: nobody's quota and nobody's list has them."""
TIDY_SECONDS = 3600.0
WORDS_MAX = 80

log = get_log("sessions")


@dataclass(slots=True)
class _Build:
    """A layer in the making, and those who wait for it."""

    over: anyio.Event = field(default_factory=anyio.Event)
    layer: Layer | None = None
    failed: str = ""
    said: str = ""
    listeners: list[Progress] = field(default_factory=list)

    def say(self, words: str) -> None:
        """To everybody who waits."""
        self.said = words
        for listener in self.listeners:
            listener(words)


class NotebookLayers:
    """Finds, builds and ages layers. `tasks` outlive whoever asked."""

    def __init__(
        self, db: Database, machines: Machines, blobs: Blobs, settings: SessionSettings, tasks: TaskGroup
    ) -> None:
        self._db = db
        self._machines = machines
        self._blobs = blobs
        self._settings = settings
        self._tasks = tasks
        self._builds: dict[str, _Build] = {}

    async def of(self, notebook: NotebookId, version: str, progress: Progress) -> Laid:
        """The layer of a notebook's lock, built first if need be. Never an error: what fails is noted."""
        async with self._db.read() as tx:
            pin = await environment_store.read_pin(tx, notebook)
        if pin is None:
            return Laid()
        try:
            layer = await self.ready(notebook, pin.lock, version, progress)
        except CollegiumError as error:
            return Laid(note=reasons.words("without_environment", because=error.detail))
        finally:
            progress(None)
        return Laid(layer.layer, layer.path)

    async def name(self, lock: str, version: str) -> str:
        """What the layer of a lock over a runtime version is called."""
        return layer_name(lock, await self._machines.environment(version))

    async def is_ready(self, lock: str, version: str) -> bool:
        """It has been built."""
        try:
            name = await self.name(lock, version)
        except CollegiumError:
            return False
        async with self._db.read() as tx:
            return await environment_store.read_layer(tx, name) is not None

    def begin(self, notebook: NotebookId, lock: str, version: str) -> None:
        """Build it ahead, so that the next runtime need not wait."""
        self._tasks.start_soon(self._ahead, notebook, lock, version)

    async def ready(self, notebook: NotebookId, lock: str, version: str, progress: Progress) -> Layer:
        """The layer; whoever asks for one that is being built waits for the same. Raises Unavailable, Invalid."""
        name = await self.name(lock, version)
        async with self._db.write() as tx:
            known = await environment_store.read_layer(tx, name)
            if known is not None and is_there(known.path):
                await environment_store.set_layer_used(tx, name, now_ms())
                return known
        build = self._builds.get(name)
        if build is None:
            parsed = parse(lock)
            build = self._builds[name] = _Build()
            self._tasks.start_soon(self._build, name, notebook, parsed, version, build)
        build.listeners.append(progress)
        if build.said:
            progress(build.said)
        try:
            await build.over.wait()
        finally:
            build.listeners.remove(progress)
        if build.layer is None:
            raise Unavailable(build.failed)
        return build.layer

    async def _ahead(self, notebook: NotebookId, lock: str, version: str) -> None:
        try:
            await self.ready(notebook, lock, version, lambda _words: None)
        except CollegiumError as error:
            # Whoever starts a runtime is told the same.
            log.warning("layer.not_built", notebook=notebook, why=error.detail)

    async def _build(self, name: str, notebook: NotebookId, lock: Lock, version: str, build: _Build) -> None:
        try:
            build.layer = await self._built(name, notebook, lock, version, build)
        except CollegiumError as error:
            build.failed = error.detail
        except Exception:  # those who wait for it are told, and their notebooks run without it
            log.exception("layer.failed", layer=name)
            build.failed = "something went wrong, which is in the server's log"
        finally:
            self._builds.pop(name, None)
            build.over.set()
        if build.layer is not None:
            await self._tidy_if_possible()

    async def _built(self, name: str, notebook: NotebookId, lock: Lock, version: str, build: _Build) -> Layer:
        begun = now_ms()
        build.say(reasons.words("environment_begun"))
        machine = await self._machines.acquire(BUILDER, Wanted(None, version), lambda _position, _of: None)
        try:
            await self._give_files(machine.id, notebook, lock)
            await run_errand(
                lambda: self._machines.connect(machine.id),
                programs.install(lock.text),
                seconds=self._settings.layer_seconds_max,
                heard=lambda text: build.say(_words(text, build.said)),
            )
            path = await self._machines.seal(machine.id, name)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(30):
                await self._machines.release(machine.id)
        size = await anyio.to_thread.run_sync(size_of, Path(path))
        layer = Layer(name, path, version, size, now_ms(), now_ms())
        async with self._db.write() as tx:
            await environment_store.write_layer(tx, layer)
        log.info("layer.built", layer=name, bytes=size, took_ms=now_ms() - begun)
        return layer

    async def _give_files(self, runtime: RuntimeId, notebook: NotebookId, lock: Lock) -> None:
        """Put the files that a lock names where it looks for them. Only a notebook's own are given."""
        files = FilesClient(lambda: self._machines.connect(runtime))
        for file in lock.files:
            try:
                async with self._db.read() as tx:
                    await store.read_blob_mime(tx, notebook, file.sha256)
            except NotFound as error:
                raise Unavailable(f"the lock names {file.path}, which was not kept with the notebook") from error
            await _make_folders(files, PurePosixPath(file.path))
            await files.write(file.path, _pieces(await self._blobs.read(file.sha256)))

    async def clean(self) -> None:
        """At the start: whoever built something when the last server ended does so for nobody."""
        for runtime in await self._machines.lent(BUILDER):
            await self._machines.release(runtime.id)

    async def keep_tidy(self) -> None:
        """Forget layers that nobody used for long, for ever."""
        while True:
            await self._tidy_if_possible()
            await anyio.sleep(TIDY_SECONDS)

    async def _tidy_if_possible(self) -> None:
        try:
            await self.tidy()
        except CollegiumError as error:
            # They take room and harm nobody.
            log.warning("layers.untidied", why=error.detail)

    async def tidy(self) -> None:
        """Forget what is old or too much. What a runtime uses stays until later."""
        async with self._db.read() as tx:
            layers = await environment_store.read_layers(tx)
        old_ms = int(self._settings.layer_lifetime.total_seconds() * 1000)
        for layer in overdue(layers, now=now_ms(), old_ms=old_ms, bytes_max=int(self._settings.layers_bytes_max)):
            try:
                await self._machines.drop_layer(layer.layer)
            except (Conflict, Unavailable) as error:
                log.info("layer.kept", layer=layer.layer, why=error.detail)
                continue
            async with self._db.write() as tx:
                await environment_store.delete_layer(tx, layer.layer)
            log.info("layer.dropped", layer=layer.layer)


def overdue(layers: list[Layer], *, now: int, old_ms: int, bytes_max: int) -> list[Layer]:
    """Those to forget: unused for long, then those unused for longest until the rest is small enough."""
    gone = [layer for layer in layers if now - layer.used_at > old_ms]
    rest = sorted((layer for layer in layers if layer not in gone), key=lambda layer: layer.used_at)
    size = sum(layer.size_bytes for layer in rest)
    while rest and size > bytes_max:
        size -= rest[0].size_bytes
        gone.append(rest.pop(0))
    return gone


def is_there(path: str) -> bool:
    """Whether a layer is on disk still; one that we may not look at is."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def size_of(folder: Path) -> int:
    """What a folder holds, as far as it can be read; links are not followed."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return size


def _words(text: str, before: str) -> str:
    """The last line that says something, as a sentence of progress."""
    lines = [line.strip() for line in text.splitlines() if line.strip().isprintable() and line.strip()]
    return reasons.words("environment_built", line=lines[-1][:WORDS_MAX]) if lines else before


async def _make_folders(files: FilesClient, path: PurePosixPath) -> None:
    for folder in reversed(path.parents):
        if len(folder.parts) > 1:
            try:
                await files.create(str(folder), "directory")
            except CollegiumError:
                # It is there already, or writing the file will say why it is not.
                continue


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
