"""When people are warned that the memory of a runtime ends: once, and again only after it was better."""

from dataclasses import dataclass
from enum import Enum

WARN_SHARE = 0.85
CALM_SHARE = 0.75


class Word(Enum):
    """What is to be said now."""

    WARN = "warn"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Pressure:
    """Whether the warning stands."""

    high: bool = False


def felt(pressure: Pressure, used: int | None, limit: int | None) -> tuple[Pressure, Word | None]:
    """The state after a reading, and what to say. Where nobody counts, nothing is said."""
    if used is None or not limit:
        return pressure, None
    if not pressure.high and used > limit * WARN_SHARE:
        return Pressure(high=True), Word.WARN
    if pressure.high and used < limit * CALM_SHARE:
        return Pressure(high=False), Word.OVER
    return pressure, None
