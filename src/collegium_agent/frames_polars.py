"""Runs inside a kernel: polars' frames, read by polars itself."""

import datetime
import zoneinfo
from collections.abc import Callable
from typing import Any

import polars  # type: ignore[import-not-found]

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")
frames = beside("frames")

SAMPLE_MAX = 1_000_000
SLOW_ROWS_MAX = 1_000_000
MARKED_ROWS = 100


class PolarsFrame:
    """Columns that are polars.Series."""

    cut = False

    def __init__(self, frame: Any, kind: str) -> None:
        self._frame = frame if type(frame) is polars.DataFrame else polars.DataFrame(frame)
        self.kind, self.rows = kind, self._frame.height
        self.index: list[str] = []
        self.columns = [
            {"name": name[:200], "type": str(dtype)[:100], "kind": _kind(dtype)}
            for name, dtype in self._frame.schema.items()
        ]

    def series(self, column: int) -> Any:
        """A column, not copied."""
        return self._frame.to_series(column)

    def pick(self, sorts: list[Any], filters: list[Any], search: str) -> tuple[Any, int, bool]:
        """The positions of a view, how many they are, and whether only a part was searched."""
        mask, partial = None, False
        for one in filters:
            found, part = self._passes(one)
            mask, partial = found if mask is None else mask & found, partial or part
        if search:
            any_found = polars.repeat(False, self.rows, dtype=polars.Boolean, eager=True)
            for column in range(len(self.columns)):
                found, part = self._contains(column, search)
                any_found, partial = any_found | found, partial or part
            mask = any_found if mask is None else mask & any_found
        positions = None if mask is None else mask.arg_true()
        if sorts:
            keys = [self._comparable(one["column"], positions).alias(str(at)) for at, one in enumerate(sorts)]
            down = [one["descending"] for one in sorts]
            by = polars.arg_sort_by(
                [key.name for key in keys], descending=down, nulls_last=True, maintain_order=True
            ).alias("order")
            order = polars.DataFrame(keys).select(by).to_series()
            positions = order if positions is None else positions.gather(order)
        return positions, self.rows if positions is None else len(positions), partial

    def _comparable(self, column: int, positions: Any) -> Any:
        series = self.series(column) if positions is None else self.series(column).gather(positions)
        if series.dtype.is_float():
            return series.fill_nan(None)
        if series.dtype.is_nested() or series.dtype == polars.Object:
            words = [None if one is None else frames.fold(one) for one in series.to_list()]
            return polars.Series("", words, dtype=polars.String)
        return series

    def _passes(self, one: dict[str, Any]) -> tuple[Any, bool]:
        column, op = one["column"], one["op"]
        kind, series = self.columns[column]["kind"], self.series(column)
        missing = series.is_null() | series.is_nan().fill_null(False) if series.dtype.is_float() else series.is_null()
        if op in ("null", "not_null"):
            return (missing if op == "null" else ~missing), False
        words = str(one.get("text") or "")
        if op == "contains":
            return self._contains(column, words)
        if op == "equals":
            if kind in ("number", "time"):
                bound = self._bound(kind, series, words)
                return (series == bound).fill_null(False) if bound is not None else ~missing, False
            if kind == "bool":
                return (series == (words.strip().casefold() in ("true", "1", "yes"))).fill_null(False), False
            if kind == "text":
                return (series.cast(polars.String) == words).fill_null(False), False
            return self._slowly(series, lambda value: glance.text(value, 10_000)[0] == words)
        found = ~missing
        if kind not in ("number", "time"):
            return found & False, False
        low, high = self._bound(kind, series, one.get("from")), self._bound(kind, series, one.get("to"))
        if low is not None:
            found &= (series >= low).fill_null(False)
        if high is not None:
            found &= (series <= high).fill_null(False)
        return found, False

    def _bound(self, kind: str, series: Any, words: Any) -> Any:
        if type(words) is not str or not words.strip():
            return None
        if kind == "number":
            return frames.bound(words)
        try:
            moment = datetime.datetime.fromisoformat(words.strip())
        except ValueError as error:
            raise frames.NoTable(f"“{words[:40]}” is no date.") from error
        if series.dtype == polars.Date:
            return moment.date()
        zone = getattr(series.dtype, "time_zone", None)
        if zone is not None and moment.tzinfo is None:
            return moment.replace(tzinfo=zoneinfo.ZoneInfo(zone))
        return moment

    def _contains(self, column: int, words: str) -> tuple[Any, bool]:
        series, kind = self.series(column), self.columns[column]["kind"]
        if kind == "other":
            wanted = words.casefold()
            return self._slowly(series, lambda value: wanted in frames.fold(value))
        if kind == "number" and frames.number(words) is None and words.casefold() not in "naninf":
            return polars.repeat(False, self.rows, dtype=polars.Boolean, eager=True), False
        text = series if series.dtype == polars.String else series.cast(polars.String)
        return text.str.to_lowercase().str.contains(words.lower(), literal=True).fill_null(False), False

    def _slowly(self, series: Any, passes: Callable[[Any], bool]) -> tuple[Any, bool]:
        found = [not frames.is_missing(one) and passes(one) for one in series.head(SLOW_ROWS_MAX).to_list()]
        rest = self.rows - len(found)
        return polars.Series("", found + [False] * rest, dtype=polars.Boolean), rest > 0

    def places(self, positions: Any, at: list[int]) -> Any:
        """The positions that stand at these places of a view."""
        return polars.Series("", at, dtype=polars.UInt32) if positions is None else positions.gather(at)

    def part(self, column: int, positions: Any, offset: int, limit: int) -> Any:
        """A piece of a column as a series."""
        series = self.series(column)
        return series.slice(offset, limit) if positions is None else series.gather(positions.slice(offset, limit))

    def cells(self, column: int, positions: Any, offset: int, limit: int) -> list[Any]:
        """Some values of a column."""
        return list(self.part(column, positions, offset, limit).to_list())

    def names(self, positions: Any, offset: int, limit: int) -> list[list[Any]]:
        """The numbers of some rows."""
        if positions is None:
            return [[at] for at in range(offset, min(self.rows, offset + limit))]
        return [[at] for at in positions.slice(offset, limit).to_list()]

    def statistics(self, column: int, positions: Any) -> dict[str, Any]:
        """What a column holds."""
        kind = self.columns[column]["kind"]
        series = self.series(column) if positions is None else self.series(column).gather(positions)
        present = series.drop_nulls()
        if series.dtype.is_float():
            present = present.drop_nans()
        said: dict[str, Any] = {"count": len(series), "nulls": len(series) - len(present)}
        some = present
        if len(present) > SAMPLE_MAX:
            some = present.gather_every(len(present) // SAMPLE_MAX)
            said["sampled"] = len(some)
        if kind == "number":
            values = present.cast(polars.Float64, strict=False).drop_nulls()
            said |= _numbers(values.filter(values.is_finite())) | {"distinct": some.n_unique()}
        elif kind == "time":
            said["distinct"] = some.n_unique()
            if len(present):
                said |= {"min": glance.text(present.min(), 60)[0], "max": glance.text(present.max(), 60)[0]}
                histogram = _numbers(present.to_physical().cast(polars.Float64)).get("histogram")
                said |= {"histogram": histogram} if histogram else {}
        elif kind == "other":
            said["top"], said["distinct"] = frames.top(some.to_list())
        else:
            counts = some.rename("value").value_counts(sort=True, name="count")
            said["distinct"] = counts.height
            said["top"] = [[glance.text(one, 200)[0], count] for one, count in counts.head(frames.TOP_MAX).rows()]
        return said

    def marks(self) -> list[Any]:
        """What changes when the table does: a part of its rows is read."""
        some = self._frame.gather_every(max(1, self.rows // MARKED_ROWS)).head(MARKED_ROWS)
        shown = [
            [glance.text(one, 60)[0] for one in some.to_series(at).to_list()]
            for at in range(min(len(self.columns), 200))
        ]
        return [self.rows, [(one["name"], one["type"]) for one in self.columns], shown]


def _numbers(finite: Any) -> dict[str, Any]:
    if not len(finite):
        return {}
    low, high = float(finite.min()), float(finite.max())
    said: dict[str, Any] = {"min": low, "max": high, "mean": float(finite.mean())}
    if (deviation := finite.std(ddof=0)) is not None:
        said["std"] = float(deviation)
    if high > low and high - low < float("inf"):
        bins = ((finite - low) / (high - low) * frames.BINS).floor().clip(0, frames.BINS - 1).cast(polars.Int64)
        counts = dict(bins.rename("bin").value_counts(name="count").rows())
        said["histogram"] = [counts.get(at, 0) for at in range(frames.BINS)]
    return said


def _kind(dtype: Any) -> str:
    if dtype == polars.Boolean:
        return "bool"
    if dtype.is_numeric():
        return "number"
    if dtype in (polars.Date, polars.Datetime):
        return "time"
    return "text" if dtype in (polars.String, polars.Categorical, polars.Enum) else "other"
