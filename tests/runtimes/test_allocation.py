"""Who gets a unit of an accelerator, and when."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.allocation import Allocation, asked, granted, left, places, queue, restored, roomy

ADA, BOB, CAT = UserId("ada"), UserId("bob"), UserId("cat")


def waiting(*requests: tuple[UserId, str], shared: int = 1) -> Allocation:
    allocation = Allocation(shared)
    for user, runtime in requests:
        allocation = asked(allocation, user, RuntimeId(runtime))
    return allocation


def served(allocation: Allocation) -> list[str]:
    """Everybody, in the order in which they get the only unit one after another."""
    order = []
    while allocation.turns:
        allocation, runtime = granted(allocation, "u")
        allocation = left(allocation, runtime)
        order.append(runtime)
    return list(order)


def test_users_take_turns_and_each_ones_requests_keep_their_order() -> None:
    allocation = waiting((ADA, "a1"), (ADA, "a2"), (ADA, "a3"), (BOB, "b1"), (CAT, "c1"), (CAT, "c2"))

    assert queue(allocation) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert served(allocation) == queue(allocation)
    assert (places(allocation)[RuntimeId("b1")].position, places(allocation)[RuntimeId("b1")].of) == (2, 6)


def test_asking_twice_changes_nothing_and_leaving_closes_the_gap() -> None:
    allocation = waiting((ADA, "a1"), (BOB, "b1"), (CAT, "c1"))

    assert asked(allocation, ADA, RuntimeId("a1")) == allocation
    assert queue(left(allocation, RuntimeId("b1"))) == ["a1", "c1"]
    assert left(left(allocation, RuntimeId("b1")), RuntimeId("b1")) == left(allocation, RuntimeId("b1"))


def test_a_shared_unit_has_room_for_so_many_and_the_emptiest_comes_first() -> None:
    allocation = restored(waiting((ADA, "a1"), (BOB, "b1"), shared=2), RuntimeId("x"), "one")

    assert roomy(allocation, ("one", "two")) == ["two", "one"]
    allocation, _ = granted(allocation, "one")
    assert roomy(allocation, ("one", "two")) == ["two"]
    assert roomy(allocation, ("one",)) == []


def test_a_unit_that_is_not_declared_any_more_is_not_handed_on() -> None:
    allocation = restored(waiting((ADA, "a1")), RuntimeId("x"), "old")

    assert roomy(allocation, ("one",)) == ["one"]
    assert left(allocation, RuntimeId("x")).held == ()


USERS = [UserId(name) for name in "pqrst"]
Event = tuple[str, int, int]
EVENTS = some.lists(
    some.tuples(some.sampled_from(["ask", "serve", "end", "leave"]), some.integers(0, 4), some.integers(0, 99)),
    max_size=150,
)


@given(events=EVENTS, units=some.integers(1, 4), shared=some.integers(1, 3))
def test_no_unit_is_given_twice_and_nobody_is_overtaken_twice(events: list[Event], units: int, shared: int) -> None:
    names = tuple(f"unit{n}" for n in range(units))
    allocation, number = Allocation(shared), 0
    overtaken: dict[RuntimeId, Counter[UserId]] = {}
    owner: dict[RuntimeId, UserId] = {}
    for kind, who, which in events:
        waits = queue(allocation)
        if kind == "ask":
            runtime = RuntimeId(f"r{number}")
            number += 1
            owner[runtime] = USERS[who]
            allocation = asked(allocation, USERS[who], runtime)
            overtaken[runtime] = Counter()
        elif kind == "serve" and waits and roomy(allocation, names):
            allocation, first = granted(allocation, roomy(allocation, names)[0])
            assert first == waits[0]
            oldest = {owner[one]: one for one in reversed([one for one in owner if one in waits])}
            for other in oldest.values():
                if other != first:
                    overtaken[other][owner[first]] += 1
                    assert overtaken[other][owner[first]] <= 1 + _ahead(owner, waits, other)
        elif kind == "end" and allocation.held:
            allocation = left(allocation, allocation.held[which % len(allocation.held)][0])
        elif kind == "leave" and waits:
            allocation = left(allocation, waits[which % len(waits)])
        lent = Counter(unit for _, unit in allocation.held)
        assert all(count <= shared for count in lent.values())
        assert len({runtime for runtime, _ in allocation.held}) == len(allocation.held)
        assert not {runtime for runtime, _ in allocation.held} & set(queue(allocation))


def _ahead(owner: dict[RuntimeId, UserId], waits: list[RuntimeId], runtime: RuntimeId) -> int:
    """How many older requests of its own user it had to let go first."""
    mine = [one for one in owner if owner[one] == owner[runtime]]
    return mine.index(runtime)


@given(crowd=some.lists(some.integers(0, 4), max_size=60))
def test_nobody_starves_while_others_ask_again_and_again(crowd: list[int]) -> None:
    allocation = asked(waiting((ADA, "patient")), BOB, RuntimeId("b"))
    allocation = asked(allocation, ADA, RuntimeId("patient2"))
    for number, who in enumerate(crowd):
        allocation = asked(allocation, USERS[who], RuntimeId(f"r{number}"))

    place = queue(allocation).index(RuntimeId("patient2"))
    for step in range(place + 1):
        allocation, runtime = granted(allocation, "u")
        allocation = left(allocation, runtime)
        allocation = asked(allocation, UserId(f"new{step}"), RuntimeId(f"new{step}"))

    assert RuntimeId("patient2") not in queue(allocation)
