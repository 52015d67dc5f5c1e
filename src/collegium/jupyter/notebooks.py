"""Notebooks as files that clients read, change and save: what a save changed is merged into the open document."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from collegium.accounts.model import Action, Principal
from collegium.drive.model import Item
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.ids import CellId, ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.jupyter.merging import merged
from collegium.notebooks.ipynb import Imported
from collegium.notebooks.model import CellOutputs, Content
from collegium.notebooks.service import Editor, Notebooks, merge_into
from collegium.rooms.service import Rooms
from collegium.sessions.service import Sessions

log = get_log("jupyter")

BASES_MAX = 128
AGENT_LENGTH_MAX = 200
BASE_BYTES_MAX = 4 << 20
NOTHING = CellOutputs([])


@dataclass(frozen=True, slots=True)
class Base:
    """The version that a client has: what it was given, or what it saved."""

    content: Content
    outputs: dict[CellId, str]
    """What each cell showed, as a digest."""


class NotebookFiles:
    """Remembers what clients were given, so that a save is known by what it changes."""

    def __init__(self, db: Database, drive: Drive, notebooks: Notebooks, rooms: Rooms, sessions: Sessions) -> None:
        self._db = db
        self._drive = drive
        self._notebooks = notebooks
        self._rooms = rooms
        self._sessions = sessions
        self._bases: OrderedDict[tuple[str, NotebookId], Base] = OrderedDict()

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
        file = await self._notebooks.export(notebook, "ipynb", name=item.name)
        if client is not None and len(file) <= BASE_BYTES_MAX:
            await self._remember(client, notebook, await self._notebooks.parse(file))
        return file

    async def create(self, principal: Principal, name: str, folder: ItemId | None, file: bytes | None) -> ItemId:
        """A new notebook."""
        made = await self._notebooks.create(principal, name=name, folder=folder, top=folder is None, file=file)
        return ItemId(made.id)

    async def save(self, principal: Principal, notebook: NotebookId, file: bytes, *, client: str) -> None:
        """Merge what a client made of it, outputs too. Raises NotFound, Forbidden, Invalid, TooLarge, StorageFull."""
        await self._drive.authorize(principal, ItemId(notebook), Action.WRITE)
        wanted = await self._notebooks.parse(file)
        base = self._bases.get((client, notebook))

        def change(editor: Editor) -> None:
            current = editor.content()
            target = wanted.content if base is None else merged(base.content, current, wanted.content)
            merge_into(editor, target, user=principal.user, now=now_ms())

        async with self._rooms.open(notebook) as room:
            await room.edit(change, origin="content", user=principal.user)
        await self._take_outputs(principal, notebook, wanted, base)
        if len(file) <= BASE_BYTES_MAX:
            await self._remember(client, notebook, wanted)

    async def replace(self, principal: Principal, notebook: NotebookId, file: bytes) -> None:
        """Make it say what a file says (which others can undo): no version in between is looked at."""
        await self._drive.authorize(principal, ItemId(notebook), Action.WRITE)
        wanted = await self._notebooks.parse(file)
        async with self._rooms.open(notebook) as room:
            await room.edit(
                lambda editor: merge_into(editor, wanted.content, user=principal.user, now=now_ms()),
                origin="content",
                user=principal.user,
            )
        await self._take_outputs(principal, notebook, wanted, None)

    async def _take_outputs(
        self, principal: Principal, notebook: NotebookId, wanted: Imported, base: Base | None
    ) -> None:
        """Outputs that the client's own kernel made. What runs here writes its own, and is left alone."""
        shown = await self._sessions.outputs(notebook)
        digests = await anyio.to_thread.run_sync(_digests, wanted.outputs)
        now = await anyio.to_thread.run_sync(_digests, shown)
        session = await self._sessions.session(notebook)
        running = {entry["cell"] for entry in session.showing.session_frame()["queue"]}
        code = [cell.id for cell in wanted.content.shown if cell.type == "code" and cell.id not in running]
        before = now if base is None else base.outputs
        changed = [id for id in code if digests.get(id) != before.get(id) and digests.get(id) != now.get(id)]
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
        room = self._rooms.find(notebook)
        if room is not None:
            session = await self._sessions.session(notebook)
            for frame in await session.showing.shown():
                if frame["cell"] in cells and "outputs" in frame:
                    room.broadcast({"type": "cells", "executions": [frame]})

    async def _remember(self, client: str, notebook: NotebookId, said: Imported) -> None:
        self._bases.pop((client, notebook), None)
        self._bases[client, notebook] = Base(said.content, await anyio.to_thread.run_sync(_digests, said.outputs))
        while len(self._bases) > BASES_MAX:
            self._bases.popitem(last=False)


def client_of(principal: Principal, agent: str) -> str:
    """What tells the clients of one user apart: their credentials, and what they call themselves."""
    return f"{principal.user} {principal.login or principal.token} {agent[:AGENT_LENGTH_MAX]}"


def _digests(outputs: dict[CellId, CellOutputs]) -> dict[CellId, str]:
    return {id: _digest(left) for id, left in outputs.items() if left != NOTHING}


def _digest(left: CellOutputs) -> str:
    text = json.dumps([left.outputs, left.execution_count], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
