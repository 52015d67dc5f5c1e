"""Runs over HTTP: ask for executions, read what they left, and steer the kernel."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import signed_in, visitor
from collegium.drive.model import parsed_range
from collegium.ground import reasons
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import CellId, ExecutionId, NotebookId, RuntimeId
from collegium.runtimes.routes import Notebooks, RuntimeNotebook, RuntimeWithUsage, shown_with_usage
from collegium.runtimes.service import Runtimes
from collegium.sessions.blobs import SAFE_MIMES
from collegium.sessions.model import QUEUE_MAX, Asked, Execution, Held
from collegium.sessions.service import Sessions

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Run = Annotated[str, Path(max_length=64, description="The execution's id.")]
Who = Annotated[Principal, Depends(signed_in)]
Visitor = Annotated[Principal, Depends(visitor)]
CACHED = "private, max-age=31536000, immutable"


class CellWanted(BaseModel):
    """A cell, and the hash of the source that is meant: 409 `stale_source` if it has another one now."""

    cell: str = Field(max_length=64)
    hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class ExecutionsWanted(BaseModel):
    """Which cells to run, in this order; "all" is every code cell that is not empty."""

    cells: (
        Annotated[list[Annotated[str, Field(max_length=64)] | CellWanted], Field(max_length=QUEUE_MAX)] | Literal["all"]
    )


class ExecutionQueued(BaseModel):
    id: str
    cell: str


class ExecutionsQueued(BaseModel):
    executions: list[ExecutionQueued]


class ExecutionState(BaseModel):
    """One run of one cell. `outputs` are nbformat's. Times are milliseconds since 1970."""

    id: str
    cell: str
    state: Literal["queued", "running", "finished", "failed", "cancelled"]
    outputs: list[dict[str, Any]]
    count: int | None
    user: str
    reason: str | None
    why: dict[str, Any] | None = Field(description=reasons.WHY)
    input: dict[str, Any] | None
    saved: bool
    queued_at: int | None
    started_at: int | None
    finished_at: int | None


class SessionState(BaseModel):
    """The kernel of a notebook, its runtime, and what waits for it."""

    runtime: dict[str, Any] | None
    kernel: dict[str, Any] | None
    queue: list[dict[str, str]]


class LogEntry(BaseModel):
    """Something that happened. `what` is its code, `about` what its words are about."""

    n: int
    at: int
    level: Literal["info", "warning", "error"]
    what: str
    about: dict[str, Any]


class SessionLog(BaseModel):
    """What happened to the runtime and the kernel, and what they printed outside of cells; the oldest first."""

    since: int = Field(description="When it begins: with the server, or when the notebook was opened after it.")
    entries: list[LogEntry]


class InputGiven(BaseModel):
    value: str = Field(max_length=64 * 1024)


class NotebookNamed(BaseModel):
    id: str
    name: str


class KernelShown(BaseModel):
    id: str
    state: Literal["starting", "idle", "busy", "restarting", "dead"]
    name: str


class SessionHeld(BaseModel):
    """One of my runtimes, and what runs in it."""

    runtime: RuntimeWithUsage
    notebook: NotebookNamed | None
    kernel: KernelShown | None
    executing: bool


def listing(sessions: Sessions, runtimes: Runtimes) -> APIRouter:
    """All sessions of somebody, across notebooks."""
    router = APIRouter(tags=["runs"])

    @router.get("/sessions", response_model=list[SessionHeld], summary="My runtimes, and what runs in each")
    async def list_sessions(who: Who) -> list[SessionHeld]:
        return [_held(held, await shown_with_usage(runtimes, held.runtime)) for held in await sessions.held(who)]

    return router


def notebooks_in(sessions: Sessions) -> Notebooks:
    """For the routes of runtimes: which notebooks run in each."""

    async def found(principal: Principal, runtimes: list[RuntimeId]) -> dict[RuntimeId, list[RuntimeNotebook]]:
        bound = await sessions.notebooks_in(principal, runtimes)
        return {
            runtime: [RuntimeNotebook(id=notebook, name=name) for notebook, name in notebooks]
            for runtime, notebooks in bound.items()
        }

    return found


def _held(held: Held, runtime: RuntimeWithUsage) -> SessionHeld:
    named = held.notebook is not None and held.name is not None
    return SessionHeld(
        runtime=runtime,
        notebook=NotebookNamed(id=str(held.notebook), name=str(held.name)) if named else None,
        kernel=None if held.kernel is None else KernelShown.model_validate(held.kernel),
        executing=held.executing,
    )


