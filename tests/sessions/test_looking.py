"""Variables and tables of a kernel by way of its session: what a stranger says is parsed, what is silent is named."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, TooLarge, TooMany, Unavailable
from collegium.ground.ids import NotebookId
from collegium.sessions import looking
from collegium.sessions.executed import ExecutedCode
from collegium.sessions.looked_at import RowsShown, StatisticsShown, TableShown, VariablesShown, parsed
from collegium.sessions.looking import Looking
from collegium.sessions.service import Sessions
from session_world import ADA, NOTEBOOK, FakeDocuments, OpenServer, ended

pytestmark = pytest.mark.anyio

ROWS: dict[str, Any] = {"offset": 0, "total": 1, "partial": False, "names": [["0"]], "cells": [["x"]], "took_ms": 0}
VARIABLE = {"name": "x", "type": "int", "shape": None, "bytes": 28, "preview": "1", "table": False}


async def ran(sessions: Sessions, documents: FakeDocuments, source: str) -> None:
    documents.cells = {"a": ("code", source)}
    [execution] = await sessions.execute(ADA, NOTEBOOK, None)
    await ended(documents, execution.id)


@pytest.fixture
async def sessions(server: OpenServer) -> AsyncIterator[Sessions]:
    async with server() as opened:
        yield opened


async def test_variables_are_listed_and_deleted(sessions: Sessions, documents: FakeDocuments) -> None:
    await ran(sessions, documents, "one = 1\ntwo = [2]")
    look = Looking(sessions)
    found = await look.variables(ADA, NOTEBOOK, {"limit": 10})
    await look.remove(ADA, NOTEBOOK, "one")
    left = await look.variables(ADA, NOTEBOOK, {"limit": 10})

    assert [(one.name, one.type, one.preview) for one in found.variables] == [
        ("one", "int", "1"),
        ("two", "list", "[2]"),
    ]
    assert [one.name for one in left.variables] == ["two"]
    with pytest.raises(NotFound):
        await look.remove(ADA, NOTEBOOK, "one")


async def test_a_table_is_read_and_saved_as_a_file_that_does_not_stay(
    sessions: Sessions, documents: FakeDocuments
) -> None:
    await ran(
        sessions,
        documents,
        "import pandas as pd\nframe = pd.DataFrame({'a': [2, 1], 'b': ['x', None]})\nodd = [{'half': '\\ud800'}]",
    )
    look = Looking(sessions)
    table = await look.open(ADA, NOTEBOOK, {"variable": "frame"})
    view = {"sort": [{"column": 0, "descending": False}]}
    rows = await look.rows(ADA, NOTEBOOK, {"ref": table.ref, "columns": [0, 1], "limit": 5, "view": view})
    odd = await look.open(ADA, NOTEBOOK, {"variable": "odd"})
    half = await look.rows(ADA, NOTEBOOK, {"ref": odd.ref, "columns": [0]})
    said = await look.statistics(ADA, NOTEBOOK, {"ref": table.ref, "column": 0})
    size, pieces = await look.export(ADA, NOTEBOOK, {"ref": table.ref, "view": {}, "format": "parquet"})
    saved = b"".join([piece async for piece in pieces])
    await ran(sessions, documents, "import glob\nleft = glob.glob('/tmp/.collegium-*')")
    left = await look.variables(ADA, NOTEBOOK, {"filter": "left"})

    assert rows.cells == [["1", "2"], [None, "x"]]
    assert half.cells == [["?"]]
    assert (said.min, said.max, said.nulls) == (1, 2, 0)
    assert saved[:4] == b"PAR1"
    assert len(saved) == size
    assert left.variables[0].preview == "[]"
    with pytest.raises(NotFound):
        await look.rows(ADA, NOTEBOOK, {"ref": "0" * 16, "columns": [0]})
    with pytest.raises(TooLarge):
        await look.rows(ADA, NOTEBOOK, {"ref": table.ref, "view": "x" * 100_000})


async def test_a_kernel_that_lets_nobody_in_is_said_to_be_busy(
    sessions: Sessions, documents: FakeDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "VARIABLES_SECONDS_MAX", 0.5)
    await ran(sessions, documents, "1")
    documents.cells = {"a": ("code", "import time, ctypes\nctypes.PyDLL(None).sleep(4)")}
    [execution] = await sessions.execute(ADA, NOTEBOOK, None)
    look, code = Looking(sessions), ""
    while not code:
        try:
            await look.variables(ADA, NOTEBOOK, {})
        except Unavailable as error:
            code = error.code
    await ended(documents, execution.id)

    assert code == "kernel_busy"
    assert (await look.variables(ADA, NOTEBOOK, {})).total == 0


async def test_without_a_kernel_there_is_nothing_to_look_at(sessions: Sessions) -> None:
    with pytest.raises(Unavailable) as refused:
        await Looking(sessions).variables(ADA, NOTEBOOK, {})

    assert refused.value.code == "not_connected"


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (VariablesShown, {"variables": [VARIABLE] * 501, "total": 501}),
        (VariablesShown, {"variables": [VARIABLE | {"bytes": -1}], "total": 1}),
        (VariablesShown, {"variables": [VARIABLE | {"name": "x" * 401}], "total": 1}),
        (VariablesShown, {"variables": [VARIABLE | {"preview": {"a": 1}}], "total": 1}),
        (VariablesShown, {"variables": None}),
        (RowsShown, ROWS | {"cells": [[{"html": "<b>"}]]}),
        (RowsShown, ROWS | {"cells": [["x" * 20_001]]}),
        (RowsShown, ROWS | {"cells": [["x"] * 501]}),
        (RowsShown, ROWS | {"total": 1e400}),
        (StatisticsShown, {"count": 1, "nulls": 0, "mean": float("nan")}),
        (StatisticsShown, {"count": 1, "nulls": 0, "histogram": [1] * 101}),
        (TableShown, {"ref": "../../etc/passwd"}),
    ],
)
def test_nonsense_is_not_passed_on(form: type[Any], answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="malformed"):
        parsed(form, answer)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    answer = json.loads(json.dumps(ROWS | {"cells": [["a\ud800"]]}))

    assert parsed(RowsShown, answer).cells == [["a?"]]


@pytest.mark.parametrize(
    ("code", "error"),
    [("gone", NotFound), ("not_found", NotFound), ("busy", TooMany), ("unsupported", Invalid), ({"x": 1}, Invalid)],
)
def test_refusals_of_the_kernel_are_errors(code: Any, error: type[CollegiumError]) -> None:
    with pytest.raises(error) as refused:
        parsed(RowsShown, {"error": code, "detail": "y" * 10_000})

    assert len(refused.value.detail) <= 300


async def test_executed_code_is_kept_as_it_was_for_cells_that_are_gone_too(
    sessions: Sessions, documents: FakeDocuments
) -> None:
    for source in ("first = 1", "first = 2", "1 / 0"):
        await ran(sessions, documents, source)
    documents.cells = {"b": ("code", "#" * 5000)}
    [execution] = await sessions.execute(ADA, NOTEBOOK, None)
    await ended(documents, execution.id)
    code = ExecutedCode(sessions)
    latest, since = await code.page(ADA, NOTEBOOK, before=None, search="", limit=2)
    older, _ = await code.page(ADA, NOTEBOOK, before=latest[-1].position, search="", limit=2)
    named, _ = await code.page(ADA, NOTEBOOK, before=None, search="FIRST = 2", limit=9)
    literal, _ = await code.page(ADA, NOTEBOOK, before=None, search="f%", limit=9)

    assert since is not None
    assert [(one.cell, one.state, one.length) for one in latest] == [("b", "finished", 5000), ("a", "failed", 5)]
    assert [one.source for one in older] == ["first = 2", "first = 1"]
    assert [one.count for one in older] == [2, 1]
    assert older[0].user_name == "Ada"
    assert older[0].finished_at is not None
    assert len(latest[0].source) == 4000
    assert await code.source(ADA, NOTEBOOK, latest[0].id) == "#" * 5000
    assert [one.source for one in named] == ["first = 2"]
    assert literal == []
    with pytest.raises(NotFound):
        await code.source(ADA, NotebookId("m" * 22), latest[0].id)


async def test_an_order_that_nobody_waits_for_is_stopped(sessions: Sessions, documents: FakeDocuments) -> None:
    source = "import pandas as pd\nodd = pd.DataFrame({'n': [n if n % 2 else str(n) for n in range(1_000_000)]})"
    await ran(sessions, documents, source)
    look = Looking(sessions)
    table = await look.open(ADA, NOTEBOOK, {"variable": "odd"})
    view = {"sort": [{"column": 0, "descending": False}]}
    asked = {"ref": table.ref, "columns": [0], "limit": 1}
    ended: list[str] = []

    async def wait() -> None:
        with pytest.raises(Conflict) as stopped:
            await look.rows(ADA, NOTEBOOK, {**asked, "view": view, "asker": "a"})
        ended.append(stopped.value.code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        while not ended:
            await look.stop(ADA, NOTEBOOK, "a")

    assert ended == ["table_stopped"]
    assert (await look.rows(ADA, NOTEBOOK, asked)).cells == [["0"]]
