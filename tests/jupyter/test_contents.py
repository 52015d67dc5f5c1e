"""The drive as Jupyter's contents: folders, files, notebooks that are merged, checkpoints, and what is refused."""

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest

from collegium.accounts.model import Role
from collegium.ground.ids import ItemId
from jupyter.world import ADA, EVE, Site

pytestmark = pytest.mark.anyio

TEXT = {"type": "file", "format": "text", "content": "one\ntwo\n"}


def notebook(*sources: str, outputs: dict[int, list[dict[str, Any]]] | None = None) -> dict[str, Any]:
    """An nbformat document with cells c0, c1 …"""
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": (outputs or {}).get(n, []),
         "execution_count": 7 if n in (outputs or {}) else None}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"x": 1}, "cells": cells}


def saved(content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "notebook", "format": "json", "content": content}


def printed(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]


async def sources(http: httpx.AsyncClient, path: str) -> list[str]:
    """What the cells of a notebook say."""
    model = (await http.get(f"/api/contents/{path}")).raise_for_status().json()
    return [cell["source"] for cell in model["content"]["cells"]]


async def test_a_file_is_made_read_changed_renamed_copied_and_trashed(site: Site) -> None:
    async with site.client() as ada:
        made = await ada.put("/api/contents/notes.txt", json=TEXT)
        read = (await ada.get("/api/contents/notes.txt?hash=1")).json()
        bare = (await ada.get("/api/contents/notes.txt?content=0")).json()
        changed = await ada.put("/api/contents/notes.txt", json=TEXT | {"content": "three"})
        folder = await ada.post("/api/contents", json={"type": "directory"})
        moved = await ada.patch("/api/contents/notes.txt", json={"path": "Untitled Folder/n.txt"})
        copied = await ada.post("/api/contents/Untitled Folder", json={"copy_from": "Untitled Folder/n.txt"})
        listed = (await ada.get("/api/contents/Untitled Folder")).json()
        raw = await ada.get("/files/Untitled Folder/n.txt")
        gone = await ada.delete("/api/contents/Untitled Folder/n.txt")
        missing = await ada.get("/api/contents/Untitled Folder/n.txt")

    assert (made.status_code, changed.status_code) == (201, 200)
    assert made.headers["location"] == "/jupyter/api/contents/notes.txt"
    assert (read["content"], read["format"], read["mimetype"], read["writable"]) == (
        "one\ntwo\n", "text", "text/plain", True,
    )  # fmt: skip
    assert read["hash"] == hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert (bare["content"], bare["format"]) == (None, None)
    assert folder.json()["path"] == "Untitled Folder"
    assert moved.json()["path"] == "Untitled Folder/n.txt"
    assert copied.json()["name"] == "n-Copy1.txt"
    assert sorted(child["name"] for child in listed["content"]) == ["n-Copy1.txt", "n.txt"]
    assert raw.content == b"three"
    assert "sandbox" in raw.headers["content-security-policy"]
    assert (gone.status_code, missing.status_code) == (204, 404)
    assert missing.json()["message"]


async def test_bytes_that_are_no_text_come_as_base64_and_never_as_text(site: Site) -> None:
    blob = bytes(range(256))
    async with site.client() as ada:
        body = {"type": "file", "format": "base64", "content": base64.b64encode(blob).decode()}
        await ada.put("/api/contents/b.bin", json=body)
        read = (await ada.get("/api/contents/b.bin")).json()
        refused = await ada.get("/api/contents/b.bin?format=text")
        folder = await ada.get("/api/contents/b.bin?type=directory")

    assert (base64.b64decode(read["content"]), read["format"]) == (blob, "base64")
    assert (refused.status_code, refused.json()["reason"]) == (400, "bad format")
    assert (folder.status_code, folder.json()["reason"]) == (400, "bad type")


