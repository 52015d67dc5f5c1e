"""Runs inside a kernel: a view of a table as a file; loaded by `tables.py`."""

import csv
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")
frames = beside("frames")

ROWS_AT_ONCE = 20_000
CELL_MAX = 1_000_000


def write(frame: Any, positions: Any, path: str, kind: str) -> None:
    """As CSV, or as Parquet where pyarrow is. Raises NoTable for what Parquet cannot hold."""
    if kind == "csv":
        _write_csv(frame, positions, path)
    else:
        _write_parquet(frame, positions, path)


def _pieces(frame: Any, positions: Any) -> Any:
    rows = frame.rows if positions is None else len(positions)
    for offset in range(0, rows, ROWS_AT_ONCE):
        yield offset, min(ROWS_AT_ONCE, rows - offset)


def _write_csv(frame: Any, positions: Any, path: str) -> None:
    with open(path, "x", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([*frame.index, *(one["name"] for one in frame.columns)])
    if not _wrote_by_arrow(frame, positions, path):
        _write_by_hand(frame, positions, path)


def _wrote_by_arrow(frame: Any, positions: Any, path: str) -> bool:
    """Twenty times as fast, for columns that hold one plain type each; False if nothing was written."""
    if any(one["kind"] == "other" for one in frame.columns) or importlib.util.find_spec("pyarrow") is None:
        return False
    arrow, writing = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.csv")
    options = writing.WriteOptions(include_header=False, quoting_style="needed")
    writer = None
    with open(path, "ab") as file:
        begun = file.tell()
        try:
            for offset, limit in _pieces(frame, positions):
                columns = [_array(arrow, frame.part(at, positions, offset, limit)) for at in range(len(frame.columns))]
                names = frame.names(positions, offset, limit) if frame.index else []
                levels = [[_cell(row[level]) for row in names] for level in range(len(frame.index))]
                columns = [arrow.array(level, arrow.string()) for level in levels] + columns
                table = arrow.table(columns, names=[str(at) for at in range(len(columns))])
                if writer is None:
                    writer = writing.CSVWriter(file, table.schema, write_options=options)
                writer.write_table(table)
            if writer is not None:
                writer.close()
        except arrow.ArrowException:
            file.truncate(begun)
            return False
    return True


def _write_by_hand(frame: Any, positions: Any, path: str) -> None:
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for offset, limit in _pieces(frame, positions):
            columns = [
                [_cell(one) for one in frame.cells(at, positions, offset, limit)] for at in range(len(frame.columns))
            ]
            if frame.index:
                names = frame.names(positions, offset, limit)
                columns = [[_cell(row[level]) for row in names] for level in range(len(frame.index))] + columns
            writer.writerows(zip(*columns, strict=True))


def _cell(value: Any) -> str:
    return "" if frames.is_missing(value) else str(glance.text(value, CELL_MAX)[0])


def _write_parquet(frame: Any, positions: Any, path: str) -> None:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise frames.NoTable("Parquet needs the package pyarrow, which is not in this runtime.") from error
    names = _distinct([one["name"] for one in frame.columns])
    writer = None
    try:
        for offset, limit in _pieces(frame, positions):
            columns = [_array(arrow, frame.part(at, positions, offset, limit)) for at in range(len(frame.columns))]
            table = arrow.table(dict(zip(names, columns, strict=True)))
            if writer is None:
                writer = parquet.ParquetWriter(path, table.schema)
            writer.write_table(table.cast(writer.schema))
    except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError) as error:
        raise frames.NoTable("A column holds values of several types, which Parquet cannot.") from error
    finally:
        if writer is not None:
            writer.close()


def _array(arrow: Any, part: Any) -> Any:
    return part.to_arrow() if hasattr(part, "to_arrow") else arrow.array(part, from_pandas=True)


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found
