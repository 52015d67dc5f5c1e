"""Large files that come in numbered pieces, as Jupyter's clients send them: gathered on disk until the last one."""

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from collegium.ground.errors import Invalid, TooLarge, TooMany
from collegium.ground.ids import UserId, new_id

LAST = -1
PER_USER_MAX = 8
FORGOTTEN_AFTER_SECONDS = 3600
PIECE_BYTES = 1 << 20


@dataclass
class _Upload:
    file: Path
    next: int
    size: int
    at: float


class Uploads:
    """What has come of files so far, by user and path."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._known: dict[tuple[UserId, str], _Upload] = {}
        shutil.rmtree(folder, ignore_errors=True)

    async def part(self, user: UserId, path: str, number: Any, content: bytes) -> Any:
        """Take a piece in. None until the last one (-1); then the whole, to be entered and read.

        Raises Invalid for one out of order, TooLarge, TooMany.
        """
        if not isinstance(number, int) or isinstance(number, bool):
            raise Invalid("A chunk has a number.")
        key = user, path
        if number == 1:
            await self._forget(key)
            self._admit(user)
            self._known[key] = _Upload(self._folder / new_id(), 1, 0, time.monotonic())
        upload = self._known.get(key)
        if upload is None or number not in (upload.next, LAST):
            raise Invalid("This chunk is out of order: begin again with the first.")
        if upload.size + len(content) > self._bytes_max:
            await self._forget(key)
            raise TooLarge(f"A file here has at most {self._bytes_max} bytes.")
        upload.next, upload.size, upload.at = upload.next + 1, upload.size + len(content), time.monotonic()
        await anyio.to_thread.run_sync(_append, upload.file, content)
        return self._whole(key) if number == LAST else None

    @asynccontextmanager
    async def _whole(self, key: tuple[UserId, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            yield _read(self._known[key].file)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._forget(key)

    def _admit(self, user: UserId) -> None:
        now = time.monotonic()
        for key, upload in list(self._known.items()):
            if now - upload.at > FORGOTTEN_AFTER_SECONDS:
                del self._known[key]
                upload.file.unlink(missing_ok=True)
        if sum(owner == user for owner, _ in self._known) >= PER_USER_MAX:
            raise TooMany("Too many uploads at once. Finish one first.", retry_after=5)

    async def _forget(self, key: tuple[UserId, str]) -> None:
        upload = self._known.pop(key, None)
        if upload is not None:
            await anyio.to_thread.run_sync(lambda: upload.file.unlink(missing_ok=True))


def _append(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("ab") as opened:
        opened.write(content)


async def _read(file: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(file, "rb") as opened:
        while piece := await opened.read(PIECE_BYTES):
            yield piece
