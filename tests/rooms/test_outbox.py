"""What waits for a tab that reads slowly: bounded, and never a beginning without its end."""

from collegium.rooms.client import Outbox
from collegium.rooms.model import RESYNC, UPDATE

WELCOME, DOCUMENT, SESSION = '{"type":"welcome"}', RESYNC + b"all", '{"type":"session"}'


def begun() -> Outbox:
    outbox = Outbox(frames_max=2, bytes_max=1 << 20)
    outbox.beginning = True
    for frame in (WELCOME, DOCUMENT, SESSION):
        outbox.put(frame)
    outbox.beginning = False
    return outbox


def flood(outbox: Outbox) -> None:
    for seq in (7, 8, 9):
        outbox.put(UPDATE + b"edit", seq)


def test_a_beginning_goes_before_all_else_and_in_its_order() -> None:
    outbox = begun()
    outbox.put(UPDATE + b"edit", 7)

    assert [outbox.take() for _ in range(5)] == [WELCOME, DOCUMENT, SESSION, UPDATE + b"edit", None]


def test_what_was_lost_is_said_by_its_first_edit() -> None:
    outbox = begun()
    while outbox.take() is not None:
        pass
    flood(outbox)

    assert outbox.overflowed
    assert outbox.take() is None
    assert outbox.reset() == 7


def test_a_document_that_was_not_sent_before_the_overflow_is_sent_whole_after_it() -> None:
    outbox = begun()
    outbox.take()
    flood(outbox)

    assert outbox.take() is None
    assert outbox.reset() == 0


def test_a_welcome_that_was_not_sent_before_the_overflow_is_not_forgotten() -> None:
    outbox = begun()
    flood(outbox)

    assert not outbox.is_welcomed
    assert (outbox.take(), outbox.take()) == (WELCOME, None)
    assert outbox.is_welcomed
    assert outbox.reset() == 0