async def test_a_large_file_comes_in_chunks(site: Site) -> None:
    async with site.client() as ada:
        for number, text in ((1, "a" * 1000), (2, "b" * 1000), (-1, "c" * 1000)):
            body = {"type": "file", "format": "text", "content": text, "chunk": number}
            assert (await ada.put("/api/contents/big.txt", json=body)).status_code in (200, 201)
        read = (await ada.get("/api/contents/big.txt")).json()
        wrong = await ada.put("/api/contents/other.txt", json=TEXT | {"chunk": 2})

    assert read["content"] == "a" * 1000 + "b" * 1000 + "c" * 1000
    assert wrong.status_code == 400


async def test_a_notebook_is_made_read_as_json_and_saved_again_unchanged(site: Site) -> None:
    async with site.client() as ada:
        made = await ada.put("/api/contents/n.ipynb", json=saved(notebook("a = 1", "a", outputs={1: printed("x")})))
        read = (await ada.get("/api/contents/n.ipynb?hash=1")).json()
        again = await ada.put("/api/contents/n.ipynb", json=saved(read["content"]))
        after = (await ada.get("/api/contents/n.ipynb?hash=1")).json()
        as_text = (await ada.get("/api/contents/n.ipynb?type=file")).json()

    assert made.status_code == 201
    assert (read["type"], read["format"]) == ("notebook", "json")
    assert [cell["source"] for cell in read["content"]["cells"]] == ["a = 1", "a"]
    assert read["content"]["cells"][1]["outputs"] == printed("x")
    assert (again.status_code, after["hash"], after["last_modified"]) == (
        200,
        read["hash"],
        again.json()["last_modified"],
    )
    assert json.loads(as_text["content"])["metadata"] == {"x": 1}


async def test_a_save_keeps_what_others_did_since_the_client_looked(site: Site) -> None:
    async with site.client() as ada, site.client(**{"User-Agent": "another"}) as other:
        await ada.put("/api/contents/n.ipynb", json=saved(notebook("one", "two\nlines", "three")))
        mine = (await ada.get("/api/contents/n.ipynb")).json()["content"]
        theirs = (await other.get("/api/contents/n.ipynb")).json()["content"]
        theirs["cells"][0]["source"] = "ONE"
        theirs["cells"][1]["source"] = "TWO\nlines"
        theirs["cells"].append({"cell_type": "markdown", "id": "new", "metadata": {}, "source": "theirs"})
        await other.put("/api/contents/n.ipynb", json=saved(theirs))
        mine["cells"][1]["source"] = "two\nlines\nmine"
        mine["cells"][2]["source"] = "THREE"
        await ada.put("/api/contents/n.ipynb", json=saved(mine))

        assert await sources(ada, "n.ipynb") == ["ONE", "TWO\nlines\nmine", "THREE", "theirs"]


async def test_outputs_of_a_clients_own_kernel_are_kept_and_stale_ones_are_not(site: Site) -> None:
    async with site.client() as ada, site.client(**{"User-Agent": "another"}) as bob:
        await ada.put("/api/contents/n.ipynb", json=saved(notebook("a", "b", outputs={0: printed("old")})))
        mine = (await ada.get("/api/contents/n.ipynb")).json()["content"]
        other = (await bob.get("/api/contents/n.ipynb")).json()["content"]
        other["cells"][0]["outputs"] = printed("new")
        await bob.put("/api/contents/n.ipynb", json=saved(other))
        mine["cells"][1] |= {"outputs": printed("b ran"), "execution_count": 2}
        await ada.put("/api/contents/n.ipynb", json=saved(mine))
        cells = (await ada.get("/api/contents/n.ipynb")).json()["content"]["cells"]
        cleared = (await ada.get("/api/contents/n.ipynb")).json()["content"]
        cleared["cells"][1] |= {"outputs": [], "execution_count": None}
        await ada.put("/api/contents/n.ipynb", json=saved(cleared))
        after = (await ada.get("/api/contents/n.ipynb")).json()["content"]["cells"]

    assert [cell["outputs"] for cell in cells] == [printed("new"), printed("b ran")]
    assert [cell["outputs"] for cell in after] == [printed("new"), []]


