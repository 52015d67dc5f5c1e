"""A process that makes a revision, and kills itself just before the SQL statement of a number.

python dying_reviser.py DATA URL NOTEBOOK STATEMENT
"""

import os
import signal
import sys
from pathlib import Path

import anyio
from sqlalchemy import event
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).parents[1]))

from collegium.ground.ids import NotebookId
from collegium.notebooks.history import RevisionKind
from collegium.notebooks.settings import NotebookSettings
from notebooks.library import open_library

FORGETFUL = NotebookSettings(retention_days=0, revisions_all_days=0, revisions_daily_days=0)


async def revise(data: Path, url: str, notebook: NotebookId, statement: int) -> None:
    async with open_library(data, FORGETFUL, url=url) as library:
        count = 0

        def executed(*_: object) -> None:
            nonlocal count
            count += 1
            if count == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", executed)
        event.listen(Engine, "commit", executed)
        await library.notebooks.revisions.make(notebook, RevisionKind.AUTO)


anyio.run(revise, Path(sys.argv[1]), sys.argv[2], NotebookId(sys.argv[3]), int(sys.argv[4]))
