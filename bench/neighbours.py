"""`python -m bench.neighbours`: a round trip in one runtime while another does its worst. Needs a real sandbox.

Each line is the median round trip of `1+1` at the agent's socket of a quiet runtime, as a ratio to the same with no
neighbour at work; rounds with and without take turns. Target: at most twice. The bombs are bounded in time.
"""

import multiprocessing
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.__main__ import Row, print_table
from runtime_world import EngineProcess, Notebook, engine_process

ROUNDS = 3
TRIPS = 60
BOMB_SECONDS = 4.0
BOMBS = {
    "memory": "import time\nend = time.time() + {s}\nwhile time.time() < end:\n"
    "    try:\n        kept = [bytearray(64 << 20) for _ in range(14)]\n    except MemoryError:\n        pass",
    "processes": "import os, time\nend = time.time() + {s}\nwhile time.time() < end:\n"
    "    try:\n        pid = os.fork()\n    except OSError:\n        continue\n"
    "    if pid == 0:\n        while time.time() < end:\n            pass\n        os._exit(0)",
    "disk": "import os, time\nend = time.time() + {s}\nwhile time.time() < end:\n"
    "    try:\n        with open('/content/big', 'wb') as file:\n            while time.time() < end:\n"
    "                file.write(bytes(1 << 22))\n                file.flush()\n    except OSError:\n        pass\n"
    "os.remove('/content/big')",
    "output": "import time\nend = time.time() + {s}\nline = 'x' * 999\nwhile time.time() < end:\n    print(line)",
    "inotify": "import ctypes, os, time\nlibc = ctypes.CDLL(None)\nend = time.time() + {s}\nheld = []\n"
    "while time.time() < end:\n    held.append(libc.inotify_init())\n"
    "    for number in range(100):\n        libc.inotify_add_watch(held[-1], b'/content', 0xfff)\n"
    "for one in held:\n    os.close(one) if one >= 0 else None",
    "processors": "import time\nend = time.time() + {s}\nwhile time.time() < end:\n    pass",
}


def main() -> None:
    """Throw each bomb, and measure next door."""
    rows: list[Row] = []
    with engine_process(os.geteuid()) as engine:
        for name in ("quiet", "bomb"):
            engine.ask("create", runtime=name, **engine.wanted())
        quiet, bomb = Notebook(engine.agent_socket("quiet")), Notebook(engine.agent_socket("bomb"))
        for notebook in (quiet, bomb):
            notebook.run("1+1")
        for what, code in BOMBS.items():
            ratios = []
            for _ in range(ROUNDS):
                calm = median_trip(quiet)
                ratios.append(under(bomb, code.format(s=BOMB_SECONDS), quiet) / calm)
                bomb = fresh(engine, bomb)
            rows.append((f"round trip beside a bomb of: {what}", "×", ratios, "≤ 2"))
        quiet.close()
        bomb.close()
    print_table(rows)


def median_trip(notebook: Notebook) -> float:
    """Seconds."""
    samples = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        notebook.run("1+1")
        samples.append(time.perf_counter() - began)
    return statistics.median(samples)


def under(bomb: Notebook, code: str, quiet: Notebook) -> float:
    """The median trip while the bomb goes off."""
    # In a process of its own: whoever reads all that output must not hold up the one who measures.
    reader = multiprocessing.get_context("fork").Process(target=bomb.run, args=(code,))
    reader.start()
    time.sleep(BOMB_SECONDS / 4)
    trip = median_trip(quiet)
    reader.join()
    assert reader.exitcode == 0, "whoever reads what the bomb prints gave up"
    return trip


def fresh(engine: EngineProcess, bomb: Notebook) -> Notebook:
    """Another runtime for the next bomb."""
    bomb.close()
    engine.ask("delete", runtime="bomb")
    engine.ask("create", runtime="bomb", **engine.wanted())
    made = Notebook(engine.agent_socket("bomb"))
    made.run("1+1")
    return made


if __name__ == "__main__":
    main()
