"""The agent's socket where no engine can hand one in: made inside a container, and reached by a program run there.

`python -m collegium_agent.door listen PATH COMMAND…` makes the listening socket as descriptor 3 and becomes the
command. `python -m collegium_agent.door connect PATH` carries its own standard input and output to that socket.
"""

import os
import select
import socket
import sys

LISTEN_FD = 3
BACKLOG = 64
CHUNK_BYTES = 1 << 16


def listen(path: str, command: list[str]) -> None:
    """Make the socket and become the command. Returns only by raising."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(BACKLOG)
    if listener.fileno() != LISTEN_FD:
        os.dup2(listener.fileno(), LISTEN_FD)
    os.set_inheritable(LISTEN_FD, True)
    os.execvp(command[0], command)  # noqa: S606


def connect(path: str) -> None:
    """Until either side ends: what comes in goes to the socket, what the socket says goes out."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.connect(path)
        open_ends = {sys.stdin.fileno(): stream.fileno(), stream.fileno(): sys.stdout.fileno()}
        while stream.fileno() in open_ends:
            ready, _, _ = select.select(list(open_ends), [], [])
            for source in ready:
                data = os.read(source, CHUNK_BYTES)
                if data:
                    _write_all(open_ends[source], data)
                    continue
                del open_ends[source]
                if source != stream.fileno():
                    stream.shutdown(socket.SHUT_WR)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def main() -> None:
    """Do what the first word says."""
    match sys.argv[1:]:
        case ["listen", path, *command] if command:
            listen(path, command)
        case ["connect", path]:
            connect(path)
        case _:
            sys.exit("usage: python -m collegium_agent.door listen PATH COMMAND… | connect PATH")


if __name__ == "__main__":
    main()
