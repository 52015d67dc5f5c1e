"""What is said in a room: frames, presence, and how fast anyone may speak."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from collegium.accounts.model import ALLOWED, Principal, Role, color_of
from collegium.ground.lib0 import read_uint, uint

PROTOCOL = 1
FRAME_BYTES_MAX = 4 << 20
CLAIMS_MAX = 1_000
AWARENESS_BYTES_MAX = 4 << 10
UPDATE, AWARENESS, RESYNC = b"\x01", b"\x02", b"\x03"
UINT32_MAX = (1 << 32) - 1

MALFORMED, SIGNED_OUT, FORBIDDEN, MISSING, REFUSED, OUTDATED, TOO_FAST = 4400, 4401, 4403, 4404, 4409, 4426, 4429
TOO_BIG, RESTARTING, TOO_SLOW = 1009, 1012, 4408


class Goodbye(Exception):
    """This client is let go, with a close code and a reason for the person."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Hello:
    """How a tab introduces itself."""

    client: int
    epoch: str | None
    state_vector: bytes | None


def parsed_hello(message: dict[str, Any], *, client_max: int) -> Hello:
    """The first frame of a tab. Raises Goodbye."""
    protocol, client = message.get("protocol"), message.get("client")
    if message["type"] != "hello":
        raise Goodbye(MALFORMED, "The first frame must be a hello.")
    if protocol != PROTOCOL:
        raise Goodbye(OUTDATED, f"This server speaks protocol {PROTOCOL}. Reload the page.")
    if not isinstance(client, int) or isinstance(client, bool) or not 0 < client < client_max:
        raise Goodbye(MALFORMED, "This is no client id.")
    epoch, vector = message.get("epoch"), message.get("state_vector")
    if not isinstance(epoch, str | None) or not isinstance(vector, str | None):
        raise Goodbye(MALFORMED, "The hello is malformed.")
    try:
        decoded = None if vector is None else base64.b64decode(vector, validate=True)
    except (binascii.Error, ValueError):
        raise Goodbye(MALFORMED, "The state vector is not base64.") from None
    return Hello(client, epoch, decoded)


def parsed_claim(message: dict[str, Any], *, client_max: int) -> frozenset[int]:
    """The client ids of closed tabs in whose name a tab is going to write. Raises Goodbye."""
    clients = message.get("clients")
    if not isinstance(clients, list) or len(clients) > CLAIMS_MAX:
        raise Goodbye(MALFORMED, f"A claim is a list of at most {CLAIMS_MAX} client ids.")
    if any(type(client) is not int or not 0 < client < client_max for client in clients):
        raise Goodbye(MALFORMED, "This is no client id.")
    return frozenset(clients)


def parsed_message(text: str) -> dict[str, Any]:
    """A text frame: a JSON object with a type. Raises Goodbye."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Goodbye(MALFORMED, "A text frame must be JSON.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Goodbye(MALFORMED, "A text frame must be an object with a type.")
    return message


def allowed_actions(role: Role) -> list[str]:
    """What this role may do, as the page is told."""
    return sorted(ALLOWED[role])


def person(principal: Principal) -> dict[str, str]:
    """How others see who is here."""
    return {"id": principal.user, "name": principal.name, "color": color_of(principal.user)}


@dataclass(frozen=True, slots=True)
class Presence:
    """One tab's awareness state: its clock, and its state as JSON ("null": gone)."""

    client: int
    clock: int
    state: str

    def encoded(self) -> bytes:
        """One entry of an awareness update."""
        state = self.state.encode()
        return uint(self.client) + uint(self.clock) + uint(len(state)) + state


def parsed_awareness(data: bytes, principal: Principal, client: int) -> Presence:
    """A tab's own state, with who is signed in written into it. Raises Goodbye for anything else."""
    if len(data) > AWARENESS_BYTES_MAX:
        raise Goodbye(TOO_FAST, "An awareness state is too large.")
    try:
        count, at = read_uint(data, 0)
        whose, at = read_uint(data, at)
        clock, at = read_uint(data, at)
        size, at = read_uint(data, at)
        state = json.loads(data[at : at + size].decode())
    except (IndexError, ValueError, RecursionError):
        raise Goodbye(MALFORMED, "An awareness frame is malformed.") from None
    if count != 1 or at + size != len(data) or clock > UINT32_MAX or not isinstance(state, dict | None):
        raise Goodbye(MALFORMED, "An awareness frame is malformed.")
    if whose != client:
        raise Goodbye(FORBIDDEN, "A tab may speak only for itself.")
    stamped = None if state is None else state | {"user": person(principal)}
    try:
        return Presence(client, clock, json.dumps(stamped, ensure_ascii=True, separators=(",", ":")))
    except RecursionError:
        raise Goodbye(MALFORMED, "An awareness frame is malformed.") from None


def awareness_frame(presences: list[Presence]) -> bytes:
    """The frame that tells of these."""
    return AWARENESS + uint(len(presences)) + b"".join(presence.encoded() for presence in presences)


def update_frame(seq: int, update: bytes) -> bytes:
    """Somebody's edit, committed as of `seq`."""
    return UPDATE + seq.to_bytes(8, "big") + update


def text_frame(message: dict[str, Any]) -> str:
    """A message as it goes over the wire."""
    return json.dumps(message, separators=(",", ":"))


class Allowance:
    """So many per second on average, with a reserve for a burst."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float, amount: float = 1) -> bool:
        """Whether this much may pass now."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True
