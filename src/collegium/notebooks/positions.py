"""Where a cell stands: fractional keys, so that a cell can be put between two others without touching them."""

import secrets

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In ASCII order, so that keys compare as text."""

BASE = len(ALPHABET)
_DIGITS = frozenset(ALPHABET)
JITTER_DIGITS = 2


def is_position(text: str) -> bool:
    """Whether this is a key: digits of the alphabet, at least one, the last not 0."""
    return text != "" and text[-1] != "0" and _DIGITS.issuperset(text)


def evenly(count: int) -> list[str]:
    """Keys for so many cells in order, as far apart as they can be."""
    width = 1
    while BASE**width < 4 * (count + 1):
        width += 1
    return [_digits((index + 1) * BASE**width // (count + 1), width).rstrip("0") for index in range(count)]


def between(low: str, high: str | None) -> str:
    """A key after `low` ("" is the beginning) and before `high` (None is the end), with random digits at its end.

    Raises ValueError if `low` is not below `high`.
    """
    if high is not None and low >= high:
        raise ValueError(f"nothing lies between {low!r} and {high!r}")
    key = _middle(low, high)
    jittered = key + "".join(secrets.choice(ALPHABET[1:]) for _ in range(JITTER_DIGITS))
    return jittered if high is None or jittered < high else key


def spread(low: str, high: str | None, count: int) -> list[str]:
    """So many keys between two, in order. Raises ValueError if `low` is not below `high`."""
    if count == 0:
        return []
    half = count // 2
    key = between(low, high)
    return [*spread(low, key, half), key, *spread(key, high, count - half - 1)]


def _middle(low: str, high: str | None) -> str:
    prefix = ""
    while True:
        first = ALPHABET.index(low[0]) if low else 0
        last = ALPHABET.index(high[0]) if high is not None else BASE
        if last - first > 1:
            return prefix + ALPHABET[(first + last) // 2]
        prefix += ALPHABET[first]
        if last == first:
            low, high = low[1:], high[1:] if high is not None else None
        elif high is not None and len(high) > 1:
            return prefix[:-1] + high[0]
        else:
            low, high = low[1:], None


def _digits(value: int, width: int) -> str:
    text = ""
    for _ in range(width):
        value, digit = divmod(value, BASE)
        text = ALPHABET[digit] + text
    return text
