"""Questions about tables that nobody waits for any more are let go, and delay nobody."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from collegium_agent import launch

looking = launch.beside("looking")
SECONDS_MAX = 30


class Asked:
    """Answers that came, by what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self._came = threading.Condition()

    def reply(self, name: str) -> Callable[[dict[str, Any]], None]:
        """Takes one answer."""

        def take(content: dict[str, Any]) -> None:
            with self._came:
                assert name not in self.answers
                self.answers[name] = content
                self._came.notify_all()

        return take

    def until(self, name: str) -> dict[str, Any]:
        """The answer, once it came."""
        with self._came:
            assert self._came.wait_for(lambda: name in self.answers, SECONDS_MAX)
            return self.answers[name]


@pytest.fixture
def busy() -> SimpleQueue[None]:
    """Has one for each question that is worked on and has no end of its own."""
    return SimpleQueue()


@pytest.fixture
def questions(busy: SimpleQueue[None]) -> Any:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("endless"):
            busy.put(None)
        while asked.get("endless"):
            pass
        return {"answered": asked["asker"]}

    return looking.Questions(answer)


def test_one_that_is_worked_on_is_stopped_and_the_next_answered(questions: Any, busy: SimpleQueue[None]) -> None:
    came = Asked()
    questions.ask({"asker": "a", "endless": True}, came.reply("first"))
    questions.ask({"asker": "a"}, came.reply("second"))
    questions.ask({"asker": "b"}, came.reply("third"))
    busy.get(timeout=SECONDS_MAX)

    assert questions.stop("nobody") == 0
    assert questions.stop("a") == 2
    assert came.until("first")["error"] == "stopped"
    assert came.until("second")["error"] == "stopped"
    assert came.until("third") == {"answered": "b"}
    questions.ask({"asker": "c"}, came.reply("fourth"))
    assert came.until("fourth") == {"answered": "c"}


def test_what_is_quick_does_not_wait_behind_what_is_not(busy: SimpleQueue[None]) -> None:
    came = Asked()

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["op"] == "sort":
            busy.put(None)
        while asked["op"] == "sort":
            pass
        return {"answered": asked["asker"]}

    desks = looking.Desks(answer, lambda asked: asked["op"] == "rows")
    desks.ask({"asker": "a", "op": "sort"}, came.reply("sort"))
    busy.get(timeout=SECONDS_MAX)
    desks.ask({"asker": "b", "op": "rows"}, came.reply("rows"))

    assert came.until("rows") == {"answered": "b"}
    assert desks.stop("a") == 1
    assert came.until("sort")["error"] == "stopped"


def test_rows_in_the_order_they_have_are_quick() -> None:
    table = [1, 2]
    held = looking.Held({"table": table})
    ref = held.hold(table, "table")
    sort = {"sort": [{"column": 0}], "filters": [], "search": ""}
    plain = {"sort": [], "filters": [], "search": ""}

    assert looking.is_quick(held, {"op": "rows", "ref": ref, "view": plain})
    assert looking.is_quick(held, {"op": "rows", "ref": ref})
    for asked in ({"op": "rows", "view": sort}, {"op": "rows", "view": [1]}, {"op": "statistics", "view": plain}, {}):
        assert not looking.is_quick(held, {"ref": ref, **asked})


def test_no_thread_is_left_behind(questions: Any, busy: SimpleQueue[None]) -> None:
    came = Asked()
    for at in range(5):
        questions.ask({"asker": str(at), "endless": True}, came.reply(str(at)))
        busy.get(timeout=SECONDS_MAX)
        assert questions.stop(str(at)) == 1
        end = time.monotonic() + SECONDS_MAX
        while any(one.is_alive() for one in questions._stopped):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_what_cannot_be_interrupted_is_counted_and_more_is_refused(questions: Any) -> None:
    came, hold, begun = Asked(), threading.Lock(), threading.Semaphore(0)

    def answer(_asked: dict[str, Any]) -> dict[str, Any]:
        begun.release()
        with hold:
            return {}

    held = looking.Questions(answer)
    with hold:
        for at in range(looking.STOPPED_MAX + 1):
            held.ask({"asker": str(at)}, came.reply(str(at)))
            assert begun.acquire(timeout=SECONDS_MAX)
            assert held.stop(str(at)) == 1
        held.ask({"asker": "more"}, came.reply("more"))
        assert came.until("more")["error"] == "busy"
