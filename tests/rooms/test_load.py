"""A full notebook: everybody ends equal, a reader that stopped costs nothing, and all may come back at once."""

import random
import tracemalloc
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import anyio
import pytest
from websockets.exceptions import ConnectionClosed

from collegium.ground.errors import Unavailable
from collegium.ground.http import CLOSE
from collegium.rooms.model import RESTARTING
from collegium.rooms.settings import RoomSettings
from rooms.house import House, open_house
from rooms.tab import Tab, dialled, joined

pytestmark = pytest.mark.anyio
STALLED_BYTES_MAX = 50 << 20
STORM_SECONDS_MAX = 900
AGAIN_SECONDS, AGAIN_SECONDS_MAX = 0.2, 10
ROOMY = RoomSettings(
    clients_max=2_000,
    clients_per_user_max=2_000,
    hello_seconds_max=STORM_SECONDS_MAX,
    settle_seconds=0.2,
    idle_seconds=0.2,
)


async def _typed(tab: Tab, name: int, edits: int, dice: random.Random) -> None:
    for number in range(edits):
        text = tab.text("c0")
        await tab.edit(lambda tab, text=text, number=number: text.insert(0, f"<{name}.{number}>"))  # type: ignore[misc]
        await anyio.sleep(dice.random() / 50)


@pytest.mark.parametrize(
    ("writers", "stalled", "edits", "seed"),
    [(12, 3, 12, 1), pytest.param(200, 5, 20, 2, marks=pytest.mark.long)],
)
async def test_many_who_type_end_equal_and_those_who_read_nothing_cost_little(
    tmp_path: Path, writers: int, stalled: int, edits: int, seed: int
) -> None:
    dice = random.Random(seed)
    async with open_house(tmp_path, settings=ROOMY) as house, AsyncExitStack() as stack:
        ada, token = await house.person("Ada")
        notebook = await house.notebook(ada, "")
        for _ in range(stalled):
            deaf = await stack.enter_async_context(dialled(house.port, notebook, token))
            await deaf.hello()
        tabs = [await stack.enter_async_context(joined(house.port, notebook, token)) for _ in range(writers)]
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        async with anyio.create_task_group() as typing:
            for name, tab in enumerate(tabs):
                typing.start_soon(_typed, tab, name, edits, dice)
        for tab in tabs:
            await tab.until(lambda tab: tab.acked == tab.sent, 300)
        room = house.rooms.find(notebook)
        assert room is not None
        waiting = sum(client.outbox.size_bytes for client in room.clients.values())
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        said = sorted(f"{name}.{number}" for name in range(writers) for number in range(edits))
        for tab in tabs:
            await tab.until(lambda tab: tab.source("c0").count("<") == len(said), 300)

        assert sorted(tabs[0].source("c0")[1:-1].split("><")) == said
        assert len({tab.source("c0") for tab in tabs}) == 1
        assert waiting <= stalled * ROOMY.outbox_bytes_max
        assert after - before < STALLED_BYTES_MAX


@pytest.mark.parametrize("tabs", [40, pytest.param(1_000, marks=pytest.mark.long)])
async def test_all_may_come_back_at_once_with_nothing_and_with_what_they_had(tmp_path: Path, tabs: int) -> None:
    async with open_house(tmp_path, settings=ROOMY) as house:
        await _storms(house, tabs)


async def _storms(house: House, tabs: int) -> None:
    ada, token = await house.person("Ada")
    notebook = await house.notebook(ada, *("x = 'twelve times two is twenty-four'\n" * 40 for _ in range(50)))
    checksums: list[str] = []
    dice = random.Random(1)

    async def come(here: list[Tab], known: Tab | None, gone: anyio.Event) -> None:
        bound = AGAIN_SECONDS
        while not await stay(here, known, gone):
            # As the page does, when the server says that it is busy.
            await anyio.sleep(dice.uniform(0, bound))
            bound = min(2 * bound, AGAIN_SECONDS_MAX)

    async def stay(here: list[Tab], known: Tab | None, gone: anyio.Event) -> bool:
        async with dialled(house.port, notebook, token) as tab, anyio.create_task_group() as tasks:
            if known is not None:
                tab.__init__(tab.socket, known.doc)  # type: ignore[misc]
            # Some are sent away before they have said anything.
            with suppress(ConnectionClosed):
                await tab.hello(**({} if known is None else {"epoch": known.welcome["epoch"]}))
            tasks.start_soon(tab.read)
            await tab.until(lambda tab: tab.resyncs or tab.closed, STORM_SECONDS_MAX)
            if tab.resyncs:
                checksums.append(tab.checksum())
                here.append(tab)
                await gone.wait()
            else:
                assert tab.closed is not None
                assert tab.closed[0] in (RESTARTING, CLOSE[Unavailable])
            tasks.cancel_scope.cancel()
        return tab.resyncs > 0

    async def storm(known: list[Tab | None]) -> list[Tab]:
        here: list[Tab] = []
        gone = anyio.Event()
        async with anyio.create_task_group() as tasks:
            for one in known:
                tasks.start_soon(come, here, one, gone)
            with anyio.fail_after(STORM_SECONDS_MAX):
                while len(here) < tabs:
                    await anyio.sleep(0.01)
            gone.set()
        return here

    cold = await storm([None] * tabs)
    warm = await storm(list(cold))

    assert len(warm) == tabs
    assert len(checksums) == 2 * tabs
    assert len(set(checksums)) == 1
