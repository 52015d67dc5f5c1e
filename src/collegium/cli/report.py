"""How `collegium doctor` looks."""

from collections.abc import Iterable
from itertools import groupby

from rich.table import Table

from collegium.runtimes.doctor import Finding

MARKS = {"ok": "[green]✓[/]", "degraded": "[yellow]~[/]", "missing": "[red]✗[/]"}


def report_table(findings: Iterable[Finding]) -> Table:
    """One row for each finding, those of one area together."""
    table = Table("", "what", "how it is", "what would help", box=None, header_style="dim", pad_edge=False)
    for area, of_area in groupby(findings, key=lambda finding: finding.area):
        table.add_row("", f"[bold]{area}[/]", "", "")
        for finding in of_area:
            table.add_row(MARKS[finding.state], f"  {finding.name}", finding.detail, finding.remedy or "")
    return table
