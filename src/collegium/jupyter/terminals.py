"""`/jupyter/api/terminals`: shells in a runtime of their user's, over REST and in Jupyter's frames on a WebSocket."""

import codecs
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts, signed_in
from collegium.ground.clock import now_ms
from collegium.ground.errors import CollegiumError, Invalid, NotFound, TooMany, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.ground.log import get_log
from collegium.jupyter.door import PREFIX, JupyterRoute, body_of, refuse_socket, text_in, who
from collegium.jupyter.model import time_of
from collegium.jupyter.service import Jupyter
from collegium.kernels.terminals import Exited, Terminal, TerminalClient, TerminalStream

log = get_log("jupyter")

PER_USER_MAX = 16
BODY_BYTES_MAX = 1 << 16
NAME_LENGTH_MAX = 64
SIZE_MAX = 1000
MALFORMED, AGAIN, SIGNED_OUT = 1007, 1012, 4401

Who = Annotated[Principal, Depends(who)]


class Terminals:
    """Those of one user lie in the runtimes that their kernels lie in; one is asked for if there is none."""

    def __init__(self, jupyter: Jupyter) -> None:
        self._jupyter = jupyter

    async def all(self, principal: Principal) -> dict[str, tuple[RuntimeId, Terminal]]:
        """Those that run, by name."""
        found: dict[str, tuple[RuntimeId, Terminal]] = {}
        for runtime in sorted(self._jupyter.runtimes(principal.user)):
            with suppress(NotFound, Unavailable):
                for terminal in await self._client(runtime).list():
                    found.setdefault(terminal.name, (runtime, terminal))
        return found

    async def find(self, principal: Principal, name: str) -> tuple[RuntimeId, Terminal]:
        """One of them. Raises NotFound."""
        found = (await self.all(principal)).get(name)
        if found is None:
            raise NotFound(f"Terminal not found: {name[:NAME_LENGTH_MAX]}")
        return found

    async def create(self, principal: Principal, name: str | None) -> Terminal:
        """A new one. Raises Invalid, TooMany, QuotaExceeded or Unavailable."""
        if len(await self.all(principal)) >= PER_USER_MAX:
            raise TooMany(f"You have {PER_USER_MAX} terminals already. Close one first.")
        runtime = await self._jupyter.hold(principal)
        return await self._client(runtime).create(name=name)

    async def delete(self, principal: Principal, name: str) -> None:
        """End one; the runtime is given back after its last terminal and kernel. Raises NotFound."""
        runtime, _ = await self.find(principal, name)
        client = self._client(runtime)
        await client.delete(name)
        if not await client.list():
            await self._jupyter.let_go(principal.user, runtime)

    @asynccontextmanager
    async def attached(self, principal: Principal, name: str) -> AsyncIterator[TerminalStream]:
        """Look at one. Raises NotFound."""
        runtime, _ = await self.find(principal, name)
        self._jupyter.touch(runtime)
        async with self._client(runtime).attach(name) as stream:
            yield stream

    def _client(self, runtime: RuntimeId) -> TerminalClient:
        return TerminalClient(lambda: self._jupyter.connect(runtime))


def routes(terminals: Terminals, accounts: Accounts) -> APIRouter:
    """All of them."""
    router = APIRouter(route_class=JupyterRoute)
    base = PREFIX + "/api/terminals"

    @router.get(base)
    async def list_terminals(principal: Who) -> list[dict[str, str]]:
        return [_shown(terminal) for _, terminal in (await terminals.all(principal)).values()]

    @router.post(base)
    async def create_terminal(request: Request, principal: Who) -> dict[str, str]:
        name = text_in(await body_of(request, BODY_BYTES_MAX), "name")
        if name is not None and not (0 < len(name) <= NAME_LENGTH_MAX and name.isascii() and name.isalnum()):
            raise Invalid("This is no name for a terminal.")
        return _shown(await terminals.create(principal, name))

    @router.get(base + "/{name}")
    async def read_terminal(name: str, principal: Who) -> dict[str, str]:
        return _shown((await terminals.find(principal, name))[1])

    @router.delete(base + "/{name}", status_code=204)
    async def delete_terminal(name: str, principal: Who) -> None:
        await terminals.delete(principal, name)

    @router.websocket(PREFIX + "/terminals/websocket/{name}")
    async def terminal_socket(websocket: WebSocket, name: str) -> None:
        try:
            principal = signed_in(websocket)
            async with terminals.attached(principal, name) as stream, accounts.ended(principal) as ended:
                await websocket.accept()
                await websocket.send_text('["setup", {}]')
                code = await _converse(websocket, stream, ended)
                if code is not None:
                    with anyio.move_on_after(5), suppress(RuntimeError, WebSocketDisconnect, OSError):
                        await websocket.close(code)
        except CollegiumError as error:
            with suppress(RuntimeError):
                await refuse_socket(websocket, error)

    return router


async def _converse(websocket: WebSocket, stream: TerminalStream, ended: anyio.Event) -> int | None:
    """Until one side goes; the code to close with, None if the client went."""
    code: int | None = None
    async with anyio.create_task_group() as tasks:

        async def sign_out() -> None:
            nonlocal code
            await ended.wait()
            code = SIGNED_OUT
            tasks.cancel_scope.cancel()

        async def show() -> None:
            nonlocal code
            try:
                code = await _show(websocket, stream)
            except (CollegiumError, OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                code = AGAIN
            except (RuntimeError, WebSocketDisconnect):
                code = None
            tasks.cancel_scope.cancel()

        tasks.start_soon(sign_out)
        tasks.start_soon(show)
        try:
            await _type(websocket, stream)
        except WebSocketDisconnect:
            code = None
        except CollegiumError as error:
            code = MALFORMED if isinstance(error, Invalid) else AGAIN
        tasks.cancel_scope.cancel()
    return code


async def _show(websocket: WebSocket, stream: TerminalStream) -> int:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        what = await stream.receive()
        if isinstance(what, Exited):
            await websocket.send_text('["disconnect", 1]')
            return 1000
        text = decoder.decode(what.data)
        if text:
            await websocket.send_text(json.dumps(["stdout", text]))


async def _type(websocket: WebSocket, stream: TerminalStream) -> None:
    while True:
        event = await websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code") or 1005)
        kind, *rest = _frame(event.get("text"))
        match kind, rest:
            case "stdin", [str(text)]:
                await stream.input(text)
            case "set_size", [int(rows), int(columns), *_]:
                if 0 < rows <= SIZE_MAX and 0 < columns <= SIZE_MAX:
                    await stream.resize(rows, columns)
            case _:
                raise Invalid("This is not a frame of a terminal.")


def _frame(text: str | None) -> list[Any]:
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise Invalid("This is not a frame of a terminal.") from error
    if not isinstance(frame, list) or not frame:
        raise Invalid("This is not a frame of a terminal.")
    return frame


def _shown(terminal: Terminal) -> dict[str, str]:
    return {"name": terminal.name, "last_activity": time_of(now_ms())}
