"""Ports of a runtime on their own origins: what passes, what stays behind, and who gets in."""

import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.abc
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from inside.conftest import EVE, Site
from rooms.house import serving

pytestmark = pytest.mark.anyio


@dataclass
class Visitor:
    """A browser at the origin of a port. Its connection goes to the server, whatever the name says."""

    site: Site
    host: str
    http: httpx.AsyncClient

    @property
    def cookie(self) -> str:
        return f"collegium-port={self.http.cookies['collegium-port']}"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Host": self.host, **more.pop("headers", {})}
        return self.http.request(method, self.site.url + path, headers=headers, **more)


async def invited(site: Site, port: int, **headers: str) -> str:
    async with site.client(**headers) as ada:
        answer = await ada.post(f"/ports/{port}")
        answer.raise_for_status()
        url: str = answer.json()["url"]
        return url


@asynccontextmanager
async def visiting(site: Site, port: int) -> AsyncIterator[Visitor]:
    url = urlsplit(await invited(site, port))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        visitor = Visitor(site, url.netloc, http)
        admitted = await visitor.ask("GET", f"{url.path}?{url.query}")
        assert admitted.status_code == 303
        assert '"' not in admitted.headers["set-cookie"], "a browser sends quotation marks back as they came"
        # httpx keeps it for the address that it spoke to; the name is what the server goes by.
        yield visitor


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """A server inside: says what it heard."""
    if scope["type"] == "websocket":
        await talk(scope, receive, send)
        return
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(1_000_000):
            await send({"type": "http.response.body", "body": b"%d\n" % number, "more_body": True})
            if (await receive_now(receive)) == "http.disconnect":
                return
            await anyio.sleep(0.01)
    body, length = b"", 0
    while True:
        message = await receive()
        body = body or message.get("body", b"")[:1000]
        length += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [[key.decode("latin-1"), value.decode("latin-1")] for key, value in scope["headers"]]
    said = {"method": scope["method"], "path": scope["raw_path"].decode(), "query": scope["query_string"].decode()}
    answer = json.dumps(said | {"headers": headers, "length": length, "body": body.decode("latin-1")})
    extra = {
        "/cookies": [
            (b"set-cookie", b"theirs=1; Domain=example.org; Path=/x"),
            (b"set-cookie", b"collegium=stolen"),
            (b"set-cookie", b"collegium-port=stolen; Path=/"),
            (b"set-cookie", b"__Host-collegium=stolen; Secure; Path=/"),
            (b"strict-transport-security", b"max-age=99999999; includeSubDomains"),
        ],
        "/redirect": [(b"location", f"http://localhost:{scope['server'][1]}/next?x=1".encode())],
        "/elsewhere": [(b"location", b"https://example.org/")],
    }
    status = 302 if "/redirect /elsewhere".find(scope["path"]) >= 0 and scope["path"] != "/" else 200
    await send({"type": "http.response.start", "status": status, "headers": extra.get(scope["path"], [])})
    await send({"type": "http.response.body", "body": answer.encode()})


async def receive_now(receive: Any) -> str:
    with anyio.move_on_after(0.001):
        return str((await receive())["type"])
    return ""


async def talk(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if scope["path"] == "/refuse":
        await send({"type": "websocket.close", "code": 4000})
        return
    wanted = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": wanted[-1] if wanted else None})
    headers = {key.decode(): value.decode() for key, value in scope["headers"]}
    await send({"type": "websocket.send", "text": json.dumps(headers)})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4321})
            return
        await send({"type": "websocket.send", **{key: message.get(key) for key in ("text", "bytes")}})


@pytest.fixture(scope="module")
async def inner() -> AsyncIterator[int]:
    async with serving(echo) as port:
        yield port


