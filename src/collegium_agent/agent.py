"""The agent: keeps kernels, journals what they say, and tells whoever connects; knows nothing of notebooks or users."""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from collegium_agent import channels
from collegium_agent import kernel as kernels
from collegium_agent.client import Client
from collegium_agent.desk import Desk
from collegium_agent.journal import Journal
from collegium_agent.kernel import OWN, Connections, Kernel
from collegium_agent.ledger import Ledger
from collegium_agent.packages import Packages
from collegium_agent.side import Refused
from collegium_agent.wire import KernelMessage, Malformed, encode, frame

CLIENTS_MAX = 256
SIDES_MAX = 192
"""Connections that are not about the journal; whoever reads the journal finds room."""

KERNELS_MAX = 16
WARM_ID = "warm"
ASIDE = "aside-"
"""Begins the ids of questions to a kernel that are no business of the journal's, nor of its state."""

COMMS = frozenset({"comm_open", "comm_msg", "comm_close"})
EVERYBODYS = COMMS | {"update_display_data"}
"""What changes things that all of a kernel's clients share: journalled, whoever asked for it."""
COMMS_KNOWN_MAX = 10_000

ASIDES_MAX = 64
ASIDE_SECONDS_MAX = 20.0
ASIDES = {"variables": "variables", "changed_imports": "changed", "namespace": "variables", "table": "rows"}
"""What `variables.py` and `looking.py` answer in Python kernels, and the field of the answer."""
QUESTION_CHARACTERS_MAX = 64 * 1024
TABLE_SECONDS_MAX = 300.0
"""To sort a large table, or to write it into a file, takes its time."""


