"""The world around the Jupyter API."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent_process import AgentProcess, agent_process
from jupyter.world import ADA, EVE, Site, open_site


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with agent_process(forked=True) as agent:
        yield agent


@pytest.fixture
async def site(tmp_path: Path, agent: AgentProcess, database_url: str) -> AsyncIterator[Site]:
    async with open_site(tmp_path, agent, url=database_url) as site:
        yield site
        # The agent outlives the site, and takes only so many kernels.
        site.tokens = {who: await site.house.accounts.create_token(who, "end") for who in (ADA, EVE)}
        for who in site.tokens:
            async with site.client(who) as http:
                for kernel in (await http.get("/api/kernels")).json():
                    await http.delete(f"/api/kernels/{kernel['id']}")
