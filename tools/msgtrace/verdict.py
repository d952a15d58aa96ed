"""How a call ended, and why, in one sentence.

The rules, in this order. A verdict belongs to a transaction or a dialog, and the call's follows from them:

1. If the call has an INVITE outside dialogs, it counts and all other methods do not (what failed of them is remarked).
2. Of several INVITEs (tries again after a failure, a challenge, a redirection), the last one counts.
3. What counts of an INVITE is what went back to who sent it. A 2xx wins over everything else; where the recording does
   not show what went back, the best of what the branches answered counts (RFC 3261 §16.7).
4. Without an INVITE the last request of each method counts, and of these the worst.

Nothing here asks for the form of the recording. Who made a response is told as far as the recording shows it; that an
application did it, only frames can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from msgtrace.answers import between
from msgtrace.calls import Bye, Call
from msgtrace.observed import APPLICATION, NETWORK, SERVER
from msgtrace.octets import one_line
from msgtrace.transactions import Final, Transaction, best

_NO_BEGINNING = "its beginning is not in the recording"
_CHALLENGES = (401, 407)
_LATE = 2.0
"""seconds behind the first 2xx after which an ACK is late: it has been sent again twice (RFC 3261 §13.3.1.4)"""
_OFTEN = 3
"""how often a message is sent before that is worth a remark"""
_IN_VAIN = 6
"""how often a request is sent before nobody is taken to be there (timers B and F, RFC 3261 §17.1)"""


class Ending(StrEnum):
    """What became of a call."""

    GOOD = "good"
    WARN = "warn"
    """it went well in the end, but not as it should"""
    BAD = "bad"
    OPEN = "open"
    """the recording ends before the call does"""


class Verdict(Struct, frozen=True):
    """The outcome of a call."""

    ending: Ending
    text: str
    """in one sentence"""
    cause: str
    """the same without times and numbers, to group calls by"""
    final: Final | None = None
    """the response that decided"""


def judge(call: Call) -> Verdict:
    """How a call ended, and why."""
    attempts = call.attempts
    verdict = _invite(call, attempts) if attempts else _others(call)
    refusal = f"; refused: {call.refused[1]} (message {call.refused[0]})" if call.refused else ""
    cause = verdict.cause
    if call.refused and not is_cancelled(verdict):  # else a response has crossed the CANCEL
        cause += f"; refused: {call.refused[1]}"
    return Verdict(verdict.ending, verdict.text + refusal, cause, verdict.final)


def is_cancelled(verdict: Verdict) -> bool:
    """Whether the call ended since somebody gave it up."""
    return verdict.cause.startswith("cancelled by ")


def author(one: Transaction, final: Final) -> str:
    """Who made a response, as far as the recording shows; empty if it does not."""
    if final.source == SERVER:
        relayed = _same(one.elsewhere, final)
        if relayed is not None and not relayed.by_server:
            return "the other side"
        if any(seen.sip.status == final.status for seen in one.ordered.values()):
            return "the application"
        if one.told_application:
            return "the application" if final.by_application and final.seen == 0 else "the server"
        return "the application" if final.by_application else "this side"
    if final.by_server:
        return "the server itself"
    if final.source == NETWORK:
        return "the other side"
    relayed = _same(one.elsewhere, final)
    return (relayed or final).source


def _same(finals: Sequence[Final], wanted: Final) -> Final | None:
    fitting = (one for one in finals if (one.status, one.to_tag) == (wanted.status, wanted.to_tag))
    return next(fitting, None)


class _Outcome(Struct, frozen=True):
    """What answered a request in the end."""

    status: int = 0
    text: str = ""
    by: str = ""
    reason: str = ""
    clock: str = ""
    at: float | None = None
    final: Final | None = None


def _outcome(one: Transaction) -> _Outcome:
    final = best(one.finals)
    if final is None and one.ordered:  # a log of what the application sends alone
        seen = next(iter(one.ordered.values()))
        text = one_line(seen.sip.start_line.partition(" ")[2].strip(), 60)
        return _Outcome(
            seen.sip.status or 0,
            text,
            "the application",
            one_line(seen.sip.first("Reason") or seen.sip.first("Warning"), 80),
            seen.clock,
            seen.at,
        )
    final = final or best(one.elsewhere)
    if final is None:
        return _Outcome()
    clock, at = _moment(one, final)
    return _Outcome(final.status, final.text, author(one, final), final.reason, clock, at, final)


def _moment(one: Transaction, final: Final) -> tuple[str, float | None]:
    """When it was sent; of frames alone the application's order is nearer to that than the echo."""
    if not final.seen:
        for order in one.ordered.values():
            if order.sip.status == final.status and order.at is not None:
                return order.clock, order.at
    return final.clock, final.at


