"""What the server counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
COUNTS = (1, 2, 4, 8, 16, 32, 64)


class Counters:
    """The numbers of one server. Their labels are few: routes, statuses, models, nothing of clients."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "figment_requests",
            "Answers, by route and status.",
            ("route", "status"),
            registry=registry,
        )
        self.latency = Histogram(
            "figment_request_seconds",
            "From a request's headers to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self.pictures = Counter(
            "figment_pictures", "Pictures drawn, by model.", ("model",), registry=registry
        )
        self.batches = Histogram(
            "figment_batch_pictures", "Pictures drawn together.", buckets=COUNTS, registry=registry
        )
        self.dropped = Counter(
            "figment_dropped_pictures",
            "Pictures that were not drawn because their client had gone.",
            registry=registry,
        )
        self.refused = Counter(
            "figment_refused",
            "Refusals for want of room, by what was full.",
            ("full",),
            registry=registry,
        )
        self.waiting = Gauge(
            "figment_queue_seconds", "Work that waits, in seconds as measured.", registry=registry
        )
        self.connections = Gauge("figment_connections", "Open connections.", registry=registry)
        self.cost = Gauge(
            "figment_picture_seconds",
            "What a picture takes, by model.",
            ("model",),
            registry=registry,
        )

    def text(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self.registry)
