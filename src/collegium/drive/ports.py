"""What a drive needs of the world: a place for bytes, an index of words, and whoever knows documents and runs."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Protocol

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.ids import ItemId, UserId


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


class Matcher(Protocol):
    """Asks the database's own index over `search_texts`."""

    def matching(self, words: Sequence[str], *, in_names: bool) -> TextClause:
        """A condition on `search_texts`: for each of these words the item has one that begins with it.

        In its name, or in name and text together. `words` are made of letters and digits alone.
        """


class Prepared(Protocol):
    """A notebook's content, read and ready to be written down as another notebook's."""

    @property
    def size(self) -> int:
        """How many bytes of it are held in memory."""


class NotebookCopies(Protocol):
    """Makes the document of a notebook anew under another id: what it says, and nothing of how it came about."""

    async def prepared(self, notebook: ItemId) -> Prepared:
        """What the notebook says, as far as it is on disk. Raises NotFound or Unavailable."""

    async def insert(self, tx: AsyncConnection, prepared: Prepared, copy: ItemId, user: UserId) -> int:
        """Write it down as the document of the item `copy`, with the outputs that the original shows.

        The bytes that it takes.
        """


class Runs(Protocol):
    """Knows which notebooks have a runtime."""

    async def running(self, tx: AsyncConnection, notebooks: Sequence[ItemId]) -> set[ItemId]:
        """Those of these notebooks that are bound to one."""
