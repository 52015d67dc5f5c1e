"""An outside tool rewrites the file while people type: nothing anybody wrote is lost, and everybody has the same."""

import json
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pycrdt import Map, Text

from collegium.ground.ids import NotebookId
from collegium.notebooks import positions
from collegium.notebooks.document import Document
from collegium.notebooks.model import plain
from rooms.house import House, open_house
from rooms.tab import Tab, joined

pytestmark = pytest.mark.anyio

TOKEN = re.compile(r"[to]k\d+x")


@dataclass
class Replay:
    """One notebook, those who type in it, and an outsider or two; all of it decided by one seed."""

    house: House
    notebook: NotebookId
    tabs: list[Tab]
    http: httpx.AsyncClient
    random: random.Random
    count: int = 0
    typed: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    """What an outsider saw and took away on purpose."""

    def token(self, kind: str) -> str:
        self.count += 1
        token = f"{kind}k{self.count}x"
        if kind == "t":
            self.typed.append(token)
        return token

    # those who type

    async def type(self, tab: Tab, edits: int) -> None:
        for _ in range(edits):
            await tab.edit(self.edit)
            for _ in range(self.random.randrange(4)):
                await anyio.sleep(0)

    def edit(self, tab: Tab) -> None:
        cells: dict[str, Any] = tab.cells.to_py() or {}
        id = self.random.choice(list(cells))
        match self.random.choices(["word", "delete", "add", "move", "trash"], [12, 4, 2, 2, 1])[0]:
            case "word":
                self.insert(tab, id)
            case "delete":
                self.delete_word(tab, id)
            case "add":
                new = {
                    "t": "code",
                    "pos": positions.between("", None),
                    "source": Text(self.token("t")),
                    "md": Map({}),
                    "att": Map({}),
                    "del": None,
                }
                tab.cells[f"n{self.random.randrange(10**9)}"] = Map(new)
            case "move":
                order = sorted(str(cell["pos"]) for cell in cells.values())
                low = self.random.choice(["", *order])
                tab.cells[id]["pos"] = positions.between(low, next((key for key in order if key > low), None))
            case "trash":
                tab.cells[id]["del"] = {"by": "someone", "at": 1}

    def insert(self, tab: Tab, id: str) -> None:
        text = tab.source(id)
        gaps = [at for at in range(len(text) + 1) if not (text[at - 1 : at].strip() and text[at : at + 1].strip())]
        at = self.random.choice(gaps)
        piece = self.random.choice([" {} ", "\n{}\n", " 📊 {} "]).format(self.token("t"))
        tab.text(id).insert(len(text[:at].encode()), piece)

    def delete_word(self, tab: Tab, id: str) -> None:
        text = tab.source(id)
        words = [match for match in re.finditer(r"\S+", text) if not TOKEN.search(match[0])]
        if not words:
            self.insert(tab, id)
        else:
            word = self.random.choice(words)
            del tab.text(id)[len(text[: word.start()].encode()) : len(text[: word.end()].encode())]

    # the outsider

    async def rewrite(self, pause: Callable[[], Any], *, name: bool, strip: bool) -> None:
        """Get the file, take some time, and bring it back changed."""
        got = await self.http.get(f"/notebooks/{self.notebook}/content")
        file = got.raise_for_status().json()
        before = set(TOKEN.findall(json.dumps(file)))
        await pause()
        self.change(file["cells"])
        after = set(TOKEN.findall(json.dumps(file)))
        self.dropped |= before - after
        self.brought += after - before
        if strip:
            for cell in file["cells"]:
                del cell["id"]
        query = {"base": got.headers["etag"]} if name else {}
        answer = await self.http.put(f"/notebooks/{self.notebook}/content", json=file, params=query)
        assert answer.status_code == 200, answer.text

    def change(self, cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            source = "".join(cell["source"])
            match self.random.choice(["keep", "format", "line", "end", "words", "drop"]):
                case "format":
                    source = "\n".join(" ".join(line.split()) for line in source.split("\n"))
                case "line":
                    lines = source.split("\n")
                    lines.insert(self.random.randint(0, len(lines)), f"{self.token('o')} line")
                    source = "\n".join(lines)
                case "end":
                    source += f" {self.token('o')}"
                case "words":
                    source = re.sub(r"\bw\d+\b", lambda _: self.token("o"), source, count=2)
                case "drop":
                    lines = source.split("\n")
                    del lines[self.random.randrange(len(lines))]
                    source = "\n".join(lines)
            cell["source"] = source
        if self.random.random() < 0.5:
            self.random.shuffle(cells)
        if self.random.random() < 0.5 and cells:
            del cells[self.random.randrange(len(cells))]
        if self.random.random() < 0.5:
            new = {"cell_type": "markdown", "id": f"o{self.count}", "metadata": {}, "source": self.token("o")}
            cells.insert(self.random.randint(0, len(cells)), new)

    # the end

    async def everybody_has_the_same(self) -> None:
        for tab in self.tabs:
            await tab.until(lambda tab: tab.acked == tab.sent or tab.closed)
            assert tab.closed is None
        server = (await self.house.notebooks.open(self.notebook)).document
        for tab in self.tabs:
            await tab.until(lambda tab: tab.checksum() == server.checksum())
            assert plain(tab.cells.to_py()) == plain(server._roots()[1])
        again = Document.load([server.lacking(None)])
        assert again.digest() == server.digest()

    async def nothing_is_lost(self) -> None:
        content = await self.house.notebooks.content(self.notebook)
        there = {token for cell in content.cells for token in TOKEN.findall(cell.source)}
        overlaps = (await self.http.get(f"/notebooks/{self.notebook}/overlaps")).raise_for_status().json()
        kept = set(TOKEN.findall(json.dumps(overlaps)))
        assert [token for token in self.typed if token not in there | kept | self.dropped] == []
        assert [token for token in self.brought if token not in there | kept | self.dropped] == []


@asynccontextmanager
async def replay(house: House, person: tuple[Any, str], seed: int, clients: int) -> AsyncIterator[Replay]:
    owner, token = person
    chance = random.Random(seed)
    sources = [
        "\n".join(" ".join(f"w{chance.randrange(99)}" for _ in range(4)) for _ in range(chance.randint(0, 5)))
        for _ in range(chance.randint(2, 6))
    ]
    notebook = await house.notebook(owner, *sources)
    base = f"http://127.0.0.1:{house.port}/api/v1"
    headers = {"Authorization": f"Bearer {token}"}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=60)
        )
        tabs = [await stack.enter_async_context(joined(house.port, notebook, token)) for _ in range(clients)]
        yield Replay(house, notebook, tabs, http, chance)


