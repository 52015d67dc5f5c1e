"""How long an edit takes to be on the disk: SQLite and PostgreSQL, in turns, in one run.

    python -m bench.databases [EDITS]

Both fsync every commit, on the same disk. One edit after the other, then a thousand handed in at once.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio
import anyio.lowlevel
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from collegium.ground.db import sqlite_url
from collegium.ground.log import configure_log
from notebooks.library import Typing, open_library
from support.postgres import Postgres

EDITS, CROWD = 300, 1_000


async def main(url: str, folder: Path, edits: int) -> None:
    """Measure, and print a table."""
    async with (
        open_library(folder, url=sqlite_url(folder / "collegium.db")) as sqlite,
        open_library(folder, url=url) as postgresql,
    ):
        typing = {}
        for name, library in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
            typing[name] = await library.typing(await library.notebook(await library.person("Ada"), ""))
        alone: dict[str, list[float]] = {name: [] for name in typing}
        for _ in track(range(edits), "edits", transient=True):
            for name, hand in typing.items():
                alone[name].append(await one(hand, 1))
        print("| database | one edit, p50 | p95 | a thousand at once |\n| --- | --- | --- | --- |")
        for name, hand in typing.items():
            crowd = await one(hand, CROWD)
            p50, p95 = statistics.median(alone[name]), statistics.quantiles(alone[name], n=20)[-1]
            print(f"| {name} | {p50:.2f} ms | {p95:.2f} ms | {crowd:.0f} ms |")


async def one(hand: Typing, edits: int) -> float:
    """From the first of so many edits to the commit of the last, in milliseconds."""
    began = time.perf_counter()
    for _ in range(edits):
        last = hand.type("x")
    done = hand.reports.committed_seqs
    while not done or done[-1] != last:
        await anyio.lowlevel.checkpoint()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    configure_log(json=False, level="error")
    server = Postgres(durable=True)
    own = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    try:
        anyio.run(main, server.new(), own, int(sys.argv[1]) if len(sys.argv) > 1 else EDITS)
    finally:
        server.stop()
        shutil.rmtree(own)
