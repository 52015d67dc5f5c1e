"""Runs inside a kernel: pandas' frames and series, NumPy's arrays and Arrow's tables, read through pandas."""

import importlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy  # type: ignore[import-not-found]
import pandas  # type: ignore[import-untyped]

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")
frames = beside("frames")
types = pandas.api.types

LEVELS_MAX = 4
SLOW_ROWS_MAX = 1_000_000
"""Rows whose words are looked at one by one; beyond them, what is found is said to be a part."""
FEW_ROWS_MAX = 100_000
"""Words that Python itself may sort, which takes all of the kernel for as long as it lasts."""
TOO_MANY = f"More than {SLOW_ROWS_MAX:,} such values are too many to be sorted. Filter the table first."
SEARCHED_CELLS_MAX = 800_000
"""The same of a search in all columns together: some seconds."""
SAMPLE_MAX = 1_000_000
"""Rows that the number of different values is counted in."""
WEIGHED_BYTES_MAX = 128 * 1024 * 1024
"""How much of a table is read to find out whether it changed."""
WEIGHED_COLUMNS_MAX = 500
IDENTITIES_MAX = 200_000


def pandas_frame(value: Any) -> "PandasFrame":
    """Of a DataFrame or a Series; what a class derived from them overrides is not asked."""
    if glance.is_of(value, "pandas", "Series"):
        plain = value if type(value) is pandas.Series else pandas.Series(value, copy=False)
        return PandasFrame(plain.to_frame(plain.name if plain.name is not None else "value"), "pandas.Series")
    plain = value if type(value) is pandas.DataFrame else pandas.DataFrame(value, copy=False)
    return PandasFrame(plain, "pandas.DataFrame")


def array_frame(array: Any) -> "PandasFrame":
    """Of an array with one or two dimensions."""
    frame = pandas.DataFrame(array if array.ndim == 2 else array.reshape(-1, 1), copy=False)
    return PandasFrame(frame, "numpy.ndarray")


