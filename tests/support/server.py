"""A real server in a process of its own, on a free port, that can be killed and started again."""

import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import anyio
import httpx

from collegium.app import open_accounts_only
from collegium.cli import engine
from collegium.settings import Settings
from support.environment import environment, environments_folder
from support.template import Forked, template_of_servers
from support.users import python_as

READY_SECONDS_MAX = 600
"""The first start may have to build the runtime version."""
STOP_SECONDS_MAX = 30
LINES_SHOWN_MAX = 400
LOWEST_PORT = 10_000
PASSWORD = "correct horse battery"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is signed by the world's authorities, whose certificates each client would read anew."""
T = TypeVar("T")
NOBODY: Mapping[str, str] = {}


class Server:
    """`collegium serve` on one data folder; `forked` from a template it is the same, but starts in less time."""

    def __init__(
        self,
        data: Path,
        port: int,
        *words: str,
        env: dict[str, str] | None = None,
        uid: int | None = None,
        forked: bool = False,
    ) -> None:
        self.data, self.port, self.words = data, port, words
        python = [sys.executable] if uid is None else python_as(uid, [data, environments_folder()])
        self.collegium = [*python, "-m", "collegium.cli"]
        self.url = f"http://127.0.0.1:{port}"
        self.env = os.environ | {"COLLEGIUM_RUNTIMES__ENVIRONMENTS": str(environments_folder())} | (env or {})
        self.lines: list[str] = []
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self._forked = forked

    def start(self) -> None:
        """Start, and come back when it answers."""
        words = ["serve", "--port", str(self.port), "--data", str(self.data), *self.words]
        reading, writing = os.pipe()
        try:
            if self._forked and template_of_servers().is_like(self.env):
                self.process = template_of_servers().fork(words, writing, env=self.env, cwd=self.data)
            else:
                self.process = subprocess.Popen(
                    [*self.collegium, *words], stdout=writing, stderr=writing, env=self.env, cwd=self.data
                )
        finally:
            os.close(writing)
        ready = threading.Event()
        threading.Thread(target=self._read, args=(reading, ready), daemon=True).start()
        if not ready.wait(READY_SECONDS_MAX):
            raise AssertionError("the server did not become ready:\n" + "\n".join(self.lines[-50:]))
        if self._has_ended():
            raise AssertionError("the server ended:\n" + "\n".join(self.lines[-50:]))

    def _read(self, output: int, ready: threading.Event) -> None:
        with open(output, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.lines.append(line.rstrip())
                if "http://" in line:
                    ready.set()
        ready.set()

    def _has_ended(self) -> bool:
        assert self.process is not None
        return self.process.ended() if isinstance(self.process, Forked) else self.process.poll() is not None

    def kill(self) -> None:
        """SIGKILL, as a crash or the kernel would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def stop(self) -> None:
        """SIGTERM, as an administrator would."""
        assert self.process is not None
        if not self._has_ended():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except (subprocess.TimeoutExpired, AssertionError):
                self.process.kill()
                raise AssertionError("the server did not stop:\n" + "\n".join(self.lines[-50:])) from None

    def command(self, *words: str, stdin: str | None = None) -> str:
        """Run another command of Collegium on the same data folder; its standard output."""
        done = subprocess.run(
            [*self.collegium, *words, "--data", str(self.data)],
            input=stdin,
            text=True,
            capture_output=True,
            env=self.env,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def add_user(self, email: str, *, admin: bool = False) -> str:
        """A user with PASSWORD, and a token of theirs: made as the command line does, without its start."""
        settings = self._settings()

        async def added() -> str:
            async with open_accounts_only(settings) as accounts:
                await accounts.create_user(email, email.split("@")[0], PASSWORD, admin=admin)
                return await accounts.create_token(email, "tests")

        return _apart(anyio.run, added)

    def notebook(self, token: str, sources: Mapping[str, str], *, name: str, shared: Mapping[str, str] = NOBODY) -> str:
        """A notebook with code cells by their id, opened for others by e-mail and role; its id."""
        code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [code | {"id": cell, "source": source} for cell, source in sources.items()]
        return self.notebook_of(token, cells, name=name, shared=shared)

    def notebook_of(
        self, token: str, cells: Sequence[Mapping[str, Any]], *, name: str, shared: Mapping[str, str] = NOBODY
    ) -> str:
        """A notebook with cells of any kind, as a file has them, opened for others by e-mail and role; its id."""
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
        with self.client(token) as api:
            made = api.post("/notebooks", params={"name": name}, json=document).raise_for_status().json()
            for email, role in shared.items():
                grant = {"email": email, "role": role}
                api.put(f"/drive/items/{made['id']}/grants", json=grant).raise_for_status()
        return str(made["id"])

    def give_back(self, token: str) -> None:
        """End every runtime of whoever has this token."""
        with self.client(token) as api:
            for runtime in api.get("/runtimes").raise_for_status().json():
                api.delete(f"/runtimes/{runtime['id']}").raise_for_status()

    def client(self, token: str) -> httpx.Client:
        """An HTTP client that is signed in by a token."""
        return httpx.Client(
            base_url=self.url + "/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )

    def end_engine(self) -> None:
        """End the local engine and every runtime, which outlive the server by design."""
        _apart(engine.stop, self._settings())

    def _settings(self) -> Settings:
        with mock.patch.dict(os.environ, self.env, clear=True):
            return Settings(data=self.data)


def _apart(call: Callable[..., T], *words: object) -> T:
    """In a thread of its own: Playwright's loop may run in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(call, *words).result()


def free_port() -> int:
    """A port that was free a moment ago, and that nobody is given who goes out and asks for none."""
    first_given = max(2 * LOWEST_PORT, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
    while True:
        port = random.SystemRandom().randrange(LOWEST_PORT, first_given)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def server(*words: str, env: dict[str, str] | None = None, uid: int | None = None) -> Iterator[Server]:
    """A running server on an empty data folder, started by us or by this user; nothing of it is left at the end.

    With no words of its own it is forked from a template; with some, or as another user, started as people start it.
    """
    environment()
    data = Path(tempfile.mkdtemp(prefix="collegium-test-", dir="/var/tmp"))
    data.chmod(0o755)
    forked = not words and uid is None
    running = Server(data / "data", free_port(), *words, env=env, uid=uid, forked=forked)
    running.data.mkdir()
    if uid is not None:
        os.chown(running.data, uid, uid)
    try:
        running.start()
        yield running
    except BaseException:
        # Shown with what failed.
        print("\n".join(running.lines[-LINES_SHOWN_MAX:]))
        raise
    finally:
        running.stop()
        running.end_engine()
        shutil.rmtree(data, ignore_errors=True)
