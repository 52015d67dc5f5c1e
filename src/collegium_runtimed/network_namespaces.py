"""A network's own process: makes a namespace that nothing inside can administer, and may become its slirp4netns.

It waits for one message, the request, so that nothing begins that the engine has not written down. A child makes the
namespaces, sets the rules before anybody can be inside, listens for the proxy, and ends; the descriptors go to the
engine. Made by root, all of it belongs to a user id that owns nothing else. Single-threaded, so that forking is safe.
"""

import ctypes
import json
import os
import signal
import socket
import stat
import sys
from typing import Any, NoReturn

from collegium_runtimed import linux

REQUEST_BYTES_MAX = 128 << 10
ANSWER_BYTES_MAX = 8192
PROXY_PORT = 3128
BACKLOG = 128
TUN = "/dev/net/tun"
TUN_NUMBER = os.makedev(10, 200)
PR_SET_DUMPABLE, PR_SET_KEEPCAPS = 4, 8
CAP_SYS_ADMIN = 1 << 21
NICE = 10
"""What a runtime's packets cost is not counted as its own, so it comes after what other runtimes compute."""
NFT_LINES_MAX = 6
"""nft says more about a mistake than anybody needs; so many lines of it are passed on."""


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapData(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def main() -> None:
    """Do what the one request says; answer `{"inode"}` with the descriptors, or `{"error"}`."""
    control = socket.socket(fileno=int(sys.argv[1]))
    text, given, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 2)
    if not text:
        return
    try:
        _answer(json.loads(text), control, given)
    except Exception as error:
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:1000]}).encode())
        sys.exit(1)


def _answer(request: dict[str, Any], control: socket.socket, given: list[int]) -> None:
    for group in request["groups"]:
        with open(f"{group}/cgroup.procs", "w") as file:
            file.write("0")
    slirp = request["slirp"]
    if request["uid"] is not None:
        if slirp and not _everybody_may(TUN):
            _show_tun()
        if not given and request["beside"] is not None:
            given = [_shared_user_namespace(request["uid"], *request["beside"])]
        _become(request["uid"])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        _run_inside(request, theirs, given)
    theirs.close()
    text, made, _, _ = socket.recv_fds(ours, ANSWER_BYTES_MAX, 3)
    os.waitpid(child, 0)
    if not made:
        raise RuntimeError(text.decode(errors="replace") or "the namespace could not be made")
    socket.send_fds(control, [json.dumps({"inode": os.fstat(made[0]).st_ino}).encode()], made)
    if slirp:
        _become_slirp(slirp, control, *made[:2])


def _everybody_may(device: str) -> bool:
    try:
        return os.stat(device).st_mode & 0o006 == 0o006
    except FileNotFoundError:
        return False


def _show_tun() -> None:
    """Where no udev lets everybody use this device, let the user of this one process."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    os.makedirs(os.path.dirname(TUN), exist_ok=True)
    linux.mount("tmpfs", os.path.dirname(TUN), "tmpfs", linux.MS_NOSUID | linux.MS_NOEXEC, "mode=755,size=4k")
    os.mknod(TUN, stat.S_IFCHR | 0o666, TUN_NUMBER)
    os.chmod(TUN, 0o666)  # noqa: S103 - seen by this process alone


def _shared_user_namespace(uid: int, owner: int, runtime: int) -> int:
    """One in which the network's user is 0 and the runtime's own is 1. It belongs to whoever forks the runtime, and
    who else has no right to join a network could not enter it."""
    maps = dict.fromkeys(("uid_map", "gid_map"), f"0 {uid} 1\n1 {runtime} 1\n")
    return linux.user_namespace(maps, owner=owner)


def _become(uid: int) -> None:
    """Another user, who keeps from root only the right to make and join namespaces, and that not across exec."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    linux.prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    header, data = _CapHeader(linux.CAPABILITY_VERSION_3, 0), (_CapData * 2)()
    data[0].effective = data[0].permitted = CAP_SYS_ADMIN
    linux.checked(linux.libc.capset(ctypes.byref(header), data), "capset")
    # Or /proc/self belongs to root, and the map of users cannot be written.
    linux.prctl(PR_SET_DUMPABLE, 1)


def _run_inside(request: dict[str, Any], theirs: socket.socket, given: list[int]) -> NoReturn:
    try:
        uid, gid = os.geteuid(), os.getegid()
        if len(given) > 1:
            for descriptor in reversed(given):
                linux.checked(linux.libc.setns(descriptor, 0), "setns")
        else:
            if given:
                linux.join_namespace(given[0], linux.CLONE_NEWUSER)
                linux.unshare(linux.CLONE_NEWNET)
            else:
                linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNET)
                for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
                    with open(f"/proc/self/{name}", "w") as file:
                        file.write(text)
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
            linux.loopback_up()
            if request["rules"]:
                _set_rules(request["nft"], request["rules"])
        descriptors = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in ("net", "user")]
        if request["listen"]:
            listener = socket.create_server(("127.0.0.1", PROXY_PORT), backlog=BACKLOG)
            descriptors.append(listener.detach())
        socket.send_fds(theirs, [b"made"], descriptors)
        os._exit(0)
    except BaseException as error:
        theirs.send(f"{type(error).__name__}: {error}".encode()[:ANSWER_BYTES_MAX])
        os._exit(1)


def _set_rules(nft: str, rules: str) -> None:
    text, said = os.memfd_create("rules"), os.memfd_create("said")
    os.write(text, rules.encode())
    os.lseek(text, 0, os.SEEK_SET)
    child = os.fork()
    if child == 0:
        for descriptor, number in ((text, 0), (said, 1), (said, 2)):
            os.dup2(descriptor, number)
        os.execve(nft, [nft, "-f", "-"], {"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"})  # noqa: S606
    status = os.waitpid(child, 0)[1]
    if status != 0:
        os.lseek(said, 0, os.SEEK_SET)
        lines = os.read(said, ANSWER_BYTES_MAX // 2).decode(errors="replace").splitlines()
        raise RuntimeError("nft: " + " ".join(lines[:NFT_LINES_MAX]))


def _become_slirp(program: str, control: socket.socket, net: int, user: int) -> NoReturn:
    """It writes to `control` once the network can be used. What it prints later is nobody's: the pipe will be shut."""
    # Release 1.2 cannot put itself into its sandbox in a user namespace that is named by a path; so go there first.
    linux.checked(linux.libc.setns(user, linux.CLONE_NEWUSER), "setns")
    for descriptor in (net, control.fileno()):
        os.set_inheritable(descriptor, True)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.nice(NICE)
    words = [
        program, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp",
        f"--ready-fd={control.fileno()}", "--netns-type=path", f"/proc/self/fd/{net}", "tap0",
    ]  # fmt: skip
    os.execve(program, words, {"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"})  # noqa: S606


if __name__ == "__main__":
    main()
