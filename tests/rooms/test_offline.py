"""Away for a working day: what was written without a network comes together with what happened meanwhile."""

import contextlib
import json
import os
import random
import time
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import ClientConnection

from collegium.accounts.model import Role
from collegium.ground.ids import NotebookId
from collegium.notebooks.model import plain
from rooms.house import House
from rooms.replicas import YjsReplica, node
from rooms.tab import Tab, dialled, joined

pytestmark = pytest.mark.anyio

LOOK_EVERY = 10
HOUR_NS = 3_600 * 10**9


class Away(Tab):
    """A tab whose document is Yjs, as in a browser."""

    def __init__(self, socket: ClientConnection, replica: YjsReplica) -> None:
        super().__init__(socket)
        self.replica = replica

    def take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            super().take(frame)
        elif frame[:1] in (b"\x01", b"\x03"):
            self.resyncs += frame[:1] == b"\x03"
            self.replica.apply([frame[9:] if frame[:1] == b"\x01" else frame[1:]])


class Writer:
    """Somebody who edits a document of their own, decided by chance."""

    def __init__(self, replica: YjsReplica, client: int, chance: random.Random) -> None:
        self.replica, self.client, self.chance = replica, client, chance
        self.known: dict[str, dict[str, Any]] = {}
        self.edits = 0

    def edit(self) -> list[bytes]:
        if self.edits % LOOK_EVERY == 0:
            self.known = self.replica.cells()
        self.edits += 1
        cell = self.chance.choice(list(self.known))
        match self.chance.choices(["insert", "delete", "add", "move", "trash"], [60, 15, 8, 12, 5])[0]:
            case "insert":
                size = len(str(self.known[cell]["source"]))
                word = f"{self.client % 97}:{self.edits} "
                op = {"kind": "insert", "cell": cell, "at": self.chance.randint(0, size), "text": word}
            case "delete":
                op = {"kind": "delete", "cell": cell, "at": 0, "size": self.chance.randint(1, 3)}
            case "add":
                new = f"n{self.chance.randrange(10**9)}"
                op = {"kind": "add", "cell": new, "type": "code", "pos": self.position(), "source": f"# {new}"}
            case "move":
                op = {"kind": "set", "cell": cell, "key": "pos", "value": self.position()}
            case _:
                op = {"kind": "set", "cell": cell, "key": "del", "value": {"by": "u", "at": 1700000000000}}
        return self.replica.edit([op])

    def position(self) -> str:
        return "".join(self.chance.choices("123456789ABCDEFGHIJ", k=4))


async def back(house: House, notebook: NotebookId, token: str, writer: Writer, epoch: str, others: list[int]) -> Away:
    """Come back as the page does: with everything that only this browser has, in one update."""
    async with dialled(house.port, notebook, token) as dialled_tab, anyio.create_task_group() as tasks:
        tab = Away(dialled_tab.socket, writer.replica)
        await tab.hello(client=writer.client, epoch=epoch, state_vector=writer.replica.vector())
        tasks.start_soon(tab.read)
        await tab.until(lambda tab: tab.resyncs or tab.closed)
        assert tab.closed is None
        assert tab.welcome["reset"] is False
        if others:
            await tab.socket.send(json.dumps({"type": "claim", "clients": others}))
        await tab.send_update(writer.replica.lacking(tab.welcome["state_vector"]))
        await tab.until(lambda tab: tab.acked == 1 or tab.closed, 60)
        assert tab.closed is None, tab.messages[-2:]
        tasks.cancel_scope.cancel()
    return tab


