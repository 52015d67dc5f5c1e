"""A browser tab as tests see it: a document of its own behind a real socket."""

import base64
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from pycrdt import Doc, Map, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collegium.ground.ids import NotebookId
from collegium.notebooks import model

LOOK_SECONDS = 0.2
OPEN_SECONDS_MAX = 300
"""A thousand who come at once, in one process with the server, wait for their turn."""


class Tab:
    """Speaks the protocol, keeps what it is told."""

    def __init__(self, socket: ClientConnection, doc: "Doc[Any] | None" = None) -> None:
        self.socket = socket
        self.doc: Doc[Any] = doc or Doc()
        self.doc.get("meta", type=Map)
        self.cells = self.doc.get("cells", type=Map)
        self.welcome: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.awareness: list[bytes] = []
        self.sent = 0
        self.acked = 0
        self.seq = 0
        self.resyncs = 0
        self.closed: tuple[int, str] | None = None
        self._stirred = anyio.Event()

    @property
    def client(self) -> int:
        return int(self.doc.client_id)

    async def hello(self, **changes: Any) -> None:
        vector = base64.b64encode(self.doc.get_state()).decode()
        message = {"type": "hello", "protocol": 1, "client": self.client, "epoch": None, "state_vector": vector}
        await self.socket.send(json.dumps(message | changes))

    async def edit(self, change: Callable[["Tab"], None]) -> int:
        """Edit the own document and send it; the number of the update."""
        updates: list[bytes] = []
        subscription = self.doc.observe(lambda event: updates.append(event.update))
        with self.doc.transaction():
            change(self)
        self.doc.unobserve(subscription)
        return await self.send_update(updates[0])

    async def send_update(self, update: bytes, number: int | None = None) -> int:
        self.sent = self.sent + 1 if number is None else number
        await self.socket.send(b"\x01" + struct.pack(">I", self.sent) + update)
        return self.sent

    def text(self, cell: str) -> Text:
        entry = self.cells[cell]
        source = entry["source"]
        assert isinstance(source, Text)
        return source

    def source(self, cell: str) -> str:
        return str(self.text(cell)) if cell in self.cells else ""

    def checksum(self) -> str:
        return model.checksum(self.cells.to_py() or {})

    def take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            message = json.loads(frame)
            self.messages.append(message)
            if message["type"] == "welcome":
                self.welcome = message
                self.seq = message["head"]
            elif message["type"] == "ack":
                self.acked, self.seq = message["n"], max(self.seq, message["seq"])
        elif frame[:1] == b"\x01":
            self.seq = max(self.seq, struct.unpack(">Q", frame[1:9])[0])
            self.doc.apply_update(frame[9:])
        elif frame[:1] == b"\x03":
            self.resyncs += 1
            self.doc.apply_update(frame[1:])
        else:
            self.awareness.append(frame[1:])

    async def read(self) -> None:
        """Take what comes until the socket closes."""
        try:
            async for frame in self.socket:
                self.take(frame)
                self._stir()
        except ConnectionClosed:
            pass
        self.closed = (self.socket.close_code or 0, self.socket.close_reason or "")
        self._stir()

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = anyio.Event()

    async def until(self, condition: Callable[["Tab"], Any], seconds: float = 10) -> None:
        """Wait for something to become true of this tab. It is looked at after every frame, since a thousand tabs that
        look again and again leave the server no time; and now and then for what no frame says."""
        with anyio.fail_after(seconds):
            while not condition(self):
                with anyio.move_on_after(LOOK_SECONDS):
                    await self._stirred.wait()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]


@asynccontextmanager
async def dialled(port: int, notebook: NotebookId | str, token: str | None) -> AsyncIterator[Tab]:
    """A tab that has only opened its socket."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    address = f"ws://127.0.0.1:{port}/api/v1/notebooks/{notebook}/socket"
    async with connect(
        address,
        additional_headers=headers,
        max_size=None,
        compression=None,
        proxy=None,
        open_timeout=OPEN_SECONDS_MAX,
        ping_interval=None,
    ) as socket:
        yield Tab(socket)


@asynccontextmanager
async def joined(
    port: int, notebook: NotebookId | str, token: str | None, doc: "Doc[Any] | None" = None, **hello: Any
) -> AsyncIterator[Tab]:
    """A tab that is in the room and has the document."""
    async with dialled(port, notebook, token) as tab, anyio.create_task_group() as tasks:
        if doc is not None:
            tab.__init__(tab.socket, doc)  # type: ignore[misc]
        await tab.hello(**hello)
        tasks.start_soon(tab.read)
        await tab.until(lambda tab: tab.resyncs or tab.closed)
        yield tab
        tasks.cancel_scope.cancel()