def _invite(call: Call, attempts: list[Transaction]) -> Verdict:
    last = attempts[-1]
    outcome = _outcome(last)
    before = _tries_before(attempts)
    if last.request is None:
        before += f"; {_NO_BEGINNING}"
    if 200 <= outcome.status < 300:
        return _answered(call, last, outcome, before)
    status, by = outcome.status, f" by {outcome.by}" if outcome.by else ""
    if last.cancelled and status in (0, 487):
        final = f", {outcome.text}" if status else ""
        wrong = _wrong_before(last)
        again = _sent_again(last, outcome.final)
        text = f"cancelled by {last.cancelled_by}{_after(last, outcome.at)}{final}{wrong}{again}{before}"
        return Verdict(Ending.BAD, text, f"cancelled by {last.cancelled_by}{_plain(wrong)}", outcome.final)
    if status in _CHALLENGES:
        return _challenged(attempts, outcome, by)
    if 300 <= status < 400:
        text = f"redirected: {outcome.text}{by}"
        return Verdict(Ending.GOOD, text + before, text, outcome.final)
    if status:
        unsent = _unsent(last, outcome)
        unasked = ""
        if outcome.by == "the server" and last.told_application and not last.responded:
            unasked = f"; the application did not respond to message {last.told_application}"
        why = outcome.reason or call.reason
        again = _sent_again(last, outcome.final)
        text = f"{outcome.text}{by}{unsent}{f' ({why})' if why else ''}{unasked}{again}"
        return Verdict(
            Ending.BAD, text + before, f"{outcome.text}{by}{unsent}{_plain(unasked)}", outcome.final
        )
    return _no_final(call, last, before)


def _no_final(call: Call, one: Transaction, before: str) -> Verdict:
    if call.refused:
        return Verdict(Ending.BAD, f"no final response{before}", "no final response")
    if one.told_application and not one.responded and call.lacking.last >= one.told_application:
        text = "no response in the recording, which lacks a part"
        return Verdict(Ending.OPEN, text + before, text)
    if one.told_application and not one.responded:
        text = "no response: the application did not respond"
        return Verdict(Ending.BAD, f"{text} to message {one.told_application}{before}", text)
    if one.seen >= _IN_VAIN and not one.provisional:
        text = f"nobody answered: {one.method} sent {one.seen} times"
        return Verdict(Ending.BAD, text + before, f"nobody answered the {one.method}")
    ringing = f", the last was {one.provisional}" if one.provisional else ""
    passed_on = "; it was proxied" if one.proxied else ""
    if call.byes:
        passed_on += f"; {_who(_hung_up_first(call.byes), one)} hung up"
    text = "no final response in the recording"
    if one.source == SERVER and one.receiver and not one.provisional:
        text += f", nothing came back from {one.receiver}"
    return Verdict(Ending.OPEN, f"{text}{ringing}{passed_on}{before}", text)


def _answered(call: Call, one: Transaction, outcome: _Outcome, before: str) -> Verdict:
    answered = [final for final in one.finals or one.elsewhere if 200 <= final.status < 300]
    byes = [bye for bye in call.byes if _ends(bye, one, answered)]
    open_dialogs = {final.to_tag for final in answered} - {tag for bye in byes for tag in _tags(bye, one)}
    if byes and (not open_dialogs or "" in open_dialogs or any(not bye.from_tag for bye in byes)):
        bye = _hung_up_first(byes)
        why = f" ({bye.reason or call.reason})" if bye.reason or call.reason else ""
        who = _who(bye, one)
        before = _hung_up_too(bye, byes[-1], one) + before
        if not one.ack and who != "the caller" and (bye.made_by_server or bye.reason):
            return Verdict(
                Ending.BAD, f"answered, no ACK came; {who} hung up{why}{before}", "answered, no ACK came"
            )
        if bye.made_by_server:
            return Verdict(
                Ending.BAD, f"answered; {who} hung up{why}{before}", f"answered; {who} hung up{why}"
            )
        length = _lasted(outcome.at, bye.at)
        late = _acknowledged_late(one, outcome)
        return Verdict(
            Ending.WARN if late else Ending.GOOD,
            f"answered{length}, {who} hung up{late}{before}",
            f"answered, {who} hung up{'; the ACK was late' if late else ''}",
            outcome.final,
        )
    before = _acknowledged_late(one, outcome) + before
    if not one.ack:
        text = f"answered ({outcome.text}), no ACK and no BYE in the recording"
    else:
        text = "answered, no BYE in the recording"
    return Verdict(Ending.OPEN, text + before, text, outcome.final)


