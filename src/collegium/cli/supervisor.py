"""The process above the server's own: it starts them, starts them again, and passes on that it is time to stop."""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from collegium.ground.log import get_log
from collegium.workers.model import BEAT_SECONDS, LEASE_SECONDS

log = get_log("workers")

PR_SET_PDEATHSIG = 1
CHECK_SECONDS = 1.0
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 0.2, 10.0
STEADY_SECONDS = 30.0
"""One that lived for so long did not fail at once."""
HUNG_SECONDS = LEASE_SECONDS + 3 * BEAT_SECONDS
"""One that said nothing for so long is ended: it may hold what the others wait for."""
STOP_SECONDS_MAX = 20.0

Serve = Callable[[int, bool, Callable[[], None]], None]
"""Serve as the worker of this number, the first time or again; it calls what it is given while it is well."""


@dataclass(slots=True)
class _Place:
    """Where one worker is, or will be again."""

    number: int
    process: int = 0
    ended: int = -1
    """A descriptor that is readable once the process ended."""
    pulse: int = -1
    """What it writes to while it is well."""
    began_at: float = 0.0
    heard_at: float = 0.0
    is_ready: bool = False
    was_ready: bool = False
    backoff: float = BACKOFF_SECONDS
    due_at: float | None = field(default=None)


class Supervisor:
    """Keeps so many workers alive until it is told to stop."""

    def __init__(
        self, workers: int, *, prepare: Callable[[], None], serve: Serve, each_second: Callable[[], None]
    ) -> None:
        self._places = [_Place(number) for number in range(workers)]
        self._prepare = prepare
        self._serve = serve
        self._each_second = each_second
        self._poll = select.poll()
        self._stopping_since: float | None = None
        self._signal = signal.SIGTERM
        self._status = 0

    def run(self) -> int:
        """Until told to stop, or until nobody is left; the exit status: that of who never came to serve, else 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        self._each_second()
        self._start(self._places[0], again=False)
        while not self._places[0].is_ready and self._places[0].process:
            # The others follow when there is a database, and a leader.
            self._look()
        if self._places[0].process:
            for place in self._places[1:]:
                self._start(place, again=False)
        while any(place.process or place.due_at is not None for place in self._places):
            self._look()
        return self._status

    def _told(self, number: int, _frame: object) -> None:
        self._stopping_since = self._stopping_since or time.monotonic()
        self._signal = signal.Signals(number)
        for place in self._places:
            place.due_at = None
            self._send(place, number)

    def _start(self, place: _Place, *, again: bool) -> None:
        reading, writing = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            for other in self._places:
                for descriptor in (other.ended, other.pulse):
                    if descriptor >= 0:
                        os.close(descriptor)
            os.close(reading)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            self._prepare()
            # Only now: Linux forgets the wish when a process changes its user.
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
            os.set_blocking(writing, False)
            self._serve(place.number, again, lambda: _beat(writing))
            sys.stdout.flush()
            os._exit(0)
        os.close(writing)
        os.set_blocking(reading, False)
        place.process, place.pulse, place.ended = child, reading, os.pidfd_open(child)
        place.began_at = place.heard_at = time.monotonic()
        place.due_at, place.is_ready = None, False
        self._poll.register(place.ended, select.POLLIN)
        if self._stopping_since is not None:
            self._send(place, self._signal)

    def _look(self) -> None:
        """See to all of them, when something ended or a second has passed."""
        now = time.monotonic()
        due = [max(0.0, place.due_at - now) for place in self._places if place.due_at is not None]
        self._poll.poll(min([CHECK_SECONDS, *due]) * 1000)
        self._each_second()
        now = time.monotonic()
        for place in self._places:
            if place.due_at is not None and place.due_at <= now:
                self._start(place, again=True)
            if place.process:
                self._see_to(place, now)

    def _see_to(self, place: _Place, now: float) -> None:
        if _heard(place.pulse):
            place.heard_at, place.is_ready, place.was_ready = now, True, True
        self._end_if_hung(place, now)
        ended, status = os.waitpid(place.process, os.WNOHANG)
        if ended:
            self._bury(place, os.waitstatus_to_exitcode(status), now)

    def _end_if_hung(self, place: _Place, now: float) -> None:
        hung = place.is_ready and len(self._places) > 1 and now - place.heard_at > HUNG_SECONDS
        late = self._stopping_since is not None and now - self._stopping_since > STOP_SECONDS_MAX
        if hung or late:
            log.error("worker.killed", number=place.number, why="hung" if hung else "did not stop")
            self._send(place, signal.SIGKILL)

    def _bury(self, place: _Place, status: int, now: float) -> None:
        self._poll.unregister(place.ended)
        os.close(place.ended)
        os.close(place.pulse)
        place.process, place.ended, place.pulse, place.is_ready = 0, -1, -1, False
        if len(self._places) == 1 or not self._places[0].was_ready:
            self._status = status
            return
        if self._stopping_since is not None:
            return
        if now - place.began_at > STEADY_SECONDS:
            place.backoff = BACKOFF_SECONDS
        place.due_at = now + place.backoff
        log.error("worker.ended", number=place.number, status=status, again_seconds=round(place.backoff, 1))
        place.backoff = min(place.backoff * 2, BACKOFF_SECONDS_MAX)

    def _send(self, place: _Place, number: int) -> None:
        if place.process:
            try:
                os.kill(place.process, number)
            except ProcessLookupError:
                # It ended in this moment; waitpid will say so.
                return


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _beat(pulse: int) -> None:
    try:
        os.write(pulse, b".")
    except BlockingIOError:
        # Nobody has read the last thousands yet: it is the supervisor that hangs.
        return


def _heard(pulse: int) -> bool:
    try:
        return bool(os.read(pulse, 65_536))
    except BlockingIOError:
        return False
