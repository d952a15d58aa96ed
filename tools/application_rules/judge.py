"""Hears every frame of the connections of one server, and says which rules an application has broken.

A rule that had to be looked at counts as *exercised*, so that one can say what a recording or a test run has tried at
all. What an application owes at the moment is in :meth:`Judge.debts`; whether it is late is for the listener to say.
"""

from __future__ import annotations

import re
from collections import Counter, deque

from msgspec import Struct, field

from application_rules.calls import Calls, Incoming, Outgoing
from application_rules.payload import Payload, read
from application_rules.rules import RULES, Problem

_TYPES = frozenset({"authenticate", "ping", "route", "remove_route", "sip", "proxy"})
_ROUTABLE = frozenset({"invite", "register", "message", "options", "info", "notify", "subscribe", "publish"})
_PROXY_OPTIONS = {3: ("remainInDialog",), 4: ("fullResponse",), 5: ("followRedirects",)}
_PROXY_ORDERS = ("serial", "simultaneous", "")
_TIMEOUT = re.compile(r"(?:[0-9]+(?:ms|s)|undefined|)")
_LARGEST = 12228
"""octets of a payload that the genuine server takes (DEV-7)"""
_LONGEST_ID = 127
_MOST_DESTINATIONS = 10
_IDS_REMEMBERED = 1000
_UNSOLICITED = "unsolicited"


class _Pending(Struct):
    """A frame of the application that is not answered yet."""

    kind: str
    """its type, and of ``sip`` what it carries: ``response``, ``request``"""
    payload: Payload


class _Connection(Struct):
    """What a judge knows of one connection."""

    authenticating: bool = False
    authenticated: bool = False
    pending: dict[str, _Pending] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)
    """routed verbs, and how many requests came for each"""
    ids: deque[str] = field(default_factory=lambda: deque(maxlen=_IDS_REMEMBERED))


