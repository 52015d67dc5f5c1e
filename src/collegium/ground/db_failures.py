"""What a database says when it cannot, given names that a person can act on."""

import socket
import sqlite3

import asyncpg
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collegium.ground.errors import CollegiumError, StorageFull, Unavailable

FULL = "The server's disk is full. What is stored is safe; new work is refused until there is room."
UNREACHABLE = "The database cannot be reached. Try again in a moment."
UNKNOWN = "The database went away while this was saved. Look whether it was kept before doing it again."
OUTCOME_UNKNOWN = "outcome_unknown"
"""The code of what may or may not be committed."""

# PostgreSQL's words (SQLSTATE).
_FULL = ("53100", "53400")
_GONE = ("08", "57P", "53", "25006", "58")
"""Connections that end, servers that start or stop, that lack memory or connections, or only read."""
_COLLIDED = ("40001", "40P01", "55P03")
"""Undone because of another transaction, or in its way for too long; it may be gone when this is tried again."""

_LOOK = "Look at COLLEGIUM_DATABASE_URL."
_AT_START = {
    "28P01": f"The database refuses this user or password. {_LOOK}",
    "28000": f"The database does not let this user in from here. {_LOOK}, or at the server's pg_hba.conf.",
    "3D000": f"There is no database of that name; make it with createdb -O USER NAME. {_LOOK}",
    "42501": (
        "The database does not let its user make tables. As its administrator: ALTER DATABASE NAME OWNER TO USER,"
        " or GRANT CREATE ON SCHEMA public TO USER."
    ),
}


class NoConnection(Exception):
    """None could be made; the cause says why."""


class connecting:
    """Tells what goes wrong with a connection from what goes wrong later."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise NoConnection from error


def sqlstate(error: BaseException | None) -> str:
    """What PostgreSQL calls it; empty if it does not come from there."""
    while error is not None:
        found = getattr(error, "sqlstate", None)
        if isinstance(found, str):
            return found
        orig = getattr(error, "orig", None)
        error = orig if isinstance(orig, BaseException) else error.__cause__
    return ""


def is_gone(error: BaseException) -> bool:
    """Whether the connection, or the server behind it, was lost or could not be had."""
    if isinstance(error, DBAPIError) and (error.connection_invalidated or isinstance(error, InterfaceError)):
        return True
    if isinstance(error, (ConnectionError, TimeoutError, PoolTimeout, asyncpg.InterfaceError, NoConnection)):
        return True
    return sqlstate(error).startswith(_GONE)


def may_be_tried_again(error: BaseException) -> bool:
    """Whether the same transaction may succeed now, when it was not committed."""
    if isinstance(error, CollegiumError):
        return False
    return sqlstate(error) in _COLLIDED or (is_gone(error) and sqlstate(error) not in _FULL)


def named(error: BaseException) -> CollegiumError | None:
    """The error for a caller, if it is none that only a bug makes."""
    if isinstance(error, CollegiumError):
        return None
    if isinstance(error, OperationalError) and isinstance(error.orig, sqlite3.OperationalError):
        words = str(error.orig)
        return StorageFull(FULL) if "disk is full" in words or "disk I/O error" in words else None
    if sqlstate(error) in _FULL:
        return StorageFull(FULL)
    return Unavailable(UNREACHABLE) if may_be_tried_again(error) else None


def named_at_start(error: BaseException, url: str) -> CollegiumError | None:
    """The same for whoever starts a server: in one line, what to do. Never the password."""
    if isinstance(error, (ArgumentError, TypeError, ValueError)):
        return Unavailable(
            f"The address of the database cannot be read; it looks like postgresql://USER:PASSWORD@HOST/NAME. {_LOOK}"
        )
    if sqlstate(error) in _AT_START:
        return Unavailable(_AT_START[sqlstate(error)])
    place = url.rpartition("@")[2]
    if isinstance(error.__cause__, socket.gaierror):
        return Unavailable(f"There is no machine of the database's name ({place}). {_LOOK}")
    found = named(error)
    if isinstance(found, Unavailable):
        return Unavailable(f"The database at {place} cannot be reached. Start it, or look at COLLEGIUM_DATABASE_URL.")
    return found


class failure_named:
    """Raises what a caller can act on instead of what a driver says."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        told = None if error is None else named(error)
        if told is not None:
            raise told from error


class commit_named:
    """Around a commit: when the connection is lost here, nobody knows whether it is on disk."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_gone(error) and sqlstate(error) not in _FULL:
            raise Unavailable(UNKNOWN, code=OUTCOME_UNKNOWN) from error
