"""Writes what is made from the code: pages of settings and of the HTTP API, and the filter of system calls for
containers. `--check` only compares."""

import errno
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from collegium.app import create_app, open_house
from collegium.ground.log import configure_log
from collegium.runtimes.settings import Accelerator, AcceleratorUnit, RuntimeType
from collegium.settings import Settings
from collegium_runtimed import seccomp, syscalls

ROOT = Path(__file__).parent.parent
PARTS: list[tuple[str, str, type[BaseModel]]] = [
    ("A type of runtimes", "COLLEGIUM_RUNTIMES__TYPES", RuntimeType),
    ("An accelerator", "COLLEGIUM_RUNTIMES__ACCELERATORS", Accelerator),
    ("A unit of an accelerator", "units", AcceleratorUnit),
]


def main() -> None:
    """Write the pages, or exit with an error if one is not as the code says."""
    pages = {
        "docs/reference/settings.md": settings_page(),
        "docs/reference/http-api.md": anyio.run(api_page),
        "src/collegium/runtimes/docker_seccomp.json": container_filter(),
    }
    stale = [name for name, text in pages.items() if current(name) != text]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"older than the code they are made from: {', '.join(stale)}; run `make reference`")
        return
    for name, text in pages.items():
        (ROOT / name).write_text(text)


def current(name: str) -> str:
    """What a page says now."""
    path = ROOT / name
    return path.read_text() if path.exists() else ""


def container_filter() -> str:
    """The local engine's filter as Docker reads it. Not in it: the two terminal calls that the local one refuses, since
    Docker compares an argument once; a container's terminals are its own."""
    sockets = [_equal(0, family) for family in (seccomp.AF_UNIX, seccomp.AF_INET, seccomp.AF_INET6)]
    sockets.append([*_equal(0, seccomp.AF_NETLINK), *_equal(2, seccomp.NETLINK_ROUTE)])
    rules: list[dict[str, Any]] = [
        {"names": sorted({*syscalls.ALLOWED, "ioctl"}), "action": "SCMP_ACT_ALLOW"},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
        {
            "names": ["clone"],
            "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": seccomp.CLONE_NEW_ANY, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
        },
        *(
            {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": _equal(0, one)}
            for one in seccomp.PERSONALITIES
        ),
        *({"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": args} for args in sockets),
    ]
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.EPERM,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": rules,
    }
    return json.dumps(profile, indent=1) + "\n"


def _equal(index: int, value: int) -> list[dict[str, Any]]:
    return [{"index": index, "value": value, "op": "SCMP_CMP_EQ"}]


def settings_page() -> str:
    """Every setting with its default and meaning."""
    lines = [
        "# Settings",
        "",
        "Set by environment variables, read once when a command starts. Durations are ISO 8601 (`PT90M`), sizes may",
        "carry a unit (`2GiB`). This page is made from the code by `make reference`.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*lines, *rows("COLLEGIUM", Settings), *parts(), ""])


def parts() -> list[str]:
    """The settings whose values are objects by name, key by key."""
    lines = []
    for title, variable, model in PARTS:
        lines += ["", f"## {title}", "", f"Each object in `{variable}` has:", ""]
        lines += ["| key | default | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{name}` | {default_of(one)} | {one.description} |" for name, one in model.model_fields.items()]
    return lines


def rows(prefix: str, model: type[BaseModel]) -> list[str]:
    """A row for each field, branches opened."""
    found = []
    for name, field in model.model_fields.items():
        variable = f"{prefix}_{name.upper()}" if prefix == "COLLEGIUM" else f"{prefix}__{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += rows(variable, field.annotation)
        else:
            found.append(f"| `{variable}` | {default_of(field)} | {field.description or ''} |")
    return found


def default_of(field: FieldInfo) -> str:
    """The default as a reader writes it."""
    if field.default_factory is not None:
        return "depends on the machine"
    if field.default is PydanticUndefined:
        return "see `collegium serve --help`"
    return "" if field.default in (None, "", (), {}) else f"`{field.default}`"


async def api_page() -> str:
    """Every route of the HTTP API with its summary."""
    configure_log(json=False, level="warning")
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(Settings(data=Path(folder), engine="none")) as house:
            paths: dict[str, Any] = create_app(house).openapi()["paths"]
    lines = [
        "# HTTP API",
        "",
        "The whole description is at `/api/openapi.json`. Authenticate with `Authorization: Bearer TOKEN` (`collegium",
        "tokens create EMAIL` prints one). Errors are problem+json with a stable `code`, and where one code",
        "covers several things a finer `why`; `detail` says it in English. This page is made by `make reference`.",
        "",
        "| method | path | what it does |",
        "| --- | --- | --- |",
    ]
    for path, methods in paths.items():
        for method, operation in methods.items():
            lines.append(f"| {method.upper()} | `{path}` | {operation.get('summary', '')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
