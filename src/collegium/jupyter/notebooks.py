"""Notebooks as files that clients read, change and save: what a save changed is merged into the open document."""

import hashlib
from collections.abc import Sequence

import anyio.to_thread

from collegium.accounts.model import Action, Principal
from collegium.drive.model import Item
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.ids import CellId, ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.notebooks.bases import digests
from collegium.notebooks.ipynb import Imported
from collegium.notebooks.service import Notebooks
from collegium.rooms.service import Rooms
from collegium.sessions.service import Sessions

log = get_log("jupyter")


class NotebookFiles:
    """Remembers what clients were given, so that a save is known by what it changes."""

    def __init__(self, db: Database, drive: Drive, notebooks: Notebooks, rooms: Rooms, sessions: Sessions) -> None:
        self._db = db
        self._drive = drive
        self._notebooks = notebooks
        self._rooms = rooms
        self._sessions = sessions

    async def changed_at(self, notebook: NotebookId) -> int | None:
        """When somebody last edited it, if that is known."""
        return await self._notebooks.changed_at(notebook)

    async def digest(self, file: bytes) -> str:
        """The SHA-256 of a file."""
        return await anyio.to_thread.run_sync(lambda: hashlib.sha256(file).hexdigest())

    async def served(self, principal: Principal, item: Item, *, client: str | None = None) -> bytes:
        """The file as it is now, for somebody who may read it; `client` has this version from now on."""
        notebook = NotebookId(item.id)
        await self._drive.authorize(principal, item.id, Action.READ)
        given = await self._notebooks.given(notebook)
        if client is not None:
            shown = await anyio.to_thread.run_sync(digests, given.outputs)
            await self._notebooks.bases.note(notebook, principal.user, client, given.version, outputs=shown)
        return given.file

    async def create(self, principal: Principal, name: str, folder: ItemId | None, file: bytes | None) -> ItemId:
        """A new notebook."""
        made = await self._notebooks.create(principal, name=name, folder=folder, top=folder is None, file=file)
        return ItemId(made.id)

    async def save(self, principal: Principal, notebook: NotebookId, file: bytes, *, client: str) -> None:
        """Merge what a client made of it, outputs too. Raises NotFound, Forbidden, Invalid, TooLarge, StorageFull."""
        brought = await self._rooms.outside.bring(
            principal, notebook, file, channel=client, origin="jupyter", with_outputs=True
        )
        await self._take_outputs(principal, notebook, brought.file, brought.outputs_before)

    async def replace(self, principal: Principal, notebook: NotebookId, file: bytes) -> None:
        """Make it say what a file says (which others can undo): no version in between is looked at."""
        brought = await self._rooms.outside.bring(
            principal, notebook, file, channel="checkpoint", origin="checkpoint", instead=True
        )
        await self._take_outputs(principal, notebook, brought.file, None)

    async def _take_outputs(
        self, principal: Principal, notebook: NotebookId, wanted: Imported, before: dict[CellId, str] | None
    ) -> None:
        """Outputs that the client's own kernel made. What runs here writes its own, and is left alone."""
        shown = await self._sessions.outputs(notebook)
        brought = await anyio.to_thread.run_sync(digests, wanted.outputs)
        now = await anyio.to_thread.run_sync(digests, shown)
        session = await self._sessions.session(notebook)
        running = {entry["cell"] for entry in session.showing.session_frame()["queue"]}
        code = [cell.id for cell in wanted.content.shown if cell.type == "code" and cell.id not in running]
        before = now if before is None else before
        changed = [id for id in code if brought.get(id) != before.get(id) and brought.get(id) != now.get(id)]
        cleared = [id for id in changed if id not in wanted.outputs]
        made = {id: wanted.outputs[id] for id in changed if id in wanted.outputs}
        if cleared:
            await session.clear(cleared)
        if made:
            async with self._db.write() as tx:
                await self._sessions.imported(tx, notebook, made, principal.user)
        if changed:
            await self._show(notebook, changed)

    async def _show(self, notebook: NotebookId, cells: Sequence[CellId]) -> None:
        """Those who have the notebook open see the new outputs."""
        session = await self._sessions.session(notebook)
        for frame in await session.showing.shown():
            if frame["cell"] in cells and "outputs" in frame:
                self._rooms.broadcast(notebook, {"type": "cells", "executions": [frame]})
