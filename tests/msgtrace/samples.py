"""One small exchange in every form that people have it in: two calls, of which the application forgot one."""

from __future__ import annotations

import json
from collections.abc import Callable

AUTHENTICATE = "a1000000-0000-4000-8000-000000000001|authenticate|s3cret|"
ACCEPTED = (
    "b1000000-0000-4000-8000-000000000001|response|a1000000-0000-4000-8000-000000000001|OK|"
    "udp/127.0.0.1:5060,tcp/127.0.0.1:5060|v0.9.5|udp/127.0.0.1:5060"
)


def invite(call: str) -> str:
    """A SIP request, with a name that needs two octets a letter."""
    return (
        f"INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{call}\r\n"
        f'From: "Zoé" <sip:zoe@127.0.0.1>;tag=z1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n'
        f"Authorization: Digest response=abcdef\r\nContent-Length: 0\r\n\r\n"
    )


def busy(call: str) -> str:
    """The response that the server sends."""
    return (
        f"SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{call}\r\n"
        f'From: "Zoé" <sip:zoe@127.0.0.1>;tag=z1\r\nTo: <sip:bob@127.0.0.1>;tag=b1\r\nCall-ID: {call}\r\n'
        f"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    )


def received(call: str) -> str:
    """The frame that brings the request."""
    text = invite(call)
    meta = (
        f"c0000000-0000-4000-8000-0000000000{call[-2:]}|sip|network|{len(text.encode())}|udp|127.0.0.1|5080"
    )
    return f"{meta}|07:33:51.717647|t-{call}||127.0.0.1|5060|\r\n{text}"


ANSWER = "a1000000-0000-4000-8000-000000000002|sip|t-call01|\r\nSIP/2.0 486 Busy Here\r\n\r\n"
SENT = (
    "b1000000-0000-4000-8000-000000000002|response|a1000000-0000-4000-8000-000000000002|OK|application|250|udp|127.0.0.1|"
    "5080|07:33:51.718390|t-call01|call01;from-tag=z1||Msg sent:|\r\n" + busy("call01")
)

EXCHANGE: list[tuple[bool, str]] = [
    (False, AUTHENTICATE),
    (True, ACCEPTED),
    (True, received("call01")),
    (True, received("call02")),
    (False, ANSWER),
    (True, SENT),
]
"""(from the server?, payload)"""


def octets(text: str) -> int:
    """Length in octets."""
    return len(text.encode())


def utf16(text: str) -> int:
    """Length in UTF-16 units, as JavaScript counts."""
    return len(text.encode("utf-16-le")) // 2


def frame(payload: str, count: Callable[[str], int] = octets) -> str:
    """With its length before it."""
    return f"{count(payload)}#{payload}"


def moment(index: int) -> str:
    """10 ms between two messages."""
    return f"07:26:06.{658 + 10 * index:03}"


def bare() -> str:
    """The stream of the connection; both directions, as a merged capture has them."""
    return "".join(frame(payload) for _, payload in EXCHANGE)


def client() -> str:
    """What a logger of drachtio-srf gets."""
    return "".join(f"{'<===' if down else '===>'}\r\n{frame(text)}\r\n" for down, text in EXCHANGE)


def client_on_a_console() -> str:
    """The same through console.log."""
    return "".join(f"{'<===' if down else '===>'}\r\n{frame(text)}\r\n\n" for down, text in EXCHANGE)


def winston() -> str:
    """In JSON lines."""
    return "".join(
        json.dumps(
            {
                "level": "info",
                "message": f"{'<===' if down else '===>'}\r\n{frame(text)}\r\n",
                "timestamp": f"2026-11-23T{moment(index)}Z",
            },
            ensure_ascii=False,
        )
        + "\n"
        for index, (down, text) in enumerate(EXCHANGE)
    )


def pino() -> str:
    """In JSON lines of another logger, with other lines between."""
    other = json.dumps({"level": 30, "time": 1795419966600, "msg": "listening"}) + "\n"
    return other + "".join(
        json.dumps(
            {
                "level": 30,
                "time": 1795419966658 + 10 * index,
                "msg": f"{'<===' if down else '===>'}\r\n{frame(text)}\r\n",
            }
        )
        + "\n"
        for index, (down, text) in enumerate(EXCHANGE)
    )


def debug() -> str:
    """DEBUG=drachtio:agent to a file: sends count UTF-16 units."""
    lines = []
    for index, (down, text) in enumerate(EXCHANGE):
        shown = f"<==={frame(text)}" if down else f"wp#send 127.0.0.1:9022 - {frame(text, utf16)}"
        lines.append(f"2026-11-23T{moment(index)}Z drachtio:agent {shown}\n")
        lines.append(f"2026-11-23T{moment(index)}Z drachtio:agent handled\n")
    return "".join(lines)


def debug_on_a_terminal() -> str:
    """The same with colours."""
    name = "  \x1b[32;1mdrachtio:agent \x1b[0m"
    lines = []
    for down, text in EXCHANGE:
        shown = f"<==={frame(text)}" if down else f"wp#send 127.0.0.1:9022 - {frame(text, utf16)}"
        lines.append("\n".join(name + line for line in shown.split("\n")) + " \x1b[32m+2ms\x1b[0m\n")
        lines.append(f"{name}handled \x1b[32m+0ms\x1b[0m\n")
    return "".join(lines)


def server() -> str:
    """The genuine server's log at debug."""
    lines = ["2026-11-23 07:26:06.000000 Starting drachtio version v0.9.5\n"]
    for index, (down, text) in enumerate(EXCHANGE):
        shown = f"Client::send Sending: {frame(text)}" if down else f"Client::read_handler read: {text}"
        lines.append(f"2026-11-23 {moment(index)}000 {shown}\n\n")
    return "".join(lines)


def trace() -> str:
    """What the reference server's --trace writes."""
    start = {"kind": "start", "time": "2026-11-23T07:26:06Z", "format": 1, "server": "v0.9.5-ref", "pid": 7}
    return "".join(
        json.dumps(line) + "\n"
        for line in [
            start,
            *(
                {
                    "kind": "frame",
                    "time": f"2026-11-23T{moment(index)}000Z",
                    "connection": 1,
                    "direction": "sent" if down else "received",
                    "octets": octets(text),
                    "text": text,
                }
                for index, (down, text) in enumerate(EXCHANGE)
            ),
        ]
    )


def recording() -> str:
    """What ``msgtrace record`` writes, in pieces of 100 octets."""
    lines: list[dict[str, object]] = [
        {"kind": "recording", "time": "2026-11-23T07:26:06Z", "format": 1, "listen": "l:1", "to": "s:1"},
        {
            "kind": "opened",
            "time": "2026-11-23T07:26:06Z",
            "connection": 1,
            "application": "a:1",
            "server": "s:1",
        },
    ]
    for index, (down, text) in enumerate(EXCHANGE):
        shown = frame(text)
        lines += [
            {
                "kind": "chunk",
                "time": f"2026-11-23T{moment(index)}000Z",
                "connection": 1,
                "direction": "to-application" if down else "to-server",
                "octets": octets(shown[start : start + 100]),
                "text": shown[start : start + 100],
            }
            for start in range(0, len(shown), 100)
        ]
    lines.append({"kind": "closed", "time": "2026-11-23T07:26:07Z", "connection": 1, "by": "application"})
    return "".join(json.dumps(line) + "\n" for line in lines)


FORMS: dict[str, Callable[[], str]] = {
    "bare": bare,
    "client": client,
    "client on a console": client_on_a_console,
    "winston": winston,
    "pino": pino,
    "debug": debug,
    "debug on a terminal": debug_on_a_terminal,
    "server": server,
    "trace": trace,
    "recording": recording,
}
