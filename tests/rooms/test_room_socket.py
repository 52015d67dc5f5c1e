"""A notebook that several people have open, over real sockets."""

import base64
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pycrdt import Map, Text
from websockets.exceptions import ConnectionClosed

from collegium.accounts.model import Role
from collegium.ground.ids import NotebookId
from collegium.ground.lib0 import uint
from collegium.rooms.settings import RoomSettings
from rooms.house import House, open_house
from rooms.tab import Tab, dialled, joined

pytestmark = pytest.mark.anyio


def awareness(client: int, state: dict[str, Any] | None, clock: int = 1) -> bytes:
    text = json.dumps(state).encode()
    return b"\x02" + uint(1) + uint(client) + uint(clock) + uint(len(text)) + text


async def test_a_keystroke_is_acknowledged_and_reaches_a_colleague(house: House) -> None:
    ada, ada_token = await house.person("Ada")
    bob, bob_token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)

    async with joined(house.port, notebook, ada_token) as one, joined(house.port, notebook, bob_token) as two:
        await one.edit(lambda tab: tab.text("c0").insert(0, "📊 "))
        await one.until(lambda tab: tab.acked == 1)
        await two.until(lambda tab: tab.source("c0") == "📊 x = 1")
        await two.until(lambda tab: any(beat["seq"] == tab.seq for beat in tab.of_type("heartbeat")))

        assert two.of_type("heartbeat")[-1]["checksum"] == one.checksum() == two.checksum()
    content = await house.notebooks.content(notebook)
    assert [cell.source for cell in content.cells] == ["📊 x = 1"]


