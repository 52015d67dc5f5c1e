"""Networks of runtimes: made before the sandbox, outside of it, and gone with it."""

import asyncio
import contextlib
import fcntl
import ipaddress
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from collegium_runtimed import linux, network_rules, records
from collegium_runtimed.network_namespaces import ANSWER_BYTES_MAX, PROXY_PORT, TUN
from collegium_runtimed.network_packages import Proxy
from collegium_runtimed.plan import Network

MAKE_SECONDS_MAX = 15.0
RESOLVE_SECONDS_MAX = 5.0
REPAIRS_MAX = 20
REPAIR_PAUSE_SECONDS = 0.5
UIDS = range(2_067_108_864, 2_068_157_440)
"""Behind those of runtimes: each network made by root belongs to one."""
NS_GET_USERNS = 0xB701
PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SOURCE = str(Path(__file__).resolve().parent.parent)
HELPER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from collegium_runtimed.network_namespaces import main; main()"
)
PROXY = f"http://127.0.0.1:{PROXY_PORT}"
DIRECT = "localhost,127.0.0.1,::1"
VARIABLES = tuple(
    (spelled, value)
    for name, value in (("http_proxy", PROXY), ("https_proxy", PROXY), ("all_proxy", PROXY), ("no_proxy", DIRECT))
    for spelled in (name, name.upper())
)
INSTALL = "ask an administrator for: apt-get install slirp4netns nftables"


@dataclass(frozen=True, slots=True)
class Link:
    """A network namespace that a runtime's first process joins instead of making one.

    `user_fd`: the user namespace that owns it, to be joined first, where the engine is no root. The caller closes
    both descriptors; the namespace lives on while something is in it.
    """

    net_fd: int
    user_fd: int | None = None
    resolv_conf: str = ""
    """The text of /etc/resolv.conf inside."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables inside: where the proxy is."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is written down of a network: whose, its process, and by which number the kernel knows its namespace."""

    slot: str
    mode: str
    allow: tuple[str, ...]
    uid: int
    boot: str
    pid: int = 0
    started: int = 0
    inode: int = 0
    groups: tuple[str, ...] = ()


