"""The pure rules of comments."""

import pytest

from collegium.comments.model import MENTIONS_MAX, TEXT_LENGTH_MAX, fits, mentioned, parsed_text
from collegium.ground.errors import Invalid


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("@bob@example.org please look", ["bob@example.org"]),
        ("hi (@bob@example.org), and @cleo@example.org.", ["bob@example.org", "cleo@example.org"]),
        ("@bob@example.org @BOB@example.org", ["bob@example.org"]),
        ("ask @zoë@exämple.org!", ["zoë@exämple.org"]),
        ("write to bob@example.org", []),
        ("a@b@c.org", []),
        ("@bob", []),
        ("@@example.org", []),
        ("@property\ndef x(self): ...", []),
    ],
)
def test_an_address_after_an_at_sign_is_a_mention_and_nothing_else_is(text: str, addresses: list[str]) -> None:
    assert mentioned(text) == addresses


def test_a_comment_mentions_a_few_people_and_not_a_crowd() -> None:
    crowd = " ".join(f"@p{number}@example.org" for number in range(MENTIONS_MAX + 1))

    with pytest.raises(Invalid, match="at most"):
        mentioned(crowd)


def test_a_mention_bomb_is_read_in_one_go() -> None:
    assert mentioned("@" * TEXT_LENGTH_MAX) == []
    assert mentioned("@a" * (TEXT_LENGTH_MAX // 2)) == []


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (TEXT_LENGTH_MAX + 1), "a\x00b", "a\ud800b"])
def test_what_is_no_comment_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parsed_text(text)


def test_a_comment_is_kept_as_it_was_written_but_for_its_ends() -> None:
    assert parsed_text("  one\r\n\ttwo <b>&amp;</b> \n") == "one\n\ttwo <b>&amp;</b>"


@pytest.mark.parametrize(("query", "fit"), [("", True), ("AD", True), ("love", True), ("ada@", True), ("da", False)])
def test_completion_goes_by_the_beginnings_of_names_and_addresses(query: str, fit: bool) -> None:
    assert fits(query, ("Ada Lovelace", "ada@example.org")) is fit
