"""A notebook that is open at another worker: read and changed through whoever owns it."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread

from collegium.ground.db import Database
from collegium.ground.errors import Unavailable
from collegium.ground.ids import CellId, NotebookId, UserId
from collegium.notebooks.model import Content
from collegium.notebooks.service import Beside, Document, Editor
from collegium.rooms.reading import OpenNotebook

Asked = Callable[[dict[str, Any], bytes], Awaitable[tuple[dict[str, Any], bytes]]]
"""Asks the owner: a message and bytes, and the same as its answer. Raises what the owner raised, or Unavailable."""

READ, JOIN = "room.read", "room.join"


class Elsewhere(Unavailable):
    """Another worker owns the notebook."""

    def __init__(self, owner: str) -> None:
        super().__init__("The notebook is open at another process of the server. Try again in a moment.")
        self.owner = owner


class DistantRoom(OpenNotebook):
    """A copy of an open notebook as it was a moment ago. What is changed in it, its owner takes in and stores."""

    def __init__(self, notebook: NotebookId, document: Document, head: int, database: Database, ask: Asked) -> None:
        self.notebook = notebook
        self._database = database
        self._head = head
        self._content: Content | None = None
        self._document = document
        self._ask = ask

    @property
    def head(self) -> int:
        """The last edit in it; all of them are on disk."""
        return self._head

    def content(self) -> Content:
        """What the notebook said when it was asked for."""
        if self._content is None:
            self._content = self._document.content()
        return self._content

    def source(self, cell: CellId) -> str | None:
        """The source of a cell; None if there is none."""
        return self._document.source(cell)

    async def intake(self) -> None:
        """A copy can always be changed."""

    async def settled(self) -> None:
        """All that is in a copy is on disk."""

    async def edit(
        self,
        change: Callable[[Editor], object],
        *,
        origin: str,
        user: UserId | None = None,
        beside: Beside | None = None,
    ) -> int:
        """Change the notebook; the sequence number, once it is on disk and sent on. Raises as a room does.

        What belongs to the edit is written just before it: of the two it is the one that may stand alone.
        """
        update = self._document.edit(change)
        self._content = None
        if update is not None:
            if beside is not None:
                async with self._database.write() as tx:
                    await tx.run_sync(beside)
            self._head = await self.join(update, self._document.client, origin=origin, user=user)
        return self._head

    async def join(self, update: bytes, client: int, *, origin: str, user: UserId | None = None) -> int:
        """Have the owner take in what the server wrote in a copy, under this client id; otherwise as `edit`."""
        message = {"kind": JOIN, "notebook": self.notebook, "client": client, "origin": origin, "user": user}
        answer, _ = await self._ask(message, update)
        return int(answer["seq"])


async def visited(notebook: NotebookId, database: Database, ask: Asked) -> DistantRoom:
    """The notebook as its owner has it now. Raises NotFound or Unavailable."""
    answer, state = await ask({"kind": READ, "notebook": notebook}, b"")
    document = await anyio.to_thread.run_sync(Document.load, [state])
    return DistantRoom(notebook, document, int(answer["head"]), database, ask)
