"""Who somebody is, what a role may do, and the pure rules of names, secrets and patience."""

import hashlib
import ipaddress
import re
import secrets
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from collegium.ground.errors import Invalid
from collegium.ground.ids import GroupId, LoginId, TokenId, UserId
from collegium.ground.text import is_printable


class Role(StrEnum):
    """What a user is to a notebook, a file or a folder; each may all that the ones below it may."""

    OWNER = "owner"
    EDITOR = "editor"
    COMMENTER = "commenter"
    VIEWER = "viewer"


class Action(StrEnum):
    """What can be done to an item of a drive."""

    READ = "read"
    COMMENT = "comment"
    WRITE = "write"
    RUN = "run"
    RENAME = "rename"
    MOVE = "move"
    TRASH = "trash"
    DELETE = "delete"
    SHARE = "share"
    TRANSFER = "transfer"


_VIEWER = frozenset({Action.READ})
_COMMENTER = _VIEWER | {Action.COMMENT}
_EDITOR = _COMMENTER | {Action.WRITE, Action.RUN, Action.RENAME}
_OWNER = _EDITOR | {Action.MOVE, Action.TRASH, Action.DELETE, Action.SHARE, Action.TRANSFER}

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.COMMENTER: _COMMENTER,
    Role.EDITOR: _EDITOR,
    Role.OWNER: _OWNER,
}

_RANK = {Role.VIEWER: 1, Role.COMMENTER: 2, Role.EDITOR: 3, Role.OWNER: 4}


def may(role: Role | None, action: Action) -> bool:
    """Whether somebody with this role (None: a stranger) may do this. Every route and socket message asks it first."""
    return role is not None and action in ALLOWED[role]


def stronger(one: Role | None, other: Role | None) -> Role | None:
    """Of two roles somebody has on a thing, the one that allows more."""
    if one is None or other is None:
        return one or other
    return one if _RANK[one] >= _RANK[other] else other


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, and by which credential: a login (cookie) or a token."""

    user: UserId
    name: str
    email: str
    admin: bool
    login: LoginId | None = None
    token: TokenId | None = None

    @property
    def guest(self) -> bool:
        """Nobody is signed in; somebody came by a link that is for anyone."""
        return self.user == GUEST.user


GUEST = Principal(UserId("guest"), "Guest", "", admin=False)
"""Who is not signed in. No row names this user; all that a guest ever may is to read what a link gives to anyone."""

OPERATOR = Principal(UserId("operator"), "Operator", "", admin=True)
"""Whoever has the machine, at its command line. No row names this user."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account here; or who had one, and whose name still stands on what they did."""

    id: UserId
    email: str
    name: str
    admin: bool
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """People whom an administrator put together; what is shared with it is shared with whoever is in it."""

    id: GroupId
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Login:
    """One signed-in browser."""

    id: LoginId
    user: UserId
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Token:
    """A credential for programs. Its secret is known to its holder alone."""

    id: TokenId
    user: UserId
    name: str
    created_at: int
    seen_at: int | None
    expires_at: int | None


# --- names ---------------------------------------------------------------------------------------

EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 100
PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 256
ADDRESS_LENGTH_MAX = 64
AGENT_LENGTH_MAX = 256


def email_key(email: str) -> str:
    """What two spellings of one address, or of a group's name, have in common; they are unique by it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold()).strip()


def parsed_email(text: str) -> str:
    """The address, as its owner spells it. Raises Invalid if no mail could ever be sent there."""
    email = unicodedata.normalize("NFC", text.strip())
    local, at, domain = email.rpartition("@")
    labels = domain.split(".")
    if not (
        at
        and 1 <= len(local) <= 64
        and len(email) <= EMAIL_LENGTH_MAX
        and "@" not in local
        and is_printable(email)
        and not any(letter.isspace() or letter in '<>()[],;:\\"' for letter in email)
        and all(_domain_label(label) for label in labels)
    ):
        raise Invalid("This is not an e-mail address.", field="email", why="no_email")
    return email


def parsed_name(text: str) -> str:
    """The name of a person or a token, in one line. Raises Invalid for an empty, long or unprintable one."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not is_printable(name):
        detail = f"A name has 1 to {NAME_LENGTH_MAX} printable characters in one line."
        raise Invalid(detail, field="name", why="person_name", most=NAME_LENGTH_MAX)
    return name


