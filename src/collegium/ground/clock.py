"""The time of day, in the one unit that SQL, JSON and the browser share."""

import time


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC. Never used for order: sequence numbers are."""
    return time.time_ns() // 1_000_000
