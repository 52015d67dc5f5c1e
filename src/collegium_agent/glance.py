"""Runs inside a kernel: what a value looks like, in few letters, without running code of whoever made its type.

Only types known here are asked anything, and by the known type's own methods: what a class of the notebook says of
itself with `__class__`, `__len__`, `__repr__` or `__getattr__` is never called.
"""

import datetime
import decimal
import fractions
import itertools
import json
import pathlib
import sys
import uuid
from typing import Any

TEXT_MAX = 300
ITEMS_MAX = 20
DEPTH_MAX = 4
INT_BITS_MAX = 4000

_module = type.__dict__["__module__"].__get__
_mro = type.__dict__["__mro__"].__get__
class_name = type.__dict__["__name__"].__get__
"""What a class is called, asked of `type` and not of the class."""

KNOWN = (
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID,
    pathlib.PurePath, pathlib.PurePosixPath, pathlib.PosixPath, complex, range, slice, type(...),
)  # fmt: skip
"""Said by their own `str`, when a value is exactly of such a type."""


def is_a(value: Any, kind: type) -> bool:
    """`isinstance` that asks the type alone: `isinstance` itself would ask the value for its `__class__`."""
    return kind in _mro(type(value))


def known(module: str, name: str) -> Any:
    """A class of a library that was imported already; None if it was not."""
    found = vars(sys.modules[module]).get(name) if sys.modules.get(module) is not None else None
    return found if type(found) is not None and type in _mro(type(found)) else None


def is_of(value: Any, module: str, name: str) -> bool:
    """Whether it is an object of a library's class."""
    kind = known(module, name)
    return kind is not None and kind in _mro(type(value))


def is_exactly(value: Any, module: str, name: str) -> bool:
    """Whether it is of this class itself: one derived from it may have replaced whatever would be asked."""
    return type(value) is known(module, name)


def type_name(value: Any) -> str:
    """The name of its type, with the library's if that says more."""
    kind = type(value)
    name, top = class_name(kind), library(kind)
    return name[:100] if top in ("builtins", "__main__") else f"{top}.{name}"[:100]


def library(kind: type) -> str:
    """The package that a class says it comes from."""
    module = _module(kind)
    return module.partition(".")[0] if type(module) is str else "builtins"


def is_null(value: Any) -> bool:
    """What a table shows as missing: None, NaT, pandas.NA."""
    if value is None:
        return True
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is vars(pandas).get("NA") or value is vars(pandas).get("NaT"))


def whole(words: str) -> str:
    """Text that can be sent: half of a surrogate pair, which no UTF-8 has, becomes a question mark."""
    return words if words.isascii() else words.encode("utf-8", "replace").decode()


def text(value: Any, most: int = TEXT_MAX) -> tuple[str, int]:
    """A value in the words of a cell, cut to `most` letters, and how many it has in all."""
    words, length = _text(value, most)
    return whole(words), length


def _text(value: Any, most: int) -> tuple[str, int]:
    kind = type(value)
    if kind is str:
        return (value, len(value)) if len(value) <= most else (value[:most], len(value))
    if kind is bool or kind is float:
        return repr(value), 0
    if kind is int:
        return _integer(value), 0
    if is_a(value, str):
        plain = str.__getitem__(value, slice(None))
        return plain[:most], len(plain)
    if is_a(value, bytes) or is_a(value, bytearray):
        base = bytes if is_a(value, bytes) else bytearray
        size = base.__len__(value)
        return repr(bytes(base.__getitem__(value, slice(0, max(1, most // 4))))), size * 4 if size * 4 > most else 0
    shown = _said(value)
    if shown is None:
        shown = _nested(value)
    return (shown, 0) if len(shown) <= most else (shown[:most], len(shown))


def _integer(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= INT_BITS_MAX else f"<int of {bits:,} bits>"


def _said(value: Any) -> str | None:
    """The words of a simple value of a known type; None for anything else."""
    kind = type(value)
    if value is None:
        return "None"
    if is_a(value, bool):
        return bool.__repr__(value)
    if is_a(value, int):
        return _integer(value)
    if kind in KNOWN:
        return str(value)
    if is_of(value, "numpy", "generic") and kind in _scalars():
        inner = value.item()
        return repr(inner) if type(inner) is float else str(value) if type(inner) is kind else text(inner)[0]
    if is_a(value, float):
        return float.__repr__(value)
    for module, name in (
        ("pandas", "Timestamp"),
        ("pandas", "Timedelta"),
        ("pandas", "Period"),
        ("pandas", "Interval"),
    ):
        if kind is known(module, name):
            return str(value)
    if is_null(value):
        return "NaT" if value is vars(sys.modules["pandas"]).get("NaT") else "<NA>"
    if is_a(value, type):
        return f"<class {class_name(value)}>"
    return None


def _scalars() -> frozenset[type]:
    numpy = sys.modules["numpy"]
    return frozenset({*numpy.sctypeDict.values(), numpy.datetime64, numpy.timedelta64})


def _nested(value: Any) -> str:
    plain = as_json(value)
    return plain if type(plain) is str else json.dumps(plain, ensure_ascii=False, allow_nan=True)


def as_json(value: Any, depth: int = 0) -> Any:
    """Lists and dicts as JSON knows them, bounded in length and depth; anything unknown by the name of its type."""
    kind = type(value)
    if kind in (str, bool, float) or value is None:
        return value[:TEXT_MAX] if kind is str else value
    if kind is int:
        return value if int.bit_length(value) <= 53 else _integer(value)
    if is_a(value, dict):
        if depth >= DEPTH_MAX:
            return {"…": dict.__len__(value)}
        some = _first(dict.items(value))
        shown = {text(key, 100)[0]: as_json(inner, depth + 1) for key, inner in some}
        return shown if dict.__len__(value) <= ITEMS_MAX else {**shown, "…": f"{dict.__len__(value):,} in all"}
    for base in (list, tuple, set, frozenset):
        if is_a(value, base):
            if depth >= DEPTH_MAX:
                return ["…"]
            items = [as_json(inner, depth + 1) for inner in _first(base.__iter__(value))]
            return items if base.__len__(value) <= ITEMS_MAX else [*items, f"… {base.__len__(value):,} in all"]
    if is_of(value, "numpy", "ndarray"):
        array = known("numpy", "ndarray")
        size = array.size.__get__(value)
        items = [as_json(inner, depth + 1) for inner in _first(iter(array.flat.__get__(value)))]
        return items if size <= ITEMS_MAX else [*items, f"… {size:,} in all"]
    if is_a(value, str) or is_a(value, bytes) or is_a(value, bytearray):
        return text(value)[0]
    said = _said(value)
    return said if said is not None else f"<{type_name(value)}>"


def _first(items: Any) -> list[Any]:
    try:
        return list(itertools.islice(items, ITEMS_MAX))
    except RuntimeError:
        return []  # it changed while it was looked at
