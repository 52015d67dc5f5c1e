"""What a page says to the language server, in Python."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from agent_process import AgentProcess
from collegium.kernels.language import Ended, LanguageClient, LanguageStream

PATIENCE_SECONDS = 60


@dataclass
class Page:
    """A notebook that is open in one tab."""

    stream: LanguageStream
    folder: str
    numbers: int = 0
    told: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """What is said of each cell, by its place."""

    @property
    def notebook(self) -> str:
        return f"file://{self.folder}/.{self.stream.name}.ipynb"

    def uri(self, at: int) -> str:
        return f"notebook-cell:/{self.stream.name}/{at}"

    async def say(self, method: str, params: Any) -> None:
        await self.stream.send(json.dumps({"method": method, "params": params}))

    async def open(self, *cells: str) -> None:
        listed = [{"kind": 2, "document": self.uri(at)} for at in range(len(cells))]
        texts = [
            {"uri": self.uri(at), "languageId": "python", "version": 1, "text": text} for at, text in enumerate(cells)
        ]
        notebook = {"uri": self.notebook, "notebookType": "jupyter-notebook", "version": 1, "cells": listed}
        await self.say("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})

    async def ask(self, method: str, params: Any) -> Any:
        self.numbers += 1
        await self.stream.send(json.dumps({"id": self.numbers, "method": method, "params": params}))
        with anyio.fail_after(PATIENCE_SECONDS):
            while True:
                message = await self.hear()
                if message.get("id") == self.numbers:
                    assert "error" not in message, message["error"]
                    return message["result"]

    async def at(self, what: str, cell: int, line: int, character: int, **more: Any) -> Any:
        position = {"line": line, "character": character}
        params = {"textDocument": {"uri": self.uri(cell)}, "position": position, **more}
        return await self.ask(f"textDocument/{what}", params)

    async def hear(self) -> dict[str, Any]:
        message = await self.stream.receive()
        assert not isinstance(message, Ended), message
        parsed: dict[str, Any] = json.loads(message)
        if parsed.get("method") == "textDocument/publishDiagnostics":
            place = parsed["params"]["uri"].rsplit("/", 1)[1]
            self.told[int(place)] = parsed["params"]["diagnostics"]
        return parsed

    async def end(self) -> str:
        with anyio.fail_after(PATIENCE_SECONDS):
            while not isinstance(message := await self.stream.receive(), Ended):
                continue
        return message.why


@asynccontextmanager
async def page(agent: AgentProcess) -> AsyncIterator[Page]:
    async with LanguageClient(agent.connect).attach() as stream:
        yield Page(stream, str(agent.content))
