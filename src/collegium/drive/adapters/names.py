"""What places for blobs have in common: names by content, and content in pieces."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

from collegium.ground.errors import NotFound, TooLarge

STAGING = "staging"
BUFFERS_MAX = 2
STREAM_CHUNK_BYTES = 1 << 20
CLEAN_UP_SECONDS_MAX = 10
UNFINISHED_AFTER_SECONDS = 3600
"""Nothing is written so slowly: an upload that stalls is ended long before."""


def place_of(sha256: str) -> str:
    """The name under which a blob is kept."""
    return f"{sha256[:2]}/{sha256}"


async def chunks_of(content: bytes | AsyncIterable[bytes], size_max: int | None) -> AsyncGenerator[bytes, None]:
    """The content in pieces. Raises TooLarge as soon as it is."""
    size = 0
    if isinstance(content, bytes):
        content = _pieces(content)
    async for chunk in content:
        size += len(chunk)
        if size_max is not None and size > size_max:
            raise TooLarge(f"A file here has at most {size_max} bytes.", why="file_size", size_max=size_max)
        yield chunk


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), STREAM_CHUNK_BYTES):
        yield content[start : start + STREAM_CHUNK_BYTES]


class missing_named:
    """Gives what is not there its name."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise NotFound("These bytes are not kept here.") from error
