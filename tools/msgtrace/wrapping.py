"""What others put around a log: terminal colours, prefixes of containers and loggers, quotation marks, indentation, and
line ends that are spelled out.

It is found out from the beginning of the file. A prefix is what stands, in nearly all lines alike, before the known
beginnings of records; the usual ones are known by name, any other one is learnt. Most wrappings come off block by block
(:func:`clean`). Where lines of several services are mixed, or a line is a piece of one or holds many, they are told
apart line by line (:mod:`msgtrace.services`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_DOCKER = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6,9}(?:Z|[+-][0-9]{2}:?[0-9]{2}) ?"
_SYSLOG_TIME = rb"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_ISO_TIME = (
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_PROGRAM = rb"(?P<service>[A-Za-z0-9_./-]{1,64})(?:\[[0-9]{1,8}\]: ?|: )"
_PREFIXES = (
    ("quotation marks", rb"(?:> ?)+"),
    ("pm2's prefixes", rb"(?P<service>[0-9]{1,4}\|[A-Za-z0-9_.-]+) *\| ?"),
    ("compose prefixes", rb"(?P<service>[A-Za-z0-9][A-Za-z0-9_.-]*) +\| ?"),
    ("pod prefixes", rb"\[(?P<service>pod/[^\]\s]+)\] "),
    ("the lines of containerd", _DOCKER + rb"(?P<service>stdout|stderr) (?P<piece>[FP])(?: |(?=\r?\n|\Z))"),
    ("container times", _DOCKER),
    ("syslog's prefixes", rb"(?:<[0-9]{1,5}>)?" + _SYSLOG_TIME + rb" [^\s:]+ " + _PROGRAM),
    ("syslog's prefixes", rb"(?:<[0-9]{1,5}>)?" + _ISO_TIME + rb" [^\s:]+ " + _PROGRAM),
    (
        "syslog's prefixes",
        rb"<[0-9]{1,3}>1 "
        + _ISO_TIME
        + rb" \S+ (?P<service>\S+) \S+ \S+ (?:-|\[[^\]\n]*\]) ?(?:\xef\xbb\xbf)?",
    ),
)
"""Those before which the next may stand."""
_STAMP = rb"20[0-9]{2}-(?:[0-9]{2}|[A-Z][a-z]{2})-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\|? "
_RECORD = re.compile(
    rb"(?:[0-9a-f]{8}\|)?"
    + _STAMP
    + rb"|20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z (?!20[0-9]{2}-)[A-Za-z0-9_.*@/-]+:[A-Za-z0-9_.:*@/-]+ "
    rb"|(?:drachtio:[a-z]+ )(?:wp#send |<===)"
    rb"|(?:===>|<===)(?=\r?\Z|[0-9]{1,8}#)"
    rb'|\{"(?:kind|level|message|msg|time|timestamp)":'
    rb"|(?:recv|send) [0-9]+ bytes (?:from|to) [a-z]+/"
)
"""the beginning of a record of a known form, wherever it stands in a line"""
_RECORD_SIGNS = (b"20", b"drachtio:", b"===", b'{"', b" bytes ")
"""of which each beginning has one; to seek them takes a tenth of the time"""
SYSLOG_STAMP = re.compile(
    rb"(?:<[0-9]{1,5}>)?(?:1 )?("
    + _SYSLOG_TIME
    + rb"|"
    + _ISO_TIME
    + rb") [^\s:]+ (?:[A-Za-z0-9_./-]{1,64}(?:\[[0-9]{1,8}\]: ?|: ))?"
    rb"(?=(?:recv|send) [0-9]+ bytes (?:from|to) |[^\n]{0,200}\n|[^\n]*\Z)"
)
"""syslog's stamp in the place of the server's: its time is the group"""
_SERVER_WITHOUT_STAMP = re.compile(rb"(?:recv|send) [0-9]+ bytes (?:from|to) [a-z]+/|Client::|Sending")

# How a carriage return and a line feed are spelled by editors, terminals, loggers and web forms.
_CR = rb"\^M|\\r|\\x0d|\\x0D|\\u000d|\\u000D|\\015|#015|&#13;|&#x[dD];|&#x0[dD];|<CR>|<cr>|=0D|\xe2\x90\x8d"
_LF = rb"\^J|\\n|\\x0a|\\x0A|\\u000a|\\u000A|\\012|#012|&#10;|&#x[aA];|&#x0[aA];|<LF>|<lf>|=0A|\xe2\x90\x8a"
_SPELLED_CR = re.compile(rb"(?:" + _CR + rb")(?:" + _LF + rb")?[ \t]*\Z")
_SPELLED_END = re.compile(rb"(?:" + _CR + rb")?(?:" + _LF + rb")")
_ONE_LINE = re.compile(
    rb"(?:" + _LF + rb")(?=[A-Z]{3,20} [^ ]+ SIP/2\.0|SIP/2\.0 [0-9]{3} |v=0|Via: |From: )"
)
_TELLING_LINE = re.compile(
    rb"(?:CSeq: [0-9]+ [A-Z]+|Content-Length: [0-9]+|Max-Forwards: [0-9]+|[A-Z]{3,20} [^ ]+ SIP/2\.0)(\S*[ \t]*)\Z"
)
"""lines of SIP of which it is plain where they end"""
LONGEST_LINE = 4 * 1024 * 1024
"""octets; what has no line end for longer is cut"""
_SAMPLE_LINES = 400


class Wrapping(Struct, frozen=True):
    """What stands around the lines of a log."""

    names: tuple[str, ...] = ()
    """in words"""
    prefix: re.Pattern[bytes] | None = None
    """matches a line end and the prefix of the next line"""
    colours: bool = False
    doubled: bool = False
    """every line end was turned into two"""
    text_mode: bool = False
    """a carriage return was put before every line feed, also where there was one"""
    json_field: str = ""
    """each line is an object of JSON, which has a line of the log in this field"""
    json_pieces: bool = False
    """that line brings its end along, unless it is a piece of one"""
    literals: bool = False
    """lines are datagrams as Python shows octets: ``b'<134>…'``"""
    export: bool = False
    """what ``journalctl -o export`` writes: fields, of which one has a line of the log"""
    entities: bool = False
    """``<``, ``>``, ``&`` and quotation marks are written as HTML has them"""
    end: re.Pattern[bytes] | None = None
    """a spelled-out carriage return and the line end behind it"""
    by_line: bool = False
    """whether lines must be looked at one by one: several services, pieces of lines, line ends within a line"""
    one_line: bool = False
    """line ends within a record are spelled out"""


LITERAL = re.compile(rb"(?m)^[ \t]*b(?P<mark>['\"])<[0-9]{1,5}>[^\n]*(?P=mark)[ \t,\]]*\r?$")
"""a datagram of syslog that a script has printed"""
EXPORT = re.compile(rb"__CURSOR=[^\n]+\n__REALTIME_TIMESTAMP=[0-9]+\n")
_ESCAPED = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXTS = msgspec.json.Decoder(str | list[int] | None)
LOGGER_FIELDS = ("msg", "message")
"""in which pino and winston put what is logged"""
_COLLECTORS = {"log": "docker's JSON lines", "MESSAGE": "the journal's JSON lines"}


def detect(sample: bytes) -> Wrapping:
    """Look at the beginning of a file."""
    json_field = _json_field(sample)
    if json_field:
        texts = [text_in(line, json_field) for line in sample.splitlines()[:-1]]
        pieces = json_field not in LOGGER_FIELDS and any(text.endswith(b"\n") for text in texts)
        inner = detect((b"" if pieces else b"\n").join(texts))
        name = _COLLECTORS.get(json_field, f"JSON lines (in {json_field})")
        return msgspec.structs.replace(
            inner, names=(name, *inner.names), json_field=json_field, json_pieces=pieces
        )
    text_mode = b"\r\r\n" in sample and re.search(rb"(?<!\r)\n", sample) is None
    if text_mode:
        inner = detect(sample.replace(b"\r\n", b"\n"))
        return msgspec.structs.replace(inner, names=("line ends of text mode", *inner.names), text_mode=True)
    if _is_html(sample):
        inner = detect(_plain(sample))
        return msgspec.structs.replace(inner, names=("HTML's entities", *inner.names), entities=True)
    names_: list[str] = []
    colours = b"\x1b[" in sample
    if colours:
        names_.append("colours")
        sample = _ANSI.sub(b"", sample)
    lines = [line for line in sample.split(b"\n")[:_SAMPLE_LINES] if line.strip()]
    pattern, services, pieces = b"", False, False
    while True:
        layer = _layer(lines)
        if layer is None:
            break
        name, prefix = layer
        matcher = re.compile(prefix)
        matches = [found for line in lines if (found := matcher.match(line)) is not None]
        if "service" in matcher.groupindex:
            services = services or len({found["service"] for found in matches}) > 1
            pieces = pieces or "piece" in matcher.groupindex
        bare = re.sub(rb"\(\?P<[a-z]+>", b"(?:", prefix)
        pattern += bare
        names_.append(name)
        lines = [rest for line in lines if (rest := matcher.sub(b"", line, count=1)).strip()]
    doubled = b"\r" not in sample and _doubled(sample)
    if doubled:
        names_.append("doubled line ends")
    lines = [line for line in lines if not line.startswith(b"{")]  # JSON escapes line ends by right
    end = None if _listed(lines) else _spelled_end(lines)
    if end is not None:
        names_.append(f"spelled-out line ends ({end[0]})")
    one_line = any(map(_ONE_LINE.search, lines)) and not _listed(lines)
    if one_line:
        names_.append("records on one line each")
    return Wrapping(
        tuple(names_),
        re.compile(rb"\n(?:" + pattern + rb")") if pattern else None,
        colours,
        doubled,
        end=end[1] if end else None,
        by_line=services or pieces or one_line,
        one_line=one_line,
    )


def _json_field(sample: bytes) -> str:
    """The field in which a collector of logs has put each line; empty if the lines are none of a collector's."""
    first = sample.lstrip().split(b"\n")[0]
    if first[:1] != b"{":
        return ""
    if _RECORD.match(first):
        return _logger_field(sample)
    try:
        fields = _OBJECTS.decode(first)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    if "MESSAGE" in fields and "__REALTIME_TIMESTAMP" in fields:
        return "MESSAGE"
    if next(iter(fields), "") == "log":
        return "log"
    lines = sample.splitlines()[:_SAMPLE_LINES]
    return next(
        (name for name in fields if any(_RECORD.search(text_in(line, name).rstrip(b"\n")) for line in lines)),
        "",
    )


