"""How news reaches the tabs of a room: at once, or gathered for a moment when there is much of it."""

import time
from typing import Any

import anyio

from collegium.notebooks.service import Broken, merge
from collegium.rooms import model
from collegium.rooms.client import Client

COALESCE_SECONDS = 0.03
DELIVERIES_PER_SECOND_MAX = 8_000
"""Beyond so many frames a second, edits are gathered before they are sent on."""

Edit = tuple[int, bytes]
"""An update that is on disk, and its sequence number."""


class Delivery:
    """Sends committed edits and presence to the clients of a room."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self._edits: list[Edit] = []
        self._presences: dict[str, model.Presence] = {}
        self._waiting = anyio.Event()
        self._rate = 0.0
        self._rate_at = time.monotonic()

    def broadcast(self, message: dict[str, Any]) -> None:
        """Send a message to every tab."""
        self._put(model.text_frame(message))

    def deliver(self, edits: list[Edit], author: Client | None) -> None:
        """Give edits to the tabs; `author` has them already (None: several do, and get them again)."""
        now = time.monotonic()
        decay = max(0.0, 1.0 - (now - self._rate_at))
        self._rate, self._rate_at = self._rate * decay + len(edits), now
        if self._edits or self._rate * len(self.clients) > DELIVERIES_PER_SECOND_MAX:
            self._edits.extend(edits)
            self._waiting.set()
        else:
            self._send(edits, author)

    def tell_presence(self, client: Client, presence: model.Presence) -> None:
        """Let the others know, in a moment; of several the last counts."""
        self._presences[client.id] = presence
        self._waiting.set()

    def flush(self) -> None:
        """Send what was gathered."""
        edits, self._edits = self._edits, []
        if edits:
            self._send(edits, None)
        presences, self._presences = self._presences, {}
        if presences:
            self._put(model.awareness_frame(list(presences.values())))

    async def run(self) -> None:
        """Send what is gathered, until cancelled."""
        while True:
            await self._waiting.wait()
            await anyio.sleep(COALESCE_SECONDS)
            self._waiting = anyio.Event()
            self.flush()

    def _send(self, edits: list[Edit], author: Client | None) -> None:
        first, last = edits[0][0], edits[-1][0]
        try:
            update = edits[0][1] if len(edits) == 1 else merge([update for _, update in edits])
        except Broken:
            for seq, single in edits:
                self._put(model.update_frame(seq, single), seq)
            return
        frame = model.update_frame(last, update)
        for client in self.clients.values():
            if client is not author:
                client.outbox.put(frame, first)

    def _put(self, frame: str | bytes, seq: int = 0) -> None:
        for client in self.clients.values():
            client.outbox.put(frame, seq)
