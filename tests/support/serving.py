"""The template process of servers, of `support.template`. Run as a file: it knows the server; its forks become one."""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from functools import partial
from typing import Any, NoReturn

from argon2 import PasswordHasher

REQUEST_BYTES_MAX = 128 << 10
IMPORTED = ("collegium.cli", "collegium.app", "collegium.cli.serve", "collegium.cli.supervisor", "uvloop")


def main() -> None:
    """Import, and fork until nobody can ask any more."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        importlib.import_module(name)
    # What makes guessing slow makes every sign-in of a test slow; of what people have, `accounts` asks.
    adapters = importlib.import_module("collegium.accounts.adapters")
    adapters.PasswordHasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[attr-defined]
    gc.freeze()
    # Whoever asked has a handle, and nobody here waits.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 1)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_server(json.loads(request), *descriptors)
        handle = os.pidfd_open(pid)
        socket.send_fds(control, [str(pid).encode()], [handle])
        for descriptor in (*descriptors, handle):
            os.close(descriptor)


def _become_server(asked: dict[str, Any], output: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.close(output)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.argv = ["collegium", *asked["words"]]
        importlib.import_module("collegium.cli").main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # Whatever it was ends this fork, and is told in its log; the template lives on.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
