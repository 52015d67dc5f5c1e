"""Files brought into a notebook over HTTP: what they were made from, what is merged, and what waits for a person."""

import copy
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from collegium.accounts.model import Principal, Role
from collegium.ground.ids import NotebookId
from collegium.notebooks.settings import NotebookSettings
from rooms.house import House, open_house
from rooms.tab import joined

pytestmark = pytest.mark.anyio


@dataclass
class Outsider:
    """Somebody with a program that speaks HTTP."""

    house: House
    principal: Principal
    token: str
    http: httpx.AsyncClient
    notebook: NotebookId

    async def get(self, **headers: str) -> tuple[dict[str, Any], str]:
        answer = await self.http.get(f"/notebooks/{self.notebook}/content", headers=headers)
        return answer.raise_for_status().json(), answer.headers["etag"]

    async def put(self, file: Any, base: str | None = None, **headers: str) -> httpx.Response:
        named = {} if base is None else {"if-match": base}
        return await self.http.put(f"/notebooks/{self.notebook}/content", json=file, headers=named | headers)

    async def type(self, cell: str, source: str) -> None:
        """Somebody changes a cell on the page."""
        async with self.house.rooms.open(self.notebook) as room:
            await room.edit(lambda editor: editor.set_source(cell, source), origin="test")  # type: ignore[arg-type]

    async def said(self) -> list[tuple[str, str]]:
        content = await self.house.notebooks.content(self.notebook)
        return [(cell.id, cell.source) for cell in content.shown]

    async def overlaps(self) -> list[dict[str, Any]]:
        return list((await self.http.get(f"/notebooks/{self.notebook}/overlaps")).raise_for_status().json())

    async def decide(self, overlap: str, choice: str, text: str | None = None) -> httpx.Response:
        body = {"choice": choice} if text is None else {"choice": choice, "text": text}
        return await self.http.post(f"/notebooks/{self.notebook}/overlaps/{overlap}", json=body)


@pytest.fixture
async def outsider(house: House) -> AsyncIterator[Outsider]:
    ada, token = await house.person("Ada")
    base = f"http://127.0.0.1:{house.port}/api/v1"
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=120) as http:
        notebook = await house.notebook(ada, "one\ntwo", "three", "four")
        yield Outsider(house, ada, token, http, notebook)


def changed(file: dict[str, Any], *sources: str | None) -> dict[str, Any]:
    """The file with other sources; None: as it was."""
    new = copy.deepcopy(file)
    for cell, source in zip(new["cells"], sources, strict=False):
        if source is not None:
            cell["source"] = source
    return new


async def test_a_file_is_merged_with_what_was_typed_since_the_version_it_names(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "ONE\ntwo")
    answer = await outsider.put(changed(file, "one\ntwo\nmore", None, "FOUR"), tag)

    assert answer.json() == {"seq": 3, "overlaps": 0}
    assert await outsider.said() == [("c0", "ONE\ntwo\nmore"), ("c1", "three"), ("c2", "FOUR")]


async def test_who_names_no_version_has_the_nearest_of_those_it_got(outsider: Outsider) -> None:
    old, _ = await outsider.get()
    await outsider.type("c0", "one\ntwo\nadded here\nand here")
    await outsider.get()
    await outsider.type("c1", "THREE")
    answer = await outsider.put(changed(old, None, None, "FOUR"))

    assert answer.json()["overlaps"] == 0
    assert await outsider.said() == [("c0", "one\ntwo\nadded here\nand here"), ("c1", "THREE"), ("c2", "FOUR")]


async def test_after_a_file_was_brought_the_next_is_compared_with_it(outsider: Outsider) -> None:
    file, _ = await outsider.get()
    await outsider.type("c1", "typed here")
    await outsider.put(first := changed(file, "ONE\ntwo"))
    await outsider.put(changed(first, "ONE\nTWO"))

    assert await outsider.said() == [("c0", "ONE\nTWO"), ("c1", "typed here"), ("c2", "four")]


