"""What a template process has imported, and how its forks become the agent and the kernels of a runtime without exec.

A fork shares with its template, and so with every other fork of it, the layout of its memory and the seed of `hash`.
All else is as a fresh start would have it: randomness, arguments, paths, variables, descriptors, signals.
"""

import atexit
import gc
import importlib
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

OWN = ("collegium_agent", "collegium_runtimed")
"""Packages that notebooks know nothing of."""

STACK = (
    "asyncio", "collegium_agent.__main__", "collegium_agent.agent", "collegium_agent.supervisor",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.iostream", "ipykernel.heartbeat",
    "ipykernel.control", "ipykernel.subshell_manager", "IPython.core.completerlib", "IPython.core.completer",
    "IPython.core.debugger", "IPython.core.history", "IPython.core.logger", "IPython.core.oinspect",
    "IPython.core.displayhook", "IPython.extensions.storemagic", "IPython.utils.wildcard", "bdb", "cmd", "comm",
    "faulthandler", "http.client", "jedi", "matplotlib_inline.backend_inline", "pdb", "psutil", "pexpect", "sqlite3",
    "subprocess", "tempfile", "tornado.platform.asyncio", "zmq.asyncio",
)  # fmt: skip
SHAPING = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "MPL", "LC_", "LANG", "NUMEXPR_", "HOME")
"""Variables that modules read while they are imported begin like this; with others than the template's, exec."""


class AgentFinder:
    """Finds the agent's package where it lies on the machine, and has its modules believe that they are where they
    will lie inside a runtime."""

    def __init__(self, source: Path, inside: Path) -> None:
        self._source, self._inside = source, inside

    def arrive(self) -> None:
        """From now on they lie there."""
        self._source = self._inside

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The module of this name, if it is the agent's."""
        if name.partition(".")[0] != OWN[0]:
            return None
        relative = Path(*name.split("."))
        package = (self._source / relative).is_dir()
        inside = self._inside / (relative / "__init__.py" if package else relative.with_suffix(".py"))
        loader = _ElsewhereLoader(name, str(inside), str(self._source), str(self._inside))
        locations = [str(inside.parent)] if package else None
        return spec_from_file_location(name, inside, loader=loader, submodule_search_locations=locations)


