"""What a runtime uses, told to those who watch and to nobody else; and the warning before its memory ends."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio

from collegium.ground.errors import CollegiumError
from collegium.sessions.loan import Loan
from collegium.sessions.model import Use, Variable
from collegium.sessions.ports import Machines
from collegium.sessions.present import usage_frame, warning_frame
from collegium.sessions.pressure import Pressure, Word, felt

USAGE_SECONDS = 2.0


class Watching:
    """Reads the runtime's meter while a tab is here."""

    def __init__(
        self,
        loan: Loan,
        machines: Machines,
        *,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._loan = loan
        self._machines = machines
        self._tell = tell
        self._watched = anyio.Event()
        self._pressure = Pressure()
        self._usage: dict[str, Any] | None = None
        self._warning: dict[str, Any] | None = None

    def begin(self) -> None:
        """Somebody watches from now on."""
        self._watched.set()

    def end(self) -> None:
        """Nobody watches any more."""
        if self._watched.is_set():
            self._watched = anyio.Event()

    def forget(self) -> None:
        """There is another runtime, or none."""
        self._pressure, self._usage, self._warning = Pressure(), None, None

    def last(self) -> list[dict[str, Any]]:
        """What was told last, for one who comes late."""
        return [frame for frame in (self._usage, self._warning) if frame is not None]

    async def run(self) -> None:
        """For ever: while somebody watches and there is a runtime, every two seconds."""
        while True:
            await self._watched.wait()
            with suppress(CollegiumError):
                await self._read()
            await anyio.sleep(USAGE_SECONDS)

    async def _read(self) -> None:
        binding, machine = self._loan.binding, self._loan.machine
        if binding is None or machine is None or machine.state != "ready":
            return
        use = await self._machines.usage(binding.runtime)
        if self._loan.binding is None or self._loan.binding.runtime != binding.runtime:
            return
        self._usage = usage_frame(binding.runtime, use)
        self._tell(self._usage)
        self._pressure, word = felt(self._pressure, use.memory_bytes, use.memory_limit_bytes)
        if word is not None:
            await self._say(word, use)

    async def _say(self, word: Word, use: Use) -> None:
        if word is Word.OVER:
            self._warning = None
            self._tell({"type": "memory_warning", "over": True})
            return
        found: tuple[Variable, ...] = ()
        with suppress(CollegiumError):
            found = await self._loan.variables()
        self._warning = warning_frame(use, found)
        self._tell(self._warning)