async def test_the_welcome_says_who_what_and_how_far(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        welcome = tab.welcome

    assert welcome["role"] == "owner"
    assert {"read", "write", "run"} <= set(welcome["may"])
    assert welcome["notebook"] == {"id": notebook, "name": "test.ipynb", "playground_of": None}
    assert welcome["user"]["email"] == "ada@example.org"
    assert (welcome["head"], welcome["reset"]) == (1, False)


async def test_a_tab_that_comes_back_gets_only_what_it_lacks_and_gives_what_it_has(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1\n" * 500)
    async with joined(house.port, notebook, token) as tab:
        doc, epoch = tab.doc, tab.welcome["epoch"]
        await tab.edit(lambda tab: tab.text("c0").insert(0, "A"))
        await tab.until(lambda tab: tab.acked == 1)
    async with joined(house.port, notebook, token) as other:
        await other.edit(lambda tab: tab.text("c0").insert(0, "B"))
        await other.until(lambda tab: tab.acked == 1)
    doc.get("cells", type=Map)["c0"]["source"].insert(0, "offline ")

    async with joined(house.port, notebook, token, doc, epoch=epoch) as tab:
        assert "B" in tab.source("c0")
        await tab.send_update(doc.get_update(base64.b64decode(tab.welcome["state_vector"])))
        await tab.until(lambda tab: tab.acked == 1)
    content = await house.notebooks.content(notebook)
    assert content.cells[0].source.startswith(("offline BA", "Boffline A"))


async def test_a_tab_of_another_epoch_is_told_to_throw_its_copy_away(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token, epoch="of-another-document") as tab:
        assert tab.welcome["reset"] is True
        assert tab.source("c0") == "x = 1"


async def test_what_says_nothing_new_is_acknowledged_and_not_stored(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        await tab.edit(lambda tab: tab.text("c0").__delitem__(slice(0, 1)))
        await tab.until(lambda tab: tab.acked == 1)
        await tab.send_update(b"\0\0")
        await tab.send_update(tab.doc.get_update())
        await tab.until(lambda tab: tab.acked == 3 or tab.closed)

        assert tab.acked == 2 or tab.of_type("ack")[-1]["seq"] == 2


@pytest.mark.parametrize(
    ("role", "frame", "code"),
    [
        (Role.VIEWER, "update", 4403),
        (Role.COMMENTER, "update", 4403),
        (Role.EDITOR, "update", None),
        (Role.VIEWER, "empty update", 4403),
        (Role.VIEWER, "awareness", None),
        (Role.COMMENTER, "awareness", None),
        (Role.EDITOR, "awareness", None),
        (Role.VIEWER, "foreign awareness", 4403),
        (Role.EDITOR, "foreign awareness", 4403),
        (Role.EDITOR, "large awareness", 4429),
        (Role.VIEWER, "text", None),
        (Role.EDITOR, "text", None),
        (Role.EDITOR, "second hello", 4400),
        (Role.EDITOR, "not JSON", 4400),
        (Role.EDITOR, "no type", 4400),
        (Role.EDITOR, "unknown kind", 4400),
        (Role.EDITOR, "short update", 4400),
        (Role.EDITOR, "number out of turn", 4400),
        (Role.EDITOR, "forged update", 4409),
        (Role.EDITOR, "malformed update", 4409),
        (Role.EDITOR, "frame over the limit", 1009),
        (Role.VIEWER, "diverged", None),
    ],
)
async def test_each_role_may_say_what_it_may(house: House, role: Role, frame: str, code: int | None) -> None:
    ada, _ = await house.person("Ada")
    bob, token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, role)
    before = await house.notebooks.content(notebook)

    async with joined(house.port, notebook, token) as tab:
        with contextlib.suppress(ConnectionClosed):
            await FRAMES[frame](tab)
        if code is None:
            await tab.socket.send(json.dumps({"type": "ping me"}))
            await tab.until(lambda tab: tab.of_type("echo"))
            assert tab.closed is None
        else:
            await tab.until(lambda tab: tab.closed)
            assert tab.closed is not None
            assert tab.closed[0] == code
            assert await house.notebooks.content(notebook) == before


def _update(client: int) -> bytes:
    return bytes([1, 1]) + uint(client) + b"\0\x28\1\4meta\4md:x\1\x78\0"


FRAMES: dict[str, Callable[[Tab], Awaitable[Any]]] = {
    "update": lambda tab: tab.edit(lambda tab: tab.text("c0").insert(0, "y")),
    "empty update": lambda tab: tab.send_update(b"\0\0"),
    "awareness": lambda tab: tab.socket.send(awareness(tab.client, {"cursor": 1})),
    "foreign awareness": lambda tab: tab.socket.send(awareness(tab.client + 1, {"cursor": 1})),
    "large awareness": lambda tab: tab.socket.send(awareness(tab.client, {"cursor": "x" * 5000})),
    "text": lambda tab: tab.socket.send(json.dumps({"type": "execute", "cells": []})),
    "second hello": lambda tab: tab.hello(),
    "not JSON": lambda tab: tab.socket.send("{"),
    "no type": lambda tab: tab.socket.send("[1]"),
    "unknown kind": lambda tab: tab.socket.send(b"\x09abc"),
    "short update": lambda tab: tab.socket.send(b"\x01\0\0"),
    "number out of turn": lambda tab: tab.send_update(b"\0\0", number=7),
    "forged update": lambda tab: tab.send_update(_update(tab.client + 1)),
    "malformed update": lambda tab: tab.send_update(b"\x05\x05\x05"),
    "frame over the limit": lambda tab: tab.socket.send(b"\x01" + bytes(5 << 20)),
    "diverged": lambda tab: tab.socket.send(json.dumps({"type": "diverged", "seq": 1, "checksum": "00000000"})),
}


async def test_a_refused_update_is_named_before_the_socket_closes(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        await tab.send_update(_update(tab.client + 1))
        await tab.until(lambda tab: tab.closed)

        assert tab.of_type("reject") == [{"type": "reject", "n": 1, "reason": "it is written in another client's name"}]


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"protocol": 2}, 4426),
        ({"client": "x"}, 4400),
        ({"client": 0}, 4400),
        ({"client": True}, 4400),
        ({"client": 1 << 60}, 4400),
        ({"epoch": 5}, 4400),
        ({"state_vector": "%%"}, 4400),
        ({"type": "execute"}, 4400),
    ],
)
async def test_a_malformed_hello_is_refused(house: House, hello: dict[str, Any], code: int) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token, **hello) as tab:
        assert tab.closed is not None
        assert tab.closed[0] == code


