"""Files of the runtime, as its user: listed, read in pieces, and written so that they appear in one step."""

import asyncio
import contextlib
import os
import re
import shutil
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from secrets import token_hex
from typing import Any, TypeVar

from collegium_agent.side import Refused, Side, refusal
from collegium_agent.wire import Malformed

ENTRIES_MAX = 10_000
NAMES_READ_MAX = 200_000
"""Of a directory with more names than this, not even the first in order are known."""

PATH_BYTES_MAX = 4096
PIECE_BYTES = 256 * 1024
UPLOAD = ".collegium-upload"
PART = ".collegium-part"
AT_ONCE_MAX = 8
KEPT = frozenset({"/", "/content"})

Result = TypeVar("Result")


class Files:
    """What people do with files by hand. The paths are whatever the runtime makes of them."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._writing: set[str] = set()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """A question about files. Raises Refused, and KeyError or TypeError if it is none."""
        path = parsed(request["path"])
        match request["op"]:
            case "files_list":
                return await self._done(listed, path)
            case "files_stat":
                return await self._done(described, path)
            case "files_create":
                return await self._done(created, path, request["kind"])
            case "files_rename":
                to = parsed(request["to"])
                return await self._done(renamed, path, to)
            case "files_delete":
                return await self._done(deleted, path)
            case "files_received":
                total = request.get("total")
                return await self._done(received, path, total, str(request.get("mark") or ""))
            case op:
                raise Malformed(f"no such op: {op[:40]}")

    async def read(self, side: Side, path: str) -> None:
        """Say what a file is, then send the parts that are asked for."""
        file = await self._done(opened, parsed(path))
        try:
            await side.send({"op": "opened", **_facts(os.fstat(file))})
            while True:
                request, _ = await side.read()
                if request["op"] != "send":
                    raise Malformed("only parts of the file can be sent")
                offset, left = int(request["offset"]), int(request["length"])
                while left > 0:
                    piece = await self._done(os.pread, file, min(left, PIECE_BYTES), offset)
                    if not piece:
                        return  # it became shorter: hanging up says so
                    await side.send_bytes(piece)
                    offset, left = offset + len(piece), left - len(piece)
        finally:
            os.close(file)

    async def write(self, side: Side, purpose: dict[str, Any]) -> None:
        """Take the pieces of a file, or of the next part of an upload."""
        path = parsed(purpose["write"])
        if "offset" in purpose:
            wanted = (int(purpose["offset"]), int(purpose["total"]), str(purpose.get("mark") or ""))
            target: Upload | Whole = await self._done(Upload.begin, path, *wanted)
        else:
            tag = purpose.get("tag")
            target = await self._done(Whole.begin, path, None if tag is None else str(tag))
        if target.part in self._writing:
            os.close(target.file)
            raise Refused("conflict", "The same is being uploaded already.")
        self._writing.add(target.part)
        try:
            await side.send({"op": "opened"})
            await self._take(side, target)
            content = await self._done(target.end)
            await side.send({"op": "reply", "id": "", "content": content})
        finally:
            self._writing.discard(target.part)
            await asyncio.shield(asyncio.to_thread(target.close))

    async def _take(self, side: Side, target: "Upload | Whole") -> None:
        """Take all that comes, also what is no longer wanted: the other side hears why once it is done."""
        why_not: Refused | None = None
        while True:
            request, data = await side.read()
            if request["op"] == "done":
                break
            if request["op"] != "piece":
                raise Malformed("pieces, then done")
            if why_not is None:
                try:
                    await self._done(target.append, data)
                except Refused as error:
                    why_not = error
        if why_not is not None:
            raise why_not

    async def _done(self, work: Callable[..., Result], *args: Any) -> Result:
        async with self._turns:
            try:
                return await asyncio.to_thread(work, *args)
            except OSError as error:
                raise refusal(error) from error
            except (UnicodeError, shutil.Error) as error:
                raise Refused("refused", str(error)[:300]) from error


def parsed(path: object) -> str:
    """A path that the system may be asked for. Raises Refused."""
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise Refused("invalid", "A path begins with a slash, and has no zero byte.")
    try:
        if len(os.fsencode(path)) > PATH_BYTES_MAX:
            raise Refused("invalid", "The path is too long.")
    except UnicodeEncodeError as error:
        raise Refused("invalid", "The path is not text.") from error
    return path


def listed(path: str) -> dict[str, Any]:
    """What is in a directory, by name."""
    with os.scandir(path) as found:
        names = [entry.name for entry in islice(found, NAMES_READ_MAX + 1)]
    names.sort()
    entries = [_entry(path, name) for name in names[:ENTRIES_MAX]]
    return {"entries": [one for one in entries if one is not None], "truncated": len(names) > ENTRIES_MAX}


def _entry(folder: str, name: str) -> dict[str, Any] | None:
    try:
        return described(os.path.join(folder, name))
    except OSError:
        return None  # it went away while we looked


def described(path: str) -> dict[str, Any]:
    """One entry; a link is what it leads to, and a link only where that is nothing."""
    name = os.path.basename(path.rstrip("/")) or "/"
    try:
        found = os.stat(path)
    except OSError:
        found = os.lstat(path)
    return {"name": name, "kind": _kind(found.st_mode), "size": found.st_size, "modified_ms": _ms(found)}


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def _ms(found: os.stat_result) -> int:
    return found.st_mtime_ns // 1_000_000


def _facts(found: os.stat_result) -> dict[str, Any]:
    return {"size": found.st_size, "modified_ms": _ms(found), "tag": _tag(found)}


def _tag(found: os.stat_result) -> str:
    return f"{found.st_size:x}-{max(0, found.st_mtime_ns):x}"


def created(path: str, kind: object) -> dict[str, Any]:
    """An empty file, or a directory."""
    if kind == "directory":
        os.mkdir(path)
    elif kind == "file":
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    else:
        raise Refused("invalid", "A file, or a directory.")
    return {}


def renamed(path: str, to: str) -> dict[str, Any]:
    """Moved, also to another disk; never over something."""
    os.lstat(path)
    if os.path.normpath(path) in KEPT:
        raise Refused("forbidden", "This directory stays.")
    if os.path.lexists(to):
        raise Refused("exists", "There is one of that name already.")
    shutil.move(path.rstrip("/"), to.rstrip("/"))
    return {}


def deleted(path: str) -> dict[str, Any]:
    """Gone, with all that is in it; of a link, the link."""
    if os.path.normpath(path) in KEPT:
        raise Refused("forbidden", "This directory stays.")
    path = path.rstrip("/")
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)
    return {}


def opened(path: str) -> int:
    """A regular file, to be read; whatever else has a name is refused, and nothing waits for it."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise Refused("invalid", "It is no file that can be read.")


