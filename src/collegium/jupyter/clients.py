"""One session of a client on a kernel: what it has still to be sent, also while its socket is away."""

from collections import deque

import anyio

from collegium.kernels.channels import JupyterMessage

WAITING_BYTES_MAX = 8 * 1024 * 1024
"""What may wait for a socket that is here, before the kernel waits for it."""

AWAY_BYTES_MAX = 16 * 1024 * 1024
"""What is kept for one that is not."""


class Client:
    """Belongs to the `session_id` of a socket's address; the socket that comes back with it goes on where it was."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.here = True
        self.slow = False
        """It takes nothing: its socket is to be closed, and what waits is kept for when it comes back."""
        self.waiting: deque[JupyterMessage] = deque()
        self.waiting_bytes = 0
        self.dropped = 0
        """Messages that there was no room for while it was away."""
        self.cut = anyio.Event()
        """Set when its socket is to be closed."""
        self._grown = anyio.Event()
        self._room = anyio.Event()

    def tell(self, message: JupyterMessage) -> None:
        """Queue a message. Never waits."""
        self.waiting.append(message)
        self.waiting_bytes += message.size
        if not self.here:
            while self.waiting_bytes > AWAY_BYTES_MAX:
                self.waiting_bytes -= self.waiting.popleft().size
                self.dropped += 1
        self._grown.set()

    @property
    def full(self) -> bool:
        """The kernel should wait before it says more."""
        return self.here and not self.slow and self.waiting_bytes > WAITING_BYTES_MAX

    async def room(self) -> None:
        """Returns when something was taken, or the socket went."""
        self._room = anyio.Event()
        await self._room.wait()

    async def next(self) -> JupyterMessage:
        """The next message, which stays here until it was `taken`."""
        while not self.waiting:
            self._grown = anyio.Event()
            await self._grown.wait()
        return self.waiting[0]

    def taken(self) -> None:
        """The socket has it."""
        if not self.waiting:
            return  # a successor has it, and sends it once more
        self.waiting_bytes -= self.waiting.popleft().size
        self._room.set()

    def let_go(self) -> None:
        """It stalls; its socket is closed."""
        self.slow = True
        self.cut.set()

    def came(self) -> None:
        """A socket is here (again)."""
        self.here, self.slow = True, False
        self.cut = anyio.Event()

    def succeeded(self) -> "Client":
        """Another socket came under the same name: it takes over what waits, and this one is closed."""
        heir = Client(self.session)
        heir.waiting, heir.waiting_bytes = self.waiting, self.waiting_bytes
        self.waiting, self.waiting_bytes = deque(), 0
        self.let_go()
        self._room.set()
        return heir

    def left(self) -> None:
        """Its socket is gone."""
        self.here, self.slow = False, False
        self._room.set()
