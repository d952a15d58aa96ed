"""What a proxy does to the text of a message (RFC 3261 §16.6, §16.7): as little as it can.

The lines of a request stay as they came and where they came. A Via of ours goes above the others, a Record-Route below
them, Max-Forwards is one less, routes that named us are gone. What all copies of one request share is made once; a copy
adds its Request-URI, Via and Record-Route. A response loses its topmost Via and nothing else.

Header lines that are folded come out on one line, and what is no header line, or lies behind the body, stays behind:
the next element must not see another message than we did.
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_server.sip.messages.concessions import elements
from reference_server.sip.messages.draft import Draft
from reference_server.sip.messages.field_names import field_name
from reference_server.sip.messages.headers import HEADERS, Header, Repetition, split_values
from reference_server.sip.messages.message import LONGEST_NUMBER, Request, Response
from reference_server.sip.messages.uri import tag_of

DEFAULT_MAX_FORWARDS = 70
"""For a request that came without (§16.6 step 3), and the most that one leaves with is one less."""

_KEPT = frozenset({"Call-ID", "CSeq", "Max-Forwards"})
"""What belongs to the caller's transaction: an application's value would make it another one."""

_Line = tuple[str, str]
"""(lower-case name, whole line) of a header field"""


def forwards_left(request: Request) -> int:
    """The Max-Forwards of ``request``, 70 if it has none or a greater one (§16.3 step 3).

    A greater one serves nobody but who has a message run in circles, through routes that name us time and again.
    """
    value = request.get("max-forwards")
    if not value.isdecimal() or len(value) > LONGEST_NUMBER:
        return DEFAULT_MAX_FORWARDS
    return min(int(value), DEFAULT_MAX_FORWARDS)


class ForwardedRequest:
    """A request on its way: what its copies have in common."""

    __slots__ = ("_lines", "_others", "_tail", "_vias", "call_id", "cseq", "from_", "method", "routes", "to")

    def __init__(
        self,
        request: Request,
        completed_via: str,
        *,
        routes: list[str] | None = None,
        added: Draft | None = None,
    ) -> None:
        """``completed_via`` is the first Via line's value with what we know of its sender (§18.2.1).

        ``routes`` replace the Route values that came; None leaves them. ``added`` are an application's headers.
        """
        vias: list[str] = []
        others: list[_Line] = []
        counted = ""
        for line in request.lines[1:]:
            name = field_name(line.partition(":")[0])
            if name == "via":
                vias.append(line if vias else f"Via: {completed_via}")
            elif name != "max-forwards":
                others.append((name, line))
            elif not counted:
                counted = f"Max-Forwards: {forwards_left(request) - 1}"
                others.append((name, counted))
        if not counted:
            others.insert(0, ("max-forwards", f"Max-Forwards: {DEFAULT_MAX_FORWARDS}"))
        if routes is not None:
            _replace_routes(others, routes)
        self.from_, self.to = request.get("from"), request.get("to")
        if added is not None and (added.fields or added.others):
            _add(others, added)
            first = dict(reversed(others))
            self.from_, self.to = _value(first["from"]), _value(first["to"])
        if "content-length" not in request.first:
            others.append(("content-length", f"Content-Length: {len(request.body)}"))
        self._lines = others
        self.method = request.method
        self.call_id, self.cseq = request.get("call-id"), request.cseq_number
        self.routes = ""
        if routes is not None or "route" in request.first:
            self.routes = "".join([f"{line}\r\n" for name, line in others if name == "route"])
        self._vias = "\r\n".join(vias)
        self._others = _joined(others)
        self._tail = f"\r\n\r\n{request.body}"

    def come_back_by(self, path: str) -> None:
        """Have a REGISTER name this server, by the Path value ``path``, in the copies from now on (RFC 3327 §5.2)."""
        lines = list(self._lines)
        _ask_to_come_back(lines, path)
        self._others = _joined(lines)

    def copy(self, uri: str, via: str, record_routes: str = "") -> str:
        """One copy; ``record_routes`` are complete header lines."""
        return f"{self.method} {uri} SIP/2.0\r\nVia: {via}\r\n{self._vias}\r\n{record_routes}{self._others}{self._tail}"

    def cancel(self, uri: str, via: str, reasons: Iterable[str] = ()) -> str:
        """The CANCEL of the copy with the same ``uri`` and ``via`` (§9.1), with Reason values (RFC 3326 §2)."""
        given = "".join([f"Reason: {reason}\r\n" for reason in reasons])
        return self._hop_by_hop("CANCEL", uri, via, to=self.to, extra=given)

    def ack(self, uri: str, via: str, failure: Response) -> str:
        """The ACK that a failure of the copy with the same ``uri`` and ``via`` gets (§17.1.1.3)."""
        return self._hop_by_hop("ACK", uri, via, to=failure.get("to") or self.to)

    def _hop_by_hop(self, method: str, uri: str, via: str, *, to: str, extra: str = "") -> str:
        return (
            f"{method} {uri} SIP/2.0\r\nVia: {via}\r\n{self.routes}Max-Forwards: 70\r\nFrom: {self.from_}\r\n"
            f"To: {to}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.cseq} {method}\r\n{extra}Content-Length: 0\r\n\r\n"
        )


def forwarded_response(response: Response, stream: bool) -> str:
    """A response without its topmost Via, as the element below sees it (§16.7 step 3).

    ``stream``: it leaves by a transport on which Content-Length must say where the next message begins (§18.3).
    """
    text, lines = response.text, response.lines
    via = lines[1] if len(lines) > 1 else ""
    if (
        not stream
        and via.startswith("Via: ")
        and "," not in via
        and text.startswith(via, len(lines[0]) + 2)
        and text.find("\r\n\r\n") + 4 + len(response.body) == len(text)
    ):
        return f"{lines[0]}{text[len(lines[0]) + 2 + len(via) :]}"
    kept = [lines[0]]
    found = False
    for line, (name, value) in zip(lines[1:], response.fields, strict=True):
        if name == "via" and not found:
            found = True
            below = split_values(value)[1:]
            if below:
                kept.append(f"Via: {', '.join(below)}")
        elif name != "content-length":
            kept.append(line)
    return "\r\n".join([*kept, f"Content-Length: {len(response.body)}", "", response.body])


def via_values(message: Request | Response) -> list[str]:
    """Every Via value, topmost first."""
    return [value for line in message.all("via") for value in split_values(line)]


def route_values(request: Request) -> list[str]:
    """Every Route value, topmost first."""
    return [value for line in request.all("route") for value in elements(line)]


def _joined(lines: list[_Line]) -> str:
    return "\r\n".join([line for _, line in lines])


def _value(line: str) -> str:
    return line.partition(":")[2].strip(" \t")


def _places(lines: list[_Line], name: str) -> list[int]:
    return [index for index, (known, _) in enumerate(lines) if known == name]


def _place_for(lines: list[_Line], header: Header) -> int:
    """Where a field that is not there yet goes: before the first one that the table of fields has behind it."""
    for index, (name, _) in enumerate(lines):
        known = HEADERS.get(name)
        if known is not None and known.rank > header.rank:
            return index
    return len(lines)


def _replace_routes(lines: list[_Line], routes: list[str]) -> None:
    at = next(iter(_places(lines, "route")), 0)
    lines[:] = [
        *lines[:at],
        *(("route", f"Route: {value}") for value in routes),
        *(line for line in lines[at:] if line[0] != "route"),
    ]


def _add(lines: list[_Line], added: Draft) -> None:
    """Put an application's headers in: what can be there once is replaced, lists and unknown fields grow (PROXY-6)."""
    for header, values in sorted(added.fields.items(), key=lambda item: item[0].rank):
        if header.name in _KEPT:
            continue
        name = header.name.lower()
        places = _places(lines, name)
        if name in ("from", "to"):
            given = f"{header.name}: {_with_tag_of(_value(lines[places[0]][1]), values[0])}"
            lines[:] = [
                (name, given) if at == places[0] else line
                for at, line in enumerate(lines)
                if at == places[0] or line[0] != name  # a second one, equal to the first, would undo it
            ]
        elif places and header.repetition is Repetition.MERGED:
            lines[places[-1]] = (name, f"{lines[places[-1]][1]}, {values[0]}")
        else:
            single = header.repetition is Repetition.LAST or name == "contact"
            at = _place_for(lines, header) if not places else places[0] if single else places[-1] + 1
            if single:
                lines[:] = [line for line in lines if line[0] != name]
            lines[at:at] = [(name, f"{header.name}: {value}") for value in values]
    for other in added.others:
        lines.append((other.partition(":")[0].lower(), other.removesuffix("\r\n")))