def _acknowledged_late(one: Transaction, outcome: _Outcome) -> str:
    """A remark, if the ACK of a 2xx came late or not at all although it was sent again and again."""
    final = outcome.final
    if final is None or final.seen < 2:
        return ""
    times = f"{final.status} sent {final.seen} times"
    if not one.ack:
        return f"; no ACK came, {times}"
    took = between(outcome.at, one.ack_at)
    if took is None or (took < _LATE and final.seen < _OFTEN):
        return ""
    return f"; the ACK came after {took:.1f} s, {times}"


def _sent_again(one: Transaction, final: Final | None) -> str:
    """A remark on what was sent again and again: the request, or a failure that nobody acknowledged."""
    told = f"; {one.method} sent {one.seen} times" if one.seen >= _OFTEN else ""
    if final is not None and one.method == "INVITE" and final.seen >= _OFTEN:
        told += f"; {final.status} sent {final.seen} times" + ("" if one.ack else ", no ACK came")
    return told


def _hung_up_first(byes: Sequence[Bye]) -> Bye:
    """The first BYE of the dialog that ended last; other dialogs are forks that were given up before."""
    last = byes[-1]
    return next(bye for bye in byes if {bye.from_tag, bye.to_tag} == {last.from_tag, last.to_tag})


def _hung_up_too(first: Bye, last: Bye, one: Transaction) -> str:
    """A remark, if the other end sent a BYE as well: the first got lost, or they crossed."""
    return "" if first is last else f"; {_who(last, one)} sent a BYE as well"


def _ends(bye: Bye, one: Transaction, answered: Sequence[Final]) -> bool:
    """Whether it ends a dialog of this INVITE; where tags lack, it is taken to."""
    if not bye.from_tag or not one.from_tag:
        return True
    return one.from_tag in (bye.from_tag, bye.to_tag)


def _tags(bye: Bye, one: Transaction) -> tuple[str, ...]:
    """Of the dialogs that it ends, the callee's tag."""
    return tuple(tag for tag in (bye.from_tag, bye.to_tag) if tag and tag != one.from_tag)


def _who(bye: Bye, one: Transaction) -> str:
    """Whose BYE it is: the From tag tells (RFC 3261 §12.2.1.1), else which way it went."""
    if bye.made_by_server:
        return "the server"
    if bye.from_tag and one.from_tag:
        by_caller = bye.from_tag == one.from_tag
    else:
        servers = (SERVER, APPLICATION)
        by_caller = (bye.source in servers) == (one.source in servers)
        if bye.source not in (*servers, NETWORK) and one.source not in (*servers, NETWORK):
            by_caller = bye.source == one.source
    party = "the caller" if by_caller else "the callee"
    return f"{party} (the application)" if bye.by_application else party


def _challenged(attempts: Sequence[Transaction], outcome: _Outcome, by: str) -> Verdict:
    tries = 0
    for one in reversed(attempts):
        if _outcome(one).status not in _CHALLENGES:
            break
        tries += 1
    if tries > 1:
        text = f"challenged {tries} times: {outcome.text}{by}, never accepted"
        return Verdict(Ending.BAD, text, f"challenged: {outcome.text}{by}, never accepted", outcome.final)
    text = f"challenged: {outcome.text}{by}, and no other try"
    return Verdict(Ending.BAD, text, text, outcome.final)


def _tries_before(attempts: Sequence[Transaction]) -> str:
    """A remark on tries that failed before the last; challenges are the ordinary way."""
    failed = [_outcome(one) for one in attempts[:-1]]
    failed = [one for one in failed if one.status >= 300 and one.status not in _CHALLENGES]
    if not failed:
        return ""
    told = ", ".join(dict.fromkeys(one.text for one in failed))
    return f"; before that {told}"


