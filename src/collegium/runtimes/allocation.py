"""Who has which unit of an accelerator, and who is next: users take turns, and requests of one keep their order."""

from dataclasses import dataclass, replace

from collegium.ground.ids import RuntimeId, UserId
from collegium.runtimes.model import Waiting


@dataclass(frozen=True, slots=True)
class Turn:
    """What one user waits for, the oldest first."""

    user: UserId
    requests: tuple[RuntimeId, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """The units of one accelerator: those that are lent, and the users in the order in which their turns come.

    Whoever got a unit goes behind everybody who waits then, so nobody is overtaken twice by the same user.
    """

    shared: int = 1
    """So many runtimes use a unit at a time."""
    held: tuple[tuple[RuntimeId, str], ...] = ()
    turns: tuple[Turn, ...] = ()

    def unit_of(self, runtime: RuntimeId) -> str | None:
        """The unit that a runtime has."""
        return next((unit for holder, unit in self.held if holder == runtime), None)


def asked(allocation: Allocation, user: UserId, runtime: RuntimeId) -> Allocation:
    """Somebody wants a unit. Asking twice changes nothing."""
    if allocation.unit_of(runtime) is not None or runtime in queue(allocation):
        return allocation
    turns = list(allocation.turns)
    for place, turn in enumerate(turns):
        if turn.user == user:
            turns[place] = replace(turn, requests=(*turn.requests, runtime))
            break
    else:
        turns.append(Turn(user, (runtime,)))
    return replace(allocation, turns=tuple(turns))


def restored(allocation: Allocation, runtime: RuntimeId, unit: str) -> Allocation:
    """It has this unit since before we came."""
    if allocation.unit_of(runtime) is not None:
        return allocation
    return replace(allocation, held=(*allocation.held, (runtime, unit)))


def left(allocation: Allocation, runtime: RuntimeId) -> Allocation:
    """It waits no longer, and has nothing any more."""
    kept = (replace(turn, requests=tuple(one for one in turn.requests if one != runtime)) for turn in allocation.turns)
    return replace(
        allocation,
        held=tuple((holder, unit) for holder, unit in allocation.held if holder != runtime),
        turns=tuple(turn for turn in kept if turn.requests),
    )


def roomy(allocation: Allocation, units: tuple[str, ...]) -> list[str]:
    """The units that one more may use, the emptiest first."""
    users = dict.fromkeys(units, 0)
    for _, unit in allocation.held:
        users[unit] = users.get(unit, 0) + 1
    return sorted((unit for unit in units if users[unit] < allocation.shared), key=lambda unit: users[unit])


def is_empty(allocation: Allocation, unit: str) -> bool:
    """Whether nobody has it."""
    return all(held != unit for _, held in allocation.held)


def granted(allocation: Allocation, unit: str) -> tuple[Allocation, RuntimeId]:
    """The first who waits gets a unit that has room; somebody must be waiting."""
    assert sum(held == unit for _, held in allocation.held) < allocation.shared, "a unit is never given twice"
    (first, *others) = allocation.turns
    runtime, *more = first.requests
    behind = (replace(first, requests=tuple(more)),) if more else ()
    return replace(allocation, held=(*allocation.held, (runtime, unit)), turns=(*others, *behind)), runtime


def queue(allocation: Allocation) -> list[RuntimeId]:
    """Everybody who waits, in the order in which they will be served if nobody else comes."""
    rounds = max((len(turn.requests) for turn in allocation.turns), default=0)
    return [turn.requests[n] for n in range(rounds) for turn in allocation.turns if n < len(turn.requests)]


def places(allocation: Allocation) -> dict[RuntimeId, Waiting]:
    """The place of everybody who waits."""
    waiting = queue(allocation)
    return {runtime: Waiting(runtime, place, len(waiting)) for place, runtime in enumerate(waiting, start=1)}
