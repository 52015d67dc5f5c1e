"""Sockets that hear whoever speaks to them: what a browser's own record of requests does not show."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Ear:
    """One TCP and one UDP port of this machine; what came is in `heard`."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.tcp.getsockname()[1]}"
        self.stun = f"stun:127.0.0.1:{self.udp.getsockname()[1]}"
        for listen in (self._tcp, self._udp):
            threading.Thread(target=listen, daemon=True).start()

    def _tcp(self) -> None:
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            self.heard.append("a connection")
            connection.close()

    def _udp(self) -> None:
        while True:
            try:
                data, _ = self.udp.recvfrom(2048)
            except OSError:
                return
            if data:
                self.heard.append("a datagram")

    def close(self) -> None:
        """Nobody listens any more."""
        for one in (self.tcp, self.udp):
            # Closing alone does not wake who waits in another thread. A datagram socket is not connected, and says so.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def ear() -> Iterator[Ear]:
    """Listen for as long as the block lasts."""
    listening = Ear()
    try:
        yield listening
    finally:
        listening.close()
