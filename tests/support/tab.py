"""A notebook's tab without a browser: joins, edits, runs, and remembers what it was promised and what it saw."""

import base64
import hashlib
import json
import secrets
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup
from pycrdt import Doc, Map, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

UPDATE, AWARENESS, SYNC = 1, 2, 3
ANSWER_SECONDS_MAX = 60


class Tab:
    """One open notebook. `edit` and `execute` need a joined tab; `rejoin` comes back after the server did."""

    def __init__(self, url: str, token: str, notebook: str) -> None:
        self.address = f"{url.replace('http', 'ws', 1)}/api/v1/notebooks/{notebook}/socket"
        self.token = token
        self.client = secrets.randbits(31) + 1
        self.doc: Doc[Any] = Doc(client_id=self.client)
        self.cells: Map[Any] = self.doc.get("cells", type=Map)
        self.meta: Map[Any] = self.doc.get("meta", type=Map)
        self.epoch: str | None = None
        self.sent = self.acked = self.head = 0
        self.messages: list[dict[str, Any]] = []
        self.executions: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, list[dict[str, Any]]] = {}
        self.versions: dict[str, int] = {}
        self.welcome: dict[str, Any] = {}
        self.closed = anyio.Event()
        self.socket: ClientConnection | None = None
        self._changed = anyio.Event()
        self._applying = False
        self._mine: list[bytes] = []
        self._gaps: set[str] = set()
        self.doc.observe(self._observed)

    def _observed(self, event: Any) -> None:
        if not self._applying:
            self._mine.append(event.update)

    def text(self, cell: str) -> str:
        """A cell's source."""
        return str(self.cells[cell]["source"])

    def order(self) -> list[str]:
        """The cells' ids as they stand on the page."""
        alive = [(self.cells[cell]["pos"], cell) for cell in self.cells if not self.cells[cell]["del"]]
        return [cell for _, cell in sorted(alive)]

    async def join(self, tasks: TaskGroup) -> None:
        """Open the socket and synchronise both ways."""
        self.socket = await connect(
            self.address, additional_headers={"Authorization": f"Bearer {self.token}"}, max_size=None, proxy=None
        )
        self.closed = anyio.Event()
        self.sent = self.acked = 0
        vector = base64.b64encode(self.doc.get_state()).decode() if self.epoch else None
        hello = {"type": "hello", "protocol": 1, "client": self.client, "epoch": self.epoch, "state_vector": vector}
        await self.socket.send(json.dumps(hello))
        self.welcome = json.loads(await self.socket.recv())
        assert self.welcome["type"] == "welcome", self.welcome
        self.epoch = self.welcome["epoch"]
        sync = await self.socket.recv()
        assert isinstance(sync, bytes)
        assert sync[0] == SYNC
        self._apply(sync[1:])
        lacking = self.doc.get_update(base64.b64decode(self.welcome["state_vector"]))
        if lacking != b"\0\0":
            await self._send_update(lacking)
        tasks.start_soon(self._read, self.socket, self.closed)

    async def rejoin(self, tasks: TaskGroup) -> None:
        """Join again with a little patience, as a page does while a server restarts."""
        with anyio.fail_after(ANSWER_SECONDS_MAX):
            while True:
                try:
                    return await self.join(tasks)
                except (OSError, InvalidHandshake, ConnectionClosed):
                    await anyio.sleep(0.05)

    async def _read(self, socket: ClientConnection, closed: anyio.Event) -> None:
        try:
            async for frame in socket:
                self._received(frame)
                while self._gaps:
                    await socket.send(json.dumps({"type": "outputs", "execution": self._gaps.pop()}))
                self._changed.set()
                self._changed = anyio.Event()
        except ConnectionClosed:
            pass
        finally:
            closed.set()
            self._changed.set()
            self._changed = anyio.Event()

    def _received(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            if frame[0] == UPDATE:
                (self.head,) = struct.unpack(">Q", frame[1:9])
                self._apply(frame[9:])
            elif frame[0] == SYNC:
                self._apply(frame[1:])
            return
        message = json.loads(frame)
        match message["type"]:
            case "ack":
                self.acked = message["n"]
            case "execution":
                self.executions[message["execution"]] = self.executions.get(message["execution"], {}) | message
            case "cells":
                for execution in message["executions"]:
                    self.executions[execution["execution"]] = execution
                    self.outputs[execution["execution"]] = execution.get("outputs", [])
                    self.versions[execution["execution"]] = execution.get("version", 0)
            case "outputs":
                start, new = message["splice"]
                if start == 0 or self._follows(message):
                    self.outputs.setdefault(message["execution"], [])[start:] = new
                    self.versions[message["execution"]] = message["version"]
            case "append" if self._follows(message):
                output = self.outputs[message["execution"]][message["index"]]
                kept = output["text"].encode("utf-16-le")[: 2 * message["keep"]].decode("utf-16-le")
                output["text"] = kept + message["text"]
                self.versions[message["execution"]] = message["version"]
        self.messages.append(message)

    def _follows(self, message: dict[str, Any]) -> bool:
        """Whether this is the next word on an execution. One before `cells` said where it stands, or one that
        `cells` already holds, is passed over; after a gap all of it is asked for again."""
        known = self.versions.get(message["execution"])
        if known is None or message["version"] <= known:
            return False
        if message["version"] > known + 1:
            self._gaps.add(message["execution"])
            return False
        return True

    def _apply(self, update: bytes) -> None:
        self._applying = True
        try:
            self.doc.apply_update(update)
        finally:
            self._applying = False

    async def edit(self, change: Callable[[Map[Any]], None]) -> int:
        """Change the cells in one transaction and send it; the number whose ack makes it durable."""
        with self.doc.transaction():
            change(self.cells)
        for update in self._mine:
            await self._send_update(update)
        self._mine.clear()
        return self.sent

    async def append(self, cell: str, text: str) -> int:
        """Type at the end of a cell."""

        def typed(cells: Map[Any]) -> None:
            source: Text = cells[cell]["source"]
            source.insert(len(str(source).encode()), text)

        return await self.edit(typed)

    async def _send_update(self, update: bytes) -> None:
        assert self.socket is not None
        self.sent += 1
        await self.socket.send(bytes([UPDATE]) + struct.pack(">I", self.sent) + update)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a text frame."""
        assert self.socket is not None
        await self.socket.send(json.dumps(message))

    async def execute(self, *cells: str) -> list[str]:
        """Ask to run these cells; the executions' ids."""
        request = secrets.token_hex(4)
        wanted = [{"cell": c, "hash": hashlib.sha256(self.text(c).encode()).hexdigest()} for c in cells]
        await self.send({"type": "execute", "request": request, "cells": wanted})
        answer = await self.until(lambda: self._answer(request))
        assert answer["type"] == "accepted", answer
        return [e["execution"] for e in answer["executions"]]

    def _answer(self, request: str) -> dict[str, Any] | None:
        return next((m for m in self.messages if m.get("request") == request), None)

    async def finished(self, execution: str, seconds: float = ANSWER_SECONDS_MAX) -> dict[str, Any]:
        """Wait for the end of an execution."""

        def ended() -> dict[str, Any] | None:
            found = self.executions.get(execution)
            return found if found and found["state"] in ("finished", "failed", "cancelled") else None

        return await self.until(ended, seconds)

    async def until(self, condition: Callable[[], Any], seconds: float = ANSWER_SECONDS_MAX) -> Any:
        """Wait until something received makes this true; what it gave."""
        with anyio.fail_after(seconds):
            while not (found := condition()):
                await self._changed.wait()
            return found

    async def saved(self) -> None:
        """Wait until everything typed here is on the server's disk."""
        await self.until(lambda: self.acked >= self.sent)

    async def close(self) -> None:
        """Close the tab."""
        if self.socket is not None:
            await self.socket.close()


@asynccontextmanager
async def joined(url: str, token: str, notebook: str) -> AsyncIterator[Tab]:
    """An open tab, closed at the end."""
    tab = Tab(url, token, notebook)
    async with anyio.create_task_group() as tasks:
        await tab.join(tasks)
        try:
            yield tab
        finally:
            await tab.close()
            tasks.cancel_scope.cancel()
