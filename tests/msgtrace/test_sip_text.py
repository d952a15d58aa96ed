"""SIP as other tools print it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from msgtrace.entries import EntryKind
from msgtrace.recordings import read
from msgtrace.verdict import judge
from tests.msgtrace import call_set
from tests.msgtrace.call_set import SERVER, Played, Sip
from tests.msgtrace.test_verdict import calls_of


def steps() -> list[Sip]:
    """A call that is answered, and one that is refused, with a body."""
    play = Played()
    play.request("INVITE", "c1", 1, answers=["180 Ringing", "200 OK"])
    play.hang_up("c1", 2)
    play.request("INVITE", "c2", 1, answers=["486 Busy Here"])
    found = [step for step in play.scene.steps if isinstance(step, Sip)]
    body = "v=0\r\ns=a sentence.\r\n"
    first = found[0].text.replace("Content-Length: 0\r\n\r\n", f"Content-Length: {len(body)}\r\n\r\n{body}")
    return [Sip(found[0].sent, found[0].peer, first), *found[1:]]


def ends(step: Sip) -> tuple[str, str]:
    """Source and target."""
    return (SERVER, step.peer) if step.sent else (step.peer, SERVER)


def sngrep(step: Sip, clock: str) -> str:
    """Its export as text."""
    return f"2026/11/23 {clock} {' -> '.join(ends(step))}\n{step.text}\n\n"


def ngrep(step: Sip, clock: str) -> str:
    """``ngrep -t -W byline``: a dot for each carriage return."""
    text = step.text.replace("\r\n", ".\n")
    return f"#\nU 2026/11/23 {clock} {' -> '.join(ends(step))} #{step.sent}\n{text}\n"


def tcpdump(step: Sip, clock: str) -> str:
    """``tcpdump -A``: the headers of IP and UDP stand before the text."""
    source, target = (end.replace(":", ".") for end in ends(step))
    first = step.text.split("\r\n")[0]
    return f"{clock} IP {source} > {target}: SIP: {first}\nE..x..@.@.........@....{step.text.replace(chr(13), '')}\n\n"


def tcpdump_any(step: Sip, clock: str) -> str:
    """``tcpdump -tttt -A -i any``."""
    return tcpdump(step, clock).replace(f"{clock} IP", f"2026-11-23 {clock} eth0  In  IP", 1)


@pytest.mark.parametrize("write", [sngrep, ngrep, tcpdump, tcpdump_any])
def test_what_tools_print_is_read(write: Callable[[Sip, str], str]) -> None:
    texts = [write(step, f"07:26:{index:02}.123456") for index, step in enumerate(steps())]
    data = ("tcpdump: listening on any\n" + "".join(texts) + "9 packets captured\n").encode()
    found = list(read(data))
    assert [entry.kind for entry in found] == [EntryKind.SIP] * len(texts)
    assert [entry.data for entry in found] == [step.text for step in steps()]
    assert [(entry.source, entry.target) for entry in found] == [
        tuple(f"udp/{end}" for end in ends(step)) for step in steps()
    ]
    assert found[1].time.endswith("07:26:01.123456")
    texts = [judge(call).text for call in calls_of(data)]
    assert texts == ["answered for 2.0 s, the caller hung up", "486 Busy Here by 192.0.2.1:5060"]


def test_the_same_calls_as_in_a_capture() -> None:
    scene = call_set.played()[0]
    wire = [step for step in scene.steps if isinstance(step, Sip)]
    text = "".join(sngrep(step, f"07:{index // 60:02}:{index % 60:02}.5") for index, step in enumerate(wire))
    verdicts = [judge(call).ending for call in calls_of(text.encode())]
    assert verdicts == [judge(call).ending for call in calls_of(call_set.sip_capture(scene))]
