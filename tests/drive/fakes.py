"""A place for blobs in memory, held to the same tests as the real one."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator

from collegium.ground.errors import NotFound, TooLarge


class MemoryBlobs:
    """The port `Blobs`, forgotten at the end."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    async def put(self, content: bytes | AsyncIterable[bytes], *, size_max: int | None = None) -> tuple[str, int]:
        whole = content if isinstance(content, bytes) else b"".join([piece async for piece in content])
        if size_max is not None and len(whole) > size_max:
            raise TooLarge(f"A file here has at most {size_max} bytes.", size_max=size_max)
        sha256 = hashlib.sha256(whole).hexdigest()
        self.content[sha256] = whole
        return sha256, len(whole)

    async def read(self, sha256: str) -> bytes:
        if sha256 not in self.content:
            raise NotFound("These bytes are not kept here.")
        return self.content[sha256]

    async def stream(self, sha256: str, part: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        yield (await self.read(sha256))[slice(*part) if part else slice(None)]

    async def exists(self, sha256: str) -> bool:
        return sha256 in self.content

    async def delete(self, sha256: str) -> None:
        self.content.pop(sha256, None)

    async def kept(self) -> AsyncIterator[str]:
        for sha256 in list(self.content):
            yield sha256

    async def clear_unfinished(self) -> None:
        return None
