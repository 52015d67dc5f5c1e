"""The language server and the formatter, real ones, through a real agent."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from agent_process import AgentProcess
from collegium.ground.errors import CollegiumError
from language.page import page

pytestmark = pytest.mark.anyio

MAGICS = [
    "%%sql\nselect * from t where x = 'a\n",
    "%%bash\necho hi | grep 'x\n",
    "  %%bash\nls |",
    "# said first\n%%bash\nls |",
    "%%html\n<b>hi</b",
    "%%javascript\nvar x = 'a';",
    "%%R -i df\nx <- c(1,2",
    "%%writefile a.py\ndef (:\n",
    "%%capture said\nquiet = 1\n",
    "%%time -x\nquick = 1\n",
    "%matplotlib inline\n!pip install -q 'a>=1' && echo \"x\nafter = 1",
    "if True:\n    !ls -l\n    %cd ..\nfor f in ['a']:\n    !echo {f} $f\n",
    "r = %sql select 1\ns = !ls\nt = %timeit -o 1\nprint(r, s, t)",
    "?print\nprint??\nprint.__doc__?\n",
    "'''\n%not a magic\n!nor this\n'''\n'%d' % 3\n5 % 3\n",
    "f'{known!r:>{10}} {\"é𝒳\"}' f'{ {1: 2}[1] }'\n",
    "#@title T { run: 'auto' }\nn = 5 #@param {type:'slider'}",
    "async def f():\n    yield 1\nasync for one in f(): print(one)\nawait f().aclose()",
]
"""Nothing here is wrong, and each is followed by a cell that shows whether places still are where they were."""


@pytest.mark.parametrize("cell", MAGICS)
async def test_a_notebooks_own_lines_are_no_errors_and_move_nothing(agent: AgentProcess, cell: str) -> None:
    async with page(agent) as tab:
        await tab.open("known = 1", cell, "𝒳 = '𝒳'; known; n0where")
        found = await tab.at("definition", 2, 0, 12)
        while 2 not in tab.told:
            await tab.hear()

        assert [one["message"] for one in tab.told.get(1, []) if one["severity"] == 1] == []
        assert found[0]["uri"] == tab.uri(0)
        [wrong] = tab.told[2]
        assert wrong["range"]["start"] == {"line": 0, "character": 18}


async def test_it_knows_the_environment_and_the_other_cells(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.open(
            "import json\ndef mean(values):\n    '''Mean of *values*.'''\n    return 1", "mean([1])\njson.du"
        )

        offered = await tab.at("completion", 1, 1, 7)
        shown = await tab.at("hover", 1, 0, 2)
        renamed = await tab.at("rename", 1, 0, 2, newName="average")

        assert {"dump", "dumps"} <= {one["label"] for one in offered["items"]}
        dump = next(one for one in offered["items"] if one["label"] == "dump")
        assert "documentation" not in dump
        document = await tab.ask("collegium/documentation", {"of": offered["of"], "at": dump["at"]})
        assert "Serialize" in document["value"]
        assert await tab.ask("collegium/documentation", {"of": offered["of"] - 1, "at": 0}) is None
        assert "Mean of *values*." in shown["contents"]["value"]
        assert {uri: len(edits) for uri, edits in renamed["changes"].items()} == {tab.uri(0): 1, tab.uri(1): 1}


async def test_every_tab_hears_of_its_own_cells_alone(agent: AgentProcess) -> None:
    async with page(agent) as one, page(agent) as other:
        await one.open("x: int = 'a'")
        await other.open("y: int = 1")
        await other.at("hover", 0, 0, 0)
        await one.at("hover", 0, 0, 0)
        while 0 not in one.told:
            await one.hear()

        assert [found["code"] for found in one.told[0]] == ["invalid-assignment"]
        assert other.told.get(0, []) == []


async def test_what_was_said_of_a_cell_is_not_said_again(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.open("x: int = 'a'", "y = 1")
        while 0 not in tab.told:
            await tab.hear()
        tab.told.clear()
        document = {"uri": tab.uri(1), "version": 2}
        change = {"cells": {"textContent": [{"document": document, "changes": [{"text": "y = n0where"}]}]}}
        await tab.say(
            "notebookDocument/didChange", {"notebookDocument": {"uri": tab.notebook, "version": 2}, "change": change}
        )
        while 1 not in tab.told:
            await tab.hear()
        await tab.at("hover", 0, 0, 0)

        assert tab.told.keys() == {1}


async def test_a_server_that_is_killed_ends_its_lines_and_the_next_finds_another(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.open("x = 1")
        subprocess.run(["kill", "-9", *map(str, servers(agent))], check=True)

        assert await tab.end() == "died"
    async with page(agent) as tab:
        await tab.open("x = 1")
        assert await tab.at("hover", 0, 0, 0) is not None


async def test_the_kernel_goes_first_and_the_server_goes_when_memory_runs_out(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.open("x = 1")

        [server] = servers(agent)
        assert os.getpriority(os.PRIO_PROCESS, server) == 15
        assert Path(f"/proc/{server}/oom_score_adj").read_text().strip() == "1000"


async def test_a_new_one_is_had_for_the_asking(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.say("collegium/renew", {})

        assert await tab.end() == "renewed"


@pytest.mark.parametrize(
    "message",
    [
        {"method": "workspace/executeCommand", "params": {}, "id": 1},
        {"method": "initialize", "params": {}, "id": 1},
        {"method": "textDocument/hover", "params": {}},
        {"method": "notebookDocument/didOpen", "params": {"notebookDocument": {"uri": "x"}, "cellTextDocuments": [{}]}},
        {"method": "notebookDocument/didOpen", "params": 7},
        {"nothing": 1},
    ],
)
async def test_who_says_what_no_page_says_is_let_go(agent: AgentProcess, message: dict[str, object]) -> None:
    async with page(agent) as still:
        await still.open("x = 1")
        async with page(agent) as tab:
            await tab.stream.send(json.dumps(message))
            with pytest.raises(CollegiumError, match="malformed"):
                await tab.end()

        assert await still.at("hover", 0, 0, 0) is not None


async def test_a_notebook_of_two_thousand_cells_and_a_cell_of_a_megabyte(agent: AgentProcess) -> None:
    async with page(agent) as tab:
        await tab.open(
            *[f"v{at} = {at}" for at in range(2000)], "w = '''" + "x" * (1 << 20) + "'''\n", "v1999, n0where"
        )
        found = await tab.at("definition", 2001, 0, 2)
        while 2001 not in tab.told:
            await tab.hear()

        assert found[0]["uri"] == tab.uri(1999)
        assert [one["code"] for one in tab.told[2001]] == ["unresolved-reference"]


async def test_cells_are_formatted_and_what_is_no_python_stays(agent: AgentProcess) -> None:
    cells = ["x  =  1", "x = =", "%%bash\nls   -l", "!ls   -l\ny=f( 1 )", "z = 1", "def f():\n    return 1"]
    async with page(agent) as tab:
        answer = await tab.ask("collegium/format", {"cells": cells})
        narrow = await tab.ask("collegium/format", {"cells": ["f(aaaaaaaa, bbbbbbbb)", cells[5]], "lineLength": 12,
                                                    "indent": 2})  # fmt: skip

    assert answer == {"cells": ["x = 1", None, None, "!ls   -l\ny = f(1)", None, None]}
    assert narrow == {"cells": ["f(\n  aaaaaaaa,\n  bbbbbbbb,\n)", "def f():\n  return 1"]}


async def test_a_projects_own_settings_hold_and_their_errors_are_told(agent: AgentProcess) -> None:
    settings = agent.content / "ruff.toml"
    try:
        settings.write_text("format.quote-style = 'single'")
        async with page(agent) as tab:
            assert await tab.ask("collegium/format", {"cells": ['x = "a"']}) == {"cells": ["x = 'a'"]}
            settings.write_text("nonsense")
            answer = await tab.ask("collegium/format", {"cells": ["x"]})
    finally:
        settings.unlink()

    assert answer["cells"] == []
    assert "ruff.toml" in answer["failed"]


def servers(agent: AgentProcess) -> list[int]:
    """The language servers of this agent."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if words[0].endswith("/ty"):
                found.append(int(entry.name))
    return [pid for pid in found if parents.get(parents[pid]) == agent.process.pid]
