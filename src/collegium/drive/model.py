"""Items of a drive, their names, and the pure rules of the tree."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from collegium.accounts.model import Role, stronger
from collegium.ground.errors import Invalid, OutOfRange
from collegium.ground.ids import GroupId, ItemId, UserId
from collegium.ground.text import is_printable

NAME_LENGTH_MAX = 255
NOTEBOOKS_FOLDER = "Notebooks"
DEPTH_MAX = 40
"""Folders in folders, at most: every question about a role walks up this far."""


class Kind(StrEnum):
    """What an item is."""

    FOLDER = "folder"
    NOTEBOOK = "notebook"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Item:
    """A folder, notebook or file. Everything in a folder belongs to the folder's owner, whoever put it there."""

    id: ItemId
    owner: UserId
    parent: ItemId | None
    kind: Kind
    name: str
    size: int
    blob: str | None
    created_at: int
    modified_at: int
    trashed_at: int | None
    playground_of: ItemId | None = None
    """The notebook that this one is a playground of; such a one lies in no folder, and nobody finds it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that an owner gave to somebody, on an item and on everything in it."""

    item: ItemId
    user: UserId
    role: Role
    created_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class GroupGrant:
    """A role that an owner gave to everybody in a group, on an item and on everything in it."""

    item: ItemId
    group: GroupId
    role: Role
    created_at: int
    expires_at: int | None = None


class Audience(StrEnum):
    """Who may open an item by its address alone, without having been given a role on it."""

    RESTRICTED = "restricted"
    SIGNED_IN = "signed_in"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Link:
    """What the address of an item gives to those who know it; guests may only ever read."""

    item: ItemId
    audience: Audience
    role: Role
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One item on the way from the root down to an item, and what the asking user was given on it."""

    item: Item
    granted: Role | None
    """By a grant to this user or to a group that they are in."""
    linked: Role | None = None
    """By the link alone, which everybody has."""


@dataclass(frozen=True, slots=True)
class Sight:
    """An item as one user sees it."""

    item: Item
    role: Role
    path: tuple[Item, ...]
    """The folders above it that this user may see, from the top."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What somebody stores: bytes of files and notebooks, those in the trash too; `quota` None: as much as there is."""

    used: int
    quota: int | None


def role_on(way: Sequence[Step], user: UserId) -> Role | None:
    """What a user is to the last item of the way. What is in the trash, or under it, only its owner sees."""
    if not way:
        return None
    if way[-1].item.owner == user:
        return Role.OWNER
    if any(step.item.trashed_at is not None for step in way):
        return None
    role: Role | None = None
    for step in way:
        role = stronger(role, stronger(step.granted, step.linked))
    return role


def sight_of(way: Sequence[Step], user: UserId) -> Sight | None:
    """The last item of the way, with the user's role and the part of the path that they may see; None: nothing."""
    role = role_on(way, user)
    if role is None:
        return None
    path = [step.item for number, step in enumerate(way[:-1], 1) if role_on(way[:number], user) is not None]
    return Sight(way[-1].item, role, tuple(path))


def parsed_item_name(text: str) -> str:
    """The name as it is kept: NFC, without spaces at its ends. Raises Invalid, with a text for the person."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise Invalid("A name has at least one character.", field="name", why="name_empty")
    if len(name) > NAME_LENGTH_MAX:
        detail = f"A name has at most {NAME_LENGTH_MAX} characters."
        raise Invalid(detail, field="name", why="name_length", most=NAME_LENGTH_MAX)
    if "/" in name or "\\" in name:
        raise Invalid("A name contains no slash and no backslash.", field="name", why="name_slash")
    if name in (".", ".."):
        raise Invalid("A name is not made of dots alone.", field="name", why="name_dots")
    if not is_printable(name):
        raise Invalid(
            "A name is one line, without control characters and without marks that change the direction of text.",
            field="name",
            why="name_signs",
        )
    return name


def content_disposition(name: str) -> str:
    """The header that makes a browser save an answer under this name (RFC 6266), and never show it."""
    plain = "".join(letter if 32 <= ord(letter) < 127 and letter not in '"\\%;' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def parsed_range(text: str | None, size: int) -> tuple[int, int] | None:
    """The part of a file that a `Range` header asks for, as first byte and the one after the last.

    None: the whole, also for what is not understood, as RFC 9110 wants it. Raises OutOfRange beyond the end.
    """
    match = _RANGE.fullmatch(text or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), size if last == "" else min(size, int(last) + 1)
        if last != "" and int(last) < start:
            return None
    if start >= size:
        raise OutOfRange("The file ends before that.", size=size)
    return start, stop


_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


def in_shown_order(items: Sequence[Item]) -> list[Item]:
    """Folders first, then by name as people read it."""
    return sorted(items, key=lambda item: (item.kind is not Kind.FOLDER, item.name.casefold(), item.name, item.id))