def routes(sessions: Sessions) -> APIRouter:
    """Everything under /notebooks/{id} that runs."""
    router = APIRouter(prefix="/notebooks/{notebook}", tags=["runs"])

    @router.post("/executions", status_code=202, response_model=ExecutionsQueued, summary="Run cells")
    async def request_executions(notebook: Notebook, wanted: ExecutionsWanted, who: Who) -> ExecutionsQueued:
        asked = None if wanted.cells == "all" else [_asked(cell) for cell in wanted.cells]
        made = await sessions.execute(who, NotebookId(notebook), asked)
        return ExecutionsQueued(executions=[ExecutionQueued(id=e.id, cell=e.cell) for e in made])

    @router.get("/executions/{execution}", response_model=ExecutionState, summary="What became of a run")
    async def read_execution(notebook: Notebook, execution: Run, who: Who) -> ExecutionState:
        found, outputs = await sessions.execution(who, NotebookId(notebook), ExecutionId(execution))
        return _state(found, outputs)

    @router.get("/executions/{execution}/log", summary="Everything a run printed", response_class=Response)
    async def read_execution_log(notebook: Notebook, execution: Run, who: Who) -> StreamingResponse:
        pieces = await sessions.log(who, NotebookId(notebook), ExecutionId(execution))
        headers = _stranger() | {"Content-Disposition": f'attachment; filename="{execution}.log"'}
        return StreamingResponse(
            (piece.encode("utf-8", "replace") for piece in pieces),
            media_type="text/plain; charset=utf-8",
            headers=headers,
        )

    @router.post("/executions/{execution}/input", status_code=204, response_class=Response, summary="Answer input()")
    async def answer_input(notebook: Notebook, execution: Run, given: InputGiven, who: Who) -> None:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.input(ExecutionId(execution), given.value)

    @router.get("/blobs/{sha256}", summary="A large output", response_class=Response)
    async def read_output_blob(
        notebook: Notebook, sha256: Annotated[str, Path(max_length=64)], request: Request, who: Visitor
    ) -> Response:
        mime, content = await sessions.blob(who, NotebookId(notebook), sha256)
        kind = mime if mime in SAFE_MIMES else "text/plain; charset=utf-8"
        headers = _stranger() | {"Accept-Ranges": "bytes", "Cache-Control": CACHED}
        # A film is looked at from the middle, too.
        part = parsed_range(request.headers.get("range"), len(content))
        if part is None:
            return Response(content, media_type=kind, headers=headers)
        start, stop = part
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        return Response(content[start:stop], 206, media_type=kind, headers=headers)

    _add_session_routes(router, sessions)
    return router


def _add_session_routes(router: APIRouter, sessions: Sessions) -> None:
    @router.get("/session", response_model=SessionState, summary="The kernel and its queue")
    async def read_session(notebook: Notebook, who: Who) -> SessionState:
        session = await sessions.allowed(who, NotebookId(notebook), Action.READ)
        return SessionState.model_validate(session.showing.session_frame())

    @router.get("/session/log", response_model=SessionLog, summary="What happened to the runtime and the kernel")
    async def read_session_log(
        notebook: Notebook, who: Who, after: Annotated[int, Query(ge=0, description="Only what came after it.")] = 0
    ) -> SessionLog:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.loan.read_printed()
        entries = [LogEntry(**asdict(entry)) for entry in session.diary.after(after)]
        return SessionLog(since=session.diary.since, entries=entries)

    @router.post("/session/connect", response_model=SessionState, summary="Ask for a runtime")
    async def connect_session(notebook: Notebook, who: Who) -> SessionState:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.connect(who)
        return SessionState.model_validate(session.showing.session_frame())

    @router.post("/session/interrupt", response_model=SessionState, summary="Stop what runs, forget what waits")
    async def interrupt_session(notebook: Notebook, who: Who) -> SessionState:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.interrupt()
        return SessionState.model_validate(session.showing.session_frame())

    @router.post("/session/restart", response_model=SessionState, summary="A new kernel in the same runtime")
    async def restart_session(notebook: Notebook, who: Who) -> SessionState:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.restart()
        return SessionState.model_validate(session.showing.session_frame())

    @router.post("/session/disconnect", response_model=SessionState, summary="Give the runtime back")
    async def disconnect_session(notebook: Notebook, who: Who) -> SessionState:
        session = await sessions.allowed(who, NotebookId(notebook), Action.RUN)
        await session.disconnect()
        return SessionState.model_validate(session.showing.session_frame())


def _asked(cell: str | CellWanted) -> Asked:
    return Asked(CellId(cell)) if isinstance(cell, str) else Asked(CellId(cell.cell), cell.hash)


def _state(execution: Execution, outputs: list[dict[str, Any]]) -> ExecutionState:
    asked = execution.input
    return ExecutionState(
        id=execution.id,
        cell=execution.cell,
        state=execution.state.value,
        outputs=outputs,
        count=execution.count,
        user=execution.user_name,
        reason=execution.reason,
        why=reasons.why(execution.reason),
        input=None if asked is None else {"prompt": asked["prompt"], "password": asked["password"]},
        saved=execution.saved,
        queued_at=execution.queued_at,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
    )


def _stranger() -> dict[str, str]:
    return {"Content-Security-Policy": USER_CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
