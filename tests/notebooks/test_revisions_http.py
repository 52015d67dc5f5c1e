"""Revision history over HTTP, beside people who type: nothing that they type is lost."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from collegium.app import House, create_app, open_house
from collegium.ground.fetch import Fetch
from collegium.ground.ids import NotebookId
from collegium.notebooks.comparing import FETCHES_PER_USER_MAX
from collegium.notebooks.history import RevisionKind
from collegium.settings import Settings
from rooms.house import serving
from support.tab import Tab

pytestmark = pytest.mark.anyio

PEOPLE = ("ada", "bob", "eve", "vic", "cat")
PIXEL = "iVBORw0KGgo" + "A" * 100_000


@dataclass
class Site:
    house: House
    url: str
    tokens: dict[str, str]

    def api(self, who: str) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=60)

    async def notebook(self, *sources: str, outputs: dict[str, list[dict[str, Any]]] | None = None) -> str:
        async with self.api("ada") as ada:
            made = await ada.post("/notebooks", content=json.dumps(document(*sources, outputs=outputs or {})))
            notebook = str(made.raise_for_status().json()["id"])
            for who, role in (("bob", "editor"), ("vic", "viewer"), ("cat", "commenter")):
                grant = {"email": f"{who}@example.org", "role": role}
                (await ada.put(f"/drive/items/{notebook}/grants", json=grant)).raise_for_status()
        return notebook

    def tab(self, who: str, notebook: str) -> Tab:
        return Tab(self.url, self.tokens[who], notebook)

    async def sources(self, notebook: str) -> dict[str, str]:
        content = await self.house.notebooks.content(NotebookId(notebook))
        return {cell.id: cell.source for cell in content.shown}


def document(*sources: str, outputs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [
        {
            "id": f"c{number}",
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "execution_count": None,
            "outputs": outputs.get(f"c{number}", []),
        }
        for number, source in enumerate(sources)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def says(tab: Tab, text: str) -> bool:
    return "".join(tab.text(f"c{number}") for number in range(5)) == text


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": [text]}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_house(Settings(data=tmp_path, engine="none")) as house:
        tokens = {}
        for who in PEOPLE:
            await house.accounts.create_user(f"{who}@example.org", who.title(), "correct horse")
            tokens[who] = await house.accounts.create_token(f"{who}@example.org", "t")
        async with serving(create_app(house)) as port:
            yield Site(house, f"http://127.0.0.1:{port}", tokens)


async def test_history_is_made_listed_looked_at_compared_restored_and_taken_back(site: Site) -> None:
    notebook = await site.notebook("a = 1\nb = 2\n", "print(a)", outputs={"c1": [printed("1\n")]})
    async with anyio.create_task_group() as tasks, site.api("ada") as ada:
        bob = site.tab("bob", notebook)
        await bob.join(tasks)
        named = (await ada.post(f"/notebooks/{notebook}/revisions", json={"label": " Handed  in "})).raise_for_status()
        assert named.json()["label"] == "Handed in"
        assert named.json()["pinned"] is True
        await bob.append("c0", "c = 3\n")
        await bob.append("c1", "  # typed by Bob")
        await bob.until(lambda: bob.acked == bob.sent)
        await ada.patch(f"/notebooks/{notebook}/revisions/1", json={"pinned": False})

        diff = (await ada.get(f"/notebooks/{notebook}/diff", params={"from": "1", "to": "now"})).json()
        assert [(cell["status"], cell["changes"]) for cell in diff["cells"]] == [("changed", ["source"])] * 2
        assert diff["cells"][0]["pieces"][0]["after"] == [2, 3]
        preview = (await ada.get(f"/notebooks/{notebook}/revisions/1")).json()
        assert [cell["source"] for cell in preview["cells"]] == ["a = 1\nb = 2\n", "print(a)"]
        assert preview["cells"][1]["outputs"][0]["text"] == "1\n"
        file = (await ada.get(f"/notebooks/{notebook}/revisions/1", params={"format": "ipynb"})).json()
        assert file["cells"][1]["outputs"] == [printed("1\n")]

        done = (await ada.post(f"/notebooks/{notebook}/revisions/1/restore", json={"cells": ["c0"]})).json()
        assert done["changed"] is True
        assert await site.sources(notebook) == {"c0": "a = 1\nb = 2\n", "c1": "print(a)  # typed by Bob"}
        await bob.until(lambda: "c = 3" not in bob.text("c0"))
        await bob.append("c0", "d = 4\n")
        await bob.until(lambda: bob.acked == bob.sent)
        (await ada.post(f"/notebooks/{notebook}/revisions/{done['undo']}/undo")).raise_for_status()
        again = await ada.post(f"/notebooks/{notebook}/revisions/{done['undo']}/undo")

        assert (again.status_code, again.json()["code"]) == (409, "no_restore")
        assert sorted((await site.sources(notebook))["c0"].splitlines()) == ["a = 1", "b = 2", "c = 3", "d = 4"]
        listed = (await ada.get(f"/notebooks/{notebook}/revisions", params={"limit": 2})).json()
        assert listed["next"] == 3
        kinds = [one["kind"] for one in listed["revisions"]]
        rest = (await ada.get(f"/notebooks/{notebook}/revisions", params={"before": 3})).json()["revisions"]
        assert kinds + [one["kind"] for one in rest] == ["before_restore", "restore", "before_restore", "named"]
        assert listed["revisions"][1]["authors"][0]["name"] == "Ada"
        assert rest[0]["authors"][0]["name"] == "Bob"
        versions = (await ada.get(f"/notebooks/{notebook}/cells/c0/history")).json()
        assert [(one["author"] or {}).get("name") for one in versions] == [None, "Bob", "Ada", "Bob", "Ada"]
        tasks.cancel_scope.cancel()


async def test_outputs_come_back_with_a_restore_and_go_again_with_its_undo(site: Site) -> None:
    png = {"output_type": "display_data", "data": {"image/png": PIXEL}, "metadata": {}}
    notebook = await site.notebook("1", "2", outputs={"c0": [printed("one\n")], "c1": [png]})
    async with site.api("ada") as ada, anyio.create_task_group() as tasks:
        (await ada.post(f"/notebooks/{notebook}/revisions", json={"label": "with outputs"})).raise_for_status()
        tab = site.tab("bob", notebook)
        await tab.join(tasks)
        await tab.send({"type": "clear", "cells": "all"})
        await tab.until(lambda: [m for m in tab.messages if m["type"] == "outputs"])
        assert await site.house.sessions.outputs(NotebookId(notebook)) == {}

        preview = (await ada.get(f"/notebooks/{notebook}/revisions/1")).json()
        blob = preview["cells"][1]["outputs"][0]["data"]["image/png"]["$blob"]
        assert (await ada.get(f"/notebooks/{notebook}/blobs/{blob}")).status_code == 200
        diff = (await ada.get(f"/notebooks/{notebook}/diff", params={"from": "1"})).json()
        assert [cell["changes"] for cell in diff["cells"]] == [["outputs"], ["outputs"]]
        seen = len(tab.messages)
        done = (await ada.post(f"/notebooks/{notebook}/revisions/1/restore", json={"outputs": True})).json()
        await tab.until(lambda: [m for m in tab.messages[seen:] if m["type"] == "cells" and m["executions"]])
        shown = await site.house.sessions.outputs(NotebookId(notebook))
        assert shown["c0"].outputs[0]["text"] == "one\n"  # type: ignore[index]
        assert shown["c1"].outputs[0]["data"]["image/png"] == PIXEL  # type: ignore[index]
        (await ada.post(f"/notebooks/{notebook}/revisions/{done['undo']}/undo")).raise_for_status()

        assert await site.house.sessions.outputs(NotebookId(notebook)) == {}
        tasks.cancel_scope.cancel()


async def test_revisions_of_a_notebook_that_omits_its_outputs_have_none_and_a_restore_leaves_them(site: Site) -> None:
    notebook = await site.notebook("1", outputs={"c0": [printed("one\n")]})
    async with site.api("ada") as ada:
        (await ada.post(f"/notebooks/{notebook}/revisions", json={"label": "with outputs"})).raise_for_status()
        async with site.house.rooms.open_here(NotebookId(notebook)) as room:
            await room.edit(lambda editor: editor.set_metadata({"colab": {"private_outputs": True}}), origin="test")
        (await ada.post(f"/notebooks/{notebook}/revisions", json={"label": "without"})).raise_for_status()

        first, second = [(await ada.get(f"/notebooks/{notebook}/revisions/{number}")).json() for number in (1, 2)]
        assert first["cells"][0]["outputs"]
        assert not second["cells"][0]["outputs"]
        assert not (await ada.get(f"/notebooks/{notebook}/content")).json()["cells"][0]["outputs"]
        restored = await ada.post(f"/notebooks/{notebook}/revisions/2/restore", json={"outputs": True})

        assert restored.json()["changed"] is False
        assert (await site.house.sessions.outputs(NotebookId(notebook))).keys() == {"c0"}


async def test_nothing_is_lost_when_a_notebook_is_restored_while_ten_people_type(site: Site) -> None:
    chance = random.Random(4)
    notebook = await site.notebook(*[f"cell {number}\n" for number in range(5)])
    async with site.api("ada") as ada, anyio.create_task_group() as tasks:
        (await ada.post(f"/notebooks/{notebook}/revisions", json={})).raise_for_status()
        tabs = [site.tab(chance.choice(["ada", "bob"]), notebook) for _ in range(10)]
        for tab in tabs:
            await tab.join(tasks)
        typed: list[str] = []

        done: list[dict[str, Any]] = []

        async def type_words(number: int, tab: Tab) -> None:
            turn = 0
            while len(done) < 3:
                turn += 1
                word = f"w{number}x{turn};"
                typed.append(word)
                await tab.append(f"c{(number + turn) % 5}", word)
                await tab.until(lambda: tab.acked == tab.sent)

        async def restore_often() -> None:
            for _ in range(3):
                answer = await ada.post(f"/notebooks/{notebook}/revisions/1/restore", json={})
                done.append(answer.raise_for_status().json())

        async with anyio.create_task_group() as busy:
            for number, tab in enumerate(tabs):
                busy.start_soon(type_words, number, tab)
            busy.start_soon(restore_often)
        now = "".join((await site.sources(notebook)).values())
        befores = []
        for one in done:
            if one["before"] is not None:
                preview = (await ada.get(f"/notebooks/{notebook}/revisions/{one['before']}")).json()
                befores.append("".join(cell["source"] for cell in preview["cells"]))

        assert sum(one["changed"] for one in done) >= 2
        lost = [word for word in typed if word not in now and not any(word in text for text in befores)]
        assert lost == []
        for tab in tabs:
            await tab.until(partial(says, tab, now))
        tasks.cancel_scope.cancel()


async def test_only_editors_see_history_and_nobody_else_restores(site: Site) -> None:
    notebook = await site.notebook("x")
    async with site.api("ada") as ada:
        (await ada.post(f"/notebooks/{notebook}/revisions", json={"label": "x"})).raise_for_status()
    for who, expected in (("ada", 200), ("bob", 200), ("cat", 403), ("vic", 403), ("eve", 404)):
        async with site.api(who) as person:
            path = f"/notebooks/{notebook}"
            answers = [
                await person.get(f"{path}/revisions"),
                await person.get(f"{path}/revisions/1"),
                await person.get(f"{path}/diff", params={"from": "1"}),
                await person.get(f"{path}/cells/c0/history"),
                await person.patch(f"{path}/revisions/1", json={"label": "y"}),
                await person.post(f"{path}/revisions/1/restore", json={}),
            ]

        assert [answer.status_code for answer in answers] == [expected] * len(answers), who


async def test_two_files_are_compared_and_rubbish_is_refused(site: Site) -> None:
    before = document("import os\nprint(os.getcwd())\n", "x = 1", outputs={})
    after = document("new", "import os\nprint(os.getcwd(), 2)\n", outputs={"c1": [printed("2")]})
    for one in (before, after):
        for cell in one["cells"]:
            del cell["id"]
    async with site.api("vic") as vic:
        found = (await vic.post("/diff", json={"before": before, "after": after})).raise_for_status().json()
        refused = [
            (await vic.post("/diff", content=body)).status_code
            for body in (b"", b"[]", b"{}", b'{"before":1,"after":{}}', b"\xff", b"[" * 50_000)
        ]

    assert [cell["status"] for cell in found["cells"]] == ["added", "changed", "deleted"]
    assert found["cells"][1]["changes"] == ["source", "outputs"]
    assert refused == [422] * 6 or set(refused) <= {400, 422}


async def test_notebooks_of_the_drive_are_compared_by_those_who_may_read_them(site: Site) -> None:
    notebook = await site.notebook("x = 1")
    other = document("x = 2", outputs={})
    bodies = [
        {"before": {"notebook": notebook}, "after": other},
        {"before": {"notebook": "nonsense"}, "after": other},
        {"before": {"notebook": notebook, "cells": []}, "after": other},
    ]
    answers = {}
    for who in ("vic", "eve"):
        async with site.api(who) as person:
            answers[who] = [await person.post("/diff", json=body) for body in bodies]

    assert [answer.status_code for answer in answers["vic"]] == [200, 404, 422]
    assert [answer.status_code for answer in answers["eve"]] == [404, 404, 422]
    found = answers["vic"][0].json()
    assert [cell["status"] for cell in found["cells"]] == ["changed"]
    assert found["language"] == "python"


async def test_a_notebook_at_an_address_is_compared_and_private_ones_are_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"https://example.org/n.ipynb": json.dumps(document("x = 2", outputs={})).encode()}
    asked = []

    async def get(self: Fetch, address: str) -> bytes:
        asked.append(address)
        return there.get(address) or await genuine(self, address)

    genuine = Fetch.get
    monkeypatch.setattr(Fetch, "get", get)
    here = document("x = 1", outputs={})
    addresses = [*there, f"{site.url}/api/v1/me", "http://169.254.169.254/latest/"]
    async with site.api("eve") as eve:
        answers = [await eve.post("/diff", json={"before": here, "after": {"url": url}}) for url in addresses]

    assert [answer.status_code for answer in answers] == [200, 422, 422]
    assert [cell["status"] for cell in answers[0].json()["cells"]] == ["changed"]
    assert {answer.json()["code"] for answer in answers[1:]} == {"address_refused"}
    assert asked == addresses


async def test_one_person_opens_so_many_addresses_and_no_more(site: Site) -> None:
    here = document("x = 1", outputs={})
    async with site.api("bob") as bob:
        body = {"before": here, "after": {"url": "http://127.0.0.1/"}}
        answers = [(await bob.post("/diff", json=body)).status_code for _ in range(FETCHES_PER_USER_MAX + 1)]

    assert answers == [422] * FETCHES_PER_USER_MAX + [429]


async def test_revisions_are_made_by_themselves_and_open_tabs_are_told(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path, "engine": "none", "notebooks": {"revision_idle_seconds": 0.3, "revision_active_seconds": 60}}
    )
    async with open_house(settings) as house:
        await house.accounts.create_user("ada@example.org", "Ada", "correct horse")
        token = await house.accounts.create_token("ada@example.org", "t")
        async with serving(create_app(house)) as port:
            site = Site(house, f"http://127.0.0.1:{port}", {"ada": token})
            async with site.api("ada") as ada, anyio.create_task_group() as tasks:
                made = await ada.post("/notebooks", content=json.dumps(document("x", outputs={})))
                notebook = made.json()["id"]
                tab = site.tab("ada", notebook)
                await tab.join(tasks)
                await tab.append("c0", " = 1")
                await tab.until(lambda: [m for m in tab.messages if m["type"] == "revisions"])
                listed = (await ada.get(f"/notebooks/{notebook}/revisions")).json()["revisions"]
                tasks.cancel_scope.cancel()

    assert [(one["kind"], one["created_by"], one["authors"][0]["name"]) for one in listed] == [
        (RevisionKind.IDLE, None, "Ada")
    ]


async def test_all_cells_run_only_after_a_revision_of_what_they_showed(site: Site) -> None:
    notebook = await site.notebook("1", "2", outputs={"c0": [printed("before\n")]})
    async with site.api("ada") as ada:
        await ada.post(f"/notebooks/{notebook}/executions", json={"cells": "all"})
        with anyio.fail_after(20):
            while not (listed := (await ada.get(f"/notebooks/{notebook}/revisions")).json()["revisions"]):
                await anyio.sleep(0.02)
        preview = (await ada.get(f"/notebooks/{notebook}/revisions/1")).json()

    assert [one["kind"] for one in listed] == ["before_run"]
    assert preview["cells"][0]["outputs"][0]["text"] == "before\n"


async def test_a_file_is_merged_in_only_after_a_revision(site: Site) -> None:
    notebook = await site.notebook("1")
    async with site.api("ada") as ada:
        put = await ada.put(f"/notebooks/{notebook}/content", content=json.dumps(document("1", "2", outputs={})))
        put.raise_for_status()
        put = await ada.put(f"/notebooks/{notebook}/content", content=json.dumps(document("3", outputs={})))
        put.raise_for_status()
        listed = (await ada.get(f"/notebooks/{notebook}/revisions")).json()["revisions"]
        preview = (await ada.get(f"/notebooks/{notebook}/revisions/1")).json()

    assert [one["kind"] for one in listed] == ["before_merge"]
    assert [cell["source"] for cell in preview["cells"]] == ["1", "2"]