def _logger_field(sample: bytes) -> str:
    """The field of a logger's objects in which an application hands on the lines of a server or of DEBUG; a client's
    own records need no unwrapping."""
    for line in sample.splitlines()[:_SAMPLE_LINES]:
        for name in LOGGER_FIELDS:
            text = text_in(line, name)
            if text is not line and not text.startswith((b"===>", b"<===", b"{")) and _RECORD.match(text):
                return name
    return ""


_ENTITY = re.compile(rb"&(?:lt|gt|amp|quot|apos|nbsp|#39|#x27|#34);")
_ENTITIES = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"quot": b'"', b"apos": b"'", b"nbsp": b" "}
_ENTITIES |= {b"#39": b"'", b"#x27": b"'", b"#34": b'"'}


def _is_html(sample: bytes) -> bool:
    """Whether URIs stand between entities, and none between angle brackets."""
    return (b"&lt;sip" in sample or b"&lt;===" in sample) and b"<sip" not in sample and b"<===" not in sample


def _plain(text: bytes) -> bytes:
    return _ENTITY.sub(lambda found: _ENTITIES[found[0][1:-1]], text)


def _layer(lines: Sequence[bytes]) -> tuple[str, bytes] | None:
    """The outermost prefix: name and pattern."""
    if not lines:
        return None
    enough = max(1.0, len(lines) * 0.9)
    for name, prefix in _PREFIXES:
        matcher = re.compile(prefix)
        if _stands_before(lines, matcher, enough):
            bare = [matcher.sub(b"", line, count=1) for line in lines]
            if name == "syslog's prefixes" and _stamp_is_prefix(bare):
                continue
            return name, prefix
    return _learnt(lines, enough)


