"""Runs inside a kernel: what a table is, whatever library it comes from; loaded by `tables.py`.

A frame reads; it never changes the table, and copies no more of it than it was asked for. Positions say which rows are
meant and in which order; None: all, as they stand.
"""

import importlib
import importlib.util
import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")

PLAIN_ROWS_MAX = 200_000
"""Of what has no library of tables behind it; sorting more would hold the notebook up."""
PLAIN_COLUMNS_MAX = 2000
RELATION_ROWS_MAX = 1_000_000
TOP_MAX = 10
BINS = 20


class NoTable(Exception):
    """What was asked for is none, or cannot be read now."""


def frame_of(value: Any, *, busy: bool) -> Any:
    """The frame of a value. Raises NoTable. `busy`: a cell runs, so that nothing is asked that runs a query."""
    if glance.is_of(value, "polars", "DataFrame"):
        return beside("frames_polars").PolarsFrame(value, "polars.DataFrame")
    if glance.is_of(value, "polars", "Series"):
        to_frame = glance.known("polars", "Series").to_frame
        return beside("frames_polars").PolarsFrame(to_frame(value), "polars.Series")
    if glance.is_of(value, "pandas", "DataFrame") or glance.is_of(value, "pandas", "Series"):
        return beside("frames_pandas").pandas_frame(value)
    if glance.is_of(value, "duckdb", "DuckDBPyRelation"):
        if busy:
            raise NoTable("A DuckDB relation is read when the cell that runs has ended.")
        return _arrow(_materialised(value), "duckdb relation", RELATION_ROWS_MAX)
    if glance.is_of(value, "pyarrow", "Table"):
        return _arrow(value, "pyarrow.Table", None)
    if glance.is_of(value, "numpy", "ndarray"):
        return _array(value)
    if glance.is_a(value, list):
        return PlainFrame.of_records(value)
    raise NoTable(f"A {glance.type_name(value)} is no table that can be shown.")


def _materialised(relation: Any) -> Any:
    """The rows of a relation: its query runs, as it does when it is displayed."""
    limited = relation.limit(RELATION_ROWS_MAX)
    read = getattr(limited, "to_arrow_table", None) or limited.fetch_arrow_table
    return read()


def _arrow(table: Any, kind: str, most: int | None) -> Any:
    if _has("pandas"):
        return beside("frames_pandas").ArrowFrame(table, kind, cut=most is not None and table.num_rows >= most)
    if _has("polars"):
        return beside("frames_polars").PolarsFrame(importlib.import_module("polars").from_arrow(table), kind)
    return PlainFrame.of_records(table.slice(0, PLAIN_ROWS_MAX).to_pylist(), kind, table.num_rows > PLAIN_ROWS_MAX)


def _array(value: Any) -> Any:
    array = glance.known("numpy", "ndarray")
    plain = array.view(value, array)
    if plain.ndim not in (1, 2) or plain.dtype.names is not None:
        raise NoTable("Arrays of one or two dimensions can be shown as a table.")
    if _has("pandas"):
        return beside("frames_pandas").array_frame(plain)
    rows = [[one] if plain.ndim == 1 else list(one) for one in plain[:PLAIN_ROWS_MAX].tolist()]
    count = 1 if plain.ndim == 1 else plain.shape[1]
    columns = [[row[at] for row in rows] for at in range(min(count, PLAIN_COLUMNS_MAX))]
    return PlainFrame("numpy.ndarray", [str(at) for at in range(len(columns))], columns, len(plain) > PLAIN_ROWS_MAX)


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def fold(value: Any) -> str:
    """What a search compares."""
    return str(glance.text(value, 10_000)[0]).casefold()


def number(words: Any) -> float | int | None:
    """A number that somebody typed; None for anything else."""
    if type(words) is not str:
        return None
    try:
        return int(words)
    except ValueError:
        try:
            return float(words)
        except ValueError:
            return None


def bound(words: str) -> float | int:
    """An end of a range of numbers, as somebody typed it. Raises NoTable for what is no number."""
    found = number(words)
    if found is None:
        raise NoTable(f"“{words[:40]}” is no number.")
    return found


def top(values: list[Any]) -> tuple[list[list[Any]], int]:
    """The most frequent values with their counts, and how many different ones there are."""
    counted = Counter(glance.text(one, 200)[0] for one in values)
    return [[name, count] for name, count in counted.most_common(TOP_MAX)], len(counted)


