"""What an agent answers about memory and packages, read as a stranger's letter: bounded, and only what has a form."""

import re
from collections.abc import Iterator
from typing import Any

from collegium.runtimes.packages import Package
from collegium.sessions.model import OnTop, Replaced, Variable

VARIABLES_MAX = 10
PACKAGES_MAX = 5000
TEXT_CHARACTERS_MAX = 100
BYTES_MAX = 1 << 53
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}")


def variables(content: dict[str, Any]) -> tuple[Variable, ...]:
    """The largest first."""
    found = [
        Variable(name, kind, size)
        for one in _listed(content.get("variables"))
        if (name := _text(one.get("name"))) and (kind := _text(one.get("type"))) and (size := _size(one.get("bytes")))
    ]
    return tuple(sorted(found, key=lambda one: -one.bytes)[:VARIABLES_MAX])


def on_top(content: dict[str, Any]) -> OnTop:
    """What was installed over the environment."""
    return OnTop(
        added=tuple(sorted(_packages(content.get("added")))),
        changed=replaced(content),
        removed=tuple(sorted(_packages(content.get("removed")))),
    )


def replaced(content: dict[str, Any]) -> tuple[Replaced, ...]:
    """Distributions that are of another version than before."""
    found = {
        Replaced(name, before, now)
        for one in _listed(content.get("changed"))
        if (name := _match(_NAME, one.get("name")))
        and (before := _match(_VERSION, one.get("from")))
        and (now := _match(_VERSION, one.get("to")))
    }
    return tuple(sorted(found, key=lambda one: one.name))


def _packages(value: Any) -> set[Package]:
    return {
        Package(name, version)
        for one in _listed(value)
        if (name := _match(_NAME, one.get("name"))) and (version := _match(_VERSION, one.get("version")))
    }


def _listed(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value[:PACKAGES_MAX] if isinstance(one, dict))


def _match(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in value[:TEXT_CHARACTERS_MAX])


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < BYTES_MAX else None
