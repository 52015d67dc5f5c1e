"""The world around the Jupyter API."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent_process import AgentProcess, agent_process
from jupyter.world import Site, open_site


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with agent_process() as agent:
        yield agent


@pytest.fixture
async def site(tmp_path: Path, agent: AgentProcess) -> AsyncIterator[Site]:
    async with open_site(tmp_path, agent) as site:
        yield site
