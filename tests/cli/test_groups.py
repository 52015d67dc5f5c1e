"""Groups at the command line, beside whatever the page and the API do to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from collegium.cli.commands import app

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command sets up the log of its process, which is this one here, and where it writes to is gone afterwards."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for email in (ADA, BOB):
        said(tmp_path, "users", "add", email, "--password-stdin", typed="correct horse battery\n")
    return tmp_path


def asked(data: Path, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [*words, "--data", str(data)], input=typed)


def said(data: Path, *words: str, typed: str | None = None) -> list[str]:
    result = asked(data, *words, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_group_is_made_filled_listed_and_emptied(data: Path) -> None:
    said(data, "groups", "create", "Physics [1]")
    said(data, "groups", "create", "Art")
    for email in (ADA, BOB, BOB):
        said(data, "groups", "add", "physics [1]", email)

    assert said(data, "groups", "list") == ["Art\t0", "Physics [1]\t2"]
    assert said(data, "groups", "list", "PHYSICS [1]") == [f"{ADA}\tada", f"{BOB}\tbob"]

    said(data, "groups", "remove", "Physics [1]", ADA)
    assert said(data, "groups", "list", "Physics [1]") == [f"{BOB}\tbob"]


@pytest.mark.parametrize(
    "words",
    [
        ("create", "Art"),
        ("create", ""),
        ("list", "Nobody"),
        ("add", "Nobody", ADA),
        ("add", "Art", "nobody@example.org"),
        ("remove", "Art", ADA),
    ],
)
def test_what_cannot_be_done_says_so_in_a_line(data: Path, words: tuple[str, ...]) -> None:
    said(data, "groups", "create", "Art")
    refused = asked(data, "groups", *words)

    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert len(refused.stderr.strip().splitlines()) == 1
