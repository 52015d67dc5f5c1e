"""The report on this machine."""

from pathlib import Path

import pytest

from collegium.runtimes import doctor


def test_everything_that_matters_is_reported_once() -> None:
    names = [finding.name for finding in doctor.report()]

    assert len(names) == len(set(names))
    assert {"Linux", "namespaces", "seccomp", "user", "disk limits", "overlay", "gVisor", "accelerators"} <= set(names)
    assert {"control group memory", "control group pids", "control group cpu"} <= set(names)


def test_what_is_missing_comes_with_a_remedy() -> None:
    assert all(finding.remedy for finding in doctor.report() if finding.state == "missing")


def test_apparmor_is_named_when_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restricted = tmp_path / "restricted"
    restricted.write_text("1\n")
    monkeypatch.setattr(doctor, "APPARMOR", restricted)
    monkeypatch.setattr(doctor, "TRY_NAMESPACES", "import sys; sys.exit('mounting is refused')")

    (finding,) = [one for one in doctor.report() if one.name == "namespaces"]

    assert (finding.state, finding.detail) == ("missing", "mounting is refused")
    assert finding.remedy is not None
    assert "apparmor_restrict_unprivileged_userns" in finding.remedy
