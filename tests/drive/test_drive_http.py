"""The drive over HTTP."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from starlette.types import Message, Scope

from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts
from collegium.drive.adapters import LocalBlobs
from collegium.drive.service import Drive
from collegium.ground.ids import new_id

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
ClientOf = Callable[[Principal | None], Awaitable[AsyncClient]]


async def folder_of(client: AsyncClient, name: str = "Data", parent: str | None = None) -> str:
    answer = await client.post("/folders", json={"name": name, "parent": parent})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def file_of(client: AsyncClient, name: str, content: bytes = b"x", parent: str = "root") -> str:
    answer = await client.post("/files", params={"name": name, "parent": parent}, content=content)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def test_a_file_comes_back_as_it_was_uploaded(client_of: ClientOf, ada: Principal) -> None:
    client = await client_of(ada)
    folder = await folder_of(client)
    uploaded = await client.post("/files", params={"name": "a.bin", "parent": folder}, content=b"\0\1" * 5000)
    listing = (await client.get("/items", params={"folder": folder})).json()
    content = await client.get(f"/files/{uploaded.json()['id']}/content")

    assert uploaded.json()["size"] == 10_000
    assert listing["items"] == [uploaded.json()]
    assert listing["folder"] == {"id": folder, "name": "Data", "path": [{"id": "root", "name": "My drive"}]}
    assert (await client.get(f"/items/{uploaded.json()['id']}")).json() == uploaded.json()
    assert content.content == b"\0\1" * 5000


async def test_an_item_has_the_shape_that_was_agreed(client_of: ClientOf, ada: Principal) -> None:
    client = await client_of(ada)
    await folder_of(client)
    (item,) = (await client.get("/items")).json()["items"]

    assert item == {
        "id": item["id"],
        "kind": "folder",
        "name": "Data",
        "size": 0,
        "created_at": item["created_at"],
        "modified_at": item["created_at"],
        "role": "owner",
        "owner": {"id": ada.user, "name": "Ada"},
        "trashed_at": None,
        "parent": None,
    }


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", 'été "x".html; filename=a.html', "数据.xhtml"])
async def test_what_was_uploaded_is_saved_and_never_shown(client_of: ClientOf, ada: Principal, name: str) -> None:
    client = await client_of(ada)
    item = await file_of(client, name, b"<script>alert(document.domain)</script>")
    headers = (await client.get(f"/files/{item}/content")).headers

    assert headers["content-disposition"].startswith("attachment; ")
    assert headers["content-security-policy"].startswith("sandbox;")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"] == "application/octet-stream"
    assert headers["cache-control"] == "no-store"


async def test_a_part_of_a_file_can_be_fetched_and_a_broken_download_resumed(
    client_of: ClientOf, ada: Principal
) -> None:
    client = await client_of(ada)
    content = bytes(range(256)) * 10
    item = await file_of(client, "a.bin", content)
    for asked, first, last in [("0-9", 0, 10), ("2550-", 2550, 2560), ("-5", 2555, 2560), ("100-99999", 100, 2560)]:
        answer = await client.get(f"/files/{item}/content", headers={"range": f"bytes={asked}"})

        assert answer.status_code == 206
        assert answer.content == content[first:last]
        assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/2560"
        assert answer.headers["content-length"] == str(last - first)
        assert answer.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=a-b", "bytes=5-2", "pages=1-2", "bytes=", "bytes=-", "0-1"])
async def test_a_range_that_is_not_understood_gets_the_whole(client_of: ClientOf, ada: Principal, asked: str) -> None:
    client = await client_of(ada)
    item = await file_of(client, "a.bin", b"0123456789")
    answer = await client.get(f"/files/{item}/content", headers={"range": asked})

    assert (answer.status_code, answer.content) == (200, b"0123456789")


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(client_of: ClientOf, ada: Principal, asked: str) -> None:
    client = await client_of(ada)
    item = await file_of(client, "a.bin", b"0123456789")
    answer = await client.get(f"/files/{item}/content", headers={"range": asked})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.json()["code"] == "range_not_satisfiable"


async def test_an_empty_file_is_a_file(client_of: ClientOf, ada: Principal) -> None:
    client = await client_of(ada)
    item = await file_of(client, "empty", b"")

    assert (await client.get(f"/files/{item}/content")).content == b""


@pytest.mark.parametrize(
    "name", ["", "a/b", "a\nb", "..", "x" * 10_000, "x" * 256, "a\0", "cod\u202egnp.exe", "\ud83d"]
)
async def test_a_bad_name_is_a_clear_problem_everywhere(client_of: ClientOf, ada: Principal, name: str) -> None:
    client = await client_of(ada)
    folder = await folder_of(client)
    answers = [
        await client.request(method, path, content=json.dumps({"name": name}), headers=JSON)
        for method, path in (("POST", "/folders"), ("PATCH", f"/items/{folder}"))
    ]
    if name != "\ud83d":
        answers.append(await client.post("/files", params={"name": name}, content=b"x"))

    for answer in answers:
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "invalid"
    assert [item["name"] for item in (await client.get("/items")).json()["items"]] == ["Data"]


async def test_a_file_over_the_limit_is_refused_before_and_while_it_comes(
    client_of: ClientOf, ada: Principal, drive: Drive
) -> None:
    client = await client_of(ada)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    announced = await client.post("/files?name=big", content=b"x" * (drive.settings.file_size_max + 1))
    chunked = await client.post("/files?name=big", content=unannounced())

    for answer in (announced, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await client.get("/items")).json()["items"] == []


async def test_an_upload_that_breaks_off_leaves_nothing_and_is_no_bug(
    app: FastAPI,
    accounts: Accounts,
    blobs: LocalBlobs,
    drive: Drive,
    ada: Principal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token = await accounts.create_token(ada.email, "test")
    arriving: list[Message] = [
        {"type": "http.request", "body": b"x" * 100_000, "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": "/api/v1/drive/files",
        "query_string": b"name=half",
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"content-length", b"200000")],
    }

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(_message: Message) -> None:
        return None

    await app(scope, receive, send)

    assert await drive.list_root(ada) == []
    assert [sha256 async for sha256 in blobs.kept()] == []
    assert "request.failed" not in capsys.readouterr().out


async def test_items_are_renamed_moved_trashed_restored_and_deleted(client_of: ClientOf, ada: Principal) -> None:
    client = await client_of(ada)
    folder, file = await folder_of(client), await file_of(client, "a.txt")
    moved = (await client.patch(f"/items/{file}", json={"name": "b.txt", "parent": folder})).json()
    back = (await client.patch(f"/items/{file}", json={"parent": "root"})).json()
    early = await client.delete(f"/items/{file}")
    trashed = (await client.post(f"/items/{file}/trash")).json()
    trash = (await client.get("/items", params={"trash": True})).json()
    restored = (await client.post(f"/items/{file}/restore")).json()
    await client.post(f"/items/{file}/trash")
    gone = await client.delete(f"/items/{file}")

    assert (moved["name"], moved["parent"]) == ("b.txt", folder)
    assert (back["name"], back["parent"]) == ("b.txt", None)
    assert (early.status_code, early.json()["code"]) == (409, "not_in_trash")
    assert trashed["trashed_at"] is not None
    assert trash["folder"] == {"id": "trash", "name": "Trash", "path": []}
    assert [item["id"] for item in trash["items"]] == [file]
    assert restored["trashed_at"] is None
    assert gone.status_code == 204
    assert (await client.get(f"/items/{file}")).status_code == 404
    assert (await client.get(f"/files/{file}/content")).status_code == 404


async def test_sharing_by_address(client_of: ClientOf, ada: Principal, bob: Principal) -> None:
    owner, guest = await client_of(ada), await client_of(bob)
    outer = await folder_of(owner, "Private")
    folder = await folder_of(owner, "Shared", outer)
    file = await file_of(owner, "a.txt", b"hello", folder)
    unknown = await owner.put(f"/items/{folder}/grants", json={"email": "x@example.org", "role": "viewer"})
    as_owner = await owner.put(f"/items/{folder}/grants", json={"email": bob.email, "role": "owner"})
    given = await owner.put(f"/items/{folder}/grants", json={"email": bob.email, "role": "viewer"})
    shared = (await guest.get("/items", params={"folder": "shared"})).json()
    inside = (await guest.get("/items", params={"folder": folder})).json()

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert unknown.json()["detail"] == "Nobody here has this e-mail address."
    assert as_owner.status_code == 422
    assert [(one["email"], one["role"]) for one in given.json()] == [(ada.email, "owner"), (bob.email, "viewer")]
    assert shared["folder"]["id"] == "shared"
    assert [(item["id"], item["role"], item["parent"]) for item in shared["items"]] == [(folder, "viewer", None)]
    assert inside["folder"]["path"] == [{"id": "shared", "name": "Shared with me"}]
    assert [item["parent"] for item in inside["items"]] == [folder]
    assert (await guest.get(f"/items/{folder}")).json()["parent"] is None
    assert (await guest.get(f"/files/{file}/content")).content == b"hello"
    assert (await guest.get(f"/items/{outer}")).status_code == 404
    assert (await guest.get(f"/items/{folder}/grants")).status_code == 403
    refused = await guest.patch(f"/items/{file}", json={"name": "mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    withdrawn = await owner.request("DELETE", f"/items/{folder}/grants", json={"email": bob.email})
    assert withdrawn.status_code == 204
    assert (await guest.get(f"/files/{file}/content")).status_code == 404


def addresses(app: FastAPI, item: str) -> list[tuple[str, str]]:
    """Every method and address of the drive, for this item."""
    return [
        (method.upper(), path.replace("{item}", item).removeprefix("/api/v1/drive"))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]


async def test_without_a_valid_credential_every_route_says_the_same(
    app: FastAPI, client_of: ClientOf, ada: Principal
) -> None:
    item = await file_of(await client_of(ada), "a.txt")
    stranger = await client_of(None)
    for real in (item, new_id()):
        for method, path in addresses(app, real):
            for headers in ({}, {"authorization": "Bearer col_wrong"}, {"cookie": "collegium=wrong"}):
                body = {"name": "x", "email": "a@b", "role": "viewer"}
                answer = await stranger.request(method, path, params={"name": "x"}, json=body, headers=headers)

                assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), (method, path)


async def test_to_a_stranger_an_item_that_exists_looks_like_one_that_does_not(
    app: FastAPI, client_of: ClientOf, ada: Principal, bob: Principal
) -> None:
    item, missing = await file_of(await client_of(ada), "a.txt"), new_id()
    guest = await client_of(bob)
    body = {"name": "x", "email": ada.email, "role": "viewer", "audience": "anyone"}
    of_item = [one for one in addresses(app, item) if item in one[1]]
    of_missing = [one for one in addresses(app, missing) if missing in one[1]]
    for (method, path), (_, missing_path) in zip(of_item, of_missing, strict=True):
        seen, unseen = [await guest.request(method, where, json=body) for where in (path, missing_path)]

        assert seen.status_code == unseen.status_code == 404, (method, path)
        assert seen.json() == unseen.json()
    assert len(of_item) >= 8


async def test_every_route_has_a_name_a_summary_and_a_shape(app: FastAPI) -> None:
    names: set[str] = set()
    for methods in app.openapi()["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            names.add(operation["operationId"])
    assert len(names) == sum(len(methods) for methods in app.openapi()["paths"].values())