class Networks:
    """Makes a namespace for each runtime that is not without network; what it starts, it finds again by `folder`."""

    def __init__(self, folder: Path, *, root: bool) -> None:
        self.modes: frozenset[str] = frozenset({"none"})
        """What can be had on this machine, known after `open`."""
        self.missing: list[dict[str, str]] = []
        self._folder = folder
        self._root = root
        self._held: dict[str, Held] = {}
        self._pidfds: dict[str, int] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._broken: asyncio.Queue[str] = asyncio.Queue()
        self._repairs: dict[str, int] = {}
        self._mending = asyncio.Lock()
        self._programs = {name: shutil.which(name, path=PROGRAMS) for name in ("slirp4netns", "nft")}
        self._proxy = Proxy(folder, uid=UIDS[-1] if root else None)

    # ── opening ────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, slots: frozenset[str]) -> None:
        """Try what this machine can do; end what was left for runtimes other than `slots`."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.glob("*.new"):
            path.unlink()
        for path in self._folder.glob("*.slot"):
            held = _read(path)
            if held is None or held.boot != records.boot_id():
                path.unlink()
                continue
            self._held[held.slot] = held
            if held.slot not in slots:
                await self.remove(held.slot)
            elif held.mode == "internet" and not self._watch(held):
                self._broken.put_nowait(held.slot)
        behind_proxy = frozenset(slot for slot, held in self._held.items() if held.mode == "packages")
        for slot in behind_proxy - await self._proxy.open(behind_proxy):
            self._broken.put_nowait(slot)
        await self._try("packages", "the network `packages`")
        if lacking := [name for name, path in self._programs.items() if path is None]:
            self._miss("the network `internet`", f"{' and '.join(lacking)} not installed", INSTALL)
        else:
            await self._try("internet", "the network `internet`")

    async def _try(self, mode: str, what: str) -> None:
        slot = f"probe-{secrets.token_hex(4)}"
        try:
            if mode == "packages":  # all but the proxy, which starts when somebody needs it
                held = Held(slot, mode, (), self._uid(), records.boot_id())
                _close(await self._run(held, rules=None, listen=True, given=()))
            else:
                link = await self._make(slot, Network(mode), ())
                _close((link.net_fd, link.user_fd))
            self.modes |= {mode}
        except OSError as error:
            self._miss(what, str(error), f"let the server's user use {TUN}, user namespaces and nftables")
        finally:
            await self.remove(slot)

    def _uid(self) -> int:
        """Whose a new network is. The last is the proxy's."""
        return UIDS[secrets.randbelow(len(UIDS) - 1)] if self._root else os.geteuid()

    def _miss(self, what: str, detail: str, remedy: str) -> None:
        self.missing.append({"what": what, "detail": detail, "remedy": remedy})

    # ── making ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def make(
        self, slot: str, network: Network, *, groups: Sequence[str] = (), beside: tuple[int, int] | None = None
    ) -> Link | None:
        """A network for the runtime in this slot, or None for none at all. Raises OSError.

        `groups`: the control groups that bound what a process of this network may use. `beside`, of root alone: the
        user who forks the runtime, and the runtime's; the link then has a user namespace that the one may join, and
        in which the other is user 1.
        """
        if network.mode == "none":
            return None
        if network.mode not in self.modes:
            raise OSError(f"this machine cannot make a network of kind {network.mode!r}")
        try:
            return await self._make(slot, network, groups, beside)
        except BaseException:
            await self.remove(slot)
            raise

    async def _make(
        self, slot: str, network: Network, groups: Sequence[str], beside: tuple[int, int] | None = None
    ) -> Link:
        held = Held(slot, network.mode, network.allow, self._uid(), records.boot_id(), groups=tuple(groups))
        internet = network.mode == "internet"
        rules = network_rules.table(await resolved(network.allow), network_rules.own_addresses()) if internet else None
        net, user, *listener = await self._run(held, rules=rules, listen=not internet, given=(), beside=beside)
        try:
            for descriptor in listener:
                await self._proxy.add(slot, network.allow, descriptor)
        except BaseException:
            _close((net, user))
            raise
        finally:
            _close(listener)
        if self._root and beside is None:
            os.close(user)
        resolv_conf = f"nameserver {network_rules.RESOLVER}\n" if internet else "# Names are looked up by the proxy.\n"
        return Link(net, None if self._root and beside is None else user, resolv_conf, () if internet else VARIABLES)

    async def _run(
        self,
        held: Held,
        *,
        rules: str | None,
        listen: bool,
        given: Sequence[int],
        beside: tuple[int, int] | None = None,
    ) -> list[int]:
        """Start the process of a network, which is written down before it may begin; the descriptors it made."""
        internet = held.mode == "internet"
        request = {
            "uid": held.uid if self._root else None,
            "groups": held.groups,
            "beside": beside,
            "nft": self._programs["nft"],
            "rules": rules,
            "listen": listen,
            "slirp": self._programs["slirp4netns"] if internet else None,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                child = subprocess.Popen(  # noqa: ASYNC220 - asyncio would keep a thread for as long as it runs
                    [sys.executable, "-I", "-S", "-c", HELPER, SOURCE, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),), start_new_session=True, cwd="/", env={"LANG": "C.UTF-8"},
                )  # fmt: skip
            self._children[held.slot] = child
            try:
                held = self._store(replace(held, pid=child.pid, started=linux.start_time(child.pid) or 0))
                async with asyncio.timeout(MAKE_SECONDS_MAX):
                    socket.send_fds(ours, [json.dumps(request).encode()], list(given))
                    inode, made = await _answer(ours)
                    self._store(replace(held, inode=inode))
                    if internet:
                        await self._until_ready(ours, child, made)
            except BaseException as error:
                child.kill()
                if isinstance(error, TimeoutError):
                    raise OSError("the network took too long to start") from error
                raise
            finally:
                assert child.stderr is not None
                child.stderr.close()
        if internet:
            self._watch(held)
            return made
        try:
            await self._wait(held.slot)
        except BaseException:
            _close(made)
            raise
        return made

    async def _until_ready(self, control: socket.socket, child: subprocess.Popen[bytes], made: list[int]) -> None:
        try:
            await _readable(control)
            if not control.recv(ANSWER_BYTES_MAX):
                assert child.stderr is not None
                said = os.read(child.stderr.fileno(), ANSWER_BYTES_MAX).decode(errors="replace")
                raise OSError(f"slirp4netns ended: {' '.join(said.split())[:500]}")
        except BaseException:
            _close(made)
            raise

    def _store(self, held: Held) -> Held:
        self._held[held.slot] = held
        path = self._path(held.slot)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(held)))
        os.replace(new, path)
        return held

    def _path(self, slot: str) -> Path:
        return self._folder / f"{slot}.slot"

    # ── ending ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def remove(self, slot: str) -> None:
        """Nothing of it stays; it may be gone already."""
        async with self._mending:
            await self._remove(slot)

    async def _remove(self, slot: str) -> None:
        held = self._held.pop(slot, None) or _read(self._path(slot))
        self._repairs.pop(slot, None)
        if held is None:
            return
        self._unwatch(slot)
        if slot in self._children:
            with contextlib.suppress(ProcessLookupError):
                self._children[slot].kill()
            await self._wait(slot)
        elif held.boot == records.boot_id():
            await _end(held.pid, held.started)
        if held.mode == "packages":
            await self._proxy.drop(slot)
        self._path(slot).unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop watching. What runs, runs on, and the next engine finds it."""
        for slot in list(self._pidfds):
            self._unwatch(slot)
        for child in self._children.values():
            child.returncode = child.returncode or 0  # it goes on without us, and whoever adopts it waits for it
        self._children.clear()
        await self._proxy.close(needed=any(held.mode == "packages" for held in self._held.values()))

    async def _wait(self, slot: str) -> None:
        child = self._children.pop(slot, None)
        if child is not None:
            await asyncio.to_thread(child.wait)

    # ── repairing ──────────────────────────────────────────────────────────────────────────────────────────────

    async def keep(self) -> None:
        """Start again what ended of a living runtime's network. Runs until cancelled."""
        self._proxy.on_end = self._lost_proxy
        while True:
            slot = await self._broken.get()
            try:
                async with self._mending:
                    if slot in self._held:
                        await self._repair(self._held[slot])
            except OSError as error:
                print(f"the network of {slot} could not be mended: {error}", flush=True)
                self._repairs[slot] = self._repairs.get(slot, 0) + 1
                if self._repairs[slot] < REPAIRS_MAX:
                    await asyncio.sleep(REPAIR_PAUSE_SECONDS)
                    self._broken.put_nowait(slot)

    def _lost_proxy(self) -> None:
        for slot, held in self._held.items():
            if held.mode == "packages":
                self._broken.put_nowait(slot)

    async def _repair(self, held: Held) -> None:
        net = await asyncio.to_thread(find_namespace, held.inode)
        if net is None:
            return  # the runtime ended too, and whoever saw it calls `remove`
        user = fcntl.ioctl(net, NS_GET_USERNS)
        try:
            await self._wait(held.slot)
            internet = held.mode == "internet"
            made = await self._run(held, rules=None, listen=not internet, given=(net, user))
            try:
                for descriptor in made[2:]:
                    await self._proxy.add(held.slot, held.allow, descriptor)
            finally:
                _close(made)
        finally:
            _close((net, user))

    def _watch(self, held: Held) -> bool:
        """Learn when the process of a network ends. False if it has ended."""
        try:
            pidfd = os.pidfd_open(held.pid)
        except ProcessLookupError:
            return False
        if linux.start_time(held.pid) != held.started:
            os.close(pidfd)
            return False
        self._pidfds[held.slot] = pidfd
        asyncio.get_running_loop().add_reader(pidfd, self._saw_end, held.slot)
        return True

    def _unwatch(self, slot: str) -> None:
        pidfd = self._pidfds.pop(slot, None)
        if pidfd is not None:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)

    def _saw_end(self, slot: str) -> None:
        self._unwatch(slot)
        if slot in self._held:
            self._broken.put_nowait(slot)


