"""Stands between a server and PostgreSQL, and cuts the line at the worst moment."""

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
COMMIT = b"COMMIT;"


class Cutter:
    """Passes everything on, until it is told to cut the next commit: before PostgreSQL hears of it, or after."""

    def __init__(self, target: Path, folder: Path) -> None:
        self._target = target
        self._cut: str | None = None
        self.cuts = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, when: str) -> None:
        """The next commit is cut `before` or `after` PostgreSQL hears of it."""
        self._cut = when

    def close(self) -> None:
        """No more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._target / SOCKET))
                except OSError:
                    client.close()
                    server.close()
                    continue
                for one in (self._up, self._down):
                    threading.Thread(target=one, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while words := client.recv(1 << 16):
                if self._cut is not None and COMMIT in words:
                    when, self._cut = self._cut, None
                    self.cuts += 1
                    if when == "after":
                        # Nobody hears the answer: the way down is closed first.
                        client.shutdown(socket.SHUT_RDWR)
                        server.sendall(words)
                        server.settimeout(5)
                        server.recv(1 << 16)
                    break
                server.sendall(words)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while words := server.recv(1 << 16):
                client.sendall(words)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutter(url: str) -> Iterator[tuple[Cutter, str]]:
    """One in front of the server at this address, and the address that leads through it."""
    address, _, folder = url.partition("?host=")
    with tempfile.TemporaryDirectory(prefix="clg-cut-", dir="/tmp") as own:
        os.chmod(own, 0o755)
        between = Cutter(Path(folder), Path(own))
        try:
            yield between, f"{address}?host={own}"
        finally:
            between.close()
