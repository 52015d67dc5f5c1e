"""One connection to the agent: reads requests, and reads the journal at its own pace."""

import asyncio
import json
import sys
from collections import deque
from typing import Any, Protocol

from collegium_agent.journal import Journal
from collegium_agent.wire import REQUEST_BYTES_MAX, U32, KernelMessage, Malformed, buffers_of, decode, encode, frame

BATCH_BYTES = 1024 * 1024
REPLIES_WAITING_MAX = 1000
STALLED_SECONDS_MAX = 60.0
HELLO_SECONDS_MAX = 10.0


class Served(Protocol):
    """What a client needs of its agent."""

    journal: Journal

    def greeting(self) -> bytes: ...

    def obey(self, client: "Client", request: dict[str, Any]) -> None: ...

    async def opened(self, wanted: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...


class Client:
    """The journal is its queue: a slow reader is behind, holds nothing up, and costs no memory."""

    def __init__(self, agent: Served, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.grown = asyncio.Event()
        self._agent = agent
        self._reader = reader
        self._writer = writer
        self._replies: deque[bytes] = deque()
        self._sent = 0

    async def run(self) -> None:
        """Until either side hangs up."""
        try:
            hello = await asyncio.wait_for(self._read(), HELLO_SECONDS_MAX)
            if hello["op"] != "hello" or hello.get("protocol") != 1:
                raise Malformed("hello comes first, in protocol 1")
            if "open" in hello:
                await self._agent.opened(hello["open"], self._reader, self._writer)
                return
            journal = self._agent.journal
            same = hello.get("epoch") == journal.epoch
            self._sent = max(int(hello.get("since") or 0) if same else 0, journal.oldest - 1)
            self._replies.append(self._agent.greeting())
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._obey())
                tasks.create_task(self._tell())
        except* (Malformed, OSError, EOFError, TimeoutError, ValueError, TypeError) as group:
            print(f"a client left: {group.exceptions[0]}", file=sys.stderr)

    def reply(self, wanted: str, content: dict[str, Any]) -> None:
        """Answer a request; not journalled."""
        self._enqueue(encode({"op": "reply", "id": wanted, "content": content}))

    def refuse(self, wanted: str, detail: str) -> None:
        """Say why a request is not carried out."""
        self._enqueue(encode({"op": "error", "id": wanted[:100], "code": "refused", "detail": detail[:500]}))

    def raw_reply(self, message: KernelMessage) -> None:
        """Answer a request with what the kernel said."""
        head = json.dumps({"op": "reply", "id": message.parent, "buffers": [len(b) for b in message.buffers]}).encode()
        self._enqueue(frame(head[:-1] + b', "content": ' + message.content + b"}", message.buffers))

    def _enqueue(self, body: bytes) -> None:
        if len(self._replies) < REPLIES_WAITING_MAX:
            self._replies.append(body)
            self.grown.set()
        else:
            self._writer.close()

    async def _read(self) -> dict[str, Any]:
        size = U32.unpack(await self._reader.readexactly(4))[0]
        if size > REQUEST_BYTES_MAX:
            raise Malformed("a request over the limit")
        body = await self._reader.readexactly(size)
        header = decode(body)
        # Of a request that has them, the bytes take the place of their lengths.
        return {**header, "buffers": buffers_of(body, header["buffers"])} if "buffers" in header else header

    async def _obey(self) -> None:
        while True:
            request = await self._read()
            try:
                self._agent.obey(self, request)
            except (Malformed, KeyError, TypeError, ValueError) as error:
                code = "malformed" if not isinstance(error, Malformed) else str(error)
                named = str(request.get("id", request.get("kernel", "")))[:100]
                self.refuse(named, code)

    async def _tell(self) -> None:
        journal = self._agent.journal
        while True:
            if self._replies:
                body = self._replies.popleft()
                self._writer.write(U32.pack(len(body)))
                self._writer.write(body)
            elif self._sent < journal.head:
                frames, self._sent = journal.read(max(self._sent + 1, journal.oldest), BATCH_BYTES)
                self._writer.write(frames)
            else:
                self.grown.clear()
                await self.grown.wait()
                continue
            await asyncio.wait_for(self._writer.drain(), STALLED_SECONDS_MAX)
