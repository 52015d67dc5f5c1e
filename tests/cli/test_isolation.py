"""The server is not for several people where their notebooks would not be walled off from each other."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collegium.cli.serve import is_loopback, refuse_company
from collegium.ground.errors import Unavailable
from runtime_world import ORDINARY_UID
from support.environment import ROOT, environment, environments_folder
from support.users import python_as

WALLLESS = """
import runpy, sys
from collegium_runtimed import linux, seccomp
linux.no_new_privileges()
linux.install_filter(seccomp.program(seccomp.machine()))  # inside a runtime nobody can make namespaces either
runpy.run_module("collegium.cli", run_name="__main__", alter_sys=False)
"""
SECONDS_MAX = 60


@pytest.mark.parametrize(("host", "users"), [("127.0.0.1", 0), ("127.0.0.1", 1), ("::1", 1), ("localhost", 1)])
def test_alone_on_ones_own_machine_one_may_do_without(host: str, users: int) -> None:
    refuse_company("no namespaces", host=host, users=users)


@pytest.mark.parametrize(
    ("host", "users"), [("0.0.0.0", 0), ("192.0.2.2", 1), ("::", 0), ("example.org", 0), ("127.0.0.1", 2)]
)
def test_in_company_one_may_not(host: str, users: int) -> None:
    with pytest.raises(Unavailable, match="--without-isolation"):
        refuse_company("no namespaces", host=host, users=users)
    refuse_company(None, host=host, users=users)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.4.5", "::1", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost.example.org", "10.0.0.1", "127.0.0.1.example.org", ""])
def test_what_others_reach_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder of an ordinary user."""
    environment()
    folder = Path(tempfile.mkdtemp(prefix="wallless-"))
    if os.geteuid() == 0:
        os.chown(folder, ORDINARY_UID, ORDINARY_UID)
    yield folder
    shutil.rmtree(folder)


def wallless(data: Path, *words: str) -> "subprocess.Popen[str]":
    """A command of Collegium as an ordinary user, where namespaces are refused."""
    python = [sys.executable]
    if os.geteuid() == 0:
        python = python_as(ORDINARY_UID, [data, environments_folder()])
    variables = os.environ | {"COLLEGIUM_RUNTIMES__ENVIRONMENTS": str(environments_folder()), "HOME": str(data)}
    return subprocess.Popen(
        [*python, "-c", WALLLESS, *words, "--data", str(data)],
        env=variables | {"PYTHONPATH": str(ROOT / "src")},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
    )  # fmt: skip


@pytest.mark.sandbox
def test_the_server_refuses_to_be_reached_by_others(data: Path) -> None:
    process = wallless(data, "serve", "--host", "0.0.0.0", "--port", "0")
    said, _ = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 2, said
    assert "--without-isolation" in said
    assert "namespaces" in said


@pytest.mark.sandbox
def test_told_in_so_many_words_it_serves(data: Path) -> None:
    process = wallless(data, "serve", "--host", "0.0.0.0", "--port", "0", "--without-isolation")
    assert process.stdout is not None
    for line in process.stdout:
        if "Collegium is ready" in line:
            break
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, said
    stop = wallless(data, "engine", "stop")
    stop.communicate(timeout=SECONDS_MAX)


@pytest.mark.sandbox
def test_the_doctor_says_it_in_words_and_for_programs(data: Path) -> None:
    process = wallless(data, "doctor", "--json")
    said, _ = process.communicate(timeout=SECONDS_MAX)

    report = json.loads(said)
    assert (process.returncode, report["ok"]) == (1, False)
    (namespaces,) = [one for one in report["findings"] if one["name"] == "namespaces"]
    assert (namespaces["area"], namespaces["state"]) == ("isolation", "missing")
    in_words = wallless(data, "doctor")
    table, _ = in_words.communicate(timeout=SECONDS_MAX)
    assert in_words.returncode == 1
    assert "Runtimes cannot be made here" in table


def test_where_all_is_well_the_doctor_is_content() -> None:
    words = [sys.executable, "-m", "collegium.cli", "doctor", "--json"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS_MAX)

    report = json.loads(result.stdout)
    assert (result.returncode == 0) == report["ok"]
