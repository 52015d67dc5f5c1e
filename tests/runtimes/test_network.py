"""Networks of runtimes on a little internet: what can be met from inside, and what cannot."""

from collections.abc import Iterator

import pytest

from network_world import (
    METADATA,
    ORDINARY_UID,
    OTHER,
    OWN,
    PRIVATE,
    PUBLIC,
    ROUTER,
    Driver,
    Guest,
    World,
    little_internet,
    why_no_little_internet,
)  # fmt: skip

pytestmark = pytest.mark.sandbox
FORBIDDEN = (*PRIVATE, METADATA, "100.100.100.200", OWN, ROUTER, "10.0.2.2", "10.0.2.3", "0.0.0.1", "255.255.255.255")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all."""
    if why := why_no_little_internet():
        pytest.skip(why)
    with little_internet() as world:
        yield world


@pytest.fixture(params=["root", "ordinary"], scope="module")
def driver(request: pytest.FixtureRequest, world: World) -> Iterator[Driver]:
    """Networks, kept as root or as an ordinary user."""
    uid = 0 if request.param == "root" else ORDINARY_UID
    driver = Driver(world, uid, world.data(uid))
    assert (driver.modes, driver.missing) == (["internet", "none", "packages"], [])
    yield driver
    driver.end()


@pytest.fixture(scope="module")
def internet(driver: Driver) -> Iterator[Guest]:
    """Inside a network that reaches public addresses."""
    guest = driver.guest("on-the-internet", "internet")
    yield guest
    guest.end()
    driver.remove("on-the-internet")


@pytest.fixture(scope="module")
def packages(driver: Driver) -> Iterator[Guest]:
    """Inside a network that reaches a few hosts."""
    allow = ("public.example", "*.lan.example", "mirror.example", "10.99.0.2", "loop.example", "host.example")
    more = ("meta.example", "zero.example", "six.example", "mapped.example", "flip.example", "both.example")
    guest = driver.guest("behind-the-proxy", "packages", *allow, *more, "private.example:8080", METADATA)
    yield guest
    guest.end()
    driver.remove("behind-the-proxy")


# ── internet ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_public_addresses_and_names_are_reached(internet: Guest) -> None:
    assert f"at {PUBLIC}:80" in internet.run(f"tcp('{PUBLIC}', 80)")
    assert f"at {OTHER}:22" in internet.run(f"tcp('{OTHER}', 22)")
    assert internet.run(f"udp('{PUBLIC}', 7777)") == "echo hello"
    assert internet.run("lookup('public.example')") == [PUBLIC]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_address_that_is_not_public_is_reached(internet: Guest, address: str) -> None:
    for port in (80, 9001):
        assert internet.run(f"tcp('{address}', {port})").startswith("no: ")
    assert internet.run(f"udp('{address}', 7777)").startswith("no: ")


def test_the_loopback_is_its_own(internet: Guest) -> None:
    for address in ("127.0.0.1", "127.0.0.2", "0.0.0.0", "10.0.2.100"):
        assert internet.run(f"tcp('{address}', 9000)").startswith("no: ")
    assert internet.run("tcp('::1', 9000)").startswith("no: ")


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::ffff:10.99.0.2", f"::ffff:{OWN}", f"::ffff:{METADATA}"])
def test_an_address_dressed_as_version_6_is_the_same_address(internet: Guest, address: str) -> None:
    assert internet.run(f"tcp('{address}', 80)").startswith("no: ")


@pytest.mark.parametrize(
    "address", ["2606:4700::1111", "fe80::1", "fd00::2", "fd00:ec2::254", "ff02::1", "64:ff9b::a00:1"]
)
def test_version_6_leads_nowhere(internet: Guest, address: str) -> None:
    assert internet.run(f"tcp('{address}', 80)").startswith("no: ")
    assert internet.run(f"udp('{address}', 7777)").startswith("no: ")


def test_a_name_for_a_private_address_gains_nothing(internet: Guest) -> None:
    assert internet.run("lookup('private.example')") == ["10.99.0.2"]
    assert internet.run("tcp(lookup('private.example')[0], 80)").startswith("no: ")
    assert internet.run("tcp(lookup('host.example')[0], 9001)").startswith("no: ")


@pytest.mark.parametrize(
    "socket",
    [
        "2, 3, 1",
        "2, 3, 255",
        "10, 3, 58",
        "2, 2, 1",
        "17, 3, 768",
        "16, 3, 12",
        "16, 3, 4",
        "40, 1",
        "38, 5",
        "1, 3 + 99",
    ],
)
def test_no_socket_gets_around_the_rules(internet: Guest, socket: str) -> None:
    """Raw, ping, packet, netfilter's and other netlink, VM, crypto: none is to be had."""
    assert internet.run(f"opened({socket})").startswith("no: ")


