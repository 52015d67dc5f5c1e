"""Runtime versions: locked, hashed, complete or not there."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collegium.ground.errors import NotFound, Unavailable
from collegium.runtimes import environments
from collegium.runtimes.environments import VERSIONS, UvEnvironments, find_python
from runtime_world import ORDINARY_UID, VERSION, environment
from support.environment import environments_folder

EXPECTED = [
    *("IPython", "ipykernel", "ipywidgets", "numpy", "pandas", "polars", "pyarrow", "duckdb", "matplotlib", "seaborn"),
    *("matplotlib_inline", "plotly", "altair", "bokeh", "scipy", "sklearn", "statsmodels", "sympy", "networkx"),
    *("PIL", "requests", "tqdm", "pip"),
]


def test_every_package_of_the_lock_is_pinned_with_hashes() -> None:
    for lock in VERSIONS.glob("*/requirements.lock"):
        text = lock.read_text()
        pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pinned
        assert all("==" in line and line.endswith("\\") for line in pinned)
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_wanted_packages_are_in_the_lock() -> None:
    for version in UvEnvironments(Path("/nowhere")).versions():
        wanted = (VERSIONS / version / "requirements.in").read_text().split("\n")
        names = {line.strip() for line in wanted if line.strip() and not line.startswith("#")}
        lock = (VERSIONS / version / "requirements.lock").read_text()
        assert {name for name in names if f"\n{name}==" not in f"\n{lock}"} == set()


def test_a_version_that_nobody_made_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        UvEnvironments(tmp_path).path("1999.01")
    with pytest.raises(NotFound):
        UvEnvironments(tmp_path).path("../../etc")


def test_another_lock_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/requirements.lock").write_text("a")
    monkeypatch.setattr(environments, "VERSIONS", tmp_path)
    first = UvEnvironments(tmp_path).path("1")
    (tmp_path / "1/requirements.lock").write_text("b")

    assert UvEnvironments(tmp_path).path("1") != first


def test_what_an_earlier_release_built_can_still_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("2025.01-" + "a" * 12, "2025.02-" + "b" * 12, "no version", "2025.03-" + "c" * 12 + ".lock"):
        (tmp_path / name / "lib/python3.9/site-packages/six-1.16.0.dist-info").mkdir(parents=True)
        (tmp_path / name / ".complete").touch()
    (tmp_path / ("2025.02-" + "b" * 12) / ".complete").unlink()
    built = UvEnvironments(tmp_path)

    assert built.versions() == sorted([*built.carried(), "2025.01"])
    assert built.path("2025.01") == tmp_path / ("2025.01-" + "a" * 12)
    assert built.is_ready("2025.01")
    assert [package.name for package in built.packages("2025.01")] == ["six"]
    assert built.python("2025.01") == "3.9"


def test_a_build_that_failed_is_not_ready_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/requirements.lock").write_text("this is no lock\n")
    monkeypatch.setattr(environments, "VERSIONS", tmp_path)
    built = UvEnvironments(tmp_path / "built")

    with pytest.raises(Unavailable, match="uv failed"):
        built.build("1", lambda _line: None)

    assert not built.is_ready("1")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that everybody may look at, and we, for as long as the test lasts, may not change."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o555)
        me = os.geteuid()
        if me == 0:
            os.seteuid(ORDINARY_UID)
        try:
            yield folder
        finally:
            os.seteuid(me)
            folder.chmod(0o755)


@pytest.mark.parametrize("below", [".", "environments"])
def test_who_may_not_build_says_what_to_do(closed_folder: Path, below: str) -> None:
    built = UvEnvironments(closed_folder / below)

    with pytest.raises(Unavailable, match="restart `collegium serve`"):
        built.build(VERSION, lambda _line: None)

    assert list(closed_folder.iterdir()) == []


def test_what_is_built_needs_no_right_to_build(closed_folder: Path) -> None:
    built = UvEnvironments(closed_folder)
    complete = built.path(VERSION) / ".complete"
    with as_owner(closed_folder):
        complete.parent.mkdir()
        complete.touch()

    built.build(VERSION, lambda _line: None)

    assert [path.name for path in closed_folder.iterdir()] == [built.path(VERSION).name]


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Change the folder after all."""
    me = os.geteuid()
    os.seteuid(os.getuid())
    folder.chmod(0o755)
    yield
    folder.chmod(0o555)
    os.seteuid(me)


def test_another_kernel_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1/kernels/bash").mkdir(parents=True)
    (tmp_path / "1/requirements.lock").write_text("a")
    monkeypatch.setattr(environments, "VERSIONS", tmp_path)
    first = UvEnvironments(tmp_path).path("1")
    (tmp_path / "1/kernels/bash/kernel.json").write_text("{}")

    assert UvEnvironments(tmp_path).path("1") != first


@pytest.mark.parametrize("version", UvEnvironments(Path("/nowhere")).versions())
def test_what_a_version_holds_is_known_before_it_is_built(version: str) -> None:
    unbuilt = UvEnvironments(Path("/nowhere"))
    names = [package.name for package in unbuilt.packages(version)]

    assert {"pip", "uv", "ipykernel"} <= set(names)
    assert names == sorted(set(names))
    assert "pywin32" not in names
    assert unbuilt.python(version).startswith("3.")


@pytest.mark.sandbox
@pytest.mark.parametrize("version", UvEnvironments(Path("/nowhere")).versions())
def test_what_is_built_holds_what_its_lock_says(version: str) -> None:
    environment()
    built = UvEnvironments(environments_folder())
    built.build(version, lambda _line: None)

    assert built.packages(version) == UvEnvironments(Path("/nowhere")).packages(version)


@pytest.mark.sandbox
def test_the_default_version_imports_all_it_promises_and_is_compiled() -> None:
    path = environment()
    script = (
        f"import importlib, numpy; [importlib.import_module(name) for name in {EXPECTED!r}]; print(numpy.__cached__)"
    )

    done = subprocess.run([path / "bin/python", "-I", "-c", script], capture_output=True, text=True, check=True)

    assert Path(done.stdout.strip()).exists()
    assert (path / ".complete").exists()
    assert list((path / environments.HOME).rglob("fontlist*.json"))


def test_the_python_of_environments_is_new_enough() -> None:
    done = subprocess.run([find_python(), "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)

    assert done.stdout == b"True\n"


def test_the_version_tests_use_is_the_default() -> None:
    from collegium.runtimes.settings import RuntimesSettings

    assert RuntimesSettings().version == VERSION
