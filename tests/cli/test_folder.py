"""The data folder is one server's."""

import threading
import time
from pathlib import Path

import pytest

from collegium.cli import folder
from collegium.ground.errors import Unavailable


def test_a_folder_that_another_server_keeps_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "CLAIM_SECONDS_MAX", 0.1)
    with folder.claimed(tmp_path), pytest.raises(Unavailable, match="Another server"), folder.claimed(tmp_path):
        pytest.fail("both have it")

    with folder.claimed(tmp_path):
        pass


def test_whoever_comes_while_a_killed_server_still_ends_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "CLAIM_SECONDS_MAX", 60)
    ended, looked = threading.Event(), threading.Event()

    def sleep(_seconds: float) -> None:
        looked.set()
        assert ended.wait(60)

    monkeypatch.setattr(time, "sleep", sleep)
    came: list[bool] = []

    def come() -> None:
        with folder.claimed(tmp_path):
            came.append(ended.is_set())

    late = threading.Thread(target=come)
    with folder.claimed(tmp_path):
        late.start()
        assert looked.wait(60)
    ended.set()
    late.join(60)

    assert came == [True]
