"""Segments survive what a crash leaves of them."""

from pathlib import Path

import pytest

from collegium.sessions.segments import Segment, log_text


def event(seq: int, text: str = "x\n") -> dict[str, object]:
    return {"seq": seq, "kind": "stream", "name": "stdout", "text": text}


def written(path: Path, *events: dict[str, object]) -> None:
    segment = Segment(path, bytes_max=1 << 20)
    for one in events:
        segment.append(one)
    segment.sync()
    segment.close()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "n" / "e.segment"
    written(path, event(1), event(5, "😀\n"))

    segment = Segment(path, bytes_max=1 << 20)
    assert segment.recover() == [event(1), event(5, "😀\n")]
    assert segment.last_seq == 5


@pytest.mark.parametrize("torn", range(1, 60, 7))
def test_a_torn_tail_is_cut_away_and_writing_goes_on(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "e.segment"
    written(path, event(1), event(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-torn])

    segment = Segment(path, bytes_max=1 << 20)
    assert segment.recover() == [event(1)] if torn < len(whole) // 2 else True
    segment.append(event(3))
    segment.close()
    again = Segment(path, bytes_max=1 << 20)
    assert again.recover()[-1] == event(3)


def test_a_flipped_bit_ends_what_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "e.segment"
    written(path, event(1), event(2))
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)

    assert Segment(path, bytes_max=1 << 20).recover() == [event(1)]


def test_beyond_the_limit_streams_are_no_longer_kept_and_the_log_says_so(tmp_path: Path) -> None:
    path = tmp_path / "e.segment"
    segment = Segment(path, bytes_max=100)
    for seq in range(1, 50):
        segment.append(event(seq))
    segment.append({"seq": 50, "kind": "idle"})
    segment.close()

    again = Segment(path, bytes_max=100)
    kinds = [one["kind"] for one in again.recover()]
    assert kinds[-2:] == ["full", "idle"]
    assert again.last_seq == 50
    assert "".join(log_text(path)).endswith("[the rest was not kept]\n")
