"""Cells are run by the server, and what they leave is kept."""

import hashlib
import time
from typing import Any

import anyio
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_process import AgentProcess
from collegium.accounts.model import Role
from collegium.ground.errors import Conflict, Invalid, NotFound, Unavailable
from collegium.ground.ids import CellId, ExecutionId, NotebookId, RuntimeId
from collegium.kernels.service import Message
from collegium.sessions import loan, service, store
from collegium.sessions.model import Asked, Machine
from collegium.sessions.service import Sessions
from collegium.sessions.session import Session
from session_world import ADA, NOTEBOOK, FakeDocuments, FakeMachines, OpenServer, Tab, ended, followed, heard

pytestmark = pytest.mark.anyio


async def ask(sessions: Sessions, documents: FakeDocuments, *sources: str) -> list[ExecutionId]:
    """Queue these sources as cells of their own."""
    first = len(documents.cells)
    cells = [f"c{first + number}" for number in range(len(sources))]
    documents.cells |= {cell: ("code", source) for cell, source in zip(cells, sources, strict=True)}
    return [e.id for e in await sessions.execute(ADA, NOTEBOOK, [Asked(CellId(cell)) for cell in cells])]


async def outputs_of(sessions: Sessions, documents: FakeDocuments, *sources: str) -> list[list[dict[str, Any]]]:
    """Run them and give what they left."""
    asked = await ask(sessions, documents, *sources)
    for execution in asked:
        await ended(documents, execution)
    return [(await sessions.execution(ADA, NOTEBOOK, execution))[1] for execution in asked]


def printed(outputs: list[dict[str, Any]]) -> str:
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream")


async def test_a_cell_that_is_asked_to_run_leaves_its_output(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        [execution] = await ask(sessions, documents, "print('hello')\n1 + 1")
        frame = await ended(documents, execution)
        done, outputs = await sessions.execution(ADA, NOTEBOOK, execution)

    assert frame["state"] == "finished"
    assert done.count == 1
    assert outputs == [
        {"output_type": "stream", "name": "stdout", "text": "hello\n"},
        {"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": "2"}, "metadata": {}},
    ]
    assert followed(documents.told, execution) == outputs


async def test_a_server_that_restarts_in_the_middle_of_a_run_loses_no_line(
    server: OpenServer, documents: FakeDocuments
) -> None:
    code = "import time\nfor i in range(2000):\n    print(i, flush=True)\n    time.sleep(0.001)"
    async with server() as sessions:
        [execution, behind] = await ask(sessions, documents, code, "print('after', i)")
        await heard(documents, lambda f: f["type"] == "append" and f["execution"] == execution)
    for _ in range(4):
        async with server(store_seconds=0.02) as sessions:
            await anyio.sleep(0.15)
    async with server() as sessions:
        tab = Tab()
        await sessions.joined(tab)
        await ended(documents, behind)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)
        _, last = await sessions.execution(ADA, NOTEBOOK, behind)

    assert printed(outputs) == "".join(f"{n}\n" for n in range(2000))
    assert printed(last) == "after 1999\n"


async def test_a_database_that_is_away_when_a_server_finds_its_runtimes_again_costs_none(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = iter([Unavailable("The database cannot be reached.") for _ in range(2)])
    real = machines.get

    async def get(runtime: RuntimeId) -> Machine:
        if (error := next(away, None)) is not None:
            raise error
        return await real(runtime)

    monkeypatch.setattr(loan, "AGAIN_SECONDS", 0.01)
    async with server() as sessions:
        [execution] = await ask(sessions, documents, "import time\nfor i in range(20): print(i); time.sleep(0.05)")
        await heard(documents, lambda frame: frame["type"] == "append")
    monkeypatch.setattr(machines, "get", get)
    async with server() as sessions:
        assert (await ended(documents, execution))["state"] == "finished"
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)

    assert next(away, None) is None
    assert printed(outputs) == "".join(f"{n}\n" for n in range(20))


async def test_what_a_kernel_did_while_no_server_ran_is_there_when_one_starts(
    server: OpenServer, documents: FakeDocuments, agent: AgentProcess
) -> None:
    async with server() as sessions:
        code = "import time; time.sleep(0.5)\nfor i in range(500): print(i)\nopen('done', 'w').close()"
        [execution] = await ask(sessions, documents, code)
        await heard(documents, lambda f: f["type"] == "execution" and f.get("count") == 1)
    with anyio.fail_after(20):
        while not (agent.content / "done").exists():
            await anyio.sleep(0.02)
    async with server() as sessions:
        await ended(documents, execution)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)

    assert printed(outputs) == "".join(f"{n}\n" for n in range(500))


