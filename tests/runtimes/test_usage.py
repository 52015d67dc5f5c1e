"""Readings of what runtimes use, and the points of their graphs."""

from collegium.runtimes.model import GpuUsage, Usage
from collegium.runtimes.usage import POINTS_MAX, History


def used(memory: int = 0, cpu: float | None = None) -> Usage:
    return Usage(memory_bytes=memory, cpu_seconds=cpu, disk_bytes=7)


def test_how_busy_is_said_from_the_second_reading_on() -> None:
    history = History()

    assert history.take(1000, used(cpu=5.0)).cpu_percent is None
    assert history.take(3000, used(cpu=9.0)).cpu_percent == 200.0
    assert history.take(4000, used(cpu=9.0)).cpu_percent == 0.0


def test_counters_that_vanish_or_run_backwards_say_nothing_strange() -> None:
    history = History()
    history.take(1000, used(cpu=5.0))

    assert history.take(2000, used(cpu=1.0)).cpu_percent == 0.0
    assert history.take(3000, used(cpu=None)).cpu_percent is None
    assert history.take(3000, used(cpu=1.0)).cpu_percent is None


def test_a_point_counts_the_time_since_the_point_before_whoever_looked_meanwhile() -> None:
    history = History()
    history.take(0, used(cpu=0.0))
    history.point()
    history.take(9000, used(cpu=0.0))
    history.take(10_000, used(memory=3, cpu=1.0), (GpuUsage("T4", 1, 2, 50.0), GpuUsage("T4", 1, 2, None)))
    history.point()
    history.point()

    assert history.points() == [(0, 0, None, 7, None), (10_000, 3, 10.0, 7, 50.0)]


def test_one_hour_is_kept() -> None:
    history = History()
    for at in range(POINTS_MAX + 5):
        history.take(at * 10_000, used())
        history.point()

    assert len(history.points()) == POINTS_MAX
    assert history.points()[0][0] == 50_000
