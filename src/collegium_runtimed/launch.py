"""The launcher: short-lived processes that see a runtime's PID 1 into fresh namespaces, and report its pid.

Each is forked by one that waits for plans (`serve`), and talks with the engine in lines of JSON: first
`{"pid", "started"}`; then it waits for `go`, so that nothing runs that the engine has not written down; then
`{"ready": true}` once PID 1 has become the agent's supervisor, or `{"error"}`. Single-threaded, so that forking is
safe. PID 1 is forked from this process and executes the agent; or a zygote is handed what it needs and forks it, with
the imports already made. What does what only the engine's user may is this process in both cases.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, NoReturn, TextIO

from collegium_runtimed import layers, linux, sandbox
from collegium_runtimed.plan import LISTEN_FD, UID_INSIDE, Plan, from_json, to_json

MESSAGE_BYTES_MAX = 4096
REQUEST_BYTES_MAX = 128 << 10
DESCRIPTORS_MAX = 16
LAUNCH_SECONDS_MAX, FORK_SECONDS_MAX = 30.0, 5.0
CREDENTIALS = struct.Struct("3i")
UID_BESIDE = 1
"""The runtime's own user in the user namespace of a network that root made; its user 0 owns the network."""
NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP

Become = Callable[[Plan], NoReturn]


def serve() -> None:
    """Wait with all that is needed imported, and fork for each plan, until the engine is gone."""
    control = socket.socket(fileno=linux.high(int(sys.argv[1])))
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.reset_signals(signal.SIGPIPE, signal.SIGXFSZ)
    linux.ordinary_scheduling()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.umask(0o022)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, DESCRIPTORS_MAX)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _launch(from_json(json.loads(request)), [linux.high(descriptor) for descriptor in descriptors])
        for descriptor in descriptors:
            os.close(descriptor)


def with_descriptors(plan: Plan, given: list[int]) -> Plan:
    """The plan with the descriptors that came along with it, by their numbers here; takes them off the list."""
    names = ("log_fd", "listen_fd", "net_fd", "user_fd", "zygote_fd")
    numbers = {name: given.pop(0) for name in names if getattr(plan, name) is not None}
    return replace(plan, **numbers)  # type: ignore[arg-type]


def _launch(plan: Plan, given: list[int]) -> NoReturn:
    """See one runtime in, saying so, and end."""
    with socket.socket(fileno=given.pop(0)) as talk, talk.makefile("rw") as lines:
        plan, first, status = with_descriptors(plan, given), 0, 1
        try:
            pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours, theirs = (socket.socket(fileno=linux.high(end.detach())) for end in pair)
            # The kernel says who speaks: a fork of a zygote is not asked for its pid.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.settimeout(LAUNCH_SECONDS_MAX if plan.zygote_fd is None else FORK_SECONDS_MAX)
            if plan.zygote_fd is None:
                _join_groups(plan, 0)
            trees = _prepare(plan)
            middle = None
            if plan.zygote_fd is None:
                middle = _fork(plan, ours, theirs, trees)
            else:
                _ask_zygote(plan, theirs, trees)
            theirs.close()
            first = _see_in(plan, ours)
            if middle is not None:
                os.waitpid(middle, 0)  # or the engine, to whom it falls, keeps its remains
            _say(lines, pid=first, started=linux.start_time(first))
            if lines.readline() != "go\n":
                raise InterruptedError("the engine went away")
            ours.send(b"go")
            failure = ours.recv(MESSAGE_BYTES_MAX)
            if failure:
                raise RuntimeError(failure.decode(errors="replace"))
            _say(lines, ready=True)
            status = 0
        except Exception as error:
            if first:
                _end(first)
            with contextlib.suppress(OSError):
                _say(lines, error=f"{type(error).__name__}: {error}"[:1000])
        finally:
            os._exit(status)


def _say(lines: TextIO, **what: Any) -> None:
    lines.write(json.dumps(what) + "\n")
    lines.flush()


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _join_groups(plan: Plan, pid: int) -> None:
    for group in plan.cgroups:
        with open(f"{group}/cgroup.procs", "w") as file:
            file.write(str(pid))


def _prepare(plan: Plan) -> sandbox.Trees | None:
    """As root: take what the runtime's own user could not reach."""
    if not plan.distinct:
        return None
    os.setgroups([])
    machine = sandbox.take_trees(sandbox.machine_binds(plan)) + layers.take_lowers(plan)
    if plan.image is None:
        return sandbox.take_trees(sandbox.own_binds(plan, plan.disk)) + machine
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    return sandbox.take_from_image(plan, plan.image) + machine


def _fork(plan: Plan, ours: socket.socket, theirs: socket.socket, trees: sandbox.Trees | None) -> int:
    """The child that PID 1 comes from; it ends once that lives."""
    middle = os.fork()
    if middle == 0:
        ours.close()
        run_middle(plan, theirs, trees, sandbox.become_agent)
    return middle


