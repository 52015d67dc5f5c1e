"""A little internet: a machine with an engine's networks, its neighbours, and services that must or must not be met."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime_world import ORDINARY_UID
from support.environment import ROOT
from support.users import python_as

SCRIPTS = Path(__file__).parent / "runtimes" / "network"
SECONDS_MAX = 20
PUBLIC, OTHER, OWN, ROUTER = "11.0.0.2", "11.0.0.3", "11.0.0.1", "11.0.0.254"
PRIVATE = ("10.99.0.2", "192.168.7.2", "172.16.5.2", "100.64.0.2", "198.18.0.2")
METADATA = "169.254.169.254"
RESOLVER = "10.77.0.53"
OUTER = (PUBLIC, OTHER, ROUTER, *PRIVATE, METADATA, "100.100.100.200", RESOLVER)
PORTS = (22, 80, 443, 8080)
GUEST_UID = 2_000_000_123


def why_no_little_internet() -> str | None:
    """Why this one cannot be built, or None."""
    if os.geteuid() != 0:
        return "only root can build a little internet"
    for name in ("ip", "nft", "slirp4netns", "nsenter"):
        if shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
            return f"{name} is not installed: see tools/packages"
    return None


class Lines:
    """A program that answers each line with a line."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **options
        )

    def hear(self) -> Any:
        """The next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.process.args} ended"
        return json.loads(line) if line != "ready\n" else "ready"

    def say(self, what: Any) -> None:
        """One line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def ask(self, what: Any) -> Any:
        """One line, and its answer."""
        self.say(what)
        return self.hear()

    def end(self) -> None:
        """By closing what it reads."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate(timeout=SECONDS_MAX)

    def kill(self) -> None:
        """Without a word."""
        self.process.kill()
        self.end()


def python(script: str, *arguments: str) -> list[str]:
    """A script of this world, by the tests' own interpreter."""
    return [sys.executable, "-P", str(SCRIPTS / script), *arguments]


class Guest(Lines):
    """What is inside one runtime's network."""

    def __init__(self, uid: int, net: str, user: str | None) -> None:
        super().__init__(python("guest.py", str(uid), net, user or "-"))
        self.pid = self.hear()

    def run(self, code: str) -> Any:
        """The value of an expression, evaluated inside."""
        return self.ask(code)


class Driver(Lines):
    """The networks of one data folder, as root or as an ordinary user, on the machine of this world."""

    def __init__(self, world: "World", uid: int, folder: Path, slots: tuple[str, ...] = ()) -> None:
        self.uid, self.folder = uid, folder
        words = ["-P", str(SCRIPTS / "driver.py"), str(folder), *slots]
        start = [sys.executable, *words] if uid == 0 else [*python_as(uid, [folder, SCRIPTS]), *words]
        super().__init__([*world.enter, *start])
        opened = self.hear()
        self.modes, self.missing, self.pid = opened["modes"], opened["missing"], opened["pid"]

    def make(self, slot: str, mode: str, *allow: str) -> dict[str, Any]:
        """A network; its descriptors are this driver's."""
        link: dict[str, Any] = self.ask({"op": "make", "slot": slot, "mode": mode, "allow": allow})
        assert "error" not in link, link
        return link

    def guest(self, slot: str, mode: str, *allow: str) -> Guest:
        """Somebody inside a new network."""
        link = self.make(slot, mode, *allow)
        paths = [f"/proc/{self.pid}/fd/{link[name]}" if link[name] is not None else None for name in ("net", "user")]
        guest = Guest(GUEST_UID if self.uid == 0 else self.uid, str(paths[0]), paths[1])
        self.ask({"op": "close", "descriptors": [one for one in (link["net"], link["user"]) if one is not None]})
        return guest

    def remove(self, slot: str) -> None:
        """Its end."""
        assert self.ask({"op": "remove", "slot": slot}) == {}

    def record(self, slot: str) -> dict[str, Any]:
        """What is written down of it."""
        value: dict[str, Any] = json.loads((self.folder / f"{slot}.slot").read_text())
        return value


