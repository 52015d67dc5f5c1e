"""Interrupt always works: the cell stops, or after a grace its kernel does, and the cell says which."""

from typing import Any

import anyio
import pytest

from collegium.ground.ids import CellId, ExecutionId
from collegium.sessions.model import Asked
from collegium.sessions.service import Sessions
from session_world import ADA, NOTEBOOK, FakeDocuments, FakeMachines, OpenServer, ended, heard

pytestmark = pytest.mark.anyio


async def begun(sessions: Sessions, documents: FakeDocuments, source: str) -> ExecutionId:
    """A cell that says where it has BEGUN, else at its first line, and goes on."""
    text = source if "BEGUN" in source else f"BEGUN\n{source}"
    documents.cells["a"] = ("code", text.replace("BEGUN", "print('begun', flush=True)"))
    [execution] = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("a"))])
    await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == execution.id)
    return execution.id


async def works(sessions: Sessions, documents: FakeDocuments) -> bool:
    """The notebook runs cells."""
    documents.cells["after"] = ("code", "print('alive')")
    [execution] = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("after"))])
    return bool((await ended(documents, execution.id))["state"] == "finished")


STOPPED = {
    "a blocked input()": "input('name? ')",
    "a subprocess that is stuck": "!sleep 1000",
    "a thread that sleeps": "import threading, time; t = threading.Thread(target=time.sleep, args=(9,), daemon=True)"
    "\nt.start(); t.join()",
    "a long loop in Python": "while True: pass",
}


@pytest.mark.parametrize("source", STOPPED.values(), ids=STOPPED.keys())
async def test_what_can_be_interrupted_is(server: OpenServer, documents: FakeDocuments, source: str) -> None:
    async with server() as sessions:
        execution = await begun(sessions, documents, source)
        if "input" in source:
            await heard(documents, lambda f: f["type"] == "input_request")
        await (await sessions.session(NOTEBOOK)).interrupt()
        with anyio.fail_after(9):
            over = await ended(documents, execution)
        alive = await works(sessions, documents)

    assert (over["state"], alive) == ("failed", True)
    assert "terminated" not in (over.get("reason") or "")


SWALLOWS = "import time\nwhile True:\n    try: BEGUN; time.sleep(60)\n    except KeyboardInterrupt: pass"
IGNORES = "import os, signal, time\nsignal.signal(2, signal.SIG_IGN); BEGUN; "
TERMINATED = {
    # Its words cannot leave while C holds Python's lock, so it goes there only when it is interrupted.
    "a cell in C": "import time\ntry: BEGUN; time.sleep(1000)\nexcept KeyboardInterrupt: sum(range(10**13))",
    "a cell that swallows it": SWALLOWS,
    "a cell that ignores the signal": IGNORES + "time.sleep(1000)",
    # Not at once: what it printed leaves in a thread of its own, which is halted too.
    "a kernel that was halted": IGNORES + "time.sleep(0.3); os.kill(os.getpid(), signal.SIGSTOP); time.sleep(1000)",
}


@pytest.mark.parametrize("source", TERMINATED.values(), ids=TERMINATED.keys())
async def test_what_cannot_be_interrupted_is_terminated_and_says_so(
    server: OpenServer, documents: FakeDocuments, source: str
) -> None:
    async with server(interrupt_seconds=0.5) as sessions:
        execution = await begun(sessions, documents, source)
        await (await sessions.session(NOTEBOOK)).interrupt()
        with anyio.fail_after(20):
            over = await ended(documents, execution)
        alive = await works(sessions, documents)

    assert (over["state"], over["reason"]) == ("failed", "terminated: the cell did not stop within 0.5 s")
    assert alive


async def test_who_asks_twice_need_not_wait_for_the_grace(server: OpenServer, documents: FakeDocuments) -> None:
    async with server(interrupt_seconds=1000) as sessions:
        execution = await begun(sessions, documents, SWALLOWS)
        session = await sessions.session(NOTEBOOK)
        await session.interrupt()
        await session.interrupt()
        with anyio.fail_after(20):
            over = await ended(documents, execution)

    assert over["reason"] == "terminated: it was stopped a second time"


ENDS = {
    "import ctypes; ctypes.string_at(0)": "the kernel crashed: segmentation fault",
    "import os; os.abort()": "the kernel crashed: aborted",
    "import os; os._exit(3)": "the kernel ended by itself: exit code 3",
    "import os; os._exit(0)": "the kernel ended: exit()",
    "import os; os.kill(os.getpid(), 15)": "the kernel was ended by a signal: terminated",
}


@pytest.mark.parametrize(("source", "reason"), ENDS.items())
async def test_a_kernel_that_ends_is_explained_at_its_cell_and_another_comes(
    server: OpenServer, documents: FakeDocuments, source: str, reason: str
) -> None:
    async with server() as sessions:
        execution = await begun(sessions, documents, source)
        over = await ended(documents, execution)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)
        alive = await works(sessions, documents)

    assert (over["state"], over["reason"], alive) == ("failed", reason, True)
    assert (outputs[-1]["ename"], outputs[-1]["evalue"]) == ("KernelDied", reason)


MEMORY: dict[str, tuple[Any, Any, str]] = {
    "counted": (1, int(2.1 * (1 << 30)), "killed: out of memory (used 2.1 GB of 2 GB)"),
    "not counted": (None, None, "killed: most likely it ran out of memory, which is not counted here"),
}


@pytest.mark.parametrize(("kills", "used", "reason"), MEMORY.values(), ids=MEMORY.keys())
async def test_a_kernel_killed_for_memory_says_how_much_it_used(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines, kills: int, used: int, reason: str
) -> None:
    async with server() as sessions:
        execution = await begun(sessions, documents, "import time; time.sleep(1000)")
        machines.kills, machines.used = kills, used
        machines.agent.kill_kernel()
        over = await ended(documents, execution)

    assert over["reason"] == reason
