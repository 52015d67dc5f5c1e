"""Files inside a runtime, through its agent: no path of a runtime is ever opened by the server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from collegium.ground.errors import Invalid, Unavailable
from collegium.kernels.ports import Road
from collegium.kernels.side import READ_BYTES, Side, ask, beside, broken_is_unavailable

ENTRIES_MAX = 10_000
PATH_BYTES_MAX = 4096
NAME_LENGTH_MAX = 1024
SIZE_MAX = 2**53
PIECE_BYTES = 256 * 1024

Kind = Literal["file", "directory", "link", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory. `kind` and `size` of a link are those of what it leads to, if that is there."""

    name: str
    kind: Kind
    size: int
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Directory:
    """What is in a directory, by name; `truncated`: there is more."""

    path: str
    entries: list[Entry]
    truncated: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file's size, when it was changed, and a tag that changes with it."""

    size: int
    modified_ms: int
    tag: str


@dataclass(frozen=True, slots=True)
class Received:
    """How much of an upload has arrived; `total` is what was announced, None when there is no upload."""

    received: int
    total: int | None


class OpenFile:
    """A file that is being read."""

    def __init__(self, side: Side, file: File) -> None:
        self._side = side
        self.file = file

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes of a part, in order. Raises Unavailable if the file became shorter meanwhile."""
        with broken_is_unavailable():
            await self._side.send_frame({"op": "send", "offset": start, "length": stop - start})
        left = stop - start
        while left:
            with broken_is_unavailable():
                piece = await self._side.receive(min(left, READ_BYTES))
            left -= len(piece)
            yield piece


class FilesClient:
    """The files of one runtime. Errors are NotFound, Conflict, Forbidden, Invalid, StorageFull and Unavailable."""

    def __init__(self, road: Road) -> None:
        self._road = road

    async def list(self, path: str) -> Directory:
        """A directory."""
        found = await ask(self._road, {"op": "files_list", "path": parsed_path(path)})
        entries = found.get("entries")
        if not isinstance(entries, list) or len(entries) > ENTRIES_MAX:
            raise Unavailable("The runtime's list of files is malformed.")
        return Directory(path, [_entry(entry) for entry in entries], found.get("truncated") is True)

    async def stat(self, path: str) -> Entry:
        """One file or directory."""
        return _entry(await ask(self._road, {"op": "files_stat", "path": parsed_path(path)}))

    async def create(self, path: str, kind: Literal["file", "directory"]) -> None:
        """An empty file or a directory. Raises Conflict if there is one."""
        await ask(self._road, {"op": "files_create", "path": parsed_path(path), "kind": kind})

    async def rename(self, path: str, to: str) -> None:
        """Rename or move. Raises Conflict if there is something already."""
        await ask(self._road, {"op": "files_rename", "path": parsed_path(path), "to": parsed_path(to)})

    async def delete(self, path: str) -> None:
        """A file, or a directory with all that is in it; a link itself, not what it leads to."""
        await ask(self._road, {"op": "files_delete", "path": parsed_path(path)})

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[OpenFile]:
        """A file, to be read."""
        async with beside(self._road, {"read": parsed_path(path)}) as side:
            header, _ = await side.frame()
            yield OpenFile(side, parsed_file(header))

    async def write(self, path: str, pieces: AsyncIterator[bytes], *, tag: str | None = None) -> File:
        """A whole file, in one step. Raises Conflict if `tag` is not that of the file that is there."""
        return parsed_file(await self._send(pieces, {"write": parsed_path(path), "tag": tag}))

    async def upload(
        self, path: str, pieces: AsyncIterator[bytes], *, offset: int, total: int, mark: str = ""
    ) -> Received:
        """Continue an upload; with the last piece the file is there. Raises Conflict, with `received`, at a gap."""
        purpose = {"write": parsed_path(path), "offset": offset, "total": total, "mark": mark}
        return _received(await self._send(pieces, purpose))

    async def received(self, path: str, *, total: int | None = None, mark: str = "") -> Received:
        """How far an upload has come."""
        question = {"op": "files_received", "path": parsed_path(path), "total": total, "mark": mark}
        return _received(await ask(self._road, question))

    async def _send(self, pieces: AsyncIterator[bytes], purpose: Mapping[str, Any]) -> dict[str, Any]:
        async with beside(self._road, purpose) as side:
            await side.frame()
            async for piece in pieces:
                for start in range(0, len(piece), PIECE_BYTES):
                    await side.send_frame({"op": "piece"}, piece[start : start + PIECE_BYTES])
            await side.send_frame({"op": "done"})
            header, _ = await side.frame()
        content = header.get("content")
        return content if isinstance(content, dict) else {}


def parsed_path(path: str) -> str:
    """A path that can be one. Raises Invalid."""
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise Invalid("The path is not text.") from None
    if not path.startswith("/") or "\0" in path or size > PATH_BYTES_MAX:
        raise Invalid("A path begins with a slash, and has at most 4096 bytes and no zero byte.")
    return path


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -SIZE_MAX <= value <= SIZE_MAX:
        raise Unavailable("The runtime's answer is malformed.")
    return value


def _entry(value: object) -> Entry:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise Unavailable("The runtime's answer is malformed.")
    kind = value.get("kind")
    known = cast(Kind, kind) if kind in get_args(Kind) else "other"
    name = value["name"][:NAME_LENGTH_MAX]
    return Entry(name, known, max(0, _whole(value.get("size"))), _whole(value.get("modified_ms")))


def parsed_file(value: Mapping[str, Any]) -> File:
    """What the agent says of a file. Raises Unavailable."""
    tag = value.get("tag")
    if not isinstance(tag, str) or not tag.replace("-", "").isalnum() or not tag.isascii() or len(tag) > 64:
        raise Unavailable("The runtime's answer is malformed.")
    return File(max(0, _whole(value.get("size"))), _whole(value.get("modified_ms")), tag)


def _received(value: Mapping[str, Any]) -> Received:
    total = value.get("total")
    return Received(max(0, _whole(value.get("received"))), None if total is None else max(0, _whole(total)))
