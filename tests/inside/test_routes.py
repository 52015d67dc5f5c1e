"""Files and terminals over HTTP: what they answer, to whom, and as what a browser takes it."""

import json
import os
from typing import Any

import anyio
import httpx
import pytest
from websockets.exceptions import InvalidStatus

from agent_process import AgentProcess
from inside.conftest import ADA, EVE, Site, close_code

pytestmark = pytest.mark.anyio

MB = 1 << 20


@pytest.fixture
def folder(agent: AgentProcess) -> str:
    path = agent.content / os.urandom(6).hex()
    path.mkdir()
    return str(path)


async def test_a_file_is_made_written_read_moved_and_deleted(site: Site, folder: str) -> None:
    async with site.client() as ada:
        path = f"{folder}/notes.txt"
        assert (await ada.post("/files", json={"path": path, "kind": "file"})).status_code == 201
        assert (await ada.post("/files", json={"path": path, "kind": "file"})).status_code == 409
        written = await ada.put("/files/content", params={"path": path}, content=b"hello")
        read = await ada.get("/files/content", params={"path": path})
        stale = await ada.put("/files/content", params={"path": path}, content=b"other", headers={"If-Match": '"1-1"'})
        fresh = await ada.put(
            "/files/content", params={"path": path}, content=b"newer", headers={"If-Match": read.headers["etag"]}
        )
        moved = await ada.patch("/files", json={"path": path, "to": f"{folder}/b.txt"})
        listed = (await ada.get("/files", params={"path": folder})).json()
        gone = await ada.delete("/files", params={"path": f"{folder}/b.txt"})
        missing = await ada.get("/files/content", params={"path": path})

    assert read.content == b"hello"
    assert written.json()["etag"] == read.headers["etag"]
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    assert fresh.json()["etag"] != read.headers["etag"]
    assert (moved.status_code, gone.status_code, missing.status_code) == (204, 204, 404)
    assert [(one["name"], one["kind"], one["size"]) for one in listed["entries"]] == [("b.txt", "file", 5)]
    assert site.runtime.touched >= 5


