"""A whole server whose Jupyter kernels run in a plain process instead of a sandbox, and clients that speak to it."""

import itertools
import json
import struct
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.abc import ByteStream
from argon2 import PasswordHasher
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from agent_process import AgentProcess
from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal
from collegium.app import House, create_app, open_house
from collegium.ground.db import is_sqlite
from collegium.ground.errors import NotFound, QuotaExceeded
from collegium.ground.ids import NotebookId, RuntimeId, UserId, new_id
from collegium.jupyter.adapters import VersionSpecs
from collegium.jupyter.model import PageKernel
from collegium.runtimes.environments import UvEnvironments
from collegium.settings import Settings
from rooms.house import serving
from support.environment import VERSION, environment, environments_folder

ADA, EVE = "ada@example.org", "eve@example.org"
PASSWORD = "correct horse battery"
V1 = Subprotocol("v1.kernel.websocket.jupyter.org")


class FakeMachines:
    """Runtimes that are one plain process each time."""

    def __init__(self, agent: AgentProcess) -> None:
        self.agent = agent
        self.lent: dict[RuntimeId, UserId] = {}
        self.released: list[RuntimeId] = []
        self.broken: list[str] = []
        self.touched = 0
        self.full = False

    async def acquire(self, user: UserId) -> RuntimeId:
        if self.full:
            raise QuotaExceeded("You have too many runtimes.")
        runtime = RuntimeId(new_id())
        self.lent[runtime] = user
        return runtime

    async def live(self, runtime: RuntimeId) -> bool:
        return runtime in self.lent

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        if runtime not in self.lent:
            raise NotFound("The runtime is gone.")
        return await self.agent.connect()

    async def release(self, runtime: RuntimeId) -> None:
        self.lent.pop(runtime, None)
        self.released.append(runtime)

    async def failed(self, runtime: RuntimeId, reason: str) -> None:
        self.lent.pop(runtime, None)
        self.broken.append(reason)

    def touch(self, runtime: RuntimeId) -> None:
        self.touched += 1


class FakePages:
    """Notebooks that run on pages: a list."""

    def __init__(self) -> None:
        self.running: dict[UserId, list[PageKernel]] = {}
        self.asked: list[tuple[str, str]] = []

    async def kernels(self, principal: Principal) -> list[PageKernel]:
        return self.running.get(principal.user, [])

    async def interrupt(self, principal: Principal, notebook: NotebookId) -> None:
        self.asked.append(("interrupt", notebook))

    async def restart(self, principal: Principal, notebook: NotebookId) -> None:
        self.asked.append(("restart", notebook))

    async def disconnect(self, principal: Principal, notebook: NotebookId) -> None:
        self.asked.append(("disconnect", notebook))


@dataclass
class Site:
    """A server, two users and their tokens."""

    house: House
    port: int
    machines: FakeMachines
    pages: FakePages
    tokens: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jupyter"

    def client(self, who: str | None = ADA, **headers: str) -> httpx.AsyncClient:
        """An HTTP client as Jupyter's are."""
        if who is not None:
            headers["Authorization"] = f"token {self.tokens[who]}"
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=60)

    @asynccontextmanager
    async def socket(
        self, kernel: str, *, who: str = ADA, session: str | None = None, binary: bool = True, queue: int = 16
    ) -> AsyncIterator["Socket"]:
        """The channels of a kernel."""
        session = session or uuid.uuid4().hex
        address = f"ws://127.0.0.1:{self.port}/jupyter/api/kernels/{kernel}/channels?session_id={session}"
        async with connect(
            address + f"&token={self.tokens[who]}",
            subprotocols=[V1] if binary else None,
            max_size=None,
            max_queue=queue,
            proxy=None,
        ) as socket:
            yield Socket(socket, session, binary)