def _stands_before(lines: Sequence[bytes], prefix: re.Pattern[bytes], enough: float) -> bool:
    """Whether a prefix stands before enough of the lines. Nearly always it does not, which a few lines show."""
    others = len(lines) - enough
    for line in lines:
        if prefix.match(line) is None:
            others -= 1
            if others < 0:
                return False
    return True


def _stamp_is_prefix(bare: Sequence[bytes]) -> bool:
    """Whether records begin with syslog's own stamp, since the server's is not behind it."""
    own = sum(_RECORD.match(line) is not None and not line.startswith((b"recv", b"send")) for line in bare)
    return not own and any(_SERVER_WITHOUT_STAMP.match(line) for line in bare)


def _learnt(lines: Sequence[bytes], enough: float) -> tuple[str, bytes] | None:
    """What stands alike before the beginnings of records, and before nearly all other lines."""
    found = [
        (line, record.start())
        for line in lines
        if any(sign in line for sign in _RECORD_SIGNS)
        and (record := _RECORD.search(line[:400])) is not None
        and not _stamped_by_syslog(line, record[0])
    ]
    before = [line[:place] for line, place in found if place]
    if not before or len(before) < 0.6 * len(found):
        return None
    if not any(text.strip() for text in before):
        blanks = min(before, key=len)
        if sum(line.startswith(blanks) for line in lines) >= enough:
            return "indentation", re.escape(blanks)
        return None
    pattern = _generalised(before)
    if pattern is None:
        return None
    if not _stands_before(lines, re.compile(pattern), enough):
        return None
    shown = before[0].decode("utf-8", "replace").strip()
    return f"prefixes ({shown[:40]} …)", pattern


