"""Outputs fold as a terminal and nbformat's readers would show them, in whatever pieces they come."""

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium.sessions.folding import FRAME_CHARACTERS_MAX, OUTPUTS_MAX, Append, Event, Folded, Splice, event_of
from collegium.sessions.text import HEAD_CHARACTERS, TAIL_CHARACTERS, StreamText, settled


def shown(*chunks: str) -> str:
    text = StreamText()
    for chunk in chunks:
        text.add(chunk)
    return text.text()


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("abc\rX", "Xbc"),
        ("abc\r\ndef", "abc\ndef"),
        ("abc\bX", "abX"),
        ("abc\b\b\b\b\bX", "Xbc"),
        ("  0%|    |\r 50%|##  |\r100%|####|\n", "100%|####|\n"),
        ("long line\rshort\n", "shortline\n"),
        ("abcdef\r\x1b[Kxy", "xy"),
        ("abcdef\r\x1b[2Kxy", "xy"),
        ("\x1b[31mred\x1b[0m plain\n", "\x1b[31mred\x1b[0m plain\n"),
        ("\x1b[31mABCD\x1b[0m\rX\n", "X\x1b[31mBCD\x1b[0m\n"),
        ("a\nb\rc\nd", "a\nc\nd"),
        ("\r\r\n", "\n"),
        ("abc\x1b[2DX\n", "aXc\n"),
        ("abc\x1b[2K\n", "   \n"),
    ],
)
def test_moves_are_applied_as_a_terminal_applies_them(printed: str, seen: str) -> None:
    assert shown(printed) == seen
    assert settled(printed) == seen


PIECES = ("a", "bc", "\r", "\b", "\n", "\x1b[31m", "\x1b[0m", "\x1b[K", "\x1b[2K")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_a_text_that_came_with_a_file_ends_as_if_it_had_been_printed(printed: str) -> None:
    assert bare(settled(printed)) == bare(shown(printed))


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


@pytest.mark.parametrize("step", ["x\r", "x\b\x1b[2K\r", "\x1b[31mx\r"])
def test_a_file_whose_line_has_a_million_steps_is_read_in_one_go(step: str) -> None:
    printed = "wide" * 25_000 + "\r" + step * 300_000

    assert len(settled(printed)) <= len(printed)


def test_a_tqdm_bar_leaves_its_last_state() -> None:
    bar = "".join(f"\r{n:3d}%|{'#' * (n // 10):10}| {n}/100" for n in range(101))

    assert shown(*bar) == "100%|##########| 100/100"


PIECES = st.lists(
    st.sampled_from(["a", "bc", "\n", "\r", "\b", "\r\n", "\x1b[31m", "\x1b[0m", "\x1b[K", "é", "😀", "word "]),
    max_size=40,
)


@given(PIECES, st.randoms(use_true_random=False))
def test_folding_piece_by_piece_equals_folding_at_once(pieces: list[str], dice: random.Random) -> None:
    whole = "".join(pieces)
    cuts = sorted(dice.randrange(len(whole) + 1) for _ in range(5))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert shown(*parts) == shown(whole)


@given(PIECES, st.randoms(use_true_random=False))
def test_a_reader_who_follows_the_changes_sees_the_text(pieces: list[str], dice: random.Random) -> None:
    text = StreamText()
    seen = ""
    for piece in pieces:
        text.add(piece)
        if dice.random() < 0.5 and (change := text.unsent(dice.choice([3, 1000]))) is not None:
            seen = seen.encode("utf-16-le")[: change[0] * 2].decode("utf-16-le") + change[1]
    while (change := text.unsent(7)) is not None:
        seen = seen.encode("utf-16-le")[: change[0] * 2].decode("utf-16-le") + change[1]

    assert seen == text.text()


def test_a_long_stream_keeps_its_head_and_tail_whatever_the_pieces() -> None:
    printed = "".join(f"line {n}\n" for n in range(400_000))
    at_once, piecewise = StreamText(), StreamText()
    at_once.add(printed)
    for start in range(0, len(printed), 10_007):
        piecewise.add(printed[start : start + 10_007])

    text, omitted = at_once.kept()
    assert piecewise.kept() == (text, omitted)
    assert text.startswith(printed[:HEAD_CHARACTERS])
    assert text.endswith(printed[-TAIL_CHARACTERS + 100 :])
    assert len(text) + omitted == len(printed)


def test_readers_who_lack_more_than_a_frame_takes_are_behind_until_they_have_everything() -> None:
    folded = Folded()
    told = []
    for text in ("short\n", "x" * FRAME_CHARACTERS_MAX, "y" * FRAME_CHARACTERS_MAX):
        folded.apply({"kind": "stream", "name": "stdout", "text": text})
        told.append(folded.behind)
        if text.startswith("short"):
            folded.unsent()
    changes = folded.unsent(all_text=True)

    assert told == [False, False, True]
    assert [len(change.text) for change in changes if isinstance(change, Append)] == [2 * FRAME_CHARACTERS_MAX]
    assert not folded.behind