class PandasFrame:
    """Columns that are pandas.Series."""

    cut = False

    def __init__(self, frame: Any, kind: str) -> None:
        self._frame, self.kind = frame, kind
        self.rows = len(frame)
        labels, dtypes = list(frame.columns), list(frame.dtypes)
        self.columns = [self._described(at, label, dtypes[at]) for at, label in enumerate(labels)]
        index = frame.index
        plain = isinstance(index, pandas.RangeIndex) and index.name is None
        named = [] if plain else list(index.names)[:LEVELS_MAX]
        self.index = ["" if name is None else glance.text(name, 100)[0] for name in named]

    def series(self, column: int) -> Any:
        """A column, not copied."""
        return self._frame.iloc[:, column]

    def _described(self, column: int, label: Any, dtype: Any) -> dict[str, str]:
        kind = _kind(dtype)
        if kind == "other" and _is_object(dtype):
            some = [one for one in self.series(column).iloc[:100].tolist() if not frames.is_missing(one)]
            kind = "text" if some and all(type(one) is str for one in some) else "other"
        return {"name": label_text(label), "type": dtype_text(dtype), "kind": kind}

    def pick(self, sorts: list[Any], filters: list[Any], search: str) -> tuple[Any, int, bool]:
        """The positions of a view, how many they are, and whether only a part was searched."""
        mask, partial = None, False
        for one in filters:
            found, part = self._passes(one)
            mask, partial = found if mask is None else mask & found, partial or part
        if search:
            any_found = numpy.zeros(self.rows, dtype=bool)
            slow = sum(one["kind"] in ("number", "time", "other", "bool") for one in self.columns)
            rows_max = SEARCHED_CELLS_MAX // max(1, slow)
            for column in range(len(self.columns)):
                found, part = self._contains(column, search, rows_max)
                any_found |= found
                partial = partial or part
            mask = any_found if mask is None else mask & any_found
        positions = None if mask is None else numpy.flatnonzero(mask)
        for one in reversed(sorts):
            array = self._comparable(one["column"], positions).array
            order = array.argsort(ascending=not one["descending"], kind="stable", na_position="last")
            positions = order if positions is None else positions[order]
        if positions is not None and self.rows < 2**32:
            positions = positions.astype(numpy.uint32, copy=False)
        return positions, self.rows if positions is None else len(positions), partial

    def _comparable(self, column: int, positions: Any) -> Any:
        """A column that can be sorted without calling what its values say of themselves."""
        series = self.series(column) if positions is None else self.series(column).take(positions)
        if series.dtype != object and not isinstance(series.dtype, pandas.CategoricalDtype):
            return series
        values = series.tolist()
        if all(type(one) is str or one is None for one in values):
            return _words(series, values)
        if len(values) > SLOW_ROWS_MAX:
            raise frames.NoTable(TOO_MANY)
        ranks = numpy.full(len(values), numpy.nan)
        keys = {at: frames.rank(one) for at, one in enumerate(values) if not frames.is_missing(one)}
        rank, before = -1.0, None
        for at in sorted(keys, key=keys.__getitem__):
            if keys[at] != before:
                rank, before = rank + 1, keys[at]
            ranks[at] = rank
        return pandas.Series(ranks)

    def _passes(self, one: dict[str, Any]) -> tuple[Any, bool]:
        column, op = one["column"], one["op"]
        kind, series = self.columns[column]["kind"], self.series(column)
        if op in ("null", "not_null"):
            missing = series.isna().to_numpy(dtype=bool)
            return (missing if op == "null" else ~missing), False
        if op == "contains":
            return self._contains(column, str(one.get("text") or ""))
        if op == "equals":
            return self._equals(column, str(one.get("text") or ""))
        low, high = self._bound(kind, series, one.get("from")), self._bound(kind, series, one.get("to"))
        found = ~series.isna().to_numpy(dtype=bool)
        if kind not in ("number", "time"):
            return numpy.zeros(self.rows, dtype=bool), False
        if low is not None:
            found &= _true(series >= low)
        if high is not None:
            found &= _true(series <= high)
        return found, False

    def _bound(self, kind: str, series: Any, words: Any) -> Any:
        if type(words) is not str or not words.strip():
            return None
        if kind == "number":
            return frames.bound(words)
        if kind != "time":
            return None
        try:
            stamp = pandas.Timestamp(words)
        except (ValueError, TypeError, OverflowError) as error:
            raise frames.NoTable(f"“{words[:40]}” is no date.") from error
        zone = getattr(series.dt, "tz", None)
        return stamp.tz_localize(zone) if zone is not None and stamp.tzinfo is None else stamp

    def _equals(self, column: int, words: str) -> tuple[Any, bool]:
        kind, series = self.columns[column]["kind"], self.series(column)
        if kind in ("number", "time"):
            return _true(series == self._bound(kind, series, words)), False
        if kind == "bool":
            return _true(series == (words.strip().casefold() in ("true", "1", "yes"))), False
        if types.is_string_dtype(series.dtype) and series.dtype != object:
            return _true(series == words), False
        return self._slowly(series, lambda value: glance.text(value, 10_000)[0] == words)

    def _contains(self, column: int, words: str, rows_max: int = SLOW_ROWS_MAX) -> tuple[Any, bool]:
        series, wanted = self.series(column), words.casefold()
        if isinstance(series.dtype, pandas.CategoricalDtype):
            hits = numpy.array([wanted in frames.fold(one) for one in series.cat.categories.tolist()] + [False])
            return hits[series.cat.codes.to_numpy()], False
        if types.is_string_dtype(series.dtype) and series.dtype != object:
            return _true(series.str.contains(words, case=False, regex=False, na=False)), False
        if self.columns[column]["kind"] == "number" and frames.number(words) is None and wanted not in "naninf":
            return numpy.zeros(self.rows, dtype=bool), False
        return self._slowly(series, lambda value: wanted in frames.fold(value), rows_max)

    def _slowly(self, series: Any, passes: Callable[[Any], bool], rows_max: int = SLOW_ROWS_MAX) -> tuple[Any, bool]:
        found = numpy.zeros(self.rows, dtype=bool)
        some = series.iloc[:rows_max].tolist()
        found[: len(some)] = [not frames.is_missing(one) and passes(one) for one in some]
        return found, self.rows > len(some)

    def places(self, positions: Any, at: list[int]) -> Any:
        """The positions that stand at these places of a view."""
        return numpy.asarray(at) if positions is None else positions[at]

    def part(self, column: int, positions: Any, offset: int, limit: int) -> Any:
        """A piece of a column as a series."""
        series = self.series(column)
        if positions is None:
            return series.iloc[offset : offset + limit]
        return series.take(positions[offset : offset + limit])

    def cells(self, column: int, positions: Any, offset: int, limit: int) -> list[Any]:
        """Some values of a column."""
        return list(self.part(column, positions, offset, limit).tolist())

    def names(self, positions: Any, offset: int, limit: int) -> list[list[Any]]:
        """The row names of some rows; rows without are counted."""
        if not self.index:
            at = range(offset, min(self.rows, offset + limit)) if positions is None else positions[offset:][:limit]
            return [[int(one)] for one in at]
        index = self._frame.index
        part = index[offset : offset + limit] if positions is None else index.take(positions[offset : offset + limit])
        levels = [part.get_level_values(level).tolist() for level in range(len(self.index))]
        return [list(one) for one in zip(*levels, strict=True)]

    def statistics(self, column: int, positions: Any) -> dict[str, Any]:
        """What a column holds."""
        kind = self.columns[column]["kind"]
        series = self.series(column) if positions is None else self.series(column).take(positions)
        said: dict[str, Any] = {"count": len(series), "nulls": int(series.isna().sum())}
        present = series.dropna() if said["nulls"] else series
        some = present
        if len(present) > SAMPLE_MAX:
            some = present.take(numpy.linspace(0, len(present) - 1, SAMPLE_MAX).astype(numpy.int64))
            said["sampled"] = SAMPLE_MAX
        if kind == "number":
            values = present.to_numpy(dtype=float)
            said |= _numbers(values[numpy.isfinite(values)]) | {"distinct": int(some.nunique())}
        elif kind == "time":
            said |= _times(present) | {"distinct": int(some.nunique())}
        elif some.dtype == object or isinstance(some.dtype, pandas.CategoricalDtype) or kind == "other":
            said["top"], said["distinct"] = frames.top(some.tolist())
        else:
            counts = some.value_counts()
            head = counts.head(frames.TOP_MAX)
            said["top"] = [
                [glance.text(name, 200)[0], int(count)]
                for name, count in zip(head.index.tolist(), head.tolist(), strict=True)
            ]
            said["distinct"] = len(counts)
        return said

    def marks(self) -> list[Any]:
        """What changes when the table does; of a very large one, a part is read."""
        budget = WEIGHED_BYTES_MAX
        found: list[Any] = [self.rows, [(one["name"], one["type"]) for one in self.columns]]
        for column in range(min(len(self.columns), WEIGHED_COLUMNS_MAX)):
            weight, read = _weighed(self.series(column), budget)
            found.append(weight)
            budget = max(0, budget - read)
        return found