def _stamped_by_syslog(line: bytes, record: bytes) -> bool:
    """Whether syslog's stamp stands in the place of the server's."""
    return record.startswith((b"recv", b"send")) and SYSLOG_STAMP.match(line) is not None


_TOKEN = re.compile(rb"[0-9]+|[A-Za-z]+|[ \t]+|[^A-Za-z0-9 \t]")


def _generalised(texts: Sequence[bytes]) -> bytes | None:
    """A pattern for prefixes of one shape: numbers vary, and so does what differs among them."""
    shapes = Counter(tuple(_kind(token) for token in _TOKEN.findall(text)) for text in texts)
    shape, count = shapes.most_common(1)[0]
    if count < 0.6 * len(texts) or not shape or len(shape) > 60:
        return None
    cut = [_TOKEN.findall(text) for text in texts]
    alike = [tokens for tokens in cut if tuple(map(_kind, tokens)) == shape]
    parts = []
    for position, kind in enumerate(shape):
        values = {tokens[position] for tokens in alike}
        if kind == b"9":
            parts.append(rb"[0-9]+")
        elif kind == b" ":
            parts.append(rb"[ \t]*" if position == len(shape) - 1 else rb"[ \t]+")
        elif len(values) == 1 and len(alike) > 1:
            parts.append(re.escape(values.pop()))
        elif kind == b"a":
            parts.append(rb"[A-Za-z]+")
        else:
            parts.append(re.escape(kind))
    return b"".join(parts)


