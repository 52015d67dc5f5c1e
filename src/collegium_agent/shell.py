"""Runs inside a kernel: `!command` behind a pty, so that it streams, shows its progress, and can ask.

Loaded as a file beside `launch.py`.
"""

import codecs
import contextlib
import os
import re
import signal
import struct
import sys
import termios
import threading
import time
from typing import Any

ROWS, COLUMNS = 24, 100
READ_BYTES = 64 * 1024
PIECES_AT_ONCE = 16
TICK_MS = 100
KILL_SECONDS = 1.0
PROMPT_SECONDS = 0.5
PROMPT = re.compile(r"[?:>\])]\s*\Z")
SETTINGS = {"TERM": "xterm-color", "CLICOLOR": "1", "PAGER": "cat", "GIT_PAGER": "cat"}

READS = {"x86_64": (0,), "aarch64": (63,)}
WAITS = {"x86_64": (7, 23, 270, 271), "aarch64": (72, 73)}
"""poll, select, pselect6, ppoll."""


def install(app: Any) -> None:
    """From now on `!` and `%sx`-free system calls of the shell run here."""
    shell, kernel = app.shell, app.kernel

    def system(cmd: str) -> None:
        """Run a command, show what it prints as it comes, and leave its exit code in `_exit_code`."""
        code = Command(kernel, shell.var_expand(cmd, depth=1)).run()
        shell.user_ns["_exit_code"] = code
        if getattr(shell, "system_raise_on_error", False) and code != 0:
            from subprocess import CalledProcessError

            raise CalledProcessError(code, cmd)

    shell.system = shell.system_piped = system


class Command:
    """One command and its terminal.

    It leads a process group, and no session: then the terminal never controls it, and what it leaves behind with `&`
    is not hung up when it ends.
    """

    def __init__(self, kernel: Any, command: str) -> None:
        self._kernel = kernel
        self._may_ask = bool(getattr(kernel, "_allow_stdin", False)) and (
            threading.current_thread() is threading.main_thread()
        )
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self._printed_at = time.monotonic()
        self._asking = False
        self._master, slave = os.openpty()
        self._terminal = os.ttyname(slave)
        try:
            _quiet_terminal(slave)
            self.pid = _spawned(command, slave, stdin=self._may_ask)
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)

    def run(self) -> int:
        """To its end. Its exit code; minus the signal that ended it. Interrupted, it ends with all that it started."""
        try:
            code = self._attend()
        except BaseException:
            self._end()
            self._read()
            os.close(self._master)
            raise
        if self._read():
            threading.Thread(target=_drain, args=(self._master,), daemon=True).start()
        else:
            os.close(self._master)
        return code

    def _attend(self) -> int:
        import zmq

        ended = os.pidfd_open(self.pid)
        try:
            poller = zmq.Poller()
            poller.register(self._master, zmq.POLLIN)
            poller.register(ended, zmq.POLLIN)
            while True:
                events = dict(poller.poll(TICK_MS))
                if self._master in events and not self._read(PIECES_AT_ONCE):
                    poller.unregister(self._master)
                if ended in events:
                    return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                if self._asking and self._kernel.stdin_socket in events:
                    self._answer()
                    poller.unregister(self._kernel.stdin_socket)
                elif not events and self._may_ask and not self._asking and self._wants_input():
                    self._ask()
                    poller.register(self._kernel.stdin_socket, zmq.POLLIN)
        finally:
            os.close(ended)

    def _read(self, pieces_max: int = 1 << 20) -> bool:
        """Print what there is; whether there may come more."""
        for _ in range(pieces_max):
            try:
                data = os.read(self._master, READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            text = self._decoder.decode(data, final=not data)
            if text:
                sys.stdout.write(text)
                self._line = (self._line + text).rpartition("\n")[2][-200:]
                self._printed_at = time.monotonic()
            if not data:
                return False
        return True

    def _wants_input(self) -> bool:
        asks = PROMPT.search(self._line) is not None and time.monotonic() - self._printed_at > PROMPT_SECONDS
        machine, told = os.uname().machine, False
        for pid in _group(self.pid):
            try:
                with open(f"/proc/{pid}/syscall") as file:
                    words = file.read().split()
                told = True
                if words[0] == "running":
                    continue
                number, first = int(words[0]), int(words[1], 16)
                if number in READS.get(machine, ()) and self._is_ours(pid, first):
                    return True
                if number in WAITS.get(machine, ()) and asks and self._is_ours(pid, 0):
                    return True
            except (OSError, ValueError, IndexError):
                continue
        return asks and not told

    def _is_ours(self, pid: int, descriptor: int) -> bool:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}") == self._terminal

    def _ask(self) -> None:
        import zmq

        kernel = self._kernel
        sys.stdout.flush()
        with contextlib.suppress(zmq.ZMQError):
            while True:
                kernel.stdin_socket.recv_multipart(zmq.NOBLOCK)  # answers that came too late
        password = not termios.tcgetattr(self._master)[3] & termios.ECHO
        content = {"prompt": "", "password": password}
        ident = kernel._get_shell_context_var(kernel._shell_parent_ident)
        kernel.session.send(kernel.stdin_socket, "input_request", content, kernel.get_parent("shell"), ident=ident)
        self._asking = True

    def _answer(self) -> None:
        _, reply = self._kernel.session.recv(self._kernel.stdin_socket)
        self._asking = False
        if reply is not None:
            value = str(reply["content"].get("value", ""))
            self._type(value.encode() if value == "\x04" else value.encode(errors="replace") + b"\n")

    def _type(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            while data:
                data = data[os.write(self._master, data) :]

    def _end(self) -> None:
        """Interrupt everything that was started, and insist."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if not _signal_all(self.pid, number):
                break
            deadline = time.monotonic() + KILL_SECONDS
            while time.monotonic() < deadline:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(self.pid, os.WNOHANG)
                self._read()
                if not _group(self.pid):
                    break
                time.sleep(0.02)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _quiet_terminal(slave: int) -> None:
    """Lines end as they were printed; keys are shown as they were typed."""
    import fcntl

    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~termios.ECHOCTL
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))


def _spawned(command: str, slave: int, *, stdin: bool) -> int:
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    first: tuple[Any, ...] = (os.POSIX_SPAWN_DUP2, slave, 0)
    if not stdin:
        first = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    actions = [first, (os.POSIX_SPAWN_DUP2, slave, 1), (os.POSIX_SPAWN_DUP2, slave, 2)]
    every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    env = {**os.environ, **SETTINGS}
    words = [shell, "-c", command]
    return os.posix_spawn(shell, words, env, file_actions=actions, setpgroup=0, setsigmask=(), setsigdef=every)


def _group(leader: int) -> list[int]:
    """Everything that was started and did not leave."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"{entry.path}/stat") as file:
                words = file.read().rsplit(")", 1)[1].split()
                if int(words[2]) == leader and words[0] != "Z":
                    found.append(int(entry.name))
    return found


def _signal_all(leader: int, number: int) -> bool:
    found = _group(leader)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return bool(found)


def _drain(master: int) -> None:
    """What runs on behind the command may print, and is heard by nobody."""
    os.set_blocking(master, True)
    with contextlib.suppress(OSError):
        while os.read(master, READ_BYTES):
            continue
    os.close(master)
