"""Which addresses a runtime may reach, as a pure table."""

import ipaddress
import re
import subprocess

import pytest

from collegium_runtimed import network_rules
from collegium_runtimed.network_proxy import Policy, Refused, _place
from collegium_runtimed.network_rules import Target, may_reach, parse, table

PRIVATE = [
    "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.0.1",
    "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.168.0.1", "198.18.0.1",
    "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1",
    "4000::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.1.1.1", "223.255.255.255", "2606:4700::1", "2a00::1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not may_reach(ipaddress.ip_address(text), [], [], port=443)


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_allowed_unless_it_is_this_machine(text: str) -> None:
    address = ipaddress.ip_address(text)

    assert may_reach(address, [], [], port=443)
    assert not may_reach(address, [], [address], port=443)


def test_a_private_address_can_be_allowed_for_one_port() -> None:
    allowed = [parse("10.1.0.0/16:5432")]

    assert may_reach(ipaddress.ip_address("10.1.2.3"), allowed, [], port=5432)
    assert not may_reach(ipaddress.ip_address("10.1.2.3"), allowed, [], port=22)
    assert not may_reach(ipaddress.ip_address("10.2.2.3"), allowed, [], port=5432)


@pytest.mark.parametrize("address", network_rules.METADATA)
def test_what_the_cloud_says_of_the_machine_cannot_be_allowed(address: network_rules.Address) -> None:
    assert not may_reach(address, [parse("0.0.0.0/0"), parse("::/0"), parse(str(address))], [], port=80)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("pypi.org", Target("pypi.org")),
        ("PyPI.org.", Target("pypi.org")),
        ("*.example.org:8443", Target("*.example.org", 8443)),
        ("10.0.0.0/8", Target(ipaddress.ip_network("10.0.0.0/8"))),
        ("10.0.0.7:80", Target(ipaddress.ip_network("10.0.0.7/32"), 80)),
        ("fd00::/8", Target(ipaddress.ip_network("fd00::/8"))),
        ("[fd00::7]:80", Target(ipaddress.ip_network("fd00::7/128"), 80)),
    ],
)
def test_an_entry_is_a_host_or_a_range_and_perhaps_a_port(text: str, target: Target) -> None:
    assert parse(text) == target


@pytest.mark.parametrize("text", ["", "a b", "a;b", "x:0", "x:65536", "a..b", "a*.b", "http://x", 'a"; accept'])
def test_anything_else_is_no_entry(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_name_is_allowed_as_it_is_written_and_a_suffix_for_what_is_below_it() -> None:
    policy = Policy(tuple(map(parse, ["pypi.org", "*.pythonhosted.org", "internal:8080", "10.0.0.7"])))

    for host, port in (("pypi.org", 443), ("files.pythonhosted.org", 80), ("internal", 8080), ("10.0.0.7", 443)):
        policy.check_host(host, port)
    for host, port in (
        ("pypi.org", 22), ("evilpypi.org", 443), ("pypi.org.evil.com", 443), ("pythonhosted.org", 443),
        ("internal", 443), ("evilpythonhosted.org", 443), ("10.0.0.8", 443),
        ("167772167", 443), ("0xa000007", 443), ("10.7", 443),
    ):  # fmt: skip
        with pytest.raises(Refused):
            policy.check_host(host, port)


@pytest.mark.parametrize(
    "authority",
    ["a:", "a:0", "a:65536", "a:99999", "a b:80", "u@a:80", "a:80:80", "[::1", "[x]:80", "a/:80", ":80", ""],
)
def test_a_strange_authority_is_refused(authority: str) -> None:
    with pytest.raises(Refused):
        _place(authority, usual_port=None)


def test_this_machine_knows_its_own_addresses() -> None:
    own = network_rules.own_addresses()

    assert ipaddress.ip_address("127.0.0.1") in own
    routers = re.findall(r"via (\S+)", subprocess.run(["ip", "-4", "route"], capture_output=True, text=True).stdout)
    assert {ipaddress.ip_address(text) for text in routers} <= own
    listed = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    assert {ipaddress.ip_address(text.partition("%")[0]) for text in listed} <= own


def test_the_table_names_everything_once_and_the_metadata_first() -> None:
    own = [ipaddress.ip_address(text) for text in ("10.0.0.9", "8.8.8.8", "::1", "2a00::9", "127.0.0.1")]

    text = table([parse("10.1.2.3"), parse("10.9.0.0/16:5432"), parse("fd00::7")], own)

    lines = [line.strip() for line in text.splitlines()]
    assert lines.index("ip daddr 169.254.169.254 reject with icmpx admin-prohibited") < lines.index(
        "ip daddr 10.1.2.3/32 accept"
    )
    assert "ip daddr 10.9.0.0/16 tcp dport 5432 accept" in lines
    assert "8.8.8.8/32" in text
    assert "2a00::9/128" in text
    assert text.count("10.0.0.9") == 0, "it is in 10.0.0.0/8 anyway, and nft wants no overlap"