@dataclass
class Socket:
    """Speaks Jupyter over a WebSocket, in one of its two layouts."""

    socket: ClientConnection
    session: str
    binary: bool

    async def ask(
        self, msg_type: str, content: dict[str, Any], *, channel: str = "shell", buffers: list[bytes] | None = None,
        parent: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        """Send a request; its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": msg_type, "username": "ada", "session": self.session,
                  "date": "2026-11-21T12:00:00Z", "version": "5.4"}  # fmt: skip
        parts = [json.dumps(part).encode() for part in (header, parent or {}, {}, content)] + (buffers or [])
        if self.binary:
            pieces = [channel.encode(), *parts]
            place = 8 * (len(pieces) + 2)
            offsets = [place]
            for piece in pieces:
                place += len(piece)
                offsets.append(place)
            await self.socket.send(b"".join((struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *pieces)))
        else:
            whole = {"header": header, "parent_header": parent or {}, "metadata": {}, "content": content}
            text = json.dumps(whole | {"channel": channel})
            if buffers:
                pieces = [text.encode(), *buffers]
                place, offsets = 4 * (len(pieces) + 1), []
                for piece in pieces:
                    offsets.append(place)
                    place += len(piece)
                await self.socket.send(b"".join((struct.pack(f">{len(pieces) + 1}I", len(pieces), *offsets), *pieces)))
            else:
                await self.socket.send(text)
        return str(header["msg_id"])

    async def next(self) -> dict[str, Any]:
        """The next message, as a dict with its channel and buffers."""
        with anyio.fail_after(60):
            frame = await self.socket.recv()
        if self.binary:
            assert isinstance(frame, bytes)
            count = int.from_bytes(frame[:8], "little")
            offsets = struct.unpack_from(f"<{count}Q", frame, 8)
            channel, *parts = [frame[a:b] for a, b in itertools.pairwise(offsets)]
            named = zip(("header", "parent_header", "metadata", "content"), map(json.loads, parts[:4]), strict=True)
            return {**dict(named), "channel": channel.decode(), "buffers": parts[4:]}
        if isinstance(frame, str):
            whole: dict[str, Any] = json.loads(frame)
            return whole
        (count,) = struct.unpack_from(">I", frame)
        offsets = (*struct.unpack_from(f">{count}I", frame, 4), len(frame))
        text, *buffers = [frame[a:b] for a, b in itertools.pairwise(offsets)]
        return {**json.loads(text), "buffers": buffers}

    async def until(self, msg_type: str, parent: str | None = None, **content: Any) -> dict[str, Any]:
        """The next message of this type (answering this, with this in its content); others are dropped."""
        while True:
            message = await self.next()
            same = all(message["content"].get(key) == value for key, value in content.items())
            wanted = message["header"]["msg_type"] == msg_type and same
            if wanted and parent in (None, message["parent_header"].get("msg_id")):
                return message

    async def run(self, code: str, **options: Any) -> tuple[str, dict[str, Any]]:
        """Execute: what was printed, and the reply."""
        asked = await self.ask("execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": True, "stop_on_error": True, **options,
        })  # fmt: skip
        text, reply, idle = "", None, False
        while reply is None or not idle:
            message = await self.next()
            if message["parent_header"].get("msg_id") != asked:
                continue
            match message["header"]["msg_type"]:
                case "stream":
                    text += message["content"]["text"]
                case "execute_reply":
                    reply = message["content"]
                case "status":
                    idle = message["content"]["execution_state"] == "idle"
        return text, reply


@asynccontextmanager
async def open_site(
    data: Path, agent: AgentProcess, machines: FakeMachines | None = None, *, url: str | None = None
) -> AsyncIterator[Site]:
    """The server on a data folder; leaving it is its end, and it can be opened again."""
    machines, pages = machines or FakeMachines(agent), FakePages()
    environment()
    specs = VersionSpecs(UvEnvironments(environments_folder()), VERSION)
    database_url = None if url is None or is_sqlite(url) else SecretStr(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collegium.app.LentRuntimes", lambda _runtimes: machines)
        patch.setattr("collegium.app.SessionPages", lambda _sessions, _drive: pages)
        patch.setattr("collegium.app.VersionSpecs", lambda _environments, _version: specs)
        patch.setattr("collegium.app.Argon2Passwords", quick_passwords)
        async with open_house(Settings(data=data, engine="none", database_url=database_url)) as house:
            tokens = {}
            for email in (ADA, EVE):
                if await _unknown(house, email):
                    await house.accounts.create_user(email, email.split("@")[0], PASSWORD)
                tokens[email] = await house.accounts.create_token(email, "t")
            async with serving(create_app(house)) as port:
                yield Site(house, port, machines, pages, tokens)


async def _unknown(house: House, email: str) -> bool:
    try:
        await house.accounts.user_by_email(email)
    except NotFound:
        return True
    return False


def quick_passwords() -> Argon2Passwords:
    """Passwords that cost nothing."""
    return Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
