"""Who somebody is, and what a role may do."""

from dataclasses import dataclass
from enum import StrEnum

from collegium.ground.ids import LoginId, TokenId, UserId


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


_VIEWER = frozenset({Action.READ})
_COMMENTER = _VIEWER | {Action.COMMENT}
_EDITOR = _COMMENTER | {Action.WRITE, Action.RUN, Action.RENAME}
_OWNER = _EDITOR | {Action.MOVE, Action.TRASH, Action.DELETE, Action.SHARE}

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.COMMENTER: _COMMENTER,
    Role.EDITOR: _EDITOR,
    Role.OWNER: _OWNER,
}


def may(role: Role | None, action: Action) -> bool:
    """Whether somebody with this role (None: a stranger) may do this. Every route and socket message asks it first."""
    return role is not None and action in ALLOWED[role]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, and by which credential: a login (cookie) or a token."""

    user: UserId
    name: str
    email: str
    admin: bool
    login: LoginId | None = None
    token: TokenId | None = None
