"""The language server: one process beside the kernels, which reads the code of every open notebook and runs none.

It is started for the first who asks, ended when nobody asks any more, and whatever goes wrong with it is the end of the
connections to it: whoever still wants it connects again, and finds a new one.
"""

import asyncio
import contextlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from collegium_agent.formatting import formatted, program
from collegium_agent.side import FRAME_BYTES_MAX, Refused, Side
from collegium_agent.wire import Malformed

MESSAGE_BYTES_MAX = FRAME_BYTES_MAX - 64 * 1024
HEADERS_MAX = 8
TABS_MAX = 32
PENDING_MAX = 64
OUTBOX_BYTES_MAX = 16 * 1024 * 1024
DOCUMENTS_MAX = 20_000

START_SECONDS_MAX = 20.0
IDLE_SECONDS = 600.0
ALONE_SECONDS = 60.0
ANSWER_SECONDS_MAX = 60.0
LOOK_SECONDS = 2.0
MEMORY_BYTES_MAX = 768 * 1024 * 1024

SHELL = """echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec nice -n 15 "$0" server"""
"""It gives way to everything else, and when memory runs out it goes first."""

REQUESTS = frozenset(
    f"textDocument/{name}"
    for name in (
        "codeAction", "completion", "definition", "hover", "prepareRename", "references", "rename", "signatureHelp",
    )
)  # fmt: skip
NOTICES = frozenset(f"notebookDocument/{name}" for name in ("didOpen", "didChange", "didClose"))
PUBLISHED = "textDocument/publishDiagnostics"
CELL = re.compile(r"notebook-cell:/([0-9a-f]+)/")
MARKDOWN = {"contentFormat": ["markdown", "plaintext"]}
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "notebookDocument": {"synchronization": {}},
    "workspace": {"configuration": True, "workspaceEdit": {"documentChanges": False}},
    "textDocument": {
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
        "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
        "hover": MARKDOWN,
        "publishDiagnostics": {"tagSupport": {"valueSet": [1, 2]}},
        "rename": {"prepareSupport": True},
        "signatureHelp": {"signatureInformation": {"documentationFormat": ["markdown", "plaintext"]}},
    },
}

OPTIONS = {"completions": {"autoImport": False}}
"""To offer what could be imported it reads the whole environment first, which takes ten seconds."""


@dataclass(eq=False)
class Tab:
    """One page that talks to the server. Its documents are called by its name."""

    side: Side
    name: str = field(default_factory=lambda: token_hex(8))
    pending: dict[Any, int] = field(default_factory=dict)
    notebooks: dict[str, set[str]] = field(default_factory=dict)
    """The cells of each open notebook, by their addresses."""
    outbox: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    waiting_bytes: int = 0
    said: dict[str, int] = field(default_factory=dict)
    """What was last told of each cell, so that the same is not told again."""
    offered: tuple[int, list[Any]] = (0, [])
    """What documents the completions of its last question."""

    def tell(self, message: bytes) -> None:
        """Queue a message; who does not read is let go."""
        self.waiting_bytes += len(message)
        self.outbox.put_nowait(None if self.waiting_bytes > OUTBOX_BYTES_MAX else message)

    async def send_all(self) -> None:
        """Until it is let go."""
        while (message := await self.outbox.get()) is not None:
            await self.side.send({"op": "message"}, message)
            self.waiting_bytes -= len(message)


