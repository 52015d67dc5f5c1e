"""Agents of tests forked from a template process, as the local engine's are: what they import was imported once.

Each process of the tests has one, which runs the usual runtime version's Python; `forking.py` is what runs in it.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from collegium_agent.template import SHAPING
from support import forking


class Forked:
    """The first process of a runtime, seen from outside."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle = handle

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self.poll():
            signal.pidfd_send_signal(self._handle, number)

    def poll(self, seconds: float = 0) -> bool:
        """Whether it has ended, after so long at most."""
        return bool(select.select([self._handle], [], [], seconds)[0])

    def wait(self, seconds: float) -> None:
        """Until it has ended; AssertionError if it does not."""
        assert self.poll(seconds), f"process {self.pid} did not end"
        os.close(self._handle)


class Template:
    """The template process, and the way to it."""

    def __init__(self, python: Path) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._variables = dict(os.environ)
            command = [str(python), forking.__file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd="/")

    def is_like(self, variables: Mapping[str, str]) -> bool:
        """Whether a Python that starts with these variables would have found the same: its home, its options."""
        names = (self._variables.keys() | variables.keys()) - {"PYTHONPATH"}
        changed = (name for name in names if self._variables.get(name) != variables.get(name))
        return not any(name.startswith(SHAPING) for name in changed)

    def fork(self, words: Sequence[str], listener: socket.socket, log: int, env: Mapping[str, str]) -> Forked:
        """PID 1 of a runtime that is told these words, listens here, and complains there."""
        request = json.dumps({"words": list(words), "env": dict(env), "cwd": os.getcwd()}).encode()
        socket.send_fds(self._line, [request], [listener.fileno(), log])
        answer, handles, _, _ = socket.recv_fds(self._line, forking.REQUEST_BYTES_MAX, 1)
        return Forked(int(answer), *handles)

    def end(self) -> None:
        """It ends when nobody can ask it any more."""
        self._line.close()
        self._process.wait(30)


@cache
def template(python: Path) -> Template:
    """The one of this process."""
    started = Template(python)
    atexit.register(started.end)
    return started
