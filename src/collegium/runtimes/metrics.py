"""Numbers about runtimes for Prometheus; every label value that can be known exists from the start."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Count
from prometheus_client.metrics_core import Metric

ENDS = ("given_back", "idle", "lifetime", "failed", "lost")
CLEANED = ("lost", "stranger", "request", "unfinished")
OTHER = "other"
"""A type that the settings do not have any more."""
START_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Numbers:
    """What happened since the start, and how it is now. A collector: register it where the others are."""

    def __init__(self, types: Iterable[str], accelerators: Iterable[str]) -> None:
        own = self._registry = CollectorRegistry()
        self._types = [*types, OTHER]
        self._acquired = Count("collegium_runtimes_acquired", "Runtimes lent.", ["type"], registry=own)
        self._refused = Count("collegium_runtimes_refused", "Runtimes that could not be made.", ["type"], registry=own)
        self._ended = Count("collegium_runtimes_ended", "Runtimes over, by how.", ["type", "how"], registry=own)
        self._cleaned = Count(
            "collegium_runtimes_reconciled",
            "Differences between what the server and its engine believed, found and mended.",
            ["what"],
            registry=own,
        )
        self._start = Histogram(
            "collegium_runtimes_start_seconds",
            "From the request to a ready runtime, waiting for an accelerator not counted.",
            ["type"],
            buckets=START_SECONDS,
            registry=own,
        )
        self._live = Gauge("collegium_runtimes_live", "Runtimes lent now.", ["type"], registry=own)
        self._memory = Gauge("collegium_runtimes_memory_bytes", "Memory that runtimes use.", ["type"], registry=own)
        self._waiting = Gauge("collegium_accelerators_waiting", "Runtimes in the queue.", ["accelerator"], registry=own)
        self._lent = Gauge("collegium_accelerators_lent", "Runtimes that have a unit.", ["accelerator"], registry=own)
        for type in self._types:
            self._acquired.labels(type)
            self._refused.labels(type)
            self._start.labels(type)
            for how in ENDS:
                self._ended.labels(type, how)
        for what in CLEANED:
            self._cleaned.labels(what)
        _set(self._live, dict.fromkeys(self._types, 0))
        _set(self._memory, dict.fromkeys(self._types, 0))
        _set(self._waiting, dict.fromkeys(accelerators, 0))
        _set(self._lent, dict.fromkeys(accelerators, 0))

    def acquired(self, type: str, seconds: float) -> None:
        """One was lent."""
        self._acquired.labels(self._known(type)).inc()
        self._start.labels(self._known(type)).observe(seconds)

    def refused(self, type: str) -> None:
        """One could not be made."""
        self._refused.labels(self._known(type)).inc()

    def ended(self, type: str, how: str) -> None:
        """One is over."""
        self._ended.labels(self._known(type), how).inc()

    def cleaned(self, what: str) -> None:
        """The reconciler found something."""
        self._cleaned.labels(what).inc()

    def living(self, found: Iterable[tuple[str, int]]) -> None:
        """Those that live now: the type of each and the bytes that it uses."""
        count, memory = Counter(dict.fromkeys(self._types, 0)), Counter(dict.fromkeys(self._types, 0))
        for type, used in found:
            count[self._known(type)] += 1
            memory[self._known(type)] += used
        _set(self._live, count)
        _set(self._memory, memory)

    def units(self, waiting: dict[str, int], lent: dict[str, int]) -> None:
        """How it stands with accelerators."""
        _set(self._waiting, waiting)
        _set(self._lent, lent)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus asks for."""
        return iter(self._registry.collect())

    def _known(self, type: str) -> str:
        return type if type in self._types else OTHER


def _set(gauge: Gauge, values: Mapping[str, int]) -> None:
    for label, value in values.items():
        gauge.labels(label).set(value)
