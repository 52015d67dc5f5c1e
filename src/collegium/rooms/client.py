"""One browser tab in a room: what it may do, what still has to be sent to it, and how far it is."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from collegium.accounts.model import Action, Principal, Role, may
from collegium.ground.ids import NotebookId, new_id
from collegium.rooms.model import FORBIDDEN, RESYNC, Allowance, Goodbye, Presence, text_frame
from collegium.rooms.settings import RoomSettings

Frame = str | bytes
Send = Callable[[Frame], Awaitable[None]]


class Outbox:
    """Frames that wait for a slow reader. Bounded: when it is full it is emptied, and says so."""

    def __init__(self, frames_max: int, bytes_max: int) -> None:
        self._frames: deque[tuple[int, Frame]] = deque()
        self._first: deque[Frame] = deque()
        self.beginning = False
        """While this is set, what is put is part of a beginning: sent before all else, and under no bound."""
        self._bytes = 0
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._filled = anyio.Event()
        self.overflowed = False
        self.lost_since: int | None = None
        """The sequence number of the first edit that was thrown away; everything before was sent. 0: nothing was."""

    def put(self, frame: Frame, seq: int = 0) -> None:
        """Add a frame. `seq`: the edit it carries, 0 for none."""
        if self.beginning:
            self._first.append(frame)
        elif self.overflowed:
            self._note_lost(seq)
        else:
            self._frames.append((seq, frame))
            self._bytes += len(frame)
            waiting = len(self._frames)
            if waiting > self._frames_max or (waiting > 1 and self._bytes > self._bytes_max):
                self._overflow()
        if not self._filled.is_set():
            self._filled.set()

    def _overflow(self) -> None:
        self.overflowed = True
        if any(frame[:1] == RESYNC for frame in self._first):
            # The document itself has not been sent: what came after it would be of no use without it.
            self.lost_since = 0
        for lost, _ in self._frames:
            self._note_lost(lost)
        self._frames.clear()
        self._first = deque(frame for frame in self._first if is_welcome(frame))
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """How much waits in it, a beginning not counted."""
        return self._bytes

    @property
    def is_welcomed(self) -> bool:
        """Whether the tab has been sent its welcome."""
        return not any(is_welcome(frame) for frame in self._first)

    def reset(self) -> int | None:
        """Begin again after an overflow; the first edit that was lost, if any was."""
        lost, self.lost_since, self.overflowed = self.lost_since, None, False
        return lost

    async def wait(self) -> None:
        """Until there is something to send, or to begin again."""
        if not self._frames and not self._first and not self.overflowed:
            self._filled = anyio.Event()
            await self._filled.wait()

    def take(self) -> Frame | None:
        """The next frame, if there is one."""
        if self._first:
            return self._first.popleft()
        if not self._frames:
            return None
        _, frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame

    def _note_lost(self, seq: int) -> None:
        if seq and self.lost_since is None:
            self.lost_since = seq


def is_welcome(frame: Frame) -> bool:
    """Whether this frame begins a conversation."""
    return isinstance(frame, str) and frame.startswith('{"type":"welcome"')


class Client:
    """A tab in a room."""

    def __init__(
        self, principal: Principal, role: Role, notebook: NotebookId, number: int, settings: RoomSettings, now: float
    ) -> None:
        self.id = new_id()
        self.principal = principal
        self.role = role
        self.notebook = notebook
        self.number = number
        """Its Yjs client id."""
        self.claimed: frozenset[int] = frozenset()
        """Ids of other tabs of the same browser, whose edits it hands over."""
        self.outbox = Outbox(settings.outbox_frames_max, settings.outbox_bytes_max)
        self.presence: Presence | None = None
        self.received = 0
        self.acknowledged = 0
        self.updates = Allowance(settings.updates_per_second, settings.updates_per_second * 10, now)
        self.update_bytes = Allowance(settings.update_bytes_per_second, 32 << 20, now)
        self.messages = Allowance(settings.messages_per_second, settings.messages_per_second * 10, now)
        self.cursors = Allowance(settings.awareness_per_second, settings.awareness_per_second * 2, now)
        self.reports = Allowance(1 / 60, 5, now)
        self.sending_since: float | None = None
        """Since when it has been reading one frame."""
        self._gone = anyio.Event()
        self.goodbye: Goodbye | None = None

    def may(self, action: Action) -> bool:
        """Whether this tab's user may do this now."""
        return may(self.role, action)

    def send(self, message: dict[str, Any]) -> None:
        """Put a message in the outbox; never waits."""
        self.outbox.put(text_frame(message))

    def close(self, code: int, reason: str) -> None:
        """Let it go; the first reason counts."""
        if self.goodbye is None:
            self.goodbye = Goodbye(code, reason)
            self._gone.set()

    async def closed(self) -> Goodbye:
        """Wait until it is to be let go."""
        await self._gone.wait()
        assert self.goodbye is not None
        return self.goodbye

    def require(self, action: Action) -> None:
        """Raises Goodbye if this tab's user may not do this."""
        if not self.may(action):
            raise Goodbye(FORBIDDEN, f"Your role here is {self.role}: you may not {action}.")


class OwnIds:
    """The client ids that a tab may write under: its own, those it claimed, and those its user had before."""

    __slots__ = ("_claimed", "_number", "_user", "_whose")

    def __init__(self, client: Client, *whose: Any) -> None:
        self._number = client.number
        self._claimed = client.claimed
        self._user = client.principal.user
        self._whose = whose

    def __contains__(self, number: object) -> bool:
        if number == self._number or number in self._claimed:
            return True
        return any(known.get(number) == self._user for known in self._whose)
