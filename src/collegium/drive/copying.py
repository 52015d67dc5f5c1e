"""Copies of files, notebooks and whole folders: all of one at once, or nothing."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.drive import store
from collegium.drive.model import NAME_LENGTH_MAX, Item, Kind, parsed_item_name
from collegium.drive.ports import NotebookCopies, Prepared
from collegium.drive.service import Drive, refuse_unfit
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, NotFound
from collegium.ground.ids import ItemId, UserId, new_id
from collegium.ground.log import get_log

log = get_log("drive")


class Place(NamedTuple):
    """Where a copy is put: a folder (None: the root), whose drive it is in, and how deep it lies."""

    parent: ItemId | None
    owner: UserId
    depth: int


@dataclass(frozen=True, slots=True)
class Origin:
    """An item that is to be copied, and how deep it lies below the topmost of them."""

    item: Item
    depth: int


class Copying:
    """The use case of copying. Whoever may read a thing may copy it; the copy is theirs, and has no past."""

    def __init__(self, database: Database, drive: Drive, notebooks: NotebookCopies) -> None:
        self._database = database
        self._drive = drive
        self._notebooks = notebooks

    async def copy(
        self,
        principal: Principal,
        item: ItemId,
        *,
        into: ItemId | None = None,
        to_top: bool = False,
        name: str | None = None,
    ) -> Item:
        """A copy of the item and everything in it, in this folder; without one beside the original, if that is one's
        own, else (or if `to_top`) in one's own root. Nobody sees any of it before all of it is there.

        Raises NotFound, Forbidden, Invalid, QuotaExceeded, and Conflict for what is too much to copy at once.
        """
        async with self._database.read() as tx:
            origins = await self._origins(tx, principal, item)
        name = parsed_item_name(name) if name is not None else copied_name(origins[0].item)
        prepared = await self._prepared(origins)
        async with self._database.write() as tx:
            # What was read before is no longer sure: this is what counts.
            current = await self._origins(tx, principal, item)
            place = await self._place(tx, principal, current, into, to_top=to_top)
            made = _renewed(current, prepared, place, name)
            size = sum(copy.size for copy, _ in made)
            await self._drive.refuse_over_quota(tx, place.owner, size, asking=principal.user)
            await self._drive.refuse_full(tx, place.owner, place.parent)
            await store.insert_items(tx, [copy for copy, _ in made])
            for copy, source in made:
                if source is not None:
                    size = await self._notebooks.insert(tx, source, copy.id, place.owner)
                    await self._drive.measured(tx, copy.id, size)
            top = await store.read_item(tx, made[0][0].id)
        log.info("item.copied", item=item, copy=top.id, user=principal.user, items=len(made))
        return top

    async def _origins(self, tx: AsyncConnection, principal: Principal, item: ItemId) -> list[Origin]:
        """The item and what is in it, the topmost first; what is in the trash is left out."""
        sight = await self._drive.sight(principal, item, tx=tx)
        way = await store.read_way(tx, item, principal.user)
        if any(step.item.trashed_at is not None for step in way):
            raise Conflict("This is in the trash. Restore it first.", code="in_trash")
        if sight.item.kind is not Kind.FOLDER:
            return [Origin(sight.item, 0)]
        kept: dict[ItemId, Origin] = {}
        for one, depth in sorted(await store.read_subtree(tx, item), key=lambda pair: (pair[1], pair[0].id)):
            if depth == 0 or (one.trashed_at is None and one.parent in kept):
                kept[one.id] = Origin(one, depth)
        most = self._drive.settings.copied_items_max
        if len(kept) > most:
            raise Conflict(f"This folder holds more than {most} items. Copy what is in it in parts.", code="too_much")
        return list(kept.values())

    async def _prepared(self, origins: list[Origin]) -> dict[ItemId, Prepared]:
        prepared: dict[ItemId, Prepared] = {}
        left = int(self._drive.settings.copied_bytes_max)
        for item in (origin.item for origin in origins if origin.item.kind is Kind.NOTEBOOK):
            try:
                prepared[item.id] = await self._notebooks.prepared(item.id)
            except NotFound:
                if len(origins) == 1:
                    raise
                continue
            left -= prepared[item.id].size
            if left < 0 and len(origins) > 1:
                raise Conflict("The notebooks in this folder are too large to be copied at once.", code="too_much")
        return prepared

    async def _place(
        self, tx: AsyncConnection, principal: Principal, origins: list[Origin], into: ItemId | None, *, to_top: bool
    ) -> Place:
        original = origins[0].item
        if into is None and not to_top and original.owner == principal.user and original.playground_of is None:
            into = original.parent
        if into is None:
            return Place(None, principal.user, 0)
        folder, _ = await self._drive.authorize(principal, into, Action.WRITE, tx=tx)
        way = await store.read_way(tx, into, principal.user)
        if any(step.item.trashed_at is not None for step in way):
            raise Conflict("This folder is in the trash.", code="in_trash")
        refuse_unfit(folder, depth=len(way) + max(origin.depth for origin in origins))
        return Place(into, folder.owner, len(way))


def copied_name(item: Item) -> str:
    """What a copy is called, its ending kept."""
    stem, dot, ending = item.name.rpartition(".")
    if item.kind is Kind.FOLDER or not stem or len(ending) > 10:
        stem, dot, ending = item.name, "", ""
    return f"Copy of {stem}"[: NAME_LENGTH_MAX - len(dot + ending)].rstrip() + dot + ending


def _renewed(
    origins: list[Origin], prepared: dict[ItemId, Prepared], place: Place, name: str
) -> list[tuple[Item, Prepared | None]]:
    """The items to be made, with the content of those that are notebooks."""
    now = now_ms()
    ids = {origin.item.id: ItemId(new_id()) for origin in origins}
    made: list[tuple[Item, Prepared | None]] = []
    for number, origin in enumerate(origins):
        item = origin.item
        content = prepared.get(item.id)
        if item.kind is Kind.NOTEBOOK and content is None:
            continue  # it came into the folder after the folder was read
        parent = place.parent if number == 0 or item.parent is None else ids[item.parent]
        copy = replace(
            item,
            id=ids[item.id],
            owner=place.owner,
            parent=parent,
            name=name if number == 0 else item.name,
            created_at=now,
            modified_at=now,
            playground_of=None,
        )
        made.append((copy, content))
    return made
