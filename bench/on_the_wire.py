"""Measures without a browser: the API, the socket."""

import time
from pathlib import Path
from typing import Any

import anyio

from collegium.runtimes.adapters import LocalEngine
from support.server import Server
from support.tab import joined

IMPORTS = "import numpy, pandas, matplotlib.pyplot"
WARM_SECONDS = 2.0
Row = tuple[str, str, list[float], str]


def notebook_with(client: Any, sources: dict[str, str]) -> str:
    """A new notebook with these code cells; its id."""
    cells = [
        {"cell_type": "code", "id": cell, "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for cell, text in sources.items()
    ]
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return str(client.post("/notebooks?name=bench.ipynb", json=body).raise_for_status().json()["id"])


async def measure_on_the_wire(running: Server, repeats: int) -> list[Row]:
    """First output over the API, warm round trip, keystroke propagation."""
    token = running.add_user("wire@example.org")
    rows: list[Row] = []
    with running.client(token) as client:
        for what, source, target in (
            ("API: ask for a run in a fresh notebook → finished, `1+1`", "1+1", "≤ 60 ms"),
            ("API: ask for a run in a fresh notebook → finished, the imports", IMPORTS, "≤ 60 ms"),
        ):
            samples = []
            for _ in range(repeats):
                await pool_is_full(running)
                samples.append(first_output_ms(client, notebook_with(client, {"a": source})))
            rows.append((what, "ms", samples, target))
        notebook = notebook_with(client, {"a": "1+1", "b": ""})
    async with joined(running.url, token, notebook) as ada, joined(running.url, token, notebook) as bob:
        (first,) = await ada.execute("a")
        await ada.finished(first)
        trips = []
        for _ in range(repeats * 10):
            began = time.perf_counter()
            (execution,) = await ada.execute("a")
            await ada.finished(execution)
            trips.append((time.perf_counter() - began) * 1000)
        rows.append(("`1+1` round trip over the WebSocket, warm", "ms", trips, "≤ 7 ms"))
        strokes = []
        for number in range(repeats * 20):
            word = f"<{number}>"
            began = time.perf_counter()
            await ada.append("b", word)
            await bob.until(lambda word=word: word in bob.text("b"))
            strokes.append((time.perf_counter() - began) * 1000)
            await anyio.sleep(0.01)
        rows.append(("keystroke → at a colleague, committed first (no browser)", "ms", strokes, "≤ 10 ms"))
    return rows


def first_output_ms(client: Any, notebook: str) -> float:
    """From asking for the run to its finished state, then the runtime is given back."""
    began = time.perf_counter()
    answer = client.post(f"/notebooks/{notebook}/executions", json={"cells": "all"}).raise_for_status().json()
    (execution,) = answer["executions"]
    while True:
        found = client.get(f"/notebooks/{notebook}/executions/{execution['id']}").raise_for_status().json()
        if found["state"] in ("finished", "failed"):
            break
        time.sleep(0.002)
    took = (time.perf_counter() - began) * 1000
    assert found["state"] == "finished", found
    client.post(f"/notebooks/{notebook}/session/disconnect").raise_for_status()
    return took


async def pool_is_full(running: Server) -> None:
    """Wait until a ready runtime waits in the pool, as it does for a person who reads before running."""
    engine = LocalEngine(running.data, environments=Path(running.env["COLLEGIUM_RUNTIMES__ENVIRONMENTS"]))
    with anyio.fail_after(60):
        while not (await engine.status())["pool"]["ready"]:
            await anyio.sleep(0.1)
    # Ready means that its agent answers; its kernel imports numpy and the like for a moment longer.
    await anyio.sleep(WARM_SECONDS)
