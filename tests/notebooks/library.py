"""Accounts, a drive and notebooks, and a plain writer of edits."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts
from collegium.accounts.settings import AccountsSettings
from collegium.drive.adapters import LocalBlobs
from collegium.drive.service import Drive
from collegium.drive.settings import DriveSettings
from collegium.ground.db import Database, open_database, sqlite_url
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import CellId, ExecutionId, NotebookId, UserId
from collegium.ground.news import News
from collegium.notebooks.model import CellOutputs
from collegium.notebooks.service import Author, Document, Entry, Lane, Notebooks, open_notebooks
from collegium.notebooks.settings import NotebookSettings


class NoOutputs:
    """Forgets what it is given."""

    async def outputs(self, notebook: NotebookId) -> dict[CellId, CellOutputs]:
        return {}

    async def imported(
        self, tx: AsyncConnection, notebook: NotebookId, outputs: dict[CellId, CellOutputs], user: UserId
    ) -> None:
        return None

    async def shown(self, notebook: NotebookId) -> dict[CellId, ExecutionId]:
        return {}

    async def outputs_of(
        self, notebook: NotebookId, executions: Collection[ExecutionId], *, whole: bool
    ) -> dict[ExecutionId, CellOutputs]:
        return {}

    async def show(self, notebook: NotebookId, shown: dict[CellId, ExecutionId | None]) -> None:
        return None


@dataclass
class Reports:
    """What the writer said of a lane's entries."""

    committed_seqs: list[int] = field(default_factory=list)
    lost_seqs: list[int] = field(default_factory=list)
    error: CollegiumError | None = None

    def committed(self, entries: list[Entry]) -> None:
        self.committed_seqs += [entry.seq for entry in entries]

    def lost(self, entries: list[Entry], error: CollegiumError) -> None:
        self.lost_seqs += [entry.seq for entry in entries]
        self.error = error


class Typing:
    """An open copy of a notebook that is typed into."""

    def __init__(self, document: Document, lane: Lane, reports: Reports) -> None:
        self.document = document
        self.lane = lane
        self.reports = reports

    def type(self, text: str) -> int:
        """Put this before the first cell's text; the sequence number."""
        update = self.document.edit(lambda editor: editor.set_source(CellId("c0"), text + self.source()))
        assert update is not None
        return self.lane.submit(update, Author(self.document.client), "test")

    def source(self) -> str:
        return self.document.source(CellId("c0")) or ""

    async def until(self, seq: int) -> None:
        """Wait until this edit is on disk, or known to be lost."""
        with anyio.fail_after(20):
            while seq not in self.reports.committed_seqs and seq not in self.reports.lost_seqs:
                await anyio.sleep(0.001)


@dataclass
class Library:
    """The parts, and somebody to use them."""

    database: Database
    accounts: Accounts
    drive: Drive
    notebooks: Notebooks

    async def person(self, name: str) -> Principal:
        user = await self.accounts.create_user(f"{name.lower()}@example.org", name, "correct horse")
        secret = await self.accounts.create_token(user.email, "test")
        principal = await self.accounts.principal_by_token(secret)
        assert principal is not None
        return principal

    async def notebook(self, owner: Principal, source: str = "") -> NotebookId:
        cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": source, "outputs": []}
        file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
        return (await self.notebooks.create(owner, name="test.ipynb", folder=None, file=file)).id

    async def typing(self, notebook: NotebookId) -> Typing:
        opened = await self.notebooks.open(notebook)
        reports = Reports()
        lane = self.notebooks.writer.lane(notebook, opened.epoch, opened.head, opened.clients, reports)
        return Typing(opened.document, lane, reports)

    async def source(self, notebook: NotebookId) -> str:
        return (await self.notebooks.content(notebook)).cells[0].source


@asynccontextmanager
async def open_library(
    data: Path, settings: NotebookSettings | None = None, *, url: str | None = None
) -> AsyncIterator[Library]:
    """All of it, on a folder; on SQLite, if no other database is named."""
    quick = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with open_database(url or sqlite_url(data / "collegium.db")) as database:
        accounts = Accounts(database, quick, AccountsSettings())
        drive = Drive(database, LocalBlobs(data / "blobs"), accounts, News(), DriveSettings())
        async with open_notebooks(database, drive, NoOutputs(), settings or NotebookSettings()) as notebooks:
            yield Library(database, accounts, drive, notebooks)
