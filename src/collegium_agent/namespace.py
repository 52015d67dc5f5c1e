"""Runs inside a kernel: its variables as a list, without running any of their code; loaded by `looking.py`."""

import time
from collections.abc import Callable
from typing import Any

beside: Callable[[str], Any] = globals()["beside"]
"""Put here by the launcher: loads a file beside this one."""

glance = beside("glance")

NAMES_MAX = 50_000
SECONDS_MAX = 0.8
PAGE_MAX = 500
NAME_LENGTH_MAX = 200
PREVIEW_MAX = 160
MEMBERS_MAX = 100
CODE = ("module", "function", "builtin_function_or_method", "method", "type")
LISTS = (list, tuple, set, frozenset, dict, str, bytes, bytearray)


def answer(shell: Any, content: dict[str, Any]) -> dict[str, Any]:
    """A page of the variables, or the removal of one."""
    if content.get("remove") is not None:
        return remove(shell, content["remove"])
    return page(dict(shell.user_ns), shell.user_ns_hidden, content)


def remove(shell: Any, name: Any) -> dict[str, Any]:
    """Forget a variable, as `del name` does."""
    if type(name) is not str or name in shell.user_ns_hidden or name not in shell.user_ns:
        return {"error": "not_found", "detail": "There is no such variable."}
    del shell.user_ns[name]
    return {"removed": name}