class LanguageServer:
    """The process, and who talks to it."""

    def __init__(self, program: Path, cwd: str) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why there will be no more of it."""
        self.ready = asyncio.Event()
        self.tabs: dict[str, Tab] = {}
        self._program, self._cwd = program, cwd
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = 0
        self._asked: dict[int, tuple[Tab | None, Any, float]] = {}
        self._used = time.monotonic()

    async def run(self) -> None:
        """From its start to its end, for whatever reason."""
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", SHELL, str(self._program), cwd=self._cwd, env=variables(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError:  # the runtime may be full of processes
            self._end("died")
            return
        try:
            self._begin()
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch(process.pid))
                self._end(await self._hear(process.stdout))
                watching.cancel()
        finally:
            self._end("died")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()

    def stop(self, why: str) -> None:
        """End it; its connections hear why."""
        self._end(why)
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
        self.ready.set()

    def _begin(self) -> None:
        root = Path(self._cwd).as_uri()
        folders = [{"uri": root, "name": "content"}]
        self._ask(None, None, "initialize", {
            "processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": CAPABILITIES,
            "initializationOptions": OPTIONS,
        })  # fmt: skip

    # what tabs say

    def join(self, tab: Tab) -> None:
        """From now on it may ask."""
        self.tabs[tab.name] = tab
        self._used = time.monotonic()

    def leave(self, tab: Tab) -> None:
        """Its questions and documents go with it."""
        self.tabs.pop(tab.name, None)
        self._used = time.monotonic()
        for number in tab.pending.values():
            self._cancel(number)
        for notebook, cells in tab.notebooks.items():
            closed = [{"uri": uri} for uri in cells]
            self._say({
                "method": "notebookDocument/didClose",
                "params": {"notebookDocument": {"uri": notebook}, "cellTextDocuments": closed},
            })  # fmt: skip

    async def take(self, tab: Tab, message: Any) -> None:
        """One message of a tab. Raises Malformed for what it may not say, KeyError and TypeError for nonsense."""
        self._used = time.monotonic()
        method, wanted = message["method"], message.get("id")
        match method:
            case "$/cancelRequest":
                number = tab.pending.get(message["params"]["id"])
                if number is not None:
                    self._cancel(number)
            case "collegium/documentation" if isinstance(wanted, int):
                of, at = int(message["params"]["of"]), int(message["params"]["at"])
                asked, documents = tab.offered
                document = documents[at] if of == asked and 0 <= at < len(documents) else None
                tab.tell(json.dumps({"id": wanted, "result": document}).encode())
            case "collegium/renew":
                self.stop("renewed")
            case "collegium/format" if isinstance(wanted, int):
                tab.tell(json.dumps({"id": wanted, "result": await formatted(self._cwd, message["params"])}).encode())
            case _ if method in NOTICES:
                self._remember(tab, method, message["params"])
                self._say({"method": method, "params": message["params"]})
            case _ if method in REQUESTS and isinstance(wanted, int):
                if len(tab.pending) >= PENDING_MAX or wanted in tab.pending:
                    tab.tell(_failure(wanted, "Too much was asked at once."))
                    return
                tab.pending[wanted] = self._ask(tab, wanted, method, message["params"])
            case _:
                raise Malformed("the language server is not asked this")
        await self._drained()

    def _remember(self, tab: Tab, method: str, params: Any) -> None:
        notebook = str(params["notebookDocument"]["uri"])
        if method.endswith("didClose"):
            tab.notebooks.pop(notebook, None)
            return
        cells = tab.notebooks.setdefault(notebook, set())
        if method.endswith("didOpen"):
            cells |= {str(one["uri"]) for one in params["cellTextDocuments"]}
        elif "structure" in params["change"].get("cells", {}):
            structure = params["change"]["cells"]["structure"]
            cells |= {str(one["uri"]) for one in structure.get("didOpen") or ()}
            gone = {str(one["uri"]) for one in structure.get("didClose") or ()}
            cells -= gone
            for uri in gone:
                tab.said.pop(uri, None)
        if len(cells) > DOCUMENTS_MAX or any(CELL.match(uri) is None for uri in cells):
            raise Malformed("these are no cells")

    # what the server hears and says

    def _ask(self, tab: Tab | None, wanted: Any, method: str, params: Any) -> int:
        self._numbers += 1
        self._asked[self._numbers] = (tab, wanted, time.monotonic())
        self._say({"id": self._numbers, "method": method, "params": params})
        return self._numbers

    def _cancel(self, number: int) -> None:
        self._say({"method": "$/cancelRequest", "params": {"id": number}})

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        if not self._process.stdin.is_closing():
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _drained(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()

    async def _hear(self, reader: asyncio.StreamReader | None) -> str:
        """Every message, to the end of them; why there are no more."""
        assert reader is not None
        try:
            while True:
                body = await _message(reader)
                message = json.loads(body)
                if not isinstance(message, dict):
                    raise Malformed("no message")
                self._heard(message, body)
                await asyncio.sleep(0)  # a thousand reports come at once, and others are to be served as well
        except (asyncio.IncompleteReadError, ConnectionError):
            return "died"
        except (Malformed, ValueError, KeyError, TypeError, RecursionError):
            return "nonsense"

    def _heard(self, message: dict[str, Any], body: bytes) -> None:
        method, wanted = message.get("method"), message.get("id")
        if method == PUBLISHED:
            self._spread(str(message["params"]["uri"]), body)
        elif isinstance(method, str) and wanted is not None:
            items = message["params"].get("items", ()) if method == "workspace/configuration" else ()
            self._say({"id": wanted, "result": [{} for _ in items] if items else None})
        elif method is None and wanted in self._asked:
            tab, number, _ = self._asked.pop(wanted)
            if tab is None:
                self._say({"method": "initialized", "params": {}})
                self.ready.set()
                return
            tab.pending.pop(number, None)
            kind = "error" if "error" in message else "result"
            answer = message.get(kind)
            if isinstance(answer, dict) and isinstance(answer.get("items"), list):
                answer = _undocumented(tab, number, answer["items"])
            tab.tell(json.dumps({"id": number, kind: answer}).encode())

    def _spread(self, uri: str, body: bytes) -> None:
        named = CELL.match(uri)
        tab = self.tabs.get(named[1]) if named else None
        if tab is None or tab.said.get(uri) == hash(body) or len(tab.said) > DOCUMENTS_MAX:
            return
        tab.said[uri] = hash(body)
        tab.tell(body)

    async def _watch(self, pid: int) -> None:
        """End it when it is no longer wanted, does not answer, or takes more memory than it is worth."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if own_bytes(pid) > MEMORY_BYTES_MAX:
                self.stop("memory")
            if any(now - asked > ANSWER_SECONDS_MAX for _, _, asked in self._asked.values()):
                self.stop("silent")
            if now - self._used > (IDLE_SECONDS if self.tabs else ALONE_SECONDS):
                self.stop("idle")