async def test_a_request_arrives_as_if_it_came_from_the_machine_itself(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        headers = {
            "Cookie": f"theirs=1; collegium=x; {visitor.cookie}; __Host-collegium=y; more=2",
            "Origin": f"http://{visitor.host}",
            "Referer": f"http://{visitor.host}/page",
            "X-Forwarded-For": "1.2.3.4",
            "Connection": "close, X-Secret",
            "X-Secret": "hop",
            "X-Kept": "yes",
        }
        answer = await visitor.ask("POST", "/a%2Fb//c?q=%20&r", headers=headers, content=b"hello")

    said = answer.json()
    got = dict(said["headers"])
    assert (said["method"], said["path"], said["query"], said["body"]) == ("POST", "/a%2Fb//c", "q=%20&r", "hello")
    assert got["host"] == f"localhost:{inner}"
    assert got["origin"] == f"http://localhost:{inner}"
    assert got["referer"] == f"http://localhost:{inner}/page"
    assert got["cookie"] == "theirs=1; more=2"
    assert got["x-forwarded-host"] == visitor.host
    assert got["x-forwarded-proto"] == "http"
    assert got["x-kept"] == "yes"
    assert "x-secret" not in got
    assert "x-forwarded-for" not in got
    assert "authorization" not in got
    assert "content-security-policy" not in answer.headers


async def test_what_comes_back_sets_no_cookie_of_ours_and_none_for_others(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        answer = await visitor.ask("GET", "/cookies", headers={"Cookie": visitor.cookie})

    assert answer.headers.get_list("set-cookie") == ["theirs=1; Path=/x"]
    assert "strict-transport-security" not in answer.headers


async def test_a_redirect_to_itself_leads_to_its_own_origin(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        own = await visitor.ask("GET", "/redirect", headers={"Cookie": visitor.cookie})
        other = await visitor.ask("GET", "/elsewhere", headers={"Cookie": visitor.cookie})

    assert own.headers["location"] == f"http://{visitor.host}/next?x=1"
    assert other.headers["location"] == "https://example.org/"


async def test_large_bodies_pass_both_ways_without_being_kept(site: Site, inner: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 20)

    async with visiting(site, inner) as visitor:
        chunked = await visitor.ask("PUT", "/", headers={"Cookie": visitor.cookie}, content=pieces())
        counted = await visitor.ask("PUT", "/", headers={"Cookie": visitor.cookie}, content=bytes(5 << 20))

    assert (chunked.json()["length"], counted.json()["length"]) == (64 << 20, 5 << 20)


async def test_a_stream_is_passed_as_it_comes_and_ends_with_the_right_to_it(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        headers = {"Host": visitor.host, "Cookie": visitor.cookie}
        async with visitor.http.stream("GET", site.url + "/stream", headers=headers) as answer:
            lines = answer.aiter_lines()
            assert [await anext(lines), await anext(lines)] == ["0", "1"]
            site.runtime.users.clear()
            with anyio.fail_after(60):
                with contextlib.suppress(httpx.RemoteProtocolError):
                    async for _ in lines:
                        pass
        refused = await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})

    assert refused.status_code == 404
    assert "Set-Cookie" not in refused.headers


async def test_messages_pass_both_ways(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor, socket_to(visitor, subprotocols=["a", "b"]) as ws:
        heard = json.loads(await ws.recv())
        big = "é" * 500_000
        await ws.send(big)
        await ws.send(b"\0\1\2" * 100_000)
        assert await ws.recv() == big
        assert await ws.recv() == b"\0\1\2" * 100_000
        await ws.send("bye")
        with pytest.raises(ConnectionClosed):
            await ws.recv()

        assert ws.subprotocol == "b"
        assert ws.close_code == 4321
        assert heard["host"] == f"localhost:{inner}"
        assert heard["origin"] == f"http://localhost:{inner}"
        assert heard["cookie"] == "theirs=1"


@asynccontextmanager
async def socket_to(visitor: Visitor, path: str = "/ws", **more: Any) -> AsyncIterator[Any]:
    given = {"Cookie": f"{visitor.cookie}; theirs=1", "Host": visitor.host, "Origin": f"http://{visitor.host}"}
    headers = given | more.pop("headers", {})
    async with connect(
        f"ws://{visitor.host}{path}",
        host="127.0.0.1",
        port=visitor.site.port,
        additional_headers={key: value for key, value in headers.items() if key not in ("Host", "Origin") and value},
        origin=headers["Origin"],
        proxy=None,
        max_size=None,
        **more,
    ) as ws:
        yield ws


async def test_a_socket_ends_with_the_right_to_it(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor, socket_to(visitor) as ws:
        await ws.recv()
        site.runtime.users.clear()
        with anyio.fail_after(60), pytest.raises(ConnectionClosed):
            await ws.recv()

        assert ws.close_code == 1008


async def test_a_socket_that_is_refused_inside_is_refused_outside(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        with pytest.raises(InvalidStatus):
            async with socket_to(visitor, "/refuse"):
                pass


# who gets in


async def test_a_ticket_is_good_once_and_for_one_port(site: Site, inner: int) -> None:
    url = urlsplit(await invited(site, inner))
    other = urlsplit(await invited(site, inner + 1))
    async with httpx.AsyncClient(trust_env=False, base_url=site.url) as http:
        path = f"{url.path}?{url.query}"
        elsewhere = await http.get(path, headers={"Host": other.netloc})
        spent = await http.get(path, headers={"Host": url.netloc})
        fresh = urlsplit(await invited(site, inner))
        first = await http.get(f"{fresh.path}?{fresh.query}", headers={"Host": fresh.netloc})
        again = await http.get(f"{fresh.path}?{fresh.query}", headers={"Host": fresh.netloc})

    assert url.netloc != other.netloc
    assert fresh.netloc == url.netloc
    assert (elsewhere.status_code, spent.status_code) == (403, 403)
    assert (first.status_code, again.status_code) == (303, 403)
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "domain" not in cookie
    assert cookie.startswith("collegium-port=")


async def test_over_tls_the_cookie_is_of_this_host_alone(site: Site, inner: int) -> None:
    url = urlsplit(await invited(site, inner))
    async with httpx.AsyncClient(trust_env=False, base_url=site.url) as http:
        headers = {"Host": url.netloc, "X-Forwarded-Proto": "https"}
        cookie = (await http.get(f"{url.path}?{url.query}", headers=headers)).headers["set-cookie"].lower()

    assert cookie.startswith("__host-collegium-port=")
    assert "secure" in cookie


async def test_a_cookie_of_one_port_opens_no_other_and_none_can_be_made(site: Site, inner: int) -> None:
    other = urlsplit(await invited(site, inner + 1)).netloc
    async with visiting(site, inner) as visitor:
        text, _, seal = visitor.cookie.partition("=")[2].partition(".")
        bad = [
            "",
            "collegium-port=",
            "collegium-port=.",
            f"collegium-port={text}.{'0' * 64}",
            f"collegium-port={text[:-4]}AAAA.{seal}",
            f"collegium-port={'x' * 100_000}",
            f"collegium={visitor.cookie.partition('=')[2]}",
            "collegium-port=\xff.\xff",
        ]
        for cookie in bad:
            answer = await visitor.ask("GET", "/", headers={"Cookie": cookie.encode("latin-1")})
            assert answer.status_code in (400, 401), (cookie[:50], answer.status_code)
        async with httpx.AsyncClient(trust_env=False) as http:
            wrong = await http.get(site.url, headers={"Host": other, "Cookie": visitor.cookie})
        assert wrong.status_code == 401
        assert (await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})).status_code == 200


async def test_a_login_that_ended_ends_its_visits(site: Site, inner: int) -> None:
    async with site.browser() as ada, httpx.AsyncClient(trust_env=False, base_url=site.url) as http:
        url = urlsplit((await ada.post(f"{site.path}/ports/{inner}")).json()["url"])
        admitted = await http.get(f"{url.path}?{url.query}", headers={"Host": url.netloc})
        cookie = {"Host": url.netloc, "Cookie": admitted.headers["set-cookie"].partition(";")[0]}
        http.cookies.clear()
        before = await http.get("/", headers=cookie)
        await ada.delete("/api/v1/login")
        with anyio.fail_after(60):
            while (after := await http.get("/", headers=cookie)).status_code == 200:
                await anyio.sleep(0.05)

    assert (before.status_code, after.status_code) == (200, 401)


async def test_no_address_is_given_to_who_may_not_use_the_runtime(site: Site) -> None:
    async with site.client(EVE) as eve:
        assert (await eve.post("/ports/80")).status_code == 404
    async with site.client() as ada:
        assert [(await ada.post(f"/ports/{port}")).status_code for port in ("0", "65536", "x")] == [422] * 3


# never our own origin


OUTSIDE = ["/", "/api/v1/me", "/api/v1/login", "/healthz", "/metrics", "/assets/x.js", "/output.html", "/jupyter/api"]


@pytest.mark.parametrize("form", ["{}", "{}.", "a.{}", "{}:1", "{}:", "A{}", "{}.apps.example.org:8000", "-{}"])
async def test_nothing_of_ours_is_served_below_the_domain_of_ports(site: Site, inner: int, form: str) -> None:
    async with (
        visiting(site, inner) as visitor,
        site.browser() as ada,
        httpx.AsyncClient(trust_env=False, base_url=site.url) as http,
    ):
        cookie = f"collegium={ada.cookies['collegium']}"
        for host in (form.format(visitor.host.partition(":")[0]), form.format("x.localhost"), "apps.example.org"):
            for path in OUTSIDE:
                answer = await http.get(path, headers={"Host": host, "Cookie": cookie})
                assert answer.status_code in (400, 401, 404), (host, path)
                assert "collegium" not in answer.headers.get("set-cookie", "")
                assert "Ada" not in answer.text


async def test_a_page_of_a_port_cannot_speak_to_our_api(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor, site.browser() as ada:
        for headers in (
            {"Origin": f"http://{visitor.host}"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        ):
            for method, path in (("POST", "/api/v1/notebooks"), ("GET", "/api/v1/me"), ("DELETE", "/api/v1/login")):
                answer = await ada.request(method, path, headers=headers)
                assert answer.status_code == 403
                assert "access-control-allow-origin" not in answer.headers


async def test_another_sites_page_reaches_no_port(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": f"http://other.{visitor.host}"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        ):
            answer = await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie, **headers})
            assert answer.status_code == 403, headers
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        followed = await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie, **link})
        posted = await visitor.ask("POST", "/", headers={"Cookie": visitor.cookie, **link})
        with pytest.raises(InvalidStatus):
            async with socket_to(visitor, headers={"Origin": "https://evil.example"}):
                pass
        with pytest.raises(InvalidStatus):
            async with socket_to(visitor, headers={"Cookie": ""}):
                pass

    assert (followed.status_code, posted.status_code) == (200, 403)


SMUGGLING = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"Content-Length: +5\r\n\r\nhello",
    b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Host: 127.0.0.1\r\n\r\n",
    b"X: y\r\n folded: z\r\n\r\n",
    b"X-A: \x00\r\n\r\n",
]


@pytest.mark.parametrize("tail", SMUGGLING, ids=ascii)
async def test_what_can_be_read_in_two_ways_is_not_passed_on(site: Site, inner: int, tail: bytes) -> None:
    async with visiting(site, inner) as visitor:
        head = f"POST / HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie}\r\n".encode()
        async with await anyio.connect_tcp("127.0.0.1", site.port) as stream:
            await stream.send(head + tail)
            with anyio.fail_after(60):
                answer = await stream.receive()

        assert b" 400 " in answer.split(b"\r\n")[0] or b" 422 " in answer.split(b"\r\n")[0], answer


async def test_two_hosts_are_none(site: Site, inner: int) -> None:
    async with visiting(site, inner) as visitor:
        request = f"GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: {visitor.host}\r\n\r\n".encode()
        async with await anyio.connect_tcp("127.0.0.1", site.port) as stream:
            await stream.send(request)
            with anyio.fail_after(60):
                assert b" 4" in (await stream.receive()).split(b"\r\n")[0][:13]


# servers inside that mean harm, or nothing


@asynccontextmanager
async def rude(answer: Callable[[anyio.abc.SocketStream], Any]) -> AsyncIterator[int]:
    """A server inside that does with a connection as it likes."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:

        async def serve(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream, OSError):
                    await stream.receive()
                    await answer(stream)

        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield port
        tasks.cancel_scope.cancel()


RUDE = [
    b"",
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello",
    b"HTTP/1.1 999 \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\rb\nSet-Cookie: collegium=x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
]


@pytest.mark.parametrize("words", RUDE, ids=lambda words: ascii(words[:30]))
async def test_a_server_that_speaks_no_http_is_unavailable(site: Site, words: bytes) -> None:
    async def answer(stream: anyio.abc.SocketStream) -> None:
        if words:
            await stream.send(words)

    async with rude(answer) as port, visiting(site, port) as visitor:
        got = await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})
        with pytest.raises(InvalidStatus):
            async with socket_to(visitor):
                pass

    assert got.status_code == 503
    assert "set-cookie" not in got.headers


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(site: Site) -> None:
    async def answer(stream: anyio.abc.SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    async with rude(answer) as port, visiting(site, port) as visitor:
        with pytest.raises(httpx.RemoteProtocolError):
            await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})


async def test_a_server_that_never_answers_is_given_up(site: Site) -> None:
    async def answer(_stream: anyio.abc.SocketStream) -> None:
        await anyio.sleep_forever()

    async with rude(answer) as port, visiting(site, port) as visitor:
        with anyio.fail_after(60):
            assert (await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})).status_code == 503


async def test_a_server_that_answers_before_it_heard_everything_is_heard(site: Site) -> None:
    async def answer(stream: anyio.abc.SocketStream) -> None:
        await stream.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

    async with rude(answer) as port, visiting(site, port) as visitor:
        # It hangs up with most of it unread, which breaks the connection while the answer is on its way: now and then.
        for _ in range(20):
            got = await visitor.ask("PUT", "/", headers={"Cookie": visitor.cookie}, content=bytes(200_000))
            assert (got.status_code, got.text) == (413, "no")


async def test_a_port_where_nobody_listens_is_said_to_be_empty(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with visiting(site, port) as visitor:
        got = await visitor.ask("GET", "/<script>", headers={"Cookie": visitor.cookie})

    assert got.status_code == 503
    assert str(port) in got.text
    assert "<script>" not in got.text


async def test_more_streams_than_a_runtime_may_have_wait_for_another_time(site: Site) -> None:
    async def answer(stream: anyio.abc.SocketStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\n\r\nbegun")
        await anyio.sleep_forever()

    async with rude(answer) as port, visiting(site, port) as visitor, contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        headers = {"Host": visitor.host, "Cookie": visitor.cookie}
        for _ in range(8):
            held = await stack.enter_async_context(http.stream("GET", site.url, headers=headers))
            assert held.status_code == 200
        more = await visitor.ask("GET", "/", headers={"Cookie": visitor.cookie})

    assert more.status_code == 429
