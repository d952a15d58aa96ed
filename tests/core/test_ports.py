"""The values of the contract: addresses as tokens, what watches what, and the reasons for there being no way."""

from __future__ import annotations

import pytest

from reference_server.core.ports import Endpoint, Flow, NoWay, Taps
from reference_server.sip.transport import UDP


@pytest.mark.parametrize(
    ("host", "tokens"),
    [("127.0.0.1", "127.0.0.1|5060"), ("::1", "::1|5060"), ("2001:db8::1", "2001:db8::1|5060")],
)
def test_addresses_are_put_together_as_the_admin_protocol_has_them(host: str, tokens: str) -> None:
    endpoint = Endpoint(UDP, host, 5060, host, "sip:x")
    assert endpoint.address == tokens
    assert Flow(UDP, host, 5060, endpoint).remote_address == tokens


def test_two_flows_are_equal_if_they_lead_to_the_same_by_the_same() -> None:
    endpoint = Endpoint(UDP, "127.0.0.1", 5060, "127.0.0.1", "sip:x")
    assert Flow(UDP, "h", 1, endpoint) == Flow(UDP, "h", 1, endpoint)
    assert Flow(UDP, "h", 1, endpoint) != Flow(UDP, "h", 1, endpoint, connection=1)


@pytest.mark.parametrize("no_way", NoWay)
def test_each_reason_is_the_final_response_that_says_it(no_way: NoWay) -> None:
    assert 400 <= no_way.status < 600
    assert no_way.reason


def test_reasons_of_one_status_and_text_would_be_one() -> None:
    """An Enum makes aliases of equal values: then one of them could not be told from the other."""
    assert len(list(NoWay)) == len(NoWay.__members__)


class SipWatcher:
    def sip(self, sent: bool, flow: Flow, text: str) -> None:
        """Only that."""


class EventWatcher:
    def __init__(self) -> None:
        self.names: list[str] = []

    def event(self, name: str, **details: str | int) -> None:
        self.names.append(name)


def test_each_watches_what_it_can() -> None:
    sip, events = SipWatcher(), EventWatcher()
    taps = Taps(sip, events)
    assert (taps.frames, taps.sip, taps.events) == ([], [sip], [events])
    taps.event("one")
    taps.add(events)
    taps.event("two")
    taps.remove(events)
    taps.event("three")
    assert events.names == ["one", "two"], "once each, however often it is added"


def test_the_lists_stay_the_same_objects() -> None:
    """Who has taken one keeps seeing who watches."""
    taps = Taps()
    sip = taps.sip
    taps.add(SipWatcher())
    assert len(sip) == 1