class Languages:
    """The way to the language server of this runtime."""

    def __init__(self, cwd: str, tasks: asyncio.TaskGroup) -> None:
        self._cwd = cwd
        self._tasks = tasks
        self._server: LanguageServer | None = None

    async def serve(self, side: Side) -> None:
        """Carry one tab's messages, until it or the server ends. Raises Refused."""
        server = self._current()
        if len(server.tabs) >= TABS_MAX:
            raise Refused("refused", "Too many pages use the language server.")
        tab = Tab(side)
        server.join(tab)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.ready.wait(), START_SECONDS_MAX)
            if not server.ready.is_set():
                server.stop("silent")
            if not server.ended.done():
                await side.send({"op": "opened", "tab": tab.name})
                await _converse(server, tab)
            await side.send({"op": "ended", "why": server.ended.result() if server.ended.done() else "slow"})
        finally:
            server.leave(tab)

    def _current(self) -> LanguageServer:
        if self._server is None or self._server.ended.done():
            server = program("ty")
            if not server.is_file():
                raise Refused("not_found", "There is no language server in this runtime.")
            self._server = LanguageServer(server, self._cwd)
            self._tasks.create_task(self._server.run())
        return self._server


async def _converse(server: LanguageServer, tab: Tab) -> None:
    """Until the tab hangs up, says what it may not, or does not read; or until the server ends."""
    async with asyncio.TaskGroup() as tasks:
        hearing, sending = tasks.create_task(_hear(server, tab)), tasks.create_task(tab.send_all())
        any_end: set[asyncio.Future[Any]] = {hearing, sending, server.ended}
        await asyncio.wait(any_end, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        sending.cancel()


async def _hear(server: LanguageServer, tab: Tab) -> None:
    while True:
        header, body = await tab.side.read()
        if header["op"] != "message":
            raise Malformed("no message")
        await server.take(tab, json.loads(bytes(body)))


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The next message. Raises Malformed, and IncompleteReadError at the end."""
    length = -1
    for _ in range(HEADERS_MAX):
        try:
            line = (await reader.readuntil(b"\r\n")).strip()
        except asyncio.LimitOverrunError as error:
            raise Malformed("a header without end") from error
        if not line:
            break
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not 0 <= length <= MESSAGE_BYTES_MAX:
        raise Malformed("no length, or too much")
    return await reader.readexactly(length)


def _undocumented(tab: Tab, number: int, items: list[Any]) -> dict[str, Any]:
    """Completions without what documents them, which is a hundred times as much: `at` says what can be asked for."""
    documents = [item.pop("documentation", None) if isinstance(item, dict) else None for item in items]
    tab.offered = (number, documents)
    shown = [item if document is None else {**item, "at": at}
             for at, (item, document) in enumerate(zip(items, documents, strict=True))]  # fmt: skip
    return {"items": shown, "of": number}


def _failure(wanted: int, why: str) -> bytes:
    return json.dumps({"id": wanted, "error": {"code": -32000, "message": why}}).encode()


def own_bytes(pid: int) -> int:
    """The memory of a process that it shares with no other; 0 when it is gone."""
    try:
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def variables() -> dict[str, str]:
    """As everything inside has them; two threads are enough for what one person reads."""
    env = dict(os.environ) | {"VIRTUAL_ENV": sys.prefix, "TY_MAX_PARALLELISM": "2", "RAYON_NUM_THREADS": "2"}
    env.pop("PYTHONPATH", None)
    return env
