"""``--show-frames``: every frame decoded, live on standard error.

::

    09:44:10.120417 app 1 → server  authenticate id=9f1c…, secret=***, tags=red,blue
    09:44:10.120592 server → app 1  response id=…, request-id=9f1c…, outcome=OK, hostports=udp/127.0.0.1:5060, …
    09:44:11.000112 server → app 1  sip id=…, source=network, length=310, transport=udp, …
        INVITE sip:bob@127.0.0.1 SIP/2.0
        Via: …

Tokens bear the names that docs/protocol.md gives them, empty ones are left out. Where the log shows SIP messages on the
same console, a frame to an application shows the start line alone of the message that was shown just before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import structs

from reference_server.observe.log import LocalTime, LogSink
from reference_server.observe.octets import shown
from reference_server.wire.requests import RequestError, parse_request

_META = ("source", "length", "transport", "address", "port", "time", "transaction-id", "dialog-id")
_NEW_REQUEST = (*_META, "local-address", "local-port")
_PROXY = (
    *("remain-in-dialog", "full-response", "follow-redirects", "order", "provisional-timeout"),
    "final-timeout",
)
_CDR = {
    "cdr:attempt": ("source", "time"),
    "cdr:start": ("source", "time", "role"),
    "cdr:stop": ("source", "time", "reason"),
}


class ShownFrames:
    """A tap that prints frames for a reader."""

    def __init__(
        self,
        sink: LogSink,
        *,
        encoding: str = "utf-8",
        mask: Callable[[str], str] = str,
        sip_is_shown: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``encoding`` is what the reader understands, ``mask`` hides what nobody shall read.

        ``sip_is_shown``: SIP messages stand there already, as they came and went.
        """
        self._sink = sink
        self._encoding = encoding
        self._mask = mask
        self._sip_is_shown = sip_is_shown
        self._wall = wall
        self._time = LocalTime()

    def frame(self, connection: int, sent: bool, payload: str) -> None:
        """Print one frame."""
        now = self._wall()
        at = self._time.format(now).partition(" ")[2]
        way = f"server → app {connection} " if sent else f"app {connection} → server "
        payload = self._mask(payload)
        text = describe_sent(payload, shortly=self._sip_is_shown) if sent else describe_received(payload)
        self._sink.write(f"{at} {way} {text}\n".encode(self._encoding, "backslashreplace"), now)


def describe_received(payload: str) -> str:
    """What an application sent, its tokens by name; the SIP message indented below."""
    try:
        message = parse_request(payload)
    except RequestError as wrong:
        return f"not understood ({wrong}): {shown(payload)}"
    verb = payload.split("|", 2)[1].partition("\r\n")[0]
    named: list[tuple[str, str]] = []
    text = ""
    for name, value in structs.asdict(message).items():
        if name == "text":
            text = value
        elif isinstance(value, tuple):
            destinations = [f"destination-{number}" for number in range(1, len(value) - len(_PROXY) + 1)]
            named += _name((*_PROXY, *destinations), value)
        else:
            named.append(("id" if name == "message_id" else name.replace("_", "-"), value))
    return _described(verb, named, text)


def describe_sent(payload: str, *, shortly: bool = False) -> str:
    """What the server sent, likewise; ``shortly``: of the SIP message only the start line."""
    line, _, text = payload.partition("\r\n")
    if shortly and "\r\n" in text:
        text = text.partition("\r\n")[0] + " …"
    tokens = line.split("|")
    verb = tokens[1] if len(tokens) > 1 else ""
    named = [("id", tokens[0])]
    match tokens[1:]:
        case ["response", request_id, status, *rest]:
            named += [("request-id", request_id), ("outcome", status), *_name_answer(status, rest)]
        case ["sip", *rest] if len(rest) > len(_META) + 1:
            # a new request: its dialog token is empty, our address follows
            named += _name(_NEW_REQUEST, rest)
        case ["sip", *rest]:
            named += _name(_META, rest)
        case [record, *rest] if record in _CDR:
            named += _name(_CDR[record], rest)
        case _:
            return shown(payload)
    return _described(verb, named, text)


def _name_answer(status: str, rest: Sequence[str]) -> list[tuple[str, str]]:
    if status != "OK":
        return [("text", "|".join(rest))]
    if len(rest) > len(_META) and "Msg sent:" in rest:
        return _name(_META[:7] if rest[7] == "Msg sent:" else _META, [t for t in rest if t != "Msg sent:"])
    if len(rest) == 3:
        return _name(("hostports", "version", "local-hostports"), rest)
    return _name(("hostports",) if "/" in "".join(rest) else ("text",), rest)


def _name(names: Sequence[str], tokens: Sequence[str]) -> list[tuple[str, str]]:
    """Pair names and tokens; what has no name is called by its place."""
    surplus = [f"token-{number}" for number in range(len(names) + 1, len(tokens) + 1)]
    return list(zip([*names, *surplus], tokens, strict=False))


def _described(verb: str, named: Sequence[tuple[str, str]], text: str) -> str:
    tokens = ", ".join(f"{name}={shown(value)}" for name, value in named if value)
    lines = [f"{shown(verb)} {tokens}"]
    if text:
        lines += [f"    {shown(line.rstrip())}".rstrip() for line in text.rstrip("\r\n").split("\n")]
    return "\n".join(lines)
