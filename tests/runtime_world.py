"""Real engines with real sandboxes, as root and as an ordinary user; and a fake one that keeps the same contract."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.abc

from collegium.ground.errors import Invalid, NotFound, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.kernels.model import KernelChange, Message, encode, parse
from collegium.runtimes.doctor import report
from collegium.runtimes.model import Limits, Machine, Specification, State, Usage
from support.environment import ROOT, VERSION, environment
from support.users import python_as

SOURCES = ROOT / "src"
STUB = Path(__file__).parent / "runtimes" / "stub"
ORDINARY_UID = 61986
START_SECONDS_MAX = 30
UNSTORED_BYTES_MAX = 8 << 20
"""What an agent keeps for us before we say that we have it; with 256 MiB of it, its kernels would wait."""
SMALL = Limits(memory_bytes=1 << 30, cpus=2.0, processes=256, disk_bytes=1 << 30)


def why_no_sandbox() -> str | None:
    """Why this machine cannot make a sandbox, or None."""
    needed = {"Linux", "namespaces", "seccomp"}
    bad = [f"{one.name}: {one.detail}" for one in report() if one.name in needed and one.state == "missing"]
    return "; ".join(bad) or None


def specification(limits: Limits = SMALL, *, path: Path | None = None) -> Specification:
    """A runtime of the usual kind."""
    return Specification("cpu", VERSION, str(path or environment()), limits)


def ask_engine(data: Path, operation: str, **arguments: Any) -> dict[str, Any]:
    """One request to the engine of a data folder; its answer, or an AssertionError with its error."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(data / "run" / "runtimed.sock"))
        body = json.dumps({"id": 7, "op": operation, **arguments}).encode()
        connection.sendall(len(body).to_bytes(4, "big") + body)
        answer = json.loads(_exactly(connection, int.from_bytes(_exactly(connection, 4), "big")))
    assert answer["id"] == 7
    assert "error" not in answer, answer["error"]
    ok: dict[str, Any] = answer["ok"]
    return ok


