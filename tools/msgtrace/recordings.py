"""Reads recordings of the admin protocol, whoever wrote them, into one kind of entry.

The form is found out from the content, not the name. What cannot be read becomes an entry of the kind ``damage``,
which says what and where; reading goes on behind it. Memory does not grow with the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TypeAlias, cast

import msgspec
from msgspec import Struct

from msgtrace import wrapping
from msgtrace.entries import Account, Entry, EntryKind, NotARecording
from msgtrace.frames import end_of_plain
from msgtrace.ordinary import BARE, Detail, Run, Search
from msgtrace.readers.borders import Borders
from msgtrace.streams import Streams

__all__ = ["Account", "Entry", "EntryKind", "NotARecording", "read", "read_blocks", "read_runs"]

Found: TypeAlias = Entry | Run
Reader = Callable[[Iterable[bytes], Account, Detail | None], Iterator[Found]]
"""Gives runs of ordinary frames instead of their entries, if it is told in what detail."""

BEGINNING = 64 * 1024
"""octets in which the form shows, as a rule"""
SAMPLE = 256 * 1024
"""octets that are awaited where a few lines leave doubts"""
SEARCHED = 8 * 1024 * 1024
"""octets that are searched for it if it does not"""

_BARE = re.compile(rb"[\r\n \t]*[0-9]{1,10}(#|\Z)")
_CAPTURES = (
    *(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"),
    b"\x0a\x0d\x0d\x0a",
)
# Large files are searched: each of these begins with plain octets or one class, which re seeks far quicker.
_DEBUG = re.compile(rb"wp#send \S* - [0-9]| <===[0-9]|\t<===[0-9]|_onData: got message|drachtio:[a-z]+ ")
_COMPRESSIONS = (
    (b"\xfd7zXZ\x00", "xz", "xz -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
)
_SUMMARY = re.compile(rb" *1 +[0-9.]+ +\S+ (?:\xe2\x86\x92|->) \S+ +\S+ [0-9]+ ")
_TREES = "packets as tshark prints them"
_MOST_NAMED = 3
"""forms of one file that are named behind the first"""
_DATE = re.compile(rb"\n(?:[0-9a-f]{8}\|)?20[0-9]{2}-")
_ARROW = re.compile(rb"\n(?:===>|<===)")
_JSON = re.compile(rb'\n\{"kind": ?"(?:start|recording|frame|sip|event|chunk|opened|closed)"')
_ARROWS = re.compile(rb"\n(?:===>|<===)[ \t]*(?:\[[^\]\r\n]*\])?\r?\n[0-9]{1,8}#[^|#\r\n]{1,200}\|")
_SERVER_WORDS = re.compile(
    rb"recv [0-9]+ bytes (?:from|to) [a-z]+/|send [0-9]+ bytes (?:from|to) [a-z]+/"
    rb"|read_handler read: |Sending(?: response)?: [0-9]"
)
_PRINTED = re.compile(rb"[0-9][0-9]:[0-9]{2}:[0-9]{2}[^\n]* -*> [^\n]*")
_JSON_LOGGER = re.compile(rb'\n\{[^\n]*"(?:===>|<===)')

_OBJECT_BESIDE = re.compile(rb'(?m)^\{(?![^\n]*"(?:===>|<===))[^\n]*\n')
"""an object that holds no record of a client's log"""


def read(data: bytes) -> Iterator[Entry]:
    """The entries of a whole recording. Raises NotARecording before the first entry."""
    return read_blocks([data], Account())


def read_blocks(blocks: Iterable[bytes], account: Account, keylog: str = "") -> Iterator[Entry]:
    """The entries of a recording that comes in blocks of any size; ``account`` is told where its octets go. By
    ``keylog``, a file, TLS in a capture is opened.

    Raises NotARecording before the first entry.
    """
    return cast("Iterator[Entry]", _read(blocks, account, None, keylog))


def read_runs(blocks: Iterable[bytes], account: Account, detail: Detail, keylog: str = "") -> Iterator[Found]:
    """The same with ordinary frames in runs, which is quicker (:mod:`msgtrace.ordinary`)."""
    return _read(blocks, account, detail, keylog)


