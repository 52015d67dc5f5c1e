"""Blobs on this machine's disk, by obstore."""

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

import anyio.to_thread
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from collegium.drive.adapters.names import (
    BUFFERS_MAX,
    CLEAN_UP_SECONDS_MAX,
    STAGING,
    STREAM_CHUNK_BYTES,
    UNFINISHED_AFTER_SECONDS,
    chunks_of,
    missing_named,
    place_of,
)
from collegium.ground.errors import StorageFull
from collegium.ground.ids import new_id

BUFFER_BYTES = 4 << 20
ROOM_CHECKED_EVERY_BYTES = 64 << 20
FULL = "The server's disk is full. What is stored is safe; new files are refused until there is room."


class LocalBlobs:
    """The port `Blobs` in a folder: written aside, synced, then put in place by one rename."""

    def __init__(self, folder: Path, *, free_bytes_min: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._store = LocalStore(prefix=folder)

    async def put(self, content: bytes | AsyncIterable[bytes], *, size_max: int | None = None) -> tuple[str, int]:
        staged = f"{STAGING}/{new_id()}"
        try:
            with _full_disk_named():
                sha256, size = await self._write(staged, content, size_max)
                await anyio.to_thread.run_sync(_sync, self._folder / staged)
                place = place_of(sha256)
                await self._store.rename_async(staged, place)
                # Also when it was there before: whoever put it may not have come as far as this line yet.
                await anyio.to_thread.run_sync(self._sync_folders, place)
        except BaseException:
            with anyio.move_on_after(CLEAN_UP_SECONDS_MAX, shield=True):
                await anyio.to_thread.run_sync(self._clear_staged, staged)
            raise
        return sha256, size

    async def _write(self, staged: str, content: bytes | AsyncIterable[bytes], size_max: int | None) -> tuple[str, int]:
        digest, size, room_checked_at = hashlib.sha256(), 0, -ROOM_CHECKED_EVERY_BYTES
        # The writer is driven from here: obstore's `put_async` over an async iterator aborts the process if cancelled.
        writer = obstore.open_writer_async(self._store, staged, buffer_size=BUFFER_BYTES, max_concurrency=BUFFERS_MAX)
        async for chunk in chunks_of(content, size_max):
            size += len(chunk)
            if size - room_checked_at >= ROOM_CHECKED_EVERY_BYTES:
                await anyio.to_thread.run_sync(self._refuse_without_room)
                room_checked_at = size
            digest.update(chunk)
            await writer.write(chunk)
        await writer.close()
        return digest.hexdigest(), size

    async def read(self, sha256: str) -> bytes:
        with missing_named():
            return bytes(await (await self._store.get_async(place_of(sha256))).bytes_async())

    async def stream(self, sha256: str, part: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        with missing_named():
            found = await self._store.get_async(place_of(sha256), options={"range": part} if part else {})
        async for chunk in found.stream(min_chunk_size=STREAM_CHUNK_BYTES):
            yield bytes(chunk)

    async def exists(self, sha256: str) -> bool:
        return await anyio.Path(self._folder / place_of(sha256)).exists()

    async def delete(self, sha256: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await self._store.delete_async(place_of(sha256))

    async def kept(self) -> AsyncIterator[str]:
        async for some in self._store.list():
            for found in some:
                name = found["path"].rsplit("/", 1)[-1]
                if found["path"] == place_of(name):
                    yield name

    async def clear_unfinished(self) -> None:
        await anyio.to_thread.run_sync(self._clear_unfinished)

    def _clear_staged(self, staged: str) -> None:
        # obstore writes beside it, under the same name with a suffix, until it is closed.
        for left in self._folder.glob(f"{staged}*"):
            left.unlink(missing_ok=True)

    def _clear_unfinished(self) -> None:
        staging = self._folder / STAGING
        for left in staging.iterdir() if staging.exists() else ():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > UNFINISHED_AFTER_SECONDS:
                    left.unlink()

    def _refuse_without_room(self) -> None:
        if shutil.disk_usage(self._folder).free < self._free_bytes_min:
            raise StorageFull(FULL)

    def _sync_folders(self, place: str) -> None:
        _sync((self._folder / place).parent)
        _sync(self._folder)


def _sync(path: Path) -> None:
    """Everything written to this file or folder is on the disk itself when this returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _full_disk_named:
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # obstore's errors have no errno, only the system's words for it.
        if isinstance(error, (BaseError, OSError)) and any(
            getattr(error, "errno", None) == number or f"(os error {number})" in str(error)
            for number in (errno.ENOSPC, errno.EDQUOT)
        ):
            raise StorageFull(FULL) from error
