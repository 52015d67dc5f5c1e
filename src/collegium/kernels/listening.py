"""Ports inside a runtime: who listens, and a stream to one of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio.abc import ByteStream

from collegium.ground.errors import Unavailable
from collegium.kernels.ports import Road
from collegium.kernels.side import ask, beside

PORTS_MAX = 1000
PROCESS_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Listening:
    """A TCP port, and the name of the program that listens there."""

    port: int
    process: str


class PortClient:
    """The ports of one runtime."""

    def __init__(self, road: Road) -> None:
        self._road = road

    async def list(self) -> list[Listening]:
        """Who listens, by port."""
        found = (await ask(self._road, {"op": "ports_list"})).get("ports")
        if not isinstance(found, list) or len(found) > PORTS_MAX:
            raise Unavailable("The runtime's list of ports is malformed.")
        return [_listening(one) for one in found]

    @asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[ByteStream]:
        """A stream to 127.0.0.1:port inside. Raises Unavailable if nobody listens."""
        async with beside(self._road, {"port": port}) as side:
            await side.frame()
            yield side


def _listening(value: object) -> Listening:
    port = value.get("port") if isinstance(value, dict) else None
    process = value.get("process") if isinstance(value, dict) else None
    if not isinstance(port, int) or not 0 < port < 65536 or not isinstance(process, str):
        raise Unavailable("The runtime's answer is malformed.")
    return Listening(port, process[:PROCESS_LENGTH_MAX])
