"""What can be read from, and done to, a notebook that is open, be it here or at another worker."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.notebooks.model import Content
from collegium.notebooks.service import Beside, Editor


class OpenNotebook(ABC):
    """A live notebook, for who is no tab."""

    notebook: NotebookId

    @property
    @abstractmethod
    def head(self) -> int:
        """The last edit that was taken in. Raises Unavailable."""

    @abstractmethod
    def content(self) -> Content:
        """What the notebook says now. Raises Unavailable."""

    @abstractmethod
    def source(self, cell: CellId) -> str | None:
        """The source of a cell; None if there is none. Raises Unavailable."""

    @abstractmethod
    async def intake(self) -> None:
        """Wait until an edit can be taken in. Raises Unavailable."""

    @abstractmethod
    async def settled(self) -> None:
        """Wait until everything taken in is on the disk or known to be lost."""

    @abstractmethod
    async def edit(
        self,
        change: Callable[[Editor], object],
        *,
        origin: str,
        user: UserId | None = None,
        beside: Beside | None = None,
    ) -> int:
        """Change it by the server's own hand; the sequence number, once it is on disk and sent on.

        `beside` writes what belongs to the edit, not after it. Raises StorageFull or Unavailable, and then nothing of
        the edit was kept; whatever `change` raises, likewise.
        """

    @abstractmethod
    async def join(self, update: bytes, client: int, *, origin: str, user: UserId | None = None) -> int:
        """Take in what the server wrote in a copy of the document, under this client id; otherwise as `edit`."""

    def sources(self) -> list[tuple[CellId, str, str]]:
        """The id, type and source of each cell, in order, those in the trash left out. Raises Unavailable."""
        return [(cell.id, cell.type, cell.source) for cell in self.content().shown]

    def tags(self, cell: CellId) -> list[str]:
        """The tags of a cell; none if it is not there or they are no list of words."""
        found = next((one for one in self.content().shown if one.id == cell), None)
        tags = found.metadata.get("tags") if found is not None else None
        return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

    def metadata(self) -> dict[str, Any]:
        """The notebook's own metadata, as its file would have it. Raises Unavailable."""
        return self.content().metadata
