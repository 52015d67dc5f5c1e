"""Threads of comments, where they are anchored, and the pure rules of who may do what with them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from collegium.accounts.model import Role, email_key
from collegium.ground.errors import Invalid
from collegium.ground.ids import CellId, NotebookId, UserId

TEXT_LENGTH_MAX = 4_000
QUOTE_LENGTH_MAX = 1_000
CONTEXT_LENGTH_MAX = 100
ANCHOR_LENGTH_MAX = 200
DRAFT_LENGTH_MAX = 64
MENTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Anchor:
    """A range of a cell's text as two relative positions of Yjs, in Base64.

    A browser made them and a browser resolves them. To the server they are letters, and may be garbage.
    """

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Place:
    """What a thread is about: a cell, or a range of its text. The quote and what stood around it find it again."""

    cell: CellId
    anchor: Anchor | None = None
    quote: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """Something that somebody said in a thread. A deleted one keeps its author, and nothing that was said."""

    id: str
    number: int
    by: UserId
    text: str
    mentions: tuple[UserId, ...]
    at: int
    changed_at: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said about one place, the oldest first."""

    id: str
    notebook: NotebookId
    number: int
    place: Place
    resolved_at: int | None
    resolved_by: UserId | None
    comments: tuple[Comment, ...]

    @property
    def living(self) -> list[Comment]:
        """The comments that were not deleted."""
        return [comment for comment in self.comments if not comment.deleted]

    @property
    def people(self) -> set[UserId]:
        """Who said something here, or was called in."""
        return {person for comment in self.living for person in (comment.by, *comment.mentions)}


def may_delete(comment: Comment, user: UserId, role: Role) -> bool:
    """Everybody may take back their own words; the notebook's owner those of all."""
    return role is Role.OWNER or comment.by == user


def may_delete_thread(thread: Thread, user: UserId, role: Role) -> bool:
    """The notebook's owner may; others, while the words in it are all their own."""
    return role is Role.OWNER or all(comment.by == user for comment in thread.living)


def parsed_text(text: str) -> str:
    """A comment as it is kept. Raises Invalid for an empty or long one, and for what no text holds."""
    text = unicodedata.normalize("NFC", well_formed(text, "text").replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise Invalid("Write something first.", field="text")
    if len(text) > TEXT_LENGTH_MAX:
        detail = f"A comment has at most {TEXT_LENGTH_MAX} characters."
        raise Invalid(detail, field="text", why="comment_length", most=TEXT_LENGTH_MAX)
    return text


def well_formed(text: str, field: str) -> str:
    """The same text. Raises Invalid for halves of characters and for NUL, which no database keeps."""
    if any(letter == "\x00" or unicodedata.category(letter) == "Cs" for letter in text):
        raise Invalid("This is not text.", field=field)
    return text


_MENTION = re.compile(r"(?<![\w.@+-])@([^\s@<>()\[\],;:\"'\\]{1,64}@[\w-]+(?:\.[\w-]+)*)(?![\w@-])")


def mentioned(text: str) -> list[str]:
    """The e-mail addresses called by `@address`, each once. Raises Invalid for too many."""
    found: dict[str, str] = {}
    for address in _MENTION.findall(text):
        found.setdefault(email_key(address), address)
    if len(found) > MENTIONS_MAX:
        detail = f"A comment mentions at most {MENTIONS_MAX} people."
        raise Invalid(detail, field="text", why="many_mentions", most=MENTIONS_MAX)
    return list(found.values())


def fits(query: str, names: Iterable[str]) -> bool:
    """Whether what was typed so far may lead to somebody of one of these names."""
    query = query.casefold()
    return any(word.startswith(query) for name in names for word in (name.casefold(), *name.casefold().split()))
