"""Runs inside a kernel: which variables are large, and which imported packages were replaced on disk meanwhile.

Loaded as a file beside `launch.py`. Questions come on the control channel, and are answered while a cell runs.
"""

import os
import re
import site
import sys
import sysconfig
import time
from typing import Any

SHOWN_MAX = 50
LOOKED_AT_MAX = 20_000
SECONDS_MAX = 0.5
MEMBERS_MAX = 200
NAME_LENGTH_MAX = 100
ARRAYS = ("numpy", "pandas", "polars", "pyarrow", "torch", "scipy", "cupy", "xarray", "jax", "jaxlib")
"""Objects of these say themselves how large they are, cheaply; others are not asked, since that is their code."""


def install(app: Any) -> None:
    """Answer questions, and say it when a cell replaced what is imported."""
    kernel = app.kernel
    imports = Imports()

    def variables(stream: Any, ident: Any, parent: Any) -> None:
        content = {"variables": largest(kernel.shell.user_ns, kernel.shell.user_ns_hidden)}
        kernel.session.send(stream, "collegium_variables_reply", content, parent, ident=ident)

    def changed(stream: Any, ident: Any, parent: Any) -> None:
        content = {"changed": imports.changed()}
        kernel.session.send(stream, "collegium_changed_imports_reply", content, parent, ident=ident)

    def after() -> None:
        news = imports.after_cell()
        if news:
            parent = kernel.get_parent("shell")
            kernel.session.send(
                kernel.iopub_socket, "collegium_packages", {"changed": news}, parent, ident=b"collegium_packages"
            )

    kernel.control_handlers["collegium_variables_request"] = variables
    kernel.control_handlers["collegium_changed_imports_request"] = changed
    app.shell.events.register("pre_execute", imports.before_cell)
    app.shell.events.register("post_execute", after)


def largest(namespace: dict[str, Any], hidden: Any) -> list[dict[str, Any]]:
    """The largest variables first; what several names share is counted at the first."""
    deadline = time.monotonic() + SECONDS_MAX
    found: list[tuple[int, str, str]] = []
    seen: set[int] = set()
    for name, value in _named(dict(namespace), hidden):
        if id(value) in seen or time.monotonic() > deadline:
            continue
        seen.add(id(value))
        try:
            found.append((size_of(value, deadline), name, type(value).__name__))
        except Exception:  # noqa: S112  # the size of a broken object is nobody's business
            continue
    found.sort(key=lambda one: (-one[0], one[1]))
    return [
        {"name": name[:NAME_LENGTH_MAX], "type": kind[:NAME_LENGTH_MAX], "bytes": size}
        for size, name, kind in found[:SHOWN_MAX]
    ]


def _named(namespace: dict[str, Any], hidden: Any) -> list[tuple[str, Any]]:
    names = [
        (name, value)
        for name, value in list(namespace.items())[:LOOKED_AT_MAX]
        if isinstance(name, str) and not name.startswith("_") and name not in hidden and not _is_code(value)
    ]
    outputs = namespace.get("_oh")
    kept = list(outputs.items())[-MEMBERS_MAX:] if isinstance(outputs, dict) else []
    return names + [(f"Out[{number}]", value) for number, value in kept]


def _is_code(value: Any) -> bool:
    return isinstance(value, type) or type(value).__name__ in ("module", "function", "builtin_function_or_method")


