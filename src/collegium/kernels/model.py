"""What an agent says, parsed as a stranger's letter: bounded, typed, and nothing believed that was not checked."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FRAME_BYTES_MAX = 128 * 1024 * 1024
HEADER_BYTES_MIN = 4
TEXT_MAX = 1000
SEQ_MAX = 2**53
CHANNELS = frozenset({"iopub", "shell", "control", "stdin"})
KERNEL_STATES = frozenset({"starting", "idle", "busy", "restarting", "dead"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Malformed(Exception):
    """The agent does not speak the protocol: its runtime is not to be used any more."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the agent says first."""

    epoch: str
    seq: int
    oldest: int
    kernels: Mapping[str, str]
    """State by kernel id."""


@dataclass(frozen=True, slots=True)
class Message:
    """A journalled message of a kernel."""

    seq: int
    at: int
    kernel: str
    channel: str
    msg_type: str
    parent: str
    content: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    buffers: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class KernelChange:
    """A kernel process started, was restarted or died."""

    seq: int
    at: int
    kernel: str
    state: str
    code: int | None = None
    signal: int = 0
    asked: bool = False
    """It ended because it was told to."""
    peak_bytes: int | None = None
    """The most memory that the process had at once, if it ended."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    id: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The agent could not carry a frame out."""

    id: str
    code: str
    detail: str


Record = Message | KernelChange
Frame = Welcome | Message | KernelChange | Reply | Refusal


def parse(body: bytes) -> Frame:
    """One frame without its length. Raises Malformed."""
    header, rest = _split(body)
    try:
        match header["op"]:
            case "message":
                return _message(header, rest)
            case "kernel":
                return KernelChange(
                    seq=_seq(header["seq"]),
                    at=_whole(header["at"]),
                    kernel=_text(header["kernel"]),
                    state=_one_of(header["state"], KERNEL_STATES),
                    code=None if header.get("code") is None else _whole(header["code"]),
                    signal=_whole(header.get("signal", 0)),
                    asked=header.get("asked") is True,
                    peak_bytes=None if header.get("peak_bytes") is None else _whole(header["peak_bytes"]),
                )
            case "reply":
                return Reply(_text(header["id"]), _object(header["content"]))
            case "error":
                return Refusal(_text(header["id"]), _text(header["code"]), _text(header["detail"]))
            case "welcome":
                return _welcome(header)
            case op:
                raise Malformed(f"unknown op {str(op)[:40]!r}")
    except KeyError as error:
        raise Malformed(f"{error} is missing") from error


def parse_side(body: bytes) -> tuple[dict[str, Any], memoryview]:
    """A frame of a connection beside the journal: its header, which has an `op`, and what follows. Raises Malformed."""
    header, rest = _split(body)
    if not isinstance(header.get("op"), str):
        raise Malformed("a header without an op")
    return header, rest


def encode(header: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> bytes:
    """A whole frame, its length in front."""
    if buffers:
        header = {**header, "buffers": [len(buffer) for buffer in buffers]}
    text = json.dumps(header).encode()
    size = 4 + len(text) + sum(map(len, buffers))
    return b"".join((size.to_bytes(4, "big"), len(text).to_bytes(4, "big"), text, *buffers))


def _split(body: bytes) -> tuple[dict[str, Any], memoryview]:
    if len(body) < HEADER_BYTES_MIN:
        raise Malformed("a frame without a header")
    size = int.from_bytes(body[:4], "big")
    if size > len(body) - 4:
        raise Malformed("a header longer than its frame")
    text = body[4 : 4 + size]
    try:
        header = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise Malformed("a header that is no object")
    if _ESCAPED_SURROGATE.search(text):
        header = _without_surrogates(header, 0)
    return header, memoryview(body)[4 + size :]


def _no_constant(_name: str) -> None:
    """NaN and Infinity are not JSON, though Python writes them: browsers could not read them."""


def _without_surrogates(value: Any, depth: int) -> Any:
    if depth > 200:
        raise Malformed("nested too deeply")
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(item, depth + 1) for key, item in value.items()}
    return value


def _message(header: dict[str, Any], rest: memoryview) -> Message:
    buffers: list[bytes] = []
    lengths = header.get("buffers") or []
    if not isinstance(lengths, list) or len(lengths) > 10_000:
        raise Malformed("buffers are not a list of lengths")
    for length in lengths:
        size = _whole(length)
        if size < 0 or size > len(rest):
            raise Malformed("a buffer longer than its frame")
        buffers.append(bytes(rest[:size]))
        rest = rest[size:]
    return Message(
        seq=_seq(header["seq"]),
        at=_whole(header["at"]),
        kernel=_text(header["kernel"]),
        channel=_one_of(header["channel"], CHANNELS),
        msg_type=_text(header["msg_type"]),
        parent=_text(header["parent"]),
        content=_object(header["content"]),
        metadata=_object(header.get("metadata", {})),
        buffers=buffers,
    )


def _welcome(header: dict[str, Any]) -> Welcome:
    if header.get("protocol") != 1:
        raise Malformed("another protocol")
    listed = header["kernels"]
    if not isinstance(listed, list) or len(listed) > 100:
        raise Malformed("kernels are not a list")
    known = {_text(_object(item)["id"]): _one_of(item["state"], KERNEL_STATES) for item in listed}
    return Welcome(_text(header["epoch"]), _whole(header["seq"]), _whole(header["oldest"]), known)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise Malformed("not a short text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > SEQ_MAX:
        raise Malformed("not a whole number")
    return value


def _seq(value: object) -> int:
    seq = _whole(value)
    if seq < 1:
        raise Malformed("records are numbered from 1")
    return seq


def _one_of(value: object, allowed: frozenset[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise Malformed(f"none of {sorted(allowed)}")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("not an object")
    return value
