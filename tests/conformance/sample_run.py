"""A run made by hand, with every verdict and real octets, from which the reports are tested."""

from __future__ import annotations

from msgspec import structs

from drachtio_conformance.cases.specification import Clause, Deviation, Specification
from drachtio_conformance.engine.results import CaseResult, RunResult, StepOutcome, StepResult, Verdict
from drachtio_conformance.peers.recorder import WireEvent

INVITE = (
    "INVITE sip:bob@127.0.0.1:20260 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:20271;branch=z9hG4bK0lodzqplop\r\n"
    'From: "Jos\xc3\xa9" <sip:alice@127.0.0.1:20271>;tag=dwwm9ulk\r\nTo: <sip:bob@127.0.0.1:20260>\r\n'
    "Call-ID: zsmtvmkob3@127.0.0.1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
BUSY = (
    "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 127.0.0.1:20271;branch=z9hG4bK0lodzqplop;rport=20271\r\n"
    "CSeq: 1 INVITE\r\nX-custom: my custom header value\r\nContent-Length: 0\r\n\r\n"
)


def frame(payload: str) -> str:
    """``payload`` with its length in front."""
    return f"{len(payload)}#{payload}"


def event(at: float, source: str, target: str, summary: str, data: str, kind: str = "frame") -> WireEvent:
    """One event of a ladder."""
    return WireEvent(at=at, kind=kind, source=source, target=target, summary=summary, data=data)


def rejected_call() -> list[WireEvent]:
    """An INVITE that an application answers with 486."""
    return [
        event(0.0, "app", "server", "authenticate", frame("a97982ac|authenticate|cymru|")),
        event(
            0.001,
            "server",
            "app",
            "response OK",
            frame("3dccc7d4|response|a97982ac|OK|udp/127.0.0.1:20260|v0.9.9-ref.0.2.0|udp/127.0.0.1:20260"),
        ),
        event(0.002, "app", "server", "route invite", frame("25b03a10|route|invite")),
        event(0.0024, "server", "app", "response OK", frame("91cd59c5|response|25b03a10|OK")),
        event(0.004, "phone", "server", "INVITE", INVITE, "sip"),
        event(
            0.005,
            "server",
            "app",
            "sip INVITE",
            frame(f"f2f564cf|sip|network|{len(INVITE)}|udp|…\r\n{INVITE}"),
        ),
        event(0.0051, "server", "phone", "100 Trying (INVITE)", "SIP/2.0 100 Trying\r\n\r\n", "sip"),
        event(
            0.006,
            "app",
            "server",
            "sip 486 Busy Here",
            frame("cab393fb|sip|d8960f9c|\r\nSIP/2.0 486 Busy Here"),
        ),
        event(0.007, "server", "phone", "486 Busy Here (INVITE)", BUSY, "sip"),
        event(
            0.0071,
            "server",
            "app",
            "response OK 486 Busy Here",
            frame(f"64cd2a34|response|cab393fb|OK|…\r\n{BUSY}"),
        ),
        event(0.008, "phone", "server", "ACK", "ACK sip:bob@127.0.0.1:20260 SIP/2.0\r\n\r\n", "sip"),
        event(32.008, "server", "server", "clock advanced by 32 s", "", "note"),
    ]


def case(name: str, verdict: Verdict, **fields: object) -> CaseResult:
    """A case with two steps."""
    failed = verdict in (Verdict.FAIL, Verdict.WARN, Verdict.KNOWN_FAILING)
    steps = [
        StepResult(
            kind="send",
            sentence="app sends ping",
            source=f"scenarios/{name.split('/')[0]}.yaml:12",
            outcome=StepOutcome.OK,
        ),
        StepResult(
            kind="expect",
            sentence="app gets a frame",
            source=f"scenarios/{name.split('/')[0]}.yaml:14",
            outcome=StepOutcome.FAILED if failed else StepOutcome.OK,
            expected="*|response|${id}|OK|pong",
            actual="uuid|response|1|NO|Unknown message type" if failed else "",
            is_check=True,
            started=0.011,
        ),
    ]
    result = CaseResult(
        name=name,
        verdict=verdict,
        title=f"Title of {name}",
        clauses=["PING-1"],
        source=f"scenarios/{name.split('/')[0]}.yaml:10",
        duration=0.0124,
        steps=steps,
        events=rejected_call(),
        rerun=f"drachtio-conformance server --filter '{name}'",
    )
    return structs.replace(result, **fields)


def sample_run() -> RunResult:
    """A case of every verdict."""
    return RunResult(
        target="reference server (embedded)",
        server_version="v0.9.9-ref.0.2.0",
        suite_version="0.2.0",
        started="2026-11-23T10:00:00Z",
        duration=4.125,
        cases=[
            case(
                "ping/basic/answered",
                Verdict.PASS,
                title="A ping is answered with pong and the id of the request",
            ),
            case(
                "ping/basic/unauthenticated",
                Verdict.FAIL,
                title="A ping before authenticate is refused",
                clauses=["AUTH-1", "PING-1"],
                reason="token 3 of the answer: expected 'OK', got 'NO'",
            ),
            case("framing/split/every-byte", Verdict.WARN, clauses=["FRAME-1"], reason="a SHOULD is not met"),
            case(
                "framing/bad/nul",
                Verdict.NOT_APPLICABLE,
                clauses=["FRAME-1"],
                reason="ipv6 is not declared",
                events=[],
            ),
            case("route/verb/upper", Verdict.KNOWN_FAILING, reason="baseline: verbs are compared exactly"),
            case("route/verb/lower", Verdict.UNEXPECTED_PASS, reason="listed as known to fail, but passes"),
            case(
                "sip/octets",
                Verdict.ERROR,
                reason="no free port",
                events=[event(0.5, "app", "server", "octets", "8#\x00\xff\xc3\xa9\r\nx\ny\rz\x1b[0m")],
            ),
        ],
    )


def sample_specification() -> Specification:
    """Four clauses, one of them untestable and one that no case of the sample tests."""

    def clause(id: str, text: str, section: str, untestable: str = "") -> Clause:
        return Clause(
            id=id,
            title=f"Title of {id}",
            level="MUST",
            party="server",
            since="0.2",
            text=text,
            example="41#7aad0c94-065a-4da5-9dbc-e79c0ba9d5e8|ping",
            section=section,
            source="docs/protocol.md:7",
            untestable=untestable,
        )

    clauses = [
        clause("FRAME-1", "A frame **MUST** be split `anywhere` <br>.", "Framing"),
        clause("FRAME-2", "A frame is not judged.", "Framing", untestable="nobody can see it"),
        clause("AUTH-1", "Before OK every other verb gets `NO|authentication required`.", "Authentication"),
        clause("PING-1", "A ping is answered with `OK|pong`.", "Ping"),
        clause("PING-2", "A ping carries nothing else.", "Ping"),
    ]
    deviation = Deviation(
        id="DEV-1", theirs="accepts it", ours="refuses", why="security", clauses=("AUTH-1",)
    )
    return Specification(clauses={each.id: each for each in clauses}, deviations={"DEV-1": deviation})