@pytest.mark.parametrize(
    ("edits", "seed"), [(160, 20261121), pytest.param(2_000, int(os.environ.get("SEED", "11")), marks=pytest.mark.long)]
)
async def test_hours_of_edits_merge_with_what_others_wrote_moved_deleted_and_compacted(
    house: House, edits: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    clock = time.time_ns
    step = 0
    monkeypatch.setattr(time, "time_ns", lambda: clock() + step)
    (ada, token), (bob, bobs) = await house.person("Ada"), await house.person("Bob")
    notebook = await house.notebook(ada, "a = 1", "b = 2", "c = 3")
    await house.share(ada, notebook, bob, Role.EDITOR)
    clients = chance.sample(range(1, 1 << 31), 3)
    with node() as yjs:
        # Two tabs of Ada's browser, which see each other all the time, and Bob's, which is connected.
        first, second, other = (
            Writer(YjsReplica(yjs, f"{seed}-{client}", client), client, chance) for client in clients
        )
        async with joined(house.port, notebook, token) as tab:
            epoch, whole = tab.welcome["epoch"], tab.doc.get_update()
        for writer in (first, second, other):
            writer.replica.apply([whole])
        async with dialled(house.port, notebook, bobs) as line, anyio.create_task_group() as tasks:
            online = Away(line.socket, other.replica)
            await online.hello(client=other.client, epoch=epoch, state_vector=other.replica.vector())
            tasks.start_soon(online.read)
            await online.until(lambda tab: tab.resyncs)
            for number in range(edits):
                writer, neighbour = chance.sample([first, second], 2)
                neighbour.replica.apply(writer.edit())
                if number % 4 == 0:
                    for update in other.edit():
                        await online.send_update(update)
                if number % (edits // 8) == 0:
                    await online.until(lambda tab: tab.acked == tab.sent)
                    await house.notebooks.compact(notebook)
                    step = chance.randint(-2, 2) * HOUR_NS
            await online.until(lambda tab: tab.acked == tab.sent)

            await back(house, notebook, token, first, epoch, [second.client])
            # The other tab was there all along, and says the same again.
            await back(house, notebook, token, second, epoch, [])
            await online.until(lambda _: plain(other.replica.cells()) == plain(second.replica.cells()))
            tasks.cancel_scope.cancel()

        async with joined(house.port, notebook, token) as fresh:
            assert plain(fresh.cells.to_py()) == plain(other.replica.cells()) == plain(first.replica.cells())


async def test_edits_are_handed_over_for_a_closed_tab_and_the_tab_may_come_back_itself(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x")
    async with joined(house.port, notebook, token) as tab:
        epoch, whole = tab.welcome["epoch"], tab.doc.get_update()
    with node() as yjs:
        closed, opened = (Writer(YjsReplica(yjs, f"{n}", n), n, random.Random(n)) for n in (71, 72))
        for writer in (closed, opened):
            writer.replica.apply([whole])
        opened.replica.apply(closed.replica.edit([{"kind": "insert", "cell": "c0", "at": 1, "text": "a"}]))
        closed.replica.apply(opened.replica.edit([{"kind": "insert", "cell": "c0", "at": 2, "text": "b"}]))

        await back(house, notebook, token, opened, epoch, [71])
        await house.notebooks.compact(notebook)
        await back(house, notebook, token, closed, epoch, [])

    async with joined(house.port, notebook, token) as tab:
        assert tab.source("c0") == "xab"


@pytest.mark.parametrize("clients", ["x", [0], [True], ["1"], [1 << 60], list(range(1, 1_002)), None])
async def test_a_malformed_claim_ends_the_conversation(house: House, clients: Any) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x")
    async with joined(house.port, notebook, token) as tab:
        await tab.socket.send(json.dumps({"type": "claim", "clients": clients}))
        await tab.until(lambda tab: tab.closed)

        assert tab.closed is not None
        assert tab.closed[0] == 4400


async def test_nobody_claims_what_another_wrote_or_without_the_right_to_write(house: House) -> None:
    (ada, token), (bob, bobs), (eve, eves) = [await house.person(name) for name in ("Ada", "Bob", "Eve")]
    notebook = await house.notebook(ada, "x")
    await house.share(ada, notebook, bob, Role.EDITOR)
    await house.share(ada, notebook, eve, Role.VIEWER)
    async with joined(house.port, notebook, token) as tab:
        await tab.edit(lambda tab: tab.text("c0").insert(0, "ada "))
        await tab.until(lambda tab: tab.acked)
        for whose, code, client in ((bobs, 4409, tab.client), (eves, 4403, 99)):
            async with joined(house.port, notebook, whose) as thief:
                with contextlib.suppress(OSError):
                    await thief.socket.send(json.dumps({"type": "claim", "clients": [client]}))
                await thief.until(lambda tab: tab.closed)
                assert thief.closed is not None
                assert thief.closed[0] == code
