"""For how long a runtime is lent: when it is taken back, who is told before, and what moves the hour."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from collegium.ground import reasons
from collegium.runtimes.model import Runtime, State


class NoticeKind(StrEnum):
    """Why a runtime is about to be taken back."""

    IDLE = "idle"
    LIFETIME = "lifetime"


@dataclass(frozen=True, slots=True)
class Notice:
    """A runtime will be taken back at this time, unless something happens."""

    kind: NoticeKind
    at: int


def due(runtime: Runtime) -> Notice:
    """When it ends if nobody does anything."""
    idle = Notice(NoticeKind.IDLE, runtime.used_at + runtime.terms.idle_ms)
    if runtime.expires_at is None or runtime.expires_at > idle.at:
        return idle
    return Notice(NoticeKind.LIFETIME, runtime.expires_at)


def review(runtime: Runtime, given: Notice | None, *, now: int, notice_ms: int) -> Notice | None:
    """The notice that stands from now on. Nobody is surprised: it stood for `notice_ms` when its hour comes, also
    after a time in which nobody looked."""
    if runtime.state is not State.READY:
        return None
    end = due(runtime)
    if end.at - notice_ms > now:
        return None
    return replace(end, at=max(end.at, now + notice_ms if given is None else given.at))


def kept(runtime: Runtime, now: int) -> Runtime:
    """Its user still needs it: idle time starts again, and the lifetime too, as far as its terms allow."""
    used, terms = replace(runtime, used_at=max(runtime.used_at, now)), runtime.terms
    if used.expires_at is None or terms.lifetime_ms is None or used.ready_at is None:
        return used
    most = used.ready_at + terms.lifetime_ms + terms.keep_ms
    return replace(used, expires_at=max(used.expires_at, min(now + terms.lifetime_ms, most)))


def why(runtime: Runtime, kind: NoticeKind) -> str:
    """The reason that is kept with a runtime that was taken back."""
    match kind:
        case NoticeKind.IDLE:
            return reasons.words("idle", duration_ms=runtime.terms.idle_ms)
        case NoticeKind.LIFETIME:
            lasted = (runtime.expires_at or 0) - (runtime.ready_at or runtime.requested_at)
            return reasons.words("lifetime", duration_ms=lasted)
    assert_never(kind)
