"""Is in a network as a runtime is: joined, in a user namespace of its own, without rights, behind the filter."""

import contextlib
import errno
import json
import os
import socket
import sys
import traceback
from typing import Any

from collegium_runtimed import linux, seccomp

TIMEOUT = 1.5
PR_SET_DUMPABLE = 4


def tcp(host: str, port: int, say: bytes = b"GET / HTTP/1.0\r\n\r\n", *, family: int = 0) -> str:
    """What a TCP service answers, or why it does not."""
    try:
        family = family or (socket.AF_INET6 if ":" in host else socket.AF_INET)
        with socket.socket(family) as made:
            made.settimeout(TIMEOUT)
            made.connect((host, port))
            made.sendall(say)
            return received(made)
    except OSError as error:
        return refusal(error)


def received(made: socket.socket) -> str:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := made.recv(65536):
            data += piece
    return data.decode("latin-1")


def refusal(error: OSError) -> str:
    return f"no: {errno.errorcode.get(error.errno or 0, type(error).__name__)}"


def udp(host: str, port: int) -> str:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.settimeout(TIMEOUT)
            made.connect((host, port))
            made.send(b"hello")
            return made.recv(4096).decode()
    except OSError as error:
        return refusal(error)


def opened(*arguments: int) -> str:
    try:
        socket.socket(*arguments).close()
        return "opened"
    except OSError as error:
        return refusal(error)


def lookup(name: str) -> list[str]:
    """Asked of the resolver inside, as the C library would."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(TIMEOUT)
        made.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1", ("10.0.2.3", 53))
        answer = made.recv(4096)
    count, at, found = int.from_bytes(answer[6:8], "big"), 12 + len(labels) + 5, []
    for _ in range(count):
        found.append(socket.inet_ntoa(answer[at + 12 : at + 16]))
        at += 16
    return found


def proxy(say: bytes, then: bytes = b"") -> str:
    """What the proxy answers to these bytes; `then` follows its first answer."""
    try:
        with socket.create_connection(("127.0.0.1", 3128), TIMEOUT) as made:
            made.settimeout(6.0)
            made.sendall(say)
            first = ""
            if then:
                while not first.endswith("\r\n\r\n"):
                    piece = made.recv(1)
                    if not piece:
                        return first
                    first += piece.decode("latin-1")
                made.sendall(then)
            return first + received(made)
    except OSError as error:
        return refusal(error)


def connect(host: str, port: int, then: bytes = b"GET /inside HTTP/1.0\r\n\r\n") -> str:
    return proxy(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode(), then)


def get(url: str, *headers: str, body: bytes = b"", method: str = "GET") -> str:
    head = "\r\n".join([f"{method} {url} HTTP/1.1", f"Host: {url.split('/')[2]}", *headers, "", ""])
    return proxy(head.encode() + body)


def main() -> None:
    """`UID NET USER|-`; then a line of Python for each line of JSON with its value."""
    "".encode("idna")  # once the user has changed, Python's own files may be out of reach
    uid = int(sys.argv[1])
    net, user = (os.open(path, os.O_RDONLY) if path != "-" else None for path in sys.argv[2:4])
    assert net is not None
    if user is None:
        setns(net)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if user is not None:
        setns(user)
        setns(net)
    linux.unshare(linux.CLONE_NEWUSER)
    linux.prctl(PR_SET_DUMPABLE, 1)  # as any program is once it was executed by this user
    linux.drop_capabilities()
    linux.no_new_privileges()
    linux.install_filter(seccomp.program(seccomp.machine()))
    print(json.dumps(os.getpid()), flush=True)
    names: dict[str, Any] = dict(globals())
    for line in sys.stdin:
        try:
            value = eval(json.loads(line), names)
        except Exception:
            value = traceback.format_exc()
        print(json.dumps(value), flush=True)


def setns(descriptor: int) -> None:
    linux.checked(linux.libc.setns(descriptor, 0), "setns")


if __name__ == "__main__":
    main()
