"""A real agent whose language server and formatter are those of our own environment."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_process import AgentProcess, agent_process


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with agent_process(env={"COLLEGIUM_LANGUAGE_PROGRAMS": str(Path(sys.executable).parent)}) as agent:
        yield agent
