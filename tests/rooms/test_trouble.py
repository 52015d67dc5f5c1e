"""When the disk is full or the document breaks, nobody loses an edit and nobody sees one that is not kept."""

import base64
import json
import random
from typing import Any

import anyio
import pytest

from collegium.accounts.model import Principal, Role
from collegium.drive.roles import RoleChanges
from collegium.ground.errors import StorageFull, Unavailable
from collegium.ground.lib0 import uint
from collegium.notebooks import strict
from collegium.notebooks.document import Broken, Document
from rooms.house import House
from rooms.tab import Tab, dialled, joined
from support.disk import leave_room

pytestmark = pytest.mark.anyio


async def send_lacking(tab: Tab) -> None:
    """Give the server what it lacks, as a tab does after its welcome."""
    await tab.send_update(tab.doc.get_update(base64.b64decode(tab.welcome["state_vector"])))


LONG = "yyy" + random.Random(1).randbytes(50_000).hex()
"""No database makes it small."""


async def test_a_full_disk_is_told_and_the_edit_is_kept_once_there_is_room(house: House) -> None:
    ada, ada_token = await house.person("Ada")
    bob, bob_token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)
    async with joined(house.port, notebook, bob_token) as reader:
        async with joined(house.port, notebook, ada_token) as tab:
            await tab.edit(lambda tab: tab.text("c0").insert(0, "kept "))
            await tab.until(lambda tab: tab.acked == 1)
            await leave_room(house.database, 1)
            await tab.edit(lambda tab: tab.text("c0").insert(0, LONG))
            await tab.until(lambda tab: tab.closed)
            doc, epoch = tab.doc, tab.welcome["epoch"]

            assert tab.closed is not None
            assert tab.closed[0] == 1012
            assert tab.of_type("trouble")[0]["code"] == "storage_full"
            assert tab.acked == 1
        assert reader.closed is None
        assert reader.source("c0") == "kept x = 1"
        async with house.rooms.open(notebook) as room:
            with pytest.raises(StorageFull):
                await room.edit(lambda editor: editor.set_source("c0", LONG[::-1]), origin="test")
        assert reader.source("c0") == "kept x = 1"
        await leave_room(house.database, None)
        async with joined(house.port, notebook, ada_token, doc, epoch=epoch) as tab:
            await send_lacking(tab)
            await tab.until(lambda tab: tab.acked == 1)
            await reader.until(lambda tab: tab.source("c0").startswith("yyy"))

            assert reader.source("c0") == tab.source("c0") == LONG + "kept x = 1"


async def test_a_document_that_breaks_is_loaded_again_and_only_the_culprit_goes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ada_token = await house.person("Ada")
    bob, bob_token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)
    honest = Document.apply

    def panicking(document: Document, update: bytes) -> bool:
        if b"panic" in update:
            raise Broken("index out of bounds")
        return honest(document, update)

    monkeypatch.setattr(Document, "apply", panicking)
    async with joined(house.port, notebook, ada_token) as good, joined(house.port, notebook, bob_token) as bad:
        await good.edit(lambda tab: tab.text("c0").insert(0, "kept "))
        await good.until(lambda tab: tab.acked == 1)
        await bad.edit(lambda tab: tab.text("c0").insert(0, "panic"))
        await bad.until(lambda tab: tab.closed)
        assert bad.closed is not None
        assert bad.closed[0] == 4409
        await good.edit(lambda tab: tab.text("c0").insert(0, "more "))
        await good.until(lambda tab: tab.acked == 2 or tab.closed)

        assert good.closed is None
        assert good.acked == 2
    content = await house.notebooks.content(notebook)
    assert content.cells[0].source == "more kept x = 1"


async def test_what_was_on_its_way_when_the_document_broke_is_kept_and_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")
    async with joined(house.port, notebook, token) as one, joined(house.port, notebook, token) as other:
        room = house.rooms.find(notebook)
        assert room is not None
        for n in range(20):
            await one.edit(lambda tab, n=n: tab.text("c0").insert(0, f"{n} "))  # type: ignore[misc]
        await one.until(lambda tab: tab.acked > 0 or tab.closed)
        room._live.drop()
        await one.until(lambda tab: tab.acked == 20 or tab.closed)
        seen: dict[str, Any] = {}
        with anyio.fail_after(10):
            while "done" not in seen:
                await anyio.sleep(0.01)
                kept = (await house.notebooks.content(notebook)).cells[0].source
                seen = {"done": True} if other.source("c0") == kept and room.is_quiet else {}

        # Everything acknowledged is there, everything seen is there, and nothing else is.
        assert all(f"{n} " in kept for n in range(one.acked))


