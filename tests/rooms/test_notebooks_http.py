"""Notebooks over HTTP: made, looked at, given out, and what bad input gets."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

from collegium.accounts.model import Principal, Role
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.notebooks.settings import NotebookSettings
from rooms.house import House, open_house

pytestmark = pytest.mark.anyio

HOSTILE = "<script>alert(document.domain)</script><img src=x onerror=alert(1)>"
FILE: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"title": HOSTILE, "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": [f"# {HOSTILE}"]},
        {
            "cell_type": "code",
            "id": "c",
            "metadata": {"x": HOSTILE},
            "execution_count": 2,
            "source": ["print(1)"],
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"text/html": [HOSTILE]}, "metadata": {}},
            ],
        },
    ],
}


@dataclass
class Desk:
    """Ada at her computer."""

    house: House
    ada: Principal
    http: httpx.AsyncClient

    async def made(self, file: Any = FILE, **query: str) -> str:
        answer = await self.http.post("/notebooks", json=file, params=query)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_house(tmp_path, notebook_settings=NotebookSettings(upload_bytes_max=200_000)) as house:
        ada, token = await house.person("Ada")
        base = f"http://127.0.0.1:{house.port}/api/v1"
        async with httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        ) as http:
            yield Desk(house, ada, http)


async def test_a_notebook_made_of_nothing_has_one_empty_code_cell_and_lies_in_notebooks(desk: Desk) -> None:
    answer = await desk.http.post("/notebooks")
    made = answer.json()

    assert answer.status_code == 201
    assert made["url"] == f"/notebooks/{made['id']}"
    assert (await desk.http.get(f"/notebooks/{made['id']}")).json()["role"] == "owner"
    content = (await desk.http.get(f"/notebooks/{made['id']}/content")).json()
    assert [(cell["cell_type"], cell["source"], cell["outputs"]) for cell in content["cells"]] == [("code", [], [])]
    nbformat.validate(content)
    folder = (await desk.house.drive.list_root(desk.ada))[0]
    assert folder.name == "Notebooks"
    _, inside = await desk.house.drive.list_folder(desk.ada, folder.id)
    assert [item.id for item, _ in inside] == [made["id"]]


async def test_a_file_comes_out_as_it_went_in(desk: Desk) -> None:
    id = await desk.made(name="x.ipynb")
    answer = await desk.http.get(f"/notebooks/{id}/content")

    assert answer.json() == FILE
    assert answer.headers["content-disposition"].startswith('attachment; filename="x.ipynb"')
    nbformat.validate(answer.json())


async def test_every_form_of_it_is_served_as_a_strangers_page(desk: Desk) -> None:
    id = await desk.made()

    for form, media, said in (
        ("html", "text/html", "print"),
        ("md", "text/markdown", "print(1)"),
        ("py", "text/x-python", "# %%\nprint(1)"),
        ("ipynb", "application/x-ipynb+json", "print(1)"),
    ):
        answer = await desk.http.get(f"/notebooks/{id}/content", params={"format": form})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media)
        assert answer.headers["content-security-policy"] == USER_CONTENT_POLICY
        assert said in answer.text
    assert (await desk.http.get(f"/notebooks/{id}/content", params={"format": "pdf"})).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not a notebook", 422, "invalid"),
        (b"\xff\xfe", 422, "invalid"),
        (b'{"nbformat": 9}', 422, "invalid"),
        (b"[" * 100_000, 422, "invalid"),
        (b" " * 300_000, 413, "too_large"),
        (json.dumps(FILE).encode() + b" " * 200_000, 413, "too_large"),
    ],
)
async def test_what_is_no_notebook_is_refused_with_a_problem(desk: Desk, body: bytes, status: int, code: str) -> None:
    id = await desk.made()

    for answer in (
        await desk.http.post("/notebooks", content=body),
        await desk.http.put(f"/notebooks/{id}/content", content=body),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
    assert (await desk.http.get(f"/notebooks/{id}/content")).json() == FILE


async def test_a_body_without_a_length_is_bounded_too(desk: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 10_000

    try:
        answer = await desk.http.post("/notebooks", content=endless())
    except httpx.WriteError:
        return  # the server has hung up in the middle of it
    assert answer.status_code == 413


@pytest.mark.parametrize("name", ["a/b", "a\nb", "x" * 10_000, "", ".."])
async def test_a_bad_name_is_refused(desk: Desk, name: str) -> None:
    answer = await desk.http.post("/notebooks", params={"name": name} if name else {"name": " "})

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


async def test_each_role_may_do_what_it_may(desk: Desk) -> None:
    id = await desk.made()
    bob, token = await desk.house.person("Bob")
    headers = {"Authorization": f"Bearer {token}"}
    for role, read, write in ((None, 404, 404), (Role.VIEWER, 200, 403), (Role.COMMENTER, 200, 403)):
        if role is not None:
            await desk.house.share(desk.ada, id, bob, role)  # type: ignore[arg-type]
        assert (await desk.http.get(f"/notebooks/{id}", headers=headers)).status_code == read
        assert (await desk.http.get(f"/notebooks/{id}/content", headers=headers)).status_code == read
        assert (await desk.http.put(f"/notebooks/{id}/content", headers=headers, json=FILE)).status_code == write
    await desk.house.share(desk.ada, id, bob, Role.EDITOR)  # type: ignore[arg-type]
    assert (await desk.http.put(f"/notebooks/{id}/content", headers=headers, json=FILE)).status_code == 200
    for method, path in (("GET", ""), ("GET", "/content"), ("PUT", "/content")):
        nobody = await desk.http.request(method, f"/notebooks/{id}{path}", headers={"Authorization": "Bearer no"})
        assert nobody.status_code == 401
    folder = (await desk.house.drive.list_root(desk.ada))[0].id
    assert (await desk.http.post("/notebooks", headers=headers, params={"folder": folder})).status_code == 404