class PlainFrame:
    """Lists of Python's own values, in columns."""

    def __init__(self, kind: str, names: list[str], columns: list[list[Any]], cut: bool) -> None:
        self.kind, self.cut = kind, cut
        self.rows = len(columns[0]) if columns else 0
        self.index: list[str] = []
        self._columns = columns
        self.columns = [
            {"name": name, "type": _type_of(values), "kind": _kind_of(values)}
            for name, values in zip(names, columns, strict=True)
        ]

    @classmethod
    def of_records(cls, records: list[Any], kind: str = "list", cut: bool = False) -> "PlainFrame":
        """A list of dicts. Raises NoTable."""
        some = list.__getitem__(records, slice(0, PLAIN_ROWS_MAX))
        if not some or not all(glance.is_a(one, dict) for one in some):
            raise NoTable("A list is shown as a table when everything in it is a dict.")
        found: dict[str, list[Any]] = {}
        for at, record in enumerate(some):
            for key, value in itertools.islice(list(dict.items(record)), PLAIN_COLUMNS_MAX):
                name = glance.text(key, 200)[0]
                if name not in found:
                    if len(found) >= PLAIN_COLUMNS_MAX:
                        continue
                    found[name] = [None] * len(some)
                found[name][at] = value
        return cls(kind, list(found), list(found.values()), cut or list.__len__(records) > len(some))

    def pick(self, sorts: list[Any], filters: list[Any], search: str) -> tuple[Any, int, bool]:
        """The positions of a view, how many they are, and whether only a part was searched."""
        rows = list(range(self.rows))
        for one in filters:
            passes = _test(one, self.columns[one["column"]]["kind"])
            values = self._columns[one["column"]]
            rows = [row for row in rows if passes(values[row])]
        if search:
            wanted = search.casefold()
            rows = [row for row in rows if any(wanted in fold(values[row]) for values in self._columns)]
        for one in reversed(sorts):
            values = self._columns[one["column"]]
            here = [row for row in rows if not is_missing(values[row])]
            missing = [row for row in rows if is_missing(values[row])]
            rows = sorted(here, key=lambda row: rank(values[row]), reverse=one["descending"]) + missing
        return rows, len(rows), False

    def places(self, positions: Any, at: list[int]) -> Any:
        """The positions that stand at these places of a view."""
        return at if positions is None else [positions[one] for one in at]

    def cells(self, column: int, positions: Any, offset: int, limit: int) -> list[Any]:
        """Some values of a column."""
        values = self._columns[column]
        rows = range(self.rows) if positions is None else positions
        return [values[row] for row in rows[offset : offset + limit]]

    part = cells
    """The same in the form of its library."""

    def names(self, positions: Any, offset: int, limit: int) -> list[list[Any]]:
        """The row names of some rows; rows without are counted."""
        rows = range(self.rows) if positions is None else positions
        return [[row] for row in rows[offset : offset + limit]]

    def statistics(self, column: int, positions: Any) -> dict[str, Any]:
        """What a column holds."""
        values = self.cells(column, positions, 0, self.rows)
        present = [one for one in values if not is_missing(one)]
        said: dict[str, Any] = {"count": len(values), "nulls": len(values) - len(present)}
        if self.columns[column]["kind"] == "number":
            finite = [float(one) for one in present if _is_number(one) and math.isfinite(one)]
            said |= numbers(finite) | {"distinct": len(set(finite))}
        else:
            said["top"], said["distinct"] = top(present)
        return said

    def marks(self) -> list[Any]:
        """What changes when the table does."""
        return [self.rows, [one["name"] for one in self.columns], [map_id(values) for values in self._columns[:200]]]


def map_id(values: list[Any]) -> int:
    """The same for as long as a list holds the same objects."""
    return hash(tuple(id(one) for one in values))


def numbers(finite: list[float]) -> dict[str, Any]:
    """Extremes, mean and a small histogram of a list."""
    if not finite:
        return {}
    low, high, mean = min(finite), max(finite), math.fsum(finite) / len(finite)
    said: dict[str, Any] = {"min": low, "max": high, "mean": mean}
    if high > low and math.isfinite(high - low):
        counts = [0] * BINS
        for one in finite:
            counts[min(BINS - 1, int((one - low) / (high - low) * BINS))] += 1
        said["histogram"] = counts
    return said


def is_missing(value: Any) -> bool:
    """Null, or not a number."""
    return glance.is_null(value) or (type(value) is float and value != value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and not (type(value) is int and int.bit_length(value) > 1000)


def rank(value: Any) -> tuple[int, Any]:
    """Numbers before words, whatever else there is as its words; no comparison of somebody else's is called."""
    if _is_number(value) or type(value) is bool:
        return (0, value)
    return (1, fold(value))


def _type_of(values: list[Any]) -> str:
    found = {glance.type_name(one) for one in values[:1000] if one is not None}
    return " | ".join(sorted(found)[:3]) or "None"


def _kind_of(values: list[Any]) -> str:
    some = [one for one in values[:1000] if one is not None]
    if some and all(type(one) is bool for one in some):
        return "bool"
    if some and all(_is_number(one) for one in some):
        return "number"
    return "text" if some and all(type(one) is str for one in some) else "other"


def _test(one: dict[str, Any], kind: str) -> Callable[[Any], bool]:
    """Whether a value passes a filter."""
    words = one.get("text")
    low, high, wanted = number(one.get("from")), number(one.get("to")), number(words)
    match one["op"]:
        case "null":
            return is_missing
        case "not_null":
            return lambda value: not is_missing(value)
        case "contains":
            part = str(words).casefold()
            return lambda value: not is_missing(value) and part in fold(value)
        case "equals" if kind == "number" and wanted is not None:
            return lambda value: _is_number(value) and value == wanted
        case "equals":
            return lambda value: not is_missing(value) and glance.text(value, 10_000)[0] == words
        case _:
            return lambda value: _is_number(value) and (low is None or value >= low) and (high is None or value <= high)