async def test_whoever_comes_after_a_room_had_to_be_shut_opens_another_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")
    away = iter([Unavailable("The database cannot be reached.")])
    real = house.notebooks.take

    async def take(*words: Any) -> Any:
        if (error := next(away, None)) is not None:
            raise error
        return await real(*words)

    async with joined(house.port, notebook, token):
        pass
    shut = house.rooms.find(notebook)
    assert shut is not None
    async with house.rooms.open(notebook):
        monkeypatch.setattr(house.notebooks, "take", take)
        shut._live.drop()
        with anyio.fail_after(10):
            while not shut.is_closed:
                await anyio.sleep(0.01)
        # The closed one still has a visitor.
        async with joined(house.port, notebook, token) as tab:
            await tab.edit(lambda tab: tab.text("c0").insert(0, "kept "))
            await tab.until(lambda tab: tab.acked == 1)

    assert house.rooms.find(notebook) is not shut
    assert (await house.notebooks.content(notebook)).cells[0].source == "kept x = 1"


async def test_a_database_that_is_busy_when_roles_are_looked_at_costs_a_moment_and_not_the_room(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada, token), (bob, bobs) = await house.person("Ada"), await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)
    busy = [Unavailable("The database is busy.") for _ in range(2)]
    real = RoleChanges.learn

    async def learn(changes: RoleChanges) -> None:
        if busy:
            raise busy.pop()
        await real(changes)

    async with joined(house.port, notebook, token) as one, joined(house.port, notebook, bobs) as other:
        monkeypatch.setattr(RoleChanges, "learn", learn)
        await house.share(ada, notebook, bob, Role.VIEWER)
        await other.until(lambda tab: tab.of_type("role"))

        # A look that had begun before may have found it; the next ones meet the busy database all the same.
        with anyio.fail_after(30):
            while busy:
                await anyio.sleep(0.05)
        assert other.of_type("role")[-1]["role"] == Role.VIEWER
        assert (one.closed, other.closed) == (None, None)


async def test_whoever_comes_while_the_database_is_away_is_told_to_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "x = 1")

    async def away(secret: str) -> Principal | None:
        raise Unavailable("The database cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(house.accounts, "principal_by_token", away)
        async with dialled(house.port, notebook, token) as tab:
            await tab.read()

    assert tab.closed == (1013, "The database cannot be reached.")
    async with joined(house.port, notebook, token) as tab:
        assert tab.source("c0") == "x = 1"


async def test_a_text_that_two_tabs_read_differently_is_read_alike_after_a_report(house: House) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, "print(1)")
    async with joined(house.port, notebook, token) as early:
        state = strict.decode(early.doc.get_update())
        [client] = state.blocks
        [run] = [item for item in state.blocks[client] if item.value == "print(1)"]
        # It says to stand after the third letter and before the second.
        twisted = uint(1) + uint(1) + uint(early.client) + uint(0) + b"\xc4"
        twisted += uint(client) + uint(run.clock + 2) + uint(client) + uint(run.clock + 1) + b"\1X\0"
        await early.send_update(twisted)
        await early.until(lambda tab: tab.acked == 1)
        async with joined(house.port, notebook, token) as late:
            await late.until(lambda tab: any(beat["seq"] == tab.seq for beat in tab.of_type("heartbeat")))
            assert late.of_type("heartbeat")[-1]["checksum"] != late.checksum()
            await late.socket.send(json.dumps({"type": "diverged", "seq": late.seq, "checksum": late.checksum()}))
            await late.until(lambda tab: tab.of_type("heartbeat")[-1]["checksum"] == tab.checksum())

            kept = (await house.notebooks.content(notebook)).cells[0].source
            assert late.source("c0") == kept


async def test_a_bug_in_one_room_ends_that_room_and_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, token = await house.person("Ada")
    bad, good = await house.notebook(ada, "bad"), await house.notebook(ada, "good")

    async with joined(house.port, bad, token) as one, joined(house.port, good, token) as other:
        room = house.rooms.find(bad)
        assert room is not None
        monkeypatch.setattr(room, "_beat", lambda: 1 / 0)
        await one.edit(lambda tab: tab.text("c0").insert(0, "very "))
        await one.until(lambda tab: tab.closed)
        await other.edit(lambda tab: tab.text("c0").insert(0, "still "))
        await other.until(lambda tab: tab.acked == 1)

        assert one.closed is not None
        assert one.closed[0] == 1012
    async with joined(house.port, bad, token) as one:
        assert one.source("c0") == "very bad"