async def test_checkpoints_are_real_copies(site: Site) -> None:
    async with site.client() as ada:
        await ada.put("/api/contents/n.ipynb", json=saved(notebook("first", outputs={0: printed("1")})))
        await ada.put("/api/contents/t.txt", json=TEXT)
        marks = {}
        for path in ("n.ipynb", "t.txt"):
            marks[path] = (await ada.post(f"/api/contents/{path}/checkpoints")).raise_for_status().json()["id"]
        await ada.put("/api/contents/n.ipynb", json=saved(notebook("second", "more")))
        await ada.put("/api/contents/t.txt", json=TEXT | {"content": "changed"})
        listed = (await ada.get("/api/contents/n.ipynb/checkpoints")).json()
        for path, mark in marks.items():
            assert (await ada.post(f"/api/contents/{path}/checkpoints/{mark}")).status_code == 204
        back = (await ada.get("/api/contents/n.ipynb")).json()["content"]["cells"]
        text = (await ada.get("/api/contents/t.txt")).json()["content"]
        assert (await ada.delete(f"/api/contents/t.txt/checkpoints/{marks['t.txt']}")).status_code == 204
        none = (await ada.get("/api/contents/t.txt/checkpoints")).json()
        unknown = await ada.post(f"/api/contents/t.txt/checkpoints/{marks['t.txt']}")

    assert [mark["id"] for mark in listed] == [marks["n.ipynb"]]
    assert [(cell["source"], cell["outputs"]) for cell in back] == [("first", printed("1"))]
    assert (text, none, unknown.status_code) == ("one\ntwo\n", [], 404)


async def test_what_others_share_is_seen_and_what_they_do_not_is_not(site: Site) -> None:
    async with site.client() as ada, site.client(EVE) as eve:
        await ada.put("/api/contents/n.ipynb", json=saved(notebook("shared")))
        principal = await site.house.accounts.principal_by_token(site.tokens[ADA])
        assert principal is not None
        item = next(item for item in await site.house.drive.list_root(principal) if item.name == "n.ipynb")
        before = await eve.get("/api/contents/Shared with me/n.ipynb")
        await site.house.drive.grant(principal, ItemId(item.id), EVE, Role.VIEWER)
        shown = (await eve.get("/api/contents/Shared with me/n.ipynb")).json()
        refused = await eve.put("/api/contents/Shared with me/n.ipynb", json=saved(notebook("mine")))

        assert before.status_code == 404
        assert (shown["writable"], shown["content"]["cells"][0]["source"]) == (False, "shared")
        assert refused.status_code == 403
        assert (await eve.get("/api/contents/n.ipynb")).status_code == 404
        assert await sources(ada, "n.ipynb") == ["shared"]


async def test_items_of_one_name_have_different_paths(site: Site) -> None:
    async with site.client() as ada:
        for _ in range(2):
            await ada.post("/api/contents", json={"type": "file", "ext": ".txt"})
        principal = await site.house.accounts.principal_by_token(site.tokens[ADA])
        assert principal is not None
        items = await site.house.drive.list_root(principal)
        for item in items:
            await site.house.drive.rename(principal, item.id, "same.txt")
        names = [child["name"] for child in (await ada.get("/api/contents")).json()["content"]]
        found = [(await ada.get(f"/api/contents/{name}")).status_code for name in names]

    assert len(set(names)) == 2
    assert "same.txt" in names
    assert found == [200, 200]


@pytest.mark.parametrize("path", ["../x", "a/../b", "%00", "x" * 9000, "a/b/c.txt"])
async def test_no_path_leads_out_of_the_drive(site: Site, path: str) -> None:
    async with site.client() as ada:
        answers = [
            await ada.get(f"/api/contents/{path.replace('..', '%2e%2e')}"),
            await ada.put(f"/api/contents/{path.replace('..', '%2e%2e')}", json=TEXT),
        ]

    assert {answer.status_code for answer in answers} <= {400, 404}