class EngineProcess:
    """A `collegium_runtimed` with a data folder of its own."""

    def __init__(
        self,
        uid: int,
        *,
        agent: Path = SOURCES,
        prepare: Callable[[], None] | None = None,
        allow: tuple[str, ...] | list[str] = (),
        at: Path | None = None,
    ) -> None:
        self.uid, self.agent, self.prepare, self.allow = uid, agent, prepare, allow
        self.environment = at or environment()
        self.data = Path(tempfile.mkdtemp(prefix="engine-"))
        os.chown(self.data, uid, uid)
        self.keeper: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What starts it, as the user it is for."""
        words = ["-P", "-m", "collegium_runtimed", "--data", str(self.data), "--user", f"{self.uid}:{self.uid}"]
        words += ["--environments", str(self.environment.parent), "--agent", str(self.agent)]
        words += ["--refill", "0.2", "--linger", "30"]
        for pattern in self.allow:
            words += ["--allow", pattern]
        if self.uid == os.geteuid():
            return [sys.executable, *words]
        return [*python_as(self.uid, [self.agent, self.data, self.environment.parent]), *words]

    def start(self) -> None:
        """Start it, and come back when it answers."""
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.keeper = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                restore_signals=False,
                preexec_fn=self.prepare,
            )
        self.until(lambda: self._answers())

    def _answers(self) -> bool:
        assert self.keeper is not None
        if self.keeper.poll() is not None:
            raise AssertionError(self.log())
        try:
            self.ask("status")
        except (FileNotFoundError, ConnectionError):
            return False
        return True

    def log(self) -> str:
        """What it printed."""
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, for a bounded time."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not condition():
            assert time.monotonic() < deadline, f"it never came true\n{self.log()}"
            time.sleep(0.01)

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One request; its answer, or an AssertionError with its error."""
        return ask_engine(self.data, operation, **arguments)

    def wanted(self, limits: Limits = SMALL) -> dict[str, Any]:
        """The arguments of `create` for the usual kind."""
        return {
            "type": "cpu",
            "version": VERSION,
            "environment": str(self.environment),
            "network": {"mode": "none"},
            "limits": {
                "memory_bytes": limits.memory_bytes,
                "cpus": limits.cpus,
                "processes": limits.processes,
                "disk_bytes": limits.disk_bytes,
            },
        }

    def create(self, runtime: str, limits: Limits = SMALL) -> dict[str, Any]:
        """A runtime for somebody."""
        return self.ask("create", runtime=runtime, **self.wanted(limits))

    def agent_socket(self, runtime: str) -> socket.socket:
        """A connection to the agent of a runtime."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(str(self.data / "run" / f"{runtime}.sock"))
        return connection

    def kill_engine(self) -> None:
        """SIGKILL the engine; its keeper starts another."""
        before = self.ask("status")["pid"]
        os.kill(before, signal.SIGKILL)
        self.until(lambda: self._answers() and self.ask("status")["pid"] != before)

    def traces(self) -> list[str]:
        """Everything on this machine that belongs to a runtime of this engine."""
        records = [json.loads(path.read_text()) for path in self.data.glob("runtimes/*/record.json")]
        found = [f"folder {path.name}" for path in (self.data / "runtimes").iterdir() if path.is_dir()]
        found += [f"socket {path.name}" for path in self.data.glob("run/*.sock") if path.name != "runtimed.sock"]
        found += [f"network {path.stem}" for path in self.data.glob("networks/*.slot")]
        found += [f"group {group}" for record in records for group in record["cgroups"]]
        found += [f"mount {line.split()[4]}" for line in _lines("/proc/self/mountinfo") if self.data.name in line]
        for path in Path("/sys/block").glob("loop*/loop/backing_file"):
            if self.data.name in path.read_text():
                found.append(f"device {path}")
        return found + [f"process {pid}" for pid in self.runtime_processes()]

    def groups(self) -> list[Path]:
        """The control groups that this engine made for runtimes."""
        label = f"collegium-{hashlib.sha256(str(self.data).encode()).hexdigest()[:12]}"
        # Groups of other engines come and go meanwhile, which `os.walk` does not mind.
        walked = ((Path(folder), names) for folder, names, _ in os.walk("/sys/fs/cgroup"))
        return [folder / name for folder, names in walked if folder.name == label for name in names]

    def runtime_processes(self) -> list[int]:
        """Processes in a pid namespace that is not ours."""
        ours = os.stat("/proc/self/ns/pid").st_ino
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.stat(entry / "ns/pid").st_ino != ours and self._is_mine(entry):
                    found.append(int(entry.name))
            except OSError:
                continue  # it ended while we looked
        return found

    def _is_mine(self, process: Path) -> bool:
        return self.data.name in (process / "mountinfo").read_text() or self.data.name in str(
            [os.readlink(fd) for fd in (process / "fd").iterdir()]
        )

    def stop(self) -> None:
        """End all of it and remove the folder."""
        assert self.keeper is not None
        if self.keeper.poll() is None:
            self.ask("stop", runtimes=True)
            assert self.keeper.wait(30) == 0, self.log()
        left = self.traces()
        shutil.rmtree(self.data)
        (self.data.parent / f"{self.data.name}.log").unlink()
        assert left == []


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other side hung up")
        data += piece
    return data


@contextmanager
def engine_process(
    uid: int,
    *,
    agent: Path = SOURCES,
    prepare: Callable[[], None] | None = None,
    allow: tuple[str, ...] | list[str] = (),
    at: Path | None = None,
) -> Iterator[EngineProcess]:
    """An engine, started and in the end stopped; nothing of it may be left. `prepare` runs in its process first."""
    engine = EngineProcess(uid, agent=agent, prepare=prepare, allow=allow, at=at)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@dataclass
class CellResult:
    """What a cell printed, and how it ended."""

    text: str
    error: str
    kernel_died: bool = False
    mimes: set[str] = field(default_factory=set)
    """The MIME types of what it displayed."""


class Notebook:
    """Runs cells in a runtime through its real agent, as the server would."""

    def __init__(self, connection: socket.socket, kernel: str = "k", name: str = "python3") -> None:
        self._connection, self._kernel, self._number, self._name = connection, kernel, 0, name
        self._unstored_bytes = 0
        self._send(op="hello", protocol=1, since=0, epoch=None)
        self.start()

    def start(self) -> None:
        """A kernel, or another one after the first died."""
        self._send(op="start_kernel", kernel=self._kernel, name=self._name, cwd="/content", env={})

    def run(self, code: str, *, seconds: float = 120) -> CellResult:
        """Run a cell to its end, or to its kernel's."""
        self._number += 1
        execution, result = f"{self._kernel}-e{self._number}", CellResult("", "")
        self._send(
            op="execute", kernel=self._kernel, id=execution, code=code, allow_stdin=False,
            stop_on_error=True, store_history=False, silent=False,
        )  # fmt: skip
        self._connection.settimeout(seconds)
        while True:
            size = int.from_bytes(_exactly(self._connection, 4), "big")
            frame = parse(_exactly(self._connection, size))
            if isinstance(frame, KernelChange) and frame.kernel == self._kernel and frame.state == "dead":
                return replace(result, kernel_died=True)
            self._unstored_bytes += size
            if isinstance(frame, Message) and self._unstored_bytes > UNSTORED_BYTES_MAX:
                self._unstored_bytes = 0
                self._send(op="stored", seq=frame.seq)
            if not isinstance(frame, Message) or frame.parent != execution:
                continue
            if frame.msg_type == "stream":
                result.text += frame.content["text"]
            elif frame.msg_type == "display_data":
                result.mimes.update(frame.content["data"])
            elif frame.msg_type == "error":
                result.error = f"{frame.content['ename']}: {frame.content['evalue']}"
            elif frame.msg_type == "status" and frame.content["execution_state"] == "idle":
                return result

    def _send(self, **header: Any) -> None:
        body = encode(header)
        self._connection.sendall(body)

    def close(self) -> None:
        """Hang up; the kernel goes on."""
        self._connection.close()


