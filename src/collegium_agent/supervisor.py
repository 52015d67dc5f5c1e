"""PID 1 of a runtime: starts the agent and what the agent asks for, reaps everything, and is too small to fail."""

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, Protocol

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
MESSAGE_BYTES_MAX = 64 * 1024
AGENT = "agent"
AGENT_WORDS = 3
RESTART_SECONDS_MAX = 5.0
OOM_SCORE = "800"
"""When memory runs out, the kernel that used it goes before the agent that reports it."""

libc = ctypes.CDLL(None, use_errno=True)


class Forks(Protocol):
    """What a fork of this process can become without exec, because it is itself the fork of a template."""

    def may_become(self, argv: list[str], env: dict[str, str]) -> bool:
        """Whether a fork is as good as executing this."""

    def become_agent(self, words: list[str], keep: list[int]) -> NoReturn:
        """Be the agent."""

    def become_kernel(self, argv: list[str], env: dict[str, str]) -> NoReturn:
        """Be a kernel."""


@dataclass
class Supervisor:
    """Single-threaded: forks safely, and holds no state that its children could not tell again."""

    agent_argv: list[str]
    """The interpreter, `-m`, the package, and what the agent is told."""
    listen_fd: int
    forks: Forks | None = None
    pids: dict[int, str] = field(default_factory=dict)
    exited: dict[str, dict[str, Any]] = field(default_factory=dict)
    link: socket.socket | None = None
    failures: int = 0
    agent_started: float = 0.0
    agent_due: float = 0.0
    ending: bool = False

    def run(self) -> int:
        """Until told to end by SIGTERM."""
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        os.set_inheritable(self.listen_fd, False)
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        # Whoever started this process may have blocked signals, and a blocked SIGCHLD hides every death.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._end)
        while not self.ending:
            if self.link is None and time.monotonic() >= self.agent_due:
                self._start_agent()
            watched: list[Any] = [reader] if self.link is None else [reader, self.link]
            ready, _, _ = select.select(watched, [], [], 0.05 if self.link is None else None)
            if reader in ready:
                os.read(reader, 4096)
                self._reap()
            if self.link is not None and self.link in ready:
                self._obey()
        for pid in self.pids:
            _kill_group(pid, signal.SIGKILL)
        return 0

    def _end(self, *_: object) -> None:
        self.ending = True

    def _start_agent(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [*self.agent_argv, "--supervisor-fd", str(theirs.fileno())]

        def hand_over() -> None:
            theirs.set_inheritable(True)
            os.set_inheritable(self.listen_fd, True)

        become = None
        if self.forks is not None:
            become = partial(self.forks.become_agent, argv[AGENT_WORDS:], [self.listen_fd, theirs.fileno()])
        self._spawn(AGENT, argv, dict(os.environ), None, hand_over, become)
        theirs.close()
        self.link, self.agent_started = ours, time.monotonic()
        running = {name: pid for pid, name in self.pids.items() if name != AGENT}
        self._tell({"did": "state", "running": running, "exited": list(self.exited.values())})

    def _spawn(
        self,
        name: str,
        argv: list[str],
        env: dict[str, str],
        cwd: str | None,
        prepare: Callable[[], None] | None,
        become: Callable[[], NoReturn] | None = None,
    ) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                signal.set_wakeup_fd(-1)
                for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_DFL)
                os.setsid()
                nothing = os.open(os.devnull, os.O_RDWR)
                os.dup2(nothing, 0)
                if prepare is None:
                    # Inherited from PID 1, whose /proc nobody may touch; exec would give it back a moment later.
                    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
                    with open("/proc/self/oom_score_adj", "w") as file:
                        file.write(OOM_SCORE)
                else:
                    prepare()
                if cwd is not None:
                    os.chdir(cwd)
                if become is not None:
                    become()
                os.execve(argv[0], argv, env)  # noqa: S606
            except BaseException as error:
                os.write(2, f"cannot start {name}: {error}\n".encode())
            finally:
                os._exit(127)
        self.pids[pid] = name
        return pid

    def _reap(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self.pids.pop(pid, None)
            if name is None:
                continue
            if name == AGENT:
                self._agent_ended()
                continue
            _kill_group(pid, signal.SIGKILL)
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            peak = used.ru_maxrss * 1024
            self.exited[name] = {"did": "exited", "process": name, "code": code, "signal": number, "peak_bytes": peak}
            self._tell(self.exited[name])

    def _agent_ended(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None
        now = time.monotonic()
        self.failures = self.failures + 1 if now - self.agent_started < 10 else 0
        self.agent_due = now + min(RESTART_SECONDS_MAX, 0.1 * self.failures**2)

    def _tell(self, message: dict[str, Any]) -> None:
        if self.link is not None:
            try:
                self.link.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)
            except OSError as error:
                print(f"the agent does not listen: {error}", file=sys.stderr)

    def _obey(self) -> None:
        assert self.link is not None
        try:
            data = self.link.recv(MESSAGE_BYTES_MAX)
        except OSError:
            data = b""
        if not data:
            self.link.close()
            self.link = None
            self.agent_due = time.monotonic() + 0.05
            for pid, name in self.pids.items():
                if name == AGENT:
                    _kill_group(pid, signal.SIGKILL)
            return
        request = json.loads(data)
        name = request["process"]
        match request["do"]:
            case "start" if name not in self.pids.values():
                argv, env, become = request["argv"], request["env"], None
                if self.forks is not None and self.forks.may_become(argv, env):
                    become = partial(self.forks.become_kernel, argv, env)
                pid = self._spawn(name, argv, env, request["cwd"], None, become)
                self._tell({"did": "started", "process": name, "pid": pid})
            case "signal":
                for pid, running in self.pids.items():
                    if running == name:
                        _kill_group(pid, int(request["signal"]))
            case "noted":
                self.exited.pop(name, None)


def _kill_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
