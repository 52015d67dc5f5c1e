"""What people are told, and the words of a mail; pure."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collegium.accounts.model import User
from collegium.ground.ids import ItemId, UserId

TEXT_LENGTH_MAX = 300
QUOTED_MAX = 20
SUBJECT_LENGTH_MAX = 150


class Told(StrEnum):
    """What happened."""

    MENTION = "mention"
    REPLY = "reply"
    COMMENT = "comment"
    RESOLVED = "resolved"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that somebody did to an item, and that others are told of."""

    kind: Told
    by: UserId
    item: ItemId
    item_kind: str
    """`notebook`, `folder` or `file`, as the drive says it."""
    item_name: str
    text: str = ""
    """What they wrote, or which role they gave: shown as it is, cut to a few lines."""
    thread: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """An occasion that one person was told of."""

    id: str
    user: UserId
    occasion: Occasion
    at: int
    read_at: int | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail about one item, to one person."""

    id: str
    """The same if it has to be sent again, so that a mailbox can tell."""
    to: User
    author: str
    """Who did it, if it was one person; else nothing."""
    subject: str
    text: str
    settings_link: str | None


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail that is due, and that this process alone may send until its claim ends."""

    id: str
    claim: str
    user: UserId
    item: ItemId
    begun: int
    failures: int


def clipped(text: str) -> str:
    """What of a text is kept with a notification; no more than can be shown in a few lines."""
    text = text.replace("\x00", "").strip()
    return text if len(text) <= TEXT_LENGTH_MAX else text[: TEXT_LENGTH_MAX - 1].rstrip() + "…"


def one_line(text: str, length_max: int) -> str:
    """A stranger's text as part of a header: one line, nothing that a mail program would obey."""
    plain = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    # What looks like an encoded word would be decoded on its way, and may hide a line's end.
    line = " ".join(plain.replace("=?", "= ?").split())
    return line if len(line) <= length_max else line[: length_max - 1] + "…"


def place_of(occasion: Occasion) -> str:
    """The page where it happened, relative to the installation's address."""
    match occasion.item_kind:
        case "notebook":
            mark = "" if occasion.thread is None else f"#comment={occasion.thread}"
            return f"/notebooks/{occasion.item}{mark}"
        case "folder":
            return f"/drive/{occasion.item}"
        case _:
            return "/drive/shared"


def sentence(occasion: Occasion, name: str) -> str:
    """What somebody did, in one line."""
    where = f"“{occasion.item_name}”"
    match occasion.kind:
        case Told.MENTION:
            return f"{name} mentioned you in {where}"
        case Told.REPLY:
            return f"{name} replied in {where}"
        case Told.COMMENT:
            return f"{name} commented on {where}"
        case Told.RESOLVED:
            return f"{name} resolved a thread in {where}"
        case Told.SHARED:
            return f"{name} shared {where} with you"


COMMENTS = frozenset({Told.MENTION, Told.REPLY, Told.COMMENT})


def several(occasions: Sequence[Occasion]) -> str:
    """What happened to one item, in one line: comments are counted, and what else there was is said by its kind."""
    item = f"“{occasions[-1].item_name}”"
    kinds = {one.kind for one in occasions}
    comments = sum(one.kind in COMMENTS for one in occasions)
    counted = f"{comments} new comment{'' if comments == 1 else 's'}"
    if kinds <= COMMENTS:
        return f"{counted} in {item}"
    if kinds == {Told.RESOLVED}:
        return f"{len(occasions)} threads resolved in {item}"
    if kinds == {Told.SHARED}:
        return f"{item} was shared with you"
    parts = [f"{counted}" if comments else "", "resolved threads" if Told.RESOLVED in kinds else ""]
    happened = " and ".join(part for part in parts if part)
    return f"{item} was shared with you, {happened}" if Told.SHARED in kinds else f"{happened} in {item}"


def letter(
    mail: str, to: User, told: Sequence[Notification], names: dict[UserId, str], *, address: str | None
) -> Letter:
    """One mail about everything that somebody was told of one item, the oldest first.

    `address` is that of this installation; without it the mail has no links.
    """
    assert told, "a mail says something"
    last = told[-1].occasion
    authors = {one.occasion.by for one in told}
    name = one_line(names[last.by], 80)
    subject = sentence(last, name) if len(told) == 1 else several([one.occasion for one in told])
    lines: list[str] = []
    for one in told[:QUOTED_MAX]:
        lines.append(sentence(one.occasion, one_line(names[one.occasion.by], 80)) + ":")
        lines += [f"    {line}" for line in one.occasion.text.splitlines()] or [""]
        if address is not None:
            lines.append(f"    {address}{place_of(one.occasion)}")
        lines.append("")
    if len(told) > QUOTED_MAX:
        lines += [f"… and {len(told) - QUOTED_MAX} more.", ""]
    settings = None if address is None else f"{address}/account#mail"
    turn_off = "in your account's settings" if settings is None else f"at {settings}"
    # Two dashes and a space begin what mail programs take for a signature.
    lines += ["-- ", "Collegium sends this because it concerns you.", f"You can turn these mails off {turn_off}."]
    return Letter(
        id=f"{mail}.{told[-1].id}",
        to=to,
        author=name if len(authors) == 1 else "",
        subject=one_line(subject, SUBJECT_LENGTH_MAX),
        text="\n".join(lines) + "\n",
        settings_link=settings,
    )


BACKOFF_SECONDS = (30, 60, 120, 300, 900, 1800, 3600, 3600, 7200, 14400)
"""How long to wait after each failure in a row; after the last of them the mail is given up."""


def wait_after(failures: int, *, scale: float) -> int | None:
    """Milliseconds until the next attempt; None: there is none."""
    if failures > len(BACKOFF_SECONDS):
        return None
    return int(BACKOFF_SECONDS[failures - 1] * 1000 * scale)
