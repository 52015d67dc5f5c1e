"""What notebooks need of the world: the outputs that belong to their cells."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.ids import CellId, NotebookId, UserId
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
