"""Figures in the form in which Prometheus reads them, under the genuine server's names; needs ``prometheus-client``.

Imported only where it is configured. The genuine server renews its gauges every 30 seconds; ours are what they are when
somebody scrapes. Its sizes of hash tables are those of our tables: how many entries there are. Families of which there
is nothing to say are left out, as there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from reference_server.observe.figures import Figures, Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Observed(Protocol):
    """The server, as far as it is looked at."""

    @property
    def version(self) -> str:
        """As in the authenticate reply."""

    def occupancy(self) -> Mapping[str, int]:
        """The size of every table."""

    def stable_dialogs(self) -> tuple[int, int]:
        """How many dialogs are up: begun by the far end, begun by applications."""

    def applications(self) -> int:
        """How many have authenticated."""


class Exposition(Collector):
    """The page ``/metrics``."""

    def __init__(self, figures: Figures, server: Observed) -> None:
        self._figures = figures
        self._server = server
        self._started = int(time.time())
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._scrapes = 0
        self._transferred = 0
        self._microseconds = 0.0

    def page(self) -> bytes:
        """The text."""
        began = time.perf_counter()
        text = generate_latest(self._registry)
        self._scrapes += 1
        self._transferred += len(text)
        self._microseconds += (time.perf_counter() - began) * 1_000_000
        return text

    def collect(self) -> Iterable[Metric]:
        """All families that have something to say."""
        return (family for family in self._families() if family.samples)

    def _families(self) -> Iterator[Metric]:
        yield from self._of_the_page()
        yield from self._of_messages()
        build = GaugeMetricFamily("drachtio_build_info", "drachtio version running", labels=["version"])
        build.add_metric([self._server.version], 1)
        yield build
        yield _gauge("drachtio_time_started", "drachtio start time", self._started)
        yield from self._of_tables()
        yield from self._of_the_stack()
        yield from self._of_delays()

    def _of_the_page(self) -> Iterator[Metric]:
        yield _counter(
            "exposer_transferred_bytes", "Transferred bytes to metrics services", self._transferred
        )
        yield _counter("exposer_scrapes", "Number of times metrics were scraped", self._scrapes)
        yield SummaryMetricFamily(
            "exposer_request_latencies",
            "Latencies of serving scrape requests, in microseconds",
            count_value=self._scrapes,
            sum_value=self._microseconds,
        )

    def _of_messages(self) -> Iterator[Metric]:
        for way, done, counted in zip(
            ("in", "out"), ("received", "sent"), self._figures.requests, strict=True
        ):
            family = CounterMetricFamily(
                f"drachtio_sip_requests_{way}", f"count of sip requests {done}", labels=["method"]
            )
            for method, count in counted.items():
                family.add_metric([method], count)
            yield family
        for way, done, told in zip(("in", "out"), ("received", "sent"), self._figures.responses, strict=True):
            family = CounterMetricFamily(
                f"drachtio_sip_responses_{way}", f"count of sip responses {done}", labels=["code", "method"]
            )
            for (code, method), count in told.items():
                family.add_metric([code, method], count)
            yield family
        events = CounterMetricFamily(
            "drachtio_events", "count of failures, refusals and limits that were met", labels=["event"]
        )
        for event, count in self._figures.events.items():
            events.add_metric([event], count)
        yield events
        limits = CounterMetricFamily(
            "drachtio_limits_met", "count of what was more than a limit allows", labels=["limit"]
        )
        for limit, count in self._figures.limits.items():
            limits.add_metric([limit], count)
        yield limits
        yield _counter(
            "drachtio_capture_lost",
            "count of copies that a capture server has not got",
            self._figures.copies_lost,
        )

    def _of_tables(self) -> Iterator[Metric]:
        sizes = self._server.occupancy()
        family = GaugeMetricFamily(
            "drachtio_stable_dialogs", "count of SIP dialogs in progress", labels=["type"]
        )
        for kind, count in zip(("inbound", "outbound"), self._server.stable_dialogs(), strict=True):
            family.add_metric([kind], count)
        yield family
        for name, meaning, value in (
            ("proxy_cores", "count of proxied call setups in progress", sizes["proxied requests"]),
            ("registered_endpoints", "count of registered endpoints", sizes["registered connections"]),
            ("app_connections", "count of connections to drachtio applications", self._server.applications()),
        ):
            yield _gauge(f"drachtio_{name}", meaning, value)
        tables = GaugeMetricFamily(
            "drachtio_table_entries", "entries of each table of the server", labels=["table"]
        )
        for name, size in sizes.items():
            tables.add_metric([name], size)
        yield tables

    def _of_the_stack(self) -> Iterator[Metric]:
        figures, sizes = self._figures, self._server.occupancy()
        requests_in, requests_out = (sum(counted.values()) for counted in figures.requests)
        for name, meaning, value in (
            (
                "client_txn_hash_size",
                "entries of the table of client transactions",
                sizes["client transactions"],
            ),
            (
                "server_txn_hash_size",
                "entries of the table of server transactions",
                sizes["server transactions"],
            ),
            ("dialog_hash_size", "entries of the table of dialogs", sizes["dialogs by key"]),
            ("server_txns", "count of server-side transactions", sizes["server transactions"]),
            ("client_txns", "count of client-side transactions", sizes["client transactions"]),
            ("dialogs", "count of dialogs", sizes["dialogs by key"]),
            ("msgs_recv", "count of sip messages received", figures.messages[0]),
            ("msgs_sent", "count of sip messages sent", figures.messages[1]),
            (
                "requests_recv_total",
                "count of sip requests received",
                requests_in + figures.requests_again[0],
            ),
            ("requests_sent", "count of sip requests sent", requests_out + figures.requests_again[1]),
            ("bad_msgs_recv", "count of invalid sip messages received", figures.bad_messages),
            ("bad_reqs_recv", "count of invalid sip requests received", figures.bad_requests),
            ("retransmitted_requests", "count of sip requests retransmitted", figures.requests_again[1]),
            ("retransmitted_responses", "count of sip responses retransmitted", figures.responses_again[1]),
        ):
            yield _gauge(f"drachtio_sofia_{name}", meaning, value)

    def _of_delays(self) -> Iterator[Metric]:
        figures = self._figures
        for name, meaning, (received, sent) in (
            ("answer", "call answer time in seconds", figures.answer_seconds),
            ("pdd", "call post-dial delay in seconds", figures.post_dial_seconds),
        ):
            yield _histogram(f"drachtio_call_{name}_seconds_in", f"{meaning}, for calls received", received)
            yield _histogram(f"drachtio_call_{name}_seconds_out", f"{meaning}, for calls sent", sent)
        yield _histogram(
            "drachtio_admin_round_trip_seconds",
            "from a request's delivery to an application to its first message about it",
            figures.round_trip_seconds,
        )


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _histogram(name: str, meaning: str, counted: Histogram) -> Metric:
    family = HistogramMetricFamily(name, meaning)
    if any(counted.counts):
        below = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, counted.bounds), "+Inf"), counted.counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric([], buckets, counted.total)
    return family