@pytest.mark.parametrize(
    ("choice", "becomes"),
    [("keep", "here\ntwo!"), ("take", "there\ntwo!"), ("both", "here\nthere\ntwo!"), ("edited", "else")],
)
async def test_an_overlap_is_told_listed_and_decided_once(outsider: Outsider, choice: str, becomes: str) -> None:
    file, tag = await outsider.get()
    async with joined(outsider.house.port, outsider.notebook, outsider.token) as tab:
        await outsider.type("c0", "here\ntwo")
        answer = await outsider.put(changed(file, "there\ntwo"), tag)
        await tab.until(lambda tab: tab.of_type("overlaps"))
        (found,) = await outsider.overlaps()
        assert (found["cell"], found["base"], found["ours"], found["theirs"]) == (
            "c0", "one\ntwo", "here\ntwo", "there\ntwo",
        )  # fmt: skip
        await outsider.type("c0", "here\ntwo!")
        decided = await outsider.decide(found["id"], choice, "else" if choice == "edited" else None)
        again = await outsider.decide(found["id"], "keep")
        await tab.until(lambda tab: len(tab.of_type("overlaps")) == 2 and tab.source("c0") == becomes)

    assert answer.json()["overlaps"] == 1
    assert (decided.status_code, again.status_code, again.json()["code"]) == (200, 409, "resolved")
    assert (await outsider.said())[0] == ("c0", becomes)
    assert await outsider.overlaps() == []


async def test_the_same_file_brought_twice_leaves_one_mark(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "here")
    first = await outsider.put(changed(file, "there"), tag)
    second = await outsider.put(changed(file, "there"), tag)

    assert (first.json()["overlaps"], second.json()["overlaps"]) == (1, 0)
    assert len(await outsider.overlaps()) == 1