def parsed_password(text: str) -> str:
    """A password somebody chose, in the one form that is hashed. Raises Invalid if it is too short or too long."""
    password = normal_password(text)
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        least, most = PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX
        detail = f"A password has {least} to {most} characters."
        raise Invalid(detail, field="password", why="password_length", least=least, most=most)
    return password


def normal_password(text: str) -> str:
    """The form of a password that is hashed: keyboards differ in how they compose a letter.

    Raises Invalid for half a character, which JSON can spell and UTF-8 cannot.
    """
    if any(unicodedata.category(letter) == "Cs" for letter in text):
        raise Invalid("A password is made of whole characters.", field="password")
    return unicodedata.normalize("NFKC", text)


def _domain_label(label: str) -> bool:
    return (
        1 <= len(label) <= 63
        and not label.startswith("-")
        and not label.endswith("-")
        and all(letter == "-" or letter.isalnum() for letter in label)
    )


def clipped(text: str, length: int) -> str:
    """A stranger's text, short and printable enough to be kept and shown."""
    return "".join(letter if is_printable(letter) else "?" for letter in text[:length])


# --- secrets -------------------------------------------------------------------------------------

TOKEN_PREFIX = "col_"  # noqa: S105 a prefix that secret scanners can look for, and no secret itself


def new_secret() -> str:
    """256 bits nobody can guess, safe in a cookie, a header and the part of an address after `#`."""
    return secrets.token_urlsafe(32)


def new_token_secret() -> str:
    """A secret that looks like an API token of Collegium."""
    return TOKEN_PREFIX + new_secret()


def hash_of(secret: str) -> str:
    """What is kept of a secret made here. One round is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


# --- colours -------------------------------------------------------------------------------------

COLORS = (
    "#b3261e",
    "#a3470a",
    "#7a5900",
    "#4c6b00",
    "#1b7038",
    "#00696e",
    "#0b6396",
    "#3455c4",
    "#5b46c9",
    "#7d3cb5",
    "#9c2f8f",
    "#b02a63",
)
"""Twelve hues, each dark enough for white text on it (WCAG AA, at least 4.5 to 1)."""


def color_of(user: UserId) -> str:
    """The colour of a user's cursor and avatar: the same everywhere, always."""
    return COLORS[hashlib.sha256(user.encode()).digest()[0] % len(COLORS)]


# --- patience ------------------------------------------------------------------------------------


_WITH_PORT = re.compile(r"(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]):[0-9]+", re.ASCII)
"""Some proxies name the port as well, and a stranger has many."""


def network_of(address: str) -> str:
    """Whom to be patient with: an IPv4 address, or the /64 network that one IPv6 customer can use up alone."""
    with_port = _WITH_PORT.fullmatch(address)
    try:
        ip = ipaddress.ip_address(with_port[1] or with_port[2] if with_port else address)
    except ValueError:
        return clipped(address, ADDRESS_LENGTH_MAX)
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip.packed, 64), strict=False))


@dataclass(frozen=True, slots=True)
class Patience:
    """How many more failures are borne: it fills up evenly, and every failure takes one."""

    left: float
    at_ms: int


def patience_at(patience: Patience | None, now_ms: int, *, failures_max: int, window_ms: int) -> Patience:
    """What has grown back by now; somebody unknown has it all."""
    if patience is None:
        return Patience(float(failures_max), now_ms)
    regained = max(0, now_ms - patience.at_ms) * failures_max / window_ms
    return Patience(min(float(failures_max), patience.left + regained), now_ms)


def taken(patience: Patience) -> Patience:
    """One failure is spent."""
    return Patience(patience.left - 1, patience.at_ms)


def seconds_until_one(patience: Patience, *, failures_max: int, window_ms: int) -> int:
    """How long until one more try is borne; 0: it is now."""
    if patience.left >= 1:
        return 0
    return max(1, round((1 - patience.left) * window_ms / failures_max / 1000 + 0.5))
