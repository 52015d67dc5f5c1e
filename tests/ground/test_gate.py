"""Other sites' pages are kept out, and every answer carries its policy."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket
from httpx import ASGITransport, AsyncClient
from starlette.types import Message, Scope

from collegium.ground import errors
from collegium.ground.http import (
    APP_POLICY,
    ASSET_POLICY,
    CLOSE,
    OUTPUT_POLICY,
    STATUS,
    BodyLimit,
    Gate,
    add_problem_handlers,
    same_origin,
)

pytestmark = pytest.mark.anyio
HOST = "good.com:8000"

HOSTILE_ORIGINS = [
    "null",
    "",
    "http://evil.com",
    "http://evil.com:8000",
    "http://good.com.evil.com:8000",
    "http://evilgood.com:8000",
    "http://good.com",
    "http://good.com:8001",
    "http://good.com:80000",
    "http://sub.good.com:8000",
    "http://good.com.:8000",
    "http://good.com:8000@evil.com",
    "http://evil.com@good.com:8000",
    "http://user:secret@good.com:8000",
    "http://good.com:8000/",
    "http://good.com:8000/path",
    "http://good.com:8000?query",
    "http://good.com:8000#fragment",
    "http://good.com:8000 http://evil.com",
    "http://good.com:8000, http://evil.com",
    "http://good.com:8000\t",
    "ftp://good.com:8000",
    "file://good.com:8000",
    "chrome-extension://good.com:8000",
    "//good.com:8000",
    "good.com:8000",
    "http:good.com:8000",
    "http:///good.com:8000",
    "http://[good.com:8000",
    "http://[::1",
    "javascript:good.com:8000",
    "http://g\u00f6od.com:8000",
    "*",
]


def scope(*headers: tuple[str, str], scheme: str = "http") -> Scope:
    raw = [(key.encode(), value.encode("latin-1")) for key, value in headers]
    return {"type": "http", "scheme": scheme, "headers": raw}


@pytest.mark.parametrize("origin", HOSTILE_ORIGINS)
def test_no_other_origin_passes_for_ours(origin: str) -> None:
    assert not same_origin(scope(("host", HOST), ("origin", origin)))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("good.com:8000", "http://good.com:8000"),
        ("GOOD.com:8000", "http://good.COM:8000"),
        ("good.com", "http://good.com"),
        ("good.com", "http://good.com:80"),
        ("good.com:80", "http://good.com"),
        ("good.com", "https://good.com"),
        ("good.com:443", "https://good.com"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_our_own_origin_passes_however_it_is_spelt(host: str, origin: str) -> None:
    assert same_origin(scope(("host", host), ("origin", origin)))


def test_a_page_without_tls_is_another_site_to_a_server_with_it() -> None:
    assert not same_origin(scope(("host", "good.com:443"), ("origin", "http://good.com:443"), scheme="https"))
    assert not same_origin(scope(("host", "good.com"), ("origin", "http://good.com"), scheme="wss"))
    assert same_origin(scope(("host", "good.com"), ("origin", "https://good.com"), scheme="https"))


def test_a_missing_or_doubled_host_and_a_doubled_origin_are_refused() -> None:
    ours = ("origin", "http://good.com")
    assert not same_origin(scope(ours))
    assert not same_origin(scope(("host", "good.com"), ("host", "evil.com"), ours))
    assert not same_origin(scope(("host", "good.com"), ours, ("origin", "http://evil.com")))


def test_a_program_that_is_no_browser_passes() -> None:
    assert same_origin(scope(("host", HOST)))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin ", "nonsense"])
def test_what_the_browser_calls_another_site_is_refused_even_with_our_origin(site: str) -> None:
    assert not same_origin(scope(("host", HOST), ("origin", f"http://{HOST}"), ("sec-fetch-site", site)))


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    app.add_middleware(Gate)

    @app.api_route("/api/thing", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    async def thing() -> dict[str, str]:
        return {"seen": "yes"}

    @app.get("/assets/app.js")
    async def asset() -> dict[str, str]:
        return {}

    @app.get("/output.html")
    @app.get("/output-closed.html")
    async def output() -> dict[str, str]:
        return {}

    @app.get("/fails/{name}")
    async def fails(name: str) -> None:
        kind: Any = getattr(errors, name)
        raise kind("why")

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("in")
        await socket.close()

    @app.websocket("/fails/{name}/{accepted}")
    async def socket_fails(socket: WebSocket, name: str, accepted: bool) -> None:
        if accepted:
            await socket.accept()
        kind: Any = getattr(errors, name)
        raise kind("why " * 100)

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url=f"http://{HOST}") as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("mode", ["navigate", "cors", "no-cors", "same-origin", "websocket", None])
async def test_nothing_is_changed_from_another_site_in_any_fetch_mode(
    client: AsyncClient, method: str, mode: str | None
) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"} | (
        {"sec-fetch-mode": mode} if mode else {}
    )

    answer = await client.request(method, "/api/thing", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize(
    "origin", [origin for origin in HOSTILE_ORIGINS if origin.isascii() and origin.strip() == origin]
)
async def test_a_post_with_a_hostile_origin_is_refused(client: AsyncClient, origin: str) -> None:
    assert (await client.post("/api/thing", headers={"origin": origin})).status_code == 403


@pytest.mark.parametrize(
    ("mode", "dest", "status"),
    [
        ("navigate", "document", 200),
        ("navigate", "iframe", 403),
        ("navigate", "embed", 403),
        ("no-cors", "image", 403),
        ("no-cors", "script", 403),
        ("cors", "empty", 403),
    ],
)
async def test_from_another_site_a_person_may_follow_a_link_and_nothing_else(
    client: AsyncClient, mode: str, dest: str, status: int
) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": dest}

    assert (await client.get("/api/thing", headers=headers)).status_code == status


async def test_the_opaque_output_frame_may_fetch_the_apps_scripts(client: AsyncClient) -> None:
    answer = await client.get("/assets/app.js", headers={"origin": "null", "sec-fetch-site": "cross-site"})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-security-policy"] == ASSET_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_answer_carries_its_policy_even_a_refusal(client: AsyncClient) -> None:
    seen = await client.get("/api/thing")
    refused = await client.post("/api/thing", headers={"origin": "null"})
    missing = await client.get("/api/nothing")
    frame = await client.get("/output.html")

    for answer in (seen, refused, missing):
        assert answer.headers["content-security-policy"] == APP_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert frame.headers["content-security-policy"] == OUTPUT_POLICY


async def test_the_closed_output_frame_has_no_network(client: AsyncClient) -> None:
    frame = await client.get("/output-closed.html")
    policy = dict(part.strip().split(" ", 1) for part in frame.headers["content-security-policy"].split(";"))

    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert not policy.keys() & {"connect-src", "frame-src", "child-src", "worker-src", "object-src"}
    for name, sources in policy.items():
        if name.endswith("-src"):
            assert set(sources.split()) <= {"'none'", "'self'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    assert frame.headers["connection-allowlist"] == "(response-origin)"


async def test_a_bug_shows_nothing_of_the_inside_and_carries_the_policy(app: FastAPI) -> None:
    @app.get("/api/bug")
    async def bug() -> None:
        raise RuntimeError("/srv/secret/path")

    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        answer = await client.get("/api/bug")

    assert (answer.status_code, answer.json()["code"]) == (500, "bug")
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == APP_POLICY
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_policies_let_no_inline_script_in_and_no_frame_share_our_origin() -> None:
    scripts = next(part for part in APP_POLICY.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self'"
    assert OUTPUT_POLICY.startswith("sandbox ")
    assert "allow-same-origin" not in OUTPUT_POLICY


@pytest.mark.parametrize("kind", STATUS)
async def test_every_expected_error_is_a_problem_with_its_code(
    client: AsyncClient, kind: type[errors.CollegiumError]
) -> None:
    answer = await client.get(f"/fails/{kind.__name__}")

    assert answer.status_code == STATUS[kind]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == kind.code
    assert answer.json()["detail"] == "why"


def test_every_expected_error_has_a_status_and_a_close_code() -> None:
    kinds = set(errors.CollegiumError.__subclasses__())
    assert set(STATUS) == kinds
    assert set(CLOSE) == kinds


@pytest.fixture
async def limited(app: FastAPI) -> AsyncIterator[AsyncClient]:
    app.add_middleware(BodyLimit, bytes_max=1000, streamed="/(streamed|other)")

    @app.post("/json")
    async def read_json(body: dict[str, str]) -> int:
        return len(body["text"])

    @app.post("/streamed")
    async def read_stream(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    async with AsyncClient(transport=ASGITransport(app), base_url=f"http://{HOST}") as client:
        yield client


async def chunks(size: int) -> AsyncIterator[bytes]:
    yield b'{"text":"'
    for _ in range(size // 100):
        yield b"x" * 100
    yield b'"}'


async def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(limited: AsyncClient) -> None:
    announced = await limited.post("/json", json={"text": "x" * 2000})
    unannounced = await limited.post("/json", content=chunks(2000), headers={"content-type": "application/json"})

    for answer in (announced, unannounced):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_within_the_limit_and_one_that_is_streamed_pass(limited: AsyncClient) -> None:
    assert (await limited.post("/json", json={"text": "x" * 900})).json() == 900
    unannounced = await limited.post("/json", content=chunks(900), headers={"content-type": "application/json"})
    assert unannounced.json() == 900
    assert (await limited.post("/streamed", content=b"x" * 5000)).json() == 5000
    assert (await limited.post("/streamed/below", content=b"x" * 5000)).status_code == 413


async def opened(app: FastAPI, path: str, **headers: str) -> list[Message]:
    """What the server sends to somebody who opens a socket and says nothing."""
    sent: list[Message] = []
    raw = [(b"host", HOST.encode()), *((key.encode(), value.encode()) for key, value in headers.items())]
    socket: Scope = {"type": "websocket", "scheme": "ws", "path": path, "headers": raw, "query_string": b""}

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(socket, receive, send)
    return sent


@pytest.mark.parametrize("origin", [origin for origin in HOSTILE_ORIGINS if origin.isascii()])
async def test_a_socket_is_not_opened_for_another_site(app: FastAPI, origin: str) -> None:
    (refused,) = await opened(app, "/socket", origin=origin)

    assert (refused["type"], refused["code"]) == ("websocket.close", 4403)


async def test_a_socket_is_opened_for_our_own_page_and_for_a_program(app: FastAPI) -> None:
    for headers in ({"origin": f"http://{HOST}"}, {}):
        accepted, text, _ = await opened(app, "/socket", **headers)

        assert (accepted["type"], text["text"]) == ("websocket.accept", "in")


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("kind", CLOSE)
async def test_an_expected_error_closes_a_socket_with_its_code_and_a_reason(
    app: FastAPI, kind: type[errors.CollegiumError], accepted: bool
) -> None:
    first, last = await opened(app, f"/fails/{kind.__name__}/{accepted}")

    assert first["type"] == "websocket.accept"
    assert (last["type"], last["code"]) == ("websocket.close", CLOSE[kind])
    assert last["reason"].startswith("why")
    assert len(last["reason"].encode()) <= 123
