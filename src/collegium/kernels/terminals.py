"""Terminals inside a runtime: its agent keeps them, with what they printed last, while nobody looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from collegium.ground.errors import Unavailable
from collegium.kernels.ports import Road
from collegium.kernels.side import Side, ask, beside, broken_is_unavailable

TERMINALS_MAX = 100
NAME_LENGTH_MAX = 64
TITLE_LENGTH_MAX = 200
INPUT_BYTES_MAX = 1024 * 1024
OFFSET_MAX = 2**63


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell that runs. `title` is what its programs set, and may be empty."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Output:
    """What was printed; the first byte is the `offset`-th of all. A jump: what lies between is no longer kept."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Exited:
    """The shell ended. `code` is None when it was killed, or nobody saw how it ended."""

    code: int | None


class TerminalStream:
    """One look at a terminal; several may look at once."""

    def __init__(self, side: Side) -> None:
        self._side = side

    async def receive(self) -> Output | Exited:
        """What happens next. Raises Unavailable when the runtime or its agent is gone."""
        with broken_is_unavailable():
            header, rest = await self._side.frame(seconds=None)
        match header["op"]:
            case "output":
                offset = header.get("offset")
                if not isinstance(offset, int) or not 0 <= offset < OFFSET_MAX:
                    raise Unavailable("The terminal's output is malformed.")
                return Output(offset, bytes(rest))
            case "exited":
                code = header.get("code")
                return Exited(code if isinstance(code, int) and 0 <= code <= 255 else None)
            case _:
                raise Unavailable("The terminal's output is malformed.")

    async def input(self, text: str) -> None:
        """Keys."""
        with broken_is_unavailable():
            await self._side.send_frame({"op": "input", "data": text})

    async def resize(self, rows: int, columns: int) -> None:
        """The size of the window."""
        with broken_is_unavailable():
            await self._side.send_frame({"op": "resize", "rows": rows, "cols": columns})


class TerminalClient:
    """The terminals of one runtime. Raises NotFound, Invalid and Unavailable."""

    def __init__(self, road: Road) -> None:
        self._road = road

    async def list(self) -> list[Terminal]:
        """Those that run."""
        found = (await ask(self._road, {"op": "terminals_list"})).get("terminals")
        if not isinstance(found, list) or len(found) > TERMINALS_MAX:
            raise Unavailable("The runtime's list of terminals is malformed.")
        return [_terminal(one) for one in found]

    async def create(self, *, name: str | None = None, cwd: str | None = None) -> Terminal:
        """A login shell; asked again with the name of one that runs, that one."""
        return _terminal(await ask(self._road, {"op": "terminals_create", "name": name, "cwd": cwd}))

    async def delete(self, name: str) -> None:
        """End it, and what runs in it."""
        await ask(self._road, {"op": "terminals_delete", "name": name})

    @asynccontextmanager
    async def attach(self, name: str, *, since: int = 0) -> AsyncIterator[TerminalStream]:
        """Look at one, from this offset on or from the oldest byte that is kept. Raises NotFound."""
        async with beside(self._road, {"terminal": name, "since": since}) as side:
            await side.frame()
            yield TerminalStream(side)


def _terminal(value: Any) -> Terminal:
    if not isinstance(value, dict):
        raise Unavailable("The runtime's answer is malformed.")
    name, title = value.get("name"), value.get("title")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH_MAX or not isinstance(title, str):
        raise Unavailable("The runtime's answer is malformed.")
    return Terminal(name, title[:TITLE_LENGTH_MAX])
