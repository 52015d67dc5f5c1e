"""Copies of files and notebooks to go back to, each a whole file in a store of its own."""

from collections.abc import AsyncIterator

from collegium.accounts.model import Action, Principal
from collegium.drive.model import Item, Kind
from collegium.drive.ports import Blobs
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Invalid, NotFound
from collegium.ground.ids import NotebookId, is_id, new_id
from collegium.jupyter import store
from collegium.jupyter.notebooks import NotebookFiles
from collegium.jupyter.store import Checkpoint
from collegium.jupyter.tree import Tree

PER_FILE_MAX = 5
"""Of more, the oldest go."""


class Checkpoints:
    """Whoever may write a file may keep copies of it and go back to them."""

    def __init__(self, db: Database, blobs: Blobs, drive: Drive, tree: Tree, notebooks: NotebookFiles) -> None:
        self._db = db
        self._blobs = blobs
        self._drive = drive
        self._tree = tree
        self._notebooks = notebooks

    async def all(self, principal: Principal, path: str) -> list[Checkpoint]:
        """Those of a file, the latest first. Raises NotFound or Invalid."""
        item = await self._item(principal, path, Action.READ)
        async with self._db.read() as tx:
            return await store.read_checkpoints(tx, item.id)

    async def create(self, principal: Principal, path: str) -> Checkpoint:
        """A copy of the file as it is now. Raises NotFound, Forbidden, Invalid or StorageFull."""
        item = await self._item(principal, path, Action.WRITE)
        blob, _ = await self._blobs.put(await self._content(principal, item))
        made = Checkpoint(new_id(), item.id, blob, now_ms())
        async with self._db.write() as tx:
            if not await self._blobs.exists(blob):
                raise NotFound("The same copy was deleted at this moment. Please try again.")
            before = await store.read_checkpoints(tx, item.id)
            await store.insert_checkpoint(tx, made)
        await self._discard(before[PER_FILE_MAX - 1 :])
        return made

    async def restore(self, principal: Principal, path: str, id: str) -> None:
        """Make the file what it was. Raises NotFound, Forbidden."""
        item = await self._item(principal, path, Action.WRITE)
        checkpoint = await self._find(item, id)
        if item.kind is Kind.NOTEBOOK:
            await self._notebooks.replace(principal, NotebookId(item.id), await self._blobs.read(checkpoint.blob))
        else:
            await self._drive.replace(principal, item.id, self._blobs.stream(checkpoint.blob))

    async def delete(self, principal: Principal, path: str, id: str) -> None:
        """Forget one. Raises NotFound, Forbidden."""
        item = await self._item(principal, path, Action.WRITE)
        await self._discard([await self._find(item, id)])

    async def tidy(self) -> None:
        """Copies of what was deleted for good go, and bytes that no copy has."""
        await self._blobs.clear_unfinished()
        async with self._db.read() as tx:
            items = await store.read_checkpointed(tx)
        for item in items:
            async with self._db.read() as tx:
                gone = not await self._drive.exists(tx, item)
                left = await store.read_checkpoints(tx, item) if gone else []
            await self._discard(left)
        async for blob in self._blobs.kept():
            await self._discard_blob(blob)

    async def _item(self, principal: Principal, path: str, action: Action) -> Item:
        place = await self._tree.find(principal, path)
        if place.item is None or place.item.kind is Kind.FOLDER:
            raise Invalid("A directory has no checkpoints.")
        item, _ = await self._drive.authorize(principal, place.item.id, action)
        return item

    async def _find(self, item: Item, id: str) -> Checkpoint:
        async with self._db.read() as tx:
            known = await store.read_checkpoints(tx, item.id) if is_id(id) else []
        for checkpoint in known:
            if checkpoint.id == id:
                return checkpoint
        raise NotFound(f"Checkpoint does not exist: {id[:100]}")

    async def _content(self, principal: Principal, item: Item) -> bytes | AsyncIterator[bytes]:
        if item.kind is Kind.NOTEBOOK:
            return await self._notebooks.served(principal, item)
        return self._drive.content(await self._drive.file(principal, item.id))

    async def _discard(self, gone: list[Checkpoint]) -> None:
        if gone:
            async with self._db.write() as tx:
                await store.delete_checkpoints(tx, [checkpoint.id for checkpoint in gone])
            for blob in {checkpoint.blob for checkpoint in gone}:
                await self._discard_blob(blob)

    async def _discard_blob(self, blob: str) -> None:
        # A writer's turn: nobody can begin to use the blob between the question and the deletion.
        async with self._db.write() as tx:
            if not await store.blob_is_used(tx, blob):
                await self._blobs.delete(blob)
