"""Opening addresses for strangers: what is reached, and everything that must not be."""

import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import anyio
import anyio.abc
import pytest
from pydantic import ByteSize

from collegium.ground import fetch
from collegium.ground.errors import CollegiumError, Forbidden, Invalid, TooLarge, Unavailable
from collegium.ground.fetch import Fetch, FetchSettings, Resolve, is_public, parsed, redirected

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"
Serve = Callable[[anyio.abc.SocketStream], Awaitable[None]]


class Server:
    """A web server that answers each connection in its turn, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/n.ipynb"


@asynccontextmanager
async def served(*answers: Serve) -> AsyncIterator[Server]:
    left = list(answers)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        server = Server(listener.extra(anyio.abc.SocketAttribute.local_port))

        async def answer(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                server.asked.append((await stream.receive()).decode())
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await (left.pop(0) if len(left) > 1 else left[0])(stream)

        tasks.start_soon(listener.serve, answer)
        yield server
        tasks.cancel_scope.cancel()


def says(body: bytes, *headers: str, status: str = "200 OK", announced: bool = True) -> Serve:
    """An answer that comes whole."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if announced else [])]
        await stream.send("\r\n".join([*lines, "", ""]).encode() + body)

    return serve


def leads_to(location: str) -> Serve:
    return says(b"", f"Location: {location}", status="302 Found")


def allowing(server: Server, **settings: Any) -> Fetch:
    return Fetch(FetchSettings(private_hosts=(server.place,), **settings))


def answering(*answers: list[str]) -> tuple[Resolve, list[str]]:
    """A name server that says one thing after another, and whom it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where one would have connected to."""
    made: list[tuple[str, int]] = []

    async def connect(host: str, port: int) -> anyio.abc.SocketStream:
        made.append((host, port))
        raise OSError("nobody is there")

    monkeypatch.setattr("anyio.connect_tcp", connect)
    return made


# --- which addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:8000/api/v1/me",
        "http://[::1]/",
        "http://[::]/",
        "http://0/",
        "http://0.0.0.0:8000/",
        "http://localhost/",
        "http://localhost.:8000/",
        "http://LOCALHOST/",
        "http://169.254.169.254/latest/meta-data/iam/",
        "http://[fd00:ec2::254]/latest/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://2852039166/latest/meta-data/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:7f00:1::1]/",
        "http://[::127.0.0.1]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "https://127.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
    ],
)
async def test_nothing_of_this_machine_or_its_network_is_connected_to(
    url: str, connections: list[tuple[str, int]]
) -> None:
    with pytest.raises(Invalid) as refused:
        await Fetch(FetchSettings()).get(url)

    assert refused.value.code in ("address_refused", "no_address")
    assert connections == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "n.ipynb",
        "//example.org/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org:11211/",
        "data:application/json,{}",
        "javascript:alert(1)",
        "http://",
        "http://:80/",
        "http://user:secret@example.org/",
        "http://example.org@127.0.0.1/",
        "http://example.org\r\nX-Evil: 1/",
        "http://example.org/\r\nX-Evil: 1",
        "http://example.org/a b",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:25/",
        "http://example.org:22/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:eighty/",
        "http://[fe80::1%25lo]/",
        "http://[::1/",
        "http://" + "a" * 64 + ".example/",
        "http://example.org/" + "a" * 2_000,
    ],
)
async def test_what_is_no_address_of_the_web_is_asked_of_nobody(url: str) -> None:
    resolve, asked = answering([PUBLIC])
    with pytest.raises(Invalid) as refused:
        await Fetch(FetchSettings(), resolve).get(url)

    assert (refused.value.code, asked) == ("no_address", [])


@pytest.mark.parametrize(
    ("answer", "connected"),
    [
        (["127.0.0.1"], False),
        (["169.254.169.254"], False),
        ([PUBLIC, "10.0.0.1"], False),
        ([PUBLIC, "::1"], False),
        (["fe80::1%eth0"], False),
        (["nonsense"], False),
        ([], False),
        ([PUBLIC], True),
        (["2606:2800:21f:cb07:6820:80da:af6b:8b2c"], True),
    ],
)
async def test_a_name_is_judged_by_all_that_it_resolves_to(
    answer: list[str], connected: bool, connections: list[tuple[str, int]]
) -> None:
    resolve, _ = answering(answer)
    with pytest.raises(CollegiumError) as refused:
        await Fetch(FetchSettings(), resolve).get("http://example.org/")

    assert connections == ([(one, 80) for one in answer] if connected else [])
    assert refused.value.code == ("fetch_failed" if connected else "address_refused")


async def test_a_name_that_means_another_address_the_next_time_is_asked_for_once(
    connections: list[tuple[str, int]],
) -> None:
    resolve, asked = answering([PUBLIC], ["127.0.0.1"])
    with pytest.raises(Unavailable):
        await Fetch(FetchSettings(), resolve).get("https://rebinding.example/")

    assert (asked, connections) == (["rebinding.example"], [(PUBLIC, 443)])


async def test_a_name_of_this_network_and_one_that_is_not_there_look_alike() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(f"no such host {host}")

    private, _ = answering(["10.1.2.3"])
    said = []
    for resolve in (unknown, private):
        with pytest.raises(Invalid) as refused:
            await Fetch(FetchSettings(), resolve).get("http://intranet.example/")
        said.append((refused.value.code, refused.value.detail))

    assert said[0] == said[1]


async def test_a_public_address_that_this_machine_has_itself_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "is_public", lambda address: True)
    async with served(says(b"{}")) as server:
        resolve, _ = answering(["127.0.0.1"])
        with pytest.raises(Invalid) as refused:
            await Fetch(FetchSettings(), resolve).get(f"http://example.org:{server.port}/")
        await anyio.lowlevel.checkpoint()

    assert (refused.value.code, server.asked) == ("address_refused", [])


