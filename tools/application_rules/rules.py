"""The rules, each with its clause, how grave it is to break it, and what to do instead.

Who looks for what is broken is :mod:`application_rules.judge`; here stands what is said of it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Weight(StrEnum):
    """What it means that a rule is broken."""

    VIOLATION = "violation"
    """a MUST of the specification"""
    WARNING = "warning"
    """a SHOULD, or what the genuine server cannot take"""
    HINT = "hint"
    """it works, and is probably not what was meant"""


class Rule(Struct, frozen=True):
    """One rule."""

    name: str
    """``verb-in-capitals``: for options, tests and reports"""
    clause: str
    weight: Weight
    remedy: str
    """what to do instead, one sentence"""


class Problem(Struct, frozen=True):
    """One rule that was broken."""

    rule: Rule
    connection: int
    what: str
    """what was seen, one line; never a secret"""

    @property
    def sentence(self) -> str:
        """``APP-6: route|INVITE: nothing will ever come. Write verbs in lower case.``"""
        return f"{self.rule.clause}: {self.what}. {self.rule.remedy}"


def _table(*rules: Rule) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


_MUST, _SHOULD, _HINT = Weight.VIOLATION, Weight.WARNING, Weight.HINT

RULES = _table(
    # frames
    Rule("no-frame", "FRAME-1", _MUST, "Send a decimal count, '#', and exactly that many octets."),
    Rule("count-of-characters", "FRAME-2", _MUST, "Count the octets of the UTF-8 text, not its characters."),
    Rule("empty-frame", "APP-26", _SHOULD, "Send no empty frames: the genuine server hangs on one."),
    Rule("too-few-tokens", "FRAME-13", _MUST, "A payload begins ID|TYPE."),
    Rule("id-pending", "FRAME-24", _MUST, "Give each frame an id that no unanswered one has, like a UUID."),
    Rule("id-again", "APP-26", _SHOULD, "Give each frame an id of its own, like a UUID."),
    Rule("id-too-long", "APP-26", _SHOULD, "Keep message ids to 127 characters, and not empty."),
    Rule(
        "frame-too-large",
        "APP-26",
        _SHOULD,
        "Keep payloads to 12,228 octets if the genuine server is meant, too.",
    ),
    Rule(
        "unknown-type", "FRAME-14", _MUST, "Types are authenticate, ping, route, remove_route, sip and proxy."
    ),
    Rule("not-a-line-end", "FRAME-18", _MUST, "End start line, headers and the empty line with CR LF."),
    Rule("stray-octet", "APP-23", _MUST, "Put no CR, LF or NUL of others into a header or start line."),
    # authentication and routes
    Rule("not-authenticated", "APP-1", _MUST, "Authenticate first, and wait for OK before anything else."),
    Rule("verb-in-capitals", "APP-6", _MUST, "Write verbs in lower case: nothing will ever come of others."),
    Rule(
        "routed-twice", "APP-6", _MUST, "Route a method once on each connection: twice means a double share."
    ),
    Rule("several-verbs", "ROUTE-4", _MUST, "Send one route frame for each verb."),
    Rule("no-verb", "ROUTE-7", _MUST, "Say which verb: route|VERB."),
    Rule("unknown-verb", "SIP-3", _HINT, "Only methods that can be routed ever come; see the clause."),
    Rule(
        "route-never-used",
        "ROUTE-1",
        _HINT,
        "Perhaps the verb is misspelled, or another application gets it.",
    ),
    # responses
    Rule("unknown-transaction", "APP-8", _MUST, "Repeat the transaction id of the sip frame as it came."),
    Rule("no-transaction", "RSP-15", _MUST, "A response names its request: ID|sip|TRANSACTION-ID."),
    Rule("answered-twice", "APP-7", _MUST, "Send one final response to each request, and none behind it."),
    Rule("needs-no-answer", "APP-7", _MUST, "Do not answer ACK, CANCEL and what is unsolicited."),
    Rule(
        "never-answered",
        "APP-7",
        _MUST,
        "Answer every request, inside dialogs, too, if need be with 405 or 501.",
    ),
    Rule("status-line", "RSP-16", _MUST, "A status line is SIP/2.0, a number of three digits, and a reason."),
    Rule(
        "provisional-to-others",
        "RSP-24",
        _SHOULD,
        "Answer requests other than INVITE with a final response at once.",
    ),
    # requests
    Rule("unknown-dialog", "APP-8", _MUST, "Repeat the dialog id as the server gave it."),
    Rule("dialog-over", "APP-16", _MUST, "Forget a dialog when it is over."),
    Rule("stray-ack", "APP-12", _MUST, "Acknowledge a 2xx to an INVITE of your own, once; nothing else."),
    Rule("no-ack", "APP-11", _MUST, "Send an ACK by the dialog id for each 2xx to an INVITE of your own."),
    Rule(
        "cancel-by-dialog",
        "APP-14",
        _MUST,
        "Cancel by the INVITE's transaction id in token 2, with token 3 empty.",
    ),
    Rule(
        "no-prack", "APP-21", _MUST, "Send a PRACK for each 1xx with Require: 100rel, or do not name 100rel."
    ),
    Rule(
        "invite-in-invite",
        "APP-18",
        _MUST,
        "Wait for the end of one INVITE in a dialog before you send another.",
    ),
    Rule(
        "bye-before-ack",
        "CALL-13",
        _SHOULD,
        "Wait for the ACK before you hang up a call that you answered (RFC 3261 §15).",
    ),
    Rule("call-twice", "APP-20", _MUST, "Give each call a Call-ID of its own, or none."),
    Rule(
        "credentials",
        "APP-19",
        _MUST,
        "Send it again with the same Call-ID and From tag and the next CSeq number.",
    ),
    Rule("both-ids", "DLG-4", _HINT, "Beside a dialog id the transaction id has no meaning: leave it out."),
    Rule("scheme", "RSP-19", _MUST, "Send new requests to sip: and sips: URIs only."),
    Rule(
        "outside-dialogs",
        "OUT-24",
        _HINT,
        "Name the dialog or the transaction, unless you keep dialogs yourself.",
    ),
    Rule("body-without-type", "APP-22", _MUST, "Give every body other than SDP a Content-Type."),
    Rule("dropped-header", "RSP-21", _SHOULD, "Write headers as 'Name: value', the name without blanks."),
    Rule("folded-header", "RSP-40", _SHOULD, "Write each header in one line: folded ones are left out."),
    # proxy
    Rule("proxy-tokens", "FRAME-21", _MUST, "Give proxy a transaction id, six options and a destination."),
    Rule("proxy-option", "PROXY-2", _MUST, "An option is exactly its word, or empty."),
    Rule("proxy-timeout", "PROXY-3", _MUST, "A timeout is digits and 'ms' or 's', or 'undefined'."),
    Rule(
        "too-many-destinations",
        "APP-26",
        _SHOULD,
        "Name at most ten destinations if the genuine server is meant, too.",
    ),
    Rule("nobody-routed", "CALL-2", _HINT, "Route the method: the caller got 503."),
)
"""by name"""