def _kind(token: bytes) -> bytes:
    first = token[:1]
    if first.isdigit():
        return b"9"
    if first.isalpha():
        return b"a"
    return b" " if first in b" \t" else first


def _spelled_end(lines: Sequence[bytes]) -> tuple[str, re.Pattern[bytes]] | None:
    """How line ends of SIP are spelled out, if they are: its name, and a pattern of it with the line end behind, whose
    group tells a carriage return from what ends every line (``$``, as ``cat -A`` shows it)."""
    dollar = rb"\$" if lines and sum(line.endswith(b"$") for line in lines) >= 0.95 * len(lines) else b""
    bare = [line.rstrip(b"\r").removesuffix(b"$") if dollar else line.rstrip(b"\r") for line in lines]
    endings = Counter(found[1].strip() for line in bare if (found := _TELLING_LINE.match(line)) is not None)
    told = sum(endings.values())
    known = not told
    if not told:
        # No SIP here; a log of frames may still show it.
        ends = [found[0].strip() for line in bare if (found := _SPELLED_CR.search(line)) is not None]
        if len(ends) < max(2, 0.5 * len(bare)):
            ends = []
        endings, told = Counter(ends), len(ends)
    spelled, count = endings.most_common(1)[0] if endings else (b"", 0)
    # What is not known as a spelling must stand behind all of several lines, and be no word.
    known = known or _SPELLED_CR.match(spelled) is not None
    if not spelled or (count < 0.6 * told if known else count < max(3, told) or spelled.isalnum()):
        return ("$", re.compile(rb"()\$\r?(?=\n)")) if dollar else None
    name = (spelled + dollar.replace(b"\\", b"")).decode("utf-8", "replace")
    optional = b"?" if dollar else b""
    return name, re.compile(rb"(" + re.escape(spelled) + rb")" + optional + dollar + rb"[ \t]*\r?(?=\n)")


def with_returns(text: bytes, wrapping: Wrapping) -> bytes:
    """Lines with carriage returns where they were spelled out; each line ends in a line feed."""
    return text if wrapping.end is None else wrapping.end.sub(_return, text)


def _return(found: re.Match[bytes]) -> bytes:
    return b"\r" if found[1] else b""


def _listed(lines: Sequence[bytes]) -> bool:
    """Whether the lines are a document's listing, in which the reader of client logs knows spelled-out line ends."""
    return any(re.match(rb"[ \t]*(?:===>|<===)[ \t]*[0-9]{1,8}#", line) for line in lines)


def _doubled(sample: bytes) -> bool:
    lines = sample.split(b"\n")
    return len(lines) > 6 and not any(lines[1:-1:2]) and any(lines[::2])


def clean(blocks: Iterable[bytes], wrapping: Wrapping) -> Iterator[bytes]:
    """Blocks of whole lines (the last line of all may lack its end) without their wrapping."""
    if wrapping.json_field:
        inner = msgspec.structs.replace(wrapping, json_field="")
        yield from clean(_unwrapped(lines_of(blocks), wrapping), inner)
        return
    if wrapping.export:
        yield from _exported(blocks)
        return
    if wrapping.literals:
        for block in lines_of(blocks):
            yield LITERAL.sub(_octets_of, block)
        return
    if wrapping.text_mode:
        inner = msgspec.structs.replace(wrapping, text_mode=False)
        yield from clean((block.replace(b"\r\n", b"\n") for block in lines_of(blocks)), inner)
        return
    for block in lines_of(blocks, b"\n\n" if wrapping.doubled else b"\n"):
        if wrapping.entities:
            block = _plain(block)
        if wrapping.colours and b"\x1b" in block:
            block = _ANSI.sub(b"", block)
        if wrapping.prefix is not None:
            block = wrapping.prefix.sub(b"\n", b"\n" + block)[1:]
        if wrapping.doubled:
            block = block.replace(b"\n\n", b"\n")
        yield with_returns(block, wrapping)


