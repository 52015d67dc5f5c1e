"""The queue of a kernel, as a model."""

from collegium.ground.ids import ExecutionId
from collegium.sessions.model import (
    ExecutionQueue,
    cancelled,
    emptied,
    finished,
    from_units,
    requested,
    started,
    to_units,
)

A, B, C = ExecutionId("a"), ExecutionId("b"), ExecutionId("c")


def queue_of(*waiting: ExecutionId) -> ExecutionQueue:
    queue = ExecutionQueue()
    for execution in waiting:
        queue = requested(queue, execution)
    return queue


def test_executions_run_in_the_order_they_were_asked_for() -> None:
    order = []
    queue = queue_of(A, B, C)
    while (step := started(queue)).start is not None:
        order.append(step.start)
        queue = finished(step.queue, step.start, failed=False).queue

    assert order == [A, B, C]


def test_a_kernel_runs_one_at_a_time() -> None:
    step = started(queue_of(A, B))

    assert started(step.queue).start is None


def test_a_failure_cancels_what_waits_behind_it() -> None:
    step = finished(started(queue_of(A, B, C)).queue, A, failed=True)

    assert step.cancelled == (B, C)
    assert step.queue == ExecutionQueue()


def test_a_word_that_comes_too_late_changes_nothing() -> None:
    running_b = started(finished(started(queue_of(A, B)).queue, A, failed=False).queue).queue

    assert finished(running_b, A, failed=True).queue == running_b


def test_only_what_waits_can_be_taken_out() -> None:
    queue = started(queue_of(A, B)).queue

    assert cancelled(queue, A).queue == queue
    assert cancelled(queue, B).cancelled == (B,)
    assert emptied(queue).queue == ExecutionQueue(running=A)


def test_positions_are_converted_between_characters_and_utf16_units() -> None:
    assert from_units("a😀b", 3) == 2
    assert to_units("a😀b", 2) == 3
    assert from_units("a😀b", 2) == 1
