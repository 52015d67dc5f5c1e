"""Saved notebooks: made once, loaded, compacted, and given out as files."""

import sys
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import anyio
import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.drive.model import Kind
from collegium.drive.search import Search
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Invalid, TooLarge, Unavailable
from collegium.ground.ids import CellId, ItemId, NotebookId, new_id
from collegium.ground.log import get_log
from collegium.notebooks import ipynb, outside_store, revision_store, store
from collegium.notebooks.bases import Bases
from collegium.notebooks.document import Broken, Document, Editor, has_seen, merge
from collegium.notebooks.indexing import indexed
from collegium.notebooks.ipynb import Imported
from collegium.notebooks.merging import merge_into
from collegium.notebooks.model import SCHEMA_VERSION, Author, Cell, CellOutputs, Content, Created, source_hash
from collegium.notebooks.overlapping import Overlaps
from collegium.notebooks.ports import Outputs
from collegium.notebooks.positions import evenly
from collegium.notebooks.revisions import Revisions
from collegium.notebooks.settings import NotebookSettings
from collegium.notebooks.store import Snapshot, StoredDocument, Taken
from collegium.notebooks.strict import CLIENT_MAX, UPDATE_BYTES_MAX, Reject
from collegium.notebooks.tidying import Tidying
from collegium.notebooks.writer import Beside, Entry, Lane, Reader, Writer

__all__ = [
    "CLIENT_MAX",
    "UPDATE_BYTES_MAX",
    "Author",
    "Beside",
    "Broken",
    "Document",
    "Editor",
    "Entry",
    "Format",
    "Lane",
    "Notebooks",
    "Opened",
    "Reader",
    "Reject",
    "Writer",
    "has_seen",
    "merge",
    "merge_into",
    "open_notebooks",
    "source_hash",
]

log = get_log("notebooks")

Format = Literal["ipynb", "py", "html", "md"]
UNTITLED = "Untitled.ipynb"
CONVERTED_BYTES_MAX = 400_000_000
CONVERSIONS_MAX = 2
StateVector = bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A document in memory, and where its log stands."""

    document: Document
    epoch: str
    head: int
    bytes: int
    since_snapshot: int
    clients: dict[int, str]
    fence: int
    horizon: StateVector | None
    """What a copy must have seen to be merged; None: anything may be."""


@dataclass(frozen=True, slots=True)
class Given:
    """A notebook's file, of which version it is (epoch and sequence number), and the outputs in it."""

    file: bytes
    version: tuple[str, int]
    outputs: dict[CellId, CellOutputs]


