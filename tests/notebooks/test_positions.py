"""A cell can always be put between two others."""

from hypothesis import given
from hypothesis import strategies as st

from collegium.notebooks import positions

keys = st.text(alphabet=positions.ALPHABET, min_size=1, max_size=8).filter(positions.is_position)


@given(keys, keys)
def test_there_is_a_key_between_any_two(one: str, other: str) -> None:
    low, high = sorted([one, other])
    if low == high:
        return

    key = positions.between(low, high)
    assert low < key < high
    assert positions.is_position(key)


@given(keys)
def test_there_is_a_key_before_and_after_any(key: str) -> None:
    assert "" < positions.between("", key) < key < positions.between(key, None)


@given(st.lists(st.integers(0, 1_000_000), max_size=60))
def test_any_order_of_insertions_keeps_the_order(places: list[int]) -> None:
    made: list[str] = []
    for place in places:
        at = place % (len(made) + 1)
        low, high = made[at - 1] if at else "", made[at] if at < len(made) else None
        made.insert(at, positions.between(low, high))

    assert made == sorted(set(made))


@given(st.integers(0, 3_000))
def test_keys_for_many_cells_rise(count: int) -> None:
    made = positions.evenly(count)

    assert len(made) == count
    assert made == sorted(set(made))
    assert all(positions.is_position(key) for key in made)


@given(keys, st.integers(0, 200))
def test_many_keys_fit_between_two(low: str, count: int) -> None:
    high = positions.between(low, None)
    made = positions.spread(low, high, count)

    assert [low, *made, high] == sorted({low, *made, high})
