"""Tabs without a browser that type into one notebook, here and under jupyter-collaboration, and note what they see.

Each edit is a token that is nowhere else, so that it is found again in the bytes of a frame, whoever wrapped it.
"""

import asyncio
import base64
import json
import random
import re
import struct
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import anyio
from pycrdt import (
    Array,
    Doc,
    Map,
    YMessageType,
    YSyncMessageType,
    create_sync_message,
    create_update_message,
    handle_sync_message,
)
from websockets.asyncio.client import ClientConnection, connect

TOKEN = re.compile(rb"<(\d{7})>")
UPDATE, RESYNC = 1, 3
TEXT, CLOSE, PING = 1, 8, 9
"""Opcodes of WebSocket."""


class Ear(asyncio.Protocol):
    """Hears what a socket receives in the client library's stead, while the library still sends.

    Fifty tabs in one process hear five thousand frames a second. Through the library each costs more here than at the
    server, so that the tabs would wait for each other, and the time of either server would be hidden behind theirs.
    """

    def __init__(self, socket: ClientConnection, took: Callable[[int, bytes, float], None]) -> None:
        self._socket = socket
        self._took = took
        self._heard = bytearray()
        self._pongs: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()
        socket.transport.set_protocol(self)

    def let_go(self) -> None:
        """The library hears again."""
        self._socket.transport.set_protocol(self._socket)

    def data_received(self, data: bytes) -> None:
        """Some bytes came: whole frames, or a part of one."""
        now = time.perf_counter()
        self._heard += data
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == PING:
                pong = asyncio.ensure_future(self._socket.pong(payload))
                self._pongs.add(pong)
                pong.add_done_callback(self._pongs.discard)
            elif opcode == CLOSE:
                self.ended.set()
            else:
                self._took(opcode, payload, now)

    def _next_frame(self) -> tuple[int, bytes] | None:
        """What a server sends is not masked, and these servers send each message in one piece."""
        heard = self._heard
        if len(heard) < 2:
            return None
        size, at = heard[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(heard[2:at], "big")
        if len(heard) < at + size:
            return None
        frame = heard[0] & 15, bytes(heard[at : at + size])
        del heard[: at + size]
        return frame

    def connection_lost(self, error: Exception | None) -> None:
        """The socket ended; the library cleans up."""
        self.ended.set()
        self._socket.connection_lost(error)

    def pause_writing(self) -> None:
        """The library is told."""
        self._socket.pause_writing()

    def resume_writing(self) -> None:
        """The library is told."""
        self._socket.resume_writing()


class Typist:
    """One tab. `seen`: when each token of the others arrived; `sent`: when the own ones left."""

    def __init__(self, first: int) -> None:
        self.doc: Doc[Any] = Doc()
        self.next = first
        self.sent: dict[int, float] = {}
        self.seen: dict[int, float] = {}
        self.acked = 0
        self._made: list[bytes] = []
        self._watch: Any = None
        self.socket: ClientConnection

    async def join(self, socket: ClientConnection) -> None:
        """Get the notebook."""
        self.socket = socket
        await self._synchronised()
        self._watch = self.doc.observe(lambda event: self._made.append(event.update))

    async def _synchronised(self) -> None:
        raise NotImplementedError

    def source(self) -> Any:
        """The text of the first cell."""
        raise NotImplementedError

    async def _send(self, update: bytes) -> None:
        raise NotImplementedError

    async def type(self) -> None:
        """One edit."""
        token, self.next = self.next, self.next + 1
        self.source().insert(0, f"<{token:07}>")
        self.sent[token] = time.perf_counter()
        await self._send(self._made.pop())

    async def read(self) -> None:
        """Take frames until the socket ends; what they say is not applied, so that the tabs cost little."""
        ear = Ear(self.socket, self._took)
        try:
            await ear.ended.wait()
        finally:
            ear.let_go()

    def _took(self, opcode: int, frame: bytes, now: float) -> None:
        if opcode == TEXT:
            self._told(frame)
        for token in TOKEN.findall(frame):
            self.seen.setdefault(int(token), now)

    def _told(self, frame: bytes) -> None:
        """A text frame."""

    async def keep_typing(self, every: float, until: float) -> None:
        """An edit now and then."""
        await anyio.sleep(random.random() * every)
        while time.perf_counter() < until:
            await self.type()
            await anyio.sleep(every * random.uniform(0.8, 1.2))


class Ours(Typist):
    """A tab of Collegium."""

    count = 0
    epoch: str | None = None

    async def _synchronised(self) -> None:
        vector = base64.b64encode(self.doc.get_state()).decode() if self.epoch else None
        hello = {"type": "hello", "protocol": 1, "client": self.doc.client_id}
        await self.socket.send(json.dumps(hello | {"epoch": self.epoch, "state_vector": vector}))
        self.count = 0
        while True:
            frame = await self.socket.recv()
            if isinstance(frame, str) and frame.startswith('{"type":"welcome"'):
                self.epoch = json.loads(frame)["epoch"]
            elif isinstance(frame, bytes) and frame[0] == RESYNC:
                self.doc.apply_update(frame[1:])
                return

    def source(self) -> Any:
        return self.doc.get("cells", type=Map)["c0"]["source"]

    async def _send(self, update: bytes) -> None:
        self.count += 1
        await self.socket.send(bytes([UPDATE]) + struct.pack(">I", self.count) + update)

    def _told(self, frame: bytes) -> None:
        if frame.startswith(b'{"type":"ack"'):
            self.acked = json.loads(frame)["n"]


class Theirs(Typist):
    """A tab of jupyter-collaboration."""

    async def _synchronised(self) -> None:
        await self.socket.send(create_sync_message(self.doc))
        while True:
            frame = await self.socket.recv()
            if isinstance(frame, bytes) and frame[0] == YMessageType.SYNC:
                answer = handle_sync_message(frame[1:], self.doc)
                if answer is not None:
                    await self.socket.send(answer)
                if frame[1] == YSyncMessageType.SYNC_STEP2:
                    return

    def source(self) -> Any:
        return self.doc.get("cells", type=Array)[0]["source"]

    async def _send(self, update: bytes) -> None:
        await self.socket.send(create_update_message(update))


def our_door(url: str, token: str, notebook: str) -> Any:
    """A way into a notebook here."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/notebooks/{notebook}/socket"
    return lambda: connect(
        address,
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        max_size=None,
        open_timeout=60,
        # The library would wait for answers that `Ear` hears.
        ping_interval=None,
        proxy=None,
    )


def their_door(url: str, path: str) -> Any:
    """A way into a notebook of jupyter-collaboration."""
    request = urllib.request.Request(
        f"{url}/api/collaboration/session/{quote(path)}",
        data=json.dumps({"format": "json", "type": "notebook"}).encode(),
        method="PUT",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        session = json.load(answer)
    room = f"{session['format']}:{session['type']}:{session['fileId']}"
    address = f"{url.replace('http', 'ws', 1)}/api/collaboration/room/{room}?sessionId={session['sessionId']}"
    return lambda: connect(address, compression=None, max_size=None, open_timeout=60, proxy=None)