def page(namespace: dict[str, Any], hidden: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """The variables that were asked for: filtered, sorted, from `offset` on, and how many there are."""
    deadline = time.monotonic() + SECONDS_MAX
    wanted, every = str(asked.get("filter") or "").casefold(), asked.get("hidden") is True
    sort, down = asked.get("sort"), asked.get("descending") is True
    offset, limit = max(0, int(asked.get("offset") or 0)), min(PAGE_MAX, max(1, int(asked.get("limit") or 100)))
    found: list[tuple[str, Any, str]] = []
    for name, value in list(namespace.items())[:NAMES_MAX]:
        if type(name) is not str or name in hidden or (not every and (name.startswith("_") or is_code(value))):
            continue
        kind = glance.type_name(value)
        if wanted in name.casefold() or wanted in kind.casefold():
            found.append((name, value, kind))
    sizes: dict[str, int] = {}
    if sort == "bytes":
        for name, value, _ in found:
            if time.monotonic() > deadline:
                break
            sizes[name] = size_of(value)
        found.sort(key=lambda one: (-sizes.get(one[0], 0) if down else sizes.get(one[0], 0), one[0].casefold()))
    else:
        found.sort(key=lambda one: (one[2].casefold() if sort == "type" else "", one[0].casefold(), one[0]))
        if down:
            found.reverse()
    shown = [described(*one, sizes) for one in found[offset : offset + limit]]
    return {"variables": shown, "total": len(found)}


def described(name: str, value: Any, kind: str, sizes: dict[str, int]) -> dict[str, Any]:
    """One line of the list."""
    return {
        "name": glance.whole(name[:NAME_LENGTH_MAX]),
        "type": kind,
        "shape": _guarded(shape_of, value),
        "bytes": sizes.get(name) or _guarded(size_of, value) or 0,
        "preview": _guarded(preview, value) or f"<{kind}>",
        "table": bool(_guarded(is_table, value)),
    }


def _guarded(ask: Callable[[Any], Any], value: Any) -> Any:
    """What a library says of a value that is half made, or changed at this moment by the cell that runs: nothing."""
    try:
        return ask(value)
    except BaseException:  # what ends a thread must not end this one, which interrupts and shutdowns come by
        return None


def is_code(value: Any) -> bool:
    """Modules, functions and classes, which the list leaves out."""
    return glance.is_a(value, type) or glance.class_name(type(value)) in CODE


def is_table(value: Any) -> bool:
    """Whether the grid can show it."""
    if glance.is_of(value, "numpy", "ndarray"):
        return glance.known("numpy", "ndarray").ndim.__get__(value) in (1, 2)
    if glance.is_a(value, list):
        some = list.__getitem__(value, slice(0, 20))
        return len(some) > 0 and all(glance.is_a(one, dict) for one in some)
    return any(
        glance.is_of(value, module, name)
        for module, name in (
            ("pandas", "DataFrame"), ("pandas", "Series"), ("polars", "DataFrame"), ("polars", "Series"),
            ("pyarrow", "Table"), ("duckdb", "DuckDBPyRelation"),
        )
    )  # fmt: skip


def shape_of(value: Any) -> str | None:
    """How large it is, in its own terms: `1,000 × 20`, or `3` for what has a length."""
    for module, name in (
        ("numpy", "ndarray"), ("pandas", "DataFrame"), ("pandas", "Series"), ("polars", "DataFrame"),
        ("polars", "Series"), ("pyarrow", "Table"), ("torch", "Tensor"),
    ):  # fmt: skip
        if glance.is_exactly(value, module, name) or (name == "ndarray" and glance.is_of(value, module, name)):
            shape = glance.known(module, name).shape.__get__(value)
            return " × ".join(f"{int(one):,}" for one in shape) or "scalar"
    for base in LISTS:
        if glance.is_a(value, base):
            return f"{base.__len__(value):,}"
    return None


def size_of(value: Any, depth: int = 0) -> int:
    """About how many bytes it takes; only what is known here is asked."""
    if glance.is_of(value, "numpy", "ndarray"):
        return int(glance.known("numpy", "ndarray").nbytes.__get__(value))
    if glance.is_exactly(value, "pandas", "DataFrame"):
        return int(glance.known("pandas", "DataFrame").memory_usage(value).sum())
    if glance.is_exactly(value, "pandas", "Series"):
        return int(glance.known("pandas", "Series").memory_usage(value))
    for name in ("DataFrame", "Series"):
        if glance.is_exactly(value, "polars", name):
            return int(glance.known("polars", name).estimated_size(value))
    if glance.is_exactly(value, "pyarrow", "Table"):
        return int(glance.known("pyarrow", "Table").nbytes.__get__(value))
    if glance.is_exactly(value, "torch", "Tensor"):
        tensor = glance.known("torch", "Tensor")
        return int(tensor.element_size(value) * tensor.nelement(value))
    own = next((base.__sizeof__(value) for base in LISTS if glance.is_a(value, base)), None)
    if own is None:
        return object.__sizeof__(value) if not glance.is_a(value, int) else int.__sizeof__(value)
    if depth > 1 or glance.is_a(value, str) or glance.is_a(value, bytes) or glance.is_a(value, bytearray):
        return int(own)
    return int(own) + _members(value, depth)


def _members(value: Any, depth: int) -> int:
    base = next(base for base in LISTS if glance.is_a(value, base))
    count = base.__len__(value)
    inner = dict.values(value) if base is dict else base.__iter__(value)
    some = [one for one, _ in zip(inner, range(MEMBERS_MAX), strict=False)]
    unlike = {id(one): one for one in some}
    size = sum(size_of(one, depth + 1) for one in unlike.values())
    return size * count // len(some) if some and len(unlike) == len(some) else size


def preview(value: Any) -> str:
    """What is in it, in a line."""
    for module in ("pandas", "polars", "pyarrow"):
        frame = "Table" if module == "pyarrow" else "DataFrame"
        if glance.is_exactly(value, module, frame):
            return _columns(glance.known(module, frame), module, value)
    for module in ("pandas", "polars"):
        if glance.is_exactly(value, module, "Series"):
            series = glance.known(module, "Series")
            few = series.head(value, 5).tolist() if module == "pandas" else series.to_list(series.head(value, 5))
            return _cut(f"{_dtype(series.dtype.__get__(value))}: " + ", ".join(glance.text(one, 40)[0] for one in few))
    if glance.is_of(value, "numpy", "ndarray"):
        array = glance.known("numpy", "ndarray")
        few = [glance.text(one, 40)[0] for one, _ in zip(array.flat.__get__(value), range(8), strict=False)]
        more = ", …" if array.size.__get__(value) > len(few) else ""
        return _cut(f"{_dtype(array.dtype.__get__(value))}: [{', '.join(few)}{more}]")
    if glance.is_exactly(value, "torch", "Tensor"):
        tensor = glance.known("torch", "Tensor")
        return _cut(f"{tensor.dtype.__get__(value)} on {tensor.device.__get__(value)}")
    if glance.is_a(value, str):
        return _cut(repr(glance.text(value, PREVIEW_MAX)[0]))
    return _cut(glance.text(value, PREVIEW_MAX)[0])


def _columns(frame: Any, module: str, value: Any) -> str:
    if module == "pandas":
        names, types = list(frame.columns.__get__(value)[:8]), list(frame.dtypes.__get__(value).iloc[:8])
    elif module == "polars":
        schema = list(frame.schema.__get__(value).items())[:8]
        names, types = [one for one, _ in schema], [one for _, one in schema]
    else:
        fields = [field for field, _ in zip(frame.schema.__get__(value), range(8), strict=False)]
        names, types = [field.name for field in fields], [field.type for field in fields]
    count = frame.shape.__get__(value)[1]
    shown = [f"{glance.text(name, 40)[0]}: {_dtype(kind)}" for name, kind in zip(names, types, strict=False)]
    return _cut(", ".join(shown) + (", …" if count > len(shown) else ""))


def _dtype(kind: Any) -> str:
    if glance.is_a(kind, type):
        return str(glance.class_name(kind))
    own = glance.library(type(kind)) in ("numpy", "pandas", "polars", "pyarrow")
    return str(kind)[:60] if own else str(glance.class_name(type(kind)))


def _cut(words: str) -> str:
    line = " ".join(words[: PREVIEW_MAX * 2].split())
    return line if len(line) <= PREVIEW_MAX else line[: PREVIEW_MAX - 1] + "…"
