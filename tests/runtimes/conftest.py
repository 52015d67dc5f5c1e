"""Engines for tests that need a real sandbox."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime_world import ORDINARY_UID, STUB, EngineProcess, engine_process, why_no_sandbox

USERS = ["root", "ordinary"]


def uid_of(user: str) -> int:
    """Who runs the engine; skips what this machine or this user cannot do, and says so."""
    why = why_no_sandbox()
    if why is not None:
        pytest.skip(f"no sandbox here: {why}")
    if os.geteuid() != 0:
        if user == "root":
            pytest.skip("these tests do not run as root")
        return os.geteuid()
    return 0 if user == "root" else ORDINARY_UID


@pytest.fixture(params=USERS)
def engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    """An engine whose runtimes have a stub for an agent."""
    with engine_process(uid_of(request.param), agent=STUB) as engine:
        yield engine


@pytest.fixture(params=USERS, scope="module")
def whole_engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    """An engine with the real agent, shared by the tests of a module."""
    with engine_process(uid_of(request.param)) as engine:
        yield engine


@pytest.fixture
def stub() -> Path:
    """The folder with the stub of an agent."""
    return STUB
