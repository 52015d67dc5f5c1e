"""Finding items by the words of their names and texts, among what the asking user may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio.to_thread
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Principal
from collegium.drive import search_store, sharing_store, store
from collegium.drive.model import Kind, Sight, sight_of
from collegium.drive.ports import Matcher
from collegium.drive.search_store import search_texts
from collegium.drive.shelves_store import openings
from collegium.drive.store import items
from collegium.drive.words import Piece, distinct_words, query_words, snippet
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.ids import ItemId, UserId

RESULTS_MAX = 50
LOOKED_AT_AT_ONCE = 200
LOOKED_AT_MAX = 1_000
"""So many matches are looked at, of which some may turn out to be no longer for the asking user."""
TAKEN_IN_AT_ONCE = 100

Whose = Literal["mine", "others"]


@dataclass(frozen=True, slots=True)
class Found:
    """An item that has what was looked for; `snippet`: where its text has it, if its name alone has not all of it."""

    sight: Sight
    snippet: tuple[Piece, ...]


class Search:
    """The use cases of finding, and of what is found."""

    def __init__(self, database: Database, matcher: Matcher) -> None:
        self._database = database
        self._matcher = matcher

    async def find(
        self, principal: Principal, query: str, *, kind: Kind | None = None, whose: Whose | None = None
    ) -> list[Found]:
        """What has a word beginning with each word of the query, those with all in their names first.

        Only what lies in one's own drive, was shared with one, or was opened by one before; nothing in a trash.
        """
        wanted = query_words(query)
        if not wanted:
            return []
        async with self._database.read() as tx:
            scope = _scope(principal.user, kind, whose)
            named = await self._matched(tx, principal.user, scope, wanted, in_names=True)
            others = await self._matched(tx, principal.user, scope, wanted, in_names=False)
            named_ids = {sight.item.id for sight in named}
            rest = [sight for sight in others if sight.item.id not in named_ids]
            rest = rest[: max(0, RESULTS_MAX - len(named))]
            texts = await search_store.read_texts(tx, [sight.item.id for sight in rest])
        first = " ".join(wanted)
        named.sort(key=lambda sight: not distinct_words(sight.item.name).startswith(first))

        def quoted() -> list[Found]:
            return [Found(sight, tuple(snippet(texts.get(sight.item.id, ""), wanted))) for sight in rest]

        return [*(Found(sight, ()) for sight in named), *await anyio.to_thread.run_sync(quoted)]

    async def _matched(
        self, tx: AsyncConnection, user: UserId, scope: Select[Any], wanted: Sequence[str], *, in_names: bool
    ) -> list[Sight]:
        matching = scope.where(self._matcher.matching(wanted, in_names=in_names))
        matching = matching.order_by(items.c.modified_at.desc(), items.c.id)
        seen: list[Sight] = []
        for start in range(0, LOOKED_AT_MAX, LOOKED_AT_AT_ONCE):
            rows = await tx.execute(matching.limit(LOOKED_AT_AT_ONCE).offset(start))
            ids = [ItemId(item) for item in rows.scalars()]
            ways = await store.read_ways(tx, ids, user)
            for way in (ways[item] for item in ids if item in ways):
                sight = sight_of(way, user)
                if sight is not None and not any(step.item.trashed_at is not None for step in way):
                    seen.append(sight)
            if len(seen) >= RESULTS_MAX or len(ids) < LOOKED_AT_AT_ONCE:
                break
        return seen[:RESULTS_MAX]

    # --- what is found ---------------------------------------------------------------------------

    @staticmethod
    async def set_text(tx: AsyncConnection, item: ItemId, text: str, text_words: str) -> None:
        """From now on the item is found by this text, and by these words of it (see `distinct_words`)."""
        if await search_store.read_text_words(tx, item) == (text, text_words):
            await search_store.mark_looked_at(tx, item, now_ms())
        else:
            await search_store.set_text(tx, item, text, text_words, now_ms())

    async def take_in_names(self) -> None:
        """Make what lay in drives before there was a search be found by its name."""
        while True:
            async with self._database.write() as tx:
                missing = await search_store.unnamed(tx, items, limit=TAKEN_IN_AT_ONCE)
                for item, name in missing:
                    await search_store.insert_name(tx, item, name)
            if len(missing) < TAKEN_IN_AT_ONCE:
                return

    async def unread(self) -> list[ItemId]:
        """Some notebooks whose text was changed after it was looked at, the latest first."""
        async with self._database.read() as tx:
            return await search_store.unread(tx, items, Kind.NOTEBOOK, limit=TAKEN_IN_AT_ONCE)


def _scope(user: UserId, kind: Kind | None, whose: Whose | None) -> Select[Any]:
    """The ids of what a user may know of, and perhaps of a little more: roles are asked afterwards."""
    kept = and_(items.c.trashed_at.is_(None), items.c.playground_of.is_(None))
    opened = select(openings.c.item).where(openings.c.user == user)
    at_top = and_(items.c.owner == user, items.c.parent.is_(None))
    known = or_(at_top, items.c.id.in_(sharing_store.granted_to(user)), items.c.id.in_(opened))
    tree = select(items.c.id).where(kept, known).cte("tree", recursive=True)
    tree = tree.union(select(items.c.id).join(tree, items.c.parent == tree.c.id).where(kept))
    scope = select(items.c.id).join(search_texts, search_texts.c.item == items.c.id)
    scope = scope.where(items.c.id.in_(select(tree.c.id)))
    if kind is not None:
        scope = scope.where(items.c.kind == kind)
    if whose is not None:
        scope = scope.where(items.c.owner == user if whose == "mine" else items.c.owner != user)
    return scope
