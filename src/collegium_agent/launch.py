"""Runs inside a kernel's own process: ipykernel, with output that waits instead of being dropped.

Executed as a file, so that the agent's package does not enter the notebook's import path.
"""

import argparse
import contextlib
import importlib
import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
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
    remember_no_outputs(app.shell)
    show_figures()
    sys.argv = [sys.argv[0]]
    if options.warm:
        warm_up()
    app.start()


class Forgetful(dict[int, list[Any]]):
    """Takes lists of what cells put out, and keeps none."""

    def __missing__(self, _count: int) -> list[Any]:
        return []

    def setdefault(self, _count: int, _default: list[Any] | None = None) -> list[Any]:
        # So ipykernel keeps what is displayed, where `store_display_history` is on.
        return []


def remember_no_outputs(shell: Any) -> None:
    """What cells put out is not kept a second time in the kernel, for ever and piece by piece, as IPython 9 does.

    Only its `%notebook` would read it, and gets none.
    """
    shell._tee = lambda channel: contextlib.nullcontext()
    if shell.history_manager is not None:
        shell.history_manager.outputs = Forgetful()


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
        """A print that has run too far ahead of what was sent waits for it.

        The first write after something was sent is ipykernel's own, and has it sent soon. Those that follow for the
        same request go straight into the buffer that it opened: one `print` makes several, and a loop millions.
        """

        flush_interval = FLUSH_SECONDS

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.write, self.shut = self.pen()
            # What a fork prints, it has to send by itself.
            os.register_at_fork(after_in_child=self.shut)

        def pen(self) -> tuple[Callable[[str], int | None], Callable[[], None]]:
            """`write`, and what ends writing into the open buffer. Closures: attributes take four times as long."""
            lock, request, into, ahead = self._buffer_lock, None, None, 0

            def write(string: str) -> int | None:
                nonlocal ahead
                with lock:
                    if self.parent_header is request and ahead < OUTPUT_CHARACTERS_MAX and isinstance(string, str):
                        ahead += len(string)
                        return into(string)  # type: ignore[misc, no-any-return]
                return write_first(string)

            def write_first(string: str) -> int | None:
                nonlocal ahead
                ahead += len(string) if isinstance(string, str) else 0
                if ahead > OUTPUT_CHARACTERS_MAX and self._is_master_process():
                    ahead = 0
                    self.wait()
                written: int | None = iostream.OutStream.write(self, string)
                open_again()
                return written

            def open_again() -> None:
                nonlocal request, into
                if self.echo is None and self._is_master_process():
                    with lock:
                        said_by = self.parent_header
                        # Other versions of ipykernel keep them otherwise; there every write is a first.
                        buffer = getattr(self, "_buffers", {}).get(frozenset(said_by.items()))
                        if buffer is not None:
                            request, into = said_by, buffer.write

            def shut() -> None:
                nonlocal request
                request = None

            return write, shut

        def wait(self) -> None:
            """Until everything is sent."""
            if threading.current_thread() is not self.pub_thread.thread:
                done = threading.Event()
                self.pub_thread.schedule(self._flush)
                self.pub_thread.schedule(done.set)
                while not done.wait(1) and self.pub_thread.thread.is_alive():
                    pass

        def _rotate_buffers(self) -> Any:
            with self._buffer_lock:
                self.shut()
                return super()._rotate_buffers()

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
