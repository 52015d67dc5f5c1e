"""The outputs of notebooks as something that is stored: copied with a notebook, and measured."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.clock import now_ms
from collegium.ground.ids import CellId, ExecutionId, ItemId, NotebookId, UserId, new_id
from collegium.sessions import store, widget_store
from collegium.sessions.blobs import BLOB, is_reference
from collegium.sessions.folding import Output
from collegium.sessions.model import Execution, State
from collegium.sessions.service import Sessions


class StoredOutputs:
    """The port `SavedOutputs` of notebooks, and `Runs` of the drive."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def copied(
        self, tx: AsyncConnection, original: NotebookId, copy: NotebookId, user: UserId, cells: Sequence[CellId]
    ) -> None:
        """These cells of the copy show what they show in the original; nothing of who ran them when comes along."""
        wanted = set(cells)
        shown = [one for one in await self._sessions.stored_heads(tx, original) if one[0].cell in wanted]
        rows = [(_saved(execution, copy, user, number), left) for number, (execution, left) in enumerate(shown, 1)]
        await store.insert_executions(tx, rows)
        await store.set_heads(tx, copy, {execution.cell: execution.id for execution, _ in rows})
        large = {sha256 for _, left in shown for sha256 in _large(left)}
        await store.copy_blobs(tx, original, copy, sorted(large))
        await store.keep_blobs(tx, copy, self._sessions.unwritten_blobs(original, large))
        states = await self._sessions.saved_widgets(original, [output for _, left in shown for output in left])
        await widget_store.write_states(tx, copy, states, now_ms())

    async def size(self, tx: AsyncConnection, notebook: NotebookId) -> int:
        """How many bytes the outputs that are shown take, as far as they are written down."""
        return await store.read_outputs_size(tx, notebook)

    async def running(self, tx: AsyncConnection, notebooks: Sequence[ItemId]) -> set[ItemId]:
        """Those of these notebooks that have a runtime."""
        bound = await store.notebooks_bound(tx, [NotebookId(one) for one in notebooks])
        return {ItemId(one) for one in bound}


def _saved(execution: Execution, copy: NotebookId, user: UserId, position: int) -> Execution:
    return Execution(
        id=ExecutionId(new_id()),
        notebook=copy,
        cell=execution.cell,
        user=user,
        user_name="",
        position=position,
        source="",
        source_hash="",
        state=State.FINISHED,
        count=execution.count,
        saved=True,
        queued_at=now_ms(),
    )


def _large(outputs: Collection[Output]) -> set[str]:
    data = [output["data"] for output in outputs if isinstance(output.get("data"), dict)]
    return {str(value[BLOB]) for bundle in data for value in bundle.values() if is_reference(value)}
