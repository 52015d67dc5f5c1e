"""Logs: one line per event, a noun and a past verb, the rest are fields. Never source, outputs or tokens."""

import logging
import sys
from typing import Any

import structlog


def configure_log(*, json: bool, level: str = "info") -> None:
    """Set up structlog once, in the command that starts a process. `json`: one object per line, for machines."""
    # Plain tracebacks in both: the pretty ones print local variables, and with them passwords and tokens.
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if json
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def get_log(part: str) -> Any:
    """The log of a part; its name is a field of every line."""
    # Lazy: a bound logger would keep the configuration of the moment this module was imported.
    return structlog.get_logger(part=part)
