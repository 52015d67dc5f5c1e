"""Agents and servers of tests forked from a template process, as the local engine forks its agents: what they import
was imported once.

Each process of the tests has one of either kind: of agents, which runs the usual runtime version's Python, with
`forking.py` in it; and of servers, with `serving.py`.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from collegium_agent.template import SHAPING
from support import forking, serving


class Forked:
    """A forked process, seen from outside: the first of a runtime, or a server."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle: int | None = handle

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self.ended() and self._handle is not None:
            signal.pidfd_send_signal(self._handle, number)

    def ended(self, seconds: float = 0) -> bool:
        """Whether it has ended, after so long at most."""
        return self._handle is None or bool(select.select([self._handle], [], [], seconds)[0])

    def wait(self, seconds: float) -> None:
        """Until it has ended; AssertionError if it does not."""
        assert self.ended(seconds), f"process {self.pid} did not end"
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Template:
    """A template process, and the way to it."""

    def __init__(self, command: Sequence[str]) -> None:
        """`command` is given the number of the socket it is asked by as its last word."""
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._variables = dict(os.environ)
            self._process = subprocess.Popen([*command, str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd="/")

    def is_like(self, variables: Mapping[str, str]) -> bool:
        """Whether a Python that starts with these variables would have found the same: its home, its options."""
        names = (self._variables.keys() | variables.keys()) - {"PYTHONPATH"}
        changed = (name for name in names if self._variables.get(name) != variables.get(name))
        return not any(name.startswith(SHAPING) for name in changed)

    def fork(self, words: Sequence[str], *descriptors: int, env: Mapping[str, str], cwd: Path | None = None) -> Forked:
        """A process that is told these words and has these files: of an agent where it listens and where it
        complains, of a server where it writes."""
        request = {"words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
        socket.send_fds(self._line, [json.dumps(request).encode()], descriptors)
        answer, handles, _, _ = socket.recv_fds(self._line, forking.REQUEST_BYTES_MAX, 1)
        return Forked(int(answer), *handles)

    def end(self) -> None:
        """It ends when nobody can ask it any more."""
        self._line.close()
        self._process.wait(30)


@cache
def template(python: Path) -> Template:
    """The one of agents of this process."""
    return _until_the_end(Template([str(python), forking.__file__]))


@cache
def template_of_servers() -> Template:
    """The one of servers of this process."""
    return _until_the_end(Template([sys.executable, "-P", serving.__file__]))


def _until_the_end(started: Template) -> Template:
    atexit.register(started.end)
    return started