async def test_a_state_vector_that_is_none_is_refused(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")
    async with joined(house.port, notebook, token) as tab:
        epoch = tab.welcome["epoch"]

    garbage = base64.b64encode(b"\xff" * 40).decode()
    async with joined(house.port, notebook, token, epoch=epoch, state_vector=garbage) as tab:
        assert tab.closed is not None
        assert tab.closed[0] == 4400


async def test_strangers_are_told_what_they_may_know(house: House) -> None:
    ada, token = await house.person("Ada")
    _, stranger = await house.person("Eve")
    notebook = await house.notebook(ada, "x = 1")

    for whose, which, code in (
        (None, notebook, 4401),
        ("wrong", notebook, 4401),
        (stranger, notebook, 4404),
        (token, "no-such-notebook", 4404),
        (token, "0" * 22, 4404),
    ):
        async with dialled(house.port, which, whose) as tab:
            with contextlib.suppress(ConnectionClosed):
                await tab.hello()
            await tab.read()
            assert tab.closed is not None
            assert tab.closed[0] == code, (whose, which, tab.closed)


async def test_a_client_id_of_somebody_else_is_refused(house: House) -> None:
    ada, ada_token = await house.person("Ada")
    bob, bob_token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)
    async with joined(house.port, notebook, ada_token) as tab:
        await tab.edit(lambda tab: tab.text("c0").insert(0, "A"))
        await tab.until(lambda tab: tab.acked)
        client = tab.client

        async with joined(house.port, notebook, bob_token, client=client) as thief:
            assert thief.closed is not None
            assert thief.closed[0] == 4400
    async with joined(house.port, notebook, bob_token, client=client) as thief:
        assert thief.closed is not None
        assert thief.closed[0] == 4400


async def test_presence_bears_the_name_of_who_is_signed_in_and_goes_with_the_tab(house: House) -> None:
    ada, ada_token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, ada_token) as one:
        async with joined(house.port, notebook, ada_token) as two:
            await two.socket.send(awareness(two.client, {"user": {"name": "Root"}, "cursor": {"at": 1}}))
            await one.until(lambda tab: tab.awareness)
            state = one.awareness[-1]
            async with joined(house.port, notebook, ada_token) as late:
                await late.until(lambda tab: tab.awareness)
        await one.until(lambda tab: tab.awareness[-1].endswith(b"null"))

    assert b'"name":"Ada"' in state
    assert b"Root" not in state
    assert b'"at":1' in state


async def test_a_withdrawn_role_closes_the_socket_and_a_lower_one_is_told(house: House) -> None:
    ada, _ = await house.person("Ada")
    bob, token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)

    async with joined(house.port, notebook, token) as tab:
        await house.share(ada, notebook, bob, Role.VIEWER)
        await tab.until(lambda tab: tab.of_type("role"), seconds=1)
        assert tab.of_type("role")[-1]["role"] == "viewer"
        await tab.edit(lambda tab: tab.text("c0").insert(0, "y"))
        await tab.until(lambda tab: tab.closed)
        assert tab.closed is not None
        assert tab.closed[0] == 4403
    async with joined(house.port, notebook, token) as tab:
        await house.drive.revoke(ada, tab.welcome["notebook"]["id"], bob.email)
        await tab.until(lambda tab: tab.closed, seconds=1)
        assert tab.closed is not None
        assert tab.closed[0] == 4403