def _with_tag_of(received: str, given: str) -> str:
    """The application's From or To with the tag that came, or without one if none came: tags name the dialog."""
    address = given
    start = given.rfind(">") + 1
    semicolon = given.find(";", start)
    if semicolon >= 0:
        parameters = [one for one in given[semicolon + 1 :].split(";") if not _is_tag(one)]
        address = ";".join([given[:semicolon], *parameters])
    if not start:
        uri, _, parameters_of_header = address.partition(";")
        address = f"<{uri}>{';' if parameters_of_header else ''}{parameters_of_header}"
    tag = tag_of(received)
    return f"{address};tag={tag}" if tag else address


def _is_tag(parameter: str) -> bool:
    return parameter.partition("=")[0].strip().lower() == "tag"


def _ask_to_come_back(lines: list[_Line], path: str) -> None:
    for name, value in (("require", "path"), ("path", path)):
        header = HEADERS[name]
        places = _places(lines, name)
        if name == "path":  # above the others, as a Record-Route is
            lines.insert(places[0] if places else _place_for(lines, header), (name, f"Path: {value}"))
        elif not places:
            lines.insert(_place_for(lines, header), (name, f"Require: {value}"))
        elif all(value not in split_values(_value(lines[at][1]).lower()) for at in places):
            lines[places[-1]] = (name, f"{lines[places[-1]][1]}, {value}")
