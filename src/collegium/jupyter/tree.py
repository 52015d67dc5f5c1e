"""A user's drive as a tree of paths: what has one name beside another of the same name gets a longer one here."""

from collections.abc import Iterable
from dataclasses import dataclass

from collegium.accounts.model import Principal, Role
from collegium.drive.model import Item, Kind
from collegium.drive.service import Drive
from collegium.ground.errors import Invalid, NotFound
from collegium.ground.ids import ItemId

PATH_LENGTH_MAX = 8192
DEPTH_MAX = 50
SHARED = "Shared with me"
"""The folder at the top that holds what others shared; a folder of one's own of that name stands before it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path leads to. `item`: None for the top and for the folder of what is shared."""

    path: str
    item: Item | None
    role: Role
    name: str

    @property
    def is_folder(self) -> bool:
        """Whether it holds others."""
        return self.item is None or self.item.kind is Kind.FOLDER

    @property
    def folder(self) -> ItemId | None:
        """The folder it is, to put things into. Raises Invalid for what is none, and where nothing can be put."""
        if self.item is None and self.path == "":
            return None
        if self.item is None or self.item.kind is not Kind.FOLDER:
            raise Invalid("Nothing can be put there.")
        return self.item.id


class Tree:
    """Finds items by their paths and paths of items."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive

    async def find(self, principal: Principal, path: str) -> Place:
        """What is there. Raises NotFound, or Invalid for what can be no path."""
        place = Place("", None, Role.OWNER, "")
        for name in parts_of(path):
            found = next((one for one in await self.children(principal, place) if one.name == name), None)
            if found is None:
                raise NotFound(f"No such file or directory: {path}")
            place = found
        return place

    async def children(self, principal: Principal, place: Place) -> list[Place]:
        """What a folder holds; nothing, if it is none."""
        if not place.is_folder:
            return []
        if place.item is not None:
            _, items = await self._drive.list_folder(principal, place.item.id)
            return _named(place.path, items)
        if place.path == SHARED:
            return _named(SHARED, [(sight.item, sight.role) for sight in await self._drive.list_shared(principal)])
        own = _named("", [(item, Role.OWNER) for item in await self._drive.list_root(principal)])
        if any(one.name == SHARED for one in own) or not await self._drive.list_shared(principal):
            return own
        return [*own, Place(SHARED, None, Role.VIEWER, SHARED)]

    async def path_of(self, principal: Principal, item: ItemId) -> str:
        """Where an item is for this user. Raises NotFound."""
        sight = await self._drive.sight(principal, item)
        place = Place("", None, Role.OWNER, "")
        if sight.role is not Role.OWNER:
            place = Place(SHARED, None, Role.VIEWER, SHARED)
        for step in (*sight.path, sight.item):
            found = [one for one in await self.children(principal, place) if one.item and one.item.id == step.id]
            if not found:
                raise NotFound("It lies in the trash.")
            place = found[0]
        return place.path


def parts_of(path: str) -> list[str]:
    """The names a path is made of. Raises Invalid."""
    if len(path) > PATH_LENGTH_MAX or "\0" in path:
        raise Invalid("This is no path.")
    parts = [part for part in path.split("/") if part]
    if len(parts) > DEPTH_MAX or any(part in (".", "..") for part in parts):
        raise Invalid("This is no path.")
    return parts


def _named(folder: str, items: Iterable[tuple[Item, Role]]) -> list[Place]:
    """Each under a name that no other has: of several of one name the oldest keeps it."""
    rows = list(items)
    taken = {item.name for item, _ in rows}
    first: dict[str, ItemId] = {}
    for item, _ in sorted(rows, key=lambda row: (row[0].created_at, row[0].id)):
        first.setdefault(item.name, item.id)
    places = []
    for item, role in rows:
        name = item.name if first[item.name] == item.id else _distinct(item, taken)
        places.append(Place(f"{folder}/{name}" if folder else name, item, role, name))
    return places


def _distinct(item: Item, taken: set[str]) -> str:
    stem, dot, ending = item.name.rpartition(".") if item.kind is not Kind.FOLDER else (item.name, "", "")
    if not stem:
        stem, dot, ending = item.name, "", ""
    names = (f"{stem} ({item.id[:length]}){dot}{ending}" for length in (6, len(item.id)))
    name = next((name for name in names if name not in taken), f"{item.id}{dot}{ending}")
    taken.add(name)
    return name
