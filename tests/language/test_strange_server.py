"""A language server that is none: whatever it does, its lines end, and nothing else does."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from agent_process import AgentProcess, agent_process
from collegium.ground.errors import CollegiumError
from collegium.kernels.language import Ended, LanguageClient
from collegium.kernels.side import ask

pytestmark = pytest.mark.anyio

WELCOME = """
import json, sys, time
def say(message):
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.flush()
say({"jsonrpc": "2.0", "id": 1, "result": {"capabilities": {}}})
"""
WAIT = "sys.stdout.flush(); time.sleep(60)"
STRANGE = {
    "garbage": (f"sys.stdout.write('hello, world\\r\\n' * 9); {WAIT}", "nonsense"),
    "endless header": (f"sys.stdout.write('x' * 1000000); {WAIT}", "nonsense"),
    "too much": (f"sys.stdout.write('Content-Length: 99999999\\r\\n\\r\\n'); {WAIT}", "nonsense"),
    "less than nothing": (f"sys.stdout.write('Content-Length: -1\\r\\n\\r\\n'); {WAIT}", "nonsense"),
    "no object": (f"say([1, 2]); {WAIT}", "nonsense"),
    "deep": (f"sys.stdout.write('Content-Length: 200000\\r\\n\\r\\n' + '[' * 200000); {WAIT}", "nonsense"),
    "a report of nothing": (f"say({{'method': 'textDocument/publishDiagnostics'}}); {WAIT}", "nonsense"),
    "its end": ("pass", "died"),
    "memory": (f"x = b'x' * (900 << 20); {WAIT}", "memory"),
}


@contextmanager
def strange(folder: Path, script: str) -> Iterator[AgentProcess]:
    program = folder / "ty"
    program.write_text(f"#!/usr/bin/python3\n{script}")
    program.chmod(0o755)
    with agent_process(env={"COLLEGIUM_LANGUAGE_PROGRAMS": str(folder)}) as agent:
        yield agent


async def attached(agent: AgentProcess) -> None:
    with anyio.fail_after(60):
        async with LanguageClient(agent.connect).attach():
            raise AssertionError("nobody was there")


@pytest.mark.parametrize("kind", STRANGE)
async def test_whatever_it_does_the_line_ends_and_the_agent_goes_on(kind: str, tmp_path: Path) -> None:
    script, why = STRANGE[kind]
    with strange(tmp_path, WELCOME + "time.sleep(0.5)\n" + script) as agent, anyio.fail_after(60):
        async with LanguageClient(agent.connect).attach() as stream:
            assert await stream.receive() == Ended(why)

        assert (await ask(agent.connect, {"op": "terminals_list"})) == {"terminals": []}


async def test_one_that_never_welcomes_is_not_waited_for(tmp_path: Path) -> None:
    with strange(tmp_path, "import sys; sys.exit(1)") as agent, pytest.raises(CollegiumError, match="did not start"):
        await attached(agent)


async def test_where_there_is_none_nobody_waits(tmp_path: Path) -> None:
    nothing = {"COLLEGIUM_LANGUAGE_PROGRAMS": str(tmp_path)}
    with agent_process(env=nothing) as agent, pytest.raises(CollegiumError, match="no language server"):
        await attached(agent)


async def test_a_page_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    flood = "while True: say({'method': 'textDocument/publishDiagnostics', 'params': {'uri': 'notebook-cell:/%s/0',"
    script = (
        WELCOME
        + "import re\nname = re.search(rb'notebook-cell:/([0-9a-f]+)/', sys.stdin.buffer.read1(100000))\n"
        + "while name is None: name = re.search(rb'notebook-cell:/([0-9a-f]+)/', sys.stdin.buffer.read1(100000))\n"
        + f"number = 0\n{flood} 'n': (number := number + 1), 'x': 'x' * 100000}}}})".replace(
            "%s", "' + name[1].decode() + '"
        )
    )
    with strange(tmp_path, script) as agent, anyio.fail_after(60):
        async with LanguageClient(agent.connect).attach() as stream:
            uri = f"notebook-cell:/{stream.name}/0"
            await stream.send(
                '{"method": "notebookDocument/didOpen", "params": {"notebookDocument": {"uri": "n"},'
                f'"cellTextDocuments": [{{"uri": "{uri}"}}]}}}}'
            )
            await anyio.sleep(3)
            read = 0
            with contextlib.suppress(CollegiumError):
                while not isinstance(message := await stream.receive(), Ended):
                    read += len(message)

        assert read < 64 << 20
        assert (await ask(agent.connect, {"op": "terminals_list"})) == {"terminals": []}
