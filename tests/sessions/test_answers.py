"""What an agent says of memory and packages is a stranger's letter."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collegium.runtimes.packages import Package
from collegium.sessions import answers
from collegium.sessions.environment_store import on_top_from, on_top_to
from collegium.sessions.model import OnTop, Replaced, Variable


def test_the_largest_variables_come_first_and_are_few() -> None:
    told = [{"name": f"v{n}", "type": "list", "bytes": n * 100} for n in range(1, 30)]

    found = answers.variables({"variables": told})

    assert found[0] == Variable("v29", "list", 2900)
    assert len(found) == answers.VARIABLES_MAX


def test_what_has_no_form_is_left_out_and_what_is_long_is_cut() -> None:
    told: list[Any] = [
        {"name": "a", "type": "x" * 5000, "bytes": 1},
        {"name": "\x1b[31mred\n", "type": "int", "bytes": 2},
        {"name": 5, "type": "int", "bytes": 2},
        {"name": "b", "type": "int", "bytes": -1},
        {"name": "c", "type": "int", "bytes": True},
        {"name": "d", "type": "int", "bytes": 1 << 80},
        "e",
        None,
    ]

    found = answers.variables({"variables": told})

    assert [one.bytes for one in found] == [2, 1]
    assert all(one.name.isprintable() and len(one.type) <= 100 for one in found)


def test_what_is_on_top_is_read_and_kept_as_it_is() -> None:
    told = {
        "added": [
            {"name": "b", "version": "2"},
            {"name": "a", "version": "1.0+local"},
            {"name": "../x", "version": "1"},
        ],
        "changed": [{"name": "c", "from": "1", "to": "2"}, {"name": "c", "from": "1"}],
        "removed": [{"name": "d", "version": "<script>"}, {"name": "e", "version": "0"}],
    }

    found = answers.on_top(told)

    assert found == OnTop(
        added=(Package("a", "1.0+local"), Package("b", "2")),
        changed=(Replaced("c", "1", "2"),),
        removed=(Package("e", "0"),),
    )
    assert on_top_from(on_top_to(found)) == found


KEYS = st.sampled_from(["name", "version", "from", "to", "bytes", "type", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
)


@given(st.dictionaries(st.sampled_from(["added", "changed", "removed", "variables"]), JSON))
def test_any_letter_can_be_read(content: dict[str, Any]) -> None:
    answers.variables(content)
    found = answers.on_top(content)

    assert on_top_from(on_top_to(found)) == found
