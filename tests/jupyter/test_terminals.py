"""Terminals as Jupyter's clients use them."""

import json
from contextlib import AbstractAsyncContextManager

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from jupyter.world import ADA, EVE, Site

pytestmark = pytest.mark.anyio


def opened(site: Site, name: str, who: str = ADA) -> AbstractAsyncContextManager[ClientConnection]:
    address = f"ws://127.0.0.1:{site.port}/jupyter/terminals/websocket/{name}?token={site.tokens[who]}"
    return connect(address, proxy=None)


async def until(socket: ClientConnection, wanted: str) -> str:
    """What is printed, up to and with this."""
    text = ""
    with anyio.fail_after(60):
        while wanted not in text:
            kind, *rest = json.loads(await socket.recv())
            text += rest[0] if kind == "stdout" else ""
    return text


async def test_a_terminal_is_made_typed_into_left_come_back_to_and_ended(site: Site) -> None:
    async with site.client() as ada:
        name = (await ada.post("/api/terminals")).raise_for_status().json()["name"]
        async with opened(site, name) as socket:
            assert json.loads(await socket.recv()) == ["setup", {}]
            await socket.send(json.dumps(["set_size", 33, 101, 0, 0]))
            await socket.send(json.dumps(["stdin", "stty size; echo é$((40+2))\r"]))
            await until(socket, "33 101")
            await until(socket, "é42")
        async with opened(site, name) as socket:
            kept = await until(socket, "é42")
            await socket.send(json.dumps(["stdin", "exit\r"]))
            with pytest.raises(ConnectionClosed):
                await until(socket, "never")
        assert "33 101" in kept
        made = (await ada.post("/api/terminals", json={"name": "mine"})).json()
        assert (made["name"], (await ada.get("/api/terminals/mine")).status_code) == ("mine", 200)
        assert (await ada.delete("/api/terminals/mine")).status_code == 204
        left = (await ada.get("/api/terminals")).json()

    assert "mine" not in {terminal["name"] for terminal in left}


async def test_another_users_terminals_are_not_there(site: Site) -> None:
    async with site.client() as ada, site.client(EVE) as eve:
        await ada.post("/api/terminals", json={"name": "adas"})
        answers = [await eve.get("/api/terminals/adas"), await eve.delete("/api/terminals/adas")]
        listed = (await eve.get("/api/terminals")).json()
        with pytest.raises(InvalidStatus) as refused:
            async with opened(site, "adas", EVE):
                pass
        await ada.delete("/api/terminals/adas")

    assert {answer.status_code for answer in answers} == {404}
    assert (listed, refused.value.response.status_code) == ([], 404)


@pytest.mark.parametrize("frame", ["", "{}", "[]", '["stdin"]', '["stdin", 3]', '["what"]', "[" * 50_000, b"\x00"])
async def test_garbage_closes_the_socket_and_nothing_else(site: Site, frame: str | bytes) -> None:
    async with site.client() as ada:
        await ada.post("/api/terminals", json={"name": "calm"})
        async with opened(site, "calm") as socket:
            await socket.send(frame)
            with pytest.raises(ConnectionClosed):
                await until(socket, "never")
        async with opened(site, "calm") as socket:
            await socket.send(json.dumps(["stdin", "echo $((1+1))calm\r"]))
            await until(socket, "2calm")
        await ada.delete("/api/terminals/calm")
