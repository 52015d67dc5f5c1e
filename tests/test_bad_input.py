"""What no honest client sends over HTTP: a clear refusal each time, and nothing half-written."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import nbformat
import pytest

from collegium.app import House, create_app, open_house
from collegium.ground.ids import new_id
from collegium.settings import Settings
from rooms.house import serving

pytestmark = pytest.mark.anyio

HOSTILE = '</script><script>alert(document.domain)</script><img src=x onerror=alert(1)>" onload="x'
MB = 1_000_000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The server outlives a test."""
    return "asyncio"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, int]]:
    """The whole server, and its port."""
    data = tmp_path_factory.mktemp("server")
    async with open_house(Settings(data=data, engine="none")) as house, serving(create_app(house)) as port:
        yield house, port


@pytest.fixture
async def ada(server: tuple[House, int]) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's program, signed in to the server; she has nothing there, and is another one in each test."""
    house, port = server
    email = f"ada@{new_id().lower()}.example.org"
    await house.accounts.create_user(email, "Ada", "correct horse battery")
    headers = {"Authorization": f"Bearer {await house.accounts.create_token(email, 't')}"}
    base = f"http://127.0.0.1:{port}/api/v1"
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=120) as client:
        yield client


def notebook(*cells: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | changes


def code(source: Any = "x", **changes: Any) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None
    } | changes  # fmt: skip


async def items(client: httpx.AsyncClient) -> list[str]:
    """The ids of everything in Ada's drive, whatever folder it is in."""
    found = []
    folders = ["root"]
    while folders:
        listing = (await client.get("/drive/items", params={"folder": folders.pop()})).raise_for_status().json()
        found += [item["id"] for item in listing["items"]]
        folders += [item["id"] for item in listing["items"] if item["kind"] == "folder"]
    return found


def is_a_problem(answer: httpx.Response) -> bool:
    body = answer.json()
    return (
        answer.headers["content-type"] == "application/problem+json"
        and len(body["detail"]) > 10
        and body["code"] != "internal"
        and "Traceback" not in answer.text
    )


BAD: dict[str, Any] = {
    "no notebook": {"hello": "world"},
    "a list": [1, 2],
    "a number": 5,
    "no JSON": b"%PDF-1.7 hello",
    "half of one": json.dumps(notebook(code())).encode()[:-9],
    "invalid UTF-8": json.dumps(notebook(code())).encode().replace(b'"x"', b'"\xff\xfe"'),
    "cells that are none": notebook(cells={"a": 1}),
    "a cell that is none": notebook(cells=["x"]),
    "a cell of an unknown type": notebook(code(cell_type="spreadsheet")),
    "a source that is none": notebook(code(source={"x": 1})),
    "outputs that are none": notebook(code(outputs="x")),
    "an output that is none": notebook(code(outputs=[{"output_type": "party"}])),
    "a newer major version": notebook(code(), nbformat=9),
    "very deep": b"[" * 200_000,
}


@pytest.mark.parametrize("file", BAD.values(), ids=list(BAD))
async def test_what_is_no_notebook_is_refused_and_leaves_nothing(ada: httpx.AsyncClient, file: Any) -> None:
    body = file if isinstance(file, bytes) else json.dumps(file).encode()
    kept = (await ada.post("/notebooks", params={"name": "kept.ipynb"})).raise_for_status().json()["id"]
    before, content = await items(ada), (await ada.get(f"/notebooks/{kept}/content")).content
    made = await ada.post("/notebooks", content=body)
    put = await ada.put(f"/notebooks/{kept}/content", content=body)

    assert (made.status_code, put.status_code) == (422, 422)
    assert is_a_problem(made)
    assert is_a_problem(put)
    assert await items(ada) == before
    assert (await ada.get(f"/notebooks/{kept}/content")).content == content