class ArrowFrame(PandasFrame):
    """A table of Arrow's, whose columns become series one by one, without a copy."""

    def __init__(self, table: Any, kind: str, *, cut: bool) -> None:
        self._table, self.kind, self.cut = table, kind, cut
        self.rows, self.index = table.num_rows, []
        self.columns = [
            {
                "name": glance.text(field.name, 200)[0],
                "type": str(field.type)[:100],
                "kind": _kind(pandas.ArrowDtype(field.type)),
            }
            for field in table.schema
        ]

    def series(self, column: int) -> Any:
        """A column, not copied."""
        return pandas.Series(pandas.arrays.ArrowExtensionArray(self._table.column(column)), copy=False)


def _words(series: Any, values: list[Any]) -> Any:
    """A column of words that can be sorted. Python's own would let nobody else in until it is done."""
    if len(values) > FEW_ROWS_MAX:
        try:
            return pandas.Series(values, dtype=pandas.ArrowDtype(importlib.import_module("pyarrow").large_string()))
        except (ImportError, UnicodeError) as error:
            if len(values) > SLOW_ROWS_MAX:
                raise frames.NoTable(TOO_MANY) from error
    return series.astype(object).where([one is not None for one in values])


def label_text(label: Any) -> str:
    """The name of a column; of several levels, beside each other."""
    if type(label) is tuple:
        return " / ".join(glance.text(one, 60)[0] for one in label)[:200]
    return str(glance.text(label, 200)[0])


