"""What an agent says is read as a stranger's letter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.kernels.model import KernelChange, Malformed, Message, Reply, Welcome, encode, parse

MESSAGE = {
    "op": "message",
    "seq": 1,
    "at": 5,
    "kernel": "k",
    "channel": "iopub",
    "msg_type": "stream",
    "parent": "e",
    "content": {"text": "x"},
    "buffers": [2],
}


def body(header: Any, rest: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(4, "big") + text + rest


def test_frames_are_read() -> None:
    message = parse(body(MESSAGE, b"ab"))
    assert isinstance(message, Message)
    assert (message.seq, message.content, list(message.buffers)) == (1, {"text": "x"}, [b"ab"])
    assert isinstance(parse(body({"op": "reply", "id": "q", "content": {}})), Reply)
    change = {"op": "kernel", "seq": 2, "at": 1, "kernel": "k", "state": "dead", "code": None, "signal": 9}
    assert parse(body(change)) == KernelChange(2, 1, "k", "dead", None, 9)
    welcome = {"op": "welcome", "protocol": 1, "epoch": "e", "seq": 0, "oldest": 1, "kernels": []}
    assert parse(encode(welcome)[4:]) == Welcome("e", 0, 1, {})


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\0\0",
        (99).to_bytes(4, "big") + b"{}",
        body(b"not json"),
        body(b"[" * 100_000),
        body([1]),
        body({"op": "dance"}),
        body({}),
        body({**MESSAGE, "seq": 0}, b"ab"),
        body({**MESSAGE, "seq": True}, b"ab"),
        body({**MESSAGE, "seq": 2**60}, b"ab"),
        body({**MESSAGE, "content": []}, b"ab"),
        body({**MESSAGE, "channel": "phone"}, b"ab"),
        body({**MESSAGE, "msg_type": "x" * 5000}, b"ab"),
        body({**MESSAGE, "buffers": [3]}, b"ab"),
        body({**MESSAGE, "buffers": [-1]}, b"ab"),
        body({**MESSAGE, "buffers": "ab"}, b"ab"),
        body({"op": "welcome", "protocol": 2, "epoch": "e", "seq": 0, "oldest": 1, "kernels": []}),
    ],
)
def test_what_is_no_frame_is_refused(broken: bytes) -> None:
    with pytest.raises(Malformed):
        parse(broken)


def test_what_browsers_cannot_read_is_mended() -> None:
    raw = b'{"op": "reply", "id": "q", "content": {"a": NaN, "b": [Infinity], "c\\ud800": "\\udfff\\ud83d\\ude00"}}'
    reply = parse(body(raw))

    assert isinstance(reply, Reply)
    assert reply.content == {"a": None, "b": [None], "c\ufffd": "\ufffd😀"}


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for frame in (data, body(data)):
        try:
            parse(frame)
        except Malformed:
            continue