def size_of(value: Any, deadline: float, depth: int = 0) -> int:
    """About how many bytes would be free without it."""
    size = sys.getsizeof(value, 0)
    if type(value).__module__.partition(".")[0] in ARRAYS:
        return max(size, _said(value))
    if depth > 2 or time.monotonic() > deadline:
        return size
    if isinstance(value, dict):
        return size + _members(list(value.values()), deadline, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + _members(value, deadline, depth)
    inner = getattr(value, "__dict__", None) if type(value).__module__ == "__main__" else None
    return size + (_members(list(inner.values()), deadline, depth) if isinstance(inner, dict) else 0)


def _members(values: Any, deadline: float, depth: int) -> int:
    """The sum; of many, some are looked at and stand for the rest."""
    count = len(values)
    if not count:
        return 0
    if isinstance(values, (set, frozenset)):
        some = [value for value, _ in zip(values, range(MEMBERS_MAX), strict=False)]
    else:
        some = [values[at * count // min(count, MEMBERS_MAX)] for at in range(min(count, MEMBERS_MAX))]
    looked = {id(value): value for value in some}
    size = sum(size_of(value, deadline, depth + 1) for value in looked.values())
    return size * count // len(some) if len(looked) == len(some) else size


def _said(value: Any) -> int:
    for usage in ("memory_usage", "estimated_size"):
        method = getattr(value, usage, None)
        if callable(method):
            total = method()
            return int(total.sum() if hasattr(total, "sum") else total)
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if hasattr(value, "element_size") and hasattr(value, "nelement"):
        return int(value.element_size() * value.nelement())
    data = getattr(value, "data", None)  # a sparse matrix
    return int(getattr(data, "nbytes", 0))


class Imports:
    """Watches the folders that packages are installed in. A cell that does not touch them costs three `stat`s."""

    def __init__(self) -> None:
        paths = sysconfig.get_paths()
        self._folders = list(dict.fromkeys((paths["purelib"], paths["platlib"], site.getusersitepackages())))
        self._stamps = self._now()
        self._disk = self._versions()
        self._imported = len(sys.modules)
        self._changed: dict[str, tuple[str, str]] = {}

    def before_cell(self) -> None:
        """Remember how much was imported: modules are kept in the order of their import."""
        self._imported = len(sys.modules)

    def after_cell(self) -> list[dict[str, str]]:
        """What changed by this cell, if anything did."""
        if self._now() == self._stamps:
            return []
        before = dict(self._changed)
        self._look()
        return self.changed() if self._changed and self._changed != before else []

    def changed(self) -> list[dict[str, str]]:
        """Imported packages of which another version is on the disk by now."""
        if self._now() != self._stamps:
            self._look()
        return [{"name": name, "from": was, "to": now} for name, (was, now) in sorted(self._changed.items())][:100]

    def _look(self) -> None:
        self._stamps, disk = self._now(), self._versions()
        loaded = {name.partition(".")[0] for name in list(sys.modules)[: self._imported]}
        for name, (version, folder) in disk.items():
            old = self._disk.get(name)
            if old is None or old[0] == version:
                continue
            if name in self._changed:
                first = self._changed.pop(name)[0]
                if first != version:
                    self._changed[name] = (first, version)
                continue
            modules = _modules(folder)
            if modules is None:
                # Half installed: asked in the middle of pip's work. It is looked at again.
                disk[name], self._stamps = old, []
            elif loaded & modules:
                self._changed[name] = (old[0], version)
        # What is gone may be on its way to another version.
        self._disk |= disk

    def _now(self) -> list[int]:
        stamps = []
        for folder in self._folders:
            try:
                stamps.append(os.stat(folder).st_mtime_ns)
            except OSError:
                stamps.append(0)
        return stamps

    def _versions(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for folder in reversed(self._folders):
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            for entry in names:
                if entry.endswith(".dist-info"):
                    name, _, version = entry[: -len(".dist-info")].rpartition("-")
                    found[re.sub(r"[-_.]+", "-", name).lower()] = (version, os.path.join(folder, entry))
        return found


def _modules(folder: str) -> set[str] | None:
    """The names that a package is imported by; None while it is being installed, since this list is written last."""
    try:
        with open(os.path.join(folder, "RECORD"), errors="replace") as file:
            tops = {line.partition(",")[0].partition("/")[0] for line in file}
    except OSError:
        return None
    return {
        top.partition(".")[0] for top in tops if top and not top.endswith((".dist-info", ".data", "..", "__pycache__"))
    }
