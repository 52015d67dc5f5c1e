"""`make bench`: start a server on an empty folder, measure, print a table.

`ARGS=--quick` repeats less, `ARGS=--browser` leaves the wire out.
"""

import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.in_browser import measure_in_browser
from bench.on_the_wire import measure_on_the_wire
from support.browser import browser
from support.server import server

Row = tuple[str, str, list[float], str]
"""What, unit, the samples, the target of the design."""


def main() -> None:
    """Measure everything and print one line each."""
    repeats = 5 if "--quick" in sys.argv else 15
    with server() as running:
        if "--browser" not in sys.argv:
            print_table(anyio.run(measure_on_the_wire, running, repeats))
        with browser() as chromium:
            print_table(measure_in_browser(running, chromium, repeats))


def print_table(rows: list[Row]) -> None:
    """The measures as a Markdown table."""
    print("| what | median | lowest | highest | runs | target |\n| --- | --- | --- | --- | --- | --- |")
    for what, unit, samples, target in rows:
        shown: Callable[[float], str] = lambda value, unit=unit: f"{value:.1f} {unit}"  # noqa: E731
        print(
            f"| {what} | {shown(statistics.median(samples))} | {shown(min(samples))} | {shown(max(samples))} "
            f"| {len(samples)} | {target} |"
        )


if __name__ == "__main__":
    main()