def test_public_is_what_the_internet_routes() -> None:
    assert is_public(PUBLIC)
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert is_public(f"::ffff:{PUBLIC}")
    assert not is_public("198.18.0.1")
    assert not is_public("203.0.113.7")


# --- redirects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://localhost:8000/",
        "http://169.254.169.254/latest/",
        "file:///etc/passwd",
        "//[::1]/",
    ],
)
async def test_a_redirect_to_where_nobody_may_go_ends_there(location: str) -> None:
    async with served(leads_to(location)) as server:
        with pytest.raises(Invalid) as refused:
            await allowing(server).get(server.url)

    assert refused.value.code in ("address_refused", "no_address")
    assert len(server.asked) == 1


async def test_a_redirect_is_followed_a_few_times() -> None:
    async with served(leads_to("/else.ipynb?x=1#here"), says(b"found")) as server:
        assert await allowing(server).get(server.url) == b"found"
    assert [one.split(" ")[1] for one in server.asked] == ["/n.ipynb", "/else.ipynb?x=1"]

    async with served(leads_to("/again")) as server:
        with pytest.raises(Invalid, match="on and on"):
            await allowing(server).get(server.url)
    assert len(server.asked) == fetch.REDIRECTS_MAX + 1


def test_a_secure_address_leads_to_secure_ones_alone() -> None:
    assert redirected(parsed("https://example.org/a/b?c"), "../d").url == "https://example.org:443/d"
    with pytest.raises(Invalid):
        redirected(parsed("https://example.org/"), "http://example.org/")


# --- bodies --------------------------------------------------------------------------------------


SMALL = {"bytes_max": ByteSize(10_000)}


async def endless(stream: anyio.abc.SocketStream) -> None:
    await stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await stream.send(b"x" * 1_000)


async def endless_headers(stream: anyio.abc.SocketStream) -> None:
    await stream.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await stream.send(b"X-Long: " + b"x" * 1_000 + b"\r\n")


async def dripping(stream: anyio.abc.SocketStream) -> None:
    await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    while True:
        await stream.send(b"x")
        await anyio.sleep(0.02)


async def silent(stream: anyio.abc.SocketStream) -> None:
    await anyio.sleep_forever()


async def broken_off(stream: anyio.abc.SocketStream) -> None:
    await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nx")


async def nonsense(stream: anyio.abc.SocketStream) -> None:
    await stream.send(b"220 mail.example.org ESMTP\r\n")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(b"x" * 20_000), TooLarge),
        (endless, TooLarge),
        (says(gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip"), TooLarge),
        (says(gzip.compress(b"x")[:-9], "Content-Encoding: gzip"), Unavailable),
        (says(zlib.compress(b"x"), "Content-Encoding: deflate"), Unavailable),
        (says(b"no gzip at all", "Content-Encoding: gzip"), Unavailable),
        (endless_headers, Unavailable),
        (dripping, Unavailable),
        (silent, Unavailable),
        (broken_off, Unavailable),
        (nonsense, Unavailable),
        (says(b"", status="404 Not Found"), Invalid),
        (says(b"", status="204 No Content"), Invalid),
    ],
)
async def test_what_does_not_come_as_it_should_is_given_up(answer: Serve, error: type[CollegiumError]) -> None:
    async with served(answer) as server:
        with pytest.raises(error):
            await allowing(server, timeout=timedelta(seconds=0.5), **SMALL).get(server.url)


@pytest.mark.parametrize(
    "answer",
    [
        says(b"hello"),
        says(b"hello", announced=False),
        says(b"5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked", announced=False),
        says(gzip.compress(b"hello"), "Content-Encoding: gzip"),
        says(b"hello", status="103 Early Hints\r\n\r\nHTTP/1.1 200 OK"),
    ],
)
async def test_what_comes_in_any_way_of_the_web_is_taken(answer: Serve) -> None:
    async with served(answer) as server:
        assert await allowing(server, **SMALL).get(server.url) == b"hello"

    (asked,) = server.asked
    assert asked.startswith("GET /n.ipynb HTTP/1.1\r\n")
    assert f"Host: {server.place}\r\n" in asked
    assert "Cookie" not in asked


# --- what an operator says -----------------------------------------------------------------------


async def test_it_can_be_turned_off() -> None:
    resolve, asked = answering([PUBLIC])
    with pytest.raises(Forbidden):
        await Fetch(FetchSettings(enabled=False), resolve).get("https://example.org/")

    assert asked == []


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("example.org", True),
        ("raw.Example.org", True),
        ("example.org.", True),
        ("badexample.org", False),
        ("example.org.evil.example", False),
        (PUBLIC, False),
    ],
)
async def test_only_the_hosts_on_the_list_are_opened(
    host: str, allowed: bool, connections: list[tuple[str, int]]
) -> None:
    resolve, _ = answering([PUBLIC])
    with pytest.raises(CollegiumError) as refused:
        await Fetch(FetchSettings(hosts=("example.org",)), resolve).get(f"https://{host}/")

    assert (refused.value.code == "host_refused", connections != []) == (not allowed, allowed)


async def test_a_private_host_is_opened_at_its_port_alone(connections: list[tuple[str, int]]) -> None:
    resolve, _ = answering(["10.0.0.7"])
    opened = Fetch(FetchSettings(private_hosts=("files.example:8443",)), resolve)
    for url in ("https://files.example:8443/a", "https://files.example/a"):
        with pytest.raises(CollegiumError):
            await opened.get(url)

    assert connections == [("10.0.0.7", 8443)]