async def resolved(allow: Iterable[str]) -> list[network_rules.Target]:
    """What is allowed, names replaced by the addresses they have now; what has none is left out, and said."""
    found: list[network_rules.Target] = []
    for text in allow:
        try:
            target = network_rules.parse(text)
            if isinstance(target.host, str):
                async with asyncio.timeout(RESOLVE_SECONDS_MAX):
                    answers = await asyncio.get_running_loop().getaddrinfo(target.host, None, type=socket.SOCK_STREAM)
                hosts = {str(answer[4][0]).partition("%")[0] for answer in answers}
                found += [network_rules.Target(ipaddress.ip_network(host), target.port) for host in sorted(hosts)]
            else:
                found.append(target)
        except (OSError, ValueError, TimeoutError) as error:
            print(f"{text!r} is allowed in vain: {error or 'its name was not found in time'}", flush=True)
    return found


def find_namespace(inode: int) -> int | None:
    """A network namespace in which some process still lives, by its number."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            descriptor = os.open(entry / "ns/net", os.O_RDONLY)
        except OSError:
            continue  # it ended while we looked, or is not ours to look at
        if os.fstat(descriptor).st_ino == inode:
            return descriptor
        os.close(descriptor)
    return None


async def _readable(control: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(control, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(control)


async def _answer(control: socket.socket) -> tuple[int, list[int]]:
    """What the process of a network says of the namespaces it made: the number of one, and their descriptors."""
    await _readable(control)
    text, made, _, _ = socket.recv_fds(control, ANSWER_BYTES_MAX, 3)
    answer: dict[str, Any] = json.loads(text) if text else {"error": "the process of the network ended"}
    if not made:
        raise OSError(answer["error"])
    for descriptor in made:
        os.set_inheritable(descriptor, False)
    return answer["inode"], made


async def _end(pid: int, started: int) -> None:
    """End a process that an engine before this one started, and wait until it is no more."""
    try:
        pidfd = os.pidfd_open(pid)
    except (ProcessLookupError, OSError):
        return
    try:
        if linux.start_time(pid) != started:
            return
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, ended.set)
        await ended.wait()
        asyncio.get_running_loop().remove_reader(pidfd)
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)  # noqa: ASYNC222 - it has ended
    finally:
        os.close(pidfd)


def _close(descriptors: Iterable[int | None]) -> None:
    for descriptor in descriptors:
        if descriptor is not None:
            os.close(descriptor)


def _read(path: Path) -> Held | None:
    try:
        value = json.loads(path.read_text())
        return Held(**value | {"allow": tuple(value["allow"]), "groups": tuple(value["groups"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
