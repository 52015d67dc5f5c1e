"""The pure rules: addresses, names, passwords, colours, roles and patience."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.accounts.model import (
    ALLOWED,
    COLORS,
    TOKEN_PREFIX,
    Action,
    Role,
    clipped,
    color_of,
    email_key,
    hash_of,
    may,
    network_of,
    new_secret,
    new_token_secret,
    parsed_email,
    parsed_name,
    parsed_password,
    patience_at,
    seconds_until_one,
    stronger,
    taken,
)
from collegium.ground.errors import Invalid
from collegium.ground.ids import UserId, new_id


@pytest.mark.parametrize(
    "email", ["ada@example.org", "a@localhost", "Ada.Lovelace+x@mail.example.co.uk", "ö@bücher.example", " a@b.c "]
)
def test_an_address_is_taken_as_its_owner_spells_it(email: str) -> None:
    assert parsed_email(email) == email.strip()


@pytest.mark.parametrize(
    "email",
    [
        *("", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c", "a@b c", "a@b..c", "a@-b.c", "a@b-.c", "a@.b", "a\n@b"),
        *("a\0@b", "<a@b>", "a,b@c", "\u202ea@b", "\ud800@b", "a@" + "b" * 64, "a" * 65 + "@b", "a@" + "b." * 200),
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid):
        parsed_email(email)


def test_one_address_has_one_key_however_it_is_spelt() -> None:
    assert email_key("Ada@Example.ORG ") == email_key("ada@example.org")
    assert email_key("STRASSE@example.org") == email_key("straße@example.org")
    assert email_key("\uff41da@example.org") == email_key("ada@example.org")


@given(st.text(max_size=50))
def test_the_key_of_a_key_is_itself(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)


@pytest.mark.parametrize("name", ["Ada", "李小龍", "👩‍🔬", "O'Neill <b>", "x" * 100, "  Ada  "])
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert parsed_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", "a\0", "a\u2028b", "\u202eadA", "\ud800", "\x1b[31m"])
def test_a_name_is_one_short_printable_line(name: str) -> None:
    with pytest.raises(Invalid):
        parsed_name(name)


def test_a_password_is_long_enough_and_bounded_and_the_same_on_every_keyboard() -> None:
    assert parsed_password("p" * 8) == "p" * 8
    assert parsed_password("passwo\u0308rd") == parsed_password("passw\u00f6rd")
    for bad in ("", "p" * 7, "p" * 257):
        with pytest.raises(Invalid):
            parsed_password(bad)


def test_a_strangers_text_is_short_and_printable() -> None:
    assert clipped("Mozilla\r\nadmin: yes\0" + "x" * 1000, 20) == "Mozilla??admin: yes?"


def test_secrets_differ_and_their_hashes_tell_nothing() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert new_token_secret().startswith(TOKEN_PREFIX)
    assert len(hash_of("x")) == 64


def contrast_with_white(color: str) -> float:
    """WCAG 2.2's contrast ratio of white text on this colour."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


@pytest.mark.parametrize("color", COLORS)
def test_white_text_can_be_read_on_every_colour(color: str) -> None:
    assert contrast_with_white(color) >= 4.5


def test_a_user_has_one_colour_and_users_have_many() -> None:
    ada = UserId(new_id())
    assert color_of(ada) == color_of(ada)
    assert len({color_of(UserId(new_id())) for _ in range(200)}) == len(COLORS)


def test_each_role_may_all_that_the_ones_below_it_may() -> None:
    order = [Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.OWNER]
    for lower, higher in pairwise(order):
        assert ALLOWED[lower] < ALLOWED[higher]
        assert stronger(lower, higher) is higher
        assert stronger(higher, lower) is higher
    assert stronger(None, Role.VIEWER) is Role.VIEWER
    assert stronger(None, None) is None


@pytest.mark.parametrize("action", Action)
def test_a_stranger_may_nothing_and_an_owner_everything(action: Action) -> None:
    assert not may(None, action)
    assert may(Role.OWNER, action)


LIMITS = {"failures_max": 10, "window_ms": 600_000}


def test_patience_runs_out_and_grows_back() -> None:
    patience = patience_at(None, 0, **LIMITS)
    for _ in range(10):
        assert seconds_until_one(patience, **LIMITS) == 0
        patience = taken(patience_at(patience, 0, **LIMITS))

    assert 60 <= seconds_until_one(patience, **LIMITS) <= 61
    assert seconds_until_one(patience_at(patience, 59_000, **LIMITS), **LIMITS) > 0
    assert seconds_until_one(patience_at(patience, 60_001, **LIMITS), **LIMITS) == 0
    assert patience_at(patience, 10**9, **LIMITS).left == 10


@given(st.lists(st.integers(0, 100_000), max_size=60))
def test_no_more_tries_are_borne_than_the_limit_and_what_grew_back(gaps: list[int]) -> None:
    now, borne, patience = 0, 0, None
    for gap in gaps:
        now += gap
        patience = patience_at(patience, now, **LIMITS)
        if seconds_until_one(patience, **LIMITS) == 0:
            patience, borne = taken(patience), borne + 1

    assert borne <= 10 + now * 10 / 600_000 + 1e-6


def test_a_clock_that_is_set_back_gives_no_patience_away() -> None:
    spent = taken(patience_at(None, 1_000_000, **LIMITS))
    assert patience_at(spent, 0, **LIMITS).left == spent.left


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("192.0.2.7:50123", "192.0.2.7"),
        ("[2001:db8:1:2::9]:50123", "2001:db8:1:2::/64"),
        ("local", "local"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_a_customer_with_many_addresses_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
