"""What comes into a notebook from outside: files, merged with what people write there, and the overlaps they leave."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy.engine import Connection

from collegium.accounts.model import Action, Principal
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Invalid, NotFound
from collegium.ground.ids import CellId, ItemId, NotebookId, UserId, new_id
from collegium.ground.log import get_log
from collegium.notebooks.bases import Found, digests
from collegium.notebooks.history import RevisionKind
from collegium.notebooks.ipynb import Imported
from collegium.notebooks.merging import Merge, merged
from collegium.notebooks.model import Content, shown_hash
from collegium.notebooks.overlaps import KeptOverlap, Overlap, Resolution, resolving, trashes
from collegium.notebooks.service import Beside, Editor, Notebooks
from collegium.rooms.reading import OpenNotebook
from collegium.rooms.room import Room

log = get_log("rooms")

PLANS_MAX = 4
"""So often a merge is worked out beside those who type; then they wait for it."""
SOURCE_CHARACTERS_MAX = 1_000_000
OVERLAP_CHARACTERS_MAX = 32_000_000
OVERLAPS_MAX = 20_000
"""So many may wait in a notebook, and so much of one file."""

Open = Callable[[NotebookId], AbstractAsyncContextManager[OpenNotebook]]
Tell = Callable[[NotebookId, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Brought:
    """A file is in the notebook now, and on disk."""

    seq: int
    overlaps: int
    file: Imported
    """What it said, under the notebook's own cell ids."""
    outputs_before: dict[CellId, str] | None
    """What the cells of its base showed, as digests; None: not known."""


class Outside:
    """The use cases of outsiders; whoever writes comes through here."""

    def __init__(self, database: Database, notebooks: Notebooks, drive: Drive, open: Open, tell: Tell) -> None:
        self._database = database
        self._notebooks = notebooks
        self._drive = drive
        self._open = open
        self._tell = tell
        self._deciding = anyio.Lock()

    async def bring(
        self,
        principal: Principal,
        notebook: NotebookId,
        file: bytes,
        *,
        channel: str,
        named: str | None = None,
        origin: str = "content",
        with_outputs: bool = False,
        instead: bool = False,
    ) -> Brought:
        """Merge a file three-way with what it was made from and what people write meanwhile, in one update.

        `named`: the version it was made from, if whoever brings it says so. `instead`: it is meant to stand in the
        place of what is there now, whatever that is. Outputs are the caller's business; `with_outputs`: they are taken
        too, and the next file will be compared with them. Raises
        NotFound, Forbidden, Invalid, TooLarge, StorageFull or Unavailable; then nothing of it is kept.
        """
        await self._authorize(principal, notebook, Action.WRITE)
        imported = await self._notebooks.parse(file)
        bases = self._notebooks.bases
        found = None
        if not instead:
            found = await bases.find(notebook, principal.user, channel, imported.content, named=named)
        kept = await self._notebooks.overlaps.open(notebook)
        known = {(one.overlap.cell, one.overlap.theirs) for one in kept}
        await self._notebooks.revisions.before_merge(notebook, principal.user)
        async with self._open(notebook) as room:
            step = _Bringing(
                notebook,
                room,
                principal,
                origin,
                found=found,
                wanted=imported.content,
                known=known,
                keep=self._notebooks.overlaps.keep,
            )
            if not await step.is_alone():
                await self._notebooks.revisions.make(notebook, RevisionKind.BEFORE_MERGE, user=principal.user)
            await step.run()
        if step.overlaps and not step.stored:
            async with self._database.write() as tx:
                await tx.run_sync(step.store)
        merge = step.merge
        ids = {mine.id: named.id for mine, named in zip(imported.content.shown, merge.content.cells, strict=True)}
        outputs = {ids[id]: left for id, left in imported.outputs.items()}
        shown = await anyio.to_thread.run_sync(digests, outputs) if with_outputs else None
        epoch, _ = await bases.version(notebook)
        version = epoch, step.seq
        await bases.note(notebook, principal.user, channel, version, content=merge.content, outputs=shown)
        if step.overlaps:
            self._changed(notebook)
        log.info("file.brought", notebook=notebook, origin=origin, overlaps=len(step.overlaps))
        before = None if found is None else found.outputs
        return Brought(step.seq, len(step.overlaps), Imported(merge.content, outputs), before)

    async def overlaps(self, principal: Principal, notebook: NotebookId) -> list[KeptOverlap]:
        """Those that wait for somebody. Raises NotFound."""
        await self._authorize(principal, notebook, Action.READ)
        return await self._notebooks.overlaps.open(notebook)

    async def resolve(
        self, principal: Principal, notebook: NotebookId, id: str, choice: Resolution, text: str | None
    ) -> int:
        """Decide about one, by the smallest edit of what is there now; the sequence number.

        Raises NotFound, Forbidden, Invalid, Conflict if it was decided already, StorageFull or Unavailable.
        """
        await self._authorize(principal, notebook, Action.WRITE)
        if (choice == "edited") != (text is not None) or len(text or "") > SOURCE_CHARACTERS_MAX:
            raise Invalid("A text goes with the choice `edited`, and only with it.")
        at = now_ms()
        noted = False

        def beside(tx: Connection) -> None:
            nonlocal noted
            self._notebooks.overlaps.resolve(tx, id, principal.user, at, choice)
            noted = True

        async with self._deciding, self._open(notebook) as room:
            kept = await self._notebooks.overlaps.get(notebook, id)
            if kept.resolution is not None:
                raise Conflict("Somebody has decided this already.", code="resolved")

            def change(editor: Editor) -> None:
                _resolve(editor, kept.overlap, choice, text, principal, at)

            seq = await _edited(room, change, "overlap", principal.user, beside)
            if not noted:
                async with self._database.write() as tx:
                    await tx.run_sync(beside)
        self._changed(notebook)
        return seq

    async def _authorize(self, principal: Principal, notebook: NotebookId, action: Action) -> None:
        item, _ = await self._drive.authorize(principal, ItemId(notebook), action)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")

    def _changed(self, notebook: NotebookId) -> None:
        self._tell(notebook, {"type": "overlaps"})


