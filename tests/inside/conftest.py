"""The whole server with its doors, and one runtime of Ada's that is a plain process."""

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.abc import ByteStream
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection, connect

from agent_process import AgentProcess, agent_process
from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal
from collegium.app import House, create_app, open_house
from collegium.ground.errors import NotFound
from collegium.ground.ids import RuntimeId
from collegium.inside.service import Inside
from collegium.inside.settings import InsideSettings
from collegium.settings import Settings
from rooms.house import serving

PASSWORD = "correct horse battery"
ADA, EVE = "ada@example.org", "eve@example.org"
RUNTIME = RuntimeId("r" * 22)
NO_HOME = {"HOME": "/nonexistent"}
"""What whoever runs the tests has in the profile of their shell does not matter."""


@dataclass
class OneRuntime:
    """Authority and machines: Ada's runtime, while she may use it."""

    agent: AgentProcess
    users: set[str] = field(default_factory=set)
    touched: int = 0
    id: RuntimeId = RUNTIME

    async def reachable(self, principal: Principal, runtime: RuntimeId) -> None:
        if runtime != self.id or principal.email not in self.users:
            raise NotFound("There is no such runtime, or it is not yours.")

    async def connect(self, runtime: RuntimeId) -> ByteStream:
        return await self.agent.connect()

    def touch(self, runtime: RuntimeId) -> None:
        self.touched += 1


@dataclass
class Site:
    """A server, and the people who use it."""

    house: House
    runtime: OneRuntime
    port: int
    tokens: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        return f"/api/v1/runtimes/{self.runtime.id}"

    def client(self, who: str | None = ADA, **headers: str) -> httpx.AsyncClient:
        """Somebody with a token."""
        given = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return httpx.AsyncClient(
            base_url=self.url + self.path, headers=given | headers, trust_env=False, timeout=30, follow_redirects=False
        )

    @asynccontextmanager
    async def browser(self, who: str = ADA) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody signed in by a cookie."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as http:
            answer = await http.post("/api/v1/login", json={"email": who, "password": PASSWORD})
            answer.raise_for_status()
            yield http

    @asynccontextmanager
    async def terminal(self, name: str, who: str | None = ADA, since: int = 0, **headers: str) -> AsyncIterator[Any]:
        """The socket of a terminal."""
        given = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        address = f"ws://127.0.0.1:{self.port}{self.path}/terminals/{name}/socket?since={since}"
        async with connect(address, additional_headers=given | headers, max_size=None, proxy=None) as socket:
            yield socket


@pytest.fixture(scope="session")
def agent() -> Iterator[AgentProcess]:
    with agent_process(env=NO_HOME | {"COLLEGIUM_LANGUAGE_PROGRAMS": str(Path(sys.executable).parent)}) as agent:
        yield agent


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The server outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
def settings() -> InsideSettings:
    return InsideSettings(ports_domain="apps.example.org", answer_timeout=timedelta(seconds=1), streams_max=8)


@pytest.fixture(scope="module")
async def shared_site(
    agent: AgentProcess, settings: InsideSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    quick = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    runtime = OneRuntime(agent, {ADA})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collegium.app.Argon2Passwords", lambda: quick)
        async with open_house(Settings(data=tmp_path_factory.mktemp("site"), engine="none")) as house:
            tokens = {}
            for email in (ADA, EVE):
                await house.accounts.create_user(email, email.split("@")[0], PASSWORD)
                tokens[email] = await house.accounts.create_token(email, "t")
            house = replace(house, inside=Inside(b"k" * 32, runtime, runtime, house.accounts, settings))
            async with serving(create_app(house)) as port:
                yield Site(house, runtime, port, tokens)


@pytest.fixture
def site(shared_site: Site) -> Site:
    """Whatever an earlier test withdrew is given back."""
    shared_site.runtime.users = {ADA}
    shared_site.runtime.touched = 0
    return shared_site


async def close_code(socket: ClientConnection) -> int:
    """How a socket ends."""
    with contextlib.suppress(Exception):
        while True:
            await socket.recv()
    return socket.close_code or 0
