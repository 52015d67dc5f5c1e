"""A kernel of an agent, spoken to as the server does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from agent_process import AgentClient, AgentProcess, agent_process
from collegium.kernels.model import Message


class Kernel:
    """A kernel, and the line to its agent."""

    def __init__(self, agent: AgentProcess, client: AgentClient) -> None:
        self.agent, self.client, self.count = agent, client, 0
        self.extra: list[Message] = []

    async def start(self, code: str, *, stdin: bool = True) -> str:
        """Begin a cell."""
        self.count += 1
        await self.client.send(op="execute", kernel="k", id=f"e{self.count}", code=code, allow_stdin=stdin)
        return f"e{self.count}"

    async def finish(self, execution: str, answers: list[str] | None = None, interrupt_at: str = "") -> tuple[str, str]:
        """What a cell printed, and the name of its error."""
        text, error, replied, idle = "", "", False, False
        while not (replied and idle):
            frame = await self.client.next()
            if not isinstance(frame, Message) or frame.parent != execution:
                continue
            self.extra.append(frame)
            match frame.msg_type:
                case "stream":
                    text += frame.content["text"]
                    if interrupt_at and interrupt_at in text:
                        interrupt_at = ""
                        await self.client.send(op="interrupt", kernel="k")
                case "execute_reply":
                    error, replied = str(frame.content.get("ename", "")), True
                case "status":
                    idle = frame.content["execution_state"] == "idle"
                case "input_request":
                    assert answers, "it asks, and nobody answers"
                    await self.client.send(op="input_reply", kernel="k", parent=execution, value=answers.pop(0))
        return text, error

    async def run(self, code: str, *, stdin: bool = True, **more: Any) -> tuple[str, str]:
        """A cell from its beginning to its end."""
        with anyio.fail_after(60):
            return await self.finish(await self.start(code, stdin=stdin), **more)


@asynccontextmanager
async def open_kernel() -> AsyncIterator[Kernel]:
    """A Python kernel in an agent of its own, until the end."""
    with agent_process() as agent:
        client = await AgentClient.open(agent)
        await client.send(op="start_kernel", kernel="k", name="python3", cwd=str(agent.content), env={})
        yield Kernel(agent, client)
        await agent.hang_up()
