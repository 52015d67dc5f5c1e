"""A revision brought back while others go on typing: a forward change, attributed, that can be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass

from collegium.accounts.model import Principal
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import CellId, NotebookId
from collegium.ground.log import get_log
from collegium.notebooks.document import Editor
from collegium.notebooks.history import Revision, RevisionKind, Undo
from collegium.notebooks.restoring import restore_into, undo_into
from collegium.notebooks.revisions import Revisions
from collegium.rooms.service import Rooms

log = get_log("rooms")

ORIGIN = "restore"


@dataclass(frozen=True, slots=True)
class Restored:
    """The revisions of just before and just after, and where the log stands; `changed`: whether anything did."""

    changed: bool
    seq: int
    before: Revision | None
    after: Revision | None


class Restoring:
    """The use cases that bring a past state into a live notebook. Whoever asks must be allowed to."""

    def __init__(self, rooms: Rooms, revisions: Revisions) -> None:
        self._rooms = rooms
        self._revisions = revisions

    async def restore(
        self,
        principal: Principal,
        notebook: NotebookId,
        number: int,
        *,
        cells: Sequence[CellId] | None,
        outputs: bool,
    ) -> Restored:
        """Make the notebook, or these cells of it, say what a revision says; `outputs`: and show what they showed.

        Raises NotFound, Unavailable, StorageFull or Conflict.
        """
        shot = await self._revisions.shot(notebook, number)
        shown_before = await self._revisions.outputs.shown(notebook)

        def change(editor: Editor) -> None:
            restore_into(editor, shot.content, cells=cells, user=principal.user, now=now_ms())

        async with self._rooms.open(notebook) as room:
            before = await self._make(principal, notebook, RevisionKind.BEFORE_RESTORE)
            known = await self._revisions.head(notebook)
            seq = await room.edit(change, origin=ORIGIN, user=principal.user)
        edited = seq > known and await self._revisions.origin(notebook, seq) == ORIGIN
        head = seq - 1 if edited else seq
        if edited and (before is None or before.seq < head):
            # What was typed while the revision was made.
            before = await self._make(principal, notebook, RevisionKind.BEFORE_RESTORE, at=head)
        # A revision that omitted its outputs does not know what its cells showed.
        outputs = outputs and not shot.content.omits_outputs
        asked = {cell.id for cell in shot.content.shown} | shown_before.keys() if cells is None else set(cells)
        changed = {cell for cell in asked if shot.shown.get(cell) != shown_before.get(cell)} if outputs else set()
        if changed:
            await self._revisions.outputs.show(notebook, {cell: shot.shown.get(cell) for cell in changed})
        if not edited and not changed:
            return Restored(False, seq, before, None)
        undo = Undo(
            before=head,
            after=seq,
            shown={cell: id for cell, id in shown_before.items() if cell in changed},
            cells=tuple(sorted(changed)),
        )
        after = await self._make(principal, notebook, RevisionKind.RESTORE, at=seq, undo=undo)
        log.info("revision.restored", notebook=notebook, number=number, user=principal.user)
        return Restored(True, seq, before, after)

    async def undo(self, principal: Principal, notebook: NotebookId, number: int) -> int:
        """Take a restore back, and keep what was typed since; where the log stands then.

        Raises NotFound, Conflict if this revision is of no restore or it was taken back, Unavailable or StorageFull.
        """
        revision = await self._revisions.claim_undo(notebook, number)
        try:
            return await self._undone(principal, revision)
        except CollegiumError:
            await self._revisions.change(notebook, number, undo=revision.undo)
            raise

    async def _undone(self, principal: Principal, revision: Revision) -> int:
        undo, notebook = revision.undo, revision.notebook
        assert undo is not None
        seq = undo.after
        if undo.after != undo.before:
            before, _ = await self._revisions.state(notebook, undo.before)
            after, _ = await self._revisions.state(notebook, undo.after)
            # In a copy that stands where the restore ended, so that what was typed since stays as it is.
            fork = await self._revisions.fork(
                notebook,
                undo.after,
                lambda editor: undo_into(editor, before, after, user=principal.user, now=now_ms()),
            )
            if fork is not None:
                async with self._rooms.open(notebook) as room:
                    await self._make(principal, notebook, RevisionKind.BEFORE_RESTORE)
                    seq = await room.join(fork.update, fork.client, origin="undo", user=principal.user)
        now = await self._revisions.outputs.shown(notebook)
        # What ran since stays shown.
        untouched = [cell for cell in undo.cells if now.get(cell) == revision.outputs.get(cell)]
        if untouched:
            await self._revisions.outputs.show(notebook, {cell: undo.shown.get(cell) for cell in untouched})
        log.info("restore.undone", notebook=notebook, number=revision.number, user=principal.user)
        return seq

    async def _make(
        self,
        principal: Principal,
        notebook: NotebookId,
        kind: RevisionKind,
        *,
        at: int | None = None,
        undo: Undo | None = None,
    ) -> Revision | None:
        made = await self._revisions.make(notebook, kind, user=principal.user, at=at, undo=undo)
        # Nothing new: the newest says it already.
        return made or await self._revisions.last(notebook)
