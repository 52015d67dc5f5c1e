"""What notebooks need of the world: the outputs that belong to their cells."""

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.ids import CellId, ExecutionId, NotebookId, UserId
from collegium.notebooks.model import CellOutputs


class Outputs(Protocol):
    """Keeps what runs left. Documents never hold an output."""

    async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
        """The latest outputs of each cell that has any."""
        ...

    async def imported(
        self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
    ) -> None:
        """Keep the outputs that came with an uploaded file, in the transaction that makes the notebook."""
        ...

    async def shown(self, notebook: NotebookId) -> dict[CellId, ExecutionId]:
        """Which execution's outputs each cell shows now."""
        ...

    async def outputs_of(
        self, notebook: NotebookId, executions: Collection[ExecutionId], *, whole: bool
    ) -> dict[ExecutionId, CellOutputs]:
        """What these executions left, those of other notebooks passed over. Unless `whole`, large values are named
        as the page names them, and not given."""
        ...

    async def show(self, notebook: NotebookId, shown: dict[CellId, ExecutionId | None]) -> None:
        """From now on these cells show what these executions left (None: nothing), but for a cell that runs."""
        ...


class SavedOutputs(Protocol):
    """What runs left, as something that is stored."""

    async def copied(
        self, tx: AsyncConnection, original: NotebookId, copy: NotebookId, user: UserId, cells: Sequence[CellId]
    ) -> None:
        """From now on these cells of the copy show what they show in the original, as outputs that came with it."""
        ...

    async def size(self, tx: AsyncConnection, notebook: NotebookId) -> int:
        """How many bytes the outputs that are shown take, as far as they are written down."""
        ...
