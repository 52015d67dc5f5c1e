"""The launcher: a short-lived process that forks a runtime's PID 1 into fresh namespaces, and reports its pid.

It reads a plan (one line of JSON) from standard input and answers in lines of JSON on standard output: first
`{"pid", "started"}`; then it waits for `go`, so that nothing runs that the engine has not written down; then
`{"ready": true}` once PID 1 has become the agent, or `{"error"}`. Single-threaded, so that forking is safe. A zygote
can take its place: it would do the same after its own fork, with the imports already made.
"""

import fcntl
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from collegium_runtimed import layers, linux, sandbox
from collegium_runtimed.plan import LISTEN_FD, UID_INSIDE, Plan, from_json

MESSAGE_BYTES_MAX = 4096
NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP


def main() -> None:
    """Read the plan, launch, answer."""
    lines = sys.stdin.buffer
    plan = from_json(json.loads(lines.readline()))
    os.umask(0o022)
    pid = 0
    try:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours, theirs = (socket.socket(fileno=linux.high(end.detach())) for end in pair)
        trees = _prepare(plan)
        pid = _fork_into_namespaces(plan, ours, theirs, trees)
        _say(pid=pid, started=linux.start_time(pid))
        if lines.readline() != b"go\n":
            raise InterruptedError("the engine went away")
        ours.send(b"go")
        failure = ours.recv(MESSAGE_BYTES_MAX)
        if failure:
            raise RuntimeError(failure.decode(errors="replace"))
        _say(ready=True)
    except Exception as error:
        if pid:
            _end(pid)
        _say(error=f"{type(error).__name__}: {error}"[:1000])
        sys.exit(1)


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _prepare(plan: Plan) -> sandbox.Trees | None:
    """Join the limits; as root also take what the runtime's own user could not reach."""
    for group in plan.cgroups:
        with open(f"{group}/cgroup.procs", "w") as file:
            file.write("0")
    if not plan.distinct:
        return None
    os.setgroups([])
    machine = sandbox.take_trees(sandbox.machine_binds(plan)) + layers.take_lowers(plan)
    if plan.image is None:
        return sandbox.take_trees(sandbox.own_binds(plan, plan.disk)) + machine
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    return sandbox.take_from_image(plan, plan.image) + machine


def _fork_into_namespaces(plan: Plan, ours: socket.socket, theirs: socket.socket, trees: sandbox.Trees | None) -> int:
    """The pid of PID 1 as this machine counts, waiting for `go`."""
    middle = os.fork()
    if middle == 0:
        _run_middle(plan, ours, theirs, trees)
    theirs.close()
    _expect(ours, b"namespace")
    if plan.user_fd is None:
        _map_user(middle, plan)
    ours.send(b"mapped")
    answer = ours.recv(MESSAGE_BYTES_MAX)
    os.waitpid(middle, 0)
    if not answer.isdigit():
        raise RuntimeError(answer.decode(errors="replace") or "the sandbox ended while it was made")
    return int(answer)


def _expect(end: socket.socket, message: bytes) -> None:
    answer = end.recv(MESSAGE_BYTES_MAX)
    if answer != message:
        raise RuntimeError(answer.decode(errors="replace") or "the sandbox ended while it was made")


def _map_user(pid: int, plan: Plan) -> None:
    """One user and one group inside, which outside are the runtime's own."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{UID_INSIDE} {plan.uid} 1"),
        ("gid_map", f"{UID_INSIDE} {plan.gid} 1"),
    ):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


def _run_middle(plan: Plan, ours: socket.socket, theirs: socket.socket, trees: sandbox.Trees | None) -> NoReturn:
    """Between the launcher and PID 1: a pid namespace begins with the next fork."""
    try:
        ours.close()
        if plan.net_fd is not None and plan.user_fd is None:
            linux.join_namespace(plan.net_fd, linux.CLONE_NEWNET)
        if plan.user_fd is not None:
            linux.join_namespace(plan.user_fd, linux.CLONE_NEWUSER)
        else:
            linux.unshare(linux.CLONE_NEWUSER)
        theirs.send(b"namespace")
        _expect(theirs, b"mapped")
        os.setresgid(UID_INSIDE, UID_INSIDE, UID_INSIDE)
        os.setresuid(UID_INSIDE, UID_INSIDE, UID_INSIDE)
        if plan.net_fd is not None and plan.user_fd is not None:
            linux.join_namespace(plan.net_fd, linux.CLONE_NEWNET)
        linux.unshare(NAMESPACES | (linux.CLONE_NEWNET if plan.net_fd is None else 0))
        pid = os.fork()
        if pid == 0:
            _run_first(plan, theirs, trees)
        theirs.send(str(pid).encode())
        os._exit(0)
    except BaseException as error:
        theirs.send(f"{type(error).__name__}: {error}".encode()[:MESSAGE_BYTES_MAX])
        os._exit(1)


def _run_first(plan: Plan, theirs: socket.socket, trees: sandbox.Trees | None) -> NoReturn:
    """PID 1: builds its world once the engine knows of it, and becomes the agent."""
    try:
        if theirs.recv(MESSAGE_BYTES_MAX) != b"go":
            os._exit(1)
        os.setsid()
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        _take_descriptors(plan)
        if trees is None:
            trees = sandbox.take_trees(sandbox.own_binds(plan, plan.disk) + sandbox.machine_binds(plan))
            trees += layers.take_lowers(plan)
        sandbox.enter(plan, trees)
        sandbox.become_agent(plan)
        raise AssertionError("execve returned")
    except BaseException as error:
        theirs.send(f"{type(error).__name__}: {error}".encode()[:MESSAGE_BYTES_MAX])
        os._exit(1)


def _take_descriptors(plan: Plan) -> None:
    """Nothing in, the log out, the agent's socket; the rest closes itself when the agent begins."""
    log, listen = (
        fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, linux.DESCRIPTOR_FREE_FROM) for fd in (plan.log_fd, plan.listen_fd)
    )
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(listen, LISTEN_FD)
    for number in {nothing, plan.log_fd, plan.listen_fd} - {0, 1, 2, LISTEN_FD}:
        os.set_inheritable(number, False)


if __name__ == "__main__":
    main()