def _read(blocks: Iterable[bytes], account: Account, runs: Detail | None, keylog: str) -> Iterator[Found]:
    form, blocks, start = _form_of(blocks)
    if form is None:
        if not _without_mark(start).strip():
            account.other += len(start)
            return iter(())
        raise NotARecording(_refusal(_without_mark(start)))
    account.form = form.name
    if keylog:
        return _opened(form, blocks, account, keylog)
    return _read_form(form, blocks, account, runs)


def _form_of(blocks: Iterable[bytes]) -> tuple[_Form | None, Iterable[bytes], bytes]:
    """The form of what blocks hold, if it shows, the same blocks, and their beginning."""
    rest = iter(blocks)
    waiting: list[bytes] = []
    size = look_at = 0
    while True:
        block = next(rest, b"")
        waiting.append(block)
        size += len(block)
        if size < look_at and block:
            continue
        sample = b"".join(waiting)
        waiting = [sample]
        seen, look_at = look_at // 2, 2 * len(sample)  # a look costs time, and blocks may be small
        found = _recognise_more(sample, seen)
        if found is not None and (found.certain or not block or len(sample) >= SAMPLE):
            return found, chain((sample,), rest), sample
        if not block or len(sample) > SEARCHED:
            return None, chain((sample,), rest), sample


