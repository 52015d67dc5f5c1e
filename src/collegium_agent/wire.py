"""How frames to the server and messages to kernels look on the wire; contents pass through as raw JSON, unparsed."""

import hashlib
import hmac
import json
import struct
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FRAME_BYTES_MAX = 128 * 1024 * 1024
REQUEST_BYTES_MAX = 32 * 1024 * 1024
"""What the server may ask in one frame."""

BUFFERS_MAX = 10_000

DELIMITER = b"<IDS|MSG>"
U32 = struct.Struct(">I")


class Malformed(ValueError):
    """What arrived is not what the protocol says."""


def frame(header: bytes, buffers: Sequence[bytes | memoryview] = ()) -> bytes:
    """The body of a frame: header length, header, buffers. The frame's own length goes in front when it is sent."""
    return b"".join((U32.pack(len(header)), header, *buffers))


def encode(header: dict[str, Any]) -> bytes:
    """A header without buffers, as the body of a frame."""
    return frame(json.dumps(header).encode())


def buffers_of(body: bytes, lengths: object) -> list[bytes]:
    """What follows a frame's header, cut into buffers of these lengths. Raises Malformed."""
    if not isinstance(lengths, list) or len(lengths) > BUFFERS_MAX:
        raise Malformed("buffers are not a list of lengths")
    place, buffers = 4 + U32.unpack_from(body)[0], []
    for length in lengths:
        if not isinstance(length, int) or length < 0 or place + length > len(body):
            raise Malformed("a buffer longer than its frame")
        buffers.append(body[place : place + length])
        place += length
    return buffers


def decode(body: bytes) -> dict[str, Any]:
    """The header of a frame that the server sent. Raises Malformed."""
    if len(body) < 4:
        raise Malformed("a frame without a header")
    size = U32.unpack_from(body)[0]
    if size > len(body) - 4:
        raise Malformed("the header is longer than the frame")
    try:
        header = json.loads(body[4 : 4 + size])
    except (ValueError, RecursionError) as error:
        raise Malformed("the header is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("op"), str):
        raise Malformed("the header is not an object with an op")
    return header


@dataclass(frozen=True, slots=True)
class KernelMessage:
    """One message from a kernel. `content` and `metadata` are the JSON text as the kernel wrote it."""

    msg_type: str
    msg_id: str
    parent: str
    content: bytes
    metadata: bytes
    buffers: Sequence[bytes]
    header: bytes = b"{}"
    above: bytes = b"{}"
    asker: str = ""
    """The session of who asked for it."""

    @property
    def parts(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Header, parent header, metadata and content, as the kernel wrote them."""
        return self.header, self.above, self.metadata, self.content


class Signer:
    """Writes and reads Jupyter's messages (protocol 5) for one kernel."""

    def __init__(self, key: str, session: str) -> None:
        self._key = key.encode()
        self.session = session

    def sign(self, parts: Sequence[bytes]) -> bytes:
        """The signature over header, parent, metadata and content."""
        mac = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            mac.update(part)
        return mac.hexdigest().encode()

    def request(
        self,
        msg_type: str,
        content: Any,
        *,
        msg_id: str | None = None,
        parent: str | None = None,
        metadata: Any = None,
        buffers: Sequence[bytes] = (),
    ) -> list[bytes]:
        """The frames of a request."""
        header = self._header(msg_type, msg_id or uuid.uuid4().hex)
        parent_header = {} if parent is None else self._header("execute_request", parent)
        parts = [json.dumps(part).encode() for part in (header, parent_header, metadata or {}, content)]
        return [DELIMITER, self.sign(parts), *parts, *buffers]

    def signed(self, parts: Sequence[bytes]) -> list[bytes]:
        """The frames of a message that somebody else wrote: four parts, and buffers."""
        return [DELIMITER, self.sign(parts[:4]), *parts]

    def _header(self, msg_type: str, msg_id: str) -> dict[str, Any]:
        return {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "username": "",
            "session": self.session,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "version": "5.3",
        }

    def message(self, frames: Sequence[bytes]) -> KernelMessage:
        """What a kernel sent. Raises Malformed if it is no message or not signed with this kernel's key."""
        try:
            start = list(frames).index(DELIMITER) + 1
            signature, header, parent, metadata, content = frames[start : start + 5]
            if not hmac.compare_digest(signature, self.sign((header, parent, metadata, content))):
                raise Malformed("a message with a wrong signature")
            head, above = json.loads(header), json.loads(parent)
            return KernelMessage(
                msg_type=str(head["msg_type"])[:100],
                msg_id=str(head["msg_id"])[:200],
                parent=str(above.get("msg_id", ""))[:200],
                content=content,
                metadata=metadata,
                buffers=frames[start + 5 :],
                header=header,
                above=parent,
                asker=str(above.get("session", ""))[:200],
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise Malformed("not a Jupyter message") from error