class Judge:
    """The applications of one server."""

    def __init__(self, *, complete: bool = True) -> None:
        """``complete``: everything since the server's start is heard; else ids that are not known are not judged."""
        self.exercised: Counter[str] = Counter()
        """by clause, how often one of its rules was looked at"""
        self.broken: Counter[str] = Counter()
        """by clause"""
        self._complete = complete
        self._connections: dict[int, _Connection] = {}
        self._calls = Calls()
        self._found: list[Problem] = []
        self._at = 0

    # What is heard

    def sent(self, connection: int, payload: str) -> list[Problem]:
        """An application has sent a payload (wire text). Returns what is wrong with it."""
        self._at = connection
        known = self._connections.setdefault(connection, _Connection(authenticated=not self._complete))
        self._judge_sent(known, payload)
        return self._told()

    def received(self, connection: int, payload: str) -> list[Problem]:
        """An application has been sent a payload. Returns what turns out to have been wrong."""
        self._at = connection
        known = self._connections.setdefault(connection, _Connection(authenticated=not self._complete))
        message = read(payload)
        match message.token(1):
            case "response":
                self._answer(known, message)
            case "sip":
                if message.token(2) == "application":
                    self._calls.end(message.token(9), "the server sent a BYE of its own")
                elif message.is_response:
                    self._response_came(message)
                else:
                    self._request_came(known, message)
        return self._told()

    def broke(self, connection: int, octets: str) -> list[Problem]:
        """An application has sent octets that are no frame."""
        self._at = connection
        self._check("no-frame", False, f"{octets[:40]!r} is no frame")
        return self._told()

    def counted(self, connection: int, unit: str) -> list[Problem]:
        """The count of a frame that is not plain ASCII is one of this ``unit``, ``bytes`` where it is right."""
        self._at = connection
        self._check("count-of-characters", unit == "bytes", f"the count is of {unit}")
        return self._told()

    def left(self, connection: int) -> list[Problem]:
        """A connection has ended: what it owed nobody will get; the server has answered in its place (CONN-3)."""
        self._at = connection
        known = self._connections.pop(connection, None)
        if known is None:
            return []
        for verb, came in known.routes.items():
            self._check("route-never-used", came > 0, f"{verb} was routed, and none came")
        calls = self._calls
        for transaction in [key for key, one in calls.incoming.items() if one.connection == connection]:
            calls.answered[transaction] = calls.incoming.pop(transaction)
        for transaction in [key for key, one in calls.outgoing.items() if one.connection == connection]:
            calls.ended[transaction] = calls.outgoing.pop(transaction)
        return self._told()

    def given_up(self, connection: int, method: str, transaction: str) -> list[Problem]:
        """The server has answered a request in the place of its application, which never did (CALL-10)."""
        self._at = connection
        if (request := self._calls.incoming.pop(transaction, None)) is not None:
            request.over = True
            self._calls.answered[transaction] = request
        self._check("never-answered", False, f"{method} was left until the server answered 504")
        return self._told()

    def nobody_routed(self, verb: str) -> list[Problem]:
        """The server has refused a request that no application has routed (CALL-2)."""
        self._at = 0
        self._check("nobody-routed", False, f"{verb} came, and no application has routed it")
        return self._told()

    def debts(self) -> list[Problem]:
        """What is owed at the moment: problems if it stays so. Does not count as exercised."""
        found: list[Problem] = []
        for request in self._calls.incoming.values():
            if not request.over and not request.asked:
                what = f"{request.method} has no final response"
                found.append(Problem(RULES["never-answered"], request.connection, what))
        for name, dialog in self._calls.dialogs.items():
            if dialog.ack_due:
                found.append(Problem(RULES["no-ack"], 0, f"a 2xx in {name} has no ACK"))
            if dialog.pracks_due and not dialog.answered:
                what = f"the provisional response {dialog.pracks_due[0]} in {name} has no PRACK"
                found.append(Problem(RULES["no-prack"], 0, what))
        return found

    # What an application sends

    def _judge_sent(self, known: _Connection, payload: str) -> None:
        message = read(payload)
        if not payload:
            self._check("empty-frame", False, "0# is an empty frame")
            return
        shown = "|".join(message.tokens[1:3]) if message.token(1) != "authenticate" else "authenticate"
        if not self._check("too-few-tokens", len(message.tokens) > 1, f"{payload[:40]!r} has one token"):
            return
        self._message_id(known, message.token(0), shown)
        self._check("frame-too-large", len(payload) <= _LARGEST, f"{shown} has {len(payload)} octets")
        kind = message.token(1)
        if not self._check("unknown-type", kind in _TYPES, f"there is no type {kind!r}"):
            return
        if kind == "authenticate":
            known.authenticating = True
        else:
            early = "before the answer to authenticate" if known.authenticating else "before authenticate"
            self._check("not-authenticated", known.authenticated, f"{shown} was sent {early}")
        if message.start:
            self._sip_text(message)
        match kind:
            case "route" | "remove_route":
                self._route(known, message)
            case "sip":
                kind = self._sip(message)
            case "proxy":
                self._proxy(message)
        known.pending[message.token(0)] = _Pending(kind, message)

    def _message_id(self, known: _Connection, message_id: str, shown: str) -> None:
        fits = 0 < len(message_id) <= _LONGEST_ID
        self._check("id-too-long", fits, f"the id of {shown} has {len(message_id)} octets")
        if self._check(
            "id-pending", message_id not in known.pending, f"{shown} has the id of a frame under way"
        ):
            self._check("id-again", message_id not in known.ids, f"{shown} has the id of an earlier frame")
        known.ids.append(message_id)

    def _sip_text(self, message: Payload) -> None:
        head = message.content[: len(message.content) - len(message.body)]
        lines = head.replace("\r\n", "")
        self._check(
            "not-a-line-end", "\n" not in lines and "\r" not in lines, f"{message.start[:60]!r} has others"
        )
        self._check("stray-octet", "\x00" not in head, f"{message.start[:60]!r} has a NUL in its headers")
        for line in message.dropped:
            self._check("dropped-header", False, f"the header line {line[:60]!r} is dropped")
        if message.folded:
            self._check("folded-header", False, f"{message.start[:60]!r} has a folded header")
        if message.body and message.token(1) == "sip":
            typed = message.has("content-type") or message.body.startswith("v=0")
            self._check("body-without-type", typed, f"{message.start[:60]!r} has a body of no type")

    def _route(self, known: _Connection, message: Payload) -> None:
        verb = message.token(2)
        if not self._check("no-verb", bool(verb), f"{message.token(1)} names no verb"):
            return
        if not self._check("several-verbs", re.search(r"[,; ]", verb) is None, f"{message.token(1)}|{verb}"):
            return
        lower = self._check(
            "verb-in-capitals", verb == verb.lower(), f"{message.token(1)}|{verb} matches no request"
        )
        if message.token(1) == "remove_route":
            known.routes.pop(verb, None)
            return
        if lower:
            self._check(
                "unknown-verb", verb in _ROUTABLE, f"route|{verb}: no request of that kind ever comes"
            )
        self._check("routed-twice", verb not in known.routes, f"{verb} was routed already")
        known.routes.setdefault(verb, 0)

    def _sip(self, message: Payload) -> str:
        if message.is_response:
            self._response_sent(message)
            return "response"
        if message.token(3):
            self._request_in_dialog(message)
        elif message.token(2):
            self._by_transaction(message)
        else:
            self._request_outside(message)
        return "request"

    def _response_sent(self, message: Payload) -> None:
        transaction, status, shown = message.token(2), message.status, message.start[:60]
        self._check(
            "status-line", re.match(r"SIP/2\.0 [1-6][0-9]{2}( |\Z)", message.start) is not None, repr(shown)
        )
        if not self._check("no-transaction", bool(transaction), f"{shown} names no request"):
            return
        request = self._calls.incoming.get(transaction)
        if request is None:
            self._answer_to_no_open(transaction, shown)
            return
        needed = request.method not in ("ACK", "CANCEL")
        if not self._check("needs-no-answer", needed, f"{shown} answers a {request.method}"):
            return
        if status < 200:
            fits = request.method == "INVITE" or status == 100
            self._check("provisional-to-others", fits, f"{shown} answers {request.method}")
            self._check("answered-twice", not request.asked, f"{shown} comes behind the final response")
            return
        self._check("answered-twice", not request.asked, f"{shown} comes behind a final response or proxy")
        request.asked += 1

    def _answer_to_no_open(self, transaction: str, shown: str) -> None:
        """A response to what waits for none."""
        done = self._calls.answered.get(transaction)
        if transaction == _UNSOLICITED:
            self._check("needs-no-answer", False, f"{shown} answers a request that the server has sent")
        elif done is None:
            self._check(
                "unknown-transaction", not self._complete, f"{shown} names {transaction!r}, which never came"
            )
        elif done.method in ("ACK", "CANCEL"):
            self._check("needs-no-answer", False, f"{shown} answers a {done.method}")
        else:
            self._check(
                "answered-twice", done.over, f"{shown} comes behind the final response to {done.method}"
            )

    def _request_in_dialog(self, message: Payload) -> None:
        calls, dialog_id, method = self._calls, message.token(3), message.method
        if method == "CANCEL":
            self._check("cancel-by-dialog", False, f"CANCEL names the dialog {dialog_id}")
            return
        self._check("both-ids", not message.token(2), f"{method} names a transaction and a dialog")
        if dialog_id in calls.forgotten:
            return
        if not calls.known(dialog_id):
            self._check(
                "unknown-dialog",
                not self._complete,
                f"{method} names {dialog_id!r}, which the server never gave",
            )
            return
        why = calls.over.get(dialog_id) if dialog_id not in calls.dialogs else None
        if why is not None and method == "ACK":
            self._check("stray-ack", False, f"ACK in {dialog_id}: {why}")
            return
        if not self._check("dialog-over", why is None, f"{method} in {dialog_id}: {why}"):
            return
        dialog = calls.dialog(dialog_id)
        match method:
            case "ACK":
                if self._check("stray-ack", dialog.ack_due > 0, f"ACK in {dialog_id}, where none is due"):
                    self._pass("no-ack")
                    dialog.ack_due -= 1
            case "PRACK":
                acknowledged = message.header("rack").partition(" ")[0]
                if acknowledged in dialog.pracks_due:
                    self._pass("no-prack")
                    dialog.pracks_due.remove(acknowledged)
            case "INVITE":
                free = not dialog.invites and not dialog.ack_due and dialog.acknowledged
                self._check("invite-in-invite", free, f"INVITE in {dialog_id}, where another is open")
            case "BYE":
                self._check(
                    "bye-before-ack", dialog.acknowledged, f"BYE in {dialog_id} ahead of the caller's ACK"
                )
                self._check("no-ack", not dialog.ack_due, f"BYE in {dialog_id} ahead of the ACK of the 2xx")

    def _by_transaction(self, message: Payload) -> None:
        transaction = message.token(2)
        if message.method != "CANCEL":
            self._check(
                "unknown-dialog", False, f"{message.method} names a transaction, {transaction}, and no dialog"
            )
            return
        self._pass("cancel-by-dialog")
        named = transaction in self._calls.outgoing or transaction in self._calls.ended
        what = f"CANCEL names {transaction!r}, which is no request of the application's"
        self._check("unknown-transaction", named or not self._complete, what)

    def _request_outside(self, message: Payload) -> None:
        calls, method, call = self._calls, message.method, message.call
        scheme = message.uri.lstrip("<").partition(":")[0].lower()
        self._check("scheme", scheme in ("sip", "sips"), f"{method} {message.uri[:60]}")
        lonely = method not in ("ACK", "CANCEL", "PRACK", "BYE")
        if not self._check("outside-dialogs", lonely, f"{method} names neither dialog nor transaction"):
            return
        if method in ("INVITE", "SUBSCRIBE") and call:
            same = any(one.call == call and one.method == method for one in calls.outgoing.values())
            self._check(
                "call-twice", not same, f"{method} has Call-ID and From tag of one that is open, {call}"
            )
        if message.has("authorization") or message.has("proxy-authorization"):
            before = calls.challenged.get(call) if call else None
            next_one = before is not None and message.sequence is not None and message.sequence > before
            what = (
                f"{method} with credentials has Call-ID, From tag and CSeq of no request that was challenged"
            )
            self._check("credentials", next_one or not self._complete, what)

    def _proxy(self, message: Payload) -> None:
        tokens = message.tokens
        destinations = [token for token in tokens[9:] if token]
        enough = len(tokens) >= 10 and bool(destinations)
        if not self._check("proxy-tokens", enough, f"proxy has {len(tokens)} tokens"):
            return
        for index, words in _PROXY_OPTIONS.items():
            fits = tokens[index] in ("", *words)
            self._check(
                "proxy-option", fits, f"{tokens[index]!r} stands where {words[0]} or nothing is known"
            )
        self._check(
            "proxy-option",
            tokens[6] in _PROXY_ORDERS,
            f"{tokens[6]!r} stands where serial or simultaneous is known",
        )
        for index in (7, 8):
            fits = _TIMEOUT.fullmatch(tokens[index]) is not None
            self._check("proxy-timeout", fits, f"{tokens[index]!r} is no timeout")
        self._check(
            "too-many-destinations", len(destinations) <= _MOST_DESTINATIONS, f"there are {len(destinations)}"
        )
        request = self._calls.incoming.get(tokens[2])
        if request is None:
            if tokens[2] not in self._calls.answered:
                what = f"proxy names {tokens[2]!r}, which never came"
                self._check("unknown-transaction", not self._complete, what)
            return
        self._check(
            "answered-twice", not request.asked, f"proxy comes behind a final response to {request.method}"
        )
        request.asked += 1

    # What comes to an application

    def _answer(self, known: _Connection, message: Payload) -> None:
        """``response``: the frame that it answers is pending no more, and what it asked for is done, or not."""
        pending = known.pending.get(message.token(2))
        if pending is None:
            return
        result, asked = message.token(3), pending.payload
        if not (pending.kind == "proxy" and message.tokens[-1] == "continue"):
            del known.pending[message.token(2)]
        if result == "OK":
            if pending.kind == "authenticate":
                known.authenticated = True
                self._pass("not-authenticated")
            elif pending.kind == "response":
                self._response_left(asked, message)
            elif pending.kind == "request":
                self._request_left(asked, message)
            elif pending.kind == "proxy" and asked.token(2) in self._calls.incoming:
                self._done(asked.token(2))
        elif result == "NOK":
            self._not_done(pending, message)

    def _not_done(self, pending: _Pending, message: Payload) -> None:
        asked = pending.payload
        text = "|".join(message.tokens[4:])
        if pending.kind in ("response", "proxy"):
            request = self._calls.incoming.get(asked.token(2))
            if request is not None and (pending.kind == "proxy" or asked.status >= 200):
                request.asked -= 1
        elif "unable to find dialog" in text and asked.token(3) in self._calls.dialogs:
            self._calls.end(asked.token(3), "the server said that it knows no such dialog")

    def _response_left(self, asked: Payload, echo: Payload) -> None:
        """A response of the application has been sent."""
        calls, transaction, status = self._calls, asked.token(2), asked.status
        request = calls.incoming.get(transaction)
        if request is None:
            return
        dialog_id = echo.token(11)
        if dialog_id and 100 < status < 300 and request.method != "BYE" and not request.over:
            dialog = calls.dialog(dialog_id)
            dialog.answered |= status >= 200
            if request.method == "INVITE":
                request.dialog = dialog_id
                dialog.invites.add(transaction)
                if status >= 200:
                    dialog.acknowledged = False
        if status >= 200:
            self._done(transaction)
            known = calls.dialogs.get(dialog_id)
            if request.method == "INVITE" and status >= 300 and known is not None and not known.answered:
                calls.end(dialog_id, f"the INVITE was answered {status}")

    def _done(self, transaction: str) -> None:
        """A request has its final response."""
        request = self._calls.incoming.pop(transaction)
        self._pass("never-answered")
        self._pass("answered-twice")
        self._calls.answered[transaction] = request
        if request.dialog in self._calls.dialogs:
            self._calls.dialogs[request.dialog].invites.discard(transaction)

    def _request_left(self, asked: Payload, echo: Payload) -> None:
        """A request of the application has been sent; the echo tells its transaction."""
        calls, method, transaction = self._calls, asked.method, echo.token(10)
        if method in ("ACK", "CANCEL"):
            return
        names = echo.lists("supported", "100rel") or echo.lists("require", "100rel")
        calls.outgoing[transaction] = Outgoing(
            self._at, method, asked.token(3), echo.call, echo.sequence, names and method == "INVITE"
        )
        if method == "INVITE" and asked.token(3) in calls.dialogs:
            calls.dialogs[asked.token(3)].invites.add(transaction)

    def _response_came(self, message: Payload) -> None:
        calls, transaction, status, dialog_id = (
            self._calls,
            message.token(8),
            message.status,
            message.token(9),
        )
        request = calls.outgoing.get(transaction) or calls.ended.get(transaction)
        if request is None:
            return
        if 100 < status < 300 and transaction in calls.outgoing and not request.dialog:
            calls.over.forget(dialog_id)  # another try, with credentials, has the same dialog id (OUT-20)
        if dialog_id and 100 < status < 300 and dialog_id not in calls.over:
            dialog = calls.dialog(dialog_id)
            if request.method == "INVITE" and status >= 200 and not _repeated(request, status):
                dialog.ack_due += 1
            dialog.answered |= status >= 200
            if status < 200 and request.names_100rel and message.lists("require", "100rel"):
                number = message.header("rseq")
                if number not in dialog.pracks_due:
                    dialog.pracks_due.append(number)
        if status < 200:
            return
        request.status = status
        self._request_over(transaction, request, message)

    def _request_over(self, transaction: str, request: Outgoing, message: Payload) -> None:
        """A request of the application has its final response."""
        calls, status, dialog_id = self._calls, message.status, message.token(9)
        if calls.outgoing.pop(transaction, None) is not None:
            calls.ended[transaction] = request
        for known in {dialog_id, request.dialog} & calls.dialogs.keys():
            calls.dialogs[known].invites.discard(transaction)
        if status in (401, 407) and request.call and request.sequence is not None:
            calls.challenged[request.call] = request.sequence
        if request.method == "BYE" and request.dialog:
            calls.end(request.dialog, "it was hung up")
            return
        first = request.method == "INVITE" and not request.dialog and dialog_id != ""
        if status >= 300 and first and not calls.dialog(dialog_id).answered:
            calls.end(dialog_id, f"the INVITE was answered {status}")

    def _request_came(self, known: _Connection, message: Payload) -> None:
        calls, method, transaction, dialog_id = (
            self._calls,
            message.method,
            message.token(8),
            message.token(9),
        )
        if not dialog_id and method.lower() in known.routes:
            known.routes[method.lower()] += 1
        if method == "ACK":
            if dialog_id in calls.dialogs:
                calls.dialogs[dialog_id].acknowledged = True
            calls.answered[transaction] = Incoming(self._at, method, dialog_id)
            return
        if method == "CANCEL":
            self._cancelled(transaction)
            return
        calls.incoming[transaction] = Incoming(self._at, method, dialog_id)
        if dialog_id and dialog_id not in calls.over:
            dialog = calls.dialog(dialog_id)
            if method == "INVITE":
                dialog.invites.add(transaction)
            elif method == "BYE":
                calls.end(dialog_id, "the far end hung up")
                calls.incoming[transaction].over = False

    def _cancelled(self, transaction: str) -> None:
        """The INVITE is over; a response of the application may be under way, and is no mistake."""
        request = self._calls.incoming.pop(transaction, None)
        if request is None:
            return
        request.over = True
        self._calls.answered[transaction] = request
        if request.dialog in self._calls.dialogs:
            if self._calls.dialogs[request.dialog].answered:
                self._calls.dialogs[request.dialog].invites.discard(transaction)
            else:
                self._calls.end(request.dialog, "the caller cancelled")

    # What is said

    def _check(self, rule: str, holds: bool, what: str) -> bool:
        """A rule was looked at."""
        clause = RULES[rule].clause
        self.exercised[clause] += 1
        if not holds:
            self.broken[clause] += 1
            self._found.append(Problem(RULES[rule], self._at, _one_line(what)))
        return holds

    def _pass(self, rule: str) -> None:
        self._check(rule, True, "")

    def _told(self) -> list[Problem]:
        found, self._found = self._found, []
        return found


def _repeated(request: Outgoing, status: int) -> bool:
    """Whether this 2xx says nothing new: the server tells of each dialog's first one alone."""
    return request.status == status


def _one_line(text: str) -> str:
    return (
        text.encode("latin-1", "replace").decode("utf-8", "replace").replace("\r", "\\r").replace("\n", "\\n")
    )
