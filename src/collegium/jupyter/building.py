"""The Jupyter API as a whole, built from the parts below it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from sqlalchemy.exc import SQLAlchemyError

from collegium.drive.ports import Blobs
from collegium.drive.service import Drive
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError
from collegium.ground.log import get_log
from collegium.jupyter.checkpoints import Checkpoints
from collegium.jupyter.contents import Contents
from collegium.jupyter.notebooks import NotebookFiles
from collegium.jupyter.ports import Machines, Pages, Specs
from collegium.jupyter.service import Jupyter, open_jupyter
from collegium.jupyter.tree import Tree
from collegium.jupyter.uploads import Uploads
from collegium.notebooks.service import Notebooks
from collegium.rooms.service import Rooms
from collegium.sessions.service import Sessions

log = get_log("jupyter")


@dataclass(frozen=True, slots=True)
class JupyterApi:
    """Kernels and sessions, contents, and checkpoints."""

    jupyter: Jupyter
    contents: Contents
    checkpoints: Checkpoints


@asynccontextmanager
async def open_jupyter_api(
    *,
    db: Database,
    drive: Drive,
    notebooks: Notebooks,
    rooms: Rooms,
    sessions: Sessions,
    machines: Machines,
    specs: Specs,
    pages: Pages,
    blobs: Blobs,
    uploads: Path,
    begin: bool = True,
) -> AsyncIterator[JupyterApi]:
    """All of it; at the end its kernels run on. `blobs` keeps checkpoints, and nothing else."""
    tree = Tree(drive)
    files = NotebookFiles(db, drive, notebooks, rooms, sessions)
    pieces = Uploads(uploads, bytes_max=int(drive.settings.file_size_max))
    checkpoints = Checkpoints(db, blobs, drive, tree, files)
    async with open_jupyter(db, machines, specs, pages, begin=begin) as jupyter, anyio.create_task_group() as tasks:
        tasks.start_soon(_tidy, db, checkpoints)
        try:
            yield JupyterApi(jupyter, Contents(drive, tree, files, pieces), checkpoints)
        finally:
            tasks.cancel_scope.cancel()


async def _tidy(db: Database, checkpoints: Checkpoints) -> None:
    await db.until_in_charge()
    try:
        await checkpoints.tidy()
    except (CollegiumError, SQLAlchemyError, OSError) as error:
        # They take room and harm nobody: the next start tries again.
        log.warning("checkpoints.untidied", exc_info=error)
