"""What a drive needs of the world: a place for bytes."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Protocol


class Blobs(Protocol):
    """Immutable bytes by their SHA-256 (64 lower-case hexadecimal digits). What is acknowledged is on disk.

    Each part keeps its blobs in an area of its own: whoever deletes one must know everybody who refers to it.
    """

    async def put(self, content: bytes | AsyncIterable[bytes], *, size_max: int | None = None) -> tuple[str, int]:
        """Keep it, and return its SHA-256 and its size. All of it or nothing is kept.

        Raises TooLarge beyond `size_max` bytes, StorageFull, and whatever `content` raises.
        """

    async def read(self, sha256: str) -> bytes:
        """The whole blob. Raises NotFound."""

    def stream(self, sha256: str, part: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The blob, or the part of it from the first byte up to (not with) the last, in pieces.

        Raises NotFound before the first one.
        """

    async def exists(self, sha256: str) -> bool:
        """Whether it is kept."""

    async def delete(self, sha256: str) -> None:
        """Forget it; nothing happens if it is not there."""

    def kept(self) -> AsyncIterator[str]:
        """Every blob's SHA-256."""

    async def clear_unfinished(self) -> None:
        """Remove what a killed server left of uploads; what is still being written stays."""
