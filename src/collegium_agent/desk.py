"""Where people's own doings inside a runtime arrive: one connection for each file, terminal, port or question."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from collegium_agent import extensions, ports
from collegium_agent.files import Files
from collegium_agent.language import Languages
from collegium_agent.packages import Packages
from collegium_agent.side import Refused, Side
from collegium_agent.terminals import Terminals
from collegium_agent.wire import Malformed

ANSWER_SECONDS_MAX = 20.0

Questions = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Desk:
    """One per agent."""

    def __init__(self, packages: Packages, cwd: str, kernels: Questions, tasks: asyncio.TaskGroup) -> None:
        self.packages = packages
        self._kernels = kernels
        self.ports = ports.Ports()
        self._files = Files()
        self._terminals = Terminals(cwd)
        self._languages = Languages(cwd, tasks)

    async def serve(self, purpose: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what a connection was opened for; a refusal is its last frame."""
        side = Side(reader, writer)
        try:
            await self._serve(side, purpose)
        except* Refused as group:
            error = _first(group)
            await side.send({"op": "error", "id": "", "code": error.code, "detail": error.detail, **error.more})
        except* (KeyError, TypeError, ValueError, ArithmeticError):
            await side.send({"op": "error", "id": "", "code": "invalid", "detail": "The request is malformed."})

    async def _serve(self, side: Side, purpose: dict[str, Any]) -> None:
        match purpose:
            case {"ask": {"op": str()} as question}:
                await side.send({"op": "reply", "id": "", "content": await self._answer(question)})
            case {"read": str(path)}:
                await self._files.read(side, path)
            case {"nbextension": str(path)}:
                await self._files.read(side, await asyncio.to_thread(extensions.find, path))
            case {"write": _}:
                await self._files.write(side, purpose)
            case {"terminal": _}:
                await self._terminals.look(side, purpose)
            case {"port": port}:
                await ports.carry(side, port)
            case {"language": _}:
                await self._languages.serve(side)
            case _:
                raise Malformed("nothing here opens like this")

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        part = question["op"].partition("_")[0]
        match part:
            case "files":
                return await self._files.answer(question)
            case "terminals":
                return self._terminals.answer(question)
            case "ports":
                return await asyncio.to_thread(self.ports.answer)
            case "packages":
                return await asyncio.to_thread(self.packages.answer)
            case _:
                try:
                    return await asyncio.wait_for(self._kernels(question), ANSWER_SECONDS_MAX)
                except TimeoutError as error:
                    raise Refused("unavailable", "The kernel does not answer.") from error


def _first(group: BaseExceptionGroup[Any]) -> Refused:
    error: Any = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Refused)
    return error
