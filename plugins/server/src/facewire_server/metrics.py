"""What the server counts, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

DELAYS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
CLIPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.requests = Counter(
            "facewire_requests", "HTTP requests answered", ["path", "status"], registry=registry
        )
        self.refused = Counter(
            "facewire_refused", "Requests refused, by reason", ["reason"], registry=registry
        )
        self.clips = Histogram(
            "facewire_clip_seconds", "Time to make a clip", buckets=CLIPS, registry=registry
        )
        self.sessions = Gauge("facewire_sessions", "Streams that are open", registry=registry)
        self.opened = Counter("facewire_sessions_opened", "Streams opened", registry=registry)
        self.turns = Counter("facewire_turns", "Turns ended", registry=registry)
        self.interrupts = Counter("facewire_interrupts", "Interruptions", registry=registry)
        self.frames = Counter("facewire_frames", "Frames sent to streams", registry=registry)
        self.dropped = Counter(
            "facewire_frames_dropped", "Frames dropped for slow readers", registry=registry
        )
        self.errors = Counter("facewire_stream_errors", "Errors told to streams", registry=registry)
        self.delay = Histogram(
            "facewire_frame_delay_seconds",
            "From a sample's coming in to its frame's going out",
            buckets=DELAYS,
            registry=registry,
        )
        self.lead = Histogram(
            "facewire_client_lead_seconds",
            "Sent ahead of the playback position that clients report",
            buckets=DELAYS,
            registry=registry,
        )

    def text(self) -> bytes:
        """Return the exposition."""
        return generate_latest(self._registry)
