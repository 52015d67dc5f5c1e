"""The code that ran in a notebook, as it was when it ran, also of cells that changed or were deleted since."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal
from collegium.ground.ids import CellId, ExecutionId, NotebookId
from collegium.sessions import store
from collegium.sessions.model import State
from collegium.sessions.service import Sessions

SOURCE_SHOWN_MAX = 4000


@dataclass(frozen=True, slots=True)
class Executed:
    """One run. `length`: how many characters its source has, of which `source` are the first."""

    id: ExecutionId
    cell: CellId
    position: int
    source: str
    length: int
    state: State
    count: int | None
    user_name: str
    queued_at: int | None
    started_at: int | None
    finished_at: int | None


class ExecutedCode:
    """One per server. For who may write: as the revisions, it tells what the notebook said before."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._world = sessions.world

    async def page(
        self, principal: Principal, notebook: NotebookId, *, before: int | None, search: str, limit: int
    ) -> tuple[list[Executed], int | None]:
        """The latest runs first, those before a position; and since when the session of now is (milliseconds).

        Raises NotFound, Forbidden.
        """
        session = await self._sessions.allowed(principal, notebook, Action.WRITE)
        async with self._world.db.read() as tx:
            found = await _read(tx, notebook, before, search, limit)
            since = await _since(tx, notebook)
        lives = [session.lives.get(one.id) for one in found]
        return [
            one
            if live is None
            else Executed(
                one.id,
                one.cell,
                one.position,
                one.source,
                one.length,
                live.execution.state,
                live.execution.count,
                one.user_name,
                one.queued_at,
                live.execution.started_at,
                live.execution.finished_at,
            )
            for one, live in zip(found, lives, strict=True)
        ], since

    async def source(self, principal: Principal, notebook: NotebookId, execution: ExecutionId) -> str:
        """The whole source of one run. Raises NotFound, Forbidden."""
        session = await self._sessions.allowed(principal, notebook, Action.WRITE)
        return (await session.lives.find(execution)).execution.source


async def _read(
    tx: AsyncConnection, notebook: NotebookId, before: int | None, search: str, limit: int
) -> list[Executed]:
    table = store.executions.c
    statement = select(
        table.id,
        table.cell_id,
        table.position,
        func.substr(table.source, 1, SOURCE_SHOWN_MAX).label("shown"),
        func.length(table.source).label("length"),
        table.state,
        table["count"].label("number"),
        table.user_name,
        table.queued_at,
        table.started_at,
        table.finished_at,
    ).where(table.notebook_id == notebook, table.saved.is_(False))
    if before is not None:
        statement = statement.where(table.position < before)
    if search:
        statement = statement.where(func.lower(table.source).contains(search.lower(), autoescape=True))
    rows = await tx.execute(statement.order_by(table.position.desc()).limit(limit))
    return [
        Executed(
            ExecutionId(row.id),
            CellId(row.cell_id),
            row.position,
            row.shown,
            row.length,
            State(row.state),
            row.number,
            row.user_name,
            row.queued_at,
            row.started_at,
            row.finished_at,
        )
        for row in rows
    ]


async def _since(tx: AsyncConnection, notebook: NotebookId) -> int | None:
    statement = select(store.sessions.c.created_at).where(store.sessions.c.notebook_id == notebook)
    found = (await tx.execute(statement)).scalar_one_or_none()
    return None if found is None else int(found)
