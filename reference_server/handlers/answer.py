"""What a callback answers: JSON as octets in, a decision out (HTTP-4 to HTTP-9).

The one spelling is ``{"action": "reject", "data": {"status": 486}}``. The document of the genuine server prints
another, which is no JSON (``{"reject": "data": {…}}``); what it means is read as well: ``{"reject": {"status": 486}}``,
with or without a ``data`` around the inner object, and ``contacts`` for the ``contact`` of a redirection. Such an
answer has ``remarks``, so that somebody may be told.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from reference_server.core.decisions import Decision, Forward, Place, Reject, ToListening, ToTagged
from reference_server.core.methods import Method
from reference_server.handlers.phrases import INTERNAL_SERVER_ERROR, PHRASES, SERVER_INTERNAL_ERROR
from reference_server.sip.messages.headers import split_values
from reference_server.sip.messages.uri import UriError, parse_address

LIMIT: Final = 1024 * 1024
"""Octets of an answer, unless it is said otherwise; the genuine server takes 16,384."""

ACTIONS: Final = ("reject", "redirect", "proxy", "route")

DEFAULT_PROVISIONAL_TIMEOUT: Final = 5.0
"""Seconds that a destination has for a first response, unless the answer says otherwise."""

_SHOWN: Final = 120
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TIMEOUT: Final = re.compile(r"([0-9]{1,9})(ms|s)")
_PLACE: Final = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?([;/].*)?", re.DOTALL
)

_Object = dict[str, object]


class AnswerError(Exception):
    """The answer cannot be understood or carried out."""

    def __init__(
        self, expected: str, came: object, reason: str = SERVER_INTERNAL_ERROR, limit: str = ""
    ) -> None:
        """``reason`` is the phrase of the 500 that the caller gets; ``limit`` names the limit that was exceeded."""
        self.limit = limit
        self.expected = expected
        shown = came if isinstance(came, str) else _json(came)
        self.came = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        self.reason = reason
        super().__init__(f"expected {expected}, got {self.came}")


class Answer(Struct, frozen=True):
    """A decision, and what was odd about how it was worded."""

    decision: Decision
    action: str
    remarks: tuple[str, ...] = ()


def read_answer(body: bytes, method: Method, most: int = LIMIT) -> Answer:
    """The decision about a request of ``method``; ``body`` has ``most`` octets at most. Raises AnswerError."""
    if len(body) > most:
        raise AnswerError(f"an answer of at most {most} bytes", "more", limit="callback-answer-limit")
    remarks: list[str] = []
    action, data = _action(_object(body), remarks)
    decision: Decision
    match action:
        case "reject":
            decision = _reject(data, method)
        case "redirect":
            decision = _redirect(data, remarks)
        case "proxy":
            decision = _forward(data, remarks)
        case _:
            decision = _route(data)
    return Answer(decision, action, tuple(remarks))


def place_of(text: str) -> Place:
    """``HOST:PORT``, ``[IPv6]:PORT``, or ``NAME``, each with ``;transport=tls`` behind it. Raises AnswerError.

    A name without a port is looked up by its SRV records; an address needs one. What else stands there, behind ``;`` or
    ``/``, means nothing, as to the genuine server.
    """
    matched = _PLACE.fullmatch(text)
    if matched is None or not _reachable(matched[2] or "", matched[3]):
        raise AnswerError("HOST:PORT or a NAME with SRV records, perhaps with ;transport=tls behind it", text)
    secure = re.search(r";transport=tls\b", matched[4] or "", re.IGNORECASE) is not None
    return Place(host=matched[1] or matched[2], port=int(matched[3] or "0"), secure=secure)


def _reachable(name: str, port: str | None) -> bool:
    return 0 < int(port) <= 65535 if port else name.strip("0123456789.") != ""


def _object(body: bytes) -> _Object:
    expected = 'JSON such as {"action": "reject", "data": {"status": 486}}'
    if not body.strip():
        raise AnswerError(expected, "nothing")
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise AnswerError(expected, f"{body[:_SHOWN].decode('utf-8', 'replace')!r} ({error})") from None
    if not isinstance(value, dict):
        raise AnswerError(expected, value)
    return value


def _action(answer: _Object, remarks: list[str]) -> tuple[str, _Object]:
    """The action, and the object that says more about it."""
    if "action" in answer:
        action = answer["action"]
        if not isinstance(action, str) or action not in ACTIONS:
            raise AnswerError(f"an action {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}", action)
        return action, _data(action, answer.get("data"))
    named = [action for action in ACTIONS if action in answer]
    if len(named) != 1:
        raise AnswerError('an object with "action" and "data"', answer)
    action = named[0]
    inner = answer[action]
    data = answer.get("data") if "data" in answer else inner
    if isinstance(data, dict) and isinstance(data.get("data"), dict):
        data = data["data"]
    remarks.append(f'{{"{action}": …}} is read as {{"action": "{action}", "data": …}}')
    return action, _data(action, data)


def _data(action: str, data: object) -> _Object:
    if not isinstance(data, dict):
        raise AnswerError(f'an object "data" beside the action {action}', data)
    return data


def _reject(data: _Object, method: Method) -> Reject:
    status = data.get("status")
    if isinstance(status, float):
        _unfit("a whole number as status", status)
    if not isinstance(status, int) or isinstance(status, bool):
        raise AnswerError("a number as status", status)
    least = 300 if method.forms_dialog else 200
    if not least <= status <= 699:
        _unfit(f"a final status from {least} to 699 for {method.name}", status)
    given = data.get("reason")
    reason = _first_line(given) if isinstance(given, str) else PHRASES.get(status, "")
    contacts: tuple[str, ...] = ()
    if 300 <= status <= 399 and ("contact" in data or "contacts" in data):
        contacts = _contacts(data["contact"] if "contact" in data else data["contacts"])
    return Reject(status=status, reason=reason, contacts=contacts)


def _redirect(data: _Object, remarks: list[str]) -> Reject:
    name = "contact"
    if name not in data and "contacts" in data:
        name = "contacts"
        remarks.append('"contacts" is read as "contact"')
    return Reject(status=302, reason="Moved", contacts=_contacts(data.get(name)))


def _forward(data: _Object, remarks: list[str]) -> Forward:
    given = data.get("destination")
    if isinstance(given, list) and given:
        destinations = _texts("destination", given)
    elif isinstance(given, str) and given:
        destinations = (_octets(given),)
    else:
        _unfit("a SIP URI or several as destination", given)

    def flag(name: str, default: bool) -> bool:
        value = data.get(name, default)
        if isinstance(value, bool):
            return value
        remarks.append(f'"{name}" is no true or false and counts as {_json(default)}')
        return default

    def seconds(name: str, default: float) -> float:
        value = data.get(name)
        if value is None:
            return default
        matched = _TIMEOUT.fullmatch(value) if isinstance(value, str) else None
        if matched is None:
            remarks.append(f'"{name}" is no text such as "5s" or "500ms" and does not count')
            return default
        return int(matched[1]) / (1000 if matched[2] == "ms" else 1)

    return Forward(
        destinations=destinations,
        record_route=flag("recordRoute", False),
        follow_redirects=flag("followRedirects", True),
        simultaneous=flag("simultaneous", False),
        provisional_timeout=seconds("provisionalTimeout", DEFAULT_PROVISIONAL_TIMEOUT),
        final_timeout=seconds("finalTimeout", 0.0),
    )


def _route(data: _Object) -> ToListening | ToTagged:
    uri, tag = data.get("uri"), data.get("tag")
    if isinstance(uri, str):
        return ToListening(places=(place_of(uri),))
    if isinstance(uri, list) and uri:
        return ToListening(places=tuple([place_of(text) for text in _texts("uri", uri)]))
    if isinstance(tag, str) and tag:
        return ToTagged(tag=_octets(tag))
    raise AnswerError('a text "uri" or "tag" to route to', data)


def _contacts(given: object) -> tuple[str, ...]:
    """Values of Contact header lines; one text may hold several, at its commas."""
    if isinstance(given, str):
        texts: tuple[str, ...] = (_octets(given),)
    elif isinstance(given, list):
        texts = _texts("contact", given)
    else:
        raise AnswerError("a URI or several as contact", given)
    return tuple([_contact(value) for text in texts for value in split_values(text)])


def _contact(value: str) -> str:
    """A bare URI gets its angle brackets; what follows it is the header field's (:rfc:`3261#section-20.10`)."""
    try:
        if _CONTROL.search(value):
            raise UriError("no control characters", ascii(value))
        address = parse_address(value)
    except UriError as error:
        raise AnswerError(f"a contact: {error.expected}", value, INTERNAL_SERVER_ERROR) from None
    if "<" in value:
        return value
    return f"<{address.uri_text}>{value[len(address.uri_text) :].strip()}"


def _texts(name: str, given: list[object]) -> tuple[str, ...]:
    texts: list[str] = []
    for one in given:
        if not isinstance(one, str):
            raise AnswerError(f"texts only in {name}", one)
        texts.append(_octets(one))
    return tuple(texts)


def _unfit(expected: str, came: object) -> NoReturn:
    raise AnswerError(expected, came, INTERNAL_SERVER_ERROR)


def _first_line(text: str) -> str:
    """What can stand in a status line: all before the first control character."""
    return _octets(_CONTROL.split(text, maxsplit=1)[0])


def _octets(text: str) -> str:
    """UTF-8, one character an octet, as SIP is held here."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _json(value: object) -> str:
    if value is None:
        return "nothing"
    return msgspec.json.encode(value).decode()