class _Bringing:
    """One file on its way into a room."""

    def __init__(
        self,
        notebook: NotebookId,
        room: OpenNotebook,
        principal: Principal,
        origin: str,
        *,
        found: Found | None,
        wanted: Content,
        known: set[tuple[CellId, str | None]],
        keep: Callable[[Connection, Sequence[KeptOverlap]], None],
    ) -> None:
        self._notebook = notebook
        self._room = room
        self._keep = keep
        self._principal = principal
        self._origin = origin
        self._found = found
        self._wanted = wanted
        self._known = known
        self._at = now_ms()
        self.merge = Merge(wanted)
        self.overlaps: list[KeptOverlap] = []
        self.stored = False
        self.seq = 0

    async def is_alone(self) -> bool:
        """Whether nobody changed anything since the version that the file was made from."""
        if self._found is None or self._found.content is None or not self._found.sure:
            return False
        return shown_hash(self._found.content) == shown_hash(await _content(self._room))

    async def run(self) -> None:
        """Work the merge out beside those who type, and do it when what it touches has stayed the same."""
        for _ in range(PLANS_MAX):
            self.merge = await anyio.to_thread.run_sync(self._merged, await _content(self._room))
            if self.merge.stands(await _content(self._room)):
                break
        self._check_size()
        self.seq = await _edited(self._room, self._apply, self._origin, self._principal.user, self.store)

    def _check_size(self) -> None:
        characters = sum(len(one.ours or "") + len(one.theirs or "") for one in self.merge.overlaps)
        if characters > OVERLAP_CHARACTERS_MAX or len(self._known) + len(self.merge.overlaps) > OVERLAPS_MAX:
            raise Conflict(
                "Too much of this overlaps with what is here. Decide about what waits first.", code="too_large"
            )

    def _merged(self, live: Content) -> Merge:
        if self._found is None:
            return merged(live, live, self._wanted)
        return merged(self._found.content, live, self._wanted, sure=self._found.sure)

    def _apply(self, editor: Editor) -> None:
        now = editor.content()
        if not self.merge.stands(now):
            self.merge = self._merged(now)
        self.merge.apply(editor, user=self._principal.user, now=self._at)
        self.overlaps = [
            KeptOverlap(new_id(), self._notebook, one, self._origin, self._principal.user, self._at)
            for one in self.merge.overlaps
            if (one.cell, one.theirs) not in self._known
        ]

    def store(self, tx: Connection) -> None:
        """Keep the overlaps, in the transaction that keeps the edit."""
        self._keep(tx, self.overlaps)
        self.stored = True


async def _content(room: OpenNotebook) -> Content:
    if isinstance(room, Room):
        await room.intake()
    return room.content()


async def _edited(
    room: OpenNotebook, change: Callable[[Editor], None], origin: str, user: UserId, beside: Beside
) -> int:
    """At another worker `beside` is not called: what it writes is written after the edit, and before any answer."""
    if isinstance(room, Room):
        return await room.edit(change, origin=origin, user=user, beside=beside)
    return await room.edit(change, origin=origin, user=user)


def _resolve(
    editor: Editor, overlap: Overlap, choice: Resolution, text: str | None, principal: Principal, at: int
) -> None:
    cell = next((cell for cell in editor.content().cells if cell.id == overlap.cell), None)
    if cell is None:
        return
    if trashes(overlap, choice):
        if cell.deleted is None:
            editor.set_deleted(cell.id, {"by": principal.user, "at": at})
        return
    if cell.deleted is not None:
        editor.set_deleted(cell.id, None)
    edits = resolving(overlap, cell.source, choice, text)
    if edits:
        editor.splice_source(cell.id, edits)