def _replaceable(path: str) -> str:
    """Where a file shall appear: what its links lead to. Raises Refused if something else is there."""
    target = os.path.realpath(path)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise Refused("invalid", "There is something of that name that is no file.")
    if path.endswith("/"):
        raise Refused("invalid", "The path names no file.")
    return target


def _put(part: str, target: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.chmod(part, stat.S_IMODE(os.stat(target).st_mode) & 0o777)
    os.replace(part, target)


@dataclass
class Whole:
    """A file that is written beside its place, and then put there."""

    part: str
    target: str
    tag: str | None
    file: int

    @classmethod
    def begin(cls, path: str, tag: str | None) -> "Whole":
        target = _replaceable(path)
        folder, name = os.path.split(target)
        _require(target, tag)
        part = os.path.join(folder, f".{name[:60]}.{token_hex(6)}{PART}")
        return cls(part, target, tag, os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))

    def append(self, data: memoryview) -> None:
        _write(self.file, data)

    def end(self) -> dict[str, Any]:
        _require(self.target, self.tag)
        found = os.fstat(self.file)
        _put(self.part, self.target)
        return _facts(found)

    def close(self) -> None:
        os.close(self.file)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.part)


def _require(target: str, tag: str | None) -> None:
    if tag is None:
        return
    try:
        found = _tag(os.stat(target))
    except FileNotFoundError:
        found = ""
    if found != tag:
        raise Refused("conflict", "The file was changed meanwhile.")


@dataclass
class Upload:
    """A file that arrives in several parts, and appears when the last is here."""

    part: str
    target: str
    total: int
    size: int
    file: int

    @classmethod
    def begin(cls, path: str, offset: int, total: int, mark: str) -> "Upload":
        target = _replaceable(path)
        if not 0 <= offset <= total:
            raise Refused("invalid", "A part of an upload lies within it.")
        part = _part(target, total, mark)
        if offset == 0:
            for other in _parts(target):
                os.unlink(other)
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if offset == 0 else 0)
        try:
            file = os.open(part, flags, 0o644)
        except FileNotFoundError as error:
            raise Refused("conflict", "Nothing of this upload is here.", received=0) from error
        size = os.fstat(file).st_size
        if size != offset:
            os.close(file)
            raise Refused("conflict", f"The upload continues at {size}.", received=size)
        return cls(part, target, total, size, file)

    def append(self, data: memoryview) -> None:
        if self.size + len(data) > self.total:
            raise Refused("invalid", "More came than was announced.")
        _write(self.file, data)
        self.size += len(data)

    def end(self) -> dict[str, Any]:
        if self.size == self.total:
            _put(self.part, self.target)
        return {"received": self.size, "total": self.total}

    def close(self) -> None:
        os.close(self.file)


def received(path: str, total: object, mark: str) -> dict[str, Any]:
    """How far an upload has come; without a total, whichever there is."""
    target = os.path.realpath(path)
    parts = [_part(target, total, mark)] if isinstance(total, int) else _parts(target)
    for part in parts:
        with contextlib.suppress(FileNotFoundError):
            return {"received": os.lstat(part).st_size, "total": int(part.rsplit(".", 4)[2])}
    return {"received": 0, "total": None}


def _stem(target: str) -> str:
    folder, name = os.path.split(target)
    short = name.encode(errors="surrogateescape")[:60].decode(errors="ignore")
    return os.path.join(folder, f".{short}.{zlib.crc32(os.fsencode(name)):08x}")


def _part(target: str, total: int, mark: str) -> str:
    return f"{_stem(target)}.{total}.{sha256(mark.encode()).hexdigest()[:8]}{UPLOAD}"


def _parts(target: str) -> list[str]:
    folder, start = os.path.split(_stem(target))
    form = re.compile(re.escape(start) + r"\.[0-9]+\.[0-9a-f]{8}" + re.escape(UPLOAD))
    return [os.path.join(folder, name) for name in os.listdir(folder) if form.fullmatch(name)]


def _write(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
