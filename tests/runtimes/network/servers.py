"""A few services in a network namespace of their own: TCP that says what it was asked, UDP that echoes, DNS."""

import json
import os
import socket
import struct
import sys
import threading

from collegium_runtimed import linux

NAMES = {
    "public.example": ["11.0.0.2"],
    "other.example": ["11.0.0.3"],
    "mirror.example": ["10.99.0.2"],
    "private.example": ["10.99.0.2"],
    "both.example": ["10.99.0.2", "11.0.0.2"],
    "loop.example": ["127.0.0.1"],
    "host.example": ["11.0.0.1"],
    "meta.example": ["169.254.169.254"],
    "zero.example": ["0.0.0.0"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
}
FLIPS = ["11.0.0.2", "127.0.0.1", "10.99.0.2"]
BIG = 3 << 20


def main() -> None:
    """`{"tcp": [[address, port]…], "udp": […], "dns": address|null, "namespace": BOOL}`; says `ready`, serves on."""
    wanted = json.loads(sys.stdin.readline())
    if wanted["namespace"]:
        linux.unshare(linux.CLONE_NEWNET)
        print(os.getpid(), flush=True)
        sys.stdin.readline()
    for address, port in wanted["tcp"]:
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
    for address, port in wanted["udp"]:
        threading.Thread(target=echo, args=(udp(address, port),), daemon=True).start()
    if wanted["dns"]:
        threading.Thread(target=name, args=(udp(wanted["dns"], 53),), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.readline()


def udp(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, port))
    return made


def accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection: socket.socket) -> None:
    """What was asked, said back; a path with `big` gives a lot, one with `silent` nothing."""
    with connection:
        try:
            asked = connection.recv(65536)
            while asked.startswith((b"GET", b"POST", b"HEAD")) and b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            if b"silent" in asked:
                connection.recv(1)
                return
            here = "{}:{}".format(*connection.getsockname()[:2]).encode()
            body = b"x" * BIG if b"/big" in asked else b"at " + here + b" asked " + asked
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Here: yes\r\nConnection: X-Gone\r\nX-Gone: 1\r\n\r\n"
            connection.sendall(head % len(body) + body)
        except OSError:
            return


def echo(made: socket.socket) -> None:
    while True:
        data, sender = made.recvfrom(65536)
        made.sendto(b"echo " + data, sender)


def name(made: socket.socket) -> None:
    flips = 0
    while True:
        question, sender = made.recvfrom(4096)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        wanted, kind = ".".join(labels).lower(), struct.unpack(">H", question[at + 1 : at + 3])[0]
        addresses = NAMES.get(wanted, [])
        if wanted == "flip.example" and kind == 1:
            addresses = [FLIPS[flips % len(FLIPS)]]
            flips += 1
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        found = [one for one in addresses if (":" in one) == (family == socket.AF_INET6)] if family else []
        known = bool(addresses) or wanted == "flip.example"
        head = question[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(found), 0, 0)
        records = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(packed)) + packed
            for packed in (socket.inet_pton(family, one) for one in found)
        )
        made.sendto(head + question[12 : at + 5] + records, sender)


if __name__ == "__main__":
    main()
