"""A whole server but its doors and its machines, for what needs documents and outputs too."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from collegium.accounts.model import Principal
from collegium.app import House, open_house
from collegium.drive.settings import DriveSettings
from collegium.ground.ids import CellId, ItemId, NotebookId, TokenId, new_id
from collegium.notebooks.model import CellOutputs
from collegium.settings import Settings


@asynccontextmanager
async def opened(data: Path, database_url: str, drive: DriveSettings | None = None) -> AsyncIterator[House]:
    """The house on this folder and database."""
    data.mkdir(exist_ok=True)
    url = None if database_url.startswith("sqlite") else database_url
    settings = Settings(data=data, engine="none", database_url=url, drive=drive or DriveSettings())
    async with open_house(settings) as house:
        yield house


async def somebody(house: House, name: str) -> Principal:
    """A new user."""
    user = await house.accounts.create_user(f"{name.lower()}@example.org", name, "correct horse battery")
    return Principal(user.id, user.name, user.email, user.admin, token=TokenId(new_id()))


def ipynb(
    cells: Mapping[str, str],
    *,
    outputs: Mapping[str, list[dict[str, Any]]] | None = None,
    colab: Mapping[str, Any] | None = None,
) -> bytes:
    """A notebook file with these code cells by their id, what they show, and what Colab would say of it."""
    shown = outputs or {}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"colab": {"runtime_attributes": {"runtime_version": "2026.11"}} | dict(colab or {})},
            "cells": [
                {
                    "id": id,
                    "cell_type": "code",
                    "metadata": {},
                    "source": source,
                    "outputs": shown.get(id, []),
                    "execution_count": 7 if id in shown else None,
                }
                for id, source in cells.items()
            ],
        }
    ).encode()


def printed(text: str) -> list[dict[str, Any]]:
    """The outputs of a cell that printed this."""
    return [{"output_type": "stream", "name": "stdout", "text": text}]


async def notebook(
    house: House, owner: Principal, name: str, file: bytes | None = None, folder: ItemId | None = None
) -> NotebookId:
    """A notebook in a folder, or in the root."""
    made = await house.notebooks.create(owner, name=name, folder=folder, file=file, top=folder is None)
    return made.id


async def sources(house: House, notebook: str) -> dict[str, str]:
    """The cells of a notebook as they are on disk."""
    return {cell.id: cell.source for cell in (await house.notebooks.content(NotebookId(notebook))).cells}


async def edit(house: House, notebook: str, cell: str, source: str) -> None:
    """Change a cell as the server does for a colleague."""
    async with house.rooms.open_here(NotebookId(notebook)) as room:
        await room.edit(lambda editor: editor.set_source(CellId(cell), source), origin="test")


async def outputs(house: House, notebook: str) -> dict[CellId, CellOutputs]:
    """What each cell shows."""
    return await house.sessions.outputs(NotebookId(notebook))