class _ElsewhereLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str, inside: str) -> None:
        super().__init__(name, path)
        self._source, self._inside = source, inside

    def _real(self, path: Any) -> str:
        return str(path).replace(self._inside, self._source, 1)

    def get_data(self, path: Any) -> bytes:
        return super().get_data(self._real(path))

    def path_stats(self, path: Any) -> Any:
        return super().path_stats(self._real(path))

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Nothing is written beside it."""


class Template:
    """The modules of a template process, as they were when it imported them."""

    def __init__(self, path: Sequence[str], preload: Sequence[str]) -> None:
        self.lacking: list[str] = []
        self._path = list(path)
        _import_kernel(self.lacking)
        for name in (*STACK, *preload):
            _import(name, self.lacking)
        self._files = self._loaded_files()
        self._links = self._path_files()
        self._variables: dict[str, str] = {}

    def settle(self) -> int:
        """Make what was imported ready to be shared; how many threads are left besides the main one."""
        gc.collect()
        gc.freeze()
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)  # libraries end their threads when they are forked, and start them when they are needed
        return len(os.listdir("/proc/self/task")) - 1

    def _loaded_files(self) -> dict[str, int]:
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        return {path: os.stat(path).st_mtime_ns for path in files if path and path.startswith(sys.prefix + os.sep)}

    def _path_files(self) -> dict[str, int]:
        """The `.pth` files, which only a start reads."""
        found: dict[str, int] = {}
        for folder in self._path:
            if folder.startswith(sys.prefix) and os.path.isdir(folder):
                with os.scandir(folder) as entries:
                    found |= {one.path: one.stat().st_mtime_ns for one in entries if one.name.endswith(".pth")}
        return found

    def is_current(self) -> bool:
        """Whether what was imported still is what would be: no package of it was replaced or removed since."""
        try:
            unchanged = all(os.stat(path).st_mtime_ns == then for path, then in self._files.items())
            return unchanged and self._path_files() == self._links
        except OSError:
            return False

    # ── becoming ───────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, variables: dict[str, str]) -> None:
        """This fork is in its runtime now, whose variables are these."""
        for finder in list[Any](sys.meta_path):
            if _is_ours(finder):
                finder.arrive()
        self._variables = variables
        os.environ.clear()
        os.environ.update(variables)
        time.tzset()

    def may_become(self, argv: Sequence[str], env: dict[str, str]) -> bool:
        """Whether a fork is as good as executing this."""
        launcher = str(Path(__file__).with_name("launch.py"))
        usual = self._variables | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        usual.pop("PYTHONPATH", None)
        changed = {name for name in usual | env if usual.get(name) != env.get(name)}
        return (
            list(argv[:2]) == [sys.executable, launcher]
            and not any(name.startswith(SHAPING) for name in changed)
            and self.is_current()
        )

    def become_agent(self, words: Sequence[str], keep: Sequence[int]) -> NoReturn:
        """Be the agent in this fork of PID 1."""
        _close_all_but(keep)
        _freshen()

        def run() -> object:
            sys.argv = ["collegium_agent", *words]
            return importlib.import_module("collegium_agent.__main__").main()

        _run_and_exit(run)

    def become_kernel(self, argv: Sequence[str], env: dict[str, str]) -> NoReturn:
        """Be a kernel in this fork of PID 1, whose working folder is the kernel's."""
        _close_all_but(())
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        _freshen()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        launcher = argv[1]
        sys.argv, sys.orig_argv = list(argv[1:]), list(argv)
        sys.path[:] = [os.path.dirname(launcher), *self._path]
        sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_ours(finder)]
        for name in list(sys.modules):
            if name.partition(".")[0] in OWN:
                del sys.modules[name]

        def run() -> None:
            main = ModuleType("__main__")
            main.__file__ = launcher
            sys.modules["__main__"] = main
            code = SourceFileLoader("__main__", launcher).get_code("__main__")
            assert code is not None
            exec(code, main.__dict__)  # noqa: S102 - our own launcher, as if it were executed

        _run_and_exit(run)


def _is_ours(finder: Any) -> bool:
    return type(finder).__name__ == AgentFinder.__name__  # this module exists twice: as found first, and by the finder


def _import_kernel(lacking: list[str]) -> None:
    """As the launcher does: without debugpy, which is imported when somebody debugs."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    _import("ipykernel.debugger", lacking)
    del sys.modules["debugpy"]


def _import(name: str, lacking: list[str]) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:  # a module that does not import here is imported, or fails, where it is asked for
        lacking.append(f"{name}: {type(error).__name__}: {error}"[:200])


def _close_all_but(kept: Sequence[int]) -> None:
    low = 3
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _freshen() -> None:
    """What a fork must not have in common with others. `random` and `uuid` see to themselves."""
    random.seed()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)  # as every Python does when it starts
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()
    if (torch := sys.modules.get("torch")) is not None:
        torch.seed()
    if (processes := sys.modules.get("multiprocessing.process")) is not None:
        processes.current_process().authkey = os.urandom(32)
        vars(processes)["ORIGINAL_DIR"] = os.getcwd()
    if (matplotlib := sys.modules.get("matplotlib")) is not None:
        for name in ("get_configdir", "get_cachedir"):
            clear = getattr(getattr(matplotlib, name, None), "cache_clear", None)
            if clear is not None:
                clear()


def _run_and_exit(run: Callable[[], object]) -> NoReturn:
    """As the interpreter ends a program: threads are waited for, what is registered is run, what is printed leaves."""
    code = 0
    try:
        run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
