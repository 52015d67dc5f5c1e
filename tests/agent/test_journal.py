"""The journal survives being cut off anywhere."""

from pathlib import Path

import pytest

from collegium_agent.journal import Journal
from collegium_agent.ledger import Ledger


def bodies(journal: Journal, first: int) -> list[bytes]:
    found = []
    while first <= journal.head:
        frames, last = journal.read(first, 100)
        while frames:
            size = int.from_bytes(frames[:4], "big")
            found.append(frames[4 : 4 + size])
            frames = frames[4 + size :]
        first = last + 1
    return found


def test_records_are_numbered_from_one_and_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=200)
    records = [b"%d" % n * (n % 50) for n in range(1, 100)]

    assert [journal.append(record) for record in records] == list(range(1, 100))
    assert bodies(journal, 1) == records
    assert bodies(journal, 42) == records[41:]


@pytest.mark.parametrize("torn", [1, 5, 9, 20])
def test_a_torn_tail_is_cut_away_and_numbers_go_on(tmp_path: Path, torn: int) -> None:
    journal = Journal(tmp_path)
    for n in range(10):
        journal.append(b"record %d" % n)
    journal.close()
    [path] = tmp_path.glob("*.journal")
    path.write_bytes(path.read_bytes()[:-torn])

    again = Journal(tmp_path)
    assert again.epoch == journal.epoch
    lost = 1 if torn <= 16 else 2
    assert again.head == 10 - lost
    assert again.append(b"new") == 11 - lost
    assert bodies(again, again.head) == [b"new"]


def test_what_the_server_keeps_is_trimmed_and_the_rest_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    for n in range(50):
        journal.append(b"record %02d" % n)
    before = journal.waiting_bytes
    journal.keep_from(30)

    assert journal.waiting_bytes < before
    assert journal.oldest <= 31
    assert bodies(journal, 31) == [b"record %02d" % n for n in range(30, 50)]
    journal.close()
    assert Journal(tmp_path).head == 50


def test_a_ledger_remembers_what_was_asked_and_what_is_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.open("k", "a")
    assert ledger.open("k", "b")
    ledger.close("a")
    with (tmp_path / "ledger").open("a") as file:
        file.write("+ k")

    again = Ledger(tmp_path / "ledger")
    assert not again.open("k", "a")
    assert again.unfinished("k") == ["b"]
