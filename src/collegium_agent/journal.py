"""The journal: every record the agent has to tell, on disk before it is told, until the server keeps it too."""

import os
import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from collegium_agent.wire import U32

SEGMENT_BYTES = 8 * 1024 * 1024
HEAD_BYTES = 8
SUFFIX = ".journal"


@dataclass
class Segment:
    """One file of the journal; record `first + i` starts at `offsets[i]`."""

    first: int
    path: Path
    fd: int
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    size: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.offsets) - 1


class Journal:
    """Records numbered from 1. What was appended survives the end of this process, and a torn tail is cut away.

    A record on disk is `u32 length, u32 crc32, body`. Nothing is fsynced: the machine is as mortal as the runtime.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.epoch = self._read_epoch()
        self._segments = [self._recover(path) for path in sorted(folder.glob("*" + SUFFIX))]
        if not self._segments:
            self._segments = [self._new_segment(1)]
        self.stored = self.oldest - 1

    @property
    def head(self) -> int:
        """The newest record's number; 0 if there is none."""
        return self._segments[-1].last

    @property
    def oldest(self) -> int:
        """The number of the oldest record still here (or of the next one)."""
        return self._segments[0].first

    @property
    def waiting_bytes(self) -> int:
        """How much is here that the server does not keep yet."""
        total = 0
        for segment in self._segments:
            if segment.last > self.stored:
                skip = max(0, self.stored + 1 - segment.first)
                total += segment.size - (segment.offsets[skip] if skip < len(segment.offsets) else segment.size)
        return total

    def append(self, body: bytes) -> int:
        """Write the record that gets the next number, and return the number."""
        segment = self._segments[-1]
        if segment.size >= self._segment_bytes:
            segment = self._new_segment(segment.last + 1)
            self._segments.append(segment)
        head = U32.pack(len(body)) + U32.pack(zlib.crc32(body))
        written = os.writev(segment.fd, [head, body])
        while written < HEAD_BYTES + len(body):
            written += os.write(segment.fd, memoryview(head + body)[written:])
        segment.offsets.append(segment.size)
        segment.size += written
        return segment.last

    def read(self, first: int, bytes_max: int) -> tuple[bytes, int]:
        """Records from `first` on as frames ready to be sent (at least one), and the number of the last of them."""
        segment = next(s for s in self._segments if s.first <= first <= s.last)
        frames: list[bytes] = []
        size, number = 0, first
        while number <= segment.last and (not frames or size < bytes_max):
            start = segment.offsets[number - segment.first]
            end = segment.offsets[number + 1 - segment.first] if number < segment.last else segment.size
            data = os.pread(segment.fd, end - start, start)
            frames += (data[:4], data[HEAD_BYTES:])
            size += len(data)
            number += 1
        return b"".join(frames), number - 1

    def keep_from(self, stored: int) -> None:
        """The server keeps everything up to `stored`: files wholly below that go."""
        self.stored = max(self.stored, min(stored, self.head))
        while len(self._segments) > 1 and self._segments[0].last <= self.stored:
            segment = self._segments.pop(0)
            os.close(segment.fd)
            segment.path.unlink()

    def close(self) -> None:
        """Let the files go."""
        for segment in self._segments:
            os.close(segment.fd)

    def _read_epoch(self) -> str:
        path = self.folder / "epoch"
        if path.exists() and (epoch := path.read_text()):
            return epoch
        epoch = uuid4().hex
        path.write_text(epoch)
        return epoch

    def _new_segment(self, first: int) -> Segment:
        path = self.folder / f"{first:020d}{SUFFIX}"
        return Segment(first, path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))

    def _recover(self, path: Path) -> Segment:
        segment = self._new_segment(int(path.name.removesuffix(SUFFIX)))
        data = path.read_bytes()
        while segment.size + HEAD_BYTES <= len(data):
            length = U32.unpack_from(data, segment.size)[0]
            end = segment.size + HEAD_BYTES + length
            if (
                end > len(data)
                or zlib.crc32(data[segment.size + HEAD_BYTES : end]) != U32.unpack_from(data, segment.size + 4)[0]
            ):
                break
            segment.offsets.append(segment.size)
            segment.size = end
        os.ftruncate(segment.fd, segment.size)
        return segment
