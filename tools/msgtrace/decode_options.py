"""The options of ``msgtrace decode``, and the filter that they make."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgtrace.keylog_option import add_keylog

# Loaded where an option asks for it: most logs are small, and then the start is what takes time.
if TYPE_CHECKING:
    from msgtrace.calls import Call
    from msgtrace.filters import Filter

EPILOG = """\
examples:
  msgtrace decode --calls calls.log           each call: how it ended, and why
  msgtrace decode --failed calls.log          those that failed, and how many for each cause
  msgtrace decode --failed --status 404 --since 07:30 calls.log   of these some
  msgtrace decode --call 117 --ladder calls.log   who said what to whom in call 117
  msgtrace decode --html page.html calls.log  all of it as one page, to look through or to send to somebody
  msgtrace decode calls.log                   one line for each message
  msgtrace decode --full --method INVITE calls.log.gz   every token by name, and the SIP messages
  msgtrace decode --follow --calls calls.log  each call as soon as it is known how it ended
  nc -l 9022 | msgtrace decode -              a bare stream of frames, as it comes from a socket
  msgtrace decode --jsonl trace.jsonl | jq    for a program to read (docs/msgtrace.schema.json)

--> application to server, <-- server to application; <~~ SIP that the server received, ~~> SIP that it sent,
~~~ SIP of which it is not known which end is the server's.
It reads bare streams of frames; client logs (===> and <===, also in JSON lines); DEBUG=drachtio:agent output;
server logs; what `drachtio-reference-server --trace` and `msgtrace record` write; and packet captures.
The form is found out from the content, and what others have put around it comes off. The secret of authenticate and
credentials in Authorization headers are shown as ***.

exit code: 0 all was read, 1 something could not be read (the message names the place) or nothing fits, 2 wrong usage
"""


def add_options(decode: argparse.ArgumentParser) -> None:
    """All options but the files."""
    style = decode.add_mutually_exclusive_group()
    style.add_argument("--full", action="store_true", help="show every token by name, and the SIP messages")
    style.add_argument("--ladder", action="store_true", help="draw a ladder of both legs")
    style.add_argument("--jsonl", action="store_true", help="write one JSON object for each message")
    style.add_argument("--calls", action="store_true", help="one line for each call: how it ended, and why")
    style.add_argument("--stats", action="store_true", help="count messages, and tell where each octet went")
    style.add_argument("--html", metavar="PAGE", help="write a page of its own: calls, ladders, messages")
    style.add_argument("--mermaid", action="store_true", help="write a ladder as a Mermaid sequence diagram")
    style.add_argument("--svg", action="store_true", help="write a ladder as an SVG drawing")
    decode.add_argument("--failed", action="store_true", help="the calls that failed, and why (--calls)")
    add_filter(decode.add_argument_group("which messages, and with --calls which calls have one of them"))
    decode.add_argument(
        *("--join",),
        metavar="HEADER",
        default="",
        help="both legs of a call have this header alike (--calls); without it, what they have in common tells",
    )
    add_keylog(decode)
    decode.add_argument("--follow", action="store_true", help="wait for more at the end of the file")
    decode.add_argument("--show-secrets", action="store_true", help="show the secret and credentials, too")
    decode.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def add_filter(which: argparse._ArgumentGroup) -> None:
    """The options that :func:`filter_of` reads."""
    which.add_argument(
        *("--call",),
        metavar="CALL",
        action="append",
        default=[],
        help="Call-ID, dialog id, or number; may be repeated, as most of these",
    )
    which.add_argument("--verb", action="append", default=[], help="a verb or kind")
    which.add_argument("--method", action="append", default=[], help="a SIP method")
    which.add_argument("--status", action="append", default=[], type=_checked("status"), help="486, 4xx or 4")
    which.add_argument("--from", dest="caller", metavar="TEXT", default="", help="part of the caller's From")
    which.add_argument("--to", dest="callee", metavar="TEXT", default="", help="part of To or Request-URI")
    which.add_argument("--address", metavar="TEXT", default="", help="part of an address at one of its ends")
    which.add_argument(
        *("--since",),
        metavar="TIME",
        type=_checked("moment"),
        help="07:26, 07:26:10.5 or 2026-11-23T07:26:10",
    )
    which.add_argument("--until", metavar="TIME", type=_checked("moment"), help="likewise; the end counts")
    which.add_argument(
        *("--grep",),
        metavar="REGEX",
        type=_checked("pattern"),
        help="found anywhere in the message, in any case",
    )
    which.add_argument(
        *("--clause",),
        metavar="ID",
        action="append",
        default=[],
        help="a clause of the specification that says why the call went wrong, as explain names it: OUT-6",
    )


def checked(options: argparse.Namespace) -> Filter | None:
    """The filter, if one is given; ends the program where options do not go together."""
    drawn = options.ladder or options.mermaid or options.svg
    if options.failed and (options.full or drawn or options.jsonl or options.stats or options.html):
        options.parser.error("--failed is a form of --calls")
    options.calls = options.calls or options.failed
    if options.follow and (drawn or options.stats or options.html):
        options.parser.error("--follow never comes to an end, for which ladders, pages and --stats wait")
    if options.html and len(options.files) > 1:
        options.parser.error("--html takes one file")
    if options.follow and len(options.files) > 1:
        options.parser.error("--follow takes one file")
    if options.clause and options.follow:
        options.parser.error("--clause asks how calls ended, for which --follow does not wait")
    return filter_of(options)


def filter_of(options: argparse.Namespace) -> Filter | None:
    """The filter, if any part of one is given."""
    given = (
        *(options.call, options.verb, options.method, options.status, options.caller, options.callee),
        *(options.address, options.since, options.until, options.grep, options.clause),
    )
    if not any(given):
        return None
    from msgtrace.filters import Filter

    return Filter(
        calls=frozenset(options.call),
        verbs=frozenset(verb.lower() for verb in options.verb),
        methods=frozenset(method.upper() for method in options.method),
        statuses=tuple(options.status),
        caller=_octets(options.caller),
        callee=_octets(options.callee),
        address=options.address,
        since=options.since,
        until=options.until,
        text=options.grep,
        of_clause=_of_clause(frozenset(clause.upper() for clause in options.clause))
        if options.clause
        else None,
    )


def _of_clause(wanted: frozenset[str]) -> Callable[[Call], bool]:
    from msgtrace.explain import clauses

    return lambda call: bool(wanted & clauses(call))


def _octets(text: str) -> str:
    return text.lower().encode("utf-8", "surrogateescape").decode("latin-1")


def _checked(name: str) -> Callable[[str], object]:
    """An argument that a function of :mod:`msgtrace.filters` reads."""

    def read(text: str) -> object:
        from msgtrace import filters

        reader: Callable[[str], object] = getattr(filters, name)
        try:
            return reader(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
