"""Which packages a kernel has imported that are others on the disk by now."""

import importlib.util
import site
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "src/collegium_agent/variables.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a kernel's user installs."""
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(tmp_path))
    return tmp_path


def imports() -> Any:
    """A watcher, as a kernel has it."""
    spec = importlib.util.spec_from_file_location("variables_of_a_kernel", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Imports()


def begin(folder: Path, version: str) -> Path:
    """What pip makes first; the list of files comes last."""
    info = folder / f"thing-{version}.dist-info"
    info.mkdir()
    return info


def finish(info: Path) -> None:
    (info / "RECORD").write_text("thing.py,,\n")


def test_a_package_that_was_half_installed_when_asked_is_named_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(begin(folder, "1.0"))
    monkeypatch.setitem(sys.modules, "thing", ModuleType("thing"))
    watched = imports()
    (folder / "thing-1.0.dist-info/RECORD").unlink()
    (folder / "thing-1.0.dist-info").rmdir()
    asked_between = watched.changed()
    half = begin(folder, "2.0")
    asked_too_early = watched.changed()
    finish(half)

    assert (asked_between, asked_too_early) == ([], [])
    assert watched.changed() == [{"name": "thing", "from": "1.0", "to": "2.0"}]