async def test_an_old_notebook_is_brought_up_to_date(ada: httpx.AsyncClient) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Title"]},
                    {
                        "cell_type": "code",
                        "language": "python",
                        "metadata": {},
                        "input": ["print 1"],
                        "prompt_number": 3,
                        "collapsed": False,
                        "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["1\n"]}],
                    },
                ],
            }
        ],
    }
    id = (await ada.post("/notebooks", json=old)).raise_for_status().json()["id"]
    new = (await ada.get(f"/notebooks/{id}/content")).json()

    nbformat.validate(new)
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in new["cells"]] == [
        ("markdown", "## Title"),
        ("code", "print 1"),
    ]
    assert new["cells"][1]["outputs"][0]["text"] == ["1\n"]


async def test_cells_with_the_same_id_or_none_are_each_kept(ada: httpx.AsyncClient) -> None:
    cells = [code("1"), code("2"), code("3", id="no good id!"), code("4")]
    del cells[3]["id"]
    id = (await ada.post("/notebooks", json=notebook(*cells))).raise_for_status().json()["id"]
    new = (await ada.get(f"/notebooks/{id}/content")).json()

    nbformat.validate(new)
    assert ["".join(cell["source"]) for cell in new["cells"]] == ["1", "2", "3", "4"]
    assert len({cell["id"] for cell in new["cells"]}) == 4


async def test_a_notebook_of_100_mb_is_taken_and_a_larger_one_is_not(ada: httpx.AsyncClient) -> None:
    line = "x" * (MB - 1) + "\n"
    output = {"output_type": "stream", "name": "stdout", "text": [line] * 99}
    body = json.dumps(notebook(code(outputs=[output]))).encode()
    body += b" " * (100 * MB - len(body))
    made = await ada.post("/notebooks", content=body)
    before = await items(ada)
    larger = await ada.post("/notebooks", content=body + b" " * MB)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(101):
            yield b" " * MB

    unannounced = await ada.post("/notebooks", content=pieces())

    assert made.status_code == 201
    exported = (await ada.get(f"/notebooks/{made.json()['id']}/content")).json()
    assert "".join(exported["cells"][0]["outputs"][0]["text"]) == line * 99
    assert (larger.status_code, unannounced.status_code) == (413, 413)
    assert is_a_problem(larger)
    assert is_a_problem(unannounced)
    assert await items(ada) == before


async def test_hostile_html_is_only_ever_text(ada: httpx.AsyncClient) -> None:
    output = {"output_type": "display_data", "data": {"text/html": [HOSTILE]}, "metadata": {}}
    file = notebook(code(HOSTILE, outputs=[output], metadata={"x": HOSTILE}), metadata={"title": HOSTILE})
    name = HOSTILE.replace("/", "")
    made = (await ada.post("/notebooks", params={"name": name}, json=file)).raise_for_status().json()
    for form in ("ipynb", "py", "html", "md"):
        answer = await ada.get(f"/notebooks/{made['id']}/content", params={"format": form})

        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "onload" not in answer.headers.get("content-disposition", "").replace("%22", "").split("filename=")[0]
    assert (await ada.get(f"/notebooks/{made['id']}")).json()["name"] == name


NAMES = ["a/b", "a\nb", "a\0b", "n" * 10_000, "", "   ", "..", "\u202egnp.exe", "a\ud800"]


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name[:10]) for name in NAMES])
async def test_a_bad_name_is_refused_or_made_good_everywhere(ada: httpx.AsyncClient, name: str) -> None:
    kept = (await ada.post("/notebooks", params={"name": "kept.ipynb"})).raise_for_status().json()["id"]
    before = await items(ada)
    body = json.dumps({"name": name}).encode()
    answers = [
        await ada.post("/drive/folders", content=body, headers={"content-type": "application/json"}),
        await ada.patch(f"/drive/items/{kept}", content=body, headers={"content-type": "application/json"}),
    ]
    if name.isprintable():
        answers += [
            await ada.post("/notebooks", params={"name": name}),
            await ada.post("/drive/files", params={"name": name}, content=b"x"),
        ]

    made = 0
    for answer in answers:
        if answer.status_code >= 400:
            assert answer.status_code in (400, 413, 422), answer.text
            assert is_a_problem(answer)
        else:
            good = answer.json()["name"]
            assert 0 < len(good) <= 255
            assert good.isprintable()
            assert "/" not in good
            made += answer.status_code == 201
    assert len(await items(ada)) == len(before) + made
