"""What two sequences have in common, found in bounded time whatever they are."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Hashable)

PAIRS_MAX = 20_000
"""Up to this many pairs of equal items between two fixed points are weighed against each other; else the stretch
counts as changed as a whole."""
ITEMS_MAX = 2_000
"""And up to this many items."""


@dataclass(frozen=True, slots=True)
class Hunk(Generic[T]):
    """The items of the old sequence from `start` up to `end` became `new`."""

    start: int
    end: int
    new: tuple[T, ...]

    @property
    def growth(self) -> int:
        """By how much the sequence became longer."""
        return len(self.new) - (self.end - self.start)


def hunks(old: Sequence[T], new: Sequence[T]) -> list[Hunk[T]]:
    """What turns one sequence into the other, in order; neither touches the next."""
    found: list[Hunk[T]] = []
    at_old = at_new = 0
    for start, other, size in [*_equal(old, new), (len(old), len(new), 0)]:
        if start > at_old or other > at_new:
            found.append(Hunk(at_old, start, tuple(new[at_new:other])))
        at_old, at_new = start + size, other + size
    return found


def common_ends(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """How many elements both begin with, and how many of the rest both end with."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def rising(values: Sequence[Any]) -> list[int]:
    """The indexes of as many values as possible that rise strictly."""
    tops: list[Any] = []
    ends: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        at = bisect_left(tops, value)
        tops[at : at + 1], ends[at : at + 1] = [value], [index]
        before.append(ends[at - 1] if at else -1)
    found: list[int] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        found.append(index)
        index = before[index]
    return found[::-1]


def _equal(old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[int, int, int]]:
    """Equal stretches in order: where in the old, where in the new, how long."""
    head = 0
    shorter = min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    if head:
        yield 0, 0, head
    yield from _between(old, new, head, len(old) - tail, head, len(new) - tail)
    if tail:
        yield len(old) - tail, len(new) - tail, tail


def _between(
    old: Sequence[T], new: Sequence[T], low: int, high: int, other_low: int, other_high: int
) -> Iterator[tuple[int, int, int]]:
    """Equal stretches between fixed points: items that each side has once fix more of them, then the gaps are
    searched."""
    at, other = low, other_low
    for fixed, partner in [*_unique(old, new, low, high, other_low, other_high), (high, other_high)]:
        yield from _searched(old, new, at, fixed, other, partner)
        if fixed < high:
            yield fixed, partner, 1
        at, other = fixed + 1, partner + 1


def _unique(
    old: Sequence[T], new: Sequence[T], low: int, high: int, other_low: int, other_high: int
) -> list[tuple[int, int]]:
    once, other_once = Counter(old[low:high]), Counter(new[other_low:other_high])
    places = {new[index]: index for index in range(other_low, other_high) if other_once[new[index]] == 1}
    pairs = [
        (index, places[old[index]]) for index in range(low, high) if once[old[index]] == 1 and old[index] in places
    ]
    return [pairs[index] for index in rising([partner for _, partner in pairs])]


def _searched(
    old: Sequence[T], new: Sequence[T], low: int, high: int, other_low: int, other_high: int
) -> Iterator[tuple[int, int, int]]:
    while low < high and other_low < other_high and old[low] == new[other_low]:
        yield low, other_low, 1
        low, other_low = low + 1, other_low + 1
    mine, theirs = old[low:high], new[other_low:other_high]
    if not mine or not theirs or len(mine) + len(theirs) > ITEMS_MAX:
        return
    counts = Counter(theirs)
    if sum(counts[item] for item in mine) > PAIRS_MAX:
        return
    for block in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks():
        if block.size:
            yield low + block.a, other_low + block.b, block.size
