"""What applications of the genuine server sent of their own accord, sent again: recorded calls, octet by octet.

The recordings (version 0.9.5) are not part of this repository; without them nothing is compared. Each frame of the
application is sent, each message of the far end is received, in the recorded order; what we answer and deliver must be
what was recorded, up to what a server chooses: identifiers, branches, its tags, CSeq numbers, times.
"""

from __future__ import annotations

import re

import pytest

from reference_server.core.ports import Endpoint, Flow, NoWay, Way
from reference_server.sip.messages.uri import UriError, parse_uri
from reference_server.sip.transport import TCP, TRANSPORTS, UDP
from tests.core.test_recorded_responses import TRACES, UUID, as_received, entries_of
from tests.core.world import World, sip_of, tokens_of

RECORDINGS = (
    "cancel-uac",
    "cdr-ack-bye",
    "cdr-uac",
    "f-200-no-contact",
    "f-200-no-totag",
    "f-big-udp",
    "forked-200",
    "options-out",
    "record-route-uac",
    "reinvite-uac-from-remote",
    "subscribe-uac-notify",
    "subscribe-uac-rejected",
    "tcp-dead-destination",
    "tcp-uac-call",
    "uac-auth-resend",
    "uac-call",
    "uac-call-busy",
    "uac-call-remote-bye",
    "uac-headers",
    "uac-no-ack-from-app",
    "uac-noninvite-timeout",
    "uac-odd-finals",
)

OUTSIDE = "the parameters of a defaulted To's URI stay inside its angle brackets"
NOT_CONNECTED = "what was not sent has no length, and no Via"
DIFFERENT = {
    "cdr-uac#28": "not comparable: the 180 was on the wire before the CANCEL, but was told after it",
    "subscribe-uac-notify#14": "the 200 to the last NOTIFY is sent",
    "tcp-dead-destination#2": NOT_CONNECTED,
    "tcp-dead-destination#4": NOT_CONNECTED,
    "tcp-dead-destination#7": "an ICMP error is not heard: 408 in the end instead of 503 at once",
    "tcp-dead-destination#8": OUTSIDE,
    "tcp-dead-destination#10": NOT_CONNECTED,
    "tcp-uac-call#2": OUTSIDE,
    "uac-headers#104": "DEV-121: compact names are sent as the fields that they stand for",
    "uac-headers#107": "DEV-81: a header line that begins with a blank is the rest of a folded one, and left out",
    "uac-headers#149": OUTSIDE,
    "uac-headers#156": NOT_CONNECTED,
    "uac-headers#158": NOT_CONNECTED,
    "uac-headers#159": OUTSIDE,
    "uac-noninvite-timeout#4": OUTSIDE,
    "uac-odd-finals#15": "any 2xx to an INVITE makes a dialog (RFC 3261 §13.2.2.4)",
    "uac-odd-finals#20": "any 2xx to an INVITE makes a dialog (RFC 3261 §13.2.2.4)",
}
"""Entries of recordings where we do something else, and why; one that is no longer different fails."""

CHOSEN = (
    re.compile(r";branch=(z9hG4bK[^;\r]+)"),
    re.compile(r"\r\nFrom: [^\r]*;tag=([^;\r]+)"),
    re.compile(r"\r\nTo: [^\r]*;tag=([^;\r]+)"),
    re.compile(r"\r\nCall-ID: ([^\r]+)"),
    re.compile(r"\r\nCSeq: (\d+)"),
)
"""What a server chooses in a request of its own, or in its response."""