def _wrong_before(one: Transaction) -> str:
    """What was wrong, if anything was, before the caller gave up."""
    if not one.cancelled_by.startswith("the caller"):
        return ""
    if one.told_application and not one.responded:
        return f"; the application had not responded to message {one.told_application}"
    if one.reliable and not one.prack:
        return f"; no PRACK came for the {one.reliable}"
    return ""


def _unsent(one: Transaction, outcome: _Outcome) -> str:
    """Why the server answered in place of the other side (OUT-6)."""
    if outcome.final is None or not outcome.final.by_server:
        return ""
    if not one.unsent:
        if outcome.status == 503 and one.receiver:
            return f": it was sent to {one.receiver}, where the port is closed or nobody can be reached"
        return ": nobody answered" if outcome.status == 408 else ""
    why = {
        408: "the connection was not made in time",
        416: "there is no TLS for sips:",
        503: "the name does not resolve"
        if "dns" in outcome.text.lower()
        else "the port is closed or the address cannot be reached",
    }
    return f": the request could not be sent, {why.get(outcome.status, 'it never left')}"


def _others(call: Call) -> Verdict:
    """A call without an INVITE outside dialogs."""
    begun = [one for one in call.transactions if one.request is not None]
    own = [one for one in begun if not one.in_dialog] or begun
    dialogs = {"SUBSCRIBE", "REFER"} & {one.method for one in own}
    methods = dict.fromkeys(
        one.method
        for one in own
        if not one.in_dialog and one.method != "ACK" and (one.method != "NOTIFY" or not dialogs)
    )
    if not methods:
        return _without_beginning(call)
    verdicts: list[tuple[str, Verdict]] = []
    for method in methods:
        of_method = [one for one in own if one.method == method]
        verdicts.append((method, _method(call, of_method)))
    order = (Ending.BAD, Ending.WARN, Ending.OPEN, Ending.GOOD)
    method, verdict = min(verdicts, key=lambda pair: order.index(pair[1].ending))
    if method == call.method:
        return verdict
    return Verdict(verdict.ending, f"{method}: {verdict.text}", f"{method}: {verdict.cause}", verdict.final)


def _method(call: Call, tries: list[Transaction]) -> Verdict:
    """The last request of a method, and how many of those before it failed."""
    last = tries[-1]
    outcome = _outcome(last)
    by = f" by {outcome.by}" if outcome.by else ""
    status = outcome.status
    outcomes = [_outcome(one) for one in tries]
    failed = [one for one in outcomes if one.status >= 400 and one.status not in _CHALLENGES]
    counted = [one for one in outcomes if one.status not in _CHALLENGES]
    share = f"; {len(failed)} of {len(counted)} failed" if failed and len(counted) > 1 else ""
    if 200 <= status < 300:
        begin = len(tries) - 1
        while begin and outcomes[begin - 1].status in _CHALLENGES:
            begin -= 1
        told = f"{share}: {failed[-1].text}{f' by {failed[-1].by}' if failed[-1].by else ''}" if share else ""
        text = f"{outcome.text}{_after(tries[begin], outcome.at)}{told}"
        return Verdict(Ending.GOOD, text, outcome.text, outcome.final)
    if status in _CHALLENGES:
        return _challenged(tries, outcome, by)
    if 300 <= status < 400:
        text = f"redirected: {outcome.text}{by}"
        return Verdict(Ending.GOOD, text, text, outcome.final)
    if status:
        unsent, why = _unsent(last, outcome), outcome.reason or call.reason
        unasked = ""
        if outcome.by == "the server" and last.told_application and not last.responded:
            unasked = f"; the application did not respond to message {last.told_application}"
        again = _sent_again(last, None)
        text = f"{outcome.text}{by}{unsent}{f' ({why})' if why else ''}{unasked}{again}{share}"
        return Verdict(Ending.BAD, text, f"{outcome.text}{by}{unsent}{_plain(unasked)}", outcome.final)
    return _no_final(call, last, share)


def _without_beginning(call: Call) -> Verdict:
    told = "; somebody hung up" if call.byes else ""
    return Verdict(Ending.OPEN, _NO_BEGINNING + told, _NO_BEGINNING)


def _plain(remark: str) -> str:
    """Without the number of a message."""
    return remark.partition(" to message ")[0]


def _after(one: Transaction, until: float | None) -> str:
    took = between(one.at, until)
    return f" after {took:.1f} s" if took is not None else ""


def _lasted(begin: float | None, end: float | None) -> str:
    took = between(begin, end)
    return f" for {took:.1f} s" if took is not None else ""