def dtype_text(dtype: Any) -> str:
    """The name of a type; one that somebody else made by its class."""
    module = type(dtype).__module__
    own = type(module) is str and module.partition(".")[0] in ("numpy", "pandas")
    if isinstance(dtype, pandas.CategoricalDtype):
        return "category"
    return str(dtype)[:100] if own else type(dtype).__name__[:100]


def _kind(dtype: Any) -> str:
    if types.is_bool_dtype(dtype):
        return "bool"
    if types.is_numeric_dtype(dtype):
        return "other" if types.is_complex_dtype(dtype) else "number"
    if types.is_datetime64_any_dtype(dtype):
        return "time"
    text = isinstance(dtype, pandas.CategoricalDtype) or (not _is_object(dtype) and types.is_string_dtype(dtype))
    return "text" if text else "other"


def _is_object(dtype: Any) -> bool:
    return isinstance(dtype, numpy.dtype) and dtype.kind == "O"


def _true(mask: Any) -> Any:
    return mask.fillna(False).to_numpy(dtype=bool)


def _numbers(finite: Any) -> dict[str, Any]:
    if not len(finite):
        return {}
    with numpy.errstate(all="ignore"):
        low, high = float(finite.min()), float(finite.max())
        said: dict[str, Any] = {"min": low, "max": high, "mean": float(finite.mean()), "std": float(finite.std())}
        if high > low and numpy.isfinite(high - low):
            said["histogram"] = [int(one) for one in numpy.histogram(finite, bins=frames.BINS)[0]]
    return said


def _times(present: Any) -> dict[str, Any]:
    if not len(present):
        return {}
    low, high = present.min(), present.max()
    said: dict[str, Any] = {"min": glance.text(low, 60)[0], "max": glance.text(high, 60)[0]}
    if high > low:
        seconds = (present - low).dt.total_seconds().to_numpy(dtype=float)
        said["histogram"] = [int(one) for one in numpy.histogram(seconds, bins=frames.BINS)[0]]
    return said


def _weighed(series: Any, budget: int) -> tuple[Any, int]:
    """A number that another content very probably has not, and how many bytes were read for it."""
    if isinstance(series.dtype, pandas.CategoricalDtype):
        array = series.cat.codes.to_numpy()
    elif isinstance(series.dtype, numpy.dtype):
        array = series.to_numpy()
    else:
        arrow = getattr(series.array, "_pa_array", None)
        if arrow is not None:  # its buffers never change: another content lies elsewhere
            places = [buffer.address for chunk in arrow.chunks for buffer in chunk.buffers() if buffer is not None]
            return [len(series), *places[:20]], 0
        sample = series.iloc[:: max(1, len(series) // 200)].tolist()
        return [glance.text(one, 100)[0] for one in sample], 0
    if array.nbytes > budget:
        array = array[:: max(1, array.nbytes // max(budget, 1 << 16) + 1)]
    if array.dtype == object:
        few = array[:: max(1, len(array) // IDENTITIES_MAX)].tolist()
        return hash(tuple(map(id, few))), array.nbytes
    plain = numpy.ascontiguousarray(array).view(numpy.uint8)
    return zlib.crc32(plain), array.nbytes
