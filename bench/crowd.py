"""Tabs without a browser that type into one notebook, here and under jupyter-collaboration, and note what they see.

Each edit is a token that is nowhere else, so that it is found again in the bytes of a frame, whoever wrapped it.
"""

import base64
import json
import random
import re
import struct
import time
import urllib.request
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
        """Take frames as they come; what they say is not applied, so that the tabs cost little."""
        async for frame in self.socket:
            now = time.perf_counter()
            if isinstance(frame, bytes):
                for token in TOKEN.findall(frame):
                    self.seen.setdefault(int(token), now)
            else:
                self._told(frame)

    def _told(self, frame: str) -> None:
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

    def _told(self, frame: str) -> None:
        if frame.startswith('{"type":"ack"'):
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
