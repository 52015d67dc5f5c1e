"""The engine: makes runtimes, knows them again after it was killed, and leaves nothing of those that are gone."""

import asyncio
import hashlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from collegium_runtimed import cgroups, linux, machine, records
from collegium_runtimed.disk import furnish, make_image, remove_tree, used_bytes
from collegium_runtimed.launch import FORK_SECONDS_MAX, LAUNCH_SECONDS_MAX
from collegium_runtimed.launcher import Launcher
from collegium_runtimed.network import Link, Networks
from collegium_runtimed.plan import Bind, Limits, Plan
from collegium_runtimed.records import Kind, Record
from collegium_runtimed.zygotes import World, Zygote, Zygotes

END_SECONDS_MAX = 30.0
LOG_BYTES_MAX = 1 << 20
LOG_CHECK_SECONDS = 1.0
LOG_TOLD_BYTES_MAX = 64 << 10
BACKLOG = 64
UIDS = range(2_000_000_000, 2_067_108_864)
"""User ids that distributions leave alone; each runtime made by root gets one."""
PROBE_DISK_BYTES = 16 << 20
SOURCE = str(Path(__file__).resolve().parent.parent)
SEALER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from collegium_runtimed.seal import main; main()"


class EngineError(Exception):
    """The engine cannot do what was asked. `code` is for programs, the text for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Options:
    """How this engine was started."""

    data: Path
    uid: int
    gid: int
    environments: tuple[Path, ...]
    agent: Path
    allow: tuple[str, ...] = ()
    """Patterns of devices and other paths of the machine that runtimes may be given."""


class Engine:
    """All runtimes of one data folder. One event loop; nothing here blocks it for long."""

    def __init__(self, options: Options, tasks: asyncio.TaskGroup) -> None:
        self.options = options
        self.root = os.geteuid() == 0
        self.records: dict[str, Record] = {}
        self.missing: list[dict[str, str]] = []
        self.disk_enforced = False
        self.writable = False
        """Whether runtimes may write over their environment."""
        self.isolation_error = ""
        zygotes = self._own_folder("zygotes", 0o700, held=self.root)
        self._system = machine.system_binds()
        self.on_change: Callable[[Record], None] = lambda _record: None
        self._tasks = tasks
        self._launcher = Launcher()
        self._own: list[asyncio.Task[None]] = []
        self._pidfds: dict[str, int] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        # Held open also because a socket's address is short, and a data folder's may be long.
        self.run = self._own_folder("run", 0o710, held=True)
        self.runtimes = self._own_folder("runtimes", 0o700, held=self.root)
        self.networks = Networks(self._own_folder("networks", 0o700, held=self.root), root=self.root)
        self.layers = self._layers_folder()
        label = hashlib.sha256(str(options.data).encode()).hexdigest()[:12]
        self.groups, why = cgroups.open_groups(f"collegium-{label}")
        if why is not None:
            self._miss("memory, processor and process limits", why, cgroups.ROOT if not self.root else cgroups.DELEGATE)
        world = World(
            root=self.root, agent=options.agent, environments=options.environments, folder=zygotes, groups=self.groups,
            system=self._system, new_uid=self._new_uid, may_write=self._may_write,
        )  # fmt: skip
        self.zygotes = Zygotes(world, tasks)

    def _own_folder(self, name: str, mode: int, *, held: bool) -> Path:
        """A folder below the data folder. As root it is held open: whoever owns the data folder may move it away."""
        path = self.options.data / name
        path.mkdir(mode=mode, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        if self.root:
            os.fchown(fd, 0, self.options.gid)
        os.fchmod(fd, mode if self.root else 0o700)
        return Path(f"/proc/{os.getpid()}/fd/{fd}") if held else path

    def _layers_folder(self) -> Path:
        """Where sealed layers lie; what runtimes execute is not for the server to change, so root's is root's."""
        path = self.options.data / "environments" / "layers"
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self.root:
            os.chown(path, 0, 0, follow_symlinks=False)
        return path

    def _miss(self, what: str, detail: str, remedy: str) -> None:
        self.missing.append({"what": what, "detail": detail, "remedy": remedy})

    # ── opening ────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self) -> None:
        """Try what this machine can do, then find the runtimes that an engine before this one made."""
        await self.zygotes.open()
        await self._probe()
        await self.networks.open(frozenset(folder.name for folder in self.runtimes.iterdir() if folder.is_dir()))
        self.missing += self.networks.missing
        for folder in sorted(self.runtimes.iterdir()):
            if folder.is_dir():
                await self._recover(folder)
        self._remove_stray_sockets()
        await asyncio.to_thread(self.groups.remove_strangers, set(self.records))
        self._own.append(self._tasks.create_task(self._keep_logs_short()))

    async def _probe(self) -> None:
        """Make runtimes that end at once: with a disk of their own and a writable environment, if that can be had."""
        if not self.root:
            self._miss("disk limits", "an ordinary user cannot mount", cgroups.ROOT)
            self._miss("a user id for each runtime", "an ordinary user has only one", cgroups.ROOT)
        elif error := await self._try_launch(image=True):
            self._miss("disk limits", error, "let the server use loop devices and install e2fsprogs")
        else:
            self.disk_enforced = True
        error = await self._try_launch(image=self.disk_enforced, writable=True)
        self.writable = error is None
        if error is None:
            return
        self.isolation_error = ("" if self.disk_enforced else await self._try_launch(image=False)) or ""
        if self.isolation_error:
            remedy = "run `collegium doctor`: it says which namespaces this machine refuses, and how to allow them"
            self._miss("isolation", self.isolation_error, remedy)
        else:
            remedy = "Linux 5.19 or newer, and data and environments on ext4, xfs or btrfs"
            self._miss("packages installed inside a runtime", error, remedy)

    async def _try_launch(self, *, image: bool, writable: bool = False) -> str | None:
        limits = Limits(memory_bytes=256 << 20, cpus=1.0, processes=64, disk_bytes=PROBE_DISK_BYTES)
        below = next((str(path) for path in self.options.environments if path.is_dir()), "/usr")
        record = self._new_record(Kind("probe", "", below if writable else "/usr", limits), image=image)
        try:
            await self._launch(record, binds=[], command=("/usr/bin/env", "true"), writable=writable)
        except (EngineError, OSError) as error:
            return str(error)
        finally:
            await self._remove(record.slot)
        return None

    async def _recover(self, folder: Path) -> None:
        slot = folder.name
        record = records.read(folder)
        if record is None or record.slot != slot:
            await asyncio.to_thread(remove_tree, folder)
            return
        self.records[slot] = record
        alive = self._watch_end(record)
        if record.state == "ready" and alive:
            self._rename_socket(record)
            return
        if alive:
            self._signal(slot)
            await self._ended[slot].wait()
        if record.state in ("ready", "failed") and record.runtime is not None:
            await self._fail(record, record.reason or "it ended while the engine was not running")
        else:
            await self._remove(slot)

    def _rename_socket(self, record: Record) -> None:
        """Finish a hand-out that was cut off between the record and the address."""
        early = self.run / f"{record.slot}.sock"
        if record.runtime is not None and early.exists():
            early.rename(self.run / record.socket)

    def _remove_stray_sockets(self) -> None:
        known = {record.socket for record in self.records.values()} | {"runtimed.sock"}
        for path in self.run.glob("*.sock"):
            if path.name not in known:
                path.unlink(missing_ok=True)

    # ── making ─────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, runtime: str) -> Record:
        """The runtime that somebody was given under this id."""
        for record in self.records.values():
            if record.runtime == runtime:
                return record
        raise EngineError("not_found", f"there is no runtime {runtime}")

    async def make(self, kind: Kind, *, runtime: str | None, warm: bool, patient: bool = False) -> Record:
        """A new runtime, ready; without a `runtime` id it waits for one in the pool. Who is `patient` waits for a
        zygote that is on its way; others get a runtime without."""
        if self.isolation_error:
            raise EngineError("unavailable", f"This machine cannot isolate runtimes: {self.isolation_error}")
        if kind.network.mode not in self.networks.modes:
            raise EngineError("unavailable", self._why_no_network(kind.network.mode))
        try:
            binds = machine.environment_binds(kind.environment, self.options.agent, self.options.environments)
            binds += machine.allowed_binds(kind.devices, kind.binds, self.options.allow)
            machine.layer_paths(kind.layers, self.layers)
            writable = self._may_write(kind)
        except (machine.BadEnvironment, OSError) as error:
            raise EngineError("invalid", str(error)) from error
        zygote = await self.zygotes.wait(kind) if patient else self.zygotes.find(kind)
        if zygote is not None:
            try:
                return await self._make(kind, runtime, binds=binds, writable=writable, warm=warm, zygote=zygote)
            except EngineError as error:
                print(f"zygote {zygote.process.pid} failed: {error}", flush=True)
                await self.zygotes.give_up(zygote, str(error))
                self.zygotes.find(kind)
        return await self._make(kind, runtime, binds=binds, writable=writable, warm=warm)

    async def _make(
        self,
        kind: Kind,
        runtime: str | None,
        *,
        binds: list[Bind],
        writable: bool,
        warm: bool,
        zygote: Zygote | None = None,
    ) -> Record:
        record = replace(self._new_record(kind, image=self.disk_enforced), runtime=runtime)
        self.records[record.slot] = record
        try:
            record = await self._launch(record, binds=binds, warm=warm, writable=writable, zygote=zygote)
        except BaseException as error:
            await self._remove(record.slot)
            if isinstance(error, OSError):
                raise EngineError("unavailable", f"the runtime could not be made: {error}") from error
            raise
        self.on_change(record)
        return record

    def _why_no_network(self, mode: str) -> str:
        details = "; ".join(one["detail"] for one in self.networks.missing)
        return f"this machine has no network of kind {mode!r} for runtimes" + (f": {details}" if details else "")

    def _may_write(self, kind: Kind) -> bool:
        """Owners can be mapped by root alone; for others the environment must be their own."""
        return self.writable and (self.root or os.stat(kind.environment).st_uid == os.geteuid())

    def hand_out(self, record: Record, runtime: str) -> Record:
        """Give a waiting runtime to somebody: only names change, so it takes no time."""
        given = self._store(replace(record, runtime=runtime))
        (self.run / f"{record.slot}.sock").rename(self.run / given.socket)
        self.on_change(given)
        return given

    def _new_record(self, kind: Kind, *, image: bool) -> Record:
        uid = self._new_uid()
        gid = uid if self.root else os.getegid()
        slot = f"{kind.type[:8]}-{secrets.token_hex(8)}"
        return Record(slot, kind, uid, gid, image, created_at=time.time_ns() // 1_000_000, boot=records.boot_id())

    def _new_uid(self) -> int:
        taken = {record.uid for record in self.records.values()} | self.zygotes.uids
        uid = os.geteuid()
        while self.root and (uid in taken or uid not in UIDS):
            uid = UIDS[secrets.randbelow(len(UIDS))]
        return uid

    def _store(self, record: Record) -> Record:
        self.records[record.slot] = record
        records.write(self.runtimes / record.slot, record)
        return record

    async def _launch(
        self,
        record: Record,
        *,
        binds: list[Bind],
        warm: bool = False,
        command: tuple[str, ...] = (),
        writable: bool = False,
        zygote: Zygote | None = None,
    ) -> Record:
        """Make the folder, the groups and the address, then the processes; every step is written down first."""
        folder = self.runtimes / record.slot
        folder.mkdir(mode=0o700)
        self._store(record)
        (folder / "disk").mkdir()
        limits = record.kind.limits
        if record.image:
            await asyncio.to_thread(make_image, folder / "disk.img", limits.disk_bytes, templates=self.runtimes)
        else:
            furnish(str(folder / "disk"), uid=record.uid, gid=record.gid)
        joined = self.groups.make(record.slot, limits)
        record = self._store(replace(record, cgroups=tuple(joined)))
        # The network ends with the runtime, but is not in its groups: a bomb inside must not end it.
        forked_by = zygote.uid if zygote is not None else os.geteuid()
        beside = (forked_by, record.uid) if self.root else None
        network = None if command else record.kind.network
        link = await self.networks.make(record.slot, network, beside=beside) if network is not None else None
        log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            with self._listen(record) as listener:
                plan = self._plan(record, binds, listener.fileno(), log, link)
                plan = replace(plan, warm=warm, command=command, writable=writable)
                if zygote is not None:
                    zygote.forks, zygote.used = zygote.forks + 1, time.monotonic()
                    plan = replace(plan, zygote_fd=zygote.control.fileno())
                return await self._run_launcher(record, plan)
        finally:
            os.close(log)
            for descriptor in () if link is None else (link.net_fd, link.user_fd):
                if descriptor is not None:
                    os.close(descriptor)

    def _listen(self, record: Record) -> socket.socket:
        path = self.run / record.socket
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        os.chmod(path, 0o660)
        if self.root:
            os.chown(path, 0, self.options.gid)
        listener.listen(BACKLOG)
        return listener

    def _plan(self, record: Record, binds: list[Bind], listen: int, log: int, link: Link | None) -> Plan:
        folder, (system, links) = self.runtimes / record.slot, self._system
        memory_bounded = "memory" in self.groups.enforced()
        return Plan(
            name=record.slot,
            uid=record.uid,
            gid=record.gid,
            distinct=self.root,
            environment=record.kind.environment,
            lowers=(*record.kind.layers, record.kind.environment),
            writable=False,
            disk=str(folder / "disk"),
            image=str(folder / "disk.img") if record.image else None,
            binds=(*system, *binds),
            links=tuple(links),
            limits=record.kind.limits,
            data_bytes=None if memory_bounded else record.kind.limits.memory_bytes,
            cgroups=record.cgroups,
            listen_fd=listen,
            log_fd=log,
            warm=False,
            net_fd=None if link is None else link.net_fd,
            user_fd=None if link is None else link.user_fd,
            resolv_conf="" if link is None else link.resolv_conf,
            variables=dict(record.kind.variables) | dict(() if link is None else link.variables),
        )

    async def _run_launcher(self, record: Record, plan: Plan) -> Record:
        patience = (LAUNCH_SECONDS_MAX if plan.zygote_fd is None else FORK_SECONDS_MAX) + 1.0
        reader, writer = await self._launcher.begin(plan)
        try:
            async with asyncio.timeout(patience):
                first = _answer(await reader.readline())
                record = self._store(replace(record, pid=first["pid"], started=first["started"]))
                self._watch_end(record)
                writer.write(b"go\n")
                _answer(await reader.readline())
        except TimeoutError as error:
            raise EngineError("unavailable", "the sandbox took too long to start") from error
        finally:
            writer.close()
        return self._store(replace(record, state="ready"))

    # ── watching and ending ────────────────────────────────────────────────────────────────────────────────────

    def _watch_end(self, record: Record) -> bool:
        """Learn when PID 1 ends. False if it has ended already, or never began."""
        slot = record.slot
        if record.pid == 0 or record.boot != records.boot_id():
            return False
        try:
            pidfd = os.pidfd_open(record.pid)
        except ProcessLookupError:
            return False
        if linux.start_time(record.pid) != record.started:
            os.close(pidfd)
            return False
        self._pidfds[slot] = pidfd
        self._ended[slot] = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, self._saw_end, slot)
        return True

    def _saw_end(self, slot: str) -> None:
        pidfd = self._pidfds.pop(slot)
        asyncio.get_running_loop().remove_reader(pidfd)
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
        os.close(pidfd)
        self._ended[slot].set()
        record = self.records.get(slot)
        if record is None or record.state != "ready":
            return
        ending = self._remove(slot) if record.runtime is None else self._fail(record, self._why(record))
        self._tasks.create_task(self._guarded(ending))

    async def _guarded(self, ending: Coroutine[Any, Any, None]) -> None:
        """What goes wrong with the end of one runtime is no end for the others; the next start tries again."""
        try:
            await ending
        except (OSError, TimeoutError) as error:
            print(f"a runtime could not be cleaned away: {error!r}", flush=True)

    def _why(self, record: Record) -> str:
        if (cgroups.usage(list(record.cgroups)).get("oom_kills") or 0) > 0:
            limit = record.kind.limits.memory_bytes >> 20
            return f"it ran out of memory (limit {limit} MiB)"
        return "its first process ended"

    async def _fail(self, record: Record, reason: str) -> None:
        """Keep the record of a runtime that ended by itself, until it is deleted; and nothing else."""
        async with self._locks.setdefault(record.slot, asyncio.Lock()):
            if record.slot not in self.records:
                return  # deleted in this moment
            usage = self.usage(record)
            failed = self._store(replace(record, state="failed", reason=reason, last_usage=usage))
            await self._take_away(failed)
        self.on_change(failed)

    async def delete(self, runtime: str) -> None:
        """End a runtime and remove all there is of it."""
        record = self.find(runtime)
        await self._remove(record.slot)
        self.on_change(replace(record, state="stopped", reason=""))

    async def discard(self, record: Record) -> None:
        """End a runtime without telling anybody: one of the pool, or all of them at the end."""
        await self._remove(record.slot)

    async def seal(self, runtime: str, layer: str) -> str:
        """End a runtime, and keep what it wrote over its environment as a layer; asked again, the same layer."""
        path = self.layers / layer
        if path.is_dir():
            with suppress(EngineError):
                await self.delete(runtime)
            return str(path)
        record = self.find(runtime)
        if record.state != "ready" or not self.writable:
            raise EngineError("unavailable", "there is nothing to seal: the environment could not be written to")
        async with self._locks.setdefault(record.slot, asyncio.Lock()):
            record = self._store(replace(record, state="stopping"))
            self._signal(record.slot)
            async with asyncio.timeout(END_SECONDS_MAX):
                await self._ended[record.slot].wait()
        try:
            await self._run_sealer(record, path)
        finally:
            await self.delete(runtime)
        return str(path)

    async def drop_layer(self, layer: str) -> None:
        """Remove a layer; there may be none. One that a runtime was made with stays."""
        path = self.layers / layer
        if any(str(path) in record.kind.layers for record in self.records.values()):
            raise EngineError("conflict", "a runtime was made with this layer")
        aside = path.with_name(f".{layer}.dropped")
        if path.is_dir() and not path.is_symlink():
            path.rename(aside)
        await asyncio.to_thread(remove_tree, aside)

    async def _run_sealer(self, record: Record, path: Path) -> None:
        folder = self.runtimes / record.slot
        asked = {
            "disk": str(folder / "disk"),
            "image": str(folder / "disk.img") if record.image else None,
            "target": str(path),
            "bytes_max": record.kind.limits.disk_bytes,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", SEALER, SOURCE,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        output, _ = await process.communicate(json.dumps(asked).encode() + b"\n")
        if error := json.loads(output or b'{"error": "it ended without an answer"}').get("error"):
            raise EngineError("unavailable", f"what was installed could not be sealed: {error}")

    async def close(self) -> None:
        """Stop watching. What runs, runs on, and the next engine finds it."""
        await self._launcher.close()
        for task in self._own:
            task.cancel()
        for pidfd in self._pidfds.values():
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
        self._pidfds.clear()
        self.groups.close()

    async def _remove(self, slot: str) -> None:
        async with self._locks.setdefault(slot, asyncio.Lock()):
            folder = self.runtimes / slot
            record = self.records.get(slot) or records.read(folder)
            if record is not None:
                if record.state != "failed" and folder.exists():
                    record = self._store(replace(record, state="stopping"))
                self._signal(slot)
                if slot in self._ended:
                    async with asyncio.timeout(END_SECONDS_MAX):
                        await self._ended[slot].wait()
                await self._take_away(record)
            await asyncio.to_thread(remove_tree, folder)
            self.records.pop(slot, None)
            self._ended.pop(slot, None)
        self._locks.pop(slot, None)

    async def _take_away(self, record: Record) -> None:
        """Groups, network, address and disk. The mounts and processes went with PID 1."""
        await self.networks.remove(record.slot)
        await asyncio.to_thread(cgroups.remove, list(record.cgroups))
        (self.run / record.socket).unlink(missing_ok=True)
        (self.run / f"{record.slot}.sock").unlink(missing_ok=True)
        folder = self.runtimes / record.slot
        (folder / "disk.img").unlink(missing_ok=True)
        await asyncio.to_thread(remove_tree, folder / "disk")

    def _signal(self, slot: str) -> None:
        """End PID 1; the kernel then ends everything in its pid namespace, also a fork bomb."""
        pidfd = self._pidfds.get(slot)
        if pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────────────

    def usage(self, record: Record) -> dict[str, Any]:
        """What a runtime uses; what nobody counts on this machine is None."""
        if record.state == "failed" and record.last_usage:
            return record.last_usage
        folder = self.runtimes / record.slot
        try:
            used = cgroups.usage(list(record.cgroups))
            return used | {"disk_bytes": used_bytes(folder / "disk", folder / "disk.img")}
        except (FileNotFoundError, OSError):
            return cgroups.usage([]) | {"disk_bytes": None}

    def printed(self, record: Record, after: int) -> tuple[str, int]:
        """What the processes of a runtime printed behind this byte, not more than the last of it, and where that ends.

        A log that was cut since then is told from its new beginning.
        """
        try:
            with (self.runtimes / record.slot / "log").open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(0 if after > end else after, end - LOG_TOLD_BYTES_MAX))
                return log.read(LOG_TOLD_BYTES_MAX).decode("utf-8", "replace"), log.tell()
        except FileNotFoundError:
            return "", after

    async def _keep_logs_short(self) -> None:
        """A log grown too long starts again; it is opened for appending, so the writer goes on at the new end."""
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            for slot in list(self.records):
                log = self.runtimes / slot / "log"
                with suppress(FileNotFoundError):
                    if log.stat().st_size > LOG_BYTES_MAX:
                        os.truncate(log, 0)


def _answer(line: bytes) -> dict[str, Any]:
    if not line:
        raise EngineError("unavailable", "the launcher ended without an answer")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise EngineError("unavailable", str(answer["error"]))
    return answer