async def test_an_error_stops_what_waits_behind_it(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        asked = await ask(sessions, documents, "1 / 0", "print('never')", "print('neither')")
        states = [(await ended(documents, execution))["state"] for execution in asked]
        _, [error] = await sessions.execution(ADA, NOTEBOOK, asked[0])
        [[after]] = await outputs_of(sessions, documents, "print('again')")

    assert states == ["failed", "cancelled", "cancelled"]
    assert (error["output_type"], error["ename"]) == ("error", "ZeroDivisionError")
    assert after["text"] == "again\n"


async def test_a_source_that_changed_since_is_not_run(server: OpenServer, documents: FakeDocuments) -> None:
    documents.cells = {"a": ("code", "1"), "b": ("code", "2"), "m": ("markdown", "# x")}
    seen = hashlib.sha256(b"1").hexdigest()
    async with server() as sessions:
        with pytest.raises(Conflict) as refused:
            await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("a"), seen), Asked(CellId("b"), seen)])
        with pytest.raises(NotFound):
            await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("zzz"))])
        with pytest.raises(Invalid):
            await sessions.execute(ADA, NOTEBOOK, [Asked(CellId("m"))])

    assert refused.value.code == "stale_source"
    assert refused.value.extra == {"cells": ["b"]}
    assert [f for f in documents.told if f["type"] == "execution"] == []


async def test_displays_are_updated_across_cells_also_after_a_restart(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with server() as sessions:
        await outputs_of(sessions, documents, "h = display('one', display_id='d')")
        [first] = [f["execution"] for f in documents.told if f["type"] == "execution" and f["state"] == "finished"]
        await outputs_of(sessions, documents, "h.update('two')")
        _, second = await sessions.execution(ADA, NOTEBOOK, first)
    async with server() as sessions:
        await outputs_of(sessions, documents, "h.update('three')")
        _, third = await sessions.execution(ADA, NOTEBOOK, first)
        kept = await sessions.outputs(NOTEBOOK)

    assert second == [{"output_type": "display_data", "data": {"text/plain": "'two'"}, "metadata": {}}]
    assert third[0]["data"] == {"text/plain": "'three'"}
    assert kept[CellId("c0")].outputs == third


async def test_input_is_asked_for_answered_and_shown(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        code = "import getpass\nn = input('name? ')\np = getpass.getpass('secret? ')\nprint(n, len(p))"
        [execution] = await ask(sessions, documents, code)
        session = await sessions.session(NOTEBOOK)
        await heard(documents, lambda f: f["type"] == "input_request" and f["prompt"] == "name? ")
        await session.input(execution, "Ada")
        asked = await heard(documents, lambda f: f["type"] == "input_request" and f["prompt"] == "secret? ")
        await session.input(execution, "hunter2")
        await ended(documents, execution)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)
        with pytest.raises(Conflict):
            await session.input(execution, "late")

    assert asked["password"] is True
    assert printed(outputs) == "name? Ada\nsecret? ········\nAda 7\n"


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "while True: pass"])
async def test_an_interrupt_stops_what_runs_and_forgets_what_waits(
    server: OpenServer, documents: FakeDocuments, code: str
) -> None:
    async with server() as sessions:
        running, waiting = await ask(sessions, documents, "print('begun', flush=True)\n" + code, "2")
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == running)
        await (await sessions.session(NOTEBOOK)).interrupt()
        states = [(await ended(documents, execution))["state"] for execution in (running, waiting)]
        _, outputs = await sessions.execution(ADA, NOTEBOOK, running)

    assert states == ["failed", "cancelled"]
    assert outputs[-1]["ename"] == "KeyboardInterrupt"


