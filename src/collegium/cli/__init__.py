"""The command line: `collegium serve`, `users add`, `tokens create`, `run`, `doctor`, `backup`, `restore`."""

import sys

from collegium.cli.commands import app


def main() -> None:
    """The entry point of the `collegium` program."""
    app(with_pairs_joined(sys.argv[1:]))


def with_pairs_joined(words: list[str]) -> list[str]:
    """`-p NAME VALUE` as `-p NAME=VALUE`: Typer knows no option that takes two words and may be repeated."""
    joined: list[str] = []
    rest = iter(words)
    for word in rest:
        joined.append(word)
        if word == "-p" and (name := next(rest, None)) is not None:
            value = None if "=" in name else next(rest, None)
            joined.append(name if value is None else f"{name}={value}")
    return joined
