"""Names, headers, and who may see what in a tree."""

import unicodedata
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.accounts.model import Role
from collegium.drive.model import (
    Item,
    Kind,
    Step,
    content_disposition,
    in_shown_order,
    parsed_item_name,
    role_on,
    sight_of,
)
from collegium.ground.errors import Invalid
from collegium.ground.ids import ItemId, UserId

ADA, BOB = UserId("ada"), UserId("bob")


def item(name: str = "x", *, kind: Kind = Kind.FOLDER, trashed: bool = False) -> Item:
    return Item(ItemId(name), ADA, None, kind, name, 0, None, 1, 1, 2 if trashed else None)


def way(*steps: tuple[str, Role | None] | tuple[str, Role | None, bool]) -> list[Step]:
    return [Step(item(step[0], trashed=len(step) == 3), step[1]) for step in steps]


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Untitled.ipynb",
        "données été.csv",
        "数据.parquet",
        "שלום.txt",
        "👩‍🔬 lab",
        "...",
        ".hidden",
        "a.b.c",
        "<img src=x onerror=alert(1)>",
        '"quoted"; drop',
        "%2e%2e",
        "con",
        "x" * 255,
        "😀" * 255,
    ],
)
def test_a_name_may_be_anything_a_person_would_write(name: str) -> None:
    assert parsed_item_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", ".", "..", " .. ", "a/b", "/", "a\\b", "../../etc/passwd", "a\nb", "a\rb", "a\0b", "a\tb"),
        *("x" * 256, "x" * 10_000, "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b", "\ud800", "\x1b[2Jboo"),
        *("cod\u202egnp.exe", "\u2066x\u2069", "\u200fx", "x\u061c"),
    ],
)
def test_a_name_that_could_deceive_or_break_something_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        parsed_item_name(name)
    assert refused.value.extra["field"] == "name"


def test_a_name_is_kept_in_one_form() -> None:
    assert parsed_item_name("  e\u0301te\u0301 ") == "\u00e9t\u00e9"


@given(st.text(max_size=300))
def test_a_name_is_refused_or_kept_in_a_form_that_is_safe_and_stays_as_it_is(text: str) -> None:
    try:
        name = parsed_item_name(text)
    except Invalid:
        return
    assert 1 <= len(name) <= 255
    assert name == unicodedata.normalize("NFC", name) == parsed_item_name(name)
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\r\n\u202e")


@given(st.text(min_size=1, max_size=255))
def test_any_name_makes_a_header_of_one_attachment(text: str) -> None:
    try:
        name = parsed_item_name(text)
    except Invalid:
        return
    header = content_disposition(name)
    parsed = Message()
    parsed["Content-Disposition"] = header

    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    assert unquote(header.rsplit("filename*=UTF-8''", 1)[1]) == name
    assert parsed.get_content_disposition() == "attachment"
    assert parsed.get_filename() is not None


def test_a_hostile_name_stays_inside_its_quotes() -> None:
    header = content_disposition('a".html"; filename=evil.html')

    assert header.split("; filename*=")[0] == 'attachment; filename="a_.html__ filename=evil.html"'


def test_a_role_is_handed_down_and_the_strongest_counts() -> None:
    assert role_on(way(("a", Role.VIEWER), ("b", None), ("c", None)), BOB) is Role.VIEWER
    assert role_on(way(("a", Role.VIEWER), ("b", Role.EDITOR), ("c", None)), BOB) is Role.EDITOR
    assert role_on(way(("a", Role.EDITOR), ("b", Role.VIEWER)), BOB) is Role.EDITOR
    assert role_on(way(("a", None), ("b", None)), BOB) is None
    assert role_on([], BOB) is None


def test_what_is_in_the_trash_or_under_it_only_its_owner_sees() -> None:
    for buried in (way(("a", Role.EDITOR, True), ("b", Role.EDITOR)), way(("a", Role.EDITOR), ("b", None, True))):
        assert role_on(buried, BOB) is None
        assert role_on(buried, ADA) is Role.OWNER


def test_of_the_path_one_sees_what_one_was_given() -> None:
    sight = sight_of(way(("top", None), ("shared", Role.VIEWER), ("inner", None), ("file", Role.EDITOR)), BOB)

    assert sight is not None
    assert [step.name for step in sight.path] == ["shared", "inner"]
    assert sight.role is Role.EDITOR
    assert sight_of(way(("top", None), ("file", None)), BOB) is None


def test_folders_come_first_and_names_are_sorted_as_people_read_them() -> None:
    items = [item("b", kind=Kind.FILE), item("Zoo"), item("a", kind=Kind.NOTEBOOK), item("B", kind=Kind.FILE)]

    assert [one.name for one in in_shown_order([*items, item("apple")])] == ["apple", "Zoo", "a", "B", "b"]
