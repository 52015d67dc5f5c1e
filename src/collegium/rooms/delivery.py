"""How news reaches the tabs of a room, and how much of it there is."""

import time
from typing import Any

import anyio

from collegium.notebooks.service import Broken, merge
from collegium.rooms import model
from collegium.rooms.client import Client

PRESENCE_SECONDS = 0.03
PATIENCE = ((8_000, 0.03), (6_000, 0.005))
"""When more than so many frames a second would be sent, edits are gathered for so long before they are stored."""

Edit = tuple[int, bytes]
"""An update that is on disk, and its sequence number."""


class Delivery:
    """Sends committed edits and presence to the clients of a room."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self._presences: dict[str, model.Presence] = {}
        self._waiting = anyio.Event()
        self._rate = 0.0
        self._rate_at = time.monotonic()

    def broadcast(self, message: dict[str, Any]) -> None:
        """Send a message to every tab."""
        self._put(model.text_frame(message))

    @property
    def patience(self) -> float:
        """How long edits may wait for others to be stored and sent with; 0 when few tabs see few edits."""
        frames = self._rate * len(self.clients)
        return next((seconds for limit, seconds in PATIENCE if frames > limit), 0.0)

    def deliver(self, edits: list[Edit], author: Client | None) -> None:
        """Give edits to the tabs; `author` has them already (None: several do, and get them again)."""
        now = time.monotonic()
        decay = max(0.0, 1.0 - (now - self._rate_at))
        self._rate, self._rate_at = self._rate * decay + len(edits), now
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

    def tell_presence(self, client: Client, presence: model.Presence) -> None:
        """Let the others know, in a moment; of several the last counts."""
        self._presences[client.id] = presence
        self._waiting.set()

    async def run(self) -> None:
        """Send the presence that was gathered, until cancelled."""
        while True:
            await self._waiting.wait()
            await anyio.sleep(PRESENCE_SECONDS)
            self._waiting = anyio.Event()
            presences, self._presences = self._presences, {}
            self._put(model.awareness_frame(list(presences.values())))

    def _put(self, frame: str | bytes, seq: int = 0) -> None:
        for client in self.clients.values():
            client.outbox.put(frame, seq)
