"""Text from strangers that is shown to others: names of people, files and tokens."""

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_printable(text: str) -> bool:
    """One line, without control characters, lone surrogates, or marks that turn the direction of what follows.

    Joiners are fine: emoji and many scripts need them.
    """
    return not any(letter in _BIDI or unicodedata.category(letter) in _REFUSED for letter in text)
