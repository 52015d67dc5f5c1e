"""The code that ran in a notebook, over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.ground.ids import ExecutionId, NotebookId
from collegium.sessions.executed import ExecutedCode

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Who = Annotated[Principal, Depends(signed_in)]


class ExecutedShown(BaseModel):
    """One run; `source` as it was then, its first 4,000 of `length` characters. Times are milliseconds since 1970."""

    id: str
    cell: str
    position: int
    source: str
    length: int
    state: Literal["queued", "running", "finished", "failed", "cancelled"]
    count: int | None
    user: str
    queued_at: int | None
    started_at: int | None
    finished_at: int | None


class ExecutedPage(BaseModel):
    """The latest first. `since`: when the runtime of now was bound; null when there is none."""

    executed: list[ExecutedShown]
    since: int | None


class ExecutedSource(BaseModel):
    """The whole code of one run."""

    source: str


def routes(code: ExecutedCode) -> APIRouter:
    """Under /notebooks/{id}/executed."""
    router = APIRouter(prefix="/notebooks/{notebook}/executed", tags=["runs"])

    @router.get("", response_model=ExecutedPage, summary="The code that ran, the latest first")
    async def list_executed(
        notebook: Notebook,
        who: Who,
        before: Annotated[int | None, Query(ge=0, le=1 << 53, description="Only what is before this position.")] = None,
        search: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ExecutedPage:
        found, since = await code.page(who, NotebookId(notebook), before=before, search=search, limit=limit)
        shown = [
            ExecutedShown(
                id=one.id,
                cell=one.cell,
                position=one.position,
                source=one.source,
                length=one.length,
                state=one.state.value,
                count=one.count,
                user=one.user_name,
                queued_at=one.queued_at,
                started_at=one.started_at,
                finished_at=one.finished_at,
            )
            for one in found
        ]
        return ExecutedPage(executed=shown, since=since)

    @router.get("/{execution}", response_model=ExecutedSource, summary="The whole code of a run")
    async def read_executed(
        notebook: Notebook, execution: Annotated[str, Path(max_length=64)], who: Who
    ) -> ExecutedSource:
        return ExecutedSource(source=await code.source(who, NotebookId(notebook), ExecutionId(execution)))

    return router