STUBBORN = """
import time
while True:
    try:
        print('begun', flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""


async def test_a_cell_that_does_not_stop_is_terminated_and_the_kernel_comes_back(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with server(interrupt_seconds=0.5) as sessions:
        [running] = await ask(sessions, documents, STUBBORN)
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == running)
        await (await sessions.session(NOTEBOOK)).interrupt()
        frame = await ended(documents, running)
        [[after]] = await outputs_of(sessions, documents, "print('alive')")

    assert frame["state"] == "failed"
    assert "did not stop" in frame["reason"]
    assert after["text"] == "alive\n"


async def test_what_is_run_behind_two_restarts_runs(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        await outputs_of(sessions, documents, "1")
        session = await sessions.session(NOTEBOOK)
        await session.restart()
        # The new kernel comes meanwhile, and the session has not heard of it when it is asked to restart once more.
        time.sleep(1)
        await session.restart()
        [running] = await ask(sessions, documents, "print('alive')")
        frame = await ended(documents, running)

    assert frame["state"] == "finished"


@pytest.mark.parametrize(
    ("kills", "reason"), [(0, "killed (signal 9)"), (1, "killed: out of memory (used 2 GB of 2 GB)")]
)
async def test_a_kernel_that_dies_is_named_in_its_cell(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines, kills: int, reason: str
) -> None:
    async with server() as sessions:
        [running] = await ask(sessions, documents, "import os, time\nprint('begun', flush=True)\ntime.sleep(60)")
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == running)
        machines.kills = kills
        machines.agent.kill_kernel()
        frame = await ended(documents, running)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, running)
        [[after]] = await outputs_of(sessions, documents, "print('alive')")

    assert (frame["state"], frame["reason"]) == ("failed", reason)
    assert (outputs[-1]["ename"], outputs[-1]["evalue"]) == ("KernelDied", reason)
    assert after["text"] == "alive\n"


async def test_a_runtime_that_goes_away_is_told(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    async with server() as sessions:
        [running] = await ask(sessions, documents, "print('begun', flush=True)\nimport time; time.sleep(60)")
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == running)
        machines.gone, machines.over = True, "it was not used for 90 minutes"
        machines.agent.process.kill()
        frame = await ended(documents, running)

    assert frame["state"] == "failed"
    assert frame["reason"] == "the runtime was taken back: it was not used for 90 minutes"


async def test_a_large_image_is_put_away_and_comes_back_whole(server: OpenServer, documents: FakeDocuments) -> None:
    code = "import os, base64\nfrom IPython.display import Image\nb = os.urandom(200_000)\nImage(b, format='png')"
    async with server() as sessions:
        [[output]] = await outputs_of(sessions, documents, code)
        shown = next(f for f in documents.told if f["type"] == "outputs")["splice"][1][0]["data"]["image/png"]
        mime, content = await sessions.blob(ADA, NOTEBOOK, shown["$blob"])
        with pytest.raises(NotFound):
            await sessions.blob(ADA, NOTEBOOK, "0" * 64)

    assert shown["mime"] == mime == "image/png"
    assert len(content) == shown["size"] == 200_000
    assert isinstance(output["data"]["image/png"], str)


async def test_who_comes_late_sees_what_the_others_see_and_follows(
    server: OpenServer, documents: FakeDocuments
) -> None:
    code = "import time\nfor i in range(300):\n    print(f'\\r{i}', end='', flush=True)\n    time.sleep(0.002)\nprint()"
    async with server() as sessions:
        [execution] = await ask(sessions, documents, code)
        await heard(documents, lambda f: f["type"] == "append" and f["execution"] == execution)
        tab = Tab()
        await sessions.joined(tab)
        frame = next(f for f in tab.told if f["type"] == "cells")["executions"][0]
        await ended(documents, execution)

    begun = {"type": "outputs", "execution": execution, "version": 1, "splice": [0, frame["outputs"]]}
    later = [f for f in documents.told if f.get("execution") == execution and f["type"] in ("outputs", "append")]
    missed = [f for f in later if f["version"] > frame["version"]]
    late = [begun, *(f | {"version": number} for number, f in enumerate(missed, 2))]
    assert 0 < len(missed) < len(later)
    assert followed(late, execution)[0]["text"] == "299\n"
    assert followed(documents.told, execution)[0]["text"] == "299\n"


async def completed(sessions: Sessions, tab: Tab, code: str) -> dict[str, Any]:
    """What the kernel offers at the end of the code. The first question may go without an answer on a busy machine."""
    cursor = len(code.encode("utf-16-le")) // 2
    for request in range(100, 120):
        await sessions.received(tab, {"type": "complete", "request": request, "code": code, "cursor": cursor})
        completion = await heard(tab, lambda f, request=request: f["type"] == "completion" and f["request"] == request)
        if completion["matches"]:
            return completion
    raise AssertionError("nothing was ever offered")


async def test_a_tab_speaks_and_is_answered(server: OpenServer, documents: FakeDocuments) -> None:
    documents.cells = {"c": ("code", "alphabet = 1")}
    digest = hashlib.sha256(b"alphabet = 1").hexdigest()
    async with server() as sessions:
        tab, viewer = Tab(), Tab(Role.VIEWER)
        await sessions.joined(tab)
        await sessions.received(tab, {"type": "execute", "request": 1, "cells": [{"cell": "c", "hash": digest}]})
        accepted = await heard(tab, lambda f: f["type"] == "accepted")
        await ended(documents, accepted["executions"][0]["execution"])
        completion = await completed(sessions, tab, "'😀'; alpha")
        await sessions.received(tab, {"type": "inspect", "request": 3, "code": "alphabet", "cursor": 8})
        inspection = await heard(tab, lambda f: f["type"] == "inspection")
        await sessions.received(viewer, {"type": "execute", "request": 4, "cells": []})
        await sessions.received(tab, {"type": "dance", "request": 5})
        stale = {"type": "execute", "request": 6, "cells": [{"cell": "c", "hash": "0" * 64}]}
        await sessions.received(tab, stale)

    assert "alphabet" in completion["matches"]
    assert (completion["start"], completion["end"]) == (6, 11)
    assert inspection["found"]
    assert viewer.told == [
        {
            "type": "refused",
            "request": 4,
            "code": "forbidden",
            "detail": "You may look at this notebook, and not run it.",
            "why": "may_not_run",
        }
    ]
    assert [f["code"] for f in tab.told if f["type"] == "refused"] == ["invalid", "stale_source"]


async def test_what_waits_can_be_cancelled_and_outputs_cleared(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        await outputs_of(sessions, documents, "print('old')")
        session = await sessions.session(NOTEBOOK)
        running, waiting = await ask(sessions, documents, "import time; time.sleep(0.5)", "1")
        session.cancel(CellId("c2"))
        states = [(await ended(documents, execution))["state"] for execution in (running, waiting)]
        before = await sessions.outputs(NOTEBOOK)
        await session.clear([CellId("c0")])
        after = await sessions.outputs(NOTEBOOK)

    assert states == ["finished", "cancelled"]
    assert CellId("c0") in before
    assert CellId("c0") not in after


async def test_the_log_has_every_line_of_a_long_stream(server: OpenServer, documents: FakeDocuments) -> None:
    async with server() as sessions:
        [execution] = await ask(sessions, documents, "for i in range(300_000): print('line', i)")
        await ended(documents, execution)
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)
        log = "".join(await sessions.log(ADA, NOTEBOOK, execution))
        session = await sessions.session(NOTEBOOK)
        [frame] = [f for f in await session.shown() if f["execution"] == execution]

    whole = "".join(f"line {n}\n" for n in range(300_000))
    assert log == whole
    assert whole.startswith(outputs[0]["text"][: 256 * 1024])
    assert outputs[0]["text"].endswith("line 299999\n")
    omitted = frame["outputs"][0]["omitted"]
    assert omitted["at"] == 256 * 1024
    assert len(frame["outputs"][0]["text"]) + omitted["bytes"] == len(whole)


async def test_a_session_that_fails_is_read_again_and_loses_nothing(
    server: OpenServer, documents: FakeDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Session._message, iter([RuntimeError("a bug")])

    async def failing(session: Session, message: Message) -> None:
        if message.content.get("text") == "3\n" and (error := next(failures, None)) is not None:
            raise error
        await real(session, message)

    monkeypatch.setattr(Session, "_message", failing)
    code = "import time\nfor i in range(10): print(i, flush=True); time.sleep(0.1)"
    async with server() as sessions:
        [execution, behind] = await ask(sessions, documents, code, "print('after', i)")
        assert (await ended(documents, behind))["state"] == "finished"
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)

    assert next(failures, None) is None
    assert printed(outputs) == "".join(f"{n}\n" for n in range(10))


async def test_a_session_that_fails_while_the_database_is_away_is_read_again_when_it_is_back(
    server: OpenServer, documents: FakeDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = iter([Unavailable("The database cannot be reached.") for _ in range(3)])
    real_message, real_unfinished = Session._message, store.notebooks_unfinished

    async def failing(session: Session, message: Message) -> None:
        if message.content.get("text") == "3\n" and (error := next(away, None)) is not None:
            raise error
        await real_message(session, message)

    async def unfinished(tx: AsyncConnection) -> list[NotebookId]:
        if (error := next(away, None)) is not None:
            raise error
        return await real_unfinished(tx)

    monkeypatch.setattr(service, "RESUME_SECONDS", 0.05)
    code = "import time\nfor i in range(10): print(i, flush=True); time.sleep(0.1)"
    async with server() as sessions:
        monkeypatch.setattr(Session, "_message", failing)
        monkeypatch.setattr(store, "notebooks_unfinished", unfinished)
        [execution] = await ask(sessions, documents, code)
        # Nobody asks for anything meanwhile.
        assert (await ended(documents, execution))["state"] == "finished"
        _, outputs = await sessions.execution(ADA, NOTEBOOK, execution)

    assert next(away, None) is None
    assert printed(outputs) == "".join(f"{n}\n" for n in range(10))


async def test_why_there_is_no_runtime_is_told_to_everybody_and_at_the_cell(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    machines.why_not = "Runtime version 1 is not built yet: restart the server."
    async with server() as sessions:
        [execution] = await ask(sessions, documents, "1")
        over = await ended(documents, execution)
        told = await heard(documents, lambda f: (f.get("runtime") or {}).get("state") == "failed")

    assert (over["state"], over["reason"]) == ("cancelled", machines.why_not)
    assert told["runtime"]["reason"] == machines.why_not
