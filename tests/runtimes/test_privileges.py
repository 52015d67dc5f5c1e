"""Giving up root, in a process of its own, since there is no way back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collegium.runtimes.privileges import closed_ancestor, outermost

UID = 61985
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has root to give up")
SCRIPT = """
import json, os, sys
from pathlib import Path
from collegium.runtimes.privileges import drop_privileges

home, needed = sys.argv[1], sys.argv[2:]
drop_privileges(int(os.environ["UID_WANTED"]), int(os.environ["UID_WANTED"]), [Path(path) for path in needed])


def tried(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__


status = dict(line.split(":\\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
print(json.dumps({
    "ids": [*os.getresuid(), *os.getresgid()],
    "groups": os.getgroups(),
    "capabilities": [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "read": tried(lambda: Path(home, "project/file").read_text()),
    "written": tried(lambda: Path(home, "data/file").write_text("x")),
    "listed": tried(lambda: sorted(os.listdir(home))),
    "secret": tried(lambda: Path(home, "secret").read_text()),
    "root_again": tried(lambda: os.setuid(0)),
    "descriptors": tried(lambda: len(os.listdir("/proc/self/fd")) > 0),
}))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A closed home with a project, a data folder of the server's, and a secret that only modes protect."""
    for folder in (*tmp_path.parents, tmp_path):
        if folder == tmp_path or folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    home = tmp_path / "home"
    for name in ("project", "data"):
        (home / name).mkdir(parents=True)
    (home / "project/file").write_text("seen")
    (home / "secret").write_text("not for everybody")
    (home / "secret").chmod(0o644)
    home.chmod(0o700)
    return home


@needs_root
def test_root_is_gone_and_only_what_is_needed_is_in_reach(home: Path) -> None:
    os.chown(home / "data", UID, UID)
    needed = [home / "project", home / "data", Path(sys.prefix), Path(sys.base_prefix)]
    needed.append(Path(__file__).parents[2] / "src")

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home), *map(str, needed)],
        capture_output=True, text=True, check=True, env=os.environ | {"UID_WANTED": str(UID)},
    )  # fmt: skip

    said = json.loads(done.stdout)
    assert said == {
        "ids": [UID] * 6,
        "groups": [],
        "capabilities": [0] * 5,
        "read": "seen",
        "written": 1,
        "listed": ["data", "project"],
        "secret": "FileNotFoundError",
        "root_again": "PermissionError",
        "descriptors": True,
    }
    assert (home / "data/file").read_text() == "x"
    assert sorted(path.name for path in home.iterdir()) == ["data", "project", "secret"]


@needs_root
def test_the_first_closed_folder_is_found(home: Path) -> None:
    assert closed_ancestor(home / "project" / "file", UID, UID) == home
    home.chmod(0o711)
    assert closed_ancestor(home / "project" / "file", UID, UID) is None
    home.chmod(0o750)
    os.chown(home, 0, UID)
    assert closed_ancestor(home / "project" / "file", UID, UID) is None


def test_what_lies_in_another_needs_no_way_of_its_own() -> None:
    paths = {Path("/r/a"), Path("/r/a/b/c"), Path("/r/ab")}

    assert outermost(paths) == [Path("/r/a"), Path("/r/ab")]