def _in_turn(form: _Form, blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
    """The entries of a log of one form, and of what follows where its records become those of another."""
    before = 0
    while form.forms is not None:
        borders = Borders(blocks, partial(_forms_in, form.around), form.forms)
        found = form.read(borders, account, runs)
        yield from _moved(found, before) if before else found
        if borders.rest is None:
            return
        before += borders.lines
        following, blocks, start = _form_of(borders.rest)
        if following is None:
            account.other += len(start)
            return
        form = following
        if account.form.count(", then ") < _MOST_NAMED:
            account.form += f", then from line {before + 1:,} {form.name}"
    yield from _moved(form.read(blocks, account, runs), before)


def _forms_in(around: wrapping.Wrapping, text: bytes) -> list[str]:
    return _forms(b"".join(wrapping.clean([text], around)))


def _moved(found: Iterable[Found], lines: int) -> Iterator[Found]:
    """What was found behind so many lines of the file."""
    for one in found:
        if isinstance(one, Run):
            one.line += lines
            yield one
        else:
            yield msgspec.structs.replace(one, line=one.line + lines) if one.line else one


def _opened(form: _Form, blocks: Iterable[bytes], account: Account, keylog: str) -> Iterator[Entry]:
    from msgtrace.readers import capture

    if form.read is not _capture:
        raise NotARecording(f"a key log is for packet captures; this was taken for {form.name}")
    return capture.read(blocks, account, keylog)


def _recognise_more(sample: bytes, seen: int) -> _Form | None:
    """The form of a sample whose first ``seen`` octets have shown none, as far as there are many; of these only the
    end is looked at again, since patterns cost more than a second for some megabytes without a form."""
    if seen < SAMPLE:
        return _recognise(sample[:BEGINNING]) or (_recognise(sample) if len(sample) > BEGINNING else None)
    start = sample.find(b"\n", seen - BEGINNING)
    return _recognise(sample) if start < 0 or _recognise(sample[start:]) is not None else None


class _Form(Struct, frozen=True):
    """A form that was recognised."""

    name: str
    read: Reader
    certain: bool
    """whether a look at more of the file would teach nothing"""
    forms: tuple[str, ...] | None = None
    """as :func:`_forms` calls them; None where records of another form cannot follow, or would be read"""
    around: wrapping.Wrapping = wrapping.Wrapping()


def _recognise(sample: bytes) -> _Form | None:
    if sample.startswith(_CAPTURES):
        return _Form("a packet capture", _capture, True)
    if sample.startswith(b"HEP3"):
        return _Form("packets of HEP", _hep, True)
    for magic, name, command in _COMPRESSIONS:
        if sample.startswith(magic):
            raise NotARecording(
                f"compressed with {name}, which is not read as it is; try: {command} FILE | msgtrace decode -"
            )
    sample = _without_mark(sample)
    if wrapping.LITERAL.search(sample):
        return _within(sample, wrapping.Wrapping(("literals of Python",), literals=True))
    if wrapping.EXPORT.match(sample):
        return _within(sample, wrapping.Wrapping(("the journal's export",), export=True))
    around = wrapping.detect(sample[:SAMPLE])
    if around.json_field and around.json_field not in wrapping.LOGGER_FIELDS:
        return _within(
            sample,
            wrapping.Wrapping(around.names[:1], json_field=around.json_field, json_pieces=around.json_pieces),
        )
    if sample[:1] == b"{" and not around.json_field and (pasted := _pasted(sample, wrapping.Wrapping())):
        return pasted
    if around.by_line and not around.json_field and not around.entities:
        return _by_line(sample, around)
    cleaned = b"".join(wrapping.clean([sample], around))
    if around.json_field in wrapping.LOGGER_FIELDS:
        cleaned = _OBJECT_BESIDE.sub(b"", cleaned)  # the log's lines decide
    elif pasted := _pasted(cleaned, around):
        return pasted
    if _BARE.match(cleaned):
        return _Form("a bare stream of frames", _bare, bool(cleaned.strip().strip(b"0123456789")))
    forms = _forms(cleaned) if b"\n" in cleaned else []
    if len(forms) > 1 or forms == ["a server's log through syslog"]:
        return _mixed(forms, cleaned, around)
    name, reader = _by_lines(cleaned)
    if reader is None:
        return None

    def read(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
        runs = None if around.doubled else runs  # their lines are others
        blocks = _blocks_without_mark(blocks)
        if around.json_field in wrapping.LOGGER_FIELDS:
            return _with_sip_beside(blocks, around, account, lambda clean: reader(clean, account, None))
        found = reader(wrapping.clean(blocks, around), account, runs)
        return map(_on_doubled_lines, found) if around.doubled else found

    own = None if around.json_field in wrapping.LOGGER_FIELDS else (name, *forms)
    name = f"{name}, in {', '.join(around.names)}" if around.names else name
    certain = cleaned.count(b"\n", 0, 4096) > 20 or len(cleaned) > 4096
    certain = certain and name != _TREES  # whose octets may stand behind the first of them
    return _Form(name, read, certain, own, around)


def _mixed(forms: list[str], cleaned: bytes, around: wrapping.Wrapping) -> _Form:
    """Records of several forms in one file, or some that are read one by one."""

    def read(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
        from msgtrace import services
        from msgtrace.readers import mixed_log

        def mixed(clean: Iterable[bytes]) -> Iterator[Found]:
            lines = services.separated(clean, wrapping.Wrapping(), [])
            return mixed_log.read(lines, account, syslog="a server's log through syslog" in forms)

        blocks = _blocks_without_mark(blocks)
        if around.json_field in wrapping.LOGGER_FIELDS:
            return _with_sip_beside(blocks, around, account, mixed)
        found = mixed(wrapping.clean(blocks, around))
        return map(_on_doubled_lines, found) if around.doubled else found

    name = " and ".join(forms) + (f", in {', '.join(around.names)}" if around.names else "")
    return _Form(name, read, len(cleaned) > 4096)


def _with_sip_beside(
    blocks: Iterable[bytes],
    around: wrapping.Wrapping,
    account: Account,
    read: Callable[[Iterable[bytes]], Iterator[Found]],
) -> Iterator[Found]:
    """What ``read``, which gives no runs, makes of a logger's texts, and the SIP in other fields of its objects."""
    from msgtrace.readers.json_beside import SipBeside

    beside = SipBeside(around.json_field, account)
    found = read(wrapping.clean(beside.passed_on(blocks), around))
    entries = beside.among(cast("Iterator[Entry]", found))
    return map(_on_doubled_lines, entries) if around.doubled else entries


def _within(sample: bytes, layer: wrapping.Wrapping) -> _Form | None:
    """What a collector of logs has put into objects or literals: a log of any form, wrapped in its turn."""
    from msgtrace.readers.json_beside import SipBeside

    inside = b"".join(wrapping.clean([sample], layer))
    # If nothing has come off, nothing ever will.
    form = _recognise(inside) if len(inside) < len(sample) else None
    looked_at = Account()
    beside = SipBeside(layer.json_field, looked_at)
    for _ in beside.passed_on([sample] if layer.json_field else []):
        pass
    if form is None and not looked_at.sip:
        return None

    def read(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
        blocks = _blocks_without_mark(blocks)
        if looked_at.sip:
            return _with_sip_beside(
                blocks, layer, account, lambda clean: _read_form(form, clean, account, None)
            )
        return _read_form(form, wrapping.clean(blocks, layer), account, runs)

    name = form.name if form is not None else "SIP"
    return _Form(f"{name}, in {layer.names[0]}", read, form is None or form.certain)


def _read_form(
    form: _Form | None, blocks: Iterable[bytes], account: Account, runs: Detail | None
) -> Iterator[Found]:
    if form is None:
        for block in blocks:
            account.other += len(block)
    elif form.forms is None:
        yield from form.read(blocks, account, runs)
    else:
        yield from _in_turn(form, blocks, account, runs)


def _pasted(cleaned: bytes, around: wrapping.Wrapping) -> _Form | None:
    """A log that was pasted, and of which something can be put right."""
    from msgtrace import services
    from msgtrace.readers import mending, mixed_log

    if not mending.may_help(cleaned):
        return None

    def put_right(clean: Iterable[bytes], account: Account) -> Iterator[services.Line]:
        return mending.mended(services.separated(clean, wrapping.Wrapping(), []), account.put_right)

    tried = Account()
    lines = list(put_right([cleaned], tried))
    forms = _forms(b"".join(line.text + b"\n" for line in lines)) if tried.put_right else []
    if not forms:
        return None

    def read(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
        clean = wrapping.clean(_blocks_without_mark(blocks), around)
        found = mixed_log.read(put_right(clean, account), account)
        return map(_on_doubled_lines, found) if around.doubled else found

    name = " and ".join(forms) + (f", in {', '.join(around.names)}" if around.names else "")
    return _Form(f"{name}, pasted", read, len(cleaned) > 4096)


def _by_line(sample: bytes, around: wrapping.Wrapping) -> _Form | None:
    """What must be taken apart line by line."""
    from msgtrace import services

    layers = wrapping.prefix_layers(sample[:SAMPLE])
    of_services: dict[str, list[bytes]] = {}
    for line in services.separated([sample], around, layers):
        of_services.setdefault(line.service, []).append(line.text)
    names = []
    for lines in of_services.values():
        forms = _forms(b"\n".join(lines) + b"\n")
        names += [form for form in forms if form not in names]
    if not names:
        return None

    def read(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
        from msgtrace.readers import mixed_log

        found = services.separated(_blocks_without_mark(blocks), around, layers)
        return mixed_log.read(found, account, syslog="a server's log through syslog" in names)

    several = f" of {len(of_services)} services" if len(of_services) > 1 else ""
    name = f"{' and '.join(names)}{several}, in {', '.join(around.names)}"
    return _Form(name, read, len(sample) > 4096)


def _forms(cleaned: bytes) -> list[str]:
    """The forms of text of which there is at least one record."""
    from msgtrace.readers import debug_log, server_log

    beginning = b"\n" + cleaned
    found = []
    if _JSON.search(beginning):
        found.append("JSON lines")
    if _JSON_LOGGER.search(beginning):
        found.append("a client's log in JSON lines")
    if _DEBUG.search(cleaned) and debug_log.BEGINNING.search(beginning):
        found.append("output of DEBUG=drachtio:agent")
    if server_log.BEGINNING.search(beginning) or server_log.OLD_BEGINNING.search(beginning):
        found.append("a server's log")
        if server_log.TRACED_BY_SYSLOG.search(beginning):
            found.append("a server's log through syslog")
    elif _SERVER_WORDS.search(cleaned) and server_log.SYSLOG_BEGINNING.search(beginning):
        found.append("a server's log through syslog")
    if _ARROWS.search(beginning):
        found.append("a client's log")
    return found


def _on_doubled_lines(found: Found) -> Found:
    """Every second line of the file is empty."""
    if isinstance(found, Run) or not found.line:
        return found
    return msgspec.structs.replace(found, line=2 * found.line - 1)


def _by_lines(cleaned: bytes) -> tuple[str, Reader | None]:
    """Each reader is imported where it may be the one: its patterns take a millisecond."""
    beginning = b"\n" + cleaned
    if _JSON.search(beginning):
        from msgtrace.readers import json_lines

        start = cleaned.lstrip()
        if start[:1] == b"{":
            json_lines.check_first_line(start.split(b"\n", 1)[0])
        return "JSON lines", json_lines.read
    if _JSON_LOGGER.search(beginning):
        from msgtrace.readers import json_lines

        return "a client's log in JSON lines", json_lines.read
    if b"SIP/2.0" in cleaned and b'{"' in cleaned:
        from msgtrace.readers import json_lines, json_sip

        if json_sip.LINE.search(cleaned):
            return "an application's log in JSON lines, with SIP in a field", json_lines.read
    if _DEBUG.search(cleaned):
        from msgtrace.readers import debug_log

        if debug_log.BEGINNING.search(beginning):
            return "output of DEBUG=drachtio:agent", debug_log.read
        if debug_log.TERMINAL_LINE.search(beginning):
            return "output of DEBUG=drachtio:agent on a terminal", debug_log.read_terminal
    if b"0000" in cleaned:
        from msgtrace.readers import hex_dump

        if hex_dump.BEGINNING.search(cleaned):
            return "packets as hexadecimal digits", hex_dump.read
    if b"Session Initiation Protocol (" in cleaned:
        from msgtrace.readers import packet_tree

        if packet_tree.BEGINNING.search(cleaned):
            return _TREES, packet_tree.read
    if _PRINTED.search(beginning) and not _SERVER_WORDS.search(cleaned):
        from msgtrace.readers import sip_text

        if sip_text.BEGINNING.search(beginning):
            return "SIP as sngrep, ngrep or tcpdump print it", sip_text.read
    if _DATE.search(beginning):
        from msgtrace.readers import server_log

        if server_log.BEGINNING.search(beginning):
            return "a server's log", server_log.read
        if server_log.OLD_BEGINNING.search(beginning):
            return "a server's log", partial(server_log.read, beginning=server_log.OLD_BEGINNING)
    if _ARROW.search(beginning):
        from msgtrace.readers import client_log

        return "a client's log", client_log.read
    return "", None


def _refusal(start: bytes) -> str:
    if start.lstrip()[:1] == b"{":
        return (
            "line 1: JSON, but not a line of the server's trace, of a recording, or of a client's log with '===>'; "
            f"got {start.lstrip()[:40].decode('latin-1')!a}"
        )
    if _SUMMARY.match(start):
        return "tshark's summary, a line for each packet, which holds no message; expected tshark -V, -x or -w FILE"
    return (
        "not a recording of the admin protocol: expected frames ('56#…'), a client's log ('===>', '<==='), output of "
        "DEBUG=drachtio:agent, a server's log, JSON lines or a packet capture; "
        f"got {start[:24].decode('latin-1')!a} at octet 0"
    )


def _bare(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
    streams = Streams(account)
    search = Search(BARE, runs) if runs else None
    for block in _blocks_without_mark(blocks):
        if search and streams.waiting < BEGINNING:  # else a frame is too large to look at its pieces anew
            yield from _bare_runs(streams.take_back() + block, streams, account, search)
        else:
            yield from streams.feed(block, 0)
    yield from streams.close()


def _bare_runs(data: bytes, streams: Streams, account: Account, search: Search) -> Iterator[Found]:
    """What the decoder makes of ``data``, with runs where there are some; what is left over waits in the decoder."""
    text = data.decode("latin-1")
    place = 0
    while place < len(data):
        run = search.by_length(text, place, 0, offset=streams.size)
        if run.frames:
            account.frames += run.octets
            account.ascii_frames += len(run.frames)
            streams.skip(run.octets, None)
            yield run
        end = end_of_plain(data, run.end)
        if end < 0:
            place = run.end
            break
        yield from streams.feed(data[run.end : end], 0)
        place = end
    if place < len(data):
        yield from streams.feed(data[place:], 0)


def _capture(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
    from msgtrace.readers import capture

    return capture.read(blocks, account)  # has no runs


def _hep(blocks: Iterable[bytes], account: Account, runs: Detail | None) -> Iterator[Found]:
    from msgtrace.readers import hep

    return hep.read(blocks, account)  # has no runs


def _without_mark(data: bytes) -> bytes:
    """Without the byte order mark that some editors put first."""
    return data.removeprefix(b"\xef\xbb\xbf")


def _blocks_without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(blocks)
    yield _without_mark(next(rest, b""))
    yield from rest
