"""The tables of executions and sessions, and their statements."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import AnyText, metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, ExecutionId, KernelId, NotebookId, RuntimeId, UserId
from collegium.sessions import environment_store, widget_store
from collegium.sessions.folding import Output
from collegium.sessions.model import Binding, Execution, State

sessions = Table(
    "sessions",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("user_id", String(22), nullable=False),
    Column("runtime_id", String(22), nullable=False),
    Column("kernel_id", String(22), nullable=False),
    Column("epoch", String(64), nullable=True),
    Column("stored_seq", BigInteger, nullable=False),
    Column("oom_kills", BigInteger, nullable=False),
    Column("kernel_name", String(64), nullable=False),
    Column("kernel_language", String(64), nullable=False),
    Column("layer", String(64), nullable=True),
    Column("created_at", BigInteger, nullable=False),
)

executions = Table(
    "executions",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("notebook_id", String(22), nullable=False),
    Column("cell_id", String(64), nullable=False),
    Column("user_id", String(22), nullable=False),
    Column("user_name", String(200), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("source", AnyText, nullable=False),
    Column("source_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("count", BigInteger, nullable=True),
    Column("reason", AnyText, nullable=True),
    Column("input", Text, nullable=True),
    Column("environment", String(64), nullable=True),
    Column("saved", Boolean, nullable=False),
    Column("outputs", AnyText, nullable=False),
    Column("queued_at", BigInteger, nullable=True),
    Column("started_at", BigInteger, nullable=True),
    Column("finished_at", BigInteger, nullable=True),
    Index("ix_executions_notebook_id_state", "notebook_id", "state"),
)
"""`outputs`: what the cell shows, once the execution has ended; before that its segment has it."""

heads = Table(
    "cell_heads",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("cell_id", String(64), primary_key=True),
    Column("execution_id", String(22), nullable=False),
)
"""Which execution's outputs a cell shows."""

