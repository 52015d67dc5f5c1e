"""Runs inside a kernel: questions about tables, answered a window at a time; loaded by `looking.py`.

Nothing here keeps a table alive, but for the rows of a DuckDB relation, which are no table until they are read.
"""

import importlib.util
import json
import math
import os
import tempfile
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")
frames = beside("frames")

COLUMNS_MAX = 20_000
ROWS_AT_ONCE_MAX = 500
CELLS_AT_ONCE_MAX = 6000
TEXT_MAX = 200
LONG_TEXT_MAX = 20_000
VIEWS_MAX = 3
RELATIONS_MAX = 2
EXPORT_FOLDER = tempfile.gettempdir()
LIBRARIES = ("matplotlib", "altair", "plotly", "pyarrow")

_views: "OrderedDict[str, tuple[Any, int, bool]]" = OrderedDict()
_relations: "OrderedDict[str, Any]" = OrderedDict()


def answer(shell: Any, held: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked of a table; why not, if it cannot be."""
    try:
        return _answer(shell, held, asked)
    except frames.NoTable as error:
        return {"error": "invalid", "detail": str(error)[:300]}
    except Gone as error:
        return {"error": "gone", "detail": str(error)}
    except MemoryError:
        return {"error": "memory", "detail": "There is not enough memory left for this."}
    except Exception as error:  # whatever a library finds wrong with its table is for who looks at it
        return {"error": "failed", "detail": f"{type(error).__name__}: {glance.text(_words(error), 250)[0]}"}


class Gone(Exception):
    """The table that is meant is not there any more."""


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first if type(first) is str else ""


def _answer(shell: Any, held: Any, asked: dict[str, Any]) -> dict[str, Any]:
    if asked.get("op") == "open" and asked.get("variable") is not None:
        ref = _opened(shell, held, asked["variable"])
    else:
        ref = str(asked.get("ref"))
    value, variable = held.find(ref)
    if asked.get("op") == "mark":
        return _marked(shell, ref, value, variable)
    if value is None:
        raise Gone("The table is not there any more.")
    frame = _frame(held, ref, value)
    match asked.get("op"):
        case "open":
            return _description(ref, variable, frame, value)
        case "rows":
            return _rows(ref, frame, asked)
        case "statistics":
            column = _column(frame, asked.get("column"))
            positions, _, _ = _view(ref, frame, asked)
            return _plain(frame.statistics(column, positions))
        case "export":
            return _export(ref, frame, asked)
        case _:
            raise frames.NoTable("There is no such question.")


def _opened(shell: Any, held: Any, name: Any) -> str:
    namespace = shell.user_ns
    if type(name) is not str or name not in namespace:
        raise Gone("There is no variable of this name.")
    return str(held.hold(namespace[name], name))


def _frame(held: Any, ref: str, value: Any) -> Any:
    if not glance.is_of(value, "duckdb", "DuckDBPyRelation"):
        return frames.frame_of(value, busy=False)
    if ref not in _relations:
        _relations[ref] = frames.frame_of(value, busy=held.busy)
        while len(_relations) > RELATIONS_MAX:
            _relations.popitem(last=False)
    _relations.move_to_end(ref)
    return _relations[ref]


def _description(ref: str, variable: str | None, frame: Any, value: Any) -> dict[str, Any]:
    return {
        "ref": ref,
        "variable": variable,
        "kind": frame.kind,
        "rows": frame.rows,
        "columns": frame.columns[:COLUMNS_MAX],
        "columns_total": len(frame.columns),
        "index": frame.index,
        "cut": bool(frame.cut),
        "mark": _mark(frame, value),
        "libraries": [name for name in LIBRARIES if importlib.util.find_spec(name) is not None],
    }


def _mark(frame: Any, value: Any) -> str:
    weight = zlib.crc32(json.dumps(frame.marks(), default=str).encode())
    return f"{id(value):x}-{weight:08x}"


def _marked(shell: Any, ref: str, value: Any, variable: str | None) -> dict[str, Any]:
    """Whether the table is still there, is still what its variable means, and what it is like now."""
    named = variable is not None and variable in shell.user_ns
    present = named and shell.user_ns[variable] is value
    relation = value is not None and glance.is_of(value, "duckdb", "DuckDBPyRelation")
    mark = "" if value is None or relation else _mark(frames.frame_of(value, busy=True), value)
    return {"alive": value is not None, "named": named, "present": present or variable is None, "mark": mark}


def _view(ref: str, frame: Any, asked: dict[str, Any]) -> tuple[Any, int, bool]:
    """The rows of a view in their order; those asked for last are remembered."""
    view = asked.get("view") or {}
    sorts, filters, search = view.get("sort") or [], view.get("filters") or [], str(view.get("search") or "")
    if not sorts and not filters and not search:
        return None, frame.rows, False
    for one in (*sorts, *filters):
        _column(frame, one.get("column"))
    key = json.dumps([ref, asked.get("mark"), frame.rows, view], sort_keys=True)
    if key not in _views:
        # Room is made first: two orders of ten million rows are 80 MB.
        while len(_views) >= VIEWS_MAX:
            _views.popitem(last=False)
        _views[key] = frame.pick(sorts, filters, search)
    _views.move_to_end(key)
    return _views[key]


def _column(frame: Any, column: Any) -> int:
    if type(column) is not int or not 0 <= column < len(frame.columns):
        raise frames.NoTable("There is no such column.")
    return column


def _rows(ref: str, frame: Any, asked: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    positions, total, partial = _view(ref, frame, asked)
    columns = [_column(frame, one) for one in list(asked.get("columns") or [])[:CELLS_AT_ONCE_MAX]]
    offset = max(0, int(asked.get("offset") or 0))
    limit = min(
        ROWS_AT_ONCE_MAX, max(1, int(asked.get("limit") or 1)), max(1, CELLS_AT_ONCE_MAX // max(1, len(columns)))
    )
    if asked.get("spread") is True and total:
        count = min(total, limit)
        positions, offset = frame.places(positions, [nth * total // count for nth in range(count)]), 0
    most = LONG_TEXT_MAX if asked.get("long") is True and limit * len(columns) <= 1 else TEXT_MAX
    cells = [_cells(frame, column, positions, offset, limit, most) for column in columns]
    names = [[glance.text(one, 100)[0] for one in row] for row in frame.names(positions, offset, limit)]
    took = round((time.monotonic() - began) * 1000)
    return {"offset": offset, "total": total, "partial": partial, "names": names, "cells": cells, "took_ms": took}


def _cells(frame: Any, column: int, positions: Any, offset: int, limit: int, most: int) -> list[Any]:
    values = frame.cells(column, positions, offset, limit)
    if frame.columns[column]["kind"] == "number":
        return [shown(one, most) for one in values]
    return [None if frames.is_missing(one) else shown(one, most) for one in values]


def shown(value: Any, most: int) -> str | list[Any] | None:
    """A value as the grid shows it: null, its words, or the beginning of them and how many letters there are."""
    if glance.is_null(value):
        return None
    words, length = glance.text(value, most)
    return words if length <= most else [words, length]


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """JSON has no word for what is no number."""
    return {
        key: (repr(value) if type(value) is float and not math.isfinite(value) else value)
        for key, value in said.items()
    }


def _export(ref: str, frame: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """Write the view into a file of the runtime, whose reader deletes it."""
    positions, _, _ = _view(ref, frame, asked)
    kind = "parquet" if asked.get("format") == "parquet" else "csv"
    path = os.path.join(EXPORT_FOLDER, f".collegium-{os.urandom(8).hex()}.{kind}")
    try:
        beside("exporting").write(frame, positions, path, kind)
    except BaseException:  # half a file is nobody's, whatever ended its writing
        if os.path.exists(path):
            os.unlink(path)
        raise
    return {"path": path, "bytes": os.path.getsize(path)}
