"""The real server, its engine and a sandbox: who may not run any more is out of the runtime while it goes on."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from support.server import Server, server

pytestmark = pytest.mark.sandbox

ADA, BOB = "ada@example.org", "bob@example.org"
PATIENCE_SECONDS = 20


class House:
    """A server, and an administrator's notebook that runs in a runtime."""

    def __init__(self, running: Server) -> None:
        self.server = running
        self.tokens = {ADA: running.add_user(ADA, admin=True), BOB: running.add_user(BOB)}
        self.notebook = running.notebook(self.tokens[ADA], {"one": "1"}, name="lesson.ipynb")
        with running.client(self.tokens[ADA]) as ada:
            self.runtime = connected(ada, self.notebook)
            self.group = ada.post("/groups", json={"name": "Physics"}).raise_for_status().json()["id"]

    def socket(self, who: str, door: str) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.server.port}/api/v1/runtimes/{self.runtime}/{door}"
        return connect(address, additional_headers={"Authorization": f"Bearer {self.tokens[who]}"}, proxy=None)


def connected(api: httpx.Client, notebook: str) -> str:
    """The runtime of a notebook that asked for one."""
    state = api.post(f"/notebooks/{notebook}/session/connect").raise_for_status().json()
    deadline = time.monotonic() + 120
    while state["runtime"] is None or state["runtime"]["state"] != "ready":
        assert time.monotonic() < deadline, state
        state = api.get(f"/notebooks/{notebook}/session").raise_for_status().json()
    return str(state["runtime"]["id"])


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with server() as running:
        yield House(running)


def said(terminal: ClientConnection, line: str, wanted: bytes) -> None:
    """What is typed there is done there."""
    terminal.send(json.dumps({"type": "input", "data": line + "\r"}))
    seen = b""
    while wanted not in seen:
        frame = terminal.recv(PATIENCE_SECONDS)
        seen += frame[8:] if isinstance(frame, bytes) else b""


def code_of(socket: ClientConnection) -> int | None:
    """How it was closed."""
    try:
        while True:
            socket.recv(PATIENCE_SECONDS)
    except ConnectionClosed:
        return socket.close_code


def give(ada: httpx.Client, notebook: str, **grant: Any) -> None:
    ada.put(f"/drive/items/{notebook}/grants", json=grant).raise_for_status()


def take(ada: httpx.Client, notebook: str, **whose: Any) -> None:
    ada.request("DELETE", f"/drive/items/{notebook}/grants", json=whose).raise_for_status()


@pytest.mark.parametrize("how", ["made a viewer", "revoked", "out of the group"])
def test_a_terminal_and_the_language_server_end_with_the_right_to_run(house: House, how: str) -> None:
    with house.server.client(house.tokens[ADA]) as ada, house.server.client(house.tokens[BOB]) as bob:
        members = f"/groups/{house.group}/members"
        if how == "out of the group":
            ada.put(members, json={"email": BOB}).raise_for_status()
            give(ada, house.notebook, group=house.group, role="editor")
        else:
            give(ada, house.notebook, email=BOB, role="editor")
        inside = f"/runtimes/{house.runtime}"
        bobs = bob.post(f"{inside}/terminals").raise_for_status().json()["name"]
        adas = ada.post(f"{inside}/terminals").raise_for_status().json()["name"]
        with (
            house.socket(BOB, f"terminals/{bobs}/socket") as terminal,
            house.socket(BOB, "language") as language,
            house.socket(ADA, f"terminals/{adas}/socket") as other,
        ):
            said(terminal, "echo $((40 + 2))", b"42")
            assert json.loads(language.recv(PATIENCE_SECONDS))["type"] == "opened"
            if how == "made a viewer":
                give(ada, house.notebook, email=BOB, role="viewer")
            elif how == "revoked":
                take(ada, house.notebook, email=BOB)
            else:
                ada.request("DELETE", members, json={"email": BOB}).raise_for_status()

            assert (code_of(terminal), code_of(language)) == (4404, 4404)
            said(other, "echo $((50 + 3))", b"53")
        for door in (f"terminals/{bobs}/socket", "language"):
            with house.socket(BOB, door) as again:
                assert code_of(again) == 4404
        assert bob.get(f"{inside}/terminals").status_code == 404
        if how == "made a viewer":
            take(ada, house.notebook, email=BOB)