async def test_a_file_without_its_ids_changes_the_cells_it_means(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    new = changed(file, "one\ntwo\nthree and more", None, None)
    new["cells"] = [new["cells"][2], new["cells"][0], new["cells"][1]]
    for cell in new["cells"]:
        del cell["id"]
    await outsider.put(new, tag)

    assert await outsider.said() == [("c2", "four"), ("c0", "one\ntwo\nthree and more"), ("c1", "three")]


async def test_what_comes_from_nowhere_takes_nothing_away(outsider: Outsider) -> None:
    bob, token = await outsider.house.person("Bob")
    await outsider.house.share(outsider.principal, outsider.notebook, bob, Role.EDITOR)
    cells = [{"cell_type": "code", "id": "c0", "metadata": {}, "source": "other", "outputs": []}]
    file = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    answer = await outsider.put(file, authorization=f"Bearer {token}")

    assert answer.json()["overlaps"] == 3
    assert await outsider.said() == [("c0", "one\ntwo"), ("c1", "three"), ("c2", "four")]
    found = {one["cell"]: (one["base"], one["theirs"]) for one in await outsider.overlaps()}
    assert found == {"c0": (None, "other"), "c1": (None, None), "c2": (None, None)}


async def test_a_deleted_cell_can_go_or_stay(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "here")
    await outsider.type("c1", "here too")
    file["cells"] = file["cells"][2:]
    await outsider.put(file, tag)
    first, second = sorted(await outsider.overlaps(), key=lambda one: str(one["cell"]))
    await outsider.decide(first["id"], "take")
    await outsider.decide(second["id"], "keep")

    assert (first["theirs"], second["theirs"]) == (None, None)
    assert await outsider.said() == [("c1", "here too"), ("c2", "four")]


@pytest.mark.parametrize("base", ["garbage", '"9999999"', "-1", "1;drop", '"' + "x" * 5_000 + '"'])
async def test_what_can_be_no_version_is_refused(outsider: Outsider, base: str) -> None:
    file, _ = await outsider.get()
    answer = await outsider.put(changed(file, "lost?"), base)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (await outsider.said())[0] == ("c0", "one\ntwo")


async def test_who_may_not_write_brings_nothing_and_decides_nothing(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "here")
    await outsider.put(changed(file, "there"), tag)
    (found,) = await outsider.overlaps()
    bob, token = await outsider.house.person("Bob")
    headers = {"authorization": f"Bearer {token}"}
    path = f"/notebooks/{outsider.notebook}/overlaps"
    seen = [(await outsider.http.get(path, headers=headers)).status_code]
    for role in (Role.VIEWER, Role.COMMENTER):
        await outsider.house.share(outsider.principal, outsider.notebook, bob, role)
        listed = await outsider.http.get(path, headers=headers)
        decided = await outsider.http.post(f"{path}/{found['id']}", json={"choice": "take"}, headers=headers)
        brought = await outsider.put(changed(file, "bob's"), tag, **headers)
        seen += [listed.status_code, decided.status_code, brought.status_code]

    assert seen == [404, 200, 403, 403, 200, 403, 403]
    assert (await outsider.said())[0] == ("c0", "here")


async def test_another_notebooks_overlap_cannot_be_decided_through_ones_own(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "here")
    await outsider.put(changed(file, "there"), tag)
    (found,) = await outsider.overlaps()
    eve, token = await outsider.house.person("Eve")
    own = await outsider.house.notebook(eve, "mine")
    answer = await outsider.http.post(
        f"/notebooks/{own}/overlaps/{found['id']}",
        json={"choice": "take"},
        headers={"authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 404
    assert len(await outsider.overlaps()) == 1


async def test_a_merge_and_its_overlaps_are_kept_together_or_not_at_all(
    outsider: Outsider, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, tag = await outsider.get()
    await outsider.type("c0", "here")

    def full(*_: Any) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("collegium.notebooks.outside_store.insert_overlaps", full)
        failed = await outsider.put(changed(file, "there", "THREE"), tag)
    assert failed.status_code == 503
    assert await outsider.said() == [("c0", "here"), ("c1", "three"), ("c2", "four")]
    again = await outsider.put(changed(file, "there", "THREE"), tag)

    assert again.json()["overlaps"] == 1
    assert await outsider.said() == [("c0", "here"), ("c1", "THREE"), ("c2", "four")]


async def test_ids_that_come_twice_or_are_hostile_make_cells_of_their_own(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    strange = ["c0", "c0", "__proto__", "../../x", "", "x" * 65, "💥", "constructor"]
    file["cells"] = [
        {"cell_type": "code", "id": id, "metadata": {}, "source": f"cell {n} \0 {id}", "outputs": []}
        for n, id in enumerate(strange)
    ]
    answer = await outsider.put(file, tag)
    said = await outsider.said()

    assert answer.status_code == 200
    assert sorted(source for _, source in said) == sorted(f"cell {n} \0 {id}" for n, id in enumerate(strange))
    assert len({id for id, _ in said}) == len(strange)
    file, tag = await outsider.get()
    assert (await outsider.put(file, tag)).json()["overlaps"] == 0
    assert await outsider.said() == said


@pytest.mark.long
async def test_fifty_megabytes_are_merged_and_more_than_fits_changes_nothing(outsider: Outsider) -> None:
    file, tag = await outsider.get()
    large = changed(file, "ONE\ntwo")
    large["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 50_000_000}]
    merged = await outsider.put(large, tag)
    said = await outsider.said()
    huge = "word " * 14_000_000
    refused = [await outsider.put(changed(file, *sources), tag) for sources in ((huge,), (None, None, huge))]

    assert merged.status_code == 200
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "too_large")] * 2
    assert said[0] == ("c0", "ONE\ntwo")
    assert await outsider.said() == said


@pytest.mark.long
async def test_ten_thousand_cells_are_merged_while_others_are_served(outsider: Outsider) -> None:
    cells = [
        {"cell_type": "code", "id": f"n{n}", "metadata": {}, "source": f"x = {n}", "outputs": []} for n in range(10_000)
    ]
    file = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    outsider.notebook = (
        await outsider.house.notebooks.create(
            outsider.principal, name="big.ipynb", folder=None, file=json.dumps(file).encode()
        )
    ).id
    got, tag = await outsider.get()
    await outsider.type("n0", "typed")
    for cell in got["cells"][1::2]:
        cell["source"] += " + 1"
    for cell in got["cells"]:
        del cell["id"]
    started = time.monotonic()
    answer = await outsider.put(got, tag)

    assert answer.json()["overlaps"] == 0
    assert time.monotonic() - started < 60
    said = await outsider.said()
    assert said[:3] == [("n0", "typed"), ("n1", "x = 1 + 1"), ("n2", "x = 2")]
    assert len(said) == 10_000


async def test_an_outsider_whose_version_is_not_kept_any_more_takes_nothing_away(tmp_path: Any) -> None:
    settings = NotebookSettings(retention_days=0, compact_updates=1, revision_idle_seconds=3_600)
    async with open_house(tmp_path, notebook_settings=settings) as house:
        ada, token = await house.person("Ada")
        base = f"http://127.0.0.1:{house.port}/api/v1"
        async with httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        ) as http:
            outsider = Outsider(house, ada, token, http, await house.notebook(ada, "one", "two"))
            file, tag = await outsider.get()
            for number in range(4):
                await outsider.type("c0", f"one\nadded {number}")
                await house.notebooks.compact(outsider.notebook)
            answer = await outsider.put(changed(file, "one\nmine", "TWO"), tag)

            assert answer.json()["overlaps"] == 2
            assert await outsider.said() == [("c0", "one\nadded 3"), ("c1", "two")]