class Replayed:
    """One recording, played against a world."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries = list(entries_of((TRACES / f"{name}.log").read_bytes()))
        self.answers = {
            tokens_of(text)[2]: text for sent, text in self.entries if not sent and "|response|" in text
        }
        self.uris = [uri for _, text in self.entries for uri in re.findall(r"sip:[^\s<>|]+", text)]
        port = int(re.findall(r"udp/127\.0\.0\.1:(\d+)", self.entries[1][1])[0])
        at = f"sip:127.0.0.1:{port}"
        self.udp = Endpoint(UDP, "127.0.0.1", port, "127.0.0.1", at)
        self.tcp = Endpoint(TCP, "127.0.0.1", port, "127.0.0.1", f"{at};transport=tcp")
        self.world = World()
        self.world.network.listening = (self.udp, self.tcp)
        self.application = self.world.application(
            "notify", "info", "message", "options", "subscribe", "refer"
        )
        self.learnt: dict[str, str] = {}
        self.delivered: list[str] = []
        self.differences: dict[str, tuple[str, str]] = {}

    def play(self) -> dict[str, tuple[str, str]]:
        """Returns (ours, recorded) of each entry that differs, by its name."""
        for number, (sent, text) in enumerate(self.entries):
            tokens = tokens_of(text)
            if tokens[1] != "sip":
                continue
            if sent:
                self._route(text)
                ours = self.application.say(self.translated(text).partition("|")[2])
                self._compare(number, ours, self.answers[tokens[0]], sip=True)
            else:
                self._receive(number, tokens, text)
        return self.differences

    def _route(self, text: str) -> None:
        """Let the next hop of a request, and the contacts of far ends, lead where they led."""
        for uri in re.findall(r"sips?:[^\s<>|]+", text) + self.uris:
            self.world.network.routes.setdefault(uri, self._flow_to(uri))

    def _flow_to(self, text: str) -> Way:
        try:
            uri = parse_uri(text)
        except UriError:
            return NoWay.INVALID_URI
        if uri.host.endswith("invalid"):
            return NoWay.NAME_UNKNOWN
        by_tcp = (uri.parameters.get("transport") or "").lower() == "tcp"
        if by_tcp and self.name in ("tcp-dead-destination", "uac-headers"):
            return NoWay.UNREACHABLE
        port = uri.port or 5060
        return Flow(TCP, uri.host, port, self.tcp, 1) if by_tcp else Flow(UDP, uri.host, port, self.udp)

    def _receive(self, number: int, tokens: list[str], text: str) -> None:
        made_here = tokens[2] == "application" or tokens[3] == "0"
        if not made_here:
            original = sip_of(text) if sip_of(text).startswith("SIP/") else as_received(text)
            local = self.tcp if tokens[4] == "tcp" else self.udp
            flow = Flow(
                TRANSPORTS[tokens[4] or "udp"], tokens[5], int(tokens[6]), local, int(tokens[4] == "tcp")
            )
            self.world.receive(self.translated(original), flow)
        self.delivered += self.application.take()
        if not self.delivered:
            self.world.advance(32.5)
            self.delivered += self.application.take()
        ours = self.delivered.pop(0) if self.delivered else "||nothing"
        self._compare(number, ours, text, sip=not made_here)

    def _compare(self, number: int, ours: str, recorded: str, sip: bool) -> None:
        if ours and recorded and ours.count("|OK|"):
            for pattern in CHOSEN:
                for old, new in zip(pattern.findall(recorded), pattern.findall(ours), strict=False):
                    if new.isdigit():
                        self.learnt[old] = new
                    else:
                        self.learnt.setdefault(old, new)
        old, new = tokens_of(recorded), tokens_of(ours)
        for index in (8, 10):
            if (
                len(old) > index < len(new)
                and re.fullmatch(UUID, old[index])
                and re.fullmatch(UUID, new[index])
            ):
                self.learnt.setdefault(old[index], new[index])
        if not sip:
            for pattern in CHOSEN:
                for was, now in zip(pattern.findall(recorded), pattern.findall(ours), strict=False):
                    self.learnt.setdefault(was, now)
        if plain(ours) != plain(self.translated(recorded)):
            self.differences[f"{self.name}#{number}"] = (ours, self.translated(recorded))

    def translated(self, text: str) -> str:
        """``text`` with what the genuine server chose replaced by what ours did."""
        if not self.learnt:
            return text
        longest_first = sorted(self.learnt, key=len, reverse=True)
        pattern = re.compile("|".join(rf"(?<![\w]){re.escape(old)}(?![\w])" for old in longest_first))
        return pattern.sub(lambda found: self.learnt[found[0]], text)


def plain(payload: str) -> tuple[list[str], str]:
    """Tokens and SIP message without message ids and times."""
    tokens = [re.sub(r"\A\d\d:\d\d:\d\d\.\d+\Z", "*", token) for token in tokens_of(payload)]
    tokens[0] = "*"
    if tokens[1] == "response":
        tokens[2] = "*"
    return tokens, sip_of(payload)


@pytest.mark.parametrize("name", [name for name in RECORDINGS if (TRACES / f"{name}.log").exists()])
def test_as_recorded(name: str) -> None:
    differences = Replayed(name).play()
    for entry in [entry for entry in DIFFERENT if entry.partition("#")[0] == name]:
        assert differences.pop(entry, None), f"{entry} is not different any more"
    assert differences == {}
