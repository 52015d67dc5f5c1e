"""`collegium run`: a notebook from top to bottom, in a sandbox, in a house that exists only meanwhile."""

import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from collegium.accounts.model import Principal
from collegium.app import House, open_house
from collegium.ground.errors import Invalid
from collegium.ground.ids import NotebookId, new_id
from collegium.runtimes.adapters import LocalEngine
from collegium.sessions.adapters import RoomDocuments
from collegium.sessions.model import Execution, State
from collegium.settings import Settings

POLL_SECONDS = 0.05
PARAMETERS_TAG = "parameters"
COLUMNS = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())

console = Console(stderr=True)


async def run_notebook(settings: Settings, path: Path, output: Path | None, parameters: dict[str, str]) -> bool:
    """Run it, write it to `output` with its outputs, and say whether a cell failed. Raises CollegiumError."""
    file = with_parameters(path.read_bytes(), parameters)
    with tempfile.TemporaryDirectory(prefix="collegium-run-", dir="/var/tmp") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o711)
        Path(folder).chmod(0o711)
        alone = settings.model_copy(
            update={
                "data": data,
                "database_url": None,
                "runtimes": settings.runtimes.model_copy(update={"environments": settings.environments, "pool": 0}),
            }
        )
        try:
            async with open_house(alone) as house:
                return await _run(house, path.name, file, output)
        finally:
            with anyio.CancelScope(shield=True):
                if alone.engine == "local":
                    await LocalEngine(data, environments=alone.environments).stop(runtimes=True)


async def _run(house: House, name: str, file: bytes, output: Path | None) -> bool:
    user = await house.accounts.create_user("run@localhost.localdomain", "collegium run", new_id())
    principal = Principal(user.id, user.name, user.email, admin=False)
    made = await house.notebooks.create(principal, name=name, folder=None, file=file)
    notebook = NotebookId(made.id)
    failed = None
    try:
        queued = await house.sessions.execute(principal, notebook, None)
        failed = await _followed(house, principal, notebook, queued)
    finally:
        if output is not None:
            output.write_bytes(await house.notebooks.export(notebook, "ipynb", name=name))
        with anyio.CancelScope(shield=True):
            for runtime in await house.runtimes.list():
                await house.runtimes.release(runtime.id)
    if failed is not None:
        _explain(*failed)
    return failed is not None


async def _followed(
    house: House, principal: Principal, notebook: NotebookId, queued: list[Execution]
) -> tuple[Execution, list[dict[str, Any]]] | None:
    """Wait for each; the first that failed, with its outputs."""
    documents = RoomDocuments(house.rooms)
    with Progress(*COLUMNS, console=console, transient=True) as progress:
        bar = progress.add_task("Running", total=len(queued))
        for number, one in enumerate(queued):
            while True:
                execution, outputs = await house.sessions.execution(principal, notebook, one.id)
                if execution.state in (State.FINISHED, State.FAILED, State.CANCELLED):
                    break
                await anyio.sleep(POLL_SECONDS)
            if execution.state is not State.FINISHED and not await documents.may_fail(notebook, execution.cell):
                return execution, outputs
            progress.update(bar, completed=number + 1)
    return None


def _explain(execution: Execution, outputs: list[dict[str, Any]]) -> None:
    console.print(f"[red]Cell {execution.cell} failed.[/red] {execution.reason or ''}")
    for output in outputs:
        if output["output_type"] == "error":
            console.out("\n".join(output["traceback"]), highlight=False)


def with_parameters(file: bytes, parameters: dict[str, str]) -> bytes:
    """Put a cell with these values behind the one tagged `parameters`, or first; each value as JSON or as text.

    The tag is papermill's, so notebooks made for it work. Raises Invalid if the file is no notebook.
    """
    if not parameters:
        return file
    try:
        notebook = json.loads(file)
        cells = notebook["cells"]
        tagged = [n for n, c in enumerate(cells) if PARAMETERS_TAG in c.get("metadata", {}).get("tags", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("This file is not a notebook of format 4.") from error
    source = "".join(f"{name} = {_literal(value)}\n" for name, value in parameters.items())
    injected: dict[str, Any] = {
        "cell_type": "code",
        "id": "injected-parameters",
        "metadata": {"tags": ["injected-parameters"]},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    cells.insert(tagged[0] + 1 if tagged else 0, injected)
    return json.dumps(notebook).encode()


def _literal(value: str) -> str:
    try:
        return repr(json.loads(value))
    except ValueError:
        return repr(value)
