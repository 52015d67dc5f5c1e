"""Terminals: shells behind a pty, with what they printed last, for as long as the agent lives.

An agent that is killed takes its terminals with it: their shells are hung up, as when a line breaks.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import signal
import struct
import sys
import termios
from collections import deque
from secrets import token_hex
from typing import Any

from collegium_agent.side import Refused, Side
from collegium_agent.wire import Malformed

TERMINALS_MAX = 16
KEPT_BYTES = 1024 * 1024
TRIMMED_BYTES = 256 * 1024
READ_BYTES = 64 * 1024
PACE_SECONDS, PACE_BYTES = 0.05, 512 * 1024
"""No terminal is read faster than this: what prints more waits, and the agent has time for others."""

INPUT_BYTES_MAX = 1024 * 1024
TITLE_LENGTH_MAX = 200
HANG_UP_SECONDS = 2.0
ROWS, COLUMNS, SIZE_MAX = 24, 80, 1000
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
TITLE = re.compile(rb"\x1b\][02];([^\x07\x1b]{0,1000})(?:\x07|\x1b\\)")

SHELL = """cd -- "$1" 2>/dev/null
echo 800 2>/dev/null >/proc/self/oom_score_adj
PATH=$2 exec "$3" -i"""
"""The login shell has read its profiles, which set a PATH without the environment; then it becomes the shell."""


class Terminal:
    """One shell."""

    def __init__(self, name: str, pid: int, master: int) -> None:
        self.name, self.pid, self.title = name, pid, ""
        self.exited: dict[str, Any] | None = None
        self.looking: set[asyncio.Event] = set()
        self._master = master
        self._kept = bytearray()
        self._start = 0
        self._typed: deque[bytes] = deque()
        self._typed_bytes = 0
        self._paced = 0
        self._pace_ends = 0.0
        self._loop = asyncio.get_running_loop()
        os.set_blocking(master, False)
        self._loop.add_reader(master, self._readable)

    @property
    def end(self) -> int:
        """How many bytes were printed in all."""
        return self._start + len(self._kept)

    def since(self, offset: int, most: int) -> tuple[int, bytes]:
        """What was printed from there on, or from the oldest byte that is kept."""
        at = min(max(offset, self._start), self.end) - self._start
        return self._start + at, bytes(memoryview(self._kept)[at : at + most])

    def type(self, text: str) -> None:
        """Keys; what a program that does not read leaves waiting is bounded."""
        data = text.encode(errors="replace")
        if self.exited is not None or self._typed_bytes + len(data) > INPUT_BYTES_MAX:
            return
        self._typed.append(data)
        self._typed_bytes += len(data)
        self._writable()

    def resize(self, rows: int, columns: int) -> None:
        """The size of the window."""
        if self.exited is None and 0 < rows <= SIZE_MAX and 0 < columns <= SIZE_MAX:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def over(self, code: int | None) -> None:
        """The shell ended: what it printed last is still there to be read."""
        with contextlib.suppress(OSError):
            for _ in range(16):
                self._keep(os.read(self._master, READ_BYTES))
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        self.exited = {"op": "exited", "code": code}
        self._tell()

    def _readable(self) -> None:
        now = self._loop.time()
        if now > self._pace_ends:
            self._paced, self._pace_ends = 0, now + PACE_SECONDS
        try:
            data = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._master)  # nobody has it open any more; the shell is about to end
            return
        self._keep(data)
        self._tell()
        self._paced += len(data)
        if self._paced > PACE_BYTES:
            self._loop.remove_reader(self._master)
            self._loop.call_at(self._pace_ends, self._go_on)

    def _go_on(self) -> None:
        if self.exited is None:
            self._loop.add_reader(self._master, self._readable)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > KEPT_BYTES + TRIMMED_BYTES:
            self._start += len(self._kept) - KEPT_BYTES
            del self._kept[:-KEPT_BYTES]
        for title in TITLE.finditer(data):
            text = title.group(1).decode(errors="replace")
            self.title = "".join(letter for letter in text if letter.isprintable())[:TITLE_LENGTH_MAX]

    def _writable(self) -> None:
        while self._typed:
            try:
                written = os.write(self._master, self._typed[0])
            except BlockingIOError:
                self._loop.add_writer(self._master, self._writable)
                return
            except OSError:
                self._typed.clear()
                self._typed_bytes = 0
                break
            self._typed_bytes -= written
            if written < len(self._typed[0]):
                self._typed[0] = self._typed[0][written:]
            else:
                self._typed.popleft()
        self._loop.remove_writer(self._master)

    def _tell(self) -> None:
        for event in self.looking:
            event.set()


class Terminals:
    """Those of this runtime."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._all: dict[str, Terminal] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """A question about terminals. Raises Refused."""
        match request["op"]:
            case "terminals_list":
                return {"terminals": [_shown(one) for one in self._all.values()]}
            case "terminals_create":
                name, cwd = request.get("name"), request.get("cwd")
                return _shown(self._create(token_hex(4) if name is None else str(name), str(cwd or self._cwd)))
            case "terminals_delete":
                self._delete(self._one(request["name"]))
                return {}
            case op:
                raise Malformed(f"no such op: {op[:40]}")

    async def look(self, side: Side, purpose: dict[str, Any]) -> None:
        """Show a terminal to whoever connected, and take their keys, until one of the two ends."""
        terminal = self._one(purpose["terminal"])
        offset = int(purpose.get("since") or 0)
        if not 0 <= offset <= terminal.end:
            offset = 0
        await side.send({"op": "opened"})
        printed = asyncio.Event()
        printed.set()
        terminal.looking.add(printed)
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(_hear(side, terminal))
                await _show(side, terminal, offset, printed)
                hearing.cancel()
        finally:
            terminal.looking.discard(printed)

    def _one(self, name: object) -> Terminal:
        terminal = self._all.get(str(name))
        if terminal is None:
            raise Refused("not_found", "There is no such terminal. It may have ended.")
        return terminal

    def _create(self, name: str, cwd: str) -> Terminal:
        if NAME.fullmatch(name) is None:
            raise Refused("invalid", "A terminal's name has letters, digits, - and _.")
        if name in self._all:
            return self._all[name]
        if len(self._all) >= TERMINALS_MAX:
            raise Refused("refused", f"There are {TERMINALS_MAX} terminals already.")
        pid, master = spawned(cwd)
        terminal = self._all[name] = Terminal(name, pid, master)
        ended = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(ended, self._over, terminal, ended)
        return terminal

    def _delete(self, terminal: Terminal) -> None:
        for number in (signal.SIGHUP, signal.SIGCONT):
            signal_session(terminal.pid, number)
        asyncio.get_running_loop().call_later(HANG_UP_SECONDS, signal_session, terminal.pid, signal.SIGKILL)

    def _over(self, terminal: Terminal, ended: int) -> None:
        asyncio.get_running_loop().remove_reader(ended)
        os.close(ended)
        code = None
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(terminal.pid, 0)
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self._all.pop(terminal.name, None)
        terminal.over(code)


def _shown(terminal: Terminal) -> dict[str, Any]:
    return {"name": terminal.name, "title": terminal.title}


async def _hear(side: Side, terminal: Terminal) -> None:
    while True:
        request, _ = await side.read()
        match request["op"]:
            case "input":
                terminal.type(str(request["data"]))
            case "resize":
                terminal.resize(int(request["rows"]), int(request["cols"]))
            case op:
                raise Malformed(f"no such op: {op[:40]}")


async def _show(side: Side, terminal: Terminal, offset: int, printed: asyncio.Event) -> None:
    while True:
        await printed.wait()
        printed.clear()
        while True:
            offset, data = terminal.since(offset, READ_BYTES)
            if not data:
                break
            await side.send({"op": "output", "offset": offset}, data)
            offset += len(data)
        if terminal.exited is not None:
            await side.send(terminal.exited)
            return


def spawned(cwd: str) -> tuple[int, int]:
    """A login shell on a new pty: its pid and the master's descriptor."""
    master, slave = os.openpty()
    try:
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        device = os.ttyname(slave)
        own, path = os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)
        path = path if own in path.split(":") else f"{own}:{path}"
        shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
        env = dict(os.environ) | {"TERM": "xterm-256color", "SHELL": shell}
        env.pop("PYTHONPATH", None)
        # In a session of its own, the first terminal that is opened becomes its own.
        actions = [(os.POSIX_SPAWN_OPEN, number, device, os.O_RDWR, 0) for number in (0, 1, 2)]
        words = [shell, "-l", "-c", SHELL, shell, cwd, path, shell]
        unmasked = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
        pid = os.posix_spawn(shell, words, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=unmasked)
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return pid, master


def signal_session(leader: int, number: int) -> None:
    """Send a signal to everything that a session leader started and that did not leave the session."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"{entry.path}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[3]) == leader:
                    os.kill(int(entry.name), number)
