"""The history of a notebook: revisions made, listed, named and thinned, and any past state brought back and proven."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import zstandard

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, NotFound, Unavailable
from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.ground.log import get_log
from collegium.notebooks import differences, history, revision_store, store
from collegium.notebooks.differences import Difference, Side
from collegium.notebooks.document import Broken, Document, Editor
from collegium.notebooks.history import DAY_MS, Entry, Revision, RevisionKind, Shown, Undo, Version
from collegium.notebooks.model import CellOutputs, Content, shown_hash
from collegium.notebooks.ports import Outputs
from collegium.notebooks.revision_store import Past
from collegium.notebooks.settings import NotebookSettings
from collegium.notebooks.store import Snapshot
from collegium.notebooks.strict import Reject

log = get_log("notebooks")

SNAPSHOTS_TRIED_MAX = 3
"""If a snapshot turns out to be damaged, the one before it may stand for it, with the log between."""
HISTORY_UPDATES_MAX = 20_000
VERSIONS_MAX = 200
STRETCH_PAUSE_MS = 60_000
"""Who does not write for so long begins a new version of a cell."""
DIFFS_MAX = 2
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shot:
    """A notebook as it was: what it said, and what its cells showed."""

    content: Content
    outputs: dict[CellId, CellOutputs]
    shown: Shown


@dataclass(frozen=True, slots=True)
class Fork:
    """A change made to a past state, to be taken in by the present one."""

    update: bytes
    client: int


class Revisions:
    """The use cases of history. Whoever asks must be allowed to."""

    def __init__(self, database: Database, outputs: Outputs, settings: NotebookSettings) -> None:
        self._database = database
        self.outputs = outputs
        self.settings = settings
        self._workers = anyio.CapacityLimiter(DIFFS_MAX)
        self.on_change: list[Callable[[NotebookId], None]] = []
        """Called when revisions of a notebook were made, changed or thinned."""

    # --- made ----------------------------------------------------------------------------------------

    async def make(
        self,
        notebook: NotebookId,
        kind: RevisionKind,
        *,
        user: UserId | None = None,
        label: str | None = None,
        at: int | None = None,
        shown: Shown | None = None,
        undo: Undo | None = None,
    ) -> Revision | None:
        """A new revision of what is on disk, or of a moment of the log, with its snapshot: both are kept, or none.

        None: it would have nothing that the newest does not have (a named one is made all the same). Raises NotFound,
        Unavailable or StorageFull.
        """
        if shown is None:
            shown = await self.outputs.shown(notebook)
        async with self._database.read() as tx:
            head = await revision_store.read_head(tx, notebook)
            last = await revision_store.read_last(tx, notebook)
        seq = head.seq if at is None else at
        needless = kind not in (RevisionKind.NAMED, RevisionKind.RESTORE)
        if needless and _nothing_new(last, seq, shown):
            return None
        snapshot, content = await self.past(notebook, seq, lambda document: _snapshot(document, seq))
        hash, shown = shown_hash(content), {} if content.omits_outputs else shown
        async with self._database.write() as tx:
            last = await revision_store.read_last(tx, notebook)
            if needless and last is not None and last.says_the_same(hash, shown):
                return None
            after = 0 if last is None else last.seq
            revision = Revision(
                notebook=notebook,
                number=1 if last is None else last.number + 1,
                seq=seq,
                kind=kind,
                label=label,
                pinned=kind is RevisionKind.NAMED,
                created_by=user,
                authors=await revision_store.read_authors(tx, notebook, after=after, through=seq),
                content_hash=snapshot.content_hash,
                shown_hash=hash,
                outputs=shown,
                created_at=now_ms(),
                undo=undo,
            )
            await store.insert_snapshot(tx, notebook, head.epoch, snapshot, revision.created_at)
            await revision_store.insert_revision(tx, revision)
        self._changed(notebook)
        try:
            await self.retain(notebook)
        except CollegiumError as error:
            # It is made all the same, and the next one tidies up.
            log.warning("revisions.not_thinned", notebook=notebook, code=error.code)
        log.info("revision.made", notebook=notebook, number=revision.number, kind=str(kind))
        return revision

    async def before_merge(self, notebook: NotebookId, user: UserId) -> None:
        """Somebody is about to bring a file in. Programs that save every few moments make no revision each time."""
        last = await self.last(notebook)
        again = last is not None and last.kind is RevisionKind.BEFORE_MERGE and last.created_by == user
        if last is None or not again or now_ms() - last.created_at > self.settings.revision_active_seconds * 1000:
            await self.make(notebook, RevisionKind.BEFORE_MERGE, user=user)

    async def head(self, notebook: NotebookId) -> int:
        """Where the log ends."""
        async with self._database.read() as tx:
            return (await revision_store.read_head(tx, notebook)).seq

    async def origin(self, notebook: NotebookId, seq: int) -> str | None:
        """Where an edit came from; None: it is not kept any more."""
        async with self._database.read() as tx:
            return await revision_store.read_origin(tx, notebook, seq)

    async def retain(self, notebook: NotebookId) -> None:
        """Thin old revisions out, and forget the part of the log that is too old to be kept."""
        now = now_ms()
        settings = self.settings
        async with self._database.write() as tx:
            known = await revision_store.read_ages(tx, notebook)
            old = history.thinned(
                known, now, all_days=settings.revisions_all_days, daily_days=settings.revisions_daily_days
            )
            await revision_store.delete_revisions(tx, notebook, old)
            needed = await revision_store.snapshots_needed(tx, notebook)
            before = now - int(settings.retention_days * DAY_MS)
            await store.forget_updates(tx, notebook, before=before, keep=needed)

    # --- listed and named ----------------------------------------------------------------------------

    async def listed(self, notebook: NotebookId, *, before: int | None, limit: int) -> list[Revision]:
        """The newest first."""
        async with self._database.read() as tx:
            return await revision_store.read_revisions(tx, notebook, before=before, limit=limit)

    async def get(self, notebook: NotebookId, number: int) -> Revision:
        """Raises NotFound."""
        async with self._database.read() as tx:
            return await revision_store.read_revision(tx, notebook, number)

    async def last(self, notebook: NotebookId) -> Revision | None:
        """The newest."""
        async with self._database.read() as tx:
            return await revision_store.read_last(tx, notebook)

    async def change(self, notebook: NotebookId, number: int, **values: Any) -> Revision:
        """Give it another `label`, `pinned` or `undo`. Raises NotFound."""
        async with self._database.write() as tx:
            revision = replace(await revision_store.read_revision(tx, notebook, number), **values)
            await revision_store.update_revision(tx, revision)
        self._changed(notebook)
        return revision

    async def claim_undo(self, notebook: NotebookId, number: int) -> Revision:
        """A restore that is taken back by whoever asks first. Raises NotFound, or Conflict for everybody else."""
        async with self._database.write() as tx:
            revision = await revision_store.read_revision(tx, notebook, number)
            if revision.undo is None:
                raise Conflict("There is no restore to take back, or it was taken back already.", code="no_restore")
            await revision_store.update_revision(tx, replace(revision, undo=None))
        return revision

    def _changed(self, notebook: NotebookId) -> None:
        for told in self.on_change:
            told(notebook)

    # --- brought back --------------------------------------------------------------------------------

    async def past(self, notebook: NotebookId, seq: int, look: Callable[[Document], T]) -> T:
        """What `look` finds in the document as it was at a moment. The copy belongs to `look`, in a thread.

        Raises NotFound if that moment is not kept, and Unavailable if what is stored of it is damaged.
        """
        damaged = False
        for skip in range(SNAPSHOTS_TRIED_MAX):
            async with self._database.read() as tx:
                if seq > (await revision_store.read_head(tx, notebook)).seq:
                    break
                stored = await revision_store.read_past(tx, notebook, seq, skip=skip)
            if stored is None or not _reaches(stored, seq):
                break
            try:
                return await anyio.to_thread.run_sync(_looked, stored, look, limiter=self._workers)
            except Broken as error:
                damaged = True
                log.error("snapshot.damaged", notebook=notebook, seq=stored.snapshot_seq, error=str(error))
        if damaged:
            raise Unavailable("What is stored of this revision is damaged.", code="revision_damaged")
        raise NotFound("This moment of the notebook is not kept any more.")

    async def state(self, notebook: NotebookId, seq: int) -> tuple[Content, str]:
        """What the notebook said at a moment, and its digest. Raises as `past` does."""
        return await self.past(notebook, seq, lambda document: (document.content(), document.digest()))

    async def fork(self, notebook: NotebookId, seq: int, change: Callable[[Editor], None]) -> Fork | None:
        """Change the document as it was at a moment; None if nothing changed. Raises as `past` does."""

        def edit(document: Document) -> Fork | None:
            update = document.edit(change)
            return None if update is None else Fork(update, document.client)

        return await self.past(notebook, seq, edit)

    async def shot(self, notebook: NotebookId, number: int | None, *, whole: bool = False) -> Shot:
        """A revision (None: the present) with what its cells showed. Raises as `get` and `past` do."""
        if number is None:
            shown, seq = await self.outputs.shown(notebook), await self.head(notebook)
        else:
            revision = await self.get(notebook, number)
            shown, seq = revision.outputs, revision.seq
        content = await self.past(notebook, seq, lambda document: document.content())
        cells = set() if content.omits_outputs else {cell.id for cell in content.shown}
        shown = {cell: id for cell, id in shown.items() if cell in cells}
        left = await self.outputs.outputs_of(notebook, set(shown.values()), whole=whole)
        return Shot(content, {cell: left[id] for cell, id in shown.items() if id in left}, shown)

    # --- compared ------------------------------------------------------------------------------------

    async def diff(self, notebook: NotebookId, older: int | None, newer: int | None) -> Difference:
        """Two revisions (None: the present) beside each other. Raises as `shot` does."""
        one, other = await self.shot(notebook, older), await self.shot(notebook, newer)
        return await self.compared(one.content, one.outputs, other.content, other.outputs)

    async def compared(
        self,
        before: Content,
        outputs_before: dict[CellId, CellOutputs],
        after: Content,
        outputs_after: dict[CellId, CellOutputs],
        *,
        similar: bool = False,
    ) -> Difference:
        """Two notebooks beside each other. `similar`: cells of different ids may be the same, if they look alike."""

        def work() -> Difference:
            return differences.compared(Side(before, outputs_before), Side(after, outputs_after), similar=similar)

        return await anyio.to_thread.run_sync(work, limiter=self._workers)

    async def versions(self, notebook: NotebookId, cell: CellId) -> list[Version]:
        """What one cell said over time, the oldest first: from the log as far as it is kept (and not beyond
        HISTORY_UPDATES_MAX edits of the notebook), before that from revisions. Raises NotFound, Unavailable."""
        async with self._database.read() as tx:
            entries = await revision_store.read_entries(tx, notebook, limit=HISTORY_UPDATES_MAX)
            head = await revision_store.read_head(tx, notebook)
            times = await revision_store.read_snapshot_times(tx, notebook)
            known = await revision_store.read_revisions(tx, notebook)
            # The first snapshot from which the log reaches the present without a gap.
            oldest = _unbroken(entries, head.seq)
            start = next((seq for seq in times if seq >= oldest - 1), head.seq)
            updates = await revision_store.read_updates(tx, notebook, after=start, through=head.seq)
        found: list[Version | None] = []
        for revision in sorted((one for one in known if one.seq < start), key=lambda one: one.seq)[-VERSIONS_MAX:]:
            blank = Version(revision.seq, revision.created_at, _only(revision.authors), "", "", deleted=True)
            found.append(await self.past(notebook, revision.seq, partial(_seen, cell=cell, blank=blank)))
        ends = history.stretches((entry for entry in entries if entry.seq > start), STRETCH_PAUSE_MS)
        first = Entry(start, None, times.get(start, 0))
        found += await self.past(notebook, start, lambda document: _replayed(document, cell, updates, first, ends))
        return _distinct(found)[-VERSIONS_MAX:]


def _nothing_new(last: Revision | None, seq: int, shown: Shown) -> bool:
    if last is None:
        # Nobody has edited it, and nothing was ever shown in it.
        return seq == 1 and not shown
    return last.seq == seq and last.outputs == shown


def _snapshot(document: Document, seq: int) -> tuple[Snapshot, Content]:
    """The snapshot of a copy, proven to say the same, and what it says. Raises Broken."""
    payload, content_hash = document.lacking(None), document.digest()
    fresh = Document.load([payload])
    if fresh.digest() != content_hash or fresh.clocks() != document.clocks():
        raise Broken("the snapshot says something else")
    return Snapshot(seq, document.state_vector(), payload, content_hash), document.content()


def _reaches(stored: Past, seq: int) -> bool:
    """Whether nothing is missing between the snapshot and the moment."""
    return [number for number, _ in stored.updates] == list(range(stored.snapshot_seq + 1, seq + 1))


def _looked(stored: Past, look: Callable[[Document], T]) -> T:
    """Raises Broken if the snapshot is not what it was when it was stored."""
    try:
        document = Document.load([zstandard.decompress(stored.payload_zstd)])
        digest = document.digest()
    except (zstandard.ZstdError, Reject, CollegiumError, KeyError, TypeError) as error:
        raise Broken(str(error)) from error
    if digest != stored.content_hash:
        raise Broken("the snapshot is not what it was")
    document.replay(payload for _, payload in stored.updates)
    return look(document)


def _unbroken(entries: Sequence[Entry], head: int) -> int:
    """Where the log begins that reaches the present without a gap."""
    oldest = head + 1
    for entry in reversed(entries):
        if entry.seq != oldest - 1:
            break
        oldest = entry.seq
    return oldest


def _replayed(
    document: Document, cell: CellId, updates: list[tuple[int, bytes]], first: Entry, ends: list[Entry]
) -> list[Version | None]:
    """The cell in a copy that stands at `first`, and at the end of each stretch after it."""
    found: list[Version | None] = []
    at = 0
    for end in (first, *ends):
        upto = at
        while upto < len(updates) and updates[upto][0] <= end.seq:
            upto += 1
        document.replay(payload for _, payload in updates[at:upto])
        at = upto
        found.append(_seen(document, cell, Version(end.seq, end.at, end.user, "", "", deleted=True)))
    return found


def _seen(document: Document, cell: CellId, blank: Version) -> Version | None:
    found = document.cell(cell)
    if found is None:
        return None
    return replace(blank, type=found.type, source=found.source, deleted=found.deleted is not None)


def _distinct(found: list[Version | None]) -> list[Version]:
    """Those that say something new."""
    kept: list[Version] = []
    for version in found:
        if version is None:
            continue
        last = kept[-1] if kept else None
        if last is None or (last.source, last.type, last.deleted) != (version.source, version.type, version.deleted):
            kept.append(version)
    return kept


def _only(authors: tuple[UserId, ...]) -> UserId | None:
    return authors[0] if len(authors) == 1 else None
