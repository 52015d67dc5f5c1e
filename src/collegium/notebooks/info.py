"""What a person may want to know of a notebook: how long it is, and who wrote in it last."""

from dataclasses import dataclass

import anyio.to_thread

from collegium.accounts.service import Accounts
from collegium.ground.db import Database
from collegium.ground.ids import NotebookId, UserId
from collegium.notebooks import store
from collegium.notebooks.model import Content
from collegium.notebooks.service import Notebooks


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a notebook is, what is in its own trash not counted."""

    code_cells: int
    text_cells: int
    words: int
    code_lines: int


@dataclass(frozen=True, slots=True)
class NotebookInfo:
    """What is told of a notebook beside its place in a drive."""

    lengths: Lengths
    runtime_version: str | None
    omits_outputs: bool
    modified_by: str | None
    """The name of who made the latest edit that is still in the log."""


async def notebook_info(
    database: Database, notebooks: Notebooks, accounts: Accounts, notebook: NotebookId
) -> NotebookInfo:
    """As far as it is on disk. Raises NotFound."""
    content = await notebooks.content(notebook)
    async with database.read() as tx:
        author = await store.read_last_author(tx, notebook)
    people = await accounts.users_by_ids([] if author is None else [UserId(author)])
    return NotebookInfo(
        lengths=await anyio.to_thread.run_sync(lengths_of, content),
        runtime_version=_runtime_version(content),
        omits_outputs=content.omits_outputs,
        modified_by=people[UserId(author)].name if author in people else None,
    )


def lengths_of(content: Content) -> Lengths:
    """Words are those of text cells; lines are those of code that are not empty."""
    code = [cell.source for cell in content.shown if cell.type == "code"]
    text = [cell.source for cell in content.shown if cell.type != "code"]
    return Lengths(
        code_cells=len(code),
        text_cells=len(text),
        words=sum(len(source.split()) for source in text),
        code_lines=sum(1 for source in code for line in source.splitlines() if line.strip()),
    )


def _runtime_version(content: Content) -> str | None:
    colab = content.metadata.get("colab")
    attributes = colab.get("runtime_attributes") if isinstance(colab, dict) else None
    version = attributes.get("runtime_version") if isinstance(attributes, dict) else None
    return version[:64] if isinstance(version, str) else None
