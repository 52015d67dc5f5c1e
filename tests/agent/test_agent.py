"""The agent keeps what kernels say, whoever listens and whatever is killed."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_process import AgentClient, AgentProcess, agent_process, text_of
from collegium.kernels.model import KernelChange, Message, Refusal, Reply, Welcome

pytestmark = pytest.mark.anyio
K = "kernel-1"


@pytest.fixture(scope="module")
def one() -> Iterator[AgentProcess]:
    with agent_process() as agent:
        yield agent


@pytest.fixture
async def shared(one: AgentProcess) -> AsyncIterator[AgentProcess]:
    yield one
    await one.hang_up()


@pytest.fixture
async def own() -> AsyncIterator[AgentProcess]:
    with agent_process() as agent:
        yield agent
        await agent.hang_up()


async def opened(agent: AgentProcess, **since: Any) -> AgentClient:
    client = await AgentClient.open(agent, **since)
    welcome = await client.next()
    assert isinstance(welcome, Welcome)
    return client


async def started(agent: AgentProcess) -> AgentClient:
    client = await opened(agent)
    await client.send(op="start_kernel", kernel=K, name="python3")
    return client


async def ran(client: AgentClient, execution: str) -> list[Message]:
    """Every message of an execution up to its reply and its idle."""
    found: list[Message] = []
    replied = idle = False
    while not (replied and idle):
        frame = await client.next()
        if isinstance(frame, Message) and frame.parent == execution:
            found.append(frame)
            replied = replied or frame.msg_type == "execute_reply"
            idle = idle or (frame.msg_type == "status" and frame.content["execution_state"] == "idle")
    return found


async def test_a_cell_runs_and_everything_it_says_is_numbered(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="first", code="print('hello')\n6 * 7")

    messages = await ran(client, "first")
    assert text_of(messages) == "hello\n"
    assert [m.seq for m in messages] == sorted({m.seq for m in messages})
    result = next(m for m in messages if m.msg_type == "execute_result")
    assert result.content["data"] == {"text/plain": "42"}


async def test_an_execution_that_is_asked_twice_runs_once(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="init", code="n = 0")
    for _ in range(3):
        await client.send(op="execute", kernel=K, id="twice", code="n += 1")
    await client.send(op="execute", kernel=K, id="look", code="print(n)")

    assert text_of(await ran(client, "look")) == "1\n"


async def test_a_hundred_thousand_lines_arrive_exactly(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="lines", code="for i in range(100_000): print(i)")

    assert text_of(await ran(client, "lines")) == "".join(f"{n}\n" for n in range(100_000))


async def test_a_client_that_left_gets_what_it_missed_and_nothing_twice(shared: AgentProcess) -> None:
    client = await started(shared)
    code = "import time\nfor i in range(60): print(i, flush=True); time.sleep(0.01)"
    await client.send(op="execute", kernel=K, id="missed", code=code)
    seen: list[Message] = []
    while len(seen) < 5:
        frame = await client.next()
        if isinstance(frame, Message) and frame.parent == "missed":
            seen.append(frame)
    await client.stream.aclose()  # it leaves
    again = await AgentClient.open(shared, since=seen[-1].seq, epoch=await epoch_of(shared))

    seen += await ran(again, "missed")
    assert text_of(seen) == "".join(f"{n}\n" for n in range(60))


async def epoch_of(agent: AgentProcess) -> str:
    client = await AgentClient.open(agent)
    welcome = await client.next()
    assert isinstance(welcome, Welcome)
    return welcome.epoch


async def test_a_client_of_another_epoch_gets_everything(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="any", code="1")
    await ran(client, "any")
    stranger = await AgentClient.open(shared, since=10**9, epoch="another")

    welcome = await stranger.next()
    assert isinstance(welcome, Welcome)
    first = await stranger.next()
    assert isinstance(first, (Message, KernelChange))
    assert first.seq == welcome.oldest


async def test_input_is_asked_and_answered(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="ask", code="name = input('who? '); print('hi', name)")
    asked = await client.until(Message, msg_type="input_request")
    await client.send(op="input_reply", kernel=K, parent="ask", value="Ada")

    assert asked.content == {"prompt": "who? ", "password": False}
    assert text_of(await ran(client, "ask")) == "hi Ada\n"


BEGUN = "open('begun', 'w').close()\n"


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "while True: pass", "!touch begun; exec sleep 60"])
async def test_an_interrupt_stops_a_cell(shared: AgentProcess, code: str) -> None:
    client = await started(shared)
    begun = shared.content / "begun"
    begun.unlink(missing_ok=True)
    name = "stop-" + code.split()[0].strip("!")
    await client.send(op="execute", kernel=K, id=name, code=code if code[0] == "!" else BEGUN + code)
    with anyio.fail_after(20):
        while not begun.exists():
            await anyio.sleep(0.01)
    await client.send(op="interrupt", kernel=K)

    with anyio.fail_after(20):
        messages = await ran(client, name)
    if not code.startswith("!"):
        assert next(m for m in messages if m.msg_type == "error").content["ename"] == "KeyboardInterrupt"


async def test_questions_are_answered_and_not_journalled(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="known", code="alphabet = 1")
    last = (await ran(client, "known"))[-1].seq
    content = {"code": "alpha", "cursor_pos": 5}
    await client.send(op="request", kernel=K, id="q", channel="shell", msg_type="complete_request", content=content)
    reply = await client.until(Reply, id="q")
    await client.send(op="execute", kernel=K, id="after", code="2")

    assert "alphabet" in reply.content["matches"]
    assert (await ran(client, "after"))[0].seq == last + 1


async def test_a_frame_that_cannot_be_carried_out_is_refused_and_the_line_stays(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="dance", id="x")
    assert isinstance(await client.until(Refusal, id="x"), Refusal)
    await client.send(op="execute", kernel="nobody", id="y", code="1")
    assert isinstance(await client.until(Refusal, id="y"), Refusal)
    await client.send(op="stat", id="s")

    stat = await client.until(Reply, id="s")
    assert stat.content["kernels"][0]["id"] == K


async def test_a_kernel_that_dies_is_reported_with_its_signal_and_restarts(own: AgentProcess) -> None:
    client = await started(own)
    await client.send(
        op="execute",
        kernel=K,
        id="die",
        code="print('last words', flush=True)\nimport os, time; time.sleep(0.3); os.kill(os.getpid(), 9)",
    )
    said = await client.until(Message, msg_type="stream")
    change = await client.until(KernelChange, state="dead")
    await client.send(op="restart", kernel=K)
    await client.until(KernelChange, state="idle")
    await client.send(op="execute", kernel=K, id="alive", code="print('alive')")

    assert said.content["text"] == "last words\n"
    assert change.signal == signal.SIGKILL
    assert text_of(await ran(client, "alive")) == "alive\n"


async def test_a_restart_gives_a_fresh_kernel(own: AgentProcess) -> None:
    client = await started(own)
    await client.send(op="execute", kernel=K, id="set", code="x = 1")
    await ran(client, "set")
    await client.send(op="restart", kernel=K)
    await client.until(KernelChange, state="restarting")
    await client.until(KernelChange, state="idle")
    await client.send(op="execute", kernel=K, id="look", code="print('x' in globals())")

    assert text_of(await ran(client, "look")) == "False\n"


async def test_a_kernel_outlives_its_agent_and_its_cell_goes_on(own: AgentProcess) -> None:
    client = await started(own)
    code = "import time\nfor i in range(40): print(i, flush=True); time.sleep(0.05)\nx = 'kept'"
    await client.send(op="execute", kernel=K, id="long", code=code)
    first = await client.until(Message, msg_type="stream")
    own.kill_agent()
    again = await reopened(own, since=first.seq)
    rest = await ran(again, "long")
    await again.send(op="execute", kernel=K, id="long", code=code)
    await again.send(op="execute", kernel=K, id="look", code="print(x)")

    assert text_of([first, *rest]) == "".join(f"{n}\n" for n in range(40))
    assert text_of(await ran(again, "look")) == "kept\n"


async def reopened(agent: AgentProcess, since: int) -> AgentClient:
    """Connected again after the agent was killed; the epoch has stayed."""
    with anyio.fail_after(20):
        while True:
            try:
                epoch = await epoch_of(agent)
                client = await AgentClient.open(agent, since=since, epoch=epoch)
                welcome = await client.next()
                assert isinstance(welcome, Welcome)
                return client
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                await anyio.sleep(0.01)


async def test_a_reader_that_stops_holds_nothing_up(own: AgentProcess) -> None:
    client = await started(own)
    stalled = await opened(own)
    await client.send(op="execute", kernel=K, id="big", code="for i in range(40): print('x' * 1_000_000)")

    assert len(text_of(await ran(client, "big"))) == 40 * 1_000_001
    assert len(text_of(await ran(stalled, "big"))) == 40 * 1_000_001


async def test_when_the_journal_is_full_the_kernel_waits_and_nothing_is_dropped() -> None:
    with agent_process("--journal-bytes", "2000000") as agent:
        client = await started(agent)
        code = "for i in range(400): print(str(i) + 'x' * 100_000, flush=True)\nopen('done', 'w').close()"
        await client.send(op="execute", kernel=K, id="flood", code=code)
        seen: list[Message] = []
        with anyio.move_on_after(3):
            while True:
                frame = await client.next()
                if isinstance(frame, Message):
                    seen.append(frame)
        assert len(text_of(seen)) < 20_000_000
        assert not (agent.content / "done").exists()
        while not {"execute_reply", "idle"} <= {m.content.get("execution_state", m.msg_type) for m in seen}:
            await client.send(op="stored", seq=seen[-1].seq)
            frame = await client.next()
            if isinstance(frame, Message):
                seen.append(frame)

        assert text_of(seen) == "".join(f"{n}{'x' * 100_000}\n" for n in range(400))
        await agent.hang_up()


async def test_a_warm_kernel_is_adopted_with_a_clean_namespace() -> None:
    with agent_process("--warm", "python3") as agent:
        client = await opened(agent)
        with anyio.fail_after(60):
            while True:
                await client.send(op="stat", id="s")
                if (await client.until(Reply, id="s")).content["warm"] == "ready":
                    break
                await anyio.sleep(0.05)
        await client.send(op="start_kernel", kernel=K, name="python3")
        code = "import sys\nprint('pandas' in sys.modules, [n for n in dir() if n[0] != '_' and n not in "
        code += "('In', 'Out', 'exit', 'quit', 'get_ipython', 'open', 'sys')])"
        await client.send(op="execute", kernel=K, id="look", code=code)
        looked = text_of(await ran(client, "look"))
        await client.send(op="execute", kernel=K, id="plot", code="import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
        plotted = [m.msg_type for m in await ran(client, "plot")]

        assert looked == "True []\n"
        assert "display_data" in plotted
        await agent.hang_up()


async def test_a_cold_kernel_plots_without_a_magic_line(shared: AgentProcess) -> None:
    client = await started(shared)
    await client.send(op="execute", kernel=K, id="plot", code="import matplotlib.pyplot as plt\nplt.plot([1, 2]);")

    messages = await ran(client, "plot")
    assert any("image/png" in m.content.get("data", {}) for m in messages)


async def test_a_kernel_goes_before_its_agent_when_memory_runs_out(own: AgentProcess) -> None:
    client = await started(own)
    await client.until(KernelChange, state="idle")
    kernels = [pid for pid, command in own.children() if "launch.py" in command]

    assert Path(f"/proc/{kernels[0]}/oom_score_adj").read_text().strip() == "800"
