"""Which version of a notebook somebody outside has, so that what they bring is known by what it changes."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread

from collegium.accounts.model import Principal
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Invalid, NotFound, Unavailable
from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.notebooks import outside_store, revision_store
from collegium.notebooks.model import Cell, CellOutputs, Content
from collegium.notebooks.outside_store import Base
from collegium.notebooks.revisions import Revisions

PER_CHANNEL_MAX = 8
LOOKED_AT_MAX = 8
BASES_MAX = 64
CONTENT_BYTES_MAX = 32 << 20
DIGEST_LENGTH = 32
LIKELY_MIN = 0.5
"""A version of somebody else's must have this much in common with a file, to be taken for what it was made from."""

NAMED = re.compile(r'(?:W/)?"?(?:(?P<epoch>[0-9A-Za-z]{1,22})\.)?(?P<seq>[0-9]{1,15})"?\Z')


@dataclass(frozen=True, slots=True)
class Found:
    """What a file was made from, as far as is known. `content` None: nobody knows."""

    content: Content | None = None
    sure: bool = False
    outputs: dict[CellId, str] | None = None
    """What each cell showed then, as digests; None: not known."""


class Bases:
    """Remembers what was given out and brought in, by user and channel."""

    def __init__(self, database: Database, revisions: Revisions) -> None:
        self._database = database
        self._revisions = revisions

    async def note(
        self,
        notebook: NotebookId,
        user: UserId,
        channel: str,
        version: tuple[str, int],
        *,
        content: Content | None = None,
        outputs: dict[CellId, str] | None = None,
    ) -> None:
        """This channel has this version of the notebook now (an epoch and a sequence number), or, if `content` is
        given, what that says."""
        epoch, seq = version
        async with self._database.read() as tx:
            last = await outside_store.read_last_base(tx, notebook, user, channel)
        stored = None if content is None else await anyio.to_thread.run_sync(_encoded, content)
        if stored is not None and len(stored) > CONTENT_BYTES_MAX:
            return
        base = Base(user, channel, epoch, seq, stored, outputs, now_ms())
        if last is not None and (last.epoch, last.seq, last.content, last.outputs) == (epoch, seq, stored, outputs):
            return
        async with self._database.write() as tx:
            await outside_store.insert_base(tx, notebook, base, per_channel=PER_CHANNEL_MAX, per_notebook=BASES_MAX)

    async def version(self, notebook: NotebookId) -> tuple[str, int]:
        """What is on disk now. Raises NotFound."""
        async with self._database.read() as tx:
            head = await revision_store.read_head(tx, notebook)
        return head.epoch, head.seq

    async def find(
        self, notebook: NotebookId, user: UserId, channel: str, wanted: Content, *, named: str | None
    ) -> Found:
        """What a file was made from: the version that is named, else the one nearest to it of those that this channel
        has, else of those that anybody has. Raises Invalid if what is named can be no version, or NotFound."""
        async with self._database.read() as tx:
            head = await revision_store.read_head(tx, notebook)
            kept = await outside_store.read_bases(tx, notebook, limit=BASES_MAX)
        own = [base for base in kept if (base.user, base.channel) == (user, channel)]
        outputs = own[0].outputs if own else None
        if named is not None:
            epoch, seq = parsed(named)
            if epoch in (None, head.epoch):
                if seq > head.seq:
                    raise Invalid("The notebook has not come to this version yet.")
                content = await self._state(notebook, seq)
                return Found(content, content is not None, outputs)
            return Found(outputs=outputs)
        for candidates, sure in ((own[:PER_CHANNEL_MAX], True), (_distinct(kept, own)[:LOOKED_AT_MAX], False)):
            contents = [await self._content(notebook, head.epoch, base) for base in candidates]
            known = [content for content in contents if content is not None]
            if not known:
                continue
            score, nearest = await anyio.to_thread.run_sync(_nearest, known, wanted)
            if sure or score >= LIKELY_MIN:
                return Found(nearest, sure or score == 1.0, outputs)
        return Found(outputs=outputs)

    async def _content(self, notebook: NotebookId, epoch: str, base: Base) -> Content | None:
        if base.content is not None:
            return await anyio.to_thread.run_sync(_decoded, base.content)
        return await self._state(notebook, base.seq) if base.epoch == epoch else None

    async def _state(self, notebook: NotebookId, seq: int) -> Content | None:
        try:
            return (await self._revisions.state(notebook, seq))[0]
        except (NotFound, Unavailable):
            # Not kept any more, or damaged: then the file is merged without it, and more of it is marked.
            return None


def tag_of(epoch: str, seq: int) -> str:
    """A version as an ETag."""
    return f'"{epoch}.{seq}"'


def parsed(named: str) -> tuple[str | None, int]:
    """A version that somebody names. Raises Invalid."""
    match = NAMED.match(named.strip())
    if match is None:
        raise Invalid("This names no version of a notebook: it is the ETag of its content, or a sequence number.")
    return match["epoch"], int(match["seq"])


def channel_of(principal: Principal, agent: str) -> str:
    """What tells the programs of one user apart: their credentials, and what they call themselves."""
    text = f"{principal.login or principal.token} {agent}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def digests(outputs: dict[CellId, CellOutputs]) -> dict[CellId, str]:
    """What each cell shows, for comparison; a cell that shows nothing is left out."""
    return {id: _digest(left) for id, left in outputs.items() if left != CellOutputs([])}


def _digest(left: CellOutputs) -> str:
    text = json.dumps([left.outputs, left.execution_count], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _distinct(kept: Sequence[Base], but: Sequence[Base]) -> list[Base]:
    """The versions that others have, each once."""
    seen: dict[Any, Base] = {}
    for base in kept:
        if base not in but:
            seen.setdefault((base.epoch, base.seq, base.content), base)
    return list(seen.values())


def _nearest(known: Sequence[Content], wanted: Content) -> tuple[float, Content]:
    """The content that has most in common with another, and how much; of equals the first."""
    lines = _lines(wanted)
    scores = [_likeness(_lines(content), lines) for content in known]
    best = max(range(len(known)), key=lambda index: scores[index])
    return scores[best], known[best]


def _lines(content: Content) -> Counter[tuple[str, str]]:
    return Counter((cell.type, line) for cell in content.shown for line in cell.source.split("\n"))


def _likeness(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> float:
    total = one.total() + other.total()
    return 1.0 if total == 0 else 2 * (one & other).total() / total


def _encoded(content: Content) -> bytes:
    cells = [[cell.id, cell.type, cell.source, cell.metadata, cell.attachments] for cell in content.shown]
    return json.dumps([content.metadata, cells], separators=(",", ":")).encode()


def _decoded(stored: bytes) -> Content:
    metadata, cells = json.loads(stored)
    return Content(tuple(Cell(id, type, "V", source, md, att) for id, type, source, md, att in cells), metadata)