class World:
    """The machine `host`, and one neighbour that has every other address."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="network-"))
        self.folder.chmod(0o755)
        resolv = self.folder / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\noptions timeout:2 attempts:1\n")
        resolv.chmod(0o644)
        self.outer = Lines(python("servers.py"))
        self.outer.say(
            {
                "namespace": True,
                "dns": RESOLVER,
                "tcp": [[address, port] for address in OUTER for port in PORTS],
                "udp": [[address, 7777] for address in OUTER],
            }
        )
        outer = self.outer.hear()
        # A mount namespace for its own resolver, and for a /dev/net/tun that is everybody's, as udev would have it.
        setup = (
            f"mount --bind {resolv} /etc/resolv.conf && mkdir -p /dev/net && mount -t tmpfs -o mode=755 tmpfs /dev/net "
            "&& mknod -m 666 /dev/net/tun c 10 200 && echo 1 && exec cat"
        )
        self.host = Lines(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", setup])
        self.host.hear()
        host = self.host.process.pid
        self.enter = ["nsenter", f"--net=/proc/{host}/ns/net", f"--mount=/proc/{host}/ns/mnt", "--"]
        self._wire(host, outer)
        self.outer.say("go")
        assert self.outer.hear() == "ready"
        self.services = Lines([*self.enter, *python("servers.py")])
        own = [["127.0.0.1", 9000], ["0.0.0.0", 9001], ["::1", 9000]]
        self.services.say({"namespace": False, "dns": None, "tcp": own, "udp": [["0.0.0.0", 7777]]})
        assert self.services.hear() == "ready"

    def _wire(self, host: int, outer: int) -> None:
        lines = [
            f"ip link add w0 netns {host} type veth peer name p0 netns {outer}",
            *(f"nsenter --net=/proc/{pid}/ns/net ip link set {device} up"
              for pid, device in ((host, "lo"), (host, "w0"), (outer, "lo"), (outer, "p0"))),
            f"nsenter --net=/proc/{host}/ns/net ip address add {OWN}/24 dev w0",
            *(f"nsenter --net=/proc/{outer}/ns/net ip address add {address}/{24 if address == PUBLIC else 32} dev p0"
              for address in OUTER),
            f"nsenter --net=/proc/{host}/ns/net ip route add default via {ROUTER}",
        ]  # fmt: skip
        subprocess.run(["sh", "-ec", "\n".join(lines)], check=True)

    def data(self, uid: int) -> Path:
        """A folder for somebody's networks."""
        folder = Path(tempfile.mkdtemp(prefix="networks-", dir=self.folder))
        os.chown(folder, uid, uid)
        return folder

    def processes(self) -> list[str]:
        """What runs on the machine of this world besides its services."""
        here = os.stat(f"/proc/{self.host.process.pid}/ns/net").st_ino
        known = {self.host.process.pid, self.services.process.pid}
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.stat(entry / "ns/net").st_ino == here and int(entry.name) not in known:
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if words:
                        found.append(f"{entry.name} {words[:200]}")
        return found

    def end(self) -> None:
        """All of it."""
        for one in (self.services, self.host, self.outer):
            one.end()
        shutil.rmtree(self.folder)


@contextmanager
def little_internet() -> Iterator[World]:
    """Built, and in the end gone, with nothing left on its machine."""
    world = World()
    try:
        yield world
        until(lambda: world.processes() == [], lambda: str(world.processes()))
    finally:
        world.end()


def until(condition: Callable[[], bool], said: Callable[[], str] = lambda: "") -> None:
    """Wait for a condition, for a bounded time."""
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"it never came true: {said()}"
        time.sleep(0.02)


def kill(pid: int) -> None:
    """Without a word."""
    os.kill(pid, signal.SIGKILL)


__all__ = ["METADATA", "ORDINARY_UID", "OTHER", "OWN", "PRIVATE", "PUBLIC", "ROOT", "Driver", "Guest", "World"]
