"""A session asks for what its notebook names, says what it waits for, and goes on without what cannot be had."""

from typing import Any

import anyio
import pytest

from collegium.accounts.model import Principal
from collegium.ground.errors import Forbidden, NotFound
from collegium.ground.ids import RuntimeId, UserId
from collegium.sessions.ports import Wanted
from session_world import ADA, NOTEBOOK, FakeAuthority, FakeDocuments, FakeMachines, OpenServer, Tab, ended, heard

pytestmark = pytest.mark.anyio


def runtime_of(frame: dict[str, Any]) -> dict[str, Any]:
    """RUNTIME of a `session` frame."""
    return (frame["type"] == "session" and frame["runtime"]) or {}


OLDER = {"colab": {"runtime_attributes": {"runtime_version": "older"}}}


async def test_a_notebook_gets_the_version_it_names_and_sees_it_being_built(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells, documents.about = {"a": ("code", "1")}, OLDER
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)
        built = await heard(documents, lambda f: bool(runtime_of(f).get("progress")))
        ready = await heard(documents, lambda f: runtime_of(f).get("state") == "ready")

    assert machines.acquired == [Wanted("cpu", "older")]
    assert built["runtime"]["progress"] == "Building runtime version older: 1 of 2"
    assert (ready["runtime"]["version"], ready["runtime"]["progress"], ready["runtime"]["notes"]) == ("older", None, [])