class FakeEngine:
    """Makes runtimes out of nothing; kept honest by the contract that real engines pass too."""

    name = "fake"

    def __init__(self) -> None:
        self.machines: dict[RuntimeId, Machine] = {}
        self.ready: list[tuple[Specification, int]] | None = None
        self.modes = ["none", "packages", "internet"]
        self.boot = "first"
        self.failure: Exception | None = None
        self.wanted: dict[RuntimeId, Specification] = {}
        """What was asked for."""
        self.creating: anyio.Event | None = None
        """If there is one, whatever is being created waits for it."""
        self.away = False
        """It does not answer: nothing is deleted."""
        self._watchers: list[anyio.abc.ObjectSendStream[Machine]] = []

    async def status(self) -> dict[str, Any]:
        return {"engine": "fake", "missing": [], "network": self.modes, "boot": self.boot}

    async def create(self, runtime: RuntimeId, wanted: Specification) -> Machine:
        if self.failure is not None:
            raise self.failure
        if not Path(wanted.environment).is_dir():
            raise Invalid("no such environment")
        self.wanted[runtime] = wanted
        if self.creating is not None:
            await self.creating.wait()
        machine = self.machines.setdefault(runtime, Machine(runtime, State.READY, "", wanted.limits))
        await self._tell(machine)
        return machine

    async def list(self) -> list[Machine]:
        return list(self.machines.values())

    async def get(self, runtime: RuntimeId) -> Machine:
        if runtime not in self.machines:
            raise NotFound("no such runtime")
        return replace(self.machines[runtime], usage=Usage(disk_bytes=4096))

    async def delete(self, runtime: RuntimeId) -> None:
        if self.away:
            raise Unavailable("the engine is away")
        machine = self.machines.pop(runtime, None)
        if machine is None:
            raise NotFound("no such runtime")
        await self._tell(replace(machine, state=State.STOPPED))

    async def keep_ready(self, stock: Sequence[tuple[Specification, int]]) -> None:
        self.ready = list(stock)

    async def connect(self, runtime: RuntimeId) -> anyio.abc.ByteStream:
        if runtime not in self.machines:
            raise NotFound("no such runtime")
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        theirs.sendall(b"hello")
        theirs.close()
        return await anyio.abc.UNIXSocketStream.from_socket(ours)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Machine]]:
        send, receive = anyio.create_memory_object_stream[Machine](100)
        self._watchers.append(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._watchers.remove(send)

    async def end(self, runtime: RuntimeId, reason: str) -> None:
        """Let a runtime end by itself."""
        self.machines[runtime] = replace(self.machines[runtime], state=State.FAILED, reason=reason)
        await self._tell(self.machines[runtime])

    async def _tell(self, machine: Machine) -> None:
        for watcher in self._watchers:
            await watcher.send(machine)
