"""`python -m bench.runtimes`: how fast runtimes start, what they weigh, and what stays behind. Needs a real sandbox.

Arguments: `--peers` also measures stock jupyter_server, installed into a folder of its own; `--ordinary` runs the
engine as an ordinary user; `--quick` repeats less.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.__main__ import Row, print_table
from runtime_world import ORDINARY_UID, EngineProcess, Notebook, engine_process

PRELOAD = ["numpy", "pandas", "matplotlib", "matplotlib.pyplot", "PIL.Image"]
IMPORTS = "import numpy, pandas, matplotlib.pyplot"
CROWDS = (1, 10, 40)
PEER_PACKAGES = ("jupyter_server", "ipykernel", "numpy", "pandas", "matplotlib")


def main() -> None:
    """Measure everything and print a table."""
    quick = "--quick" in sys.argv
    uid = ORDINARY_UID if "--ordinary" in sys.argv else os.geteuid()
    with engine_process(uid) as engine:
        rows = first_outputs(engine, 5 if quick else 15)
        rows += trips(engine, 50 if quick else 300)
        rows += comings_and_goings(engine, 20 if quick else 100)
        rows += crowds(engine, CROWDS[:2] if quick else CROWDS)
    if "--peers" in sys.argv:
        rows += peers(5 if quick else 15)
    print_table(rows)


def wanted(engine: EngineProcess, preload: list[str]) -> dict[str, Any]:
    """The usual kind, with a zygote or without."""
    return engine.wanted() | {"preload": preload}


def zygote(engine: EngineProcess) -> None:
    """Have the template ready."""
    engine.ask("create", runtime="first", **wanted(engine, PRELOAD))
    engine.until(lambda: engine.ask("status")["zygotes"] != [])
    engine.ask("delete", runtime="first")


def pool(engine: EngineProcess, ready: int) -> None:
    """Have so many waiting."""
    engine.ask("pool", of=[wanted(engine, PRELOAD) | {"ready": ready}])
    engine.until(lambda: engine.ask("status")["pool"]["ready"] == ready)


def output_ms(engine: EngineProcess, code: str, preload: list[str]) -> tuple[float, float]:
    """From the request to the runtime, and to the end of a cell in it."""
    name = uuid.uuid4().hex[:8]
    began = time.perf_counter()
    engine.ask("create", runtime=name, **wanted(engine, preload))
    made = time.perf_counter()
    connection = engine.agent_socket(name)
    notebook = Notebook(connection)
    assert notebook.run(code).error == ""
    took = (time.perf_counter() - began) * 1000
    notebook.close()
    connection.close()
    engine.ask("delete", runtime=name)
    return (made - began) * 1000, took


def first_outputs(engine: EngineProcess, repeats: int) -> list[Row]:
    """From the pool, from the zygote, and by executing."""
    zygote(engine)
    rows: list[Row] = []
    for what, code in (("`1+1`", "1+1"), ("the imports", IMPORTS)):
        pooled = []
        for _ in range(repeats):
            pool(engine, 1)
            pooled.append(output_ms(engine, code, PRELOAD)[1])
        pool(engine, 0)
        rows.append((f"from the pool → finished {what}", "ms", pooled, ""))
        forked = [output_ms(engine, code, PRELOAD) for _ in range(repeats)]
        rows.append((f"by the zygote → runtime, then {what}", "ms", [one[0] for one in forked], ""))
        rows.append((f"by the zygote → finished {what}", "ms", [one[1] for one in forked], "≤ 150 ms"))
        rows.append((f"by exec → finished {what}", "ms", [output_ms(engine, code, [])[1] for _ in range(5)], ""))
    return rows


def trips(engine: EngineProcess, repeats: int) -> list[Row]:
    """A warm kernel's round trip, and a restart."""
    engine.ask("create", runtime="trip", **wanted(engine, PRELOAD))
    notebook = Notebook(engine.agent_socket("trip"))
    notebook.run("1+1")
    samples, restarts = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        notebook.run("1+1")
        samples.append((time.perf_counter() - began) * 1000)
    for number in range(10):
        began = time.perf_counter()
        again = Notebook(engine.agent_socket("trip"), f"k{number}")
        again.run(IMPORTS)
        restarts.append((time.perf_counter() - began) * 1000)
        again.close()
    notebook.close()
    engine.ask("delete", runtime="trip")
    return [
        ("`1+1` round trip at the agent's socket", "ms", samples, ""),
        ("another kernel in a runtime → the imports", "ms", restarts, ""),
    ]


def comings_and_goings(engine: EngineProcess, count: int) -> list[Row]:
    """Starts and stops; what stays behind; processor time of the engine, the launchers and the zygote."""
    before = used_cpu(engine)
    starts = []
    for number in range(count):
        began = time.perf_counter()
        engine.ask("create", runtime=f"go{number}", **wanted(engine, PRELOAD))
        starts.append((time.perf_counter() - began) * 1000)
        engine.ask("delete", runtime=f"go{number}")
    used = (used_cpu(engine) - before) / count * 1000
    left = [trace for trace in engine.traces() if not trace.startswith("device")]
    return [
        (f"start by the zygote, of {count}", "ms", starts, "none > 400 ms"),
        ("processor time for a start and a stop (engine, launchers, zygote)", "ms", [used], ""),
        (f"left behind by {count}", "things", [float(len(left))], "0"),
    ]


