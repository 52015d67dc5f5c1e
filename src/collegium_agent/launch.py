"""Runs inside a kernel's own process: ipykernel, with output that waits instead of being dropped.

Executed as a file, so that the agent's package does not enter the notebook's import path.
"""

import argparse
import importlib
import importlib.util
import logging
import os
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

WARM = ("numpy", "pandas", "matplotlib", "matplotlib.pyplot", "PIL.Image")
"""What a warm kernel has imported before its user comes; no name of it enters the user's namespace."""

OUTPUT_CHARACTERS_MAX = 8 * 1024 * 1024
"""Printed but not yet sent; beyond it, print waits."""

FLUSH_SECONDS = 0.05
"""What was printed leaves the process after this time: a kernel that is killed takes what is younger with it."""

INLINE = "matplotlib_inline.backend_inline"

MESSAGES_WAITING_MAX = 64
DEFAULT_HWM = 1000
SUBSCRIBER_WAIT_SECONDS_MAX = 60.0


def main() -> None:
    """Become the kernel."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-f", dest="connection_file", required=True)
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    sys.path[0] = ""
    os.environ.setdefault("MPLBACKEND", f"module://{INLINE}")
    app = application()
    app.initialize(
        ["-f", options.connection_file, "--HistoryManager.hist_file=:memory:", f"--log-level={logging.CRITICAL}"]
    )
    for name in ("shell", "variables", "looking"):
        beside(name).install(app)
    show_figures()
    sys.argv = [sys.argv[0]]
    if options.warm:
        warm_up()
    app.start()


def show_figures() -> None:
    """Tell the backend that draws into cells of the shell, if a template imported it before there was one."""
    backend = sys.modules.get(INLINE)
    if backend is not None and "matplotlib.pyplot" in sys.modules:
        backend._enable_matplotlib_integration()
    elif backend is not None:
        # Not used yet: whoever uses it imports it anew, and then it finds the shell by itself.
        del sys.modules[INLINE]


@cache
def beside(name: str) -> Any:
    """A file next to this one, as a module that no notebook can import."""
    spec = importlib.util.spec_from_file_location(f"_collegium_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    vars(module)["beside"] = beside  # what one of these files needs of another, it asks for in the same way
    spec.loader.exec_module(module)
    return module


def warm_up() -> None:
    """Import what nearly every notebook imports first."""
    for name in WARM:
        try:
            importlib.import_module(name)
        except ImportError:
            logging.getLogger("collegium").info("%s is not in this runtime version", name)
    if "matplotlib" in sys.modules:
        importlib.import_module(INLINE)


def application() -> Any:
    """IPKernelApp that holds output back while nobody can take it, and leaves the debugger for when it is asked."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # 70 ms of every start
    import ipykernel.iostream as iostream
    import zmq
    from ipykernel import kernelapp

    importlib.import_module("ipykernel.debugger")
    del sys.modules["debugpy"]

    class PatientThread(iostream.IOPubThread):  # type: ignore[misc]
        """Once somebody listened, waits for a listener; a full line blocks instead of dropping."""

        listeners = 0
        had_listener = False

        def __init__(self, socket: Any, *args: Any, **kwargs: Any) -> None:
            socket.setsockopt(zmq.XPUB_NODROP, 1)
            super().__init__(socket, *args, **kwargs)

        def _handle_subscription(self, frames: list[bytes]) -> None:
            for frame in frames:
                self.listeners += 1 if frame[:1] == b"\x01" else -1
                self.had_listener = self.had_listener or self.listeners > 0
            super()._handle_subscription(frames)

        def _really_send(self, msg: Any, *args: Any, **kwargs: Any) -> None:
            deadline = time.monotonic() + SUBSCRIBER_WAIT_SECONDS_MAX
            while (
                self.had_listener
                and self.listeners <= 0
                and threading.current_thread() is self.thread
                and not self._stopped
                and time.monotonic() < deadline
            ):
                if self.socket.poll(100, zmq.POLLIN):
                    self._handle_subscription(self.socket.recv_multipart())
            super()._really_send(msg, *args, **kwargs)

    class PatientStream(iostream.OutStream):  # type: ignore[misc]
        """A print that has run too far ahead of what was sent waits for it."""

        ahead = 0
        flush_interval = FLUSH_SECONDS

        def write(self, string: str) -> int | None:
            self.ahead += len(string) if isinstance(string, str) else 0
            if self.ahead > OUTPUT_CHARACTERS_MAX and self._is_master_process():
                self.ahead = 0
                if threading.current_thread() is not self.pub_thread.thread:
                    done = threading.Event()
                    self.pub_thread.schedule(self._flush)
                    self.pub_thread.schedule(done.set)
                    while not done.wait(1) and self.pub_thread.thread.is_alive():
                        pass
            written: int | None = super().write(string)
            return written

    class PatientApp(kernelapp.IPKernelApp):  # type: ignore[misc]
        """The application, with a short queue of outputs: what does not fit waits."""

        def init_iopub(self, context: Any) -> None:
            context.setsockopt(zmq.SNDHWM, MESSAGES_WAITING_MAX)
            super().init_iopub(context)
            context.setsockopt(zmq.SNDHWM, DEFAULT_HWM)

    iostream.OutStream = PatientStream
    kernelapp.IOPubThread = PatientThread
    return PatientApp.instance()


if __name__ == "__main__":
    main()
