"""The report on this machine."""

import socket
import threading
from pathlib import Path

import pytest

from collegium.runtimes import doctor


def test_everything_that_matters_is_reported_once() -> None:
    names = [finding.name for finding in doctor.report()]

    assert len(names) == len(set(names))
    assert {"Linux", "namespaces", "seccomp", "user", "disk limits", "overlay", "gVisor", "Docker", "R"} <= set(names)
    assert {"none, packages", "internet", "NVIDIA's driver"} <= set(names)
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


def test_without_a_wall_it_says_which_stone_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.why_not_isolated(doctor.isolation()) is None
    monkeypatch.setattr(doctor, "TRY_NAMESPACES", "import sys; sys.exit('mounting is refused')")

    assert doctor.why_not_isolated(doctor.isolation()) == "namespaces: mounting is refused"


def test_a_network_that_lacks_a_program_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "PROGRAMS", str(tmp_path))

    (internet,) = [one for one in doctor.report() if one.name == "internet"]

    assert internet.state == "degraded"
    assert internet.remedy == "apt install slirp4netns nftables"


def test_an_overlay_is_tried_where_nobody_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(doctor, "TRY_OVERLAY", "import sys; sys.exit('overlay: Operation not permitted')")

    (overlay,) = [one for one in doctor.report() if one.name == "overlay"]

    assert (overlay.state, "Operation not permitted" in overlay.detail) == ("degraded", True)


def test_accelerators_are_told_with_their_reason() -> None:
    found = {one.name: one for one in doctor.report({"t4": None, "a100": "The device /dev/nvidia7 is not there."})}

    assert found["t4"].state == "ok"
    assert (found["a100"].state, found["a100"].detail) == ("degraded", "The device /dev/nvidia7 is not there.")


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200 OK\r\nApi-Version: 1.43\r\n\r\nOK", b"nonsense", b""])
def test_a_docker_daemon_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    address = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{address}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()

        def say() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        threading.Thread(target=say).start()
        (docker,) = [one for one in doctor.report() if one.name == "Docker"]

    assert (docker.state == "ok") == answer.startswith(b"HTTP")
    assert ("1.43" in docker.detail) == answer.startswith(b"HTTP")
