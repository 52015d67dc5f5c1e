"""Errors a caller can act on. Anything else is a bug, and is not caught."""


class CollegiumError(Exception):
    """Expected: a caller can act on it. `code` is part of the API, `detail` is for people.

    In `extra`, `why` is a finer code, for those who say it in another language: which of several things `code` covers;
    beside it stands what its words are about, such as `most`.
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.extra = extra


class Invalid(CollegiumError):
    """What was sent cannot be read as what it should be."""

    code = "invalid"


class TooLarge(CollegiumError):
    """What was sent is over the limit."""

    code = "too_large"


class OutOfRange(CollegiumError):
    """The part asked for lies beyond the end; the whole has `size` bytes."""

    code = "range_not_satisfiable"


class NotSignedIn(CollegiumError):
    """No credential, or one that no longer holds."""

    code = "not_signed_in"


class NotFound(CollegiumError):
    """It does not exist, or you may not know that it does."""

    code = "not_found"


class Forbidden(CollegiumError):
    """It exists, and you may not do this to it."""

    code = "forbidden"


class Conflict(CollegiumError):
    """It changed since you last saw it."""

    code = "conflict"


class QuotaExceeded(CollegiumError):
    """You have used what you were given."""

    code = "quota_exceeded"


class TooMany(CollegiumError):
    """Too often in too short a time; `retry_after` seconds help."""

    code = "too_many"


class StorageFull(CollegiumError):
    """The disk is full: new work is refused, what is stored stays."""

    code = "storage_full"


class Unavailable(CollegiumError):
    """Not now; trying again later may help."""

    code = "unavailable"


def first(group: BaseExceptionGroup[CollegiumError]) -> CollegiumError:
    """The error that a caught group of them, however deep, holds first."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, CollegiumError)
    return error
