"""Frames of the engine's socket: a length, then JSON."""

import json
import struct
from typing import Any

FRAME_BYTES_MAX = 1 << 20
HEADER = struct.Struct(">I")


class BadFrame(Exception):
    """What arrived is not a frame; the connection ends."""


def encode(message: dict[str, Any]) -> bytes:
    """One message, framed."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def length(header: bytes) -> int:
    """How many bytes follow this header."""
    size: int = HEADER.unpack(header)[0]
    if not 0 < size <= FRAME_BYTES_MAX:
        raise BadFrame(f"a frame of {size} bytes")
    return size


def decode(body: bytes) -> dict[str, Any]:
    """The message of a frame."""
    try:
        message = json.loads(body)
    except ValueError as error:
        raise BadFrame("not JSON") from error
    if not isinstance(message, dict):
        raise BadFrame("not an object")
    return message
