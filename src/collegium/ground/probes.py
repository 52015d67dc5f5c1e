"""For those who watch the server: is it alive, is it ready, and what does it do (Prometheus)."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "other")
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

Readiness = Callable[[], Awaitable[dict[str, str]]]
"""What each thing that the server needs says of itself: "ok", or what is wrong with it."""


class Health(BaseModel):
    """`ok`, or what is wrong, by part; of a process that is alive, its version."""

    status: str
    version: str | None = None
    parts: dict[str, str] = {}


class Metrics:
    """The server's own numbers; every label value exists from the start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "collegium_requests_answered", "HTTP requests answered.", ["method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "collegium_requests_duration_seconds",
            "From a request's arrival to the end of its answer.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.sockets = Counter("collegium_sockets_opened", "WebSockets opened.", registry=self.registry)
        for method in METHODS:
            for status in CLASSES:
                self.requests.labels(method, status)


class Meter:
    """Counts what passes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            self.metrics.sockets.inc()
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.metrics.requests.labels(method, f"{message['status'] // 100}xx").inc()
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            self.metrics.seconds.observe(time.perf_counter() - began)


def add_probes(app: FastAPI, *, ready: Readiness) -> Metrics:
    """Add /healthz, /readyz and /metrics; they say nothing of anybody, and need no credential."""
    metrics = Metrics()

    @app.get("/healthz", summary="Is the process alive?", response_model=Health, tags=["probes"])
    async def read_health() -> Health:
        return Health(status="ok", version=app.version)

    @app.get("/readyz", summary="Can it do its work?", response_model=Health, tags=["probes"])
    async def read_readiness() -> Response:
        parts = await ready()
        well = all(said == "ok" for said in parts.values())
        health = Health(status="ok" if well else "not ready", parts=parts)
        return JSONResponse(health.model_dump(exclude_none=True), 200 if well else 503)

    @app.get("/metrics", include_in_schema=True, summary="Numbers for Prometheus", tags=["probes"])
    async def read_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return metrics