blobs = Table(
    "output_blobs",
    metadata,
    Column("notebook_id", String(22), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("mime", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
)
"""Large outputs of a notebook: who may read it may read these."""

IN_ONE_STATEMENT_MAX = 500

_KEYS = {
    "notebook": "notebook_id",
    "cell": "cell_id",
    "user": "user_id",
    "runtime": "runtime_id",
    "kernel": "kernel_id",
}


async def insert_executions(tx: AsyncConnection, rows: Sequence[tuple[Execution, list[Output]]]) -> None:
    """New executions, each with the outputs it has already."""
    if rows:
        await tx.execute(insert(executions), [_row(execution, outputs) for execution, outputs in rows])


async def update_execution(tx: AsyncConnection, execution: Execution, outputs: list[Output] | None) -> None:
    """What became of it; its outputs too if given."""
    values = _row(execution, outputs or [])
    if outputs is None:
        del values["outputs"]
    await tx.execute(update(executions).where(executions.c.id == execution.id).values(values))


async def set_heads(tx: AsyncConnection, notebook: NotebookId, shown: dict[CellId, ExecutionId]) -> None:
    """From now on these cells show the outputs of these executions."""
    await remove_heads(tx, notebook, shown)
    if shown:
        await tx.execute(
            insert(heads),
            [{"notebook_id": notebook, "cell_id": cell, "execution_id": id} for cell, id in shown.items()],
        )


async def remove_heads(tx: AsyncConnection, notebook: NotebookId, cells: Iterable[CellId] | None) -> None:
    """These cells (None: all) show nothing any more."""
    statement = delete(heads).where(heads.c.notebook_id == notebook)
    if cells is not None:
        statement = statement.where(heads.c.cell_id.in_(list(cells)))
    await tx.execute(statement)


async def read_execution(
    tx: AsyncConnection, notebook: NotebookId, execution: ExecutionId
) -> tuple[Execution, list[Output]]:
    """Raises NotFound."""
    statement = select(executions).where(executions.c.id == execution, executions.c.notebook_id == notebook)
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such execution.")
    return _execution(row), json.loads(row.outputs)


async def read_heads(tx: AsyncConnection, notebook: NotebookId) -> list[tuple[Execution, list[Output]]]:
    """The execution that each cell shows."""
    statement = (
        select(executions)
        .join(heads, heads.c.execution_id == executions.c.id)
        .where(heads.c.notebook_id == notebook)
        .order_by(executions.c.position)
    )
    return [(_execution(row), json.loads(row.outputs)) for row in await tx.execute(statement)]


async def read_shown(tx: AsyncConnection, notebook: NotebookId) -> dict[CellId, ExecutionId]:
    """Which execution each cell shows."""
    rows = await tx.execute(select(heads.c.cell_id, heads.c.execution_id).where(heads.c.notebook_id == notebook))
    return {CellId(row.cell_id): ExecutionId(row.execution_id) for row in rows}


async def read_executions(
    tx: AsyncConnection, notebook: NotebookId, ids: Sequence[ExecutionId]
) -> list[tuple[Execution, list[Output]]]:
    """Those of these executions that the notebook has."""
    found: list[tuple[Execution, list[Output]]] = []
    for start in range(0, len(ids), IN_ONE_STATEMENT_MAX):
        some = ids[start : start + IN_ONE_STATEMENT_MAX]
        statement = select(executions).where(executions.c.notebook_id == notebook, executions.c.id.in_(some))
        found += [(_execution(row), json.loads(row.outputs)) for row in await tx.execute(statement)]
    return found


async def read_unfinished(tx: AsyncConnection, notebook: NotebookId) -> list[Execution]:
    """What ran or waited when it was last written down, in the order it was asked for."""
    statement = (
        select(executions)
        .where(executions.c.notebook_id == notebook, executions.c.state.in_([State.QUEUED, State.RUNNING]))
        .order_by(executions.c.position)
    )
    return [_execution(row) for row in await tx.execute(statement)]


async def notebooks_unfinished(tx: AsyncConnection) -> list[NotebookId]:
    """Notebooks that have a session or something that ran or waited."""
    running = select(executions.c.notebook_id).where(executions.c.state.in_([State.QUEUED, State.RUNNING]))
    rows = await tx.execute(select(sessions.c.notebook_id).union(running))
    return [NotebookId(row.notebook_id) for row in rows]


async def last_position(tx: AsyncConnection, notebook: NotebookId) -> int:
    """The highest place in line that was ever given."""
    statement = select(func.max(executions.c.position)).where(executions.c.notebook_id == notebook)
    return int((await tx.execute(statement)).scalar() or 0)


async def read_binding(tx: AsyncConnection, notebook: NotebookId) -> Binding | None:
    """The session of a notebook, if it has one."""
    row = (await tx.execute(select(sessions).where(sessions.c.notebook_id == notebook))).one_or_none()
    if row is None:
        return None
    return Binding(
        notebook=notebook,
        user=UserId(row.user_id),
        runtime=RuntimeId(row.runtime_id),
        kernel=KernelId(row.kernel_id),
        epoch=row.epoch,
        stored_seq=row.stored_seq,
        oom_kills=row.oom_kills,
        kernel_name=row.kernel_name,
        kernel_language=row.kernel_language,
        layer=row.layer,
    )


async def write_binding(tx: AsyncConnection, binding: Binding, now: int) -> None:
    """Keep a session, new or changed."""
    values = {_KEYS.get(key, key): value for key, value in asdict(binding).items()}
    changed = await tx.execute(update(sessions).where(sessions.c.notebook_id == binding.notebook).values(values))
    if changed.rowcount == 0:
        await tx.execute(insert(sessions).values(values | {"created_at": now}))


async def delete_binding(tx: AsyncConnection, notebook: NotebookId) -> None:
    """The notebook has no kernel any more."""
    await tx.execute(delete(sessions).where(sessions.c.notebook_id == notebook))


async def notebooks_of(tx: AsyncConnection, runtimes: Iterable[RuntimeId]) -> dict[RuntimeId, list[NotebookId]]:
    """The notebooks that are bound to each of these runtimes."""
    found: dict[RuntimeId, list[NotebookId]] = {runtime: [] for runtime in runtimes}
    statement = select(sessions.c.runtime_id, sessions.c.notebook_id).where(sessions.c.runtime_id.in_(list(found)))
    for row in await tx.execute(statement):
        found[RuntimeId(row.runtime_id)].append(NotebookId(row.notebook_id))
    return found


async def keep_blobs(tx: AsyncConnection, notebook: NotebookId, found: dict[str, tuple[str, int]]) -> None:
    """This notebook refers to these blobs: MIME type and size by SHA-256."""
    for sha256, (mime, size) in found.items():
        known = await tx.execute(
            select(blobs.c.sha256).where(blobs.c.notebook_id == notebook, blobs.c.sha256 == sha256)
        )
        if known.one_or_none() is None:
            await tx.execute(insert(blobs).values(notebook_id=notebook, sha256=sha256, mime=mime[:200], size=size))


async def read_blob_mime(tx: AsyncConnection, notebook: NotebookId, sha256: str) -> str:
    """Raises NotFound if this notebook has no such blob."""
    statement = select(blobs.c.mime).where(blobs.c.notebook_id == notebook, blobs.c.sha256 == sha256)
    mime = (await tx.execute(statement)).scalar_one_or_none()
    if mime is None:
        raise NotFound("There is no such output.")
    return str(mime)


async def copy_blobs(tx: AsyncConnection, original: NotebookId, copy: NotebookId, among: Sequence[str]) -> None:
    """The copy refers to those of these blobs that the original refers to."""
    found: dict[str, tuple[str, int]] = {}
    for start in range(0, len(among), IN_ONE_STATEMENT_MAX):
        some = among[start : start + IN_ONE_STATEMENT_MAX]
        rows = await tx.execute(select(blobs).where(blobs.c.notebook_id == original, blobs.c.sha256.in_(some)))
        found |= {row.sha256: (row.mime, row.size) for row in rows}
    await keep_blobs(tx, copy, found)


async def read_outputs_size(tx: AsyncConnection, notebook: NotebookId) -> int:
    """How many bytes the outputs that cells show take, and the large ones of the notebook."""
    shown = select(func.coalesce(func.sum(func.length(executions.c.outputs)), 0))
    shown = shown.join(heads, heads.c.execution_id == executions.c.id).where(heads.c.notebook_id == notebook)
    large = select(func.coalesce(func.sum(blobs.c.size), 0)).where(blobs.c.notebook_id == notebook)
    return int((await tx.execute(shown)).scalar_one()) + int((await tx.execute(large)).scalar_one())


async def notebooks_bound(tx: AsyncConnection, among: Sequence[NotebookId]) -> set[NotebookId]:
    """Those of these notebooks that have a session."""
    rows = await tx.execute(select(sessions.c.notebook_id).where(sessions.c.notebook_id.in_(among)))
    return {NotebookId(row.notebook_id) for row in rows}


async def delete_notebooks(tx: AsyncConnection, notebooks: Sequence[NotebookId]) -> tuple[list[RuntimeId], list[str]]:
    """Everything of these notebooks goes: the runtimes and the large outputs that they had."""
    runtimes = await tx.execute(select(sessions.c.runtime_id).where(sessions.c.notebook_id.in_(notebooks)))
    large = await tx.execute(select(blobs.c.sha256).where(blobs.c.notebook_id.in_(notebooks)).distinct())
    found = [RuntimeId(row.runtime_id) for row in runtimes], [str(row.sha256) for row in large]
    for table in (sessions, executions, heads, blobs):
        await tx.execute(delete(table).where(table.c.notebook_id.in_(notebooks)))
    await environment_store.delete_notebooks(tx, notebooks)
    await widget_store.delete_states(tx, notebooks)
    return found


async def blobs_in_use(tx: AsyncConnection, among: Sequence[str]) -> set[str]:
    """Those that some notebook has."""
    found: set[str] = set()
    for start in range(0, len(among), IN_ONE_STATEMENT_MAX):
        some = among[start : start + IN_ONE_STATEMENT_MAX]
        found |= set((await tx.execute(select(blobs.c.sha256).where(blobs.c.sha256.in_(some)))).scalars())
    return found


def _row(execution: Execution, outputs: list[Output]) -> dict[str, Any]:
    values = {_KEYS.get(key, key): value for key, value in asdict(execution).items()}
    values["user_name"] = execution.user_name[:200]
    values["input"] = None if execution.input is None else json.dumps(execution.input)
    values["outputs"] = json.dumps(outputs, ensure_ascii=False, separators=(",", ":"))
    values["state"] = str(execution.state)
    return values


def _execution(row: Row[Any]) -> Execution:
    return Execution(
        id=ExecutionId(row.id),
        notebook=NotebookId(row.notebook_id),
        cell=CellId(row.cell_id),
        user=UserId(row.user_id),
        user_name=row.user_name,
        position=row.position,
        source=row.source,
        source_hash=row.source_hash,
        state=State(row.state),
        count=row._mapping["count"],
        reason=row.reason,
        input=None if row.input is None else json.loads(row.input),
        environment=row.environment,
        saved=row.saved,
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
