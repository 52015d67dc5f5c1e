"""A notebook that several people have open, over real sockets."""

import pytest

from collegium.accounts.model import Role
from rooms.house import House
from rooms.tab import joined

pytestmark = pytest.mark.anyio


async def test_a_keystroke_is_acknowledged_and_reaches_a_colleague(house: House) -> None:
    ada, ada_token = await house.person("Ada")
    bob, bob_token = await house.person("Bob")
    notebook = await house.notebook(ada, "x = 1")
    await house.share(ada, notebook, bob, Role.EDITOR)

    async with joined(house.port, notebook, ada_token) as one, joined(house.port, notebook, bob_token) as two:
        await one.edit(lambda tab: tab.text("c0").insert(0, "📊 "))
        await one.until(lambda tab: tab.acked == 1)
        await two.until(lambda tab: tab.source("c0") == "📊 x = 1")
        await two.until(lambda tab: tab.of_type("heartbeat"))

        assert two.of_type("heartbeat")[-1]["checksum"] == one.checksum() == two.checksum()
    content = await house.notebooks.content(notebook)
    assert [cell.source for cell in content.cells] == ["📊 x = 1"]
