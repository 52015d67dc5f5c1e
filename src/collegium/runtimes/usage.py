"""What runtimes use, now and during the last hour: readings come in, points for a graph are kept."""

from collections import deque
from dataclasses import dataclass

from collegium.runtimes.model import GpuUsage, Usage

POINTS_MAX = 360
"""One hour, at a point every ten seconds."""
CPU_PERCENT_MAX = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a runtime used at a moment, and how busy it was since the reading before (100: one whole processor)."""

    at: int
    usage: Usage
    cpu_percent: float | None = None
    gpus: tuple[GpuUsage, ...] = ()


Point = tuple[int, int | None, float | None, int | None, float | None]
"""When (ms), memory, processor in percent, disk, GPU in percent."""


class History:
    """The last hour of one runtime."""

    def __init__(self) -> None:
        self.last: Reading | None = None
        self._points: deque[Point] = deque(maxlen=POINTS_MAX)
        self._counted: Reading | None = None
        """The reading behind the last point: the graph's processor time is that between two points."""

    def take(self, at: int, usage: Usage, gpus: tuple[GpuUsage, ...] = ()) -> Reading:
        """A new reading."""
        reading = Reading(at, usage, cpu_percent(self.last, at, usage), gpus)
        self.last = reading
        return reading

    def point(self) -> None:
        """Keep the last reading as a point of the graph."""
        last = self.last
        if last is None or (self._counted is not None and last.at <= self._counted.at):
            return
        busy = cpu_percent(self._counted, last.at, last.usage)
        used = [gpu.percent for gpu in last.gpus if gpu.percent is not None]
        gpu = round(sum(used) / len(used), 1) if used else None
        self._points.append((last.at, last.usage.memory_bytes, busy, last.usage.disk_bytes, gpu))
        self._counted = last

    def points(self) -> list[Point]:
        """The points, the oldest first."""
        return list(self._points)


def cpu_percent(before: Reading | None, at: int, usage: Usage) -> float | None:
    """How busy the processors were since a reading; None if that cannot be said."""
    if before is None or before.usage.cpu_seconds is None or usage.cpu_seconds is None or at <= before.at:
        return None
    spent = max(0.0, usage.cpu_seconds - before.usage.cpu_seconds)
    return round(min(100_000 * spent / (at - before.at), CPU_PERCENT_MAX), 1)
