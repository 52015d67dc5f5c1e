"""Runs inside a kernel: takes questions about variables and tables, and marks the tables that are shown.

Loaded as a file beside `launch.py`. What answers is loaded when somebody asks first, so that a start costs nothing.
Variables are answered on the control thread; tables, whose questions can take seconds, on a thread of their own, so
that an interrupt or a shutdown never waits behind them.
"""

import queue
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from secrets import token_hex
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

MARK = "application/vnd.collegium.table+json"
"""Goes with an output that shows a table: where the table itself is."""
TABLES = (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("duckdb", "DuckDBPyRelation"))
HELD_MAX = 500
WAITING_MAX = 32
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


def install(app: Any) -> None:
    """Answer from now on."""
    kernel = app.kernel
    workers: list[threading.Thread] = []
    held = Held(kernel.shell.user_ns)
    waiting: queue.Queue[tuple[Any, Any, Any]] = queue.Queue(WAITING_MAX)

    def namespace(stream: Any, ident: Any, parent: Any) -> None:
        content = beside("namespace").answer(kernel.shell, parent["content"])
        kernel.session.send(stream, "collegium_namespace_reply", content, parent, ident=ident)

    def table(stream: Any, ident: Any, parent: Any) -> None:
        if not workers:
            workers.append(threading.Thread(target=work, name="collegium-tables", daemon=True))
            workers[0].start()
        try:
            waiting.put_nowait((stream, ident, parent))
        except queue.Full:
            content = {"error": "busy", "detail": "The table is still busy with earlier questions."}
            kernel.session.send(stream, "collegium_table_reply", content, parent, ident=ident)

    def work() -> None:
        while True:
            stream, ident, parent = waiting.get()
            try:
                content = beside("tables").answer(kernel.shell, held, parent["content"])
            except (
                BaseException
            ) as error:  # code of a notebook's class may raise what ends a thread, and this one goes on
                content = {"error": "failed", "detail": f"The table raised {type(error).__name__}."}
            stream.io_loop.add_callback(
                kernel.session.send, stream, "collegium_table_reply", content, parent, ident=ident
            )

    def runs(busy: bool) -> Callable[[], None]:
        return lambda: setattr(held, "busy", busy)

    app.shell.events.register("pre_execute", runs(True))
    app.shell.events.register("post_execute", runs(False))
    kernel.control_handlers["collegium_namespace_request"] = namespace
    kernel.control_handlers["collegium_table_request"] = table
    _mark_tables(app.shell, held)


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
    kinds = type.__dict__["__mro__"].__get__(type(value))
    return any(
        (library := sys.modules.get(module)) is not None and vars(library).get(name) in kinds for module, name in TABLES
    )