async def test_a_file_is_a_strangers_whatever_its_name(site: Site, folder: str) -> None:
    names = {"page.html": "application/octet-stream", "code.js": "application/octet-stream", "a.svg": "image/svg+xml"}
    async with site.client() as ada:
        for name, kind in (names | {'x"\r\n\u202e.PNG': "image/png"}).items():
            path = f"{folder}/{name}"
            await ada.put("/files/content", params={"path": path}, content=b"<script>alert(1)</script>")
            answer = await ada.get("/files/content", params={"path": path})

            assert answer.status_code == 200
            assert answer.headers["content-type"] == kind
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.headers["content-security-policy"].startswith("sandbox;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            saved = await ada.get("/files/content", params={"path": path, "download": "1"})
            assert saved.headers["content-type"] == "application/octet-stream"


async def test_a_range_of_a_file_is_read(site: Site, folder: str) -> None:
    data = os.urandom(3 * MB)
    async with site.client() as ada:
        path = {"path": f"{folder}/data"}
        await ada.put("/files/content", params=path, content=data)
        part = await ada.get("/files/content", params=path, headers={"Range": "bytes=1000000-2000000"})
        tail = await ada.get("/files/content", params=path, headers={"Range": "bytes=-5"})
        beyond = await ada.get("/files/content", params=path, headers={"Range": f"bytes={4 * MB}-"})
        whole = await ada.get("/files/content", params=path)

    assert (part.status_code, part.content) == (206, data[1_000_000:2_000_001])
    assert part.headers["content-range"] == f"bytes 1000000-2000000/{len(data)}"
    assert tail.content == data[-5:]
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")
    assert whole.content == data


async def test_a_large_file_arrives_in_parts(site: Site, folder: str) -> None:
    data = os.urandom(20 * MB)
    async with site.client() as ada:
        where = {"path": f"{folder}/large.bin", "total": len(data), "mark": "m1"}
        too_much = await ada.put("/files/upload", params={**where, "offset": 0}, content=data[: 9 * MB])
        begun = await ada.put("/files/upload", params={**where, "offset": 0}, content=data[: 8 * MB])
        gap = await ada.put("/files/upload", params={**where, "offset": 9 * MB}, content=b"x")
        there = (await ada.get("/files/upload", params={"path": where["path"]})).json()
        for offset in range(8 * MB, len(data), 8 * MB):
            last = await ada.put(
                "/files/upload", params={**where, "offset": offset}, content=data[offset : offset + 8 * MB]
            )
        after = (await ada.get("/files/upload", params=where)).json()

    assert too_much.status_code == 413
    assert begun.json() == {"received": 8 * MB, "total": len(data)}
    assert (gap.status_code, gap.json()["received"]) == (409, 8 * MB)
    assert there == {"received": 8 * MB, "total": len(data)}
    assert last.json()["received"] == len(data)
    assert after == {"received": 0, "total": None}
    with open(f"{folder}/large.bin", "rb") as file:
        assert file.read() == data


async def test_a_reader_who_goes_away_stops_the_reading(site: Site, folder: str) -> None:
    with open(f"{folder}/sparse", "wb") as file:
        file.truncate(10 << 30)
    for _ in range(4):
        async with (
            site.client() as ada,
            ada.stream("GET", "/files/content", params={"path": f"{folder}/sparse"}) as answer,
        ):
            async for _ in answer.aiter_bytes():
                break
    with anyio.fail_after(60):
        while len(reading(site.runtime.agent, "sparse")):
            await anyio.sleep(0.01)


async def test_a_file_that_becomes_shorter_is_not_taken_for_whole(
    site: Site, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open(f"{folder}/shrinking", "wb") as file:
        file.truncate(1 << 30)
        async with (
            site.client() as ada,
            ada.stream("GET", "/files/content", params={"path": f"{folder}/shrinking"}) as answer,
        ):
            pieces = answer.aiter_raw()
            await anext(pieces)
            file.truncate(1)
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in pieces:
                    pass

    assert "Traceback" not in caplog.text


def reading(agent: AgentProcess, name: str) -> list[str]:
    found = []
    for pid, _ in agent.children():
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
            except OSError:
                continue
            if target.endswith(name):
                found.append(target)
    return found


ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/files?path=/", None),
    ("POST", "/files", {"path": "/tmp/x", "kind": "file"}),
    ("PATCH", "/files", {"path": "/tmp/x", "to": "/tmp/y"}),
    ("DELETE", "/files?path=/tmp/x", None),
    ("GET", "/files/content?path=/etc/passwd", None),
    ("PUT", "/files/content?path=/tmp/x", None),
    ("PUT", "/files/upload?path=/tmp/x&offset=0&total=0", None),
    ("GET", "/files/upload?path=/tmp/x", None),
    ("GET", "/terminals", None),
    ("POST", "/terminals", None),
    ("DELETE", "/terminals/x", None),
    ("GET", "/ports", None),
    ("POST", "/ports/80", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_nobody_else_reaches_in(site: Site, method: str, path: str, body: Any) -> None:
    async with site.client(EVE) as eve, site.client(None) as nobody:
        assert (await eve.request(method, path, json=body)).status_code == 404
        assert (await nobody.request(method, path, json=body)).status_code == 401


async def test_another_sites_page_changes_nothing(site: Site, folder: str) -> None:
    async with site.browser() as ada:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
            answer = await ada.put(
                site.path + "/files/content", params={"path": f"{folder}/x"}, content=b"x", headers=headers
            )
            assert answer.status_code == 403
    assert os.listdir(folder) == []


# terminals


async def new_terminal(site: Site) -> str:
    async with site.client() as ada:
        made = await ada.post("/terminals")
        assert made.status_code == 201
        name: str = made.json()["name"]
        assert name in [one["name"] for one in (await ada.get("/terminals")).json()]
    return name


async def until(socket: Any, wanted: bytes) -> int:
    """Read until this was printed; the offset behind it."""
    text = b""
    with anyio.fail_after(20):
        while wanted not in text:
            frame = await socket.recv()
            assert isinstance(frame, bytes), frame
            offset = int.from_bytes(frame[:8], "big")
            text += frame[8:]
    return offset + len(frame) - 8


async def test_a_terminal_is_typed_in_left_and_found_again(site: Site) -> None:
    name = await new_terminal(site)
    async with site.terminal(name) as socket:
        await socket.send(json.dumps({"type": "resize", "rows": 50, "cols": 120}))
        await socket.send(json.dumps({"type": "input", "data": "stty size; echo on''e\r"}))
        seen = await until(socket, b"one\r")
    async with site.terminal(name, since=seen) as socket:
        await socket.send(json.dumps({"type": "input", "data": "exit 5\r"}))
        with anyio.fail_after(20):
            while isinstance(frame := await socket.recv(), bytes):
                assert b"one\r" not in frame
        assert json.loads(frame) == {"type": "exited", "code": 5}
        assert await close_code(socket) == 1000
    async with site.terminal(name) as socket:
        assert await close_code(socket) == 4404


@pytest.mark.parametrize("frame", ["{", "[]", '{"type":"input","data":5}', '{"type":"resize","rows":0,"cols":9}', b"x"])
async def test_a_bad_frame_ends_the_socket_and_not_the_terminal(site: Site, frame: str | bytes) -> None:
    name = await new_terminal(site)
    async with site.terminal(name) as socket:
        await socket.send(frame)
        assert await close_code(socket) == 4400
    async with site.client() as ada:
        assert (await ada.delete(f"/terminals/{name}")).status_code == 204


async def test_a_terminal_closes_when_the_right_to_it_is_withdrawn(site: Site) -> None:
    name = await new_terminal(site)
    async with site.terminal(name) as socket:
        await until(socket, b"$" if os.geteuid() else b"#")
        site.runtime.users.clear()
        with anyio.fail_after(60):
            assert await close_code(socket) == 4404


async def test_a_terminal_closes_when_its_login_ends(site: Site) -> None:
    name = await new_terminal(site)
    async with site.browser() as ada:
        cookie = {"Cookie": f"collegium={ada.cookies['collegium']}", "Origin": site.url}
        async with site.terminal(name, None, **cookie) as socket:
            await until(socket, b"$" if os.geteuid() else b"#")
            await ada.delete("/api/v1/login")
            with anyio.fail_after(60):
                assert await close_code(socket) == 4401


async def test_no_terminal_opens_for_others(site: Site) -> None:
    name = await new_terminal(site)
    async with site.terminal(name, EVE) as socket:
        assert await close_code(socket) == 4404
    async with site.terminal(name, None) as socket:
        assert await close_code(socket) == 4401
    async with site.browser() as ada:
        cookie = f"collegium={ada.cookies['collegium']}"
        for origin in ("https://evil.example", "null", f"http://x.localhost:{site.port}"):
            with pytest.raises(InvalidStatus, match="403"):
                async with site.terminal(name, None, Cookie=cookie, Origin=origin):
                    pass
    assert ADA in site.runtime.users


async def test_a_terminal_whose_agent_is_killed_says_come_back_later(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    name = await new_terminal(site)
    async with site.terminal(name) as socket:
        await until(socket, b"$" if os.geteuid() else b"#")
        site.runtime.agent.kill_agent()
        with anyio.fail_after(60):
            assert await close_code(socket) == 1013
    async with site.client() as ada:
        with anyio.fail_after(20):
            while (await ada.get("/terminals")).status_code != 200:
                await anyio.sleep(0.01)

    assert "Traceback" not in caplog.text
