"""Reasons and roles of records, timers, and what changed in which release of the genuine server."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Word(Struct, frozen=True):
    """A word that a token may be, and what it says."""

    word: str
    meaning: str
    clauses: tuple[str, ...]


ROLES: Final = (
    Word("uas", "the call came from the network, and an application answered it", ("CDR-2",)),
    Word("uac", "an application made the call", ("CDR-2",)),
    Word("proxy-uas", "the caller's side of a proxied call", ("CDR-15",)),
    Word("proxy-uac", "the target's side of a proxied call", ("CDR-15",)),
)
REASONS: Final = (
    Word("normal-release", "one side hung up, or gave up before the answer", ("CDR-4", "CDR-16")),
    Word("call-rejected", "a final response of 300 or above", ("CDR-4", "CDR-15")),
    Word("call-canceled", "the caller cancelled, or a 487 came", ("CDR-4", "CDR-9")),
    Word("session-expired", "the session timer ran out, and the server hung up", ("CDR-10", "TIMER-4")),
    Word("system-initiated-termination", "the server hung up for another reason", ("CDR-10",)),
    Word("system-error-initiated-termination", "the call ended without a message", ("CDR-6", "CDR-17")),
)


class Timer(Struct, frozen=True, kw_only=True):
    """Something that happens after a time."""

    what: str
    seconds: str
    """as it is written for readers: ``0.5, 1, 2, 4, 4 …``"""
    derived: str = ""
    """how it depends on T1, T2 and T4, which are settings"""
    then: str
    clauses: tuple[str, ...]


TIMERS: Final = (
    Timer(
        what="a frame that is incomplete, before authentication",
        seconds="10",
        then="the connection is closed",
        clauses=("FRAME-17",),
    ),
    Timer(
        what="a frame that is incomplete, authenticated",
        seconds="60",
        then="the connection is closed",
        clauses=("FRAME-17",),
    ),
    Timer(
        what="an application that takes nothing of what waits for it",
        seconds="2; 60",
        then="it gets no new requests; the connection is closed",
        clauses=("CONN-7",),
    ),
    Timer(
        what="a 2xx to INVITE without its ACK, over any transport",
        seconds="0.5, 1, 2, 4, 4 …",
        derived="T1, doubled up to T2",
        then="it is repeated",
        clauses=("CALL-4",),
    ),
    Timer(
        what="a 2xx to INVITE without its ACK",
        seconds="32",
        derived="64·T1",
        then="the server hangs up",
        clauses=("CALL-8",),
    ),
    Timer(
        what="a failure of an INVITE without its ACK (UDP)",
        seconds="0.5, 1, 2, 4, 4 …, up to 32",
        derived="T1, doubled up to T2, up to 64·T1",
        then="it is repeated",
        clauses=("CALL-5",),
    ),
    Timer(
        what="a request other than INVITE that the application does not answer",
        seconds="31.5",
        derived="63/64 of 64·T1",
        then="504",
        clauses=("CALL-10",),
    ),
    Timer(
        what="an INVITE to which the application says nothing",
        seconds="64",
        then="504",
        clauses=("CALL-11",),
    ),
    Timer(
        what="an INVITE that the application lets ring, from the last 1xx on",
        seconds="1800; a re-INVITE 185",
        then="504",
        clauses=("CALL-11",),
    ),
    Timer(
        what="an application's INVITE without a response (UDP)",
        seconds="1, 2, 4, 8, 16",
        derived="2·T1, doubled",
        then="it is repeated",
        clauses=("OUT-13",),
    ),
    Timer(
        what="an application's other request without a final response (UDP)",
        seconds="1, 2, 4, 4 …",
        derived="2·T1, doubled up to T2",
        then="it is repeated",
        clauses=("OUT-13",),
    ),
    Timer(
        what="an application's request that nobody answers",
        seconds="32",
        derived="64·T1",
        then="408",
        clauses=("OUT-13",),
    ),
    Timer(
        what="an application's INVITE that rings, from the last 1xx on",
        seconds="1800; inside a dialog 185",
        then="CANCEL; 408 if nothing follows within 32 s",
        clauses=("OUT-21",),
    ),
    Timer(
        what="a reliable provisional response without its PRACK",
        seconds="0.5, 1, 2, 4, 8, 16",
        derived="T1, doubled",
        then="it is repeated",
        clauses=("REL-1",),
    ),
    Timer(
        what="a reliable provisional response without its PRACK",
        seconds="32",
        derived="64·T1",
        then="504, and a CANCEL for the application",
        clauses=("REL-7",),
    ),
    Timer(
        what="a subscription that has run out",
        seconds="32",
        derived="64·T1",
        then="its dialog is over, and no frame says so",
        clauses=("SUB-3", "OUT-19"),
    ),
    Timer(
        what="a SUBSCRIBE whose NOTIFY came before its answer",
        seconds="4",
        derived="T2",
        then="the NOTIFY makes the dialog",
        clauses=("SUB-4",),
    ),
    Timer(
        what="the refresher of a session timer, if that is the server",
        seconds="half the interval, give or take 5",
        then="a refresh",
        clauses=("TIMER-3",),
    ),
    Timer(
        what="a session without a refresh",
        seconds="the interval",
        then="the server hangs up",
        clauses=("TIMER-4",),
    ),
    Timer(
        what="a proxied request without a response (UDP)",
        seconds="0.5, 1, 2, 4 …",
        derived="T1, doubled; other methods than INVITE up to T2",
        then="it is repeated",
        clauses=("PROXY-27",),
    ),
    Timer(
        what="a target of a proxied INVITE that rings (timer C), from the last 1xx on",
        seconds="185",
        then="CANCEL; 408 if there is no other failure",
        clauses=("PROXY-27",),
    ),
    Timer(
        what="a proxied request other than INVITE that no target answers",
        seconds="31.5",
        derived="63/64 of 64·T1",
        then="the best failure, or 504",
        clauses=("PROXY-18",),
    ),
    Timer(
        what="credentials for a challenge that was proxied",
        seconds="2",
        then="they go to the destinations like any request",
        clauses=("PROXY-19",),
    ),
    Timer(
        what="a name that no nameserver answers",
        seconds="10",
        then="503 DNS Error",
        clauses=("NET-5",),
    ),
)


class Release(Struct, frozen=True):
    """What a release of the genuine server changed in the protocol."""

    version: str
    change: str
    """Markdown"""


RELEASES: Final = (
    Release("0.0", "`length#` and JSON; nothing of it is left but the length"),
    Release(
        "0.2.0",
        "the text protocol: `id|verb|…` and SIP behind CR LF; `OK`, `NO`, `NOK`; `Msg sent:` in the answers",
    ),
    Release("0.2.0", "`proxy` (today's tokens a few weeks later), `cdr:attempt`, `cdr:start`, `cdr:stop`"),
    Release("0.5.0", "the answer to `authenticate` lists all hostports instead of one"),
    Release(
        "0.7.1",
        "the server may dial the application, which authenticates all the same; token 4 of `sip`, the route URL",
    ),
    Release(
        "0.7.3",
        "`sip` frames and the answers to them counted in code points instead of octets; tags in `authenticate`",
    ),
    Release("0.8.0", "TLS on the admin connection"),
    Release("0.8.2", "`ping`; the answer to `authenticate` gets the version"),
    Release("0.8.4", "new requests carry the local address and port (tokens 10 and 11)"),
    Release(
        "0.8.6",
        "a CANCEL that fails is answered `NOK` instead of `OK`; source `application` and transaction id `unsolicited` "
        "for requests of the server",
    ),
    Release("0.8.18", "a frame that is no UTF-8 is left out instead of sent as `0#`"),
    Release("0.8.26", "all answers counted in code points too; `remove_route`"),
    Release(
        "0.9.1",
        "octets everywhere; the answer to `authenticate` gets the local hostports; dialog ids with `;from-tag=`",
    ),
    Release(
        "0.9.6",
        "a BYE that the application never answers is given up after 32 s; a request to a name of the server's own "
        "domain (`DRACHTIO_LOCAL_DOMAIN`) counts as one to the server itself",
    ),
    Release(
        "0.9.7",
        "requests of unknown dialogs are answered 481, whatever their method; a `;transport=` that the server does not "
        "have is refused instead of served by another",
    ),
    Release("0.9.9", "refreshes of session timers are really sent, and tried again after 491"),
)