def _exported(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The messages of an export of the journal (systemd's "Journal Export Format"): ``NAME=value``, or for octets the
    name, a line end, the size in eight octets and as many octets."""
    held = b""
    for block in blocks:
        held += block
        place, found = 0, []
        while (end := held.find(b"\n", place)) >= 0:
            name, equals, value = held[place:end].partition(b"=")
            following = end + 1
            if name and not equals:
                size = int.from_bytes(held[following : following + 8], "little")
                if size > LONGEST_LINE:  # no export any more
                    found.append(held[place:])
                    following = len(held)
                elif len(held) < following + 8 + size + 1:
                    break
                else:
                    value = held[following + 8 : following + 8 + size]
                    following += 8 + size + 1
            if name == b"MESSAGE":
                found.append(value + b"\n")
            place = following
        held = held[place:]
        yield b"".join(found)


def _octets_of(literal: re.Match[bytes]) -> bytes:
    return _ESCAPED.sub(
        lambda found: bytes([int(found[1], 16)]) if found[1] else _ESCAPES.get(found[2], found[2]),
        literal[0].strip(b" \t\r,]")[2:-1],
    )


def without_colours(line: bytes) -> bytes:
    """A line without the escapes of a terminal."""
    return _ANSI.sub(b"", line) if b"\x1b" in line else line


def on_lines_of_their_own(line: bytes) -> list[bytes]:
    """The lines of a record whose line ends are spelled out; CR LF where both were, or where it is SIP."""
    return [_unescaped(part) for part in _SPELLED_END.split(line)]


def _unescaped(part: bytes) -> bytes:
    return part.replace(b"#011", b"\t")


def lines_of(blocks: Iterable[bytes], end: bytes = b"\n") -> Iterator[bytes]:
    """The same octets, cut behind line ends, which have one octet or two."""
    kept: list[bytes] = []
    size = 0
    for block in filter(None, blocks):
        before = kept[-1][-(len(end) - 1) :] if kept and len(end) > 1 else b""  # an end may be cut in two
        cut = (before + block).rfind(end) + len(end) - len(before)
        if cut < len(end) - len(before):
            kept.append(block)
            size += len(block)
            if size < LONGEST_LINE:
                continue
            block, cut = b"", 0
        yield b"".join([*kept, block[:cut]])
        rest = block[cut:]
        kept, size = ([rest], len(rest)) if rest else ([], 0)
    if kept:
        yield b"".join(kept)


def prefix_layers(sample: bytes) -> list[re.Pattern[bytes]]:
    """The prefixes of a line, the outermost first, with the groups ``service`` and ``piece`` where they have them."""
    lines = [line for line in without_colours(sample).split(b"\n")[:_SAMPLE_LINES] if line.strip()]
    layers = []
    while (layer := _layer(lines)) is not None:
        matcher = re.compile(layer[1])
        layers.append(matcher)
        lines = [rest for line in lines if (rest := matcher.sub(b"", line, count=1)).strip()]
    return layers


def _unwrapped(blocks: Iterable[bytes], wrapping: Wrapping) -> Iterator[bytes]:
    for block in blocks:
        texts = [(line, text_in(line, wrapping.json_field)) for line in block.splitlines()]
        yield b"".join(
            text if text.endswith(b"\n") or (wrapping.json_pieces and text is not line) else text + b"\n"
            for line, text in texts
        )


def text_in(line: bytes, json_field: str) -> bytes:
    """The log's line in that field of an object; the line itself if it is none, nothing if the field is no text.

    ``journalctl -o json`` writes octets that are no text as a list of numbers.
    """
    try:
        text = _TEXTS.decode(_OBJECTS.decode(line)[json_field])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return line
    if isinstance(text, list):
        return bytes(one & 0xFF for one in text)
    return (text or "").encode("utf-8", "surrogatepass")
