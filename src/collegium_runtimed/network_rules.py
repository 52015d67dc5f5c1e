"""Which addresses a runtime may reach: public ones, never the machine's own, never the cloud's description of it."""

import ipaddress
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Range = ipaddress.IPv4Network | ipaddress.IPv6Network

GATEWAY, RESOLVER = "10.0.2.2", "10.0.2.3"
"""Where slirp4netns answers inside; the gateway would be the machine's loopback, the resolver passes on its DNS."""
DNS_PORT = 53
FIB = Path("/proc/self/net/fib_trie")
ROUTES = Path("/proc/self/net/route")
IF_INET6 = Path("/proc/self/net/if_inet6")
PORT_MAX = 65535

METADATA = tuple(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "fd00:ec2::254")
)
"""Where clouds hand out keys to the machine; refused whatever anybody allows."""

NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
        # All but 2000::/3, and of that what carries version 4 or is for documents.
        "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of what an administrator allows: a range of addresses or a name, and a port or all that are usual."""

    host: str | Range
    port: int | None = None


def parse(text: str) -> Target:
    """`name`, `*.suffix`, `address`, `range/bits`, each also with `:port`. Raises ValueError."""
    host, port = _without_port(text.strip())
    try:
        return Target(ipaddress.ip_network(host, strict=False), port)
    except ValueError:
        name = host.lower().removesuffix(".")
        if not re.fullmatch(r"(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*)", name):
            raise ValueError(f"{text!r} is neither a host nor a range of addresses") from None
        return Target(name, port)


def _without_port(text: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"\[(?P<six>[^]]+)\](:(?P<port6>\d{1,5}))?|(?P<host>[^:]+):(?P<port>\d{1,5})", text)
    if found is None:
        return text, None
    digits = found["port6"] or found["port"]
    if digits is not None and not 0 < int(digits) <= PORT_MAX:
        raise ValueError(f"{text!r} has no such port")
    return found["six"] or found["host"], int(digits) if digits else None


def own_addresses() -> set[Address]:
    """Every address of this machine, and its routers', as this process's network has them. Raises OSError."""
    found: set[Address] = set()
    for text in re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", FIB.read_text()):
        found.add(ipaddress.IPv4Address(text))
    for line in ROUTES.read_text().splitlines()[1:]:
        # As the processor has it in memory.
        found.add(ipaddress.IPv4Address(int(line.split()[2], 16).to_bytes(4, sys.byteorder)))
    if IF_INET6.exists():
        for line in IF_INET6.read_text().splitlines():
            found.add(ipaddress.IPv6Address(int(line.split()[0], 16)))
    return found


def may_reach(address: Address, allowed: Sequence[Target], own: Iterable[Address], *, port: int) -> bool:
    """Whether an address is public, or allowed though it is not."""
    if address in METADATA:
        return False
    if any(_covers(target, address, port) for target in allowed):
        return True
    return address not in own and not any(address in refused for refused in NOT_PUBLIC)


def _covers(target: Target, address: Address, port: int) -> bool:
    return not isinstance(target.host, str) and address in target.host and target.port in (None, port)


def table(allowed: Sequence[Target], own: Iterable[Address]) -> str:
    """The rules for nft, in a network namespace whose way out is slirp4netns. Names must have been resolved."""
    refused = [*NOT_PUBLIC, *(ipaddress.ip_network(address) for address in own)]
    lines = [
        'oifname "lo" accept',
        *(f"{_family(address)} daddr {address} reject with icmpx admin-prohibited" for address in METADATA),
        *(f"ip daddr {RESOLVER} {protocol} dport {DNS_PORT} accept" for protocol in ("udp", "tcp")),
        *(line for target in allowed for line in _accepted(target)),
        *(f"{_family(one)} daddr {{ {_joined(refused, one.version)} }} reject with icmpx admin-prohibited"
          for one in (ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::"))),  # noqa: S104
    ]  # fmt: skip
    body = "\n".join(f"    {line}" for line in lines)
    return (
        "table inet collegium {\n  chain output {\n    type filter hook output priority 0; policy accept;\n"
        f"{body}\n  }}\n}}\n"
    )


def _family(of: Address | Range) -> str:
    return "ip" if of.version == 4 else "ip6"


def _accepted(target: Target) -> list[str]:
    assert not isinstance(target.host, str)
    to = f"{_family(target.host)} daddr {target.host}"
    if target.port is None:
        return [f"{to} accept"]
    return [f"{to} {protocol} dport {target.port} accept" for protocol in ("tcp", "udp")]


def _joined(ranges: Iterable[Range], version: int) -> str:
    """Neighbours and overlaps made one: nft refuses a set in which anything is twice."""
    if version == 4:
        four = ipaddress.collapse_addresses(one for one in ranges if isinstance(one, ipaddress.IPv4Network))
        return ", ".join(str(one) for one in four)
    six = ipaddress.collapse_addresses(one for one in ranges if isinstance(one, ipaddress.IPv6Network))
    return ", ".join(str(one) for one in six)
