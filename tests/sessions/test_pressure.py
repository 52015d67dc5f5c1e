"""The warning before the memory ends: once, and again only after it was better."""

from hypothesis import given
from hypothesis import strategies as st

from collegium.sessions.pressure import Pressure, Word, felt

LIMIT = 1000


def said(*used: int | None) -> list[Word | None]:
    pressure, words = Pressure(), []
    for reading in used:
        pressure, word = felt(pressure, reading, LIMIT)
        words.append(word)
    return words


def test_people_are_warned_once_above_and_told_once_below() -> None:
    assert said(800, 851, 990, 800, 851, 749, 800, 860) == [
        *(None, Word.WARN, None, None, None, Word.OVER, None, Word.WARN),
    ]


def test_a_reading_that_is_missing_says_nothing() -> None:
    assert said(900, None, 900, None, 100) == [Word.WARN, None, None, None, Word.OVER]
    assert felt(Pressure(), 900, None) == (Pressure(), None)
    assert felt(Pressure(), 900, 0) == (Pressure(), None)


@given(st.lists(st.integers(0, LIMIT)))
def test_warnings_and_their_ends_take_turns(used: list[int]) -> None:
    words = [word for word in said(*used) if word is not None]

    assert words == [Word.WARN if number % 2 == 0 else Word.OVER for number in range(len(words))]
