"""The queue for accelerators: who asks for a unit waits here until it is theirs, and is told the place meanwhile."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import anyio

from collegium.ground.ids import RuntimeId, UserId
from collegium.ground.log import get_log
from collegium.runtimes.allocation import (
    Allocation,
    asked,
    granted,
    is_empty,
    left,
    places,
    restored,
    roomy,
)
from collegium.runtimes.model import Runtime, Unit, Waiting
from collegium.runtimes.ports import Accelerators
from collegium.runtimes.settings import Accelerator, AcceleratorUnit, unit_name

RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 30.0

log = get_log("runtimes")

OnWait = Callable[[Waiting], None]


@dataclass(slots=True)
class _Waiter:
    on_wait: OnWait | None
    served: anyio.Event = field(default_factory=anyio.Event)
    told: Waiting | None = None


class Turns:
    """All accelerators of this machine. One task hands units on; asking and giving back only change the books."""

    def __init__(
        self,
        accelerators: Mapping[str, Accelerator],
        hardware: Accelerators,
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._accelerators = accelerators
        self._hardware = hardware
        self._retry_seconds = retry_seconds
        self._books = {name: Allocation(one.shared) for name, one in accelerators.items()}
        self._waiters: dict[RuntimeId, _Waiter] = {}
        self._changed = anyio.Event()
        self._open = False
        self._said: dict[tuple[str, str], str] = {}

    def restore(self, runtimes: Iterable[Runtime]) -> None:
        """At the start: who has what since before this server came; by the same name, or now by another."""
        for runtime in runtimes:
            if runtime.unit is not None:
                name = self._where(runtime.unit)
                if name in self._books:
                    self._books[name] = restored(self._books[name], runtime.id, runtime.unit.name)

    def _where(self, unit: Unit) -> str:
        """The accelerator that has a unit now: it may have been declared anew under another name."""
        for name, accelerator in self._accelerators.items():
            if any(unit.name in one.devices for one in accelerator.units):
                return name
        return unit.accelerator

    def open(self) -> None:
        """From now on units are handed on: it is known what lives."""
        self._open = True
        self._wake()

    def close(self) -> None:
        """Hand nothing on: somebody may have what we think is free."""
        self._open = False

    async def wait(self, runtime: RuntimeId, user: UserId, accelerator: str, on_wait: OnWait | None) -> Unit:
        """A unit, once it is this runtime's turn. Whoever stops waiting is out of the queue."""
        waiter = self._waiters[runtime] = _Waiter(on_wait)
        self._take(accelerator, asked(self._books[accelerator], user, runtime))
        try:
            await waiter.served.wait()
        except BaseException:
            self.free(runtime)
            raise
        finally:
            self._waiters.pop(runtime, None)
        unit = self._books[accelerator].unit_of(runtime)
        assert unit is not None
        return Unit(accelerator, unit)

    def free(self, runtime: RuntimeId) -> None:
        """It needs no unit any more; it may never have had one."""
        for name, book in self._books.items():
            without = left(book, runtime)
            if without != book:
                self._take(name, without)

    def place(self, runtime: RuntimeId) -> Waiting | None:
        """Its place in a queue, if it is in one."""
        for book in self._books.values():
            found = places(book).get(runtime)
            if found is not None:
                return found
        return None

    def unit_of(self, runtime: RuntimeId) -> AcceleratorUnit | None:
        """What it has of an accelerator that is declared."""
        for name, book in self._books.items():
            has, accelerator = book.unit_of(runtime), self._accelerators[name]
            for index, unit in enumerate(accelerator.units):
                if unit_name(accelerator, index) == has:
                    return unit
        return None

    def lengths(self) -> dict[str, int]:
        """How many wait for each accelerator."""
        return {name: len(places(book)) for name, book in self._books.items()}

    def lent(self) -> dict[str, int]:
        """How many have a unit of each accelerator."""
        return {name: len(book.held) for name, book in self._books.items()}

    # ── handing on ─────────────────────────────────────────────────────────────────────────────────────────────

    async def hand_on(self) -> None:
        """Give units to those whose turn it is, for ever. A unit that is not free yet is asked again after a while."""
        delay = self._retry_seconds
        while True:
            changed = self._changed
            stuck = [name for name in self._books if self._open and not await self._serve(name)]
            with anyio.move_on_after(delay if stuck else None) as retry:
                await changed.wait()
            delay = min(2 * delay, RETRY_SECONDS_MAX) if retry.cancelled_caught else self._retry_seconds

    async def _serve(self, name: str) -> bool:
        """Serve who can be served. False if somebody waits for a unit that nobody has and that is not free."""
        accelerator = self._accelerators[name]
        units = {unit_name(accelerator, index): one for index, one in enumerate(accelerator.units)}
        busy: set[str] = set()
        while self._open and self._books[name].turns:
            found = [unit for unit in roomy(self._books[name], tuple(units)) if unit not in busy]
            if not found:
                break
            unit = found[0]
            why = await self._hardware.why_not(accelerator, units[unit], empty=is_empty(self._books[name], unit))
            self._say(name, unit, why)
            if why is not None:
                busy.add(unit)
            elif self._open and self._books[name].turns and unit in roomy(self._books[name], tuple(units)):
                self._grant(name, unit)
        return not (busy and self._books[name].turns)

    def _grant(self, name: str, unit: str) -> None:
        book, runtime = granted(self._books[name], unit)
        log.info("unit.granted", accelerator=name, unit=unit, runtime=runtime)
        self._take(name, book)
        self._waiters[runtime].served.set()

    def _say(self, name: str, unit: str, why: str | None) -> None:
        """Log it once, not at every try."""
        if why is None:
            self._said.pop((name, unit), None)
        elif self._said.get((name, unit)) != why:
            self._said[name, unit] = why
            log.warning("unit.not_free", accelerator=name, unit=unit, why=why)

    def _take(self, name: str, book: Allocation) -> None:
        self._books[name] = book
        for runtime, place in places(book).items():
            waiter = self._waiters.get(runtime)
            if waiter is not None and waiter.on_wait is not None and waiter.told != place:
                waiter.told = place
                waiter.on_wait(place)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
