"""The template process of agents, of `support.template`. Run as a file: it knows Python and the agent, no more."""

import importlib
import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

SOURCES = Path(__file__).parents[2] / "src"
REQUEST_BYTES_MAX = 128 << 10


def main() -> None:
    """Import, and fork until nobody can ask any more."""
    path = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path[:] = [str(SOURCES), *path]
    module = importlib.import_module("collegium_agent.template")
    sys.path[:] = path
    sys.meta_path.insert(0, module.AgentFinder(SOURCES, SOURCES))
    own = module.Template(path, ())
    own.settle()
    # Whoever asked has a handle, and nobody here waits.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_supervisor(json.loads(request), *descriptors, own)
        handle = os.pidfd_open(pid)
        socket.send_fds(control, [str(pid).encode()], [handle])
        for descriptor in (*descriptors, handle):
            os.close(descriptor)


def _become_supervisor(asked: dict[str, Any], listener: int, log: int, own: Any) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(log, 2)
        os.close(log)
        os.chdir(asked["cwd"])
        own.enter(asked["env"])
        words = [sys.executable, "-m", "collegium_agent", "--listen-fd", str(listener), *asked["words"]]
        code = importlib.import_module("collegium_agent.supervisor").Supervisor(words, listener, own).run()
    except BaseException:  # Whatever it was ends this fork, and is told in its log; the template lives on.
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