def used_cpu(engine: EngineProcess) -> float:
    """Seconds of the engine with its children, and the zygotes."""
    status = engine.ask("status")
    total = 0
    for pid in (status["pid"], *(one["pid"] for one in status["zygotes"])):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def crowds(engine: EngineProcess, sizes: tuple[int, ...]) -> list[Row]:
    """Memory for each of so many idle runtimes with the stack imported, the template's share included."""
    rows: list[Row] = []
    notebooks: list[Notebook] = []
    for size in sizes:
        while len(notebooks) < size:
            name = f"crowd{len(notebooks)}"
            engine.ask("create", runtime=name, **wanted(engine, PRELOAD))
            notebooks.append(Notebook(engine.agent_socket(name)))
            assert notebooks[-1].run(IMPORTS).error == ""
        engine.until(lambda: engine.ask("status")["pool"]["ready"] == 0)
        time.sleep(2)
        pids = [*engine.runtime_processes(), *(one["pid"] for one in engine.ask("status")["zygotes"])]
        mib = sum(pss_bytes(pid) for pid in pids) / size / (1 << 20)
        rows.append((f"memory (PSS) of each of {size} idle runtimes", "MB", [mib], "≤ 45 MB at 40"))
    for number, notebook in enumerate(notebooks):
        notebook.close()
        engine.ask("delete", runtime=f"crowd{number}")
    return rows


def pss_bytes(pid: int) -> int:
    """A process's share of the memory it shares."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return 0


# ── peers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def jupyter_server() -> Iterator[str]:
    """The address of a stock jupyter_server with the same packages."""
    folder = Path(tempfile.mkdtemp(prefix="bench-peer-"))
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    python = folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", "/usr/bin/python3", str(folder), "--clear"], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *PEER_PACKAGES], check=True)
    words = ["--ServerApp.token=", "--ServerApp.password=", "--ServerApp.port=18123", "--allow-root", "--no-browser"]
    words += ["--ServerApp.disable_check_xsrf=True"]
    env = {"HOME": str(folder), "PATH": f"{folder}/bin:/usr/bin:/bin"}
    server = subprocess.Popen([python, "-m", "jupyter_server", *words], env=env, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        until(lambda: get("http://127.0.0.1:18123/api/status") is not None)
        yield "127.0.0.1:18123"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def until(condition: Callable[[], bool]) -> None:
    """Wait."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def get(url: str, method: str = "GET", body: bytes | None = None) -> Any:
    """What it answers, or None if nobody does."""
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"})
    with suppress(OSError), urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"{}")
    return None


def peers(repeats: int) -> list[Row]:
    """The same of a stock server: a kernel from nothing, its first output, its round trip, its memory."""
    from websockets.sync.client import connect

    rows: list[Row] = []
    with jupyter_server() as address:
        for what, code in (("`1+1`", "1+1"), ("the imports", IMPORTS)):
            samples = []
            for _ in range(repeats):
                began = time.perf_counter()
                kernel = get(f"http://{address}/api/kernels", "POST", b'{"name": "python3"}')["id"]
                with connect(f"ws://{address}/api/kernels/{kernel}/channels", max_size=None) as socket:
                    peer_run(socket, code)
                samples.append((time.perf_counter() - began) * 1000)
                get(f"http://{address}/api/kernels/{kernel}", "DELETE")
            rows.append((f"jupyter_server → finished {what}", "ms", samples, ""))
        kernel = get(f"http://{address}/api/kernels", "POST", b'{"name": "python3"}')["id"]
        with connect(f"ws://{address}/api/kernels/{kernel}/channels", max_size=None) as socket:
            peer_run(socket, IMPORTS)
            samples = []
            for _ in range(repeats * 10):
                began = time.perf_counter()
                peer_run(socket, "1+1")
                samples.append((time.perf_counter() - began) * 1000)
            rows.append(("jupyter_server, `1+1` round trip", "ms", samples, ""))
            mib = [pss_bytes(int(pid)) / (1 << 20) for pid in kernel_pids(kernel)]
            rows.append(("jupyter_server, memory (PSS) of an idle kernel", "MB", [sum(mib)], ""))
    return rows


def kernel_pids(kernel: str) -> list[str]:
    """The processes of a stock kernel."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and kernel.encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
    return found


def peer_run(socket: Any, code: str) -> None:
    """Run a cell over Jupyter's own WebSocket, to its reply and to idle."""
    message = uuid.uuid4().hex
    header = {"msg_id": message, "msg_type": "execute_request", "session": "bench", "username": "", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    asked = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    socket.send(json.dumps(asked))
    missing = {"execute_reply", "idle"}
    while missing:
        answer = json.loads(socket.recv(timeout=60))
        if answer.get("parent_header", {}).get("msg_id") == message:
            missing -= {answer["msg_type"], answer["content"].get("execution_state")}


if __name__ == "__main__":
    main()
