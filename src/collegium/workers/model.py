"""Who of the processes is alive, as one of them sees it: by beats that change, and by no clock of the wall."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NewType

WorkerId = NewType("WorkerId", str)

BEAT_SECONDS = 1.0
LEASE_SECONDS = 5.0
"""A worker whose beat did not change for so long by the watch of whoever looks is taken for dead."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of the server: where it listens for the others, and how often its heart has beaten."""

    id: WorkerId
    address: str
    beat: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A beat, and when it was first seen, by the observer's own monotonic clock."""

    beat: int
    at: float


def seen(known: Mapping[WorkerId, Sighting], workers: Iterable[Worker], now: float) -> dict[WorkerId, Sighting]:
    """What is known after looking: a beat that did not change keeps the moment in which it was first seen."""
    return {
        worker.id: known[worker.id]
        if worker.id in known and known[worker.id].beat == worker.beat
        else Sighting(worker.beat, now)
        for worker in workers
    }


def silent(known: Mapping[WorkerId, Sighting], now: float) -> dict[WorkerId, int]:
    """Who was silent for too long, and the beat that was last."""
    return {id: sighting.beat for id, sighting in known.items() if now - sighting.at > LEASE_SECONDS}
