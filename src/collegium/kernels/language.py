"""The language server inside a runtime, and the formatter beside it: messages of one page, carried as they are."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from collegium.ground.errors import Invalid, Unavailable
from collegium.kernels.ports import Road
from collegium.kernels.side import FRAME_BYTES_MAX, Side, beside, broken_is_unavailable

MESSAGE_BYTES_MAX = FRAME_BYTES_MAX - 64 * 1024
START_SECONDS_MAX = 30.0
_NAME = re.compile(r"[0-9a-f]{1,64}")
ENDS = frozenset({"died", "idle", "memory", "nonsense", "renewed", "silent", "slow"})


@dataclass(frozen=True, slots=True)
class Ended:
    """The server is gone, or does not wait any longer for who does not read."""

    why: str


class LanguageStream:
    """One page's conversation with the server. `name` begins the names of its documents."""

    def __init__(self, side: Side, name: str) -> None:
        self.name = name
        self._side = side

    async def receive(self) -> str | Ended:
        """What comes next: a message, which may be anything, or the end. Raises Unavailable."""
        with broken_is_unavailable():
            header, rest = await self._side.frame(seconds=None)
        match header:
            case {"op": "message"}:
                return bytes(rest).decode(errors="replace")
            case {"op": "ended", "why": str(why)} if why in ENDS:
                return Ended(why)
            case _:
                raise Unavailable("The language server's line is broken.")

    async def send(self, message: str) -> None:
        """A message, which the agent looks at before the server does. Raises Invalid when it is too large."""
        data = message.encode(errors="replace")
        if not 0 < len(data) <= MESSAGE_BYTES_MAX:
            raise Invalid(f"A message has at most {MESSAGE_BYTES_MAX} bytes.")
        with broken_is_unavailable():
            await self._side.send_frame({"op": "message"}, data)


class LanguageClient:
    """The language server of one runtime."""

    def __init__(self, road: Road) -> None:
        self._road = road

    @asynccontextmanager
    async def attach(self) -> AsyncIterator[LanguageStream]:
        """Talk to it; it is started if nobody did yet. Raises NotFound if there is none, Unavailable."""
        async with beside(self._road, {"language": 1}) as side:
            header, _ = await side.frame(seconds=START_SECONDS_MAX)
            name = header.get("tab")
            if header["op"] != "opened" or not isinstance(name, str) or _NAME.fullmatch(name) is None:
                raise Unavailable("The language server did not start.")
            yield LanguageStream(side, name)
