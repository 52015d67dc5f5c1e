"""What is written down of an end is read back with its code, and the page has words for every code."""

import inspect
import re
from pathlib import Path

import pytest

from collegium.ground.reasons import HOUR_MS, MINUTE_MS, REASONS, gigabytes, in_words, why, words
from collegium.runtimes.docker import _why as of_container
from collegium.runtimes.model import Limits
from collegium.sessions import ends
from collegium_runtimed import engine

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "web/src/i18n"
GB = 1 << 30
VALUES: dict[str, object] = {
    "accelerator": "GPU A100",
    "because": words("idle", duration_ms=90 * MINUTE_MS),
    "duration_ms": 12 * HOUR_MS,
    "mebibytes": 2048,
    "memory_limit": 2 * GB,
    "memory_used": int(2.5 * GB),
    "kernel": "ir",
    "line": "Installed torch",
    "most": 2,
    "network": "internet",
    "program": "CPython 3.13",
    "seconds": 0.5,
    "signal": "segmentation fault",
    "status": -3,
    "type": "gpu",
    "usual": "cpu",
    "version": "2026.11",
    "what": "no\nJSON: {}",
}


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_read_back_as_it_was_written(code: str) -> None:
    values = {name: VALUES[name] for name in holes(REASONS[code])}

    read = why(words(code, **values))

    expected = values | ({"because": {"code": "idle", "duration_ms": 90 * MINUTE_MS}} if "because" in values else {})
    assert read == {"code": code, **expected}


def test_what_is_not_of_the_table_has_no_code() -> None:
    assert why(None) is None
    assert why("the moon is full") is None
    assert why("stopped.") is None
    assert why(words("malformed", what="x" * 2000)) is None
    assert why("it was not used for 3 moons") is None
    assert why("the runtime ended: the moon is full") == {
        "code": "runtime_ended_because",
        "because": "the moon is full",
    }


def test_the_words_of_the_engines_are_of_the_table() -> None:
    source = inspect.getsource(engine)
    limits = Limits(memory_bytes=2 * GB, cpus=1.0, processes=64, disk_bytes=GB)

    assert all(repr(words(code))[1:-1] in source for code in ("first_process", "engine_away"))
    assert "it ran out of memory (limit {limit} MiB)" in source
    assert why(of_container(True, "137", limits)) == {"code": "runtime_out_of_memory", "mebibytes": 2048}
    assert why(of_container(False, "1", limits)) == {"code": "first_process_status", "status": 1}


def test_the_page_has_words_for_every_code_and_no_others() -> None:
    text = (PAGE / "reasonWords.ts").read_text() + (PAGE / "problemWords.ts").read_text()
    shown = dict(re.findall(r"^  (\w+): msg\('((?:[^'\\]|\\.)*)'\),$", text, re.MULTILINE))
    own = re.findall(r"^  (\w+): msg\(", (PAGE / "reasonWords.ts").read_text(), re.MULTILINE)

    assert {code: shown.get(code) for code in REASONS} == REASONS
    assert sorted(set(own) - set(REASONS)) == []


def test_the_page_has_words_for_every_signal() -> None:
    listed = set(re.findall(r"^  msg\('(.*)'\),$", (PAGE / "reasonWords.ts").read_text(), re.MULTILINE))

    assert listed == set(ends.SIGNALS.values())


@pytest.mark.parametrize(
    ("duration_ms", "said"),
    [
        (90 * MINUTE_MS, "90 minutes"),
        (12 * HOUR_MS, "12 hours"),
        (MINUTE_MS, "1 minute"),
        (HOUR_MS, "60 minutes"),
        (1, "1 second"),
        (30_000, "30 seconds"),
    ],
)
def test_durations_are_said_as_people_say_them(duration_ms: int, said: str) -> None:
    assert in_words(duration_ms) == said


@pytest.mark.parametrize(
    ("size", "said"), [(2 * GB, "2 GB"), (int(2.14 * GB), "2.1 GB"), (64 * GB, "64 GB"), (700 << 20, "700 MB")]
)
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert gigabytes(size) == said
