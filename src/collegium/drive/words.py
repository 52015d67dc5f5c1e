"""The words of a text as they are looked for: no case, no accents, no punctuation; and where a text has them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORD_LENGTH_MAX = 64
QUERY_WORDS_MAX = 10
QUERY_LENGTH_MAX = 200
WORDS_BYTES_MAX = 256 << 10
"""PostgreSQL keeps at most 1 MiB of words with one text, its own overhead counted."""
TEXT_LENGTH_MAX = 200_000
"""So much of a notebook is kept to quote from; words are found beyond it too."""
SNIPPET_LENGTH = 160
PIECES_MAX = 16
_WORD = re.compile(r"[^\W_]+")
_ALONE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Scripts without spaces between words: each character is one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a snippet; `matched`: it is what was looked for."""

    text: str
    matched: bool


def words(text: str) -> Iterator[str]:
    """The words of a text in their order."""
    for match in _WORD.finditer(_folded(text)):
        yield from _parts(match[0])


def query_words(text: str) -> list[str]:
    """What somebody looks for; each is the beginning of a word. Whatever they typed, it is words and nothing else."""
    return list(dict.fromkeys(words(text[:QUERY_LENGTH_MAX])))[:QUERY_WORDS_MAX]


def distinct_words(text: str) -> str:
    """Each word of a text once, with spaces between: as many as are kept."""
    found: list[str] = []
    left = WORDS_BYTES_MAX
    for word in dict.fromkeys(words(text)):
        left -= len(word.encode()) + 1
        if left < 0:
            break
        found.append(word)
    return " ".join(found)


def snippet(text: str, wanted: Sequence[str]) -> list[Piece]:
    """The part of a text around the first place that has one of these words, in one line; none: nothing has."""
    folded, places = _folded_with_places(text)
    found = _found(folded, wanted)
    first = next(found, None)
    if first is None:
        return []
    start = max(0, places[first[0]] - SNIPPET_LENGTH // 3)
    end = min(len(text), start + SNIPPET_LENGTH)
    pieces, at = [Piece("…", False)] if start else [], start
    for low, high in [first, *found]:
        begin, over = places[low], places[high - 1] + 1
        if over > end or len(pieces) >= PIECES_MAX:
            break
        if begin < at:
            continue
        pieces += [Piece(_line(text[at:begin]), False), Piece(text[begin:over], True)]
        at = over
    pieces += [Piece(_line(text[at:end]), False), *([Piece("…", False)] if end < len(text) else [])]
    return [piece for piece in pieces if piece.text]


def _found(folded: str, wanted: Sequence[str]) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(folded):
        at = match.start()
        for part in _parts(match[0]):
            best = max((word for word in wanted if part.startswith(word)), key=len, default=None)
            if best is not None:
                yield at, at + len(best)
            at += len(part)


def _parts(word: str) -> Iterator[str]:
    """A run of letters and digits as words."""
    if not _ALONE.search(word):
        yield word[:WORD_LENGTH_MAX]
        return
    for part in re.split(f"({_ALONE.pattern})", word):
        if part:
            yield part[:WORD_LENGTH_MAX]


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and where each of its characters comes from."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded: list[str] = []
    places: list[int] = []
    for at, letter in enumerate(text):
        for one in letter.lower() if letter.isascii() else _folded(letter):
            folded.append(one)
            places.append(at)
    return "".join(folded), places


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
