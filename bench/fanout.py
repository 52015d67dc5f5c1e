"""Two hundred people in one notebook, a hundred edits a second together: how long until everybody has each edit.

    .venv/bin/python bench/fanout.py [--clients 200] [--edits 100] [--seconds 20] [--rounds 3]

Every edit is committed to disk before anybody else gets it. Prints p50, p95 and p99 of the time from the sending of an
edit to its arrival, over all receivers, and the CPU time of the server, as medians over the rounds.
"""

import argparse
import json
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import psutil
from pycrdt import Doc, Map
from websockets.asyncio.client import ClientConnection, connect


class Typist:
    """A client that types now and then, and notes when each edit of the others arrives."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.doc: Doc[Any] = Doc()
        self.sent: dict[int, float] = {}
        self.seqs: dict[int, float] = {}
        self.arrivals: list[tuple[int, float]] = []
        self.updates: list[bytes] = []

    async def join(self) -> None:
        hello = {"type": "hello", "protocol": 1, "client": self.doc.client_id, "epoch": None, "state_vector": None}
        await self.socket.send(json.dumps(hello))
        while True:
            frame = await self.socket.recv()
            if isinstance(frame, bytes) and frame[0] == 3:
                self.doc.apply_update(frame[1:])
                break
        self.doc.get("meta", type=Map)
        self.text = self.doc.get("cells", type=Map)["c0"]["source"]
        self.watch = self.doc.observe(lambda event: self.updates.append(event.update))

    async def read(self) -> None:
        """Take frames as they come; what they say is not applied, so that the clients cost little."""
        acked = 0
        async for frame in self.socket:
            now = time.perf_counter()
            if isinstance(frame, bytes):
                if frame[0] == 1:
                    self.arrivals.append((struct.unpack_from(">Q", frame, 1)[0], now))
            elif frame.startswith('{"type":"ack"'):
                message = json.loads(frame)
                for number in range(acked + 1, message["n"] + 1):
                    self.seqs[message["seq"] - (message["n"] - number)] = self.sent[number]
                acked = message["n"]

    async def type(self, every: float, until: float) -> None:
        await anyio.sleep(random.random() * every)
        number = 0
        while time.perf_counter() < until:
            self.text.insert(0, "x")
            number += 1
            self.sent[number] = time.perf_counter()
            await self.socket.send(b"\x01" + struct.pack(">I", number) + self.updates.pop())
            await anyio.sleep(every * random.uniform(0.8, 1.2))


def latencies(typists: list[Typist]) -> list[float]:
    """From sending to arrival, for every edit and everybody who got it; a frame brings all edits up to its own."""
    sent: dict[int, float] = {}
    for typist in typists:
        sent |= typist.seqs
    found = []
    for typist in typists:
        last = None
        for seq, at in typist.arrivals:
            for number in range(seq if last is None else last + 1, seq + 1):
                if number in sent and number not in typist.seqs:
                    found.append(at - sent[number])
            last = seq
    return found


async def run(port: int, token: str, notebook: str, server: psutil.Process, options: argparse.Namespace) -> list[float]:
    address = f"ws://127.0.0.1:{port}/api/v1/notebooks/{notebook}/socket"
    async with AsyncExitStack() as stack:
        typists = []
        for _ in range(options.clients):
            headers = {"Authorization": f"Bearer {token}"}
            socket = connect(address, additional_headers=headers, compression=None, max_size=None, proxy=None)
            typist = Typist(await stack.enter_async_context(socket))
            await typist.join()
            typists.append(typist)
        async with anyio.create_task_group() as tasks:
            for typist in typists:
                tasks.start_soon(typist.read)
            await anyio.sleep(1)
            before, start = server.cpu_times(), time.perf_counter()
            every = options.clients / options.edits
            async with anyio.create_task_group() as typing:
                for typist in typists:
                    typing.start_soon(typist.type, every, start + options.seconds)
            took, after = time.perf_counter() - start, server.cpu_times()
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()
    cpu = (after.user + after.system - before.user - before.system) / took
    found = sorted(latencies(typists))
    edits = sum(len(typist.sent) for typist in typists)
    print(f"  {edits} edits, {len(found)} deliveries in {took:.1f} s", file=sys.stderr)
    return [1000 * found[int(len(found) * part)] for part in (0.5, 0.95, 0.99)] + [100 * cpu]


async def serve(data: Path) -> None:
    """A server with accounts, a drive, notebooks and rooms; says where it listens and how to sign in."""
    import uvicorn
    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import AsyncConnection

    from collegium.accounts.adapters import Argon2Passwords
    from collegium.accounts.routes import Authentication
    from collegium.accounts.service import open_accounts
    from collegium.accounts.settings import AccountsSettings
    from collegium.drive.adapters import LocalBlobs
    from collegium.drive.service import Drive
    from collegium.drive.settings import DriveSettings
    from collegium.ground.db import open_database, sqlite_url
    from collegium.ground.http import Gate
    from collegium.ground.ids import CellId, NotebookId, UserId
    from collegium.ground.log import configure_log
    from collegium.ground.news import News
    from collegium.notebooks.model import CellOutputs
    from collegium.notebooks.service import open_notebooks
    from collegium.notebooks.settings import NotebookSettings
    from collegium.rooms.ports import Member
    from collegium.rooms.routes import routes
    from collegium.rooms.service import open_rooms
    from collegium.rooms.settings import RoomSettings

    class Nothing:
        """No outputs, no runs."""

        async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
            return {}

        async def imported(
            self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
        ) -> None: ...

        async def joined(self, client: Member) -> None: ...

        async def received(self, client: Member, message: dict[str, Any]) -> None: ...

        async def left(self, client: Member) -> None: ...

    configure_log(json=True, level="error")
    nothing = Nothing()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(sqlite_url(data / "collegium.db")))
        accounts = await stack.enter_async_context(open_accounts(database, Argon2Passwords(), AccountsSettings()))
        news = News()
        drive = Drive(database, LocalBlobs(data / "blobs"), accounts, news, DriveSettings())
        notebooks = await stack.enter_async_context(open_notebooks(database, drive, nothing, NotebookSettings()))
        settings = RoomSettings(clients_per_user_max=1_000, clients_max=1_000)
        rooms = await stack.enter_async_context(open_rooms(database, notebooks, drive, accounts, news, settings))
        user = await accounts.create_user("ada@example.org", "Ada", "correct horse")
        token = await accounts.create_token(user.email, "bench")
        ada = await accounts.principal_by_token(token)
        assert ada is not None
        cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": "x", "outputs": []}
        file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
        made = await notebooks.create(ada, name="bench.ipynb", folder=None, file=file)
        app = FastAPI()
        app.include_router(routes(rooms, notebooks, drive, nothing), prefix="/api/v1")
        config = uvicorn.Config(
            Gate(Authentication(app, accounts)),
            port=0,
            log_level="error",
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=4 << 20,
            ws_per_message_deflate=False,
        )
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            while not server.started:
                await anyio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            print(json.dumps({"port": port, "token": token, "notebook": made.id}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--edits", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        anyio.run(serve, options.serve, backend_options={"use_uvloop": True})
        return
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--serve", folder]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                try:
                    assert process.stdout is not None
                    said = next(line for line in process.stdout if line.startswith('{"port"'))
                    where = json.loads(said)
                    server = psutil.Process(process.pid)
                    port, token, notebook = where["port"], where["token"], where["notebook"]
                    rounds.append(
                        anyio.run(run, port, token, notebook, server, options, backend_options={"use_uvloop": True})
                    )
                finally:
                    process.kill()
    p50, p95, p99, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{options.clients} clients, {options.edits:g} edits/s together, committed before they are sent on:")
    print(f"p50 {p50:.1f} ms   p95 {p95:.1f} ms   p99 {p99:.1f} ms   server CPU {cpu:.1f} %")


if __name__ == "__main__":
    main()
