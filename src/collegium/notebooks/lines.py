"""Three versions of a text become one: line by line, and nothing that anybody wrote is lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from collegium.notebooks.sequences import Hunk, hunks

Edit = tuple[int, int, str]
"""The characters of a text from, up to, and what stands there instead."""

Favor = Literal["live", "theirs", "both"]
"""Where both changed the same lines: what of the two is to stand there."""

WORD = re.compile(r"\w+|\W")
REFINED_CHARACTERS_MAX = 100_000
"""Up to this many characters are compared word by word; more are replaced as a whole."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What to do to the live text, in order, and whether something of theirs found no place in it."""

    edits: tuple[Edit, ...]
    overlaps: bool


@dataclass(slots=True)
class _Region:
    """Lines of the base that one side changed, or both."""

    start: int
    end: int
    live: list[Hunk[str]]
    theirs: list[Hunk[str]]


def three_way(base: str, live: str, theirs: str, *, sure: bool = True, favor: Favor = "live") -> Merged:
    """Do to `live` what they did to `base`.

    Lines that both changed are an overlap, and become what `favor` says. If it is not `sure` that they began from
    `base`, whatever would take a line away is an overlap too.
    """
    if theirs in (base, live):
        return Merged((), False)
    base_lines, live_lines, their_lines = base.split("\n"), live.split("\n"), theirs.split("\n")
    edits: list[Edit] = []
    overlaps = False
    grown = their_growth = 0
    starts = _starts(live_lines)
    for region in _regions(hunks(base_lines, live_lines), hunks(base_lines, their_lines)):
        low = region.start + grown
        grown += sum(hunk.growth for hunk in region.live)
        high = region.end + grown
        their_low = region.start + their_growth
        their_growth += sum(hunk.growth for hunk in region.theirs)
        ours, wanted = live_lines[low:high], their_lines[their_low : region.end + their_growth]
        if not region.theirs or ours == wanted:
            continue
        if region.live or not (sure or not "".join(ours).strip()):
            overlaps = True
            if favor == "live":
                continue
            wanted = wanted if favor == "theirs" else [*ours, *wanted]
        edits += _line_edits(live, starts, low, high, wanted)
    return Merged(tuple(edits), overlaps)


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    """The text after these edits."""
    for start, end, instead in reversed(edits):
        text = text[:start] + instead + text[end:]
    return text


def _regions(live: list[Hunk[str]], theirs: list[Hunk[str]]) -> Iterator[_Region]:
    """The changes of both, those of one together with what of the other they touch."""
    sides = [(hunk, True) for hunk in live] + [(hunk, False) for hunk in theirs]
    region: _Region | None = None
    for hunk, is_live in sorted(sides, key=lambda one: (one[0].start, one[0].end)):
        if region is not None and any(_touch(hunk, other) for other in (region.theirs if is_live else region.live)):
            region.end = max(region.end, hunk.end)
        else:
            if region is not None:
                yield region
            region = _Region(hunk.start, hunk.end, [], [])
        (region.live if is_live else region.theirs).append(hunk)
    if region is not None:
        yield region


def _touch(one: Hunk[str], other: Hunk[str]) -> bool:
    """Whether both changed the same lines, or put something into the same place. What stands just beside does not."""
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return one.start < other.end and other.start < one.end


def _starts(lines: list[str]) -> list[int]:
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return starts


def _line_edits(text: str, starts: list[int], low: int, high: int, wanted: list[str]) -> Iterator[Edit]:
    """Put these lines in the place of the lines from `low` up to `high`."""
    new = "\n".join(wanted)
    if low == high:
        if low < len(starts):
            yield starts[low], starts[low], new + "\n"
        else:
            yield len(text), len(text), "\n" + new
        return
    start = starts[low]
    end = starts[high] - 1 if high < len(starts) else len(text)
    if wanted:
        yield from refined(text, start, end, new)
    elif high < len(starts):
        yield start, end + 1, ""
    else:
        yield max(0, start - 1), end, ""


def refined(text: str, start: int, end: int, new: str) -> Iterator[Edit]:
    """Replace a stretch of a text, touching as few of its words as can be found fast. A word is replaced as a whole:
    what somebody types at this moment lands beside it, and not in it."""
    if end - start + len(new) > REFINED_CHARACTERS_MAX:
        yield start, end, new
        return
    old, at = WORD.findall(text[start:end]), start
    done = 0
    for hunk in hunks(old, WORD.findall(new)):
        at += sum(map(len, old[done : hunk.start]))
        size = sum(map(len, old[hunk.start : hunk.end]))
        yield at, at + size, "".join(hunk.new)
        at, done = at + size, hunk.end
