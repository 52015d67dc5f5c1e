"""A process that types into a notebook and says which edits are on disk, until it is killed.

    python dying_writer.py DATA DATABASE NOTEBOOK [STATEMENT]

With STATEMENT it compacts instead, and kills itself just before the SQL statement of that number.
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
from collegium.notebooks.settings import NotebookSettings
from notebooks.library import open_library


async def write(data: Path, url: str, notebook: NotebookId) -> None:
    async with open_library(data, url=url) as library:
        typing = await library.typing(notebook)
        said = 0
        number = len(typing.source().split(";")) - 1
        while True:
            for _ in range(5):
                number += 1
                typing.type(f"{number};")
            await typing.until(typing.lane.head)
            for _ in typing.reports.committed_seqs[said:]:
                said += 1
            os.write(1, f"{number}\n".encode())


async def compact(data: Path, url: str, notebook: NotebookId, statement: int) -> None:
    async with open_library(data, NotebookSettings(retention_days=0), url=url) as library:
        count = 0

        def executed(*_: object) -> None:
            nonlocal count
            count += 1
            if count == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", executed)
        event.listen(Engine, "commit", executed)
        await library.notebooks.compact(notebook)


if len(sys.argv) > 4:
    anyio.run(compact, Path(sys.argv[1]), sys.argv[2], NotebookId(sys.argv[3]), int(sys.argv[4]))
else:
    anyio.run(write, Path(sys.argv[1]), sys.argv[2], NotebookId(sys.argv[3]))
