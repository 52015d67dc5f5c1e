"""A real kernel that is asked about its variables and tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from agent_process import AgentClient, AgentProcess, agent_process
from collegium.kernels.model import KernelChange, Message
from collegium.kernels.side import ask


class TableKernel:
    """A kernel, and questions to it."""

    def __init__(self, agent: AgentProcess, client: AgentClient) -> None:
        self.agent, self.client, self.count = agent, client, 0
        self.shown: list[dict[str, Any]] = []

    async def start(self, code: str) -> str:
        """Begin a cell."""
        self.count += 1
        await self.client.send(op="execute", kernel="k", id=f"e{self.count}", code=code)
        return f"e{self.count}"

    async def finish(self, execution: str) -> None:
        """To the end of a cell, which must succeed."""
        idle = replied = False
        while not (idle and replied):
            frame = await self.client.next()
            if not isinstance(frame, Message) or frame.parent != execution:
                continue
            if frame.msg_type in ("execute_result", "display_data"):
                self.shown.append(frame.content["data"])
            if frame.msg_type == "execute_reply":
                assert frame.content["status"] == "ok", frame.content
                replied = True
            idle = idle or (frame.msg_type == "status" and frame.content["execution_state"] == "idle")

    async def run(self, code: str) -> None:
        """A cell from its beginning to its end."""
        with anyio.fail_after(60):
            await self.finish(await self.start(code))

    async def question(self, op: str, about: dict[str, Any]) -> dict[str, Any]:
        """Ask beside the journal."""
        with anyio.fail_after(60):
            return await ask(self.agent.connect, {"op": op, "kernel": "k", "about": about})

    async def variables(self, **about: Any) -> list[dict[str, Any]]:
        """A page of the variables."""
        found: list[dict[str, Any]] = (await self.question("namespace", about))["variables"]
        return found

    async def table(self, op: str, **about: Any) -> dict[str, Any]:
        """Ask about a table."""
        return await self.question("table", {"op": op, **about})

    async def opened(self, variable: str) -> dict[str, Any]:
        """The description of a table, which must be one."""
        found = await self.table("open", variable=variable)
        assert found.keys().isdisjoint({"error"}), found
        return found

    async def rows(self, ref: str, columns: list[int], **about: Any) -> dict[str, Any]:
        """Rows of a table, which must be there."""
        found = await self.table("rows", **{"ref": ref, "columns": columns, "limit": 50, **about})
        assert found.keys().isdisjoint({"error"}), found
        return found


@asynccontextmanager
async def table_kernel() -> AsyncIterator[TableKernel]:
    """A kernel in an agent of its own, idle."""
    with agent_process() as agent:
        client = await AgentClient.open(agent)
        await client.send(op="start_kernel", kernel="k", name="python3", cwd=str(agent.content), env={})
        await client.until(KernelChange, state="idle")
        yield TableKernel(agent, client)
        await agent.hang_up()
