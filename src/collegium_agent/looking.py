"""Runs inside a kernel: takes questions about variables and tables, and marks the tables that are shown.

Loaded as a file beside `launch.py`. What answers is loaded when somebody asks first, so that a start costs nothing.
Variables are answered on the control thread; tables, whose questions can take seconds, on threads of their own, so
that an interrupt or a shutdown never waits behind them.
"""

import contextlib
import ctypes
import sys
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

MARK = "application/vnd.collegium.table+json"
"""Goes with an output that shows a table: where the table itself is."""
RELATION = ("duckdb", "DuckDBPyRelation")
TABLES = (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), RELATION)
HELD_MAX = 500
WAITING_MAX = 32
STOPPED_MAX = 2
"""Threads that were told to stop and have not yet, because a library is at work that cannot be interrupted."""
NAMES_LOOKED_AT_MAX = 5000


class Held:
    """Tables that were shown or opened, by the name they have outside; nothing is kept alive for it."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.busy = False
        """A cell runs."""
        self._namespace = namespace
        self._held: OrderedDict[str, tuple[Any, str | None, int]] = OrderedDict()

    def hold(self, value: Any, name: str | None) -> str:
        """A reference to it."""
        try:
            weak = weakref.ref(value)
        except TypeError:
            weak = None  # a list, say: it is found by its variable alone
        ref = token_hex(8)
        self._held[ref] = (weak, name, id(value))
        while len(self._held) > HELD_MAX:
            self._held.popitem(last=False)
        return ref

    def find(self, ref: str) -> tuple[Any, str | None]:
        """The value, None if it is gone; and the variable it was opened from."""
        weak, name, identity = self._held.get(ref, (None, None, 0))
        if weak is not None:
            return weak(), name
        value = self._namespace.get(name) if name is not None else None
        return (value if id(value) == identity else None), name

    def variable_of(self, value: Any) -> str | None:
        """A name that the notebook has for it."""
        for name, one in list(self._namespace.items())[:NAMES_LOOKED_AT_MAX]:
            if one is value and type(name) is str and not name.startswith("_"):
                return name
        return None


class Stopped(BaseException):
    """Nobody wants to know any more."""


@dataclass(eq=False)
class Question:
    """One that waits or is worked on; `thread` does that."""

    asked: dict[str, Any]
    reply: Callable[[dict[str, Any]], None]
    thread: threading.Thread | None = None


class Questions:
    """Answers one after the other on a thread beside the notebook's, until whoever asked says that it may stop."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._answer = answer
        # Never a Condition: a thread that is interrupted while it enters one keeps it for ever.
        self._changed = threading.Lock()
        self._waiting: deque[Question] = deque()
        self._now: Question | None = None
        self._worker: threading.Thread | None = None
        self._stopped: list[threading.Thread] = []

    def ask(self, asked: dict[str, Any], reply: Callable[[dict[str, Any]], None]) -> None:
        """`reply` is called once, from any thread."""
        with self._changed:
            self._stopped = [one for one in self._stopped if one.is_alive()]
            if len(self._waiting) >= WAITING_MAX or len(self._stopped) > STOPPED_MAX:
                reply({"error": "busy", "detail": "The table is still busy with earlier questions."})
                return
            self._waiting.append(Question(asked, reply))
            if self._worker is None:
                self._begin()

    def stop(self, asker: str) -> int:
        """Drop what this asker asked; how many questions that were. What is worked on ends when it can."""
        with self._changed:
            dropped = [one for one in self._waiting if one.asked.get("asker") == asker]
            for one in dropped:
                self._waiting.remove(one)
            now = self._now
            if now is not None and now.thread is not None and now.asked.get("asker") == asker:
                dropped.append(now)
                self._stopped.append(now.thread)
                self._now = self._worker = None
                # Under the lock: the thread is not yet past its question, and takes no other afterwards.
                interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc
                interrupt(ctypes.c_ulong(now.thread.ident or 0), ctypes.py_object(Stopped))
                if self._waiting:
                    self._begin()
        for one in dropped:
            one.reply({"error": "stopped", "detail": "It was stopped."})
        return len(dropped)

    def _begin(self) -> None:
        self._worker = threading.Thread(target=self._work, name="collegium-tables", daemon=True)
        self._worker.start()

    def _work(self) -> None:
        with contextlib.suppress(Stopped):
            while (question := self._next()) is not None:
                try:
                    content = self._answer(question.asked)
                except Stopped:
                    return
                except BaseException as error:  # code of a notebook's class may raise what ends a thread
                    content = {"error": "failed", "detail": f"The table raised {type(error).__name__}."}
                with self._changed:
                    if self._now is not question:
                        return
                    self._now = None
                question.reply(content)

    def _next(self) -> Question | None:
        me = threading.current_thread()
        with self._changed:
            if self._worker is not me:
                return None
            if not self._waiting:
                self._worker = None
                return None
            self._now = self._waiting.popleft()
            self._now.thread = me
            return self._now


