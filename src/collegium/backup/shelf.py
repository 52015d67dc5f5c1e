"""The folder that backups lie in: each with its rows, and beside them the bytes of all, every one of them once."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from collegium.backup.model import Manifest, Object, Part, read_manifest, read_row, written_manifest, written_row
from collegium.ground.errors import Conflict, Invalid, NotFound
from collegium.ground.ids import new_id

OBJECTS, LOCK, MANIFEST, SEAL = "objects", "lock", "manifest.json", "manifest.sha256"
UNFINISHED = ".unfinished-"
PIECE_BYTES = 1 << 20
LINE_BYTES_MAX = 1 << 30


class Shelf:
    """Everything in it is readable by its owner alone, and on the disk before a backup counts as made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the folder if it is missing, and hold it alone. Raises Conflict if somebody else does."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"Another backup into {self.folder} is not finished.") from None
            for left in self.folder.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left)
            for torn in (self.folder / OBJECTS).glob("*/*.part"):
                torn.unlink()
            yield

    def names(self) -> list[str]:
        """The finished backups, the oldest first."""
        if not self.folder.is_dir():
            raise NotFound(f"There is no folder {self.folder}.")
        return sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}") if path.parent.name[0] != ".")

    def path(self, name: str) -> Path:
        """Where a backup lies."""
        return self.folder / name

    def manifest(self, name: str) -> Manifest:
        """Raises NotFound, or Invalid if it was changed."""
        path = self.path(name) / MANIFEST
        if not path.is_file():
            raise NotFound(f"There is no backup {name} in {self.folder}.")
        content = path.read_bytes()
        try:
            seal = (path.parent / SEAL).read_text().strip()
        except FileNotFoundError:
            raise Invalid(f"The backup {name} has no {SEAL}: it was not copied whole.") from None
        if hashlib.sha256(content).hexdigest() != seal:
            raise Invalid(f"The manifest of {name} is not what it was when the backup was made.")
        return read_manifest(content)

    def begin(self) -> Path:
        """A folder for a backup that is being made."""
        draft = self.folder / f"{UNFINISHED}{new_id()}"
        draft.mkdir(mode=0o700)
        return draft

    def finish(self, draft: Path, name: str, manifest: Manifest) -> None:
        """From now on it counts."""
        content = written_manifest(manifest)
        for file, words in ((MANIFEST, content), (SEAL, hashlib.sha256(content).hexdigest().encode() + b"\n")):
            with new_file(draft / file) as out:
                out.write(words)
        sync(draft)
        draft.rename(self.folder / name)
        sync(self.folder)

    def place(self, sha256: str) -> Path:
        """Where these bytes lie, if they do."""
        return self.folder / OBJECTS / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether these bytes are there."""
        return self.place(sha256).exists()

    @contextmanager
    def incoming(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """A file to write bytes to, of which `keep` makes an object; removed if it was not kept."""
        folder = self.folder / OBJECTS
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "new").mkdir(mode=0o700, exist_ok=True)
        path = folder / "new" / f"{new_id()}.part"
        try:
            with new_file(path) as out:
                yield path, out
        finally:
            path.unlink(missing_ok=True)

    def keep(self, path: Path, sha256: str) -> None:
        """These bytes are an object from now on."""
        place = self.place(sha256)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        path.rename(place)
        sync(place.parent)

    def objects(self, name: str) -> Iterator[Object]:
        """What a backup refers to."""
        for row in read_rows(self.path(name) / "objects.jsonl.zst"):
            area, place, sha256, size = row
            yield Object(area, place, sha256, size)

    def forget(self, keep: int) -> list[str]:
        """Remove all but the last backups, and the bytes that only those had; the names of the removed."""
        gone = self.names()[:-keep]
        for name in gone:
            # First what makes it a backup: a removal that is cut short leaves none that is torn.
            (self.path(name) / MANIFEST).unlink()
            shutil.rmtree(self.path(name))
        needed = {one.sha256 for name in self.names() for one in self.objects(name)}
        for path in (self.folder / OBJECTS).glob("*/*"):
            if path.name not in needed:
                path.unlink()
        return gone


class RowsFile:
    """A file of rows that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines = 0

    def __enter__(self) -> "RowsFile":
        self._file = new_file(self._path)
        self._out = self._file.__enter__()
        self._writer = zstandard.ZstdCompressor(level=3).stream_writer(self._out, closefd=False)
        return self

    def write(self, row: list[object]) -> None:
        """One more."""
        self._writer.write(written_row(row))
        self.lines += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._writer.close()  # type: ignore[no-untyped-call]
        self._file.__exit__(kind, error, None)

    def part(self) -> Part:
        """What was written, once it is closed."""
        return Part(self.lines, digest_of(self._path))


def read_rows(path: Path) -> Iterator[list[Any]]:
    """The rows of a file. Raises Invalid where it is damaged."""
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
            rest = b""
            while piece := reader.read(PIECE_BYTES):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield read_row(line)
                if len(rest) > LINE_BYTES_MAX:
                    raise Invalid(f"{path.name} is damaged.")
            if rest:
                raise Invalid(f"{path.name} ends in the middle of a row.")
    except FileNotFoundError:
        raise Invalid(f"{path.name} is missing.") from None
    except zstandard.ZstdError as error:
        raise Invalid(f"{path.name} is damaged.") from error


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner alone, on the disk itself when this ends."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def sync(folder: Path) -> None:
    """The names in a folder are on the disk itself."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
