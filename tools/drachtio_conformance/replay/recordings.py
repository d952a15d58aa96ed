"""A recording of any form that msgtrace reads, as a trace to be replayed.

The file's order is the order of things. Where it holds SIP, that is what endpoints sent and got. Where it holds frames
alone, the requests and responses that they bring from the network are what endpoints sent; what came to these is not
known then, and not compared.

Whatever the addresses were, the replay plays on loopback: each endpoint's host and port become 127.0.0.1 and a port of
five digits, everywhere in headers and tokens, and lengths follow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from drachtio_conformance.replay import files
from drachtio_conformance.replay.files import APPLICATION, Frame, SipOctets, Trace, TraceError
from drachtio_conformance.replay.order import Moment
from msgtrace.answers import Shown, seconds, shown
from msgtrace.calls import CallIndex
from msgtrace.entries import Account, EntryKind, NotARecording
from msgtrace.messages import MessageKind, split
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

_FIRST_PORT = 20_001
_SERVER_PORT = 20_000
_LOOPBACK = "127.0.0.1"
_HOSTPORT = re.compile(r"(udp|tcp|tls|ws|wss)/(\[[0-9a-fA-F:]+\]|[0-9.]+):(\d+)")
_RPORT = re.compile(r"(?<=;rport=)\d+")
_SEEN_BY_SERVER = [
    (re.compile(rf"(?i)(?<=\nVia: )([^\r\n]*?){pattern}"), instead)
    for pattern, instead in (
        (r";rport=\d+", r"\1"),
        (r";rport=\d+", r"\1;rport"),
        (r";received=[^;,\s]+", r"\1"),
        (r";received=[^;,\s]+;rport=\d+", r"\1"),
        (r";received=[^;,\s]+;rport=\d+", r"\1;rport"),
        (r";rport=\d+;received=[^;,\s]+", r"\1"),
        (r";rport=\d+;received=[^;,\s]+", r"\1;rport"),
        (r";rport=\d+(.*?);received=[^;,\s]+", r"\1;rport\2"),
    )
]
_CONTROL = frozenset(
    {MessageKind.AUTHENTICATE, MessageKind.ROUTE, MessageKind.REMOVE_ROUTE, MessageKind.PING}
)
_FROM_NETWORK = frozenset({MessageKind.NETWORK_REQUEST, MessageKind.NETWORK_RESPONSE})


class Recorded(Struct, frozen=True):
    """A trace and its entries in order; none where the order follows from the times in it."""

    trace: Trace
    moments: tuple[Moment, ...] = ()


def read(path: Path, calls: Collection[str] = (), keylog: str = "") -> Recorded:
    """Read a recording; of several ``calls`` (numbers, Call-IDs, dialog ids) only these. ``keylog`` has the keys for
    the TLS of a capture. Raises TraceError, OSError."""
    if not calls and path.name.endswith(files.LOG_SUFFIX) and files.partner(path).is_file():
        return Recorded(files.read(path))
    account = Account()
    index = CallIndex()
    source = Source(str(path), account)
    try:
        items = list(shown(read_blocks(source, account, keylog), learn=index.learn))
    except NotARecording as error:
        raise TraceError(f"{path}: {error}") from None
    finally:
        source.close()
    if calls:
        wanted = [call for call in index.calls if any(index.is_called(call, one) for one in calls)]
        if not wanted:
            raise TraceError(f"{path}: no call {', '.join(sorted(calls))} among {len(index.calls)}")
        items = [item for item in items if index.of(item) in wanted or _is_control(item, items)]
    return _recorded(items, path)


def _is_control(item: Shown, items: Sequence[Shown]) -> bool:
    """Whether it is about the admin connection: what an application asks for besides calls, and what answers that."""
    message = item.message
    if message is None:
        return False
    if message.kind in (MessageKind.OK, MessageKind.NO, MessageKind.NOK) and not message.content:
        asked = items[item.answers - 1] if 0 < item.answers <= len(items) else None
        asked = (
            asked if asked is not None and asked.number == item.answers else _numbered(items, item.answers)
        )
        return asked is not None and _is_control(asked, items)
    return message.kind in _CONTROL


def _numbered(items: Iterable[Shown], number: int) -> Shown | None:
    return next((item for item in items if item.number == number and item.message is not None), None)


def _recorded(items: Sequence[Shown], path: Path) -> Recorded:
    messages = [item for item in items if item.entry.kind in (EntryKind.FRAME, EntryKind.SIP)]
    two_sided = any(item.entry.kind is EntryKind.SIP for item in messages)
    if not any(item.message is not None for item in messages):
        raise TraceError(f"{path}: no frames are in it, so there is no application to be played")
    for item in messages:
        if item.entry.missing:
            raise TraceError(
                f"{path}: {item.entry.where}: the message lacks its end, so it cannot be sent again"
            )
    addresses = _Addresses(messages)
    connections = list(dict.fromkeys(item.entry.connection for item in messages if item.message is not None))
    names = {
        name: APPLICATION if len(connections) == 1 else f"{APPLICATION}{number}"
        for number, name in enumerate(connections, 1)
    }
    moments: list[Moment] = []
    for item, clock in zip(messages, _times(messages), strict=True):
        if item.message is None:
            if (told := addresses.octets(item, clock)) is not None:
                moments.append(Moment(clock, told))
            continue
        if not two_sided and (told := addresses.brought(item, clock)) is not None:
            moments.append(Moment(clock, told))
        frame = Frame(
            application=names[item.entry.connection],
            from_server=bool(item.from_server),
            payload=addresses.payload(item),
            entry=f"log {item.number}",
            line=item.entry.line,
        )
        moments.append(Moment(clock, frame))
    trace = Trace(
        name=path.name.split(".")[0] or path.name,
        frames=tuple(one.entry for one in moments if isinstance(one.entry, Frame)),
        sip=tuple(one.entry for one in moments if isinstance(one.entry, SipOctets)),
        one_sided=not two_sided,
    )
    return Recorded(trace, tuple(moments))


def _times(items: Sequence[Shown]) -> list[float]:
    """When each happened, in the order of the file. What has no time came when it was answered, or with the next."""
    answered = {item.answers: at for item in items if item.answers and (at := _time(item)) is not None}
    times: list[float] = []
    following = max((at for item in items if (at := _time(item)) is not None), default=0.0)
    for item in reversed(items):
        at = _time(item)
        at = answered.get(item.number) if at is None else at
        following = following if at is None else min(at, following)
        times.append(following)
    return times[::-1]


def _time(item: Shown) -> float | None:
    message = item.message
    told = item.entry.time or (message.get("time") if message is not None else "")
    return seconds(told) if told else None


def _as_it_came(content: str, length: str) -> str:
    """A message as it was before the server wrote into its topmost Via what it saw (RFC 3261 §18.2.1, RFC 3581 §4)."""
    head, blank, rest = content.partition("\r\n\r\n")
    for pattern, instead in _SEEN_BY_SERVER:
        tried = f"{pattern.sub(instead, head, count=1)}{blank}{rest}"
        if str(len(tried)) == length:
            return tried
    return content


class _Addresses:
    """Who was where, and where the replay puts them."""

    def __init__(self, items: Sequence[Shown]) -> None:
        self._transports: dict[tuple[str, str], str] = {}
        self._servers: dict[tuple[str, str], None] = {}
        for item in items:
            self._learn(item)
        endpoints = [one for one in self._transports if one not in self._servers]
        ports = [int(port) for _, port in endpoints]
        plain = all(host == _LOOPBACK for host, _ in [*endpoints, *self._servers])
        self._stays = plain and len({*ports}) == len(ports) and all(len(str(port)) == 5 for port in ports)
        self._ports = {
            one: int(one[1]) if self._stays else _FIRST_PORT + number for number, one in enumerate(endpoints)
        }
        self._names = {
            one: "phone" if not number else f"phone-{number + 1}" for number, one in enumerate(endpoints)
        }
        hosts = {host for host, _ in [*endpoints, *self._servers]}
        known = "|".join(re.escape(host) for host in sorted(hosts, key=len, reverse=True))
        self._pattern = (
            re.compile(rf"(?<![0-9A-Za-z.-])({known})(?::(\d+))?(?![0-9A-Za-z.-])") if known else None
        )

    def _learn(self, item: Shown) -> None:
        entry, message = item.entry, item.message
        if message is None:
            if found := _HOSTPORT.fullmatch(
                entry.peer or (entry.target if entry.from_server else entry.source)
            ):
                self._transports.setdefault((found[2], found[3]), found[1])
            own = entry.source if entry.from_server else entry.target
            if entry.from_server is not None and (found := _HOSTPORT.fullmatch(own)):
                self._servers[found[2], found[3]] = None
        elif message.get("address") and message.get("port").isdecimal():
            transport = message.get("transport") or "udp"
            self._transports.setdefault((message.get("address"), message.get("port")), transport)
        elif message.kind is MessageKind.OK and message.get("hostports"):
            for found in _HOSTPORT.finditer(message.get("hostports")):
                self._servers[found[2], found[3]] = None

    def _moved(self, text: str) -> str:
        """A head of a message, or a token, with the addresses of the replay."""
        if self._stays or self._pattern is None:
            return text
        return _RPORT.sub(self._port_alone, self._pattern.sub(self._address, text))

    def _port_alone(self, found: re.Match[str]) -> str:
        """The port that a server wrote into a Via: of the endpoint that has it."""
        return str(next((new for (_, old), new in self._ports.items() if old == found[0]), found[0]))

    def _address(self, found: re.Match[str]) -> str:
        host, port = found[1], found[2]
        before = found.string[max(0, found.start() - 9) : found.start()]
        if port is None and before.endswith("received="):
            return _LOOPBACK
        port = port or "5060"
        if (host, port) in self._servers:
            return f"{_LOOPBACK}:{_SERVER_PORT}"
        return f"{_LOOPBACK}:{self._ports[host, port]}" if (host, port) in self._ports else _LOOPBACK

    def _message(self, text: str) -> str:
        head, blank, body = text.partition("\r\n\r\n")
        return f"{self._moved(head)}{blank}{body}"

    def octets(self, item: Shown, at: float) -> SipOctets | None:
        """SIP that was recorded; None of what is not known to have been sent or got by an endpoint."""
        entry = item.entry
        remote = entry.peer or (entry.target if entry.from_server else entry.source)
        found = _HOSTPORT.fullmatch(remote)
        if found is None or entry.from_server is None or not entry.data.strip():
            return None
        return self._sip((found[2], found[3]), item, from_server=entry.from_server, raw=entry.data, at=at)

    def brought(self, item: Shown, at: float) -> SipOctets | None:
        """What an endpoint sent, as the frame tells that brings it to an application."""
        message = item.message
        if message is None or message.kind not in _FROM_NETWORK or not message.get("address"):
            return None
        where = (message.get("address"), message.get("port"))
        raw = _as_it_came(message.content, message.get("length"))
        return self._sip(where, item, from_server=False, raw=raw, at=at)

    def _sip(
        self, where: tuple[str, str], item: Shown, *, from_server: bool, raw: str, at: float
    ) -> SipOctets:
        transport = self._transports.get(where, "udp")
        return SipOctets(
            at=at,
            endpoint=self._names[where],
            transport="udp" if transport == "udp" else "tcp",
            port=self._ports[where],
            server_port=0 if self._stays else _SERVER_PORT,
            from_server=from_server,
            raw=self._message(raw),
            entry=f"sip {item.number}",
            line=item.entry.line,
        )

    def payload(self, item: Shown) -> str:
        """A frame's payload with the addresses of the replay, and the length that follows from them."""
        message = item.message
        if self._stays or message is None:
            return item.entry.data
        values, content = split(item.entry.data)
        moved = self._message(content)
        host, port = message.get("address"), message.get("port")
        for index, token in enumerate(message.tokens):
            if token.name in ("address", "local-address"):
                values[index] = _LOOPBACK if token.value else ""
            elif token.name == "port" and (host, port) in self._ports:
                values[index] = str(self._ports[host, port])
            elif token.name == "local-port" and token.value:
                values[index] = str(_SERVER_PORT)
            elif token.name == "length" and token.value.isdecimal():
                came = _as_it_came(content, token.value) if message.kind in _FROM_NETWORK else content
                values[index] = str(int(token.value) + len(self._message(came)) - len(came))
            else:
                values[index] = self._moved(token.value)
        meta = "|".join(values)
        return f"{meta}\r\n{moved}" if "\r\n" in item.entry.data else meta
