"""The zygotes of an engine: which there are, when one is made, and when it has forked long enough."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collegium_runtimed import cgroups, linux, machine, zygote
from collegium_runtimed.disk import remove_tree
from collegium_runtimed.plan import AGENT_HOME, Bind, Limits, Plan, to_json
from collegium_runtimed.records import Kind

FORKS_MAX = 500
AGE_SECONDS_MAX = 6 * 3600.0
"""After so many forks, or so long, another takes its place: forks of one template share the layout of their memory."""
UNUSED_SECONDS_MAX = 900.0
START_SECONDS_MAX = 60.0
RETRY_SECONDS = 60.0
MEMORY_BYTES_MAX = 4 << 30
PROCESSES_MAX = 4096
NAME = "zygote-"
SOURCE = str(Path(__file__).resolve().parent.parent)
STARTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from collegium_runtimed.zygote import start; start()"

Key = tuple[str, tuple[str, ...], int]


@dataclass
class Zygote:
    """One template process."""

    name: str
    version: str
    uid: int
    process: asyncio.subprocess.Process
    control: socket.socket
    groups: list[str]
    home: Path | None
    threads: int = 0
    lacking: list[str] = field(default_factory=list)
    forks: int = 0
    started: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)

    @property
    def old(self) -> bool:
        """Whether another should take its place."""
        return self.forks >= FORKS_MAX or time.monotonic() - self.started > AGE_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class World:
    """What zygotes need of the engine."""

    root: bool
    agent: Path
    environments: tuple[Path, ...]
    folder: Path
    groups: cgroups.Groups
    system: tuple[list[Bind], list[tuple[str, str]]]
    new_uid: Callable[[], int]
    may_write: Callable[[Kind], bool]
    """Whether runtimes of a kind may write over their environment."""


def may_fork(kind: Kind) -> bool:
    """Whether runtimes of this kind come from a zygote: it imports what administrators chose, and never what a user
    installed, since it does so outside of every sandbox."""
    return bool(kind.preload) and not kind.layers


class Zygotes:
    """Makes them when they are first asked for, one for each environment, list of modules and number of threads."""

    def __init__(self, world: World, tasks: asyncio.TaskGroup) -> None:
        self.failures: dict[Key, tuple[float, str]] = {}
        self._world = world
        self._tasks = tasks
        self._ready: dict[Key, Zygote] = {}
        self._starting: dict[Key, asyncio.Task[None]] = {}
        self._count = 0

    async def open(self) -> None:
        """Nothing stays of those of an engine before this one."""
        for path in self._world.folder.glob("*.json"):
            with suppress(OSError, ValueError, KeyError):
                left = json.loads(path.read_text())
                if linux.start_time(left["pid"]) == left["started"]:
                    os.kill(left["pid"], signal.SIGKILL)
        for path in self._world.folder.iterdir():
            if path.is_dir():
                await asyncio.to_thread(remove_tree, path)
            else:
                path.unlink()

    @property
    def uids(self) -> set[int]:
        """Those that are taken."""
        return {one.uid for one in self._ready.values()}

    def find(self, kind: Kind) -> Zygote | None:
        """The zygote for a kind if it is ready; if there is none, one is on its way from now on."""
        if not may_fork(kind):
            return None
        key = _key(kind)
        found = self._ready.get(key)
        if found is not None and found.process.returncode is not None:
            self._tasks.create_task(self._discard_quietly(found))
            del self._ready[key]
            found = None
        if (found is None or found.old) and key not in self._starting and not self._failed_just_now(key):
            self._starting[key] = self._tasks.create_task(self._start(key, kind))
        return found

    async def wait(self, kind: Kind) -> Zygote | None:
        """The same, but waits for one that is on its way."""
        found = self.find(kind)
        starting = self._starting.get(_key(kind))
        if found is None and starting is not None:
            await asyncio.wait([starting])
            found = self.find(kind)
        return found

    def _failed_just_now(self, key: Key) -> bool:
        return key in self.failures and time.monotonic() - self.failures[key][0] < RETRY_SECONDS

    async def _start(self, key: Key, kind: Kind) -> None:
        try:
            made = await self._make(kind)
        except Exception as error:  # without a zygote runtimes start slower; without an engine not at all
            self.failures[key] = (time.monotonic(), f"{type(error).__name__}: {error}")
            print(f"no zygote for {kind.version}: {error!r}", flush=True)
            return
        finally:
            del self._starting[key]
        self.failures.pop(key, None)
        before = self._ready.get(key)
        self._ready[key] = made
        print(
            f"zygote {made.process.pid} for {kind.version}: {made.threads} idle threads, lacks {made.lacking}",
            flush=True,
        )
        if before is not None:
            await self._discard_quietly(before)

    async def _make(self, kind: Kind) -> Zygote:
        self._count += 1
        name = f"{NAME}{os.getpid()}-{self._count}"
        world, uid = self._world, self._world.new_uid()
        limits = Limits(MEMORY_BYTES_MAX, float(os.cpu_count() or 1), PROCESSES_MAX, 0)
        groups = world.groups.make(name, limits)
        home = None if world.root else await asyncio.to_thread(_furnish_home, world.folder / name, kind.environment)
        log = os.open(world.folder / f"{name}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        plan = self._plan(name, kind, uid, groups, log)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", STARTER, SOURCE, str(theirs.fileno()),
            stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(), log), start_new_session=True, cwd="/",
            env={"LANG": "C.UTF-8"},
        )  # fmt: skip
        theirs.close()
        os.close(log)
        made = Zygote(name, kind.version, uid, process, ours, groups, home)
        try:
            left = {"pid": process.pid, "started": linux.start_time(process.pid)}
            (world.folder / f"{name}.json").write_text(json.dumps(left))
            async with asyncio.timeout(START_SECONDS_MAX):
                answer = await self._talk(ours, plan, kind, home)
        except BaseException:
            await self.discard(made)
            raise
        made.threads, made.lacking = int(answer["threads"]), [str(one) for one in answer["lacking"]]
        made.started = made.used = time.monotonic()
        return made

    def _plan(self, name: str, kind: Kind, uid: int, groups: list[str], log: int) -> Plan:
        world, (system, links) = self._world, self._world.system
        binds = machine.environment_binds(kind.environment, world.agent, world.environments)
        return Plan(
            name=name, uid=uid, gid=uid if world.root else os.getegid(), distinct=world.root,
            environment=kind.environment, lowers=(kind.environment,), writable=False, disk="", image=None,
            binds=(*system, *binds, Bind(f"{SOURCE}/collegium_runtimed", f"{AGENT_HOME}/collegium_runtimed")),
            links=tuple(links), limits=kind.limits, data_bytes=None, cgroups=tuple(groups), listen_fd=-1, log_fd=log,
            warm=False,
        )  # fmt: skip

    async def _talk(self, ours: socket.socket, plan: Plan, kind: Kind, home: Path | None) -> dict[str, Any]:
        loop, root = asyncio.get_running_loop(), self._world.root
        places = {
            "home": str(home) if home is not None else "/home/colab",
            "source": AGENT_HOME if root else SOURCE,
            "agent": AGENT_HOME if root else str(self._world.agent),
            "writable": self._world.may_write(kind),
        }
        await loop.sock_sendall(ours, json.dumps(places | {"plan": to_json(plan)}).encode())
        await loop.sock_sendall(ours, json.dumps({"preload": kind.preload}).encode())
        said = await loop.sock_recv(ours, zygote.REQUEST_BYTES_MAX)
        if not said:
            raise OSError(f"it ended: {self._last_words(plan.name)}")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _last_words(self, name: str) -> str:
        return " ".join((self._world.folder / f"{name}.log").read_text(errors="replace").split())[-500:]

    async def give_up(self, found: Zygote, why: str) -> None:
        """It does not fork as it should."""
        for key, one in list(self._ready.items()):
            if one is found:
                del self._ready[key]
                if found.process.returncode is None:
                    self.failures[key] = (time.monotonic(), why)  # one that was killed is just made again
        await self._discard_quietly(found)

    async def discard(self, found: Zygote) -> None:
        """End it; the runtimes that came from it go on."""
        found.control.close()
        with suppress(ProcessLookupError):
            found.process.kill()
        await found.process.wait()
        await asyncio.to_thread(cgroups.remove, found.groups)
        await asyncio.to_thread(remove_tree, self._world.folder / found.name)
        for suffix in (".json", ".log"):
            (self._world.folder / f"{found.name}{suffix}").unlink(missing_ok=True)

    async def _discard_quietly(self, found: Zygote) -> None:
        try:
            await self.discard(found)
        except OSError as error:
            print(f"zygote {found.process.pid} could not be cleaned away: {error!r}", flush=True)

    async def discard_unused(self, wanted: set[Kind]) -> None:
        """End those that nobody asked for in a while and no pool needs."""
        keys = {_key(kind) for kind in wanted}
        for key, one in list(self._ready.items()):
            if key not in keys and time.monotonic() - one.used > UNUSED_SECONDS_MAX:
                del self._ready[key]
                await self.discard(one)

    async def close(self) -> None:
        """End all of them."""
        for task in list(self._starting.values()):
            task.cancel()
            await asyncio.wait([task])
        for one in self._ready.values():
            await self.discard(one)
        self._ready.clear()

    def status(self) -> list[dict[str, Any]]:
        """What there is. Blocks for a moment."""
        return [
            {
                "version": one.version,
                "pid": one.process.pid,
                "memory_bytes": _memory_bytes(one.process.pid),
                "forks": one.forks,
                "threads": one.threads,
                "lacking": one.lacking,
            }
            for one in list(self._ready.values())
        ]


def _key(kind: Kind) -> Key:
    return kind.environment, kind.preload, max(1, round(kind.limits.cpus))


def _furnish_home(folder: Path, environment: str) -> Path:
    """A home of its own, with what the environment wants in one."""
    home = folder / "home"
    skeleton = Path(environment) / "share/collegium/home"
    if skeleton.is_dir():
        shutil.copytree(skeleton, home)
    else:
        home.mkdir(parents=True)
    return home


def _memory_bytes(pid: int) -> int | None:
    """Its share of the memory it shares."""
    with suppress(OSError, ValueError, IndexError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return None
