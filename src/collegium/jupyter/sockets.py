"""`/jupyter/api/kernels/{id}/channels`: a kernel's messages over a WebSocket, both ways."""

from collections.abc import Callable
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts, signed_in
from collegium.ground.errors import CollegiumError, NotFound, Unavailable
from collegium.ground.ids import new_id
from collegium.ground.log import get_log
from collegium.jupyter import wire
from collegium.jupyter.clients import Client
from collegium.jupyter.door import refuse_socket
from collegium.jupyter.live import LiveKernel
from collegium.jupyter.model import id_of
from collegium.jupyter.service import Jupyter
from collegium.kernels.channels import JupyterMessage, Malformed

log = get_log("jupyter")

SESSION_LENGTH_MAX = 200
CHECK_SECONDS = 0.5
NORMAL, MALFORMED, AGAIN, SIGNED_OUT = 1000, 1007, 1012, 4401
"""After 1012 a client comes back; after 1000 it need not, for its kernel is gone."""


async def visit(websocket: WebSocket, kernel_id: str, jupyter: Jupyter, accounts: Accounts) -> None:
    """One socket, from its handshake to its end."""
    try:
        principal = signed_in(websocket)
        kernel = await jupyter.listened(principal, id_of(kernel_id))
    except CollegiumError as error:
        await refuse_socket(websocket, error)
        return
    offered = websocket.scope.get("subprotocols", [])
    session = websocket.query_params.get("session_id", "")[:SESSION_LENGTH_MAX] or new_id()
    try:
        with kernel.attached(session) as client:
            await websocket.accept(wire.V1 if wire.V1 in offered else None)
            socket = _Socket(websocket, kernel, client, jupyter, binary=wire.V1 in offered)
            await _hang_up(websocket, await socket.run(principal, accounts))
    except CollegiumError as error:
        await refuse_socket(websocket, error)


class _Socket:
    def __init__(
        self, websocket: WebSocket, kernel: LiveKernel, client: Client, jupyter: Jupyter, *, binary: bool
    ) -> None:
        self._websocket = websocket
        self._kernel = kernel
        self._client = client
        self._jupyter = jupyter
        self._binary = binary
        self._code: int | None = None

    async def run(self, principal: Principal, accounts: Accounts) -> int | None:
        """Until one side goes; the code to close with, None if the client went."""
        async with accounts.ended(principal) as ended, anyio.create_task_group() as tasks:

            def close(code: int | None) -> Callable[[], None]:
                def closed() -> None:
                    self._code = code
                    tasks.cancel_scope.cancel()

                return closed

            tasks.start_soon(_when, ended, close(SIGNED_OUT))
            if self._kernel.page is not None:
                tasks.start_soon(self._until_withdrawn, principal, close(NORMAL))
            tasks.start_soon(self._until_gone, close(NORMAL))
            tasks.start_soon(_when, self._client.cut, close(AGAIN))
            tasks.start_soon(self._send)
            try:
                await self._receive()
            except WebSocketDisconnect:
                close(None)()
            except (wire.Malformed, Malformed) as error:
                log.info("client.malformed", kernel=self._kernel.id, why=str(error))
                close(MALFORMED)()
            except CollegiumError as error:
                log.info("client.let_go", kernel=self._kernel.id, why=error.detail)
                close(AGAIN)()
        return self._code

    async def _until_withdrawn(self, principal: Principal, close: Callable[[], None]) -> None:
        """Who may not run the notebook any more hears no more of its kernel."""
        while True:
            await anyio.sleep(CHECK_SECONDS)
            try:
                await self._jupyter.kernel(principal, self._kernel.id)
            except NotFound:
                close()
                return
            except Unavailable as error:
                log.warning("right.unknown", kernel=self._kernel.id, why=error.detail)  # asked again

    async def _until_gone(self, close: Callable[[], None]) -> None:
        await self._kernel.gone.wait()
        # Its last words, if the client still takes them.
        with anyio.move_on_after(1):
            while self._client.waiting:
                await self._client.room()
        close()

    async def _send(self) -> None:
        while True:
            message = await self._client.next()
            frame = self._framed(message)
            if frame is not None:
                kind = "bytes" if isinstance(frame, bytes) else "text"
                try:
                    await self._websocket.send({"type": "websocket.send", kind: frame})
                except (RuntimeError, WebSocketDisconnect, OSError):
                    # It went while we wrote; the message waits for it to come back.
                    return
            self._client.taken()

    def _framed(self, message: JupyterMessage) -> str | bytes | None:
        if self._binary:
            return wire.packed_v1(message)
        try:
            return wire.packed_json(message)
        except ValueError as error:
            log.info("message.dropped", kernel=self._kernel.id, why=str(error))
            return None

    async def _receive(self) -> None:
        while True:
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code") or 1005)
            data, text = event.get("bytes"), event.get("text")
            if self._binary and data is not None:
                channel, parts = wire.unpacked_v1(data)
            else:
                channel, parts = wire.unpacked_json((text or "") if data is None else data)
            await self._kernel.receive(self._client, channel, parts)


async def _when(event: anyio.Event, close: Callable[[], None]) -> None:
    await event.wait()
    close()


async def _hang_up(websocket: WebSocket, code: int | None) -> None:
    if code is not None and websocket.application_state is WebSocketState.CONNECTED:
        with anyio.move_on_after(1), suppress(RuntimeError, WebSocketDisconnect, OSError):
            await websocket.close(code)