class Notebooks:
    """The use cases of saved notebooks."""

    def __init__(self, database: Database, drive: Drive, outputs: Outputs, settings: NotebookSettings) -> None:
        self._database = database
        self._drive = drive
        self._outputs = outputs
        self.settings = settings
        self.writer = Writer(database)
        self.revisions = Revisions(database, outputs, settings)
        self.bases = Bases(database, self.revisions)
        self.overlaps = Overlaps(database)
        self.tidying = Tidying(database)
        self._parsers = anyio.CapacityLimiter(1)
        self._converters = anyio.CapacityLimiter(CONVERSIONS_MAX)

    async def create(
        self, principal: Principal, *, name: str | None, folder: ItemId | None, file: bytes | None, top: bool = False
    ) -> Created:
        """A new notebook, with one empty code cell or saying what a file says. All of it is on disk, or nothing.

        Without a folder it goes to Notebooks, or, if `top`, to the drive's root.
        """
        if folder is not None:
            await self._drive.authorize(principal, folder, Action.WRITE)
        imported = Imported(_blank(), {}) if file is None else await self.parse(file)
        snapshot = await anyio.to_thread.run_sync(first_snapshot, imported.content)
        words = await anyio.to_thread.run_sync(indexed, imported.content)
        if len(snapshot.payload) > self.settings.document_bytes_max:
            raise TooLarge(
                "The texts of the notebook, without its outputs, are larger than "
                f"{self.settings.document_bytes_max >> 20} MiB."
            )
        now = now_ms()
        async with self._database.write() as tx:
            parent = None if top else folder or await self._drive.notebooks_folder(tx, principal.user)
            item = await self._drive.create_item(
                tx,
                kind=Kind.NOTEBOOK,
                owner=principal.user,
                name=name or UNTITLED,
                parent=parent,
                size=len(file or snapshot.payload),
            )
            notebook = NotebookId(item.id)
            epoch = new_id()
            await store.insert_document(tx, notebook, epoch, snapshot.seq, SCHEMA_VERSION, now)
            await store.insert_snapshot(tx, notebook, epoch, snapshot, now)
            await Search.set_text(tx, item.id, words.text, words.words)
            if imported.outputs:
                await self._outputs.imported(tx, notebook, imported.outputs, principal.user)
        log.info("notebook.created", notebook=notebook, cells=len(imported.content.cells))
        return Created(notebook, item.name)

    async def received(self, pieces: AsyncIterable[bytes], announced: str | None) -> bytes:
        """A whole uploaded file. Raises TooLarge before more than the limit is in memory."""
        limit = self.settings.upload_bytes_max
        too_large = TooLarge(
            f"The notebook is larger than {limit // 1_000_000} MB.", why="notebook_size", size_max=limit
        )
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise too_large
        file = bytearray()
        async for piece in pieces:
            file += piece
            if len(file) > limit:
                raise too_large
        return bytes(file)

    async def parse(self, file: bytes) -> Imported:
        """Read a notebook file, one at a time and away from the event loop. Raises TooLarge or Invalid."""

        def work() -> Imported:
            return ipynb.parse(file, bytes_max=self.settings.upload_bytes_max)

        return await anyio.to_thread.run_sync(work, limiter=self._parsers)

    async def parse_pair(self, body: bytes) -> tuple[object, object]:
        """The two sides of a comparison as they were sent, likewise. Raises Invalid."""
        return await anyio.to_thread.run_sync(ipynb.pair, body, limiter=self._parsers)

    async def read(self, document: object) -> Imported:
        """Read a notebook that was taken from JSON already, likewise. Raises TooLarge or Invalid."""
        return await anyio.to_thread.run_sync(ipynb.read_any, document, limiter=self._parsers)

    async def open(self, notebook: NotebookId) -> Opened:
        """Bring the document into memory. Raises NotFound, or Unavailable if what is stored cannot be read."""
        async with self._database.read() as tx:
            stored = await store.read_document(tx, notebook)
            clients = await store.read_clients(tx, notebook)
            horizon = await outside_store.read_horizon(tx, notebook)
        try:
            document = Document.load(stored.parts)
        except Broken as error:
            log.error("document.unreadable", notebook=notebook, seq=stored.head)
            raise Unavailable("The notebook cannot be read; an administrator can find out why.") from error
        size = sum(len(part) for part in stored.parts)
        since = stored.head - stored.snapshot_seq
        return Opened(document, stored.epoch, stored.head, size, since, clients, stored.fence, horizon)

    async def take(self, notebook: NotebookId, owner: str) -> Taken:
        """Own a document, behind a new fence, unless another worker that lives does. Raises NotFound."""
        return await self._database.write_in_one_go(lambda tx: store.take(tx, notebook, owner))

    async def give_up(self, notebook: NotebookId, fence: int) -> None:
        """Whoever took the document behind this fence owns it no more."""
        await self._database.write_in_one_go(lambda tx: store.give_up(tx, notebook, fence))

    async def owner(self, notebook: NotebookId) -> str | None:
        """Which worker has taken it, be it one that lives no more."""
        async with self._database.read() as tx:
            return await store.read_owner(tx, notebook)

    async def content(self, notebook: NotebookId) -> Content:
        """What the notebook says, as far as it is on disk."""
        async with self._database.read() as tx:
            stored = await store.read_document(tx, notebook)

        def work() -> Content:
            return Document.load(stored.parts).content()

        return await anyio.to_thread.run_sync(work)

    async def changed_at(self, notebook: NotebookId) -> int | None:
        """When somebody last edited it; None: nobody did, for a long time."""
        async with self._database.read() as tx:
            return await store.read_last_change(tx, notebook)

    async def compact(self, notebook: NotebookId, *, fence: int | None = None) -> bool:
        """Store what the log amounts to as one snapshot, after proving that it says the same.

        `fence`: how it was taken; raises Conflict if another worker took it since.
        False: there is nothing to compact, or the proof failed and everything stays as it is.
        """
        async with self._database.read() as tx:
            stored = await store.read_document(tx, notebook)
        if stored.head == stored.snapshot_seq:
            return False
        snapshot = await anyio.to_thread.run_sync(_compacted, stored)
        if snapshot is None:
            log.error("document.not_compacted", notebook=notebook, seq=stored.head)
            return False
        now = now_ms()
        async with self._database.write() as tx:
            if fence is not None:
                await store.hold(tx, notebook, fence)
            await store.insert_snapshot(tx, notebook, stored.epoch, snapshot, now)
        await self.revisions.retain(notebook)
        log.info("document.compacted", notebook=notebook, seq=stored.head, bytes=len(snapshot.payload))
        return True

    async def export(self, notebook: NotebookId, format: Format, *, name: str) -> bytes:
        """The notebook as a file. Raises Unavailable if a conversion takes too long."""
        if format == "py":
            return ipynb.percent_script(await self.content(notebook)).encode()
        file = (await self.given(notebook)).file
        return file if format == "ipynb" else await self._convert(file, format, name)

    async def given(self, notebook: NotebookId) -> Given:
        """The notebook as it is on disk, as a file, and which version that is."""
        async with self._database.read() as tx:
            stored = await store.read_document(tx, notebook)
        outputs = await self._outputs.outputs(notebook)

        def work() -> Given:
            content = Document.load(stored.parts).content()
            written = {} if content.omits_outputs else outputs
            return Given(ipynb.dump(ipynb.write(content, written)), (stored.epoch, stored.head), written)

        return await anyio.to_thread.run_sync(work)

    async def _convert(self, file: bytes, format: Format, name: str) -> bytes:
        """HTML or Markdown by nbconvert, in a process of its own that has no environment and no home."""
        command = [sys.executable, "-I", "-m", "collegium.notebooks.convert", format, name]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        async with self._converters:
            with anyio.move_on_after(self.settings.convert_seconds_max):
                result = await anyio.run_process(command, input=file, env=environment, cwd="/", check=False)
                if result.returncode != 0:
                    log.error("notebook.not_converted", format=format, status=result.returncode)
                    raise Invalid("The notebook cannot be converted.")
                return result.stdout
        raise Unavailable("The conversion took too long.")

    async def forget(self, tx: AsyncConnection, notebooks: Sequence[ItemId]) -> None:
        """Delete documents for good, with their logs, in the transaction that deletes the items."""
        for notebook in notebooks:
            await outside_store.delete_all(tx, NotebookId(notebook))
            await revision_store.delete_revisions(tx, NotebookId(notebook), None)
            await store.delete_document(tx, NotebookId(notebook))


@asynccontextmanager
async def open_notebooks(
    database: Database, drive: Drive, outputs: Outputs, settings: NotebookSettings
) -> AsyncIterator[Notebooks]:
    """Saved notebooks, with their writer running; at the end everything handed in is on disk."""
    notebooks = Notebooks(database, drive, outputs, settings)
    drive.on_delete.append(notebooks.forget)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(notebooks.writer.run)
        try:
            yield notebooks
        finally:
            tasks.cancel_scope.cancel()


def _blank() -> Content:
    return Content((Cell(CellId(new_id()), "code", evenly(1)[0], ""),))


def first_snapshot(content: Content) -> Snapshot:
    """What the log of a new document begins with. Takes a moment for a large notebook: call it in a thread."""
    document = Document.of(content)
    return Snapshot(1, document.state_vector(), document.lacking(None), document.digest())


def _compacted(stored: StoredDocument) -> Snapshot | None:
    try:
        document = Document.load(stored.parts)
        payload, content_hash = document.lacking(None), document.digest()
        fresh = Document.load([payload])
        if fresh.digest() != content_hash or fresh.clocks() != document.clocks():
            return None
    except (Broken, Reject, CollegiumError):
        return None
    return Snapshot(stored.head, document.state_vector(), payload, content_hash)
