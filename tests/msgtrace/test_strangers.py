"""The inputs behind the other tests of wrappings, captures and verdicts; they are no part of a clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgtrace.cli import main

STRANGERS = Path(__file__).parents[3] / "shared" / "strangers"
pytestmark = pytest.mark.skipif(not STRANGERS.is_dir(), reason="the inputs are not part of the repository")

ANSWERED = "answered for 4.0 s, the caller hung up"
REFUSED = "503 Service Unavailable"
CALLS = {
    "01-verdict-of-several-requests/failover.jsonl": ["✓ the caller hung up"],
    "01-verdict-of-several-requests/failover.log": ["✓ the caller hung up"],
    **{
        f"01-verdict-of-several-requests/several.{form}": [
            *("✗ 403 Forbidden", "✓ 200 OK", "✗ challenged", "✓ 200 OK", "✗ 503 Service", "✓ answered"),
        ]
        for form in ("jsonl", "log")
    },
    "01-verdict-of-several-requests/register-invite.pcap": [
        "✓ answered",
        "✗ 403 Forbidden",
        "✗ 403 Forbidden",
    ],
    "02-capture-with-a-gap/whole.pcap": ["✗ 486 Busy Here"] * 10,
    "02-capture-with-a-gap/gap.pcap": ["✗ 486 Busy Here"] * 10,
    "02-capture-with-a-gap/fin.pcap": ["✗ 486 Busy Here"] * 10,
    "05-lines-of-other-services/both-in-one-file.log": [f"✓ {ANSWERED}", f"✗ {REFUSED}"],
    "05-lines-of-other-services/compose-pino.log": [f"✓ {ANSWERED}", f"✗ {REFUSED}"],
    "05-lines-of-other-services/comments-of-a-reporter.log": ["… 200 OK"],
    "06-caret-M/api-logger.log": ["✓ the caller hung up"],
    "06-caret-M/debug.log": ["✓ answered for 3.0 s, the caller hung up"],
    "06-caret-M/server-debug.log": [f"✓ {ANSWERED}", f"✗ {REFUSED}"],
    "08-capture-of-sip-only/callee-hangs-up.pcap": ["✓ answered for 2.0 s, the callee hung up"],
    "09-cut-datagrams/ipv6-fragments.pcap": ["✗ 486 Busy Here"],
    "09-cut-datagrams/snaplen.pcap": ["✗ 486 Busy Here"],
    **{f"10-encapsulated-captures/{name}.pcap": ["✓ 200 OK"] for name in ("ipip", "pppoe", "vxlan")},
    **{
        f"11-wrappings-not-known/{name}.log": [f"✓ {ANSWERED}", f"✗ {REFUSED}"]
        for name in (
            "12-indented",
            "3-syslog-first-line",
            "4-rsyslog-escaped",
            "5-old-pipe",
            "7-cri",
            "8-journal",
        )
    },
    **{f"11-wrappings-not-known/client-{name}.log": ["✓ answered for 3.0 s"] for name in ("cri", "pm2")},
}
DAMAGED = {
    "02-capture-with-a-gap/gap.pcap": 1,
    "02-capture-with-a-gap/fin.pcap": 1,
    "09-cut-datagrams/snaplen.pcap": 2,
}


@pytest.mark.parametrize("name", CALLS)
def test_each_input_gives_the_right_value(name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    damaged = DAMAGED.get(name, 0)
    assert main(["decode", "--calls", str(STRANGERS / name)]) == bool(damaged)
    out, err = (text.decode() for text in capsysbinary.readouterr())
    rows = [row.strip() for row in out.splitlines() if row.strip()[:1] in ("✓", "⚠", "✗", "…")]
    assert len(rows) == len(CALLS[name])
    for row, wanted in zip(rows, CALLS[name], strict=True):
        sign, _, words = wanted.partition(" ")
        assert row.startswith(sign), row
        assert words in row
    assert (f"{damaged} place{'s' if damaged > 1 else ''} could not be read" in err) == bool(damaged)


def test_the_genuine_servers_debug_log_loses_no_octet(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    name = str(STRANGERS / "07-debug-log-of-the-genuine-server" / "genuine-console.log")
    assert main(["decode", name]) == 0
    out, _ = capsysbinary.readouterr()
    assert b"lacks its last octet: line ends" not in out
    assert out.count(b"<ENCODED DATA>") == 1
    assert main(["decode", "--stats", name]) == 0
    assert b"it is wrong" not in capsysbinary.readouterr()[0]