def test_a_line_without_end_does_not_grow_without_bound() -> None:
    text = StreamText()
    for _ in range(300):
        text.add("x" * 65536)

    assert len(text.text()) < 2 * (HEAD_CHARACTERS + TAIL_CHARACTERS)


def fold(*events: Event | None) -> Folded:
    folded = Folded()
    for event in events:
        assert event is not None
        folded.apply(event)
    return folded


def stream(text: str, name: str = "stdout") -> Event | None:
    return event_of("stream", {"name": name, "text": text})


def display(text: str, id: str | None = None) -> Event | None:
    transient = {} if id is None else {"display_id": id}
    return event_of("display_data", {"data": {"text/plain": text}, "metadata": {}, "transient": transient})


def texts(folded: Folded) -> list[Any]:
    return [o.get("text") or o["data"]["text/plain"] for o in folded.outputs()]


def test_streams_merge_only_with_the_same_stream_right_before_them() -> None:
    folded = fold(stream("a"), stream("b"), stream("!", "stderr"), stream("c"))

    assert texts(folded) == ["ab", "!", "c"]


def test_clear_output_that_waits_clears_with_the_next_output() -> None:
    clear = event_of("clear_output", {"wait": True})

    assert texts(fold(stream("a"), clear)) == ["a"]
    assert texts(fold(stream("a"), clear, stream("b"))) == ["b"]
    assert texts(fold(stream("a"), event_of("clear_output", {"wait": False}))) == []


def test_an_update_changes_every_display_with_its_id_and_adds_none() -> None:
    update = event_of("update_display_data", {"data": {"text/plain": "new"}, "transient": {"display_id": "d"}})
    folded = fold(display("old", "d"), display("other"), display("old", "d"), update)

    assert texts(folded) == ["new", "other", "new"]
    assert all("$display" not in output for output in folded.outputs())


def test_fields_of_a_wrong_type_are_read_as_empty() -> None:
    assert event_of("stream", {"name": 5, "text": None}) == {"kind": "stream", "name": "stdout", "text": ""}
    assert event_of("display_data", {"data": "x", "transient": 3}) is not None
    assert event_of("error", {"traceback": {"a": 1}}) is not None


EVENTS = st.lists(
    st.one_of(
        st.sampled_from(["a\n", "\rb", "c", "😀"]).map(stream),
        st.sampled_from(["x", "y"]).map(lambda text: stream(text, "stderr")),
        st.sampled_from(["p", "q"]).map(lambda text: display(text, "d")),
        st.just(event_of("clear_output", {"wait": True})),
        st.just(event_of("clear_output", {"wait": False})),
        st.just(event_of("update_display_data", {"data": {"text/plain": "u"}, "transient": {"display_id": "d"}})),
    ),
    max_size=25,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_a_reader_who_applies_every_frame_sees_the_outputs(events: list[Event], dice: random.Random) -> None:
    folded = Folded()
    seen: list[dict[str, Any]] = []

    def follow() -> None:
        for change in folded.unsent():
            match change:
                case Splice(start, outputs):
                    seen[start:] = [dict(output) for output in outputs]
                case Append(index, keep, text):
                    kept = seen[index]["text"].encode("utf-16-le")[: keep * 2].decode("utf-16-le")
                    seen[index]["text"] = kept + text

    for event in events:
        folded.apply(event)
        if dice.random() < 0.4:
            follow()
    follow()

    assert seen == folded.outputs()


def test_outputs_beyond_the_bound_are_counted_in_one_last_output() -> None:
    folded = Folded()
    for number in range(OUTPUTS_MAX + 3):
        folded.apply({"kind": "output", "output": {"output_type": "display_data", "data": {}, "metadata": {}}})
        if number == OUTPUTS_MAX:
            folded.unsent()
    *kept, last = folded.outputs()

    assert len(kept) == OUTPUTS_MAX
    assert last["metadata"] == {"collegium": {"omitted_outputs": 3}}
    assert last["data"]["text/plain"].startswith("3 more outputs were not kept")
    assert folded.unsent() == [Splice(OUTPUTS_MAX, [last])]

    again = Folded(folded.outputs())
    again.apply({"kind": "stream", "name": "stdout", "text": "x"})
    assert again.outputs()[-1]["metadata"] == {"collegium": {"omitted_outputs": 4}}
    again.apply({"kind": "clear", "wait": False})
    again.apply({"kind": "stream", "name": "stdout", "text": "x"})
    assert again.outputs() == [{"output_type": "stream", "name": "stdout", "text": "x"}]