async def test_the_end_of_a_credential_closes_the_socket_within_a_second(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        assert ada.token is not None
        await house.accounts.revoke_token(ada.user, ada.token)
        await tab.until(lambda tab: tab.closed, seconds=1)

        assert tab.closed is not None
        assert tab.closed[0] == 4401


async def test_a_new_name_is_told(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        await house.drive.rename(ada, tab.welcome["notebook"]["id"], "other.ipynb")
        await tab.until(lambda tab: any(m["name"] == "other.ipynb" for m in tab.of_type("notebook")))


async def test_a_tab_that_says_nothing_is_let_go(tmp_path: Path) -> None:
    async with open_house(tmp_path, settings=RoomSettings(hello_seconds_max=0.1)) as house:
        ada, token = await house.person("Ada")
        notebook = await house.notebook(ada, "x = 1")
        async with dialled(house.port, notebook, token) as tab:
            await tab.read()

        assert tab.closed is not None
        assert tab.closed[0] == 4408


async def test_a_tab_that_types_too_fast_is_let_go(tmp_path: Path) -> None:
    async with open_house(tmp_path, settings=RoomSettings(updates_per_second=1)) as house:
        ada, token = await house.person("Ada")
        notebook = await house.notebook(ada, "x = 1")
        async with joined(house.port, notebook, token) as tab:
            for _ in range(20):
                if tab.closed is None:
                    await tab.edit(lambda tab: tab.text("c0").insert(0, "y"))
            await tab.until(lambda tab: tab.closed)

            assert tab.closed is not None
            assert tab.closed[0] == 4429


async def test_a_tab_that_falls_behind_starts_afresh_and_delays_nobody(tmp_path: Path) -> None:
    settings = RoomSettings(outbox_frames_max=20, outbox_bytes_max=1 << 20, settle_seconds=0.2)
    async with open_house(tmp_path, settings=settings) as house:
        ada, token = await house.person("Ada")
        notebook = await house.notebook(ada, "x = 1")
        async with joined(house.port, notebook, token) as fast, dialled(house.port, notebook, token) as slow:
            await slow.hello()
            filler = "y" * 100_000
            for n in range(150):
                await fast.edit(lambda tab: tab.text("c0").insert(0, filler))
                if n % 10 == 0:
                    await fast.edit(lambda tab: tab.text("c0").clear())
                await fast.until(lambda tab: tab.acked == tab.sent or tab.closed)
            assert fast.closed is None
            room = house.rooms.find(notebook)
            assert room is not None
            assert all(client.outbox.size_bytes <= 2 << 20 for client in room.clients.values())
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(slow.read)
                await slow.until(lambda tab: tab.resyncs >= 2 and tab.checksum() == fast.checksum())
                await slow.until(lambda tab: tab.seq >= fast.seq or tab.of_type("heartbeat"))
                tasks.cancel_scope.cancel()
        assert house.plane.joins >= 3


async def test_a_file_is_merged_into_what_people_type_meanwhile(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "first = 1\nsecond = 2\n", "gone", "stays 📊")
    address = f"http://127.0.0.1:{house.port}/api/v1/notebooks/{notebook}/content"
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http, joined(house.port, notebook, token) as tab:
        file = (await http.get(address)).json()
        file["cells"] = [file["cells"][2], file["cells"][0], {"cell_type": "markdown", "metadata": {}, "source": "new"}]
        file["cells"][1]["source"] = "first = 1\nsecond = 22\n"
        await tab.edit(lambda tab: tab.text("c0").insert(0, "# typed\n"))
        await tab.until(lambda tab: tab.acked == 1)
        answer = await http.put(address, json=file)
        await tab.until(lambda tab: "22" in tab.source("c0"))
        after = (await http.get(address)).json()

    assert answer.status_code == 200
    assert [cell["id"] for cell in after["cells"]][:2] == ["c2", "c0"]
    assert "".join(after["cells"][0]["source"]) == "stays 📊"
    assert "".join(after["cells"][2]["source"]) == "new"
    assert "second = 22" in "".join(after["cells"][1]["source"])


async def test_the_servers_own_edit_reaches_everybody(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab, house.rooms.open(NotebookId(notebook)) as room:
        seq = await room.edit(lambda editor: editor.set_source("c0", "y = 📊"), origin="test")
        await tab.until(lambda tab: tab.source("c0") == "y = 📊")

        assert tab.seq == seq
        assert room.sources() == [("c0", "code", "y = 📊")]
        assert room.source("c0") == "y = 📊"
        assert room.source("none") is None
        with pytest.raises(KeyError):
            await room.edit(lambda editor: editor.set_source("none", "z"), origin="test")
        await room.edit(lambda editor: editor.set_source("c0", "z"), origin="test")
        await tab.until(lambda tab: tab.source("c0") == "z")


async def test_a_room_closes_when_everybody_has_left_and_leaves_one_snapshot(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")
    async with joined(house.port, notebook, token) as tab:
        for n in range(10):
            await tab.edit(lambda tab, n=n: tab.text("c0").insert(0, str(n)))  # type: ignore[misc]
        await tab.until(lambda tab: tab.acked == 10)

    with anyio.fail_after(5):
        while house.rooms.find(notebook) is not None:
            await anyio.sleep(0.01)
        while (await house.notebooks.open(notebook)).since_snapshot:
            await anyio.sleep(0.01)
    content = await house.notebooks.content(notebook)
    assert content.cells[0].source == "9876543210x = 1"


async def test_a_deleted_notebook_lets_everybody_go(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async with joined(house.port, notebook, token) as tab:
        await house.drive.trash(ada, notebook)
        await house.drive.delete(ada, notebook)
        await tab.until(lambda tab: tab.closed)

        assert tab.closed is not None
        assert tab.closed[0] in (4403, 4404)


async def test_two_cells_made_at_once_are_both_there(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    def made(id: str) -> Callable[[Tab], None]:
        entry = {"t": "code", "pos": "k", "source": Text(id), "md": Map({}), "att": Map({}), "del": None}
        return lambda tab: tab.cells.__setitem__(id, Map(entry))

    async with joined(house.port, notebook, token) as one, joined(house.port, notebook, token) as two:
        await one.edit(made("n1"))
        await two.edit(made("n2"))
        await one.until(lambda tab: tab.source("n2") == "n2")
        await two.until(lambda tab: tab.source("n1") == "n1")

        assert one.checksum() == two.checksum()
