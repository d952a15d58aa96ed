"""The story of one call in sentences: what happened, what was odd about it, the clauses that say how it should have
been, and the likely cause.

Sentences follow the transactions and dialogs of :mod:`msgtrace.calls`, so they hold for every form of recording. Clause
ids are those of docs/protocol.md (``drachtio-conformance explain OUT-6`` shows one); RFCs are named by section.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from msgtrace.answers import Shown, between
from msgtrace.calls import Bye, Call
from msgtrace.messages import MessageKind
from msgtrace.observed import APPLICATION, NETWORK, SERVER
from msgtrace.octets import one_line, readable
from msgtrace.transactions import Final, Transaction, best
from msgtrace.verdict import Ending, author, is_cancelled, judge


class Cause(Struct, frozen=True):
    """What a failure comes from as a rule, and where that is written."""

    text: str
    clauses: tuple[str, ...] = ()


_LIKELY = {
    401: Cause("the credentials are not accepted: user name, password, realm, or a nonce that is too old"),
    407: Cause("the credentials are not accepted: user name, password, realm, or a nonce that is too old"),
    403: Cause("whoever answered forbids it: credentials, a list of who may call, or a wrong domain"),
    404: Cause("the user or the number is not known there: look at the Request-URI, and at what changes it"),
    405: Cause("the method is not allowed there: compare with Allow in other responses"),
    408: Cause(
        "nobody answered in time: the address leads nowhere, or a firewall drops the packets", ("OUT-6",)
    ),
    415: Cause("the body's type is not understood: look at Content-Type"),
    416: Cause("the scheme of the Request-URI is not supported: sips: without TLS, or tel:", ("OUT-6",)),
    420: Cause("an extension is required that is not supported: compare Require with Unsupported"),
    422: Cause("the session interval is too small: Min-SE says what is wanted (RFC 4028 §6)"),
    480: Cause("the callee is not registered or does not want to be disturbed; no application for it, too"),
    481: Cause(
        "the other side knows no such dialog: it has ended, or a tag or the Call-ID was changed on the way"
    ),
    482: Cause("a loop, or the same request by two ways (RFC 3261 §8.2.2.2)"),
    483: Cause("too many hops: a loop of proxies; look at Route and at the names that resolve to yourself"),
    486: Cause("the callee is busy"),
    487: Cause("the caller gave up before an answer"),
    488: Cause("the offers do not meet: compare codecs, addresses and RTP/SAVP with RTP/AVP of both bodies"),
    500: Cause("the one who answered failed itself: its own log at that moment tells why"),
    501: Cause("the method is not implemented there"),
    503: Cause(
        "overloaded, shutting down, or nobody to ask: no application is connected that has a route for it",
        ("CALL-2",),
    ),
    504: Cause("a server behind that one did not answer in time"),
    600: Cause("the callee is busy everywhere"),
    603: Cause("the callee declined"),
}
_SILENT = Cause(
    "the application got the request and never responded: an exception in its handler, or a response in another "
    "transaction; for an INVITE the server then answers 504 after 64 s",
    ("CALL-11", "RSP-13"),
)


def story(
    call: Call, items: Sequence[Shown], leg_of: Call | None = None, legs: Sequence[Call] = ()
) -> Iterator[str]:
    """Sentences, one a line, in the order of time; the last ones name what is odd and the likely cause.

    ``items`` are the messages of the call; ``legs`` are its other legs, ``leg_of`` that of which it is one.
    """
    verdict = judge(call)
    party = f"{call.caller or 'somebody'} and {call.callee or 'somebody'}"
    yield f"Call {call.number} ({call.method or 'no request'} between {party}, Call-ID {call.call_id}): {verdict.text}."
    if leg_of is not None:
        yield f"It is the other leg of call {leg_of.number}, which the application carries on with it."
    for leg in legs:
        yield f"Its other leg is call {leg.number}: {judge(leg).text}."
    yield ""
    yield from (sentence for _, sentence in sorted(_happened(call), key=lambda pair: pair[0]))
    for item in items:
        if item.message is not None and item.message.kind in (MessageKind.NO, MessageKind.NOK):
            about = f" what message {item.answers} asked for" if item.answers else ""
            reason = one_line(item.message.get("text"), 120)
            yield f"{_at(item.entry.time)}The server refused{about}: {reason}."
    odd = list(_odd(call))
    if odd:
        yield ""
        yield "What is odd:"
        yield from (f"- {sentence}" for sentence in odd)
    causes = list(_causes(call, legs))
    if causes and verdict.ending in (Ending.BAD, Ending.WARN):
        yield ""
        yield "Likely cause:"
        for cause in causes:
            clauses = f" ({', '.join(cause.clauses)})" if cause.clauses else ""
            yield f"- {cause.text}{clauses}."


def clauses(call: Call) -> frozenset[str]:
    """The clauses that say how a call that went wrong should have gone: those of its likely causes."""
    if judge(call).ending not in (Ending.BAD, Ending.WARN):
        return frozenset()
    return frozenset(clause for cause in _causes(call, ()) for clause in cause.clauses)


def _happened(call: Call) -> Iterator[tuple[int, str]]:
    for one in call.transactions:
        yield from _transaction(one)
    for bye in call.byes:
        yield bye.number, _bye(call, bye)


def _transaction(one: Transaction) -> Iterator[tuple[int, str]]:
    request = one.request
    if one.method == "BYE" or (request is None and not one.finals):
        return
    if request is not None:
        who = {SERVER: "The server", NETWORK: "A peer", APPLICATION: "The application"}.get(
            one.source, one.source
        )
        if one.source == SERVER and one.by_application:
            who = "The server, for the application,"
        if one.sender and one.source == NETWORK:
            who = f"{who} ({one.sender})"
        what = "again within the dialog" if one.in_dialog and one.method == "INVITE" else ""
        times = f", {one.copies} times" if one.copies > 1 else ""
        uri = readable(request.uri)
        yield one.number, f"{_at(one.clock)}{who} sent {one.method} {uri} {what}".rstrip() + f"{times}."
    if one.told_application:
        yield one.told_application, f"  It was given to the application (message {one.told_application})."
    if one.proxied:
        yield one.number, "  The application had it proxied."
    if one.cancelled:
        yield one.number, f"  It was cancelled by {one.cancelled_by}."
    for final in one.elsewhere:
        yield final.number, f"{_at(final.clock)}A branch answered {final.text}."
    for final in one.finals:
        yield final.number, _final(one, final)
    if one.method == "INVITE" and one.ack and one.finals:
        took = between(one.finals[0].at, one.ack_at)
        late = (
            f" after {took * 1000:.1f} ms"
            if took is not None and took < 1
            else f" after {took:.1f} s"
            if took
            else ""
        )
        yield one.finals[0].number, f"  The ACK came{late}."


def _final(one: Transaction, final: Final) -> str:
    by = author(one, final)
    took = between(one.at, final.at)
    again = f", sent {final.copies} times" if final.copies > 1 else ""
    reason = f" It says: {final.reason}." if final.reason else ""
    who = f", by {by}" if by else ""
    told = f"The answer to {one.method} was {final.text}{_after(took)}{who}{again}."
    return f"{_at(final.clock)}{told}{reason}"


def _after(took: float | None) -> str:
    if not took:
        return ""
    return f" after {took * 1000:.1f} ms" if took < 1 else f" after {took:.1f} s"


def _bye(call: Call, bye: Bye) -> str:
    attempts = call.attempts
    tags = {one.from_tag for one in attempts}
    who = "The caller" if bye.from_tag in tags else "The callee"
    if bye.made_by_server:
        who = "The server on its own"
    why = f", because {bye.reason}" if bye.reason else ""
    return f"{_at(bye.clock)}{who}{' (the application)' if bye.by_application else ''} hung up{why}."


def _odd(call: Call) -> Iterator[str]:
    for one in call.transactions:
        name = f"{one.method}{f' (CSeq {one.cseq})' if one.cseq is not None else ''}"
        if one.unsent:
            yield f"{name} never left the server: it answered in place of the other side (OUT-6)"
        elif one.seen >= 3:
            yield f"{name} was sent {one.seen} times: the first copies got no answer (RFC 3261 §17.1)"
        final = best(one.finals)
        if final is None or one.method != "INVITE":
            continue
        if 200 <= final.status < 300:
            took = between(final.at, one.ack_at)
            if not one.ack and not any(bye.from_tag == one.from_tag for bye in call.byes):
                yield f"no ACK for the {final.status} is in the recording; after 32 s the server hangs up (CALL-8)"
            elif took is not None and took >= 2:
                yield f"the ACK took {took:.1f} s; until then the {final.status} was sent {final.seen} times"
        elif final.seen >= 3:
            yield f"the {final.status} was sent {final.seen} times: its ACK did not reach the server (RFC 3261 §17.2.1)"
    if call.refused:
        yield f"the server refused message {call.refused[0]}: {call.refused[1]}"


def _causes(call: Call, legs: Sequence[Call]) -> Iterator[Cause]:
    given_up = is_cancelled(judge(call))
    of_legs = [cause for leg in legs if not given_up and (cause := _of_leg(leg)) is not None]
    yield from of_legs
    deciding = [one for one in (call.attempts or call.transactions) if one.request is not None][-1:]
    for one in deciding:
        if one.told_application and not one.responded and call.lacking.last < one.told_application:
            yield _SILENT
            continue
        final = best(one.finals) or best(one.elsewhere)
        if final is not None and final.by_server and (one.unsent or final.status == 503):
            yield Cause(
                "the request could not be sent: look at the name, the port and the transport it was for",
                ("OUT-6",),
            )
        elif final is not None and author(one, final) == "the application":
            since = ", perhaps because of that" if of_legs else ""
            yield Cause(
                f"the application chose to answer {final.text}{since}: its own log at that moment tells why"
            )
        elif final is not None and final.status in _LIKELY and not of_legs:
            yield _LIKELY[final.status]
        elif final is None and one.cancelled:
            yield Cause("the caller gave up before anybody answered")
        if one.method == "INVITE" and final is not None and final.status < 300:
            took = between(final.at, one.ack_at)
            if not one.ack or (took is not None and took >= 2):
                yield Cause(
                    "the 200's Contact or a Record-Route leads to an address that the caller cannot reach (NAT), or "
                    "its ACK goes elsewhere",
                    ("RFC 3261 §12.1.1", "§13.2.2.4"),
                )


def _of_leg(leg: Call) -> Cause | None:
    """What a leg has to do with the failure of the call that it belongs to."""
    verdict = judge(leg)
    if verdict.ending is Ending.BAD:
        return Cause(f"its other leg, call {leg.number}, failed: {verdict.text}")
    if verdict.ending is Ending.OPEN and verdict.final is None:
        return Cause(
            f"its other leg, call {leg.number}, came to nothing: {verdict.text}; is that address right, and its host up"
        )
    return None


def _at(clock: str) -> str:
    place = clock.find(":")
    return f"{clock[place - 2 :].rstrip('Z')[:12]}  " if place >= 2 else ""
