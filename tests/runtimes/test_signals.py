"""Whoever starts the engine may have blocked and ignored signals; inside a runtime nothing is left of that."""

import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from runtime_world import EngineProcess, Notebook, engine_process
from runtimes.conftest import uid_of

pytestmark = pytest.mark.sandbox

OF_THE_LIBRARY = 0b11 << 31
"""Signals 32 and 33 are the C library's own: a program can neither send them to itself nor change what they do."""
SET = f"""
import re
sets = re.findall(r'Sig(?:Blk|Ign):\\s*(\\w+)', open('/proc/self/status').read())
print([int(found, 16) & ~{OF_THE_LIBRARY} for found in sets])
"""
PIPE_AND_FILE_SIZE = 1 << 12 | 1 << 24
"""The two that every Python ignores."""


def deaf() -> None:
    """As a careless parent would leave it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1))
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(params=["root", "ordinary"])
def deaf_engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    with engine_process(uid_of(request.param), prepare=deaf) as engine:
        yield engine


def test_a_runtime_of_a_deaf_parent_hears_every_signal(deaf_engine: EngineProcess) -> None:
    deaf_engine.create("one")
    with closing(Notebook(deaf_engine.agent_socket("one"))) as notebook:
        assert notebook.run(SET).text.strip() == f"[0, {PIPE_AND_FILE_SIZE}]"
        assert notebook.run("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)").error == (
            "KeyboardInterrupt: "
        )
        assert notebook.run("os.kill(os.getpid(), signal.SIGKILL); time.sleep(60)").kernel_died
