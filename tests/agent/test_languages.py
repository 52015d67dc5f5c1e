"""Kernels of other languages: they run, print, fail, are interrupted, and lack gracefully what they lack."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_process import AgentClient, AgentProcess, agent_process, text_of
from collegium.kernels.model import KernelChange, Message, Refusal, Reply, Welcome
from collegium.runtimes.languages import IRKERNEL, KernelSpec, kernels_of
from collegium_agent import specs
from collegium_agent.wire import Malformed

pytestmark = pytest.mark.anyio
CELLS = {
    "bash": {
        "print": ("echo $((6 * 7)); echo again", "42\nagain"),
        "fail": "false_command_of_nobody",
        "wait": "echo begun; sleep 600",
        "set": "kept=yes",
        "get": ("echo -$kept-", "-yes-"),
        "gone": "--",
        "complete": ("unam", "uname"),
    },
    "ir": {
        "print": ("cat(6 * 7, '\\n'); cat('again')", "42 \nagain"),
        "fail": "stop('of nobody')",
        "wait": "cat('begun\\n'); flush.console(); for (i in 1:6000) Sys.sleep(0.1)",
        "set": "kept <- 'yes'",
        "get": ("cat('-', get0('kept', ifnotfound=''), '-', sep='')", "-yes-"),
        "gone": "--",
        "complete": ("read.cs", "read.csv"),
    },
}


@pytest.fixture(params=list(CELLS), scope="module")
def name(request: pytest.FixtureRequest) -> str:
    if request.param == "ir" and not IRKERNEL.exists():
        pytest.skip("R is not installed: apt-get install r-base-core r-cran-irkernel")
    return str(request.param)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def agent(name: str) -> AsyncIterator[AgentProcess]:
    with agent_process() as agent:
        yield agent
        await agent.hang_up()


@pytest.fixture
async def client(agent: AgentProcess, name: str) -> AgentClient:
    client = await AgentClient.open(agent)
    assert isinstance(await client.next(), Welcome)
    await client.send(op="start_kernel", kernel=name, name=name)
    return client


async def ran(client: AgentClient, name: str, execution: str, code: str, *, on_text: Any = None) -> list[Message]:
    """Everything an execution said; its first text calls `on_text`. Bash says a line more when it is interrupted."""
    await client.send(op="execute", kernel=name, id=execution, code=code, allow_stdin=False)
    found: list[Message] = []
    replied = idle = False
    while not (replied and idle):
        frame = await client.next()
        assert not isinstance(frame, Refusal), frame
        if isinstance(frame, Message) and frame.parent == execution:
            found.append(frame)
            replied = replied or frame.msg_type == "execute_reply"
            idle = idle or (frame.msg_type == "status" and frame.content["execution_state"] == "idle")
            if on_text is not None and frame.msg_type == "stream":
                await on_text()
                on_text = None
    return found


def status(messages: list[Message]) -> str:
    return next(str(one.content["status"]) for one in messages if one.msg_type == "execute_reply")


async def test_it_prints_and_keeps_what_was_set(client: AgentClient, name: str) -> None:
    code, text = CELLS[name]["print"]

    assert text_of(await ran(client, name, "p1", code)).strip() == text
    await ran(client, name, "p2", str(CELLS[name]["set"]))
    assert text_of(await ran(client, name, "p3", CELLS[name]["get"][0])).strip() == CELLS[name]["get"][1]


async def test_an_error_is_one_and_the_kernel_goes_on(client: AgentClient, name: str) -> None:
    failed = await ran(client, name, "f1", str(CELLS[name]["fail"]))

    assert status(failed) == "error"
    assert status(await ran(client, name, "f2", CELLS[name]["print"][0])) == "ok"


async def test_it_is_interrupted_and_goes_on(client: AgentClient, name: str) -> None:
    async def interrupt() -> None:
        await client.send(op="interrupt", id="i", kernel=name)

    await ran(client, name, "i1", str(CELLS[name]["wait"]), on_text=interrupt)

    assert text_of(await ran(client, name, "i2", CELLS[name]["print"][0])).strip() == CELLS[name]["print"][1]


async def test_after_a_restart_it_is_fresh(client: AgentClient, name: str) -> None:
    await ran(client, name, "r1", str(CELLS[name]["set"]))
    await client.send(op="restart", id="r", kernel=name)
    await client.until(KernelChange, kernel=name, state="restarting")
    await client.until(KernelChange, kernel=name, state="idle")

    assert text_of(await ran(client, name, "r2", CELLS[name]["get"][0])).strip() == CELLS[name]["gone"]


async def test_completion_is_offered_as_far_as_the_kernel_can(client: AgentClient, name: str) -> None:
    code, wanted = CELLS[name]["complete"]
    await ran(client, name, "c1", CELLS[name]["print"][0])
    content = {"code": code, "cursor_pos": len(code)}
    await client.send(op="request", id="c", kernel=name, msg_type="complete_request", content=content)

    reply = await client.until(Reply, id="c")

    assert any(wanted in match for match in reply.content["matches"])


async def test_what_only_python_knows_is_answered_with_nothing(client: AgentClient, name: str) -> None:
    await client.send(op="variables", id="n", kernel=name)

    assert (await client.until(Reply, id="n")).content == {"variables": []}


async def test_r_draws_in_png_and_shows_tables(client: AgentClient, name: str) -> None:
    if name != "ir":
        pytest.skip("only R draws")
    drawn = await ran(client, name, "d1", "plot(1:10)\ndata.frame(a = 1:2)")

    kinds = {kind for one in drawn if one.msg_type == "display_data" for kind in one.content["data"]}
    assert {"image/png", "text/html"} <= kinds


async def test_r_has_a_library_of_its_own_and_a_mirror(client: AgentClient, name: str) -> None:
    if name != "ir":
        pytest.skip("only R")
    shown = await ran(client, name, "l1", "cat(.libPaths()[1], getOption('repos')[['CRAN']])")

    library, mirror = text_of(shown).split()
    assert library.endswith(specs.R_LIBRARY)
    assert mirror.startswith("https://")


def test_specifications_of_the_environment_count_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(
        tmp_path / "one/share/jupyter/kernels/here",
        argv=["sh", "{resource_dir}/x", "{connection_file}"],
        env={"A": "1"},
    )
    _write(tmp_path / "two/share/jupyter/kernels/here", argv=["no"])
    _write(tmp_path / "two/share/jupyter/kernels/there", argv=["/bin/sh", "yes"])
    _write(tmp_path / "two/share/jupyter/kernels/absent", argv=["a-program-that-nobody-has"])
    _write(tmp_path / "two/share/jupyter/kernels/empty", argv=[])
    places = [tmp_path / "one/share/jupyter/kernels", tmp_path / "two/share/jupyter/kernels"]
    monkeypatch.setattr(specs, "folders", lambda: places)

    found = specs.find("here")

    assert found.argv[0].endswith("/sh")
    assert found.argv[1:] == (f"{places[0]}/here/x", "{connection_file}")
    assert found.env == {"A": "1"}
    assert specs.find("there").argv == ("/bin/sh", "yes")
    for bad in ("empty", "absent", "nowhere", "../two", "", "a" * 65, "a/b"):
        with pytest.raises(Malformed):
            specs.find(bad)


def test_a_version_offers_what_can_run(tmp_path: Path) -> None:
    kernels = tmp_path / "share/jupyter/kernels"
    _write(kernels / "good", argv=["sh"], display_name="Shell", language="sh")
    _write(kernels / "absent", argv=["a-program-that-nobody-has"], display_name="A", language="a")
    _write(kernels / "outside", argv=["/bin/../root/x"], display_name="A", language="a")
    _write(kernels / "odd", argv="sh", display_name=7, language=None)
    (kernels / "torn").mkdir()
    (kernels / "torn/kernel.json").write_text("{")

    found = kernels_of(tmp_path)

    assert found[0] == KernelSpec("python3", "Python 3", "python")
    assert KernelSpec("good", "Shell", "sh") in found
    assert {one.name for one in found} <= {"python3", "good", "ir"}
    assert ("ir" in {one.name for one in found}) == IRKERNEL.exists()


def _write(folder: Path, **value: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(value))
