"""When a runtime is taken back, and who is told before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from collegium.ground.ids import RuntimeId, UserId
from collegium.ground.reasons import HOUR_MS, MINUTE_MS
from collegium.runtimes.lifetime import Notice, NoticeKind, due, kept, review, why
from collegium.runtimes.model import Limits, Runtime, State, Terms, became_ready

LIMITS = Limits(1 << 30, 1.0, 100, 1 << 30)
NOTICE_MS = 3 * MINUTE_MS
START = 1_000_000


def lent(idle_ms: int = 90 * MINUTE_MS, lifetime_ms: int | None = None, keep_ms: int = 0) -> Runtime:
    """A runtime that became ready at START."""
    requested = Runtime(
        RuntimeId("a"), UserId("ada"), "local", "cpu", "1", State.REQUESTED, "", LIMITS, 0, 0,
        terms=Terms(idle_ms, lifetime_ms, keep_ms),
    )  # fmt: skip
    return became_ready(requested, START)


def test_what_comes_first_ends_a_runtime() -> None:
    assert due(lent()) == Notice(NoticeKind.IDLE, START + 90 * MINUTE_MS)
    assert due(lent(lifetime_ms=HOUR_MS)) == Notice(NoticeKind.LIFETIME, START + HOUR_MS)
    assert due(lent(lifetime_ms=12 * HOUR_MS)).kind is NoticeKind.IDLE


def test_notice_is_given_when_the_end_is_near_and_not_before() -> None:
    runtime, end = lent(), START + 90 * MINUTE_MS

    assert review(runtime, None, now=end - NOTICE_MS - 1, notice_ms=NOTICE_MS) is None
    assert review(runtime, None, now=end - NOTICE_MS, notice_ms=NOTICE_MS) == Notice(NoticeKind.IDLE, end)


def test_use_withdraws_the_notice_of_idleness_and_not_that_of_a_lifetime() -> None:
    now = START + 89 * MINUTE_MS
    idle = Notice(NoticeKind.IDLE, START + 90 * MINUTE_MS)
    long, short = lent(), lent(lifetime_ms=90 * MINUTE_MS)
    over = Notice(NoticeKind.LIFETIME, START + 90 * MINUTE_MS)

    assert review(replace(long, used_at=now), idle, now=now, notice_ms=NOTICE_MS) is None
    assert review(replace(short, used_at=now), over, now=now, notice_ms=NOTICE_MS) == over


def test_after_a_time_in_which_nobody_looked_there_is_notice_all_the_same() -> None:
    late = START + 5 * HOUR_MS

    assert review(lent(), None, now=late, notice_ms=NOTICE_MS) == Notice(NoticeKind.IDLE, late + NOTICE_MS)


@given(
    used=some.lists(some.integers(0, 6 * HOUR_MS), max_size=20),
    looks=some.lists(some.integers(1, 40 * MINUTE_MS), min_size=1, max_size=60),
    idle_ms=some.integers(1, 2 * HOUR_MS),
    lifetime_ms=some.none() | some.integers(1, 5 * HOUR_MS),
)
def test_nobody_is_surprised(used: list[int], looks: list[int], idle_ms: int, lifetime_ms: int | None) -> None:
    runtime, notice, told, now = lent(idle_ms, lifetime_ms), None, 0, START
    for gap in looks:
        now += gap
        runtime = replace(runtime, used_at=max([START, *(START + at for at in used if START + at <= now)]))
        if notice is not None and notice.at <= now and due(runtime).at <= now:
            assert now - told >= NOTICE_MS
            return
        before, notice = notice, review(runtime, notice, now=now, notice_ms=NOTICE_MS)
        if before is None and notice is not None:
            told = now


def test_keeping_starts_idle_time_again_and_the_lifetime_as_far_as_the_terms_allow() -> None:
    runtime = lent(lifetime_ms=2 * HOUR_MS, keep_ms=3 * HOUR_MS)

    once = kept(runtime, START + HOUR_MS)
    most = kept(once, START + 4 * HOUR_MS)

    assert (once.used_at, once.expires_at) == (START + HOUR_MS, START + 3 * HOUR_MS)
    assert most.expires_at == START + 5 * HOUR_MS
    assert kept(most, START + 4 * HOUR_MS + 1).expires_at == most.expires_at
    assert kept(lent(lifetime_ms=HOUR_MS), START + 1).expires_at == START + HOUR_MS
    assert kept(lent(), START + 7).expires_at is None


def test_the_reason_says_what_ended_it() -> None:
    assert why(lent(), NoticeKind.IDLE) == "it was not used for 90 minutes"
    assert why(lent(lifetime_ms=12 * HOUR_MS), NoticeKind.LIFETIME) == "its time was over: it was lent for 12 hours"