async def run_round(house: House, person: tuple[Any, str], seed: int, clients: int) -> None:
    try:
        async with replay(house, person, seed, clients) as one:
            async with anyio.create_task_group() as tasks:
                for tab in one.tabs:
                    tasks.start_soon(one.type, tab, one.random.randint(2, 8))

                async def pause() -> None:
                    for _ in range(one.random.randrange(40)):
                        await anyio.sleep(0.001)

                for _ in range(one.random.choice([1, 1, 2])):
                    tasks.start_soon(lambda: one.rewrite(pause, name=True, strip=one.random.random() < 0.3))
            await one.rewrite(lambda: one.type(one.tabs[0], 2), name=one.random.random() < 0.5, strip=False)
            await one.everybody_has_the_same()
            await one.nothing_is_lost()
    except Exception as error:
        raise AssertionError(f"seed {seed}") from error


async def test_nothing_is_lost_when_an_outsider_rewrites_the_file_while_people_type(house: House) -> None:
    person = await house.person("Ada")
    for seed in range(7):
        await run_round(house, person, seed, clients=4)


@pytest.mark.long
async def test_nothing_is_lost_in_five_hundred_rewrites_while_ten_people_type(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        person = await house.person("Ada")
        for seed in range(1_000, 1_500):
            await run_round(house, person, seed, clients=10)
