"""Every code with which the server refuses has words in the page's other languages, or is no matter of the page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from collegium.ground import errors

ROOT = Path(__file__).parents[2]
KINDS: dict[str, type[errors.CollegiumError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.CollegiumError)
}
# What the page never shows: other programs are told, or it has a way of its own to meet it.
OTHERS = {
    "no_such_kernel": "told to Jupyter's clients",
    "draft_used": "the page sends a comment it is not sure of again, and takes it as said",
    "table_invalid": "a mistake of the page's own",
    "range_not_satisfiable": "the end of what was read in pieces",
    "method_not_allowed": "a mistake of the page's own",
}
# They cover too much for words that fit: the server's own are shown. What people meet of them has a `why`.
GENERAL = {"error", "invalid", "conflict", "quota_exceeded", "too_many"}


def told() -> Iterator[tuple[str, set[str]]]:
    """Each code and `why` in the server's sources, and what is told along with it."""
    for path in (ROOT / "src/collegium").rglob("*.py"):
        if path.is_relative_to(ROOT / "src/collegium/backup"):
            continue  # told on the command line
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            named = {one.arg: one.value for one in call.keywords if one.arg is not None}
            if name in KINDS:
                codes = [named.get("code"), named.get("why")]
            elif name == "problem" and len(call.args) > 1:
                codes = [call.args[1]]
            else:
                continue
            # `**known` may hold anything.
            more = {"*"} if any(one.arg is None for one in call.keywords) else set()
            for code in codes:
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value, set(named) | more | {"detail"}


def words() -> dict[str, set[str]]:
    """The codes that the page has words for, and what is filled in there."""
    text = (ROOT / "web/src/i18n/problemWords.ts").read_text()
    found = re.findall(r"^  (\w+): msg\('((?:[^'\\]|\\.)*)'\),$", text, re.MULTILINE)
    return {code: set(re.findall(r"\{(\w+)\}", said)) for code, said in found}


def test_every_code_has_words() -> None:
    codes = {code for code, _ in told()} | {kind.code for kind in KINDS.values()}

    assert sorted(codes - set(words()) - set(OTHERS) - GENERAL) == []
    assert sorted(set(OTHERS) - codes - {"method_not_allowed"}) == []


def test_no_words_are_left_of_codes_that_are_gone() -> None:
    codes = {code for code, _ in told()} | {kind.code for kind in KINDS.values()}

    assert sorted(set(words()) - codes - {"outcome_unknown"}) == []


def test_what_the_words_fill_in_is_told() -> None:
    holes = words()
    lacking = [
        (code, sorted(holes[code] - given))
        for code, given in told()
        if code in holes and "*" not in given and holes[code] - given
    ]

    assert lacking == []