class Agent:
    """One per runtime, started by the supervisor; may be killed at any moment and loses nothing it journalled."""

    def __init__(
        self, state: Path, supervisor: socket.socket, *, warm: str | None, cwd: str, journal_bytes: int
    ) -> None:
        self.journal = Journal(state / "journal")
        self.ledger = Ledger(state / "executions")
        self.connections = Connections(state / "kernels")
        self.kernels: dict[str, Kernel] = {}
        self.clients: set[Client] = set()
        self._supervisor = supervisor
        self._warm_name = warm
        self._cwd = cwd
        self._journal_bytes = journal_bytes
        self._file = state / "kernels.json"
        self._gate = asyncio.Event()
        self._gate.set()
        self._asked: dict[str, Client] = {}
        self._active = time.monotonic()
        self._tasks = asyncio.TaskGroup()
        self._sides = 0
        self._asides: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._pids: dict[str, int] = {}
        self._fresh: dict[str, int] = {}
        """Processes that this agent saw start, and that nobody has used yet."""
        self._desk = Desk(Packages(state / "packages.json"), cwd, self._aside, self._tasks)
        self._comms: dict[str, None] = {}
        """Messages to comms that a kernel has not carried out yet, in the order they came."""
        self._unsure: dict[str, str] = {}
        """Questions that tell, once answered, that an execution is over."""

    async def run(self, listener: socket.socket) -> None:
        """Serve until the supervisor is gone."""
        loop = asyncio.get_running_loop()
        async with self._tasks:
            first = json.loads(await loop.sock_recv(self._supervisor, 1 << 16))
            self._recover(first)
            self._tasks.create_task(self._hear_supervisor())
            server = await asyncio.start_unix_server(self._welcome, sock=listener, limit=1 << 20)
            if self._warm_name is not None and not self.kernels:
                self._start(WARM_ID, self._warm_name, self._cwd, {}, warm=True)
            async with server:
                await server.serve_forever()

    # clients

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self.clients) >= CLIENTS_MAX:
            writer.close()
            return
        client = Client(self, reader, writer)
        self.clients.add(client)
        try:
            await client.run()
        finally:
            self.clients.discard(client)
            self._asked = {key: asker for key, asker in self._asked.items() if asker is not client}
            writer.close()

    async def opened(self, wanted: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that is not about the journal."""
        match wanted:
            case {"channels": _}:
                await channels.converse(self, wanted, reader, writer)
            case dict():
                await self._aside_of_journal(wanted, reader, writer)
            case _:
                raise Malformed("nothing here opens like this")

    async def _aside_of_journal(
        self, wanted: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._sides >= SIDES_MAX:
            return
        self._sides += 1
        try:
            await self._desk.serve(wanted, reader, writer)
        finally:
            self._sides -= 1

    def greeting(self) -> bytes:
        """What a client hears first."""
        return encode(
            {
                "op": "welcome",
                "protocol": 1,
                "epoch": self.journal.epoch,
                "seq": self.journal.head,
                "oldest": self.journal.oldest,
                "kernels": self._listed(),
            }
        )

    def stored(self, seq: int) -> None:
        """The server keeps everything up to here."""
        self.journal.keep_from(seq)
        self._mind_the_gate()

    def obey(self, client: Client, request: dict[str, Any]) -> None:
        """Carry out one request. Raises Malformed, KeyError or TypeError if it is none."""
        self._active = time.monotonic()
        match request["op"]:
            case "stored":
                self.stored(int(request["seq"]))
            case "stat":
                client.reply(str(request["id"]), self._stat())
            case "packages":
                client.reply(str(request["id"]), self._desk.packages.answer())
            case "variables" | "changed_imports" | "namespace" | "table":
                self._tasks.create_task(self._answer_aside(client, str(request["id"]), request))
            case "start_kernel":
                self._start_or_adopt(request)
            case "execute":
                self._execute(self._kernel(request), request)
            case "interrupt" | "restart" | "shutdown" as op:
                self.steer(self._kernel(request), op)
            case "input_reply":
                kernel = self._kernel(request)
                self._send(
                    kernel, "stdin", "input_reply", {"value": str(request["value"])}, None, str(request["parent"])
                )
            case "request":
                self._request(client, self._kernel(request), request)
            case "comm":
                self._comm(self._kernel(request), request)
            case op:
                raise Malformed(f"no such op: {op[:40]}")

    async def _answer_aside(self, client: Client, wanted: str, request: dict[str, Any]) -> None:
        seconds = TABLE_SECONDS_MAX if request["op"] == "table" else ASIDE_SECONDS_MAX
        with contextlib.suppress(TimeoutError):
            try:
                client.reply(wanted, await asyncio.wait_for(self._aside(request), seconds))
            except (Refused, Malformed) as error:
                client.refuse(wanted, str(error))

    async def _aside(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask a kernel about itself, also while it runs a cell. Raises Refused."""
        field, kernel = ASIDES.get(request["op"]), self.kernels.get(str(request.get("kernel")))
        if field is None or kernel is None or not kernel.alive:
            raise Refused("not_found", "There is no such kernel." if field else "There is no such question.")
        if kernel.name != "python3" or not kernel.ready.is_set():
            why = "unsupported" if kernel.name != "python3" else "starting"
            return {field: []} | ({"error": why} if request["op"] in ("namespace", "table") else {})
        if len(self._asides) >= ASIDES_MAX:
            raise Refused("refused", "Too many questions at once.")
        question = ASIDE + token_hex(8)
        answer = self._asides[question] = asyncio.get_running_loop().create_future()
        try:
            about = request.get("about", {})
            if not isinstance(about, dict) or len(json.dumps(about)) > QUESTION_CHARACTERS_MAX:
                raise Refused("invalid", "This is no question.")
            self._send(kernel, "control", f"collegium_{request['op']}_request", about, question)
            content: dict[str, Any] = await answer
            return content
        finally:
            del self._asides[question]

    # for channels

    def find(self, wanted: str, start: dict[str, Any] | None) -> Kernel:
        """The kernel whose channels are opened; a new one if `start` says how. Raises Malformed."""
        if start is not None and wanted not in self.kernels:
            self._start_or_adopt({**start, "kernel": wanted}, journalled=False)
        return self._kernel({"kernel": wanted})

    def steer(self, kernel: Kernel, op: str) -> None:
        """Interrupt, restart or shut down."""
        match op:
            case "interrupt":
                self._signal(kernel.process, 2)
                if kernel.alive and kernel.ready.is_set():
                    self._inquire(kernel)
            case "restart":
                self._restart(kernel)
            case "shutdown":
                kernel.closing = True
                self._signal(kernel.process, 9)
                if not kernel.alive and not kernel.journalled:
                    self._forget(kernel)

    def forward(self, kernel: Kernel, channel: str, frames: list[bytes]) -> None:
        """Send a message that somebody else wrote."""
        self._active = time.monotonic()
        if channel in kernel.sockets:
            self._tasks.create_task(_sent(kernel.sockets[channel], frames))

    def _kernel(self, request: dict[str, Any]) -> Kernel:
        kernel = self.kernels.get(str(request["kernel"]))
        if kernel is None:
            raise Malformed("no such kernel")
        return kernel

    def _stat(self) -> dict[str, Any]:
        memory, processes = measure()
        busy = any(kernel.state == "busy" for kernel in self.kernels.values())
        warm = self.kernels.get(WARM_ID)
        return {
            "kernels": self._listed(),
            "idle_seconds": 0 if busy else round(time.monotonic() - self._active, 1),
            "memory_bytes": memory,
            "processes": processes,
            "warm": "none" if warm is None else "ready" if warm.ready.is_set() and warm.answered else "starting",
        }

    def _listed(self) -> list[dict[str, Any]]:
        return [
            {"id": k.id, "name": k.name, "state": k.state, "memory_bytes": resident(self._pids.get(k.process))}
            for k in self.kernels.values()
            if k.id != WARM_ID
        ]

    # kernels

    def _start_or_adopt(self, request: dict[str, Any], *, journalled: bool = True) -> None:
        wanted, name = str(request["kernel"]), str(request.get("name", "python3"))
        cwd, env = (
            str(request.get("cwd") or self._cwd),
            {str(k): str(v) for k, v in dict(request.get("env") or {}).items()},
        )
        if wanted in self.kernels:
            return
        if not wanted or wanted == WARM_ID or len(wanted) > 64:
            raise Malformed("not a kernel id")
        if len(self.kernels) >= KERNELS_MAX:
            raise Malformed("too many kernels")
        warm = self.kernels.get(WARM_ID)
        if warm is not None and warm.alive and (warm.name, warm.cwd, warm.env) == (name, cwd, env):
            del self.kernels[WARM_ID]
            warm.id, warm.warm, warm.journalled = wanted, False, journalled
            self.kernels[wanted] = warm
            self._remember()
            self._change(warm, "idle" if warm.ready.is_set() else "starting")
            return
        self._start(wanted, name, cwd, env, journalled=journalled)

    def _start(
        self, wanted: str, name: str, cwd: str, env: dict[str, str], *, warm: bool = False, journalled: bool = True
    ) -> None:
        kernel = Kernel(wanted, name, cwd, env, "", warm, journalled=journalled)
        self._spawn(kernel)
        self.kernels[wanted] = kernel
        self._remember()
        self._change(kernel, "starting")

    def _spawn(self, kernel: Kernel) -> None:
        kernel.process = f"k{token_hex(6)}"
        kernel.alive, kernel.restarting, kernel.closing = True, False, False
        kernel.ready, kernel.answered = asyncio.Event(), False
        command = kernels.argv(kernel, self.connections.file(kernel.process))
        self.connections.prepare(kernel.process)
        env = dict(os.environ) | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"} | kernels.variables(kernel)
        env.pop("PYTHONPATH", None)
        self._ask_supervisor({"do": "start", "process": kernel.process, "argv": command, "env": env, "cwd": kernel.cwd})
        self._attend(kernel)

    def _attend(self, kernel: Kernel, *, once: bool = False) -> None:
        self.connections.open(kernel)
        for channel in kernels.CHANNELS:
            self._tasks.create_task(kernels.pump(kernel, channel, self._gate, self._received))
        self._tasks.create_task(kernels.nudge(kernel, once=once))

    def _restart(self, kernel: Kernel) -> None:
        kernel.restarting = True
        if kernel.alive:
            self._signal(kernel.process, 9)
        else:
            self._again(kernel)

    def _again(self, kernel: Kernel) -> None:
        self.ledger.close_all(kernel.id)
        self._spawn(kernel)
        self._remember()
        self._change(kernel, "restarting")

    async def _ended(self, report: dict[str, Any]) -> None:
        """A process ended: take its last words, then say so."""
        kernel = next((k for k in self.kernels.values() if k.process == report["process"]), None)
        if kernel is not None:
            await kernels.silence(kernel)
            self.connections.close(kernel)
            kernel.alive = False
            if kernel.restarting:
                self._again(kernel)
            else:
                self.ledger.close_all(kernel.id)
                if kernel.id == WARM_ID:
                    del self.kernels[WARM_ID]
                else:
                    how = {name: report.get(name) for name in ("code", "signal", "peak_bytes")}
                    self._change(kernel, "dead", **how, asked=kernel.closing)
                    if kernel.closing and not kernel.journalled:
                        self._forget(kernel)
                self._remember()
        self._ask_supervisor({"do": "noted", "process": report["process"]})

    def _forget(self, kernel: Kernel) -> None:
        """Nobody reads in a journal what became of it: its place is free."""
        self.kernels.pop(kernel.id, None)
        self._remember()

    def _execute(self, kernel: Kernel, request: dict[str, Any]) -> None:
        wanted = str(request["id"])
        if not wanted or len(wanted) > 100 or wanted.startswith(OWN) or "\n" in wanted or " " in wanted:
            raise Malformed("not an id of an execution")
        if not kernel.alive:
            raise Malformed("the kernel is dead")
        if not self.ledger.open(kernel.id, wanted):
            return
        content = {
            "code": str(request["code"]),
            "silent": bool(request.get("silent", False)),
            "store_history": bool(request.get("store_history", True)),
            "user_expressions": {},
            "allow_stdin": bool(request.get("allow_stdin", True)),
            "stop_on_error": bool(request.get("stop_on_error", True)),
        }
        if kernel.ready.is_set():
            self._send(kernel, "shell", "execute_request", content, wanted)
        else:
            self._tasks.create_task(self._execute_when_ready(kernel, kernel.process, content, wanted))

    async def _execute_when_ready(self, kernel: Kernel, process: str, content: dict[str, Any], wanted: str) -> None:
        await kernel.ready.wait()
        if kernel.process == process and kernel.alive:
            self._send(kernel, "shell", "execute_request", content, wanted)

    def _request(self, client: Client, kernel: Kernel, request: dict[str, Any]) -> None:
        wanted, channel = str(request["id"]), str(request.get("channel", "shell"))
        if channel not in ("shell", "control") or wanted.startswith(OWN):
            raise Malformed("not a request")
        if len(self._asked) > 1000:
            raise Malformed("too many questions at once")
        self._asked[wanted] = client
        self._send(kernel, channel, str(request["msg_type"]), request["content"], wanted)

    def _comm(self, kernel: Kernel, request: dict[str, Any]) -> None:
        """A message to a comm, which the kernel answers only by being busy and idle again."""
        wanted, msg_type, buffers = str(request["id"]), str(request["msg_type"]), request.get("buffers", [])
        if msg_type not in COMMS or not wanted or wanted.startswith((OWN, ASIDE)) or len(wanted) > 100:
            raise Malformed("not a message to a comm")
        self._comms[wanted] = None
        if len(self._comms) > COMMS_KNOWN_MAX:
            del self._comms[next(iter(self._comms))]
        self._send(
            kernel, "shell", msg_type, request["content"], wanted, metadata=request.get("metadata"), buffers=buffers
        )

    def _send(
        self,
        kernel: Kernel,
        channel: str,
        msg_type: str,
        content: dict[str, Any],
        msg_id: str | None = None,
        parent: str | None = None,
        metadata: dict[str, Any] | None = None,
        buffers: Sequence[bytes] = (),
    ) -> None:
        if channel not in kernel.sockets or kernel.signer is None:
            raise Malformed("the kernel is dead")
        frames = kernel.signer.request(
            msg_type, content, msg_id=msg_id, parent=parent, metadata=metadata, buffers=buffers
        )
        self._tasks.create_task(_sent(kernel.sockets[channel], frames))

    # what kernels say

    def _received(self, kernel: Kernel, channel: str, message: KernelMessage) -> None:
        if message.parent.startswith(ASIDE):
            answer = self._asides.get(message.parent)
            if channel == "control" and answer is not None and not answer.done():
                answer.set_result(_object(message.content))
            return
        if channel == "iopub":
            if not kernel.ready.is_set():
                kernel.ready.set()
                if kernel.process in self._fresh:
                    self._desk.ports.keep_out(self._fresh.pop(kernel.process))
                if kernel.id != WARM_ID:
                    self._change(kernel, "idle")
            if message.msg_type == "iopub_welcome":
                return
            if message.msg_type == "status":
                self._status(kernel, message)
            if not message.parent.startswith(OWN):
                channels.heard(kernel, channel, message)
            if message.msg_type == "status" and not self._counts(message):
                return
            if self._is_foreign(kernel, message) and message.msg_type not in EVERYBODYS:
                return
        elif message.msg_type.endswith("_reply") and message.parent.startswith(OWN):
            kernel.answered = True
            self._settle(kernel, message.parent)
            return
        elif (asker := self._asked.pop(message.parent, None)) is not None:
            asker.raw_reply(message)
            return
        elif self._is_foreign(kernel, message):
            self._active = time.monotonic()
            channels.heard(kernel, channel, message)
            return
        if channel == "shell" and message.msg_type == "execute_reply":
            self.ledger.close(message.parent)
        self._active = time.monotonic()
        self._journal_message(kernel, channel, message)

    def _is_foreign(self, kernel: Kernel, message: KernelMessage) -> bool:
        """Whoever speaks Jupyter to the kernel asked for it, so that it is no business of the journal's."""
        own = kernel.signer is not None and message.asker in (kernel.signer.session, "")
        return not kernel.journalled or not own

    def _counts(self, status: KernelMessage) -> bool:
        """The server waits for it: an execution changed, or a message to a comm was carried out."""
        if status.parent in self._comms and b'"idle"' in status.content:
            del self._comms[status.parent]
            return True
        return self.ledger.known(status.parent)

    def _status(self, kernel: Kernel, message: KernelMessage) -> None:
        state = json.loads(message.content).get("execution_state")
        if state in ("busy", "idle"):
            kernel.state = state

    def _journal_message(self, kernel: Kernel, channel: str, message: KernelMessage) -> None:
        head = {
            "op": "message",
            "seq": self.journal.head + 1,
            "at": time.time_ns() // 1_000_000,
            "kernel": kernel.id,
            "channel": channel,
            "msg_type": message.msg_type,
            "msg_id": message.msg_id,
            "parent": message.parent,
            "buffers": [len(buffer) for buffer in message.buffers],
        }
        header = b"".join(
            (
                json.dumps(head).encode()[:-1],
                b', "content": ',
                message.content,
                b', "metadata": ',
                message.metadata,
                b"}",
            )
        )
        self._append(frame(header, message.buffers))

    def _change(self, kernel: Kernel, state: str, **more: Any) -> None:
        kernel.state = "starting" if state == "restarting" else state
        if kernel.id == WARM_ID:
            return
        now = time.time_ns() // 1_000_000
        record = {"op": "kernel", "seq": self.journal.head + 1, "at": now, "kernel": kernel.id, "state": state}
        record |= {"code": None, "signal": 0} | more
        channels.spread(kernel, encode(record))
        if kernel.journalled:
            self._append(encode(record))

    def _append(self, body: bytes) -> None:
        self.journal.append(body)
        self._mind_the_gate()
        for client in self.clients:
            client.grown.set()

    def _mind_the_gate(self) -> None:
        """Reading outputs pauses while the server is too far behind: the kernel waits, nothing is dropped."""
        if self.journal.waiting_bytes > self._journal_bytes:
            self._gate.clear()
        else:
            self._gate.set()

    # the supervisor, and life after death

    def _recover(self, state: dict[str, Any]) -> None:
        """Find the kernels of an agent that was killed, and what became of their executions."""
        running: dict[str, int] = state["running"]
        self._pids = dict(running)
        for exit_report in state["exited"]:
            running.setdefault(exit_report["process"], 0)
        saved = json.loads(self._file.read_text()) if self._file.exists() else []
        for record in saved:
            kernel = Kernel(**record)
            self.kernels[kernel.id] = kernel
            if not kernel.alive:
                kernel.state = "dead"
            elif kernel.process in running and self.connections.file(kernel.process).exists():
                self._attend(kernel, once=True)
                self._inquire(kernel)
            else:
                kernel.alive = False
                self.ledger.close_all(kernel.id)
                self._change(kernel, "dead")
        for exit_report in state["exited"]:
            self._tasks.create_task(self._ended(exit_report))

    def _inquire(self, kernel: Kernel) -> None:
        """Whatever was asked before is answered before this: then an execution without a reply has lost it.

        Its agent may have been killed in between; or the interrupt came between two of ipykernel's own lines.
        """
        for execution in self.ledger.unfinished(kernel.id):
            question = OWN + token_hex(8)
            self._unsure[question] = execution
            self._send(kernel, "shell", "kernel_info_request", {}, question)

    def _settle(self, kernel: Kernel, question: str) -> None:
        execution = self._unsure.pop(question, None)
        if execution is None or execution not in self.ledger.unfinished(kernel.id):
            return
        self.ledger.close(execution)
        lost = b'{"status": "unknown"}'
        reply = KernelMessage("execute_reply", OWN + token_hex(8), execution, lost, b"{}", ())
        self._journal_message(kernel, "shell", reply)
        idle = KernelMessage("status", OWN + token_hex(8), execution, b'{"execution_state": "idle"}', b"{}", ())
        self._journal_message(kernel, "iopub", idle)

    def _remember(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps([kernel.record() for kernel in self.kernels.values()]))
        part.replace(self._file)

    def _ask_supervisor(self, request: dict[str, Any]) -> None:
        self._supervisor.send(json.dumps(request).encode())

    def _signal(self, process: str, number: int) -> None:
        self._ask_supervisor({"do": "signal", "process": process, "signal": number})

    async def _hear_supervisor(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(self._supervisor, 1 << 16)
            if not data:
                raise SystemExit("the supervisor is gone")
            message = json.loads(data)
            if message["did"] == "started":
                self._pids[message["process"]] = self._fresh[message["process"]] = message["pid"]
            if message["did"] == "exited":
                self._pids.pop(message["process"], None)
                self._fresh.pop(message["process"], None)
                self._tasks.create_task(self._ended(message))


def _object(text: bytes) -> dict[str, Any]:
    """The JSON object that a kernel sent; an empty one for anything else."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


async def _sent(made: Any, frames: list[bytes]) -> None:
    if not made.closed:
        await made.send_multipart(frames)


def resident(pid: int | None) -> int | None:
    """The memory of one process that it shares with no other; None when it is gone."""
    try:
        words = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(words[1]) - int(words[2])) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def measure() -> tuple[int, int]:
    """Resident memory of all processes that can be seen from here, and how many they are."""
    memory = processes = 0
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                resident, shared = (Path(entry.path) / "statm").read_text().split()[1:3]
                memory += (int(resident) - int(shared)) * page
                processes += 1
    return memory, processes


def main(listen_fd: int, supervisor_fd: int, state: Path, *, warm: str | None, cwd: str, journal_bytes: int) -> None:
    """Be the agent of this runtime."""
    listener = socket.socket(fileno=listen_fd)
    supervisor = socket.socket(fileno=supervisor_fd)
    for made in (listener, supervisor):
        made.setblocking(False)
        os.set_inheritable(made.fileno(), False)
    agent_cwd = cwd if Path(cwd).is_dir() else str(Path.home())

    async def run() -> None:
        agent = Agent(state, supervisor, warm=warm, cwd=agent_cwd, journal_bytes=journal_bytes)
        await agent.run(listener)

    try:
        asyncio.run(run())
    except* SystemExit as group:
        print(group.exceptions[0], file=sys.stderr)