async def test_what_cannot_be_had_is_noted_and_the_cell_runs(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    documents.about = {"accelerator": "GPU", "kernelspec": {"name": "ir"}}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        over = await ended(documents, execution.id)
        frame = (await sessions.session(NOTEBOOK)).state_frame()

    assert over["state"] == "finished"
    assert frame["runtime"]["notes"] == [
        "The notebook asks for an accelerator (GPU): There is no GPU here. cpu is used.",
        "There is no kernel “ir” in this runtime version: python3 is used.",
    ]
    assert frame["runtime"]["notes_why"] == [
        {"code": "accelerator_none", "accelerator": "GPU", "because": "There is no GPU here", "usual": "cpu"},
        {"code": "runtime_kernel_none", "kernel": "ir", "usual": "python3"},
    ]
    assert (frame["kernel"]["name"], frame["kernel"]["language"]) == ("python3", "python")


async def test_the_place_in_line_is_shown_while_an_accelerator_is_waited_for(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    machines.line = 3
    async with server() as sessions:
        await (await sessions.session(NOTEBOOK)).connect(ADA)
        ready = await heard(documents, lambda f: runtime_of(f).get("state") == "ready")
        queues = [f["runtime"]["queue"] for f in documents.told if f["type"] == "session" and f["runtime"]]

    assert [queue for queue in queues if queue] == [{"position": n, "of": 3} for n in (3, 2, 1)]
    assert ready["runtime"]["queue"] is None


async def test_another_type_or_version_gives_the_old_runtime_back_first(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)
        tab = Tab()
        await sessions.joined(tab)
        await sessions.received(tab, {"type": "connect", "runtime_type": "cpu", "version": "test"})
        assert not machines.released
        await sessions.received(tab, {"type": "connect", "version": "older"})
        await heard(documents, lambda f: runtime_of(f).get("version") == "older")
        await sessions.received(tab, {"type": "connect", "version": "x" * 100})
        refused = await heard(tab, lambda f: f["type"] == "refused")

    assert len(machines.released) == 1
    assert machines.acquired == [Wanted("cpu", "test"), Wanted("cpu", "older")]
    assert refused["code"] == "invalid"


async def test_a_notice_reaches_those_who_watch_and_keeping_is_passed_on(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)
        machines.notify(RuntimeId("x" * 22), {"kind": "idle", "at": 1})
        machines.notify(machines.machine.id, {"kind": "idle", "at": 5})
        told = await heard(documents, lambda f: bool(runtime_of(f).get("notice")))
        start = len(documents.told)
        await sessions.received(Tab(), {"type": "keep"})
        machines.notify(machines.machine.id, None)
        await heard(documents, lambda f: f["type"] == "session" and f["runtime"]["notice"] is None, start)

    assert told["runtime"]["notice"] == {"kind": "idle", "at": 5}
    assert machines.kept == 1


async def test_restarting_after_the_notebook_named_another_kernel_starts_that_one(
    server: OpenServer, documents: FakeDocuments
) -> None:
    documents.cells = {"a": ("code", "x = 1"), "b": ("code", "x")}
    async with server() as sessions:
        [execution] = (await sessions.execute(ADA, NOTEBOOK, None))[:1]
        await ended(documents, execution.id)
        session = await sessions.session(NOTEBOOK)
        before = session.state_frame()["kernel"]
        documents.about = {"kernelspec": {"name": "other"}}
        await session.restart()
        after = session.state_frame()["kernel"]

    assert (before["name"], before["language"]) == ("python3", "python")
    assert (after["name"], after["language"]) == ("other", "parrot")
    assert after["id"] != before["id"]


BOB = Principal(UserId("b" * 22), "Bob", "bob@example.org", False)


class Strict(FakeAuthority):
    """Only Ada may run."""

    async def authorize(self, principal, item, action):  # type: ignore[no-untyped-def]
        if principal != ADA:
            raise Forbidden("no") if action == "read" else NotFound("no")
        return await super().authorize(principal, item, action)


async def test_a_runtime_is_used_by_its_user_and_by_who_may_run_its_notebook(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    async with server() as sessions:
        with pytest.raises(NotFound):
            await sessions.usable(BOB, machines.machine.id)
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)

        assert (await sessions.usable(ADA, machines.machine.id)).id == machines.machine.id
        assert (await sessions.usable(BOB, machines.machine.id)).id == machines.machine.id
        for wrong in ("", "x" * 22, "../../etc", "0" * 22):
            with pytest.raises(NotFound) as missing:
                await sessions.usable(ADA, RuntimeId(wrong))
            assert missing.value.detail == "There is no such runtime, or it is not yours."


async def test_who_may_not_run_the_notebook_cannot_tell_that_there_is_a_runtime(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    async with server(authority=Strict()) as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)

        with pytest.raises(NotFound) as theirs:
            await sessions.usable(BOB, machines.machine.id)
        with pytest.raises(NotFound) as none:
            await sessions.usable(BOB, RuntimeId("0" * 22))
        assert await sessions.held(BOB) == []

    assert theirs.value.detail == none.value.detail


async def test_a_listing_says_what_runs_where(server: OpenServer, documents: FakeDocuments) -> None:
    documents.cells = {"a": ("code", "import time; print(1, flush=True); time.sleep(1000)")}
    async with server() as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await heard(documents, lambda f: f["type"] in ("outputs", "append") and f["execution"] == execution.id)
        [held] = await sessions.held(ADA)
        with anyio.fail_after(30):
            await (await sessions.session(NOTEBOOK)).interrupt()
            await ended(documents, execution.id)
        [idle] = await sessions.held(ADA)

    assert (held.notebook, held.name, held.executing) == (NOTEBOOK, "notebook.ipynb", True)
    assert held.kernel is not None
    assert (held.kernel["name"], held.kernel["state"]) == ("python3", "busy")
    assert not idle.executing


class Parted(FakeAuthority):
    """Ada may run, until she may not."""

    parted = False

    async def authorize(self, principal, item, action):  # type: ignore[no-untyped-def]
        if self.parted:
            raise NotFound("no")
        return await super().authorize(principal, item, action)


async def test_who_may_not_run_the_notebook_any_more_cannot_look_into_their_own_runtime_that_it_runs_in(
    server: OpenServer, documents: FakeDocuments, machines: FakeMachines
) -> None:
    documents.cells = {"a": ("code", "1")}
    authority = Parted()
    async with server(authority=authority) as sessions:
        [execution] = await sessions.execute(ADA, NOTEBOOK, None)
        await ended(documents, execution.id)
        runtime = machines.machine.id
        assert (await sessions.reachable(ADA, runtime)).id == runtime

        authority.parted = True
        with pytest.raises(NotFound):
            await sessions.reachable(ADA, runtime)
        assert (await sessions.usable(ADA, runtime)).id == runtime  # to give it back
