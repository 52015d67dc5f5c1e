"""The file in which a notebook's widgets are written down: one record for each change, large contents once."""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from collegium.sessions.widget_model import New

HEAD_BYTES = 12
COMPACT_BYTES_MIN = 16 * 1024 * 1024
PIECE_BYTES = 1024 * 1024

Record = dict[str, Any]


class WidgetLog:
    """A record is `u32 length, u32 crc32, u32 bytes behind it, JSON, bytes`. Opening cuts a torn tail away.

    The bytes are large contents, in the order of the record's `new`: [[SHA-256, length] …].
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.dirty = False
        self._places: dict[str, tuple[int, int]] = {}
        self._fd: int | None = None

    def recover(self) -> Iterator[Record]:
        """Every whole record; what follows them is cut off."""
        if not self.path.exists():
            return
        fd = self._open()
        total = os.fstat(fd).st_size
        self.size = 0
        while len(head := os.pread(fd, HEAD_BYTES, self.size)) == HEAD_BYTES:
            length, crc, behind = (int.from_bytes(head[at : at + 4], "big") for at in (0, 4, 8))
            start = self.size + HEAD_BYTES
            if start + length + behind > total:
                break
            text = os.pread(fd, length, start)
            if len(text) != length or zlib.crc32(text) != crc:
                break
            record = json.loads(text)
            self._place(record.get("new", ()), start + length)
            self.size = start + length + behind
            yield record
        if total > self.size:
            os.ftruncate(fd, self.size)

    def append(self, record: Record, new: New) -> None:
        """Write a record, or nothing of it (OSError: no room). It survives this process at once, the machine after
        `sync`."""
        fresh = {sha256: content for sha256, content in new.items() if sha256 not in self._places}
        if fresh:
            record = {**record, "new": [[sha256, len(content)] for sha256, content in fresh.items()]}
        fd = self._open()
        text = json.dumps(record, separators=(",", ":")).encode()
        behind = sum(map(len, fresh.values()))
        head = b"".join(number.to_bytes(4, "big") for number in (len(text), zlib.crc32(text), behind))
        start = self.size
        try:
            for piece in (head + text, *fresh.values()):
                start = _write(fd, piece, start)
        except OSError:
            os.ftruncate(fd, self.size)
            raise
        self._place(record.get("new", ()), self.size + HEAD_BYTES + len(text))
        self.size, self.dirty = start, True

    def has(self, sha256: str) -> bool:
        """Whether this content is here."""
        return sha256 in self._places

    def read(self, sha256: str) -> bytes:
        """A large content. Raises KeyError. Called from a thread."""
        start, length = self._places[sha256]
        pieces = []
        fd = self._open()
        while length > 0:
            piece = os.pread(fd, min(length, PIECE_BYTES * 64), start)
            if not piece:
                raise KeyError(sha256)
            pieces.append(piece)
            start, length = start + len(piece), length - len(piece)
        return b"".join(pieces)

    def sync(self) -> None:
        """Everything written is on disk. Called from a thread."""
        if self._fd is not None and self.dirty:
            self.dirty = False
            os.fdatasync(self._fd)

    def rewrite(self, records: Iterable[tuple[Record, Iterable[str]]]) -> None:
        """Have these records and the contents they name, and nothing else. Called from a thread; nothing may be
        appended meanwhile."""
        part = WidgetLog(self.path.with_suffix(".part"))
        part.path.unlink(missing_ok=True)
        for record, needed in records:
            part.append(record, {sha256: self.read(sha256) for sha256 in needed if not part.has(sha256)})
        part.dirty = True
        if part._fd is None:
            part._open()
        part.sync()
        os.replace(part.path, self.path)
        self.close()
        self.size, self._places, self._fd, self.dirty = part.size, part._places, part._fd, False

    def close(self) -> None:
        """Let the file go."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> int:
        if self._fd is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd

    def _place(self, new: Iterable[tuple[str, int]], start: int) -> None:
        for sha256, length in new:
            self._places[sha256] = (start, length)
            start += length


def _write(fd: int, data: bytes, start: int) -> int:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, start)
        view, start = view[written:], start + written
    return start