class Desks:
    """Two of them: what only reads some rows where they lie does not wait behind a sort."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]], is_quick: Callable[[dict[str, Any]], bool]):
        self._quick, self._slow = Questions(answer), Questions(answer)
        self._is_quick = is_quick

    def ask(self, asked: dict[str, Any], reply: Callable[[dict[str, Any]], None]) -> None:
        """As of `Questions`."""
        (self._quick if self._is_quick(asked) else self._slow).ask(asked, reply)

    def stop(self, asker: str) -> int:
        """As of `Questions`."""
        return self._quick.stop(asker) + self._slow.stop(asker)


def install(app: Any) -> None:
    """Answer from now on."""
    kernel = app.kernel
    held = Held(kernel.shell.user_ns)
    questions = Desks(
        lambda asked: dict(beside("tables").answer(kernel.shell, held, asked)), lambda asked: is_quick(held, asked)
    )

    def namespace(stream: Any, ident: Any, parent: Any) -> None:
        content = beside("namespace").answer(kernel.shell, parent["content"])
        kernel.session.send(stream, "collegium_namespace_reply", content, parent, ident=ident)

    def table(stream: Any, ident: Any, parent: Any) -> None:
        def reply(content: dict[str, Any]) -> None:
            send = kernel.session.send
            stream.io_loop.add_callback(send, stream, "collegium_table_reply", content, parent, ident=ident)

        asked = parent["content"]
        if asked.get("op") == "stop":
            reply({"stopped": questions.stop(str(asked.get("asker")))})
        else:
            questions.ask(asked, reply)

    def runs(busy: bool) -> Callable[[], None]:
        return lambda: setattr(held, "busy", busy)

    app.shell.events.register("pre_execute", runs(True))
    app.shell.events.register("post_execute", runs(False))
    kernel.control_handlers["collegium_namespace_request"] = namespace
    kernel.control_handlers["collegium_table_request"] = table
    _mark_tables(app.shell, held)


def is_quick(held: Held, asked: dict[str, Any]) -> bool:
    """Whether it asks for rows in the order they have, of a table that needs not be read first."""
    view = asked.get("view")
    value, _ = held.find(str(asked.get("ref")))
    as_it_is = view is None or (type(view) is dict and not any(view.values()))
    return asked.get("op") == "rows" and as_it_is and not _is_of(value, *RELATION)


def _mark_tables(shell: Any, held: Held) -> None:
    """An output that shows a table says where it is, beside what it looks like."""
    from IPython.core.formatters import JSONFormatter  # type: ignore[import-not-found]

    class TableFormatter(JSONFormatter):  # type: ignore[misc]
        """The reference of a table; nothing for anything else, of which nothing is asked."""

        def __call__(self, value: Any) -> dict[str, Any] | None:
            if not _is_table(value):
                return None
            name = held.variable_of(value)
            return {"ref": held.hold(value, name), "variable": name}

    formatter = TableFormatter(parent=shell.display_formatter)
    formatter.format_type = MARK
    shell.display_formatter.formatters[MARK] = formatter


def _is_table(value: Any) -> bool:
    return any(_is_of(value, module, name) for module, name in TABLES)


def _is_of(value: Any, module: str, name: str) -> bool:
    kinds = type.__dict__["__mro__"].__get__(type(value))
    return (library := sys.modules.get(module)) is not None and vars(library).get(name) in kinds
