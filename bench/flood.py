"""`python -m bench.flood`: a cell that puts out very much, stage by stage: the agent's socket, a session, the page.

Beside the time stands the CPU time of every process that took part, which says something on a busy machine too. An
argument names one of the floods (see FLOODS; the default is `lines`); `--stage` one stage, `--trace FILE` leaves
Chromium's trace of the page.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from agent_process import AgentClient, agent_process
from bench.pages import WATCH
from collegium.kernels.model import Message
from collegium_agent.supervisor import OOM_SCORE
from support.browser import browser, signed_in
from support.server import Server, server
from support.tab import joined

FLOODS = {
    "lines": "for n in range(1_000_000):\n    print('line', n)",
    "text": "print(('x' * 79 + '\\n') * 625_000)",
    "result": "class Text:\n    def __repr__(self): return ('x' * 79 + '\\n') * 624_999 + 'x' * 80\nText()",
    "image": (
        "import base64, os\nfrom IPython.display import display\n"
        "display({'image/png': base64.b64encode(os.urandom(37_500_000)).decode()}, raw=True)"
    ),
    "bar": "from tqdm import tqdm\nfor n in tqdm(range(1_000_000)): pass",
    "every step": "from tqdm import tqdm\nfor n in tqdm(range(20_000), mininterval=0, miniters=1): pass",
    "displays": "from IPython.display import *\nfor n in range(10_000): display(Markdown(f'no. {n}'))",
}
EMAIL = "flood@example.org"
SECONDS_MAX = 300
TICKS = os.sysconf("SC_CLK_TCK")
MB = 1_000_000
SHOWN_SECONDS = 0.05
Counted = dict[tuple[int, str], float]


def main() -> None:
    """Measure, and print a line for each stage."""
    words = argparse.ArgumentParser()
    words.add_argument("floods", nargs="*", default=["lines"], choices=FLOODS)
    words.add_argument("--stage", choices=("agent", "session", "page"))
    words.add_argument("--trace", type=Path)
    asked = words.parse_args()
    for name in asked.floods:
        if asked.stage in (None, "agent"):
            anyio.run(at_the_agent, name)
        if asked.stage in (None, "session", "page"):
            with server() as running:
                token = running.add_user(EMAIL)
                for stage in ("session", "page"):
                    if asked.stage in (None, stage):
                        notebook = running.notebook(token, {"a": "1", "b": FLOODS[name]}, name=f"{stage}.ipynb")
                        if stage == "session":
                            anyio.run(in_a_session, name, running, token, notebook)
                        else:
                            in_a_page(name, running, notebook, asked.trace)
                        running.give_back(token)


async def at_the_agent(name: str) -> None:
    """A kernel and its agent alone, read as fast as they speak."""
    with agent_process() as agent:
        client = await AgentClient.open(agent)
        await client.send(op="start_kernel", kernel="k", name="python3")
        await _ran(client, "a", "1")
        with told(f"{name}, at the agent"):
            await _ran(client, "b", FLOODS[name])
        await agent.hang_up()


async def _ran(client: AgentClient, execution: str, code: str) -> None:
    await client.send(op="execute", kernel="k", id=execution, code=code)
    replied = idle = False
    while not (replied and idle):
        frame = await client.next()
        if isinstance(frame, Message):
            await client.send(op="stored", seq=frame.seq)
            replied = replied or (frame.msg_type, frame.parent) == ("execute_reply", execution)
            idle = idle or (frame.parent == execution and frame.content.get("execution_state") == "idle")


async def in_a_session(name: str, running: Server, token: str, notebook: str) -> None:
    """A tab without a browser looks on."""
    async with joined(running.url, token, notebook) as tab:
        (warm,) = await tab.execute("a")
        await tab.finished(warm)
        before = len(tab.messages)
        with told(f"{name}, in a session", running.data):
            (execution,) = await tab.execute("b")
            await tab.finished(execution, SECONDS_MAX)
        frames = [json.dumps(message) for message in tab.messages[before:]]
        print(
            f"  {len(frames)} frames, {sum(map(len, frames)) / MB:.1f} MB, longest {max(map(len, frames)) / MB:.1f} MB"
        )


def in_a_page(name: str, running: Server, notebook: str, trace: Path | None) -> None:
    """A page shows it."""
    with browser() as chromium:
        page = signed_in(chromium, running.url, EMAIL)
        page.add_init_script(WATCH)
        page.goto(f"{running.url}/notebooks/{notebook}")
        cells = page.locator("[data-cell-id]")
        cells.nth(0).get_by_role("button", name="Run cell").click()
        cells.nth(0).locator(".cell-gutter", has_text="[1]").wait_for()
        page.wait_for_timeout(1500)
        devtools = page.context.new_cdp_session(page)
        page.evaluate("window.tasks.length = 0")
        if trace is not None:
            chromium.start_tracing(page=page, path=trace)
        with told(f"{name}, on the page", running.data):
            cells.nth(1).get_by_role("button", name="Run cell").click()
            while "[2]" not in (cells.nth(1).locator(".cell-gutter").text_content() or ""):
                time.sleep(SHOWN_SECONDS)
            page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        if trace is not None:
            chromium.stop_tracing()
        tasks = page.evaluate("tasks")
        devtools.send("HeapProfiler.collectGarbage")
        heap = page.evaluate("performance.memory.usedJSHeapSize") / MB
        print(
            f"  longest task {max(tasks, default=0):.0f} ms, long tasks {sum(tasks):.0f} ms, heap {heap:.1f} MB after"
        )


@contextmanager
def told(what: str, data: Path | None = None) -> Iterator[None]:
    """Print how long it took, and the CPU time of what this program started, or a server on this folder."""
    before, began = _counted(data), time.perf_counter()
    yield
    took = time.perf_counter() - began
    spent: dict[str, float] = {}
    for (pid, label), seconds in _counted(data).items():
        spent[label] = spent.get(label, 0) + seconds - before.get((pid, label), 0)
    said = ", ".join(f"{label} {seconds:.2f}" for label, seconds in sorted(spent.items()) if seconds >= 0.05)
    print(f"{what}: {took:.1f} s; CPU seconds: {said}")


def _counted(data: Path | None) -> Counted:
    """The CPU seconds of every process, by its number and what it is."""
    parents, found, roots = {}, {}, {os.getpid()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                line = (entry / "cmdline").read_text().replace("\0", " ")
                score = (entry / "oom_score_adj").read_text().strip()
            except OSError:
                continue
            parents[int(entry.name)] = int(words[1])
            found[int(entry.name)] = (_label(line, score), (int(words[11]) + int(words[12])) / TICKS)
            if data is not None and str(data) in line:
                roots.add(int(entry.name))

    def ours(pid: int) -> bool:
        while pid in parents and pid not in roots:
            pid = parents[pid]
        return pid in roots

    return {(pid, label): seconds for pid, (label, seconds) in found.items() if ours(pid)}


KINDS: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("page", lambda line, _: "--type=renderer" in line),
    ("drawing", lambda line, _: "--type=gpu-process" in line),
    ("browser", lambda line, _: "chrom" in line),
    ("server", lambda line, _: " serve " in line),
    ("kernel", lambda line, score: "launch.py" in line or score == OOM_SCORE),
    ("bench", lambda line, _: "bench" in line),
    ("agent", lambda line, _: "agent" in line),
)


def _label(line: str, score: str) -> str:
    return next((kind for kind, fits in KINDS if fits(line, score)), "other")


if __name__ == "__main__":
    main()
