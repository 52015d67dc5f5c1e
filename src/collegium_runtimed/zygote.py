"""A zygote: a template process that has the imports, and forks the first processes of runtimes when it is told to.

It begins as a process of the engine's user (`start`), makes as root a small world of its own without network, becomes
a user who owns nothing, and executes the environment's Python (`main`), which knows nothing of the engine. It ends
with the engine: the other end of its socket is there, and nowhere else for longer than a launch takes.
"""

import importlib
import json
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from collegium_runtimed import launch, linux, sandbox
from collegium_runtimed.plan import AGENT_HOME, LISTEN_FD, Bind, Plan, from_json

CONTROL_FD = 3
REQUEST_BYTES_MAX = 128 << 10
DESCRIPTORS_MAX = 250
BOOT = "import sys; sys.path[0] = sys.argv.pop(1); from collegium_runtimed.zygote import main; main()"


def start() -> None:
    """Read a plan from the control socket, and become the template process that it describes."""
    control = socket.socket(fileno=os.dup2(int(sys.argv[1]), CONTROL_FD))
    asked = json.loads(control.recv(REQUEST_BYTES_MAX))
    plan = from_json(asked["plan"])
    os.umask(0o022)
    linux.reset_signals()
    linux.ordinary_scheduling()
    log = plan.log_fd
    for number in (1, 2):
        os.dup2(log, number)
    if plan.distinct:
        _seclude(plan)
    os.set_inheritable(CONTROL_FD, True)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    variables = sandbox.variables(replace(plan, writable=asked["writable"]))
    variables |= {"HOME": asked["home"], "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    del variables["PYTHONPATH"]
    python = f"{plan.environment}/bin/python"
    os.execve(python, [python, "-c", BOOT, asked["source"], asked["agent"]], variables)  # noqa: S606


def _seclude(plan: Plan) -> None:
    """A root with the machine's programs and one environment, no network, and a user who owns nothing."""
    for group in plan.cgroups:
        with open(f"{group}/cgroup.procs", "w") as file:
            file.write("0")
    trees = sandbox.take_trees(sandbox.machine_binds(plan))
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    sandbox.build_template_root(plan, trees)
    os.setgroups([])
    linux.drop_bounding_capabilities()
    os.setresgid(plan.gid, plan.gid, plan.gid)
    os.setresuid(plan.uid, plan.uid, plan.uid)
    linux.no_new_privileges()


def main() -> None:
    """Import, say so, and fork until the engine is gone."""
    path = sys.path[1:]
    control = socket.socket(fileno=linux.high(CONTROL_FD))
    asked = json.loads(control.recv(REQUEST_BYTES_MAX))
    agent, inside = Path(sys.argv.pop(1)), Path(AGENT_HOME)
    sys.path.insert(0, str(agent))
    module = importlib.import_module("collegium_agent.template")
    for name in [name for name in sys.modules if name.startswith("collegium_agent")]:
        del sys.modules[name]
    del sys.path[0]
    sys.meta_path.insert(0, module.AgentFinder(agent, inside))
    template = importlib.import_module("collegium_agent.template").Template(path, asked["preload"])
    threads = template.settle()
    control.send(json.dumps({"ready": True, "threads": threads, "lacking": template.lacking}).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, DESCRIPTORS_MAX)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _run_fork(json.loads(request), descriptors, template)
        for descriptor in descriptors:
            os.close(descriptor)


def _run_fork(asked: dict[str, Any], descriptors: list[int], template: Any) -> NoReturn:
    """The child that a runtime's PID 1 comes from; what it was given moves clear of the numbers PID 1 is born with."""
    theirs = None
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        moved = [linux.high(descriptor) for descriptor in descriptors]
        theirs = socket.socket(fileno=moved.pop(0))
        plan = launch.with_descriptors(from_json(asked["plan"]), moved)
        binds = asked["binds"]
        trees = None if binds is None else [(Bind(**bind), moved.pop(0)) for bind in binds]

        def become(plan: Plan) -> NoReturn:
            _become_supervisor(plan, theirs, template)

        launch.run_middle(plan, theirs, trees, become)
    except BaseException as error:
        if theirs is not None:
            theirs.send(f"{type(error).__name__}: {error}".encode()[: launch.MESSAGE_BYTES_MAX])
    finally:
        os._exit(1)


def _become_supervisor(plan: Plan, theirs: socket.socket, template: Any) -> NoReturn:
    """PID 1, without exec. Whoever waits at the other end of `theirs` learns from its end that all went well."""
    linux.reset_signals(signal.SIGPIPE, signal.SIGXFSZ)
    variables = sandbox.variables(plan)
    template.enter(variables)
    words = [f"{plan.environment}/bin/python", *sandbox.agent_words(plan)]
    supervisor = importlib.import_module("collegium_agent.supervisor").Supervisor(words, LISTEN_FD, template)
    theirs.close()
    os.closerange(LISTEN_FD + 1, os.sysconf("SC_OPEN_MAX"))
    os._exit(supervisor.run())
