"""The whole server without runtimes, a notebook of Ada's, and people with each role on it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal, Role
from collegium.app import House, create_app, open_house
from collegium.comments.settings import CommentSettings
from collegium.ground.db import is_sqlite
from collegium.ground.ids import ItemId
from collegium.notifications.settings import MailSettings
from collegium.notifications.store import choices, mails, notifications
from collegium.settings import Settings
from rooms.house import serving

PASSWORD = "correct horse battery"
ROLES = {"Cleo": Role.COMMENTER, "Ed": Role.EDITOR, "Vi": Role.VIEWER}
"""Ada owns the notebook, these have their roles on it, and Eve is a stranger."""


def address_of(name: str) -> str:
    return f"{name.lower()}@example.org"


@dataclass
class Site:
    """Where the server listens, the notebook, and everybody's clients."""

    house: House
    port: int
    notebook: str
    people: dict[str, Principal]
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/notebooks/{self.notebook}/comments"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def share(self, roles: Mapping[str, Role]) -> None:
        """Give the roles; from here on nobody was told anything yet."""
        postman = self.house.notifications.postman
        if postman is not None:
            postman.authority = None
        for name, role in roles.items():
            await self.house.drive.grant(self.people["Ada"], ItemId(self.notebook), address_of(name), role)
        async with self.house.database.write() as tx:
            await tx.execute(delete(notifications))
            await tx.execute(delete(mails))
            await tx.execute(delete(choices))
        if postman is not None:
            postman.authority = self.house.drive

    async def anew(self) -> "Site":
        """The same server with another notebook."""
        notebook = await self.another_notebook("Ada", "lesson.ipynb")
        fresh = replace(self, notebook=notebook)
        await fresh.share(ROLES)
        return fresh

    async def begin(self, who: str, text: str = "What is this?", **place: Any) -> dict[str, Any]:
        """A thread on the first cell."""
        body = {"place": {"cell": "c0"} | place, "text": text}
        answer = (await self.clients[who].post(self.path, json=body)).raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    async def reply(self, who: str, thread: str, text: str) -> dict[str, Any]:
        answer = (await self.clients[who].post(f"{self.path}/{thread}", json={"text": text})).raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    async def threads(self, who: str) -> list[dict[str, Any]]:
        answer = (await self.clients[who].get(self.path)).raise_for_status()
        threads: list[dict[str, Any]] = answer.json()["threads"]
        return threads

    async def told(self, who: str) -> list[tuple[str, str]]:
        """What somebody was told, the latest first: the kind and the text."""
        answer = (await self.clients[who].get("/me/notifications")).raise_for_status()
        return [(one["kind"], one["text"]) for one in answer.json()["notifications"]]

    async def another_notebook(self, owner: str, name: str = "other.ipynb") -> str:
        cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": "x = 1", "outputs": []}
        file = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
        made = await self.house.notebooks.create(self.people[owner], name=name, folder=None, file=file)
        return str(made.id)


@asynccontextmanager
async def open_site(
    data: Path,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    comments: CommentSettings | None = None,
    mail: MailSettings | None = None,
    roles: Mapping[str, Role] = ROLES,
) -> AsyncIterator[Site]:
    """A running server on this empty database."""
    quick = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr("collegium.app.Argon2Passwords", lambda: quick)
    settings = Settings(
        data=data,
        engine="none",
        database_url=None if is_sqlite(url) else url,
        comments=comments or CommentSettings(),
        mail=mail or MailSettings(),
    )
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings))
        site = Site(house, 0, "", {})
        for name in ("Ada", *roles, "Eve"):
            await house.accounts.create_user(address_of(name), name, PASSWORD)
            site.tokens[name] = await house.accounts.create_token(address_of(name), "t")
            principal = await house.accounts.principal_by_token(site.tokens[name])
            assert principal is not None
            site.people[name] = principal
        site.notebook = await site.another_notebook("Ada", "lesson.ipynb")
        await site.share(roles)
        site.port = await stack.enter_async_context(serving(create_app(house)))
        for name, token in site.tokens.items():
            site.clients[name] = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"{site.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
                )
            )
        yield site
