"""Segments: the events of one execution in one append-only file, each with its length and checksum."""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from collegium.sessions.folding import Event

HEAD_BYTES = 8
READ_BYTES = 1024 * 1024


class Segment:
    """A record is `u32 length, u32 crc32, JSON`. Opening cuts a torn tail away. `last_seq` makes replay harmless."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self.path = path
        self.last_seq = 0
        self.size = 0
        self.dirty = False
        self.full = False
        self._bytes_max = bytes_max
        self._fd: int | None = None

    def recover(self) -> list[Event]:
        """Every whole event there is; what follows them is cut off."""
        if not self.path.exists():
            return []
        events = []
        for event, end in read(self.path):
            events.append(event)
            self.size = end
            self.last_seq = max(self.last_seq, int(event["seq"]))
            self.full = self.full or event["kind"] == "full"
        if self.path.stat().st_size > self.size:
            os.truncate(self.path, self.size)
        return events

    def append(self, event: Event) -> None:
        """Write an event, or nothing of it (OSError: no room).

        It survives the end of this process at once, and of the machine after `sync`. Beyond the limit, stream text is
        no longer kept; everything else still is.
        """
        if self.size > self._bytes_max and event["kind"] == "stream":
            if self.full:
                self.last_seq = max(self.last_seq, int(event["seq"]))
                return
            self.full, event = True, {"seq": event["seq"], "kind": "full"}
        if self._fd is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        data = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, memoryview(data)[written:])
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += written
        self.last_seq = max(self.last_seq, int(event["seq"]))
        self.dirty = True

    def sync(self) -> None:
        """Everything written is on disk. Called from a thread."""
        if self._fd is not None:
            self.dirty = False
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Let the file go."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def read(path: Path) -> Iterator[tuple[Event, int]]:
    """Each whole event and where it ends; stops at the first that is torn or damaged."""
    with path.open("rb") as file:
        end = 0
        while len(head := file.read(HEAD_BYTES)) == HEAD_BYTES:
            body = file.read(int.from_bytes(head[:4], "big"))
            if len(body) != int.from_bytes(head[:4], "big") or zlib.crc32(body) != int.from_bytes(head[4:], "big"):
                return
            end += HEAD_BYTES + len(body)
            yield json.loads(body), end


def log_text(path: Path) -> Iterator[str]:
    """Everything that was printed, as it was printed, and the plain text of what was displayed."""
    for event, _ in read(path) if path.exists() else ():
        if event["kind"] == "stream":
            yield event["text"]
        elif event["kind"] == "output":
            output = event["output"]
            if output["output_type"] == "error":
                yield "\n".join(output["traceback"]) + "\n"
            elif isinstance(text := output["data"].get("text/plain"), str):
                yield text + "\n"
        elif event["kind"] == "full":
            yield "\n[the rest was not kept]\n"