def test_the_rules_cannot_be_changed_from_inside(internet: Guest) -> None:
    attempts = [
        "linux.unshare(linux.CLONE_NEWUSER)",
        "linux.unshare(linux.CLONE_NEWNET)",
        "linux.loopback_up()",
        "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')",
        "setns(os.open('/proc/1/ns/net', 0))",
    ]
    for attempt in attempts:
        assert "Error" in internet.run(attempt)


def test_bound_to_a_device_it_is_still_the_same(internet: Guest) -> None:
    bound = (
        "(lambda made: (made.setsockopt(1, 25, {device}), made.settimeout(1), made.connect_ex(({address!r}, 80)))[-1])"
        "(socket.socket())"
    )
    for device, address in ((b"tap0", "127.0.0.1"), (b"tap0", METADATA), (b"lo", METADATA), (b"lo", "10.99.0.2")):
        assert internet.run(bound.format(device=device, address=address)) != 0


def test_two_runtimes_do_not_meet(driver: Driver, internet: Guest) -> None:
    other = driver.guest("neighbour", "internet")
    listening = "globals().__setitem__('kept', socket.create_server(('0.0.0.0', 9100)))"
    other.run(listening)

    assert other.run("socket.create_connection(('127.0.0.1', 9100), 2).close()") is None
    for address in ("10.0.2.100", "10.0.2.15", "127.0.0.1", OWN):
        assert internet.run(f"tcp('{address}', 9100)").startswith("no: ")
    other.end()
    driver.remove("neighbour")


def test_what_an_administrator_allows_is_reached_besides(driver: Driver) -> None:
    guest = driver.guest(
        "allowed", "internet", "10.99.0.2:80", "private.example:443", "192.168.7.0/24", "nowhere.example"
    )

    assert "at 10.99.0.2:80" in guest.run("tcp('10.99.0.2', 80)")
    assert "at 10.99.0.2:443" in guest.run("tcp('10.99.0.2', 443)")
    assert "at 192.168.7.2:8080" in guest.run("tcp('192.168.7.2', 8080)")
    assert guest.run("tcp('10.99.0.2', 22)").startswith("no: ")
    assert guest.run("tcp('172.16.5.2', 80)").startswith("no: ")
    guest.end()
    driver.remove("allowed")


def test_the_metadata_of_the_cloud_cannot_be_allowed(driver: Driver) -> None:
    guest = driver.guest("all", "internet", "0.0.0.0/0", METADATA, "meta.example")

    assert "at 10.99.0.2:80" in guest.run("tcp('10.99.0.2', 80)")
    assert guest.run(f"tcp('{METADATA}', 80)").startswith("no: ")
    guest.end()
    driver.remove("all")


# ── packages ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_named_host_is_reached_by_a_tunnel_and_in_plain(packages: Guest) -> None:
    assert "asked GET /inside" in packages.run("connect('public.example', 443)")
    assert "asked GET /x?y=1 HTTP/1.1" in packages.run("get('http://public.example/x?y=1')")
    assert packages.run("get('http://public.example:80')").startswith("HTTP/1.1 200")
    assert "asked POST /p" in packages.run(
        "get('http://public.example/p', 'Content-Length: 2', body=b'ab', method='POST')"
    )


def test_a_large_answer_arrives_whole(packages: Guest) -> None:
    assert packages.run("get('http://public.example/big').count('x')") >= 3 << 20
    assert packages.run("connect('public.example', 80, b'GET /big HTTP/1.0\\r\\n\\r\\n').count('x')") >= 3 << 20


def test_nothing_is_reached_but_by_the_proxy(packages: Guest) -> None:
    for address in (PUBLIC, OWN, METADATA, "10.0.2.3", "10.99.0.2"):
        assert packages.run(f"tcp('{address}', 80)") == "no: ENETUNREACH"
        assert packages.run(f"udp('{address}', 53)").startswith("no: ")
    assert packages.run("tcp('127.0.0.1', 9000)").startswith("no: ")


@pytest.mark.parametrize(
    "place",
    [
        "'other.example', 443", "'public.example', 22", "'public.example', 8080", f"'{PUBLIC}', 443", f"'{OWN}', 9001",
        "'127.0.0.1', 9000", "'localhost', 9000", "'2130706433', 9000", "'0x7f000001', 80", "'127.1', 80", "'0', 80",
        "'[::1]', 80", "'[::ffff:127.0.0.1]', 80", "'public.example.', 22", "'lan.example', 443", "'10.99.0.3', 80",
        "'private.example', 443",
    ],
)  # fmt: skip
def test_a_host_that_nobody_named_is_refused(packages: Guest, place: str) -> None:
    assert packages.run(f"connect({place})").startswith(("HTTP/1.1 403", "HTTP/1.1 400"))


@pytest.mark.parametrize(
    "name", ["loop.example", "host.example", "meta.example", "zero.example", "six.example", "mapped.example", METADATA]
)
def test_a_named_host_that_leads_home_is_refused(packages: Guest, name: str) -> None:
    assert packages.run(f"connect('{name}', 80)").startswith("HTTP/1.1 403")
    assert packages.run(f"get('http://{name}/')").startswith("HTTP/1.1 403")


