"""When the language server is ended though nothing is wrong with it."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from collegium_agent import language
from collegium_agent.language import LanguageServer, Tab

pytestmark = pytest.mark.anyio

QUIET = """#!/usr/bin/python3
import json, sys, time
body = json.dumps({"id": 1, "result": {}}).encode()
sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
sys.stdout.flush()
time.sleep(60)
"""


class NoSide:
    """Whoever is talked to here says nothing."""

    async def send(self, header: dict[str, Any], buffer: bytes = b"") -> None:
        """It is not heard."""


@pytest.fixture
def anyio_backend() -> str:
    """The agent is asyncio's alone."""
    return "asyncio"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(language, "LOOK_SECONDS", 0.05)
    return monkeypatch


async def why_ended(folder: Path, *, tab: Tab | None, asked: bool = False) -> str:
    program = folder / "ty"
    program.write_text(QUIET)
    program.chmod(0o755)
    server = LanguageServer(program, str(folder))
    if tab is not None:
        server.join(tab)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        with anyio.fail_after(30):
            await server.ready.wait()
            if tab is not None and asked:
                await server.take(tab, {"id": 1, "method": "textDocument/hover", "params": {}})
            return await server.ended


async def test_nobody_is_there_any_more(quick: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick.setattr(language, "ALONE_SECONDS", 0.1)

    assert await why_ended(tmp_path, tab=None) == "idle"


async def test_whoever_is_there_says_nothing_for_long(quick: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick.setattr(language, "ALONE_SECONDS", 0.0)
    quick.setattr(language, "IDLE_SECONDS", 0.3)

    assert await why_ended(tmp_path, tab=Tab(NoSide())) == "idle"  # type: ignore[arg-type]


async def test_it_does_not_answer(quick: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick.setattr(language, "ANSWER_SECONDS_MAX", 0.2)

    assert await why_ended(tmp_path, tab=Tab(NoSide()), asked=True) == "silent"  # type: ignore[arg-type]


async def test_too_much_at_once_is_refused_one_by_one(quick: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tab = Tab(NoSide())  # type: ignore[arg-type]
    program = tmp_path / "ty"
    program.write_text(QUIET)
    program.chmod(0o755)
    server = LanguageServer(program, str(tmp_path))
    server.join(tab)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        with anyio.fail_after(30):
            await server.ready.wait()
            for number in range(language.PENDING_MAX + 2):
                await server.take(tab, {"id": number, "method": "textDocument/hover", "params": {}})
        refused = [json.loads(tab.outbox.get_nowait() or b"") for _ in range(tab.outbox.qsize())]
        server.stop("idle")

    assert [one["id"] for one in refused] == [language.PENDING_MAX, language.PENDING_MAX + 1]
    assert all("error" in one for one in refused)
