"""The port `Blobs` in a bucket that speaks S3."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

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
from collegium.drive.blob_settings import BlobSettings
from collegium.ground.errors import NotFound, StorageFull, Unavailable
from collegium.ground.ids import new_id
from collegium.ground.log import get_log

log = get_log("blobs")

PART_BYTES = 8 << 20
"""What is smaller is sent by one request; larger, in parts of this size. S3 takes 10,000 parts of 5 MiB or more."""
ANSWER_SECONDS_MAX, RETRIES_MAX = 20, 4
FULL = "The object store has no room left. What is stored is safe; new files are refused until there is room."
UNREACHABLE = "The object store cannot be reached. Try again in a moment."
REFUSED = (
    "The object store refuses us. An administrator has to look at COLLEGIUM_BLOBS__ACCESS_KEY_ID,"
    " COLLEGIUM_BLOBS__SECRET_ACCESS_KEY and what this key may do in the bucket."
)
NO_BUCKET = "The object store has no such bucket. An administrator has to make it, or to set COLLEGIUM_BLOBS__BUCKET."
DAMAGED = "The object store gave other bytes than were put there."


class S3Blobs:
    """Small blobs are put in place by one request; large ones written aside in parts, then copied there by the store.

    A store that keeps S3's promises shows an object only when all of it is kept, and then at once to everybody.
    """

    def __init__(self, settings: BlobSettings, area: str) -> None:
        self._store = _store(settings, area)

    async def check(self) -> None:
        """Raises Unavailable, with what to do, if the bucket is not there or not ours."""
        # Not by asking for one object: the answer to that has no words, and a missing bucket looks the same.
        with _trouble_named():
            await anext(aiter(self._store.list(STAGING, chunk_size=1)), None)

    async def put(self, content: bytes | AsyncIterable[bytes], *, size_max: int | None = None) -> tuple[str, int]:
        async with aclosing(chunks_of(content, size_max)) as chunks:
            first = bytearray()
            async for chunk in chunks:
                first += chunk
                if len(first) > PART_BYTES:
                    return await self._put_large(bytes(first), chunks)
        sha256 = hashlib.sha256(first).hexdigest()
        with _trouble_named():
            await self._store.put_async(place_of(sha256), bytes(first), use_multipart=False)
        return sha256, len(first)

    async def _put_large(self, first: bytes, rest: AsyncIterator[bytes]) -> tuple[str, int]:
        staged = f"{STAGING}/{new_id()}"
        try:
            sha256, size = await self._write(staged, first, rest)
            with _trouble_named():
                await self._store.copy_async(staged, place_of(sha256))
        finally:
            with anyio.move_on_after(CLEAN_UP_SECONDS_MAX, shield=True), _left_behind(staged):
                await self._store.delete_async(staged)
        return sha256, size

    async def _write(self, staged: str, first: bytes, rest: AsyncIterator[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(first), len(first)
        # The writer is driven from here: obstore's `put_async` over an async iterator aborts the process if cancelled.
        writer = obstore.open_writer_async(self._store, staged, buffer_size=PART_BYTES, max_concurrency=BUFFERS_MAX)
        with _trouble_named():
            await writer.write(first)
        async for chunk in rest:
            digest.update(chunk)
            size += len(chunk)
            with _trouble_named():
                await writer.write(chunk)
        with _trouble_named():
            await writer.close()
        return digest.hexdigest(), size

    async def read(self, sha256: str) -> bytes:
        with _trouble_named():
            content = bytes(await (await self._store.get_async(place_of(sha256))).bytes_async())
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _damaged(sha256)
        return content

    async def stream(self, sha256: str, part: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        with _trouble_named():
            found = await self._store.get_async(place_of(sha256), options={"range": part} if part else {})
            chunks = aiter(found.stream(min_chunk_size=STREAM_CHUNK_BYTES))
        while True:
            with _trouble_named():
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            digest.update(chunk)
            yield bytes(chunk)
        if part is None and digest.hexdigest() != sha256:
            raise _damaged(sha256)

    async def exists(self, sha256: str) -> bool:
        try:
            with _trouble_named():
                await self._store.head_async(place_of(sha256))
        except NotFound:
            return False
        return True

    async def delete(self, sha256: str) -> None:
        with _trouble_named():
            await self._store.delete_async(place_of(sha256))

    async def kept(self) -> AsyncIterator[str]:
        async for found in self._listed(None):
            name = found["path"].rsplit("/", 1)[-1]
            if found["path"] == place_of(name):
                yield name

    async def clear_unfinished(self) -> None:
        old = datetime.now(UTC) - timedelta(seconds=UNFINISHED_AFTER_SECONDS)
        async for found in self._listed(STAGING):
            if found["last_modified"] < old:
                with _trouble_named():
                    await self._store.delete_async(found["path"])

    async def _listed(self, prefix: str | None) -> AsyncIterator[Any]:
        lists = aiter(self._store.list(prefix))
        while True:
            with _trouble_named():
                some = await anext(lists, None)
            if some is None:
                return
            for found in some:
                yield found


def _store(settings: BlobSettings, area: str) -> S3Store:
    key, secret = settings.access_key_id, settings.secret_access_key
    options: dict[str, Any] = {}
    if settings.endpoint is not None:
        options["endpoint"] = settings.endpoint
    if key is not None and secret is not None:
        options |= {"access_key_id": key.get_secret_value(), "secret_access_key": secret.get_secret_value()}
    return S3Store(
        settings.bucket,
        prefix="/".join(part for part in (settings.prefix.strip("/"), area) if part),
        region=settings.region,
        client_options={
            "allow_http": (settings.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=ANSWER_SECONDS_MAX),
            "timeout": timedelta(minutes=10),
        },
        retry_config={"max_retries": RETRIES_MAX, "retry_timeout": timedelta(seconds=ANSWER_SECONDS_MAX)},
        **options,
    )


def _damaged(sha256: str) -> Unavailable:
    log.error("blob.damaged", blob=sha256)
    return Unavailable(DAMAGED, code="content_damaged")


class _trouble_named(missing_named):
    """Gives what an object store says names that a person can act on. Its own words are logged."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, (BaseError, FileNotFoundError, OSError)):
            return
        words = str(error)
        if "NoSuchBucket" in words:
            told: Exception = Unavailable(NO_BUCKET)
        elif any(name in words for name in ("QuotaExceeded", "InsufficientCapacity", "StorageFull", " 507 ")):
            told = StorageFull(FULL)
        elif any(name in words for name in (" 401 ", " 403 ")):
            told = Unavailable(REFUSED)
        else:
            super().__exit__(kind, error, trace)
            told = Unavailable(UNREACHABLE)
        log.error("blobs.failed", error=type(error).__name__, words=words[:500])
        raise told from error


class _left_behind:
    """Tidying that did not work is done again later, by `clear_unfinished`."""

    def __init__(self, staged: str) -> None:
        self._staged = staged

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, (BaseError, OSError)):
            return False
        if not isinstance(error, FileNotFoundError):
            log.warning("blob.left_behind", staged=self._staged, error=type(error).__name__)
        return True
