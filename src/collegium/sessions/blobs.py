"""Large values leave the outputs and come back unchanged: the rules between a MIME value and the bytes of a blob."""

import base64
import binascii
import hashlib
import json
from typing import Any

from collegium.sessions.folding import Output
from collegium.sessions.ports import Blobs

INLINE_BYTES_MAX = 64 * 1024
BLOB = "$blob"
Found = dict[str, tuple[str, int]]
"""MIME type and size by SHA-256."""

SAFE_MIMES = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/svg+xml",
        "image/bmp",
        "image/avif",
        "audio/mpeg",
        "audio/wav",
        "audio/x-wav",
        "audio/ogg",
        "audio/flac",
        "audio/mp4",
        "audio/webm",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "application/pdf",
        "application/json",
    }
)
"""Served as what they are; anything else is served as plain text or as a download."""


async def without_large(output: Output, blobs: Blobs, found: Found) -> Output:
    """The same output with every value over the limit put away."""
    if not isinstance(output.get("data"), dict):
        return output
    data = {}
    for mime, value in output["data"].items():
        data[mime] = await _put(mime, value, blobs, found) if _large(value) else value
    return {**output, "data": data}


async def with_large(output: Output, blobs: Blobs) -> Output:
    """The other way; what the server and the page added to the output goes."""
    plain = {key: value for key, value in output.items() if key not in ("omitted", "$display")}
    if isinstance(plain.get("data"), dict):
        plain["data"] = {mime: await _get(value, blobs) for mime, value in plain["data"].items()}
    return plain


def plain_output(output: Output) -> Output:
    """The output as the page sees it, its large values only named."""
    return {key: value for key, value in output.items() if key != "$display"}


def is_reference(value: object) -> bool:
    """Whether this stands for a blob."""
    return isinstance(value, dict) and isinstance(value.get(BLOB), str)


def _large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > INLINE_BYTES_MAX
    if isinstance(value, (dict, list)):
        return is_reference(value) or len(json.dumps(value)) > INLINE_BYTES_MAX
    return False


async def _put(mime: str, value: Any, blobs: Blobs, found: Found) -> dict[str, Any]:
    content, form = _bytes(mime, value)
    # Noted before it is kept: whoever deletes a notebook with the same output sees that this one wants it.
    found[hashlib.sha256(content).hexdigest()] = (mime, len(content))
    sha256, size = await blobs.put(content)
    return {BLOB: sha256, "size": size, "mime": mime, "form": form}


def _bytes(mime: str, value: Any) -> tuple[bytes, str]:
    """The bytes to keep, and the form they came in, so that exactly that form comes back."""
    if not isinstance(value, str):
        return json.dumps(value).encode(), "json"
    if mime.split("/")[0] in ("image", "audio", "video") or mime == "application/pdf":
        try:
            content = base64.b64decode(value)
        except (binascii.Error, ValueError):
            content = b""
        for form in ("base64", "base64n", "base64w"):
            if content and _text(content, form) == value:
                return content, form
    return value.encode("utf-8", "replace"), "text"


def _text(content: bytes, form: str) -> Any:
    match form:
        case "json":
            return json.loads(content)
        case "base64":
            return base64.b64encode(content).decode()
        case "base64n":
            return base64.b64encode(content).decode() + "\n"
        case "base64w":
            return base64.encodebytes(content).decode()
        case _:
            return content.decode("utf-8", "replace")


async def _get(value: Any, blobs: Blobs) -> Any:
    if not is_reference(value):
        return value
    return _text(await blobs.read(value[BLOB]), str(value.get("form", "text")))
