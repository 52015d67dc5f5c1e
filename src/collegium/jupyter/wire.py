"""Messages of kernels on a WebSocket, in both of Jupyter's layouts: `v1.kernel.websocket.jupyter.org`, and JSON."""

import json
import struct
from itertools import pairwise
from typing import Any

from collegium.kernels.channels import JupyterMessage

V1 = "v1.kernel.websocket.jupyter.org"
OFFSETS_MAX = 1000
U32 = struct.Struct(">I")

Wanted = tuple[str, list[bytes]]
"""A channel, and header, parent header, metadata, content and buffers."""


class Malformed(Exception):
    """A client's frame cannot be read."""


def packed_v1(message: JupyterMessage) -> bytes:
    """How many offsets follow and the offsets (u64, little endian); then the channel and the parts they delimit."""
    parts = (message.channel.encode(), *message.parts)
    place = 8 * (len(parts) + 2)
    offsets = [place]
    for part in parts:
        place += len(part)
        offsets.append(place)
    return b"".join((struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *parts))


def unpacked_v1(frame: bytes) -> Wanted:
    """What a client sent. Raises Malformed."""
    if len(frame) < 8:
        raise Malformed("a frame without offsets")
    (count,) = struct.unpack_from("<Q", frame)
    if not 6 <= count <= OFFSETS_MAX or 8 * (count + 1) > len(frame):
        raise Malformed("too few or too many offsets")
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    if offsets[0] < 8 * (count + 1) or offsets[-1] > len(frame) or list(offsets) != sorted(offsets):
        raise Malformed("offsets that lead nowhere")
    channel, *parts = [frame[start:end] for start, end in pairwise(offsets)]
    try:
        return channel.decode(), parts
    except UnicodeDecodeError as error:
        raise Malformed("a channel that is no text") from error


def packed_json(message: JupyterMessage) -> str | bytes:
    """One JSON object; with buffers, their count and offsets (u32, big endian), the object and the buffers.

    Raises ValueError if the kernel's own JSON is none.
    """
    header = _read(message.header)
    whole = {
        "header": header,
        "msg_id": message.msg_id,
        "msg_type": message.msg_type,
        "parent_header": _read(message.above),
        "metadata": _read(message.metadata),
        "content": _read(message.content),
        "buffers": [],
        "channel": message.channel,
    }
    if not message.buffers:
        return json.dumps(whole)
    del whole["buffers"]
    parts = (json.dumps(whole).encode(), *message.buffers)
    place = 4 * (len(parts) + 1)
    offsets = []
    for part in parts:
        offsets.append(place)
        place += len(part)
    return b"".join((struct.pack(f">{len(parts) + 1}I", len(parts), *offsets), *parts))


def unpacked_json(frame: str | bytes) -> Wanted:
    """What a client sent. Raises Malformed."""
    text, buffers = (frame, list[bytes]()) if isinstance(frame, str) else _split(frame)
    try:
        whole = json.loads(text)
        if not isinstance(whole, dict):
            raise Malformed("a message that is no object")
        parts = [
            json.dumps(_object(whole.get(key))).encode() for key in ("header", "parent_header", "metadata", "content")
        ]
    except (ValueError, RecursionError) as error:
        raise Malformed("a message that is not JSON") from error
    channel = whole.get("channel", "shell")
    if not isinstance(channel, str):
        raise Malformed("a channel that is no text")
    return channel, [*parts, *buffers]


def _split(frame: bytes) -> tuple[bytes, list[bytes]]:
    if len(frame) < 8:
        raise Malformed("a frame without offsets")
    (count,) = U32.unpack_from(frame)
    if not 1 <= count <= OFFSETS_MAX or 4 * (count + 1) > len(frame):
        raise Malformed("too few or too many offsets")
    offsets = [*struct.unpack_from(f">{count}I", frame, 4), len(frame)]
    if offsets[0] < 4 * (count + 1) or offsets != sorted(offsets):
        raise Malformed("offsets that lead nowhere")
    text, *buffers = [frame[start:end] for start, end in pairwise(offsets)]
    return text, buffers


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("a part that is no object")
    return value


def _read(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(_name: str) -> None:
    """NaN and Infinity are not JSON, though Python writes them: browsers could not read them."""
