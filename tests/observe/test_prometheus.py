"""The page for Prometheus: the genuine server's names and labels, read by Prometheus' own parser and promtool."""

from __future__ import annotations

import subprocess

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from reference_server.observe.figures import Figures
from reference_server.observe.prometheus import Exposition
from tests.core.world import BY_UDP
from tests.hand_clock import HandClock
from tests.observe.test_figures import request, response

# The families of a genuine server some time after its start, and the labels of each.
GENUINE = {
    "exposer_transferred_bytes": "",
    "exposer_scrapes": "",
    "exposer_request_latencies": "",
    "drachtio_sip_requests_in": "method",
    "drachtio_sip_requests_out": "method",
    "drachtio_sip_responses_in": "code method",
    "drachtio_sip_responses_out": "code method",
    "drachtio_build_info": "version",
    "drachtio_time_started": "",
    "drachtio_stable_dialogs": "type",
    "drachtio_proxy_cores": "",
    "drachtio_registered_endpoints": "",
    "drachtio_app_connections": "",
    "drachtio_sofia_client_txn_hash_size": "",
    "drachtio_sofia_server_txn_hash_size": "",
    "drachtio_sofia_dialog_hash_size": "",
    "drachtio_sofia_server_txns": "",
    "drachtio_sofia_client_txns": "",
    "drachtio_sofia_dialogs": "",
    "drachtio_sofia_msgs_recv": "",
    "drachtio_sofia_msgs_sent": "",
    "drachtio_sofia_requests_recv_total": "",
    "drachtio_sofia_requests_sent": "",
    "drachtio_sofia_bad_msgs_recv": "",
    "drachtio_sofia_bad_reqs_recv": "",
    "drachtio_sofia_retransmitted_requests": "",
    "drachtio_sofia_retransmitted_responses": "",
    "drachtio_call_answer_seconds_in": "le",
    "drachtio_call_answer_seconds_out": "le",
    "drachtio_call_pdd_seconds_in": "le",
    "drachtio_call_pdd_seconds_out": "le",
}
OURS = {
    "drachtio_admin_round_trip_seconds",
    "drachtio_capture_lost",
    "drachtio_events",
    "drachtio_limits_met",
    "drachtio_table_entries",
}
SIZES = {
    "server transactions": 3,
    "client transactions": 2,
    "dialogs by key": 5,
    "proxied requests": 1,
    "registered connections": 4,
}


class SomeServer:
    """As much of a server as the page looks at."""

    version = "v0.9.9-ref.x"

    def occupancy(self) -> dict[str, int]:
        return SIZES

    def stable_dialogs(self) -> tuple[int, int]:
        return 3, 2

    def applications(self) -> int:
        return 6


def page(*, busy: bool) -> str:
    clock = HandClock()
    figures = Figures(clock.monotonic)
    exposition = Exposition(figures, SomeServer())
    if busy:
        for sent in (False, True):
            figures.sip(sent, BY_UDP, request(branch=str(sent)))
            clock.advance(2.5)
            figures.sip(not sent, BY_UDP, response(200, branch=str(sent)))
        figures.event("http-failed", url="u", expected="e", came="c", limit="callback-questions")
        figures.event("admin-connected", connection=1)
        figures.frame(1, True, "i|sip|network|3|udp|h|5080|t|uuid||h|5060\r\nINVITE")
        figures.frame(1, False, "m|sip|uuid|\r\nSIP/2.0 200 OK")
    exposition.page()
    return exposition.page().decode()


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_the_names_and_labels_are_the_genuine_servers_and_five_of_ours() -> None:
    found = families(page(busy=True))
    assert set(found) == set(GENUINE) | OURS
    for name, labels in GENUINE.items():
        samples = [sample for sample in found[name].samples if not sample.name.endswith(("_count", "_sum"))]
        if name != "exposer_request_latencies":
            assert {" ".join(sorted(sample.labels)) for sample in samples} == {labels}, name
    assert all(family.documentation for family in found.values())


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    found = families(page(busy=False))
    assert not [name for name in found if "seconds" in name or "drachtio_sip_re" in name]
    assert "drachtio_build_info" in found


def test_values() -> None:
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families(page(busy=True)).values()
        for sample in family.samples
    }
    assert found["drachtio_sip_requests_in_total", ("method", "INVITE")] == 1
    assert found["drachtio_sip_responses_out_total", ("code", "200"), ("method", "INVITE")] == 1
    assert found["drachtio_build_info", ("version", "v0.9.9-ref.x")] == 1
    assert found["drachtio_stable_dialogs", ("type", "inbound")] == 3
    assert found["drachtio_stable_dialogs", ("type", "outbound")] == 2
    assert found["drachtio_app_connections",] == 6
    assert found["drachtio_proxy_cores",] == 1
    assert found["drachtio_registered_endpoints",] == 4
    assert found["drachtio_table_entries", ("table", "dialogs by key")] == 5
    assert found["drachtio_sofia_msgs_recv",] == found["drachtio_sofia_msgs_sent",] == 2
    assert found["drachtio_events_total", ("event", "http-failed")] == 1
    assert [key for key in found if key[0] == "drachtio_events_total"] == [
        ("drachtio_events_total", ("event", "http-failed"))
    ]
    assert found["drachtio_limits_met_total", ("limit", "callback-questions")] == 1
    assert found["exposer_scrapes_total",] == 1
    buckets = [
        (sample.labels["le"], sample.value)
        for sample in families(page(busy=True))["drachtio_call_pdd_seconds_in"].samples
        if sample.name.endswith("_bucket")
    ]
    assert [bound for bound, _ in buckets] == ["1", "2", "3", "5", "7", "10", "15", "20", "+Inf"]
    assert [below for _, below in buckets] == [0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert found["drachtio_call_pdd_seconds_in_sum",] == pytest.approx(2.5)
    assert found["drachtio_call_answer_seconds_out_count",] == 1
    assert found["drachtio_admin_round_trip_seconds_count",] == 1


def test_promtool_finds_fault_with_a_genuine_name_only() -> None:
    ended = subprocess.run(
        ["promtool", "check", "metrics"], input=page(busy=True), capture_output=True, text=True, timeout=60
    )
    complaints = (ended.stdout + ended.stderr).splitlines()
    assert complaints == [
        'drachtio_sofia_requests_recv_total non-counter metrics should not have "_total" suffix'
    ]
