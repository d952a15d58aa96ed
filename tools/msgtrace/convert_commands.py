"""The commands that make something else of a recording: other forms, cases, scenarios, figures, differences."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from msgtrace.entries import Account, EntryKind, NotARecording
from msgtrace.keylog_option import add_keylog
from msgtrace.recordings import read_blocks
from msgtrace.source import Source

if TYPE_CHECKING:
    from msgtrace.answers import Shown
    from msgtrace.calls import Call, CallIndex

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_RAW = argparse.RawDescriptionHelpFormatter


def add_conversions(commands: Commands) -> None:
    """Add the commands with their options."""
    redact = commands.add_parser(
        "redact",
        help="put pseudonyms in the place of people, numbers, hosts and secrets",
        description="Writes a log of any form but a capture with pseudonyms that are as long as what they stand for, "
        "and always the same for it: users, display names, host names, addresses. Secrets become x.",
        epilog="Bodies of messages to people are not looked into, except for the names that stand elsewhere, too.\n"
        "exit code: 0 written, 1 cannot be read or written, 2 wrong usage",
        formatter_class=_RAW,
    )
    redact.add_argument("file", metavar="FILE")
    redact.add_argument("-o", "--output", default="-", metavar="OUT", help="standard output if it lacks")
    redact.add_argument(
        "--key", default="", metavar="TEXT", help="the same pseudonyms in several logs; chance without it"
    )
    redact.set_defaults(run=_redact, parser=redact)
    pcap = commands.add_parser(
        "to-pcap",
        help="write a packet capture that Wireshark opens",
        description="Writes the messages of a recording as packets.",
    )
    pcap.add_argument("file", metavar="FILE")
    pcap.add_argument("-o", "--output", required=True, metavar="OUT")
    pcap.add_argument(
        "--call", action="append", default=[], metavar="CALL", help="only this; may be repeated"
    )
    add_keylog(pcap)
    pcap.set_defaults(run=_to_pcap, parser=pcap)
    _add_scenarios(commands)
    merge = commands.add_parser(
        "merge",
        help="two recordings of the same calls as one",
        description="Writes what two recordings hold, such as an application's log and a server's, in the order of "
        "time, in the lines of a server's trace. The difference of their clocks is found out from what both hold.",
    )
    merge.add_argument("first", metavar="FILE", help="whose clock counts")
    merge.add_argument("second", metavar="FILE")
    merge.add_argument("-o", "--output", default="-", metavar="OUT", help="standard output if it lacks")
    add_keylog(merge)
    merge.set_defaults(run=_merge, parser=merge)
    stats = commands.add_parser(
        "stats",
        help="rates, codes, percentiles, and calls as time went by",
        description="Tells in numbers what a recording holds.",
    )
    stats.add_argument("file", metavar="FILE")
    stats.add_argument("--svg", metavar="OUT", help="the chart as a drawing")
    add_keylog(stats)
    stats.set_defaults(run=_stats, parser=stats)
    diff = commands.add_parser(
        "diff",
        help="where two calls part",
        description="Shows two calls side by side, of one recording or of two.",
        epilog="exit code: 0 they are alike, 1 they differ, 2 wrong usage, or a call that is not there",
        formatter_class=_RAW,
    )
    diff.add_argument("one", metavar="CALL", help="Call-ID, dialog id, or number")
    diff.add_argument("two", metavar="CALL")
    diff.add_argument("file", metavar="FILE")
    diff.add_argument(
        "other", metavar="FILE", nargs="?", help="of the second call, if it is in another recording"
    )
    add_keylog(diff)
    diff.set_defaults(run=_diff, parser=diff)


def _add_scenarios(commands: Commands) -> None:
    case = commands.add_parser(
        "to-scenario",
        help="write a case of the conformance suite that plays the call again",
        description="Writes what was recorded as a case in YAML: what applications and endpoints sent is sent, what "
        "the server sent is expected. Ids, tags, branches and addresses may be others, and time runs at once.",
        epilog="  msgtrace to-scenario --call 3 calls.log -o scenarios/call-3.yaml\n"
        "  drachtio-conformance server --scenarios scenarios\n\n"
        "Where a file holds frames alone, what came to the endpoints is not known, and not compared.\n"
        "exit code: 0 written, 1 cannot be read, written or replayed, 2 wrong usage",
        formatter_class=_RAW,
    )
    case.add_argument("file", metavar="FILE", help="a recording with frames")
    case.add_argument("-o", "--output", default="-", metavar="OUT", help="standard output if it lacks")
    case.add_argument(
        "--call", action="append", default=[], metavar="CALL", help="only this; may be repeated"
    )
    case.add_argument(
        *("--expect",), metavar="LIST", help="known differences, as `drachtio-conformance replay` has them"
    )
    add_keylog(case)
    case.set_defaults(run=_to_scenario, parser=case)
    sipp = commands.add_parser(
        "to-sipp",
        help="write a scenario of SIPp that plays the caller, or the callee, of a call",
        description="Writes what the server's peer did in a call as a scenario of SIPp.",
    )
    sipp.add_argument("file", metavar="FILE")
    sipp.add_argument("-o", "--output", default="-", metavar="OUT", help="standard output if it lacks")
    sipp.add_argument(
        "--call", default="1", metavar="CALL", help="Call-ID, dialog id, or number (default: 1)"
    )
    add_keylog(sipp)
    sipp.set_defaults(run=_to_sipp, parser=sipp)


def _to_scenario(options: argparse.Namespace) -> int:
    # By name: the suite stands above this tool, and whoever has the one has the other.
    from importlib import import_module

    made = import_module("drachtio_conformance.replay.scenario")
    try:
        text: str = made.scenario_of(options.file, options.call, listed=options.expect, keylog=options.keylog)
        with _output(options.output) as out:
            out.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        return _failed(f"{error.filename or options.file}: {error.strerror}")
    except made.NotReplayable as error:
        return _failed(str(error))
    return 0


def _to_sipp(options: argparse.Namespace) -> int:
    from msgtrace.sipp import NoCallForSipp, scenario

    loaded = _load(options.file, options.keylog)
    if isinstance(loaded, str):
        return _failed(loaded)
    items, index = loaded
    call = _called(index, options.call)
    if call is None:
        return _failed(f"{options.file}: no call {options.call} among {len(index.calls)}")
    try:
        lines = scenario(
            [item for item in items if index.of(item) is call], f"call {call.number}: {call.call_id}"
        )
        with _output(options.output) as out:
            out.writelines(f"{line}\n".encode("utf-8", "backslashreplace") for line in lines)
    except NoCallForSipp as error:
        return _failed(f"{options.file}: call {call.number}: {error}")
    except OSError as error:
        return _failed(f"{options.output}: {error.strerror}")
    return 0


def _stats(options: argparse.Namespace) -> int:
    from msgtrace import stats
    from msgtrace.answers import shown

    found = stats.Figures()
    try:
        source = Source(options.file, Account())
        found.take(shown(read_blocks(source, Account(), options.keylog), hold=0, learn=found.index.learn))
        source.close()
    except NotARecording as error:
        return _failed(f"{options.file}: {error}")
    except OSError as error:
        return _failed(f"{options.file}: {error.strerror}")
    if not found.messages:
        return _failed(f"{options.file}: there is no message in it")
    text = "".join(f"{line}\n" for line in stats.lines(found))
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    if options.svg:
        try:
            with open(options.svg, "w", encoding="utf-8") as out:
                out.write(stats.svg(found))
        except OSError as error:
            return _failed(f"{options.svg}: {error.strerror}")
    return 0


def _redact(options: argparse.Namespace) -> int:
    from msgtrace.pseudonyms import Pseudonyms
    from msgtrace.readers.pcap import PCAP, PCAPNG
    from msgtrace.wrapping import lines_of

    if options.file == "-":
        options.parser.error("redact reads its file twice, so it takes none from standard input")
    names = Pseudonyms(options.key.encode() or os.urandom(32))
    try:
        source = Source(options.file, Account())
        for place, block in enumerate(lines_of(source)):
            if not place and block[:4] in (*PCAP, PCAPNG):
                source.close()
                sys.stderr.write("msgtrace: a capture is not redacted; decode --jsonl shows it as text\n")
                return 1
            names.learn(block)
        source.close()
        with _output(options.output) as out:
            source = Source(options.file, Account())
            for block in lines_of(source):
                out.write(names.replaced(block))
            source.close()
    except OSError as error:
        return _failed(f"{error.filename or options.file}: {error.strerror}")
    return 0


def _to_pcap(options: argparse.Namespace) -> int:
    from msgtrace.pcap_writer import capture

    loaded = _load(options.file, options.keylog)
    if isinstance(loaded, str):
        return _failed(loaded)
    items, index = loaded
    if options.call:
        wanted = [call for call in index.calls if any(index.is_called(call, one) for one in options.call)]
        if not wanted:
            return _failed(f"{options.file}: no call {', '.join(options.call)} among {len(index.calls)}")
        items = [item for item in items if index.of(item) in wanted]
    if not any(item.entry.kind in (EntryKind.FRAME, EntryKind.SIP) for item in items):
        return _failed(f"{options.file}: there is no message in it")
    try:
        with _output(options.output) as out:
            out.writelines(capture(items))
    except OSError as error:
        return _failed(f"{options.output}: {error.strerror}")
    return 0


def _merge(options: argparse.Namespace) -> int:
    from msgtrace.merging import merge

    sides = []
    for file in (options.first, options.second):
        loaded = _load(file, options.keylog)
        if isinstance(loaded, str):
            return _failed(loaded)
        sides.append(loaded[0])
    merged = merge(*sides)
    try:
        with _output(options.output) as out:
            out.writelines(f"{line}\n".encode("utf-8", "surrogatepass") for line in merged.lines)
    except OSError as error:
        return _failed(f"{options.output}: {error.strerror}")
    if merged.matches:
        way = "behind" if merged.offset > 0 else "ahead"
        clock = f"the clock of {options.second} was {abs(merged.offset):.6f} s {way}"
        sys.stderr.write(f"msgtrace: {merged.matches} messages are in both; {clock}\n")
    else:
        sys.stderr.write("msgtrace: no message is in both, so the clocks are taken for the same\n")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from msgtrace.call_diff import differences
    from msgtrace.rows import rows_of

    sides = []
    for file, wanted in ((options.file, options.one), (options.other or options.file, options.two)):
        loaded = _load(file, options.keylog)
        if isinstance(loaded, str):
            _failed(loaded)
            return 2
        items, index = loaded
        call = _called(index, wanted)
        if call is None:
            _failed(f"{file}: no call {wanted} among {len(index.calls)}")
            return 2
        own = [item for item in items if index.of(item) is call]
        sides.append((rows_of(own), own))
    lines = list(differences(*sides))
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    return int(any(line[0] in "-+~" for line in lines))


def _called(index: CallIndex, wanted: str) -> Call | None:
    return next((call for call in index.calls if index.is_called(call, wanted)), None)


def _load(file: str, keylog: str) -> tuple[list[Shown], CallIndex] | str:
    """The messages of a file, or why it cannot be read."""
    from msgtrace.answers import shown
    from msgtrace.calls import CallIndex

    index = CallIndex()
    try:
        source = Source(file, Account())
        items = list(shown(read_blocks(source, Account(), keylog), learn=index.learn))
        source.close()
    except NotARecording as error:
        return f"{file}: {error}"
    except OSError as error:
        return f"{file}: {error.strerror}"
    return items, index


class _Standard:
    """Standard output, which is not closed behind it."""

    def __enter__(self) -> BinaryIO:
        return sys.stdout.buffer

    def __exit__(self, *_: object) -> None:
        sys.stdout.buffer.flush()


def _output(name: str) -> BinaryIO | _Standard:
    return _Standard() if name == "-" else open(name, "wb")


def _failed(text: str) -> int:
    sys.stderr.write(f"msgtrace: {text}\n")
    return 1