def _ask_zygote(plan: Plan, theirs: socket.socket, trees: sandbox.Trees | None) -> None:
    """The same child, forked by a process that has the imports."""
    assert plan.zygote_fd is not None
    named = [fd for fd in (plan.log_fd, plan.listen_fd, plan.net_fd, plan.user_fd) if fd is not None]
    binds = None if trees is None else [asdict(bind) for bind, _ in trees]
    asked = {"plan": to_json(replace(plan, zygote_fd=None)), "binds": binds}
    with socket.socket(fileno=os.dup(plan.zygote_fd)) as zygote:
        descriptors = [theirs.fileno(), *named, *(tree for _, tree in trees or ())]
        socket.send_fds(zygote, [json.dumps(asked).encode()], descriptors)
    for _, tree in trees or ():
        os.close(tree)


def _see_in(plan: Plan, ours: socket.socket) -> int:
    """Bound and map the child, and come back with the pid of PID 1 as this machine counts, waiting for `go`."""
    middle, _ = _hear(ours, b"namespace")
    if plan.zygote_fd is not None:
        _join_groups(plan, middle)
    if plan.user_fd is None:
        _map_user(middle, plan)
    ours.send(b"mapped")
    pid, uid = _hear(ours, b"first")
    if uid != plan.uid:
        raise RuntimeError("a stranger says that it is the first process of the runtime")
    return pid


def _hear(ours: socket.socket, message: bytes) -> tuple[int, int]:
    """Who says this: its pid and user id, by the kernel's word."""
    answer, ancillary, _, _ = ours.recvmsg(MESSAGE_BYTES_MAX, socket.CMSG_SPACE(CREDENTIALS.size))
    for level, kind, data in ancillary:
        if answer == message and (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            pid, uid, _ = CREDENTIALS.unpack(data)
            return pid, uid
    raise RuntimeError(answer.decode(errors="replace") or "the sandbox ended while it was made")


def _expect(end: socket.socket, message: bytes) -> None:
    answer = end.recv(MESSAGE_BYTES_MAX)
    if answer != message:
        raise RuntimeError(answer.decode(errors="replace") or "the sandbox ended while it was made")


def _map_user(pid: int, plan: Plan) -> None:
    """One user and one group inside, which outside are the runtime's own."""
    _write_maps(pid, plan.uid, plan.gid)


def _write_maps(pid: int | str, uid: int, gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{UID_INSIDE} {uid} 1"),
        ("gid_map", f"{UID_INSIDE} {gid} 1"),
    ):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


def run_middle(plan: Plan, theirs: socket.socket, trees: sandbox.Trees | None, become: Become) -> NoReturn:
    """Between whoever forks and PID 1: a pid namespace begins with the next fork."""
    try:
        _enter_user_namespace(plan)
        theirs.send(b"namespace")
        _expect(theirs, b"mapped")
        os.setresgid(UID_INSIDE, UID_INSIDE, UID_INSIDE)
        os.setresuid(UID_INSIDE, UID_INSIDE, UID_INSIDE)
        linux.unshare(NAMESPACES | (linux.CLONE_NEWNET if plan.net_fd is None else 0))
        if os.fork() == 0:
            _run_first(plan, theirs, trees, become)
        os._exit(0)
    except BaseException as error:
        theirs.send(f"{type(error).__name__}: {error}".encode()[:MESSAGE_BYTES_MAX])
        os._exit(1)


def _enter_user_namespace(plan: Plan) -> None:
    """A new one; below that of the network, if there is one, whose rules the runtime then has no right over."""
    if plan.user_fd is None:
        if plan.net_fd is not None:
            linux.join_namespace(plan.net_fd, linux.CLONE_NEWNET)
        linux.unshare(linux.CLONE_NEWUSER)
        return
    assert plan.net_fd is not None
    linux.join_namespace(plan.user_fd, linux.CLONE_NEWUSER)
    linux.join_namespace(plan.net_fd, linux.CLONE_NEWNET)
    own = UID_BESIDE if plan.distinct else 0
    os.setresgid(own, own, own)
    os.setresuid(own, own, own)
    linux.unshare(linux.CLONE_NEWUSER)
    linux.be_dumpable()  # or /proc/self is not ours to write
    _write_maps("self", own, own)


def _run_first(plan: Plan, theirs: socket.socket, trees: sandbox.Trees | None, become: Become) -> NoReturn:
    """PID 1: builds its world once the engine knows of it, and becomes the agent's supervisor."""
    try:
        theirs.send(b"first")
        if theirs.recv(MESSAGE_BYTES_MAX) != b"go":
            os._exit(1)
        os.setsid()
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        _take_descriptors(plan)
        if trees is None:
            trees = sandbox.take_trees(sandbox.own_binds(plan, plan.disk) + sandbox.machine_binds(plan))
            trees += layers.take_lowers(plan)
        sandbox.enter(plan, trees)
        become(plan)
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
    handed = {nothing, plan.log_fd, plan.listen_fd, plan.net_fd, plan.user_fd, plan.zygote_fd}
    for number in handed - {0, 1, 2, LISTEN_FD, None}:
        assert number is not None
        os.set_inheritable(number, False)
