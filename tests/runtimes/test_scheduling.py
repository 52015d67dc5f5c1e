"""An engine that runs before all others (`chrt -r 10 collegium serve`) makes runtimes, which are as any process."""

import os
from collections.abc import Iterator

import pytest

from runtime_world import EngineProcess, engine_process
from runtimes.conftest import uid_of

pytestmark = pytest.mark.sandbox


def before_all_others() -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))


def may_run_before_all_others() -> bool:
    child = os.fork()
    if child == 0:
        try:
            before_all_others()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture(params=["root", "ordinary"])
def engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    if not may_run_before_all_others():
        pytest.skip("this user may not choose how processes are scheduled")
    with engine_process(uid_of(request.param), prepare=before_all_others) as engine:
        yield engine


def test_its_runtimes_start_and_are_scheduled_as_all_others(engine: EngineProcess) -> None:
    assert engine.create("one")["state"] == "ready"

    policies = {os.sched_getscheduler(pid) for pid in engine.runtime_processes()}

    assert engine.keeper is not None
    assert os.sched_getscheduler(engine.keeper.pid) == os.SCHED_RR
    assert policies == {os.SCHED_OTHER}
