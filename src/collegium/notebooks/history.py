"""What a revision is, which ones are kept, and how a log of edits becomes the versions of a cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from collegium.ground.errors import Invalid
from collegium.ground.ids import CellId, ExecutionId, NotebookId, UserId
from collegium.ground.text import is_printable

LABEL_LENGTH_MAX = 200
DAY_MS = 86_400_000

Shown = dict[CellId, ExecutionId]
"""Which execution's outputs each cell shows."""


class RevisionKind(StrEnum):
    """Why a revision was made."""

    AUTO = "auto"
    IDLE = "idle"
    BEFORE_RUN = "before_run"
    BEFORE_MERGE = "before_merge"
    BEFORE_RESTORE = "before_restore"
    RESTORE = "restore"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Undo:
    """What it takes to take a restore back: the log just before it and just after it, and what cells showed before."""

    before: int
    after: int
    shown: Shown
    """Of the cells whose outputs were restored; a cell that is missing here showed nothing."""
    cells: tuple[CellId, ...] = ()
    """The cells whose outputs were restored."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What a notebook said, and what its cells showed, at one moment. `number` counts from 1 in each notebook."""

    notebook: NotebookId
    number: int
    seq: int
    kind: RevisionKind
    label: str | None
    pinned: bool
    created_by: UserId | None
    """Who asked for it; nobody asked for an automatic one."""
    authors: tuple[UserId, ...]
    """Who edited since the revision before it."""
    content_hash: str
    shown_hash: str
    outputs: Shown
    created_at: int
    undo: Undo | None = None

    @property
    def kept(self) -> bool:
        """Whether it stays for ever."""
        return self.pinned or self.label is not None

    def says_the_same(self, shown_hash: str, outputs: Shown) -> bool:
        """Whether there is nothing to see that this one does not have already."""
        return self.shown_hash == shown_hash and self.outputs == outputs


def parsed_label(text: str) -> str | None:
    """A name for a revision; None if nothing is left of it. Raises Invalid for what cannot be shown."""
    label = " ".join(text.split())
    if len(label) > LABEL_LENGTH_MAX:
        raise Invalid(f"A name has at most {LABEL_LENGTH_MAX} characters.")
    if not is_printable(label):
        raise Invalid("The name has characters that cannot be shown.")
    return label or None


class Aging(Protocol):
    """What of a revision says whether it stays."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    @property
    def created_at(self) -> int:
        """When it was made, in milliseconds."""
        ...

    @property
    def kept(self) -> bool:
        """Whether it stays for ever."""
        ...


@dataclass(frozen=True, slots=True)
class Age:
    """A revision without what it says."""

    number: int
    created_at: int
    kept: bool


def thinned(revisions: Sequence[Aging], now: int, *, all_days: float, daily_days: float) -> list[int]:
    """The numbers of those to forget: automatic ones, when they are old, but for the last of each day; and of those
    none that is very old. The newest stays."""
    forget: list[int] = []
    days: set[int] = set()
    for revision in sorted(revisions, key=lambda one: one.number, reverse=True)[1:]:
        age = now - revision.created_at
        if revision.kept or age <= all_days * DAY_MS:
            continue
        day = revision.created_at // DAY_MS
        if day in days or age > daily_days * DAY_MS:
            forget.append(revision.number)
        days.add(day)
    return forget


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log, without what it says."""

    seq: int
    user: UserId | None
    at: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a cell said for some time."""

    seq: int
    at: int
    user: UserId | None
    type: str
    source: str
    deleted: bool


def stretches(entries: Iterable[Entry], pause_ms: int) -> list[Entry]:
    """The last entry of each stretch in which one person wrote without a long pause."""
    ends: list[Entry] = []
    for entry in entries:
        last = ends[-1] if ends else None
        if last is not None and last.user == entry.user and 0 <= entry.at - last.at <= pause_ms:
            ends[-1] = entry
        else:
            ends.append(entry)
    return ends