def test_a_private_host_is_reached_when_its_address_is_named_too(packages: Guest) -> None:
    assert "at 10.99.0.2:80" in packages.run("connect('mirror.example', 80)")
    assert "at 10.99.0.2:443" in packages.run("connect('10.99.0.2', 443)")
    assert "at 10.99.0.2:8080" in packages.run("connect('private.example', 8080)")


def test_a_name_whose_address_changes_gains_nothing(packages: Guest) -> None:
    answers = [packages.run("connect('flip.example', 80)") for _ in range(6)]

    assert all("at 127." not in answer and f"at {OWN}" not in answer for answer in answers)
    assert any(f"at {PUBLIC}:80" in answer for answer in answers)
    assert any(answer.startswith("HTTP/1.1 403") for answer in answers)


SMUGGLED = [
    r"b'GET http://public.example/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef'",
    r"b'GET http://public.example/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'",
    r"b'GET http://public.example@127.0.0.1:9000/ HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'GET http://public.example\\@127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'GET http://127.0.0.1:9000#public.example/ HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'GET /inside HTTP/1.1\r\nHost: public.example\r\n\r\n'",
    r"b'GET ftp://public.example/ HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'CONNECT public.example:80@127.0.0.1:9000 HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'CONNECT public.example HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'CONNECT public.example:80 HTTP/1.1\r\n\r\n'",
    r"b'TRACE http://public.example/ HTTP/1.1\r\nHost: a\r\n\r\n'",
    r"b'SSH-2.0-OpenSSH\r\n\r\n'",
    r"b'\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'",
    r"b'\x05\x01\x00\r\n\r\n'",
    r"b'GET http://public.example/ HTTP/1.1\r\nHost: a\r\nX: ' + b'x' * 70000",
    r"b'CONNECT ' + b'a' * 70000",
]


@pytest.mark.parametrize("sent", SMUGGLED)
def test_what_is_no_honest_request_is_refused(packages: Guest, sent: str) -> None:
    assert packages.run(f"proxy({sent})").startswith(("HTTP/1.1 4", "no: ECONNRESET", "no: EPIPE"))


def test_what_could_be_read_in_two_ways_is_said_again_in_one(packages: Guest) -> None:
    both = r"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n X: folded\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /second"

    answer = packages.run(f"proxy(b'POST http://public.example/ HTTP/1.1\\r\\nHost: a\\r\\n{both}')")

    assert "second" not in answer
    assert answer.count("HTTP/1.1 ") <= 2
    assert "content-length: 5" not in answer


def test_one_request_is_all_a_plain_connection_carries(packages: Guest) -> None:
    second = r"GET http://other.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n"
    first = r"GET http://public.example/first HTTP/1.1\r\nHost: other.example\r\n\r\n"

    answer = packages.run(f"proxy(b'{first}{second}')")

    assert answer.count("HTTP/1.1 200") == 1
    assert "host: public.example" in answer.lower()
    assert "other.example" not in answer
    assert "x-gone" not in answer.lower()


def test_a_runtime_may_open_only_so_many_connections(packages: Guest) -> None:
    opened = "[socket.create_connection(('127.0.0.1', 3128), 2) for _ in range(160)]"
    counted = f"(lambda held: sum(one.recv(1) == b'' for one in held[128:]))({opened})"

    assert packages.run(counted) == 32
    assert packages.run("get('http://public.example/')").startswith("HTTP/1.1 200")


def test_who_holds_all_places_and_says_nothing_delays_nobody_else(driver: Driver, packages: Guest) -> None:
    greedy = driver.guest("greedy", "packages", "public.example")
    held = "globals().__setitem__('held', [socket.create_connection(('127.0.0.1', 3128), 2) for _ in range(200)])"
    assert greedy.run(held) is None
    assert greedy.run("[one.sendall(b'CONNECT ') for one in held[:128]] and None") is None

    assert packages.run("get('http://public.example/')").startswith("HTTP/1.1 200")
    greedy.end()
    driver.remove("greedy")


def test_each_runtime_has_its_own_list(driver: Driver, packages: Guest) -> None:
    other = driver.guest("poorer", "packages", "other.example")

    assert other.run("connect('other.example', 80)").startswith("HTTP/1.1 200")
    assert other.run("connect('public.example', 80)").startswith("HTTP/1.1 403")
    other.end()
    driver.remove("poorer")


def test_the_variables_lead_to_the_proxy_and_the_resolver_is_said(driver: Driver) -> None:
    packages = driver.make("told", "packages")
    internet = driver.make("told-too", "internet")

    assert packages["variables"]["HTTPS_PROXY"] == packages["variables"]["http_proxy"] == "http://127.0.0.1:3128"
    assert "127.0.0.1" in packages["variables"]["no_proxy"]
    assert (internet["variables"], internet["resolv"]) == ({}, "nameserver 10.0.2.3\n")
    assert driver.make("without", "none") == {}
    for slot in ("told", "told-too", "without"):
        driver.remove(slot)
        driver.remove(slot)
