"""The log of a runtime: what happened to it and its kernel, and what no cell shows."""

import signal
from typing import Any

import anyio
import pytest

from collegium.ground.ids import CellId
from collegium.sessions.diary import EVENTS_MAX, PRINTED_CHARACTERS_MAX, PRINTED_MAX, Diary
from collegium.sessions.model import Asked
from collegium.sessions.service import Sessions
from session_world import ADA, NOTEBOOK, FakeDocuments, FakeMachines, OpenServer, ended, heard

pytestmark = pytest.mark.anyio


async def run(sessions: Sessions, documents: FakeDocuments, source: str) -> dict[str, Any]:
    documents.cells["a"] = ("code", source)
    [execution] = await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("a"))])
    return await ended(documents, execution.id)


async def test_a_session_is_told_from_its_begin_to_its_end(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    async with server() as sessions:
        await run(sessions, documents, "1")
        session = await sessions.session(NOTEBOOK)
        machines.prints = "the agent listens\n"
        await session.loan.read_printed()
        machines.prints += "Fatal Python error: Segmentation fault\n"
        await run(sessions, documents, f"import os; os.kill(os.getpid(), {signal.SIGSEGV})")
        await run(sessions, documents, "2")
        await session.interrupt()
        await session.disconnect()
        told = session.diary.after(0)

    assert [entry.n for entry in told] == list(range(1, len(told) + 1))
    assert [(entry.what, entry.level) for entry in told] == [
        ("runtime_wanted", "info"),
        ("runtime_ready", "info"),
        ("kernel_begun", "info"),
        ("printed", "info"),
        ("kernel_ended", "error"),
        ("printed", "info"),
        ("kernel_begun", "info"),
        ("interrupt", "info"),
        ("runtime_ended", "info"),
    ]
    assert [entry.about["text"] for entry in told if entry.what == "printed"] == [
        "the agent listens",
        "Fatal Python error: Segmentation fault",
    ]
    assert told[4].about["why"] == {"code": "crashed", "signal": "segmentation fault"}
    assert told[-1].about["why"] == {"code": "runtime_given_back"}


async def test_a_restart_is_told_once_and_by_itself(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        await run(sessions, documents, "1")
        session = await sessions.session(NOTEBOOK)
        before = session.diary.after(0)[-1].n
        await session.restart()
        with anyio.fail_after(20):
            await heard(
                documents, lambda f: f["type"] == "session" and (f["kernel"] or {}).get("state") == "restarting"
            )
        await run(sessions, documents, "2")
        told = [entry.what for entry in session.diary.after(before)]

    assert told == ["restart", "kernel_begun"]


def test_what_is_printed_drives_out_no_event() -> None:
    diary = Diary()
    diary.note("runtime_wanted")

    for number in range(PRINTED_MAX + 5):
        diary.printed(f"line {number}\n")

    told = diary.after(0)
    assert (told[0].what, len(told)) == ("runtime_wanted", PRINTED_MAX + 1)
    assert told[1].about == {"text": "line 5"}
    assert diary.after(told[-1].n) == []


def test_a_diary_is_bounded() -> None:
    diary = Diary()

    for _ in range(EVENTS_MAX + 5):
        diary.note("interrupt")
    diary.printed("x" * 10 * PRINTED_CHARACTERS_MAX + "!")
    diary.printed("\n \n")

    told = diary.after(0)
    assert len(told) == EVENTS_MAX + 1
    assert len(told[-1].about["text"]) == PRINTED_CHARACTERS_MAX
    assert told[-1].about["text"].endswith("!")
