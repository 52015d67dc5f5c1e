"""A notebook's document made anew under another id: what it says, without its past, its trash and its comments."""

from dataclasses import dataclass

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.drive.ports import Prepared
from collegium.ground.clock import now_ms
from collegium.ground.errors import Unavailable
from collegium.ground.ids import ItemId, NotebookId, UserId, new_id
from collegium.notebooks import indexing, store
from collegium.notebooks.document import Broken
from collegium.notebooks.model import SCHEMA_VERSION, Content
from collegium.notebooks.ports import SavedOutputs
from collegium.notebooks.service import Notebooks, first_snapshot
from collegium.notebooks.store import Snapshot


@dataclass(frozen=True, slots=True)
class PreparedCopy:
    """The first snapshot of a new document, and whose outputs go with it."""

    original: NotebookId
    snapshot: Snapshot
    content: Content
    text: indexing.Indexed

    @property
    def size(self) -> int:
        """How many bytes of it are held in memory."""
        return len(self.snapshot.payload)


class Copies:
    """The port `NotebookCopies` of the drive."""

    def __init__(self, notebooks: Notebooks, outputs: SavedOutputs) -> None:
        self._notebooks = notebooks
        self._outputs = outputs

    async def prepared(self, notebook: ItemId) -> PreparedCopy:
        """See the port. Raises NotFound or Unavailable."""
        try:
            content = await self._notebooks.content(NotebookId(notebook))
        except Broken as error:
            raise Unavailable("The notebook cannot be read; an administrator can find out why.") from error

        def work() -> PreparedCopy:
            kept = Content(content.shown, content.metadata, content.nbformat_minor)
            return PreparedCopy(NotebookId(notebook), first_snapshot(kept), kept, indexing.indexed(kept))

        return await anyio.to_thread.run_sync(work)

    async def insert(self, tx: AsyncConnection, prepared: Prepared, copy: ItemId, user: UserId) -> int:
        """See the port."""
        assert isinstance(prepared, PreparedCopy), "only what was prepared here"
        notebook, epoch, now = NotebookId(copy), new_id(), now_ms()
        await store.insert_document(tx, notebook, epoch, prepared.snapshot.seq, SCHEMA_VERSION, now)
        await store.insert_snapshot(tx, notebook, epoch, prepared.snapshot, now)
        cells = [] if prepared.content.omits_outputs else [cell.id for cell in prepared.content.cells]
        await self._outputs.copied(tx, prepared.original, notebook, user, cells)
        await indexing.keep(tx, notebook, prepared.text)
        return prepared.size + await self._outputs.size(tx, notebook)
