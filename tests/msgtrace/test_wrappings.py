"""What stands around logs, what is mixed into them, and how line ends are spelled: the same calls come out of all."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

import pytest

from msgtrace.answers import Shown, shown
from msgtrace.calls import CallIndex
from msgtrace.entries import Account, Entry, EntryKind
from msgtrace.recordings import read_blocks
from msgtrace.verdict import judge
from tests.msgtrace import call_set
from tests.msgtrace.call_set import Frame, Played, Scene, Sip, message


def scene() -> Scene:
    """A call that is answered and hung up by the caller, with bodies, and a ping that is refused."""
    play = Played()
    play.request("INVITE", "call-1", 1, answers=["180 Ringing", "200 OK"])
    play.hang_up("call-1", 2)
    play.request("OPTIONS", "ping-1", 1, answers=["503 Service Unavailable"])
    return with_bodies(play.scene)


SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


def with_bodies(played: Scene) -> Scene:
    """INVITEs and their 200 have a body."""

    def grown(text: str) -> str:
        if not re.search(r"(?m)^(?:INVITE sip:|SIP/2\.0 200 OK\r\n(?:.+\r\n)*CSeq: 1 INVITE)", text):
            return text
        return text.replace("Content-Length: 0\r\n\r\n", f"Content-Length: {len(SDP)}\r\n\r\n{SDP}")

    played.steps = [
        Frame(step.down, grown(step.payload))
        if isinstance(step, Frame)
        else Sip(step.sent, step.peer, grown(step.text))
        for step in played.steps
    ]
    return played


def genuine_info_log(what: Scene) -> str:
    """As the genuine server traces: the last octet is a blank; line ends are LF here, as people have it."""

    def record(step: Sip, index: int) -> str:
        way = f"send {len(step.text)} bytes to" if step.sent else f"recv {len(step.text)} bytes from"
        host, _, port = step.peer.partition(":")
        at = f"07:26:{index:02}.{index:03}{index:03}"
        text = step.text.removesuffix("\r\n").replace("\r\n", "\n")
        return f"2026-11-23 {at} {way} udp/[{host}]:{port} at {at}:\n{text} \n"

    lines = ["2026-11-23 07:26:00.000001 Starting drachtio version v0.9.5\n"]
    lines += [record(step, index) for index, step in enumerate(what.steps) if isinstance(step, Sip)]
    return "".join(lines)


FORMS: dict[str, Callable[[Scene], str]] = {
    "log at info": genuine_info_log,
    "log at debug": lambda what: call_set.debug_log(what).decode(),
    "debug output": lambda what: call_set.debug_output(what).decode(),
    "debug output, LF": lambda what: call_set.debug_output(what).decode().replace("\r\n", "\n"),
    "client log": lambda what: call_set.client_log(what).decode(),
}
ANSWERED = re.compile(r"answered for [0-9.]+ s, the caller hung up")


def decoded(text: str | bytes, size: int = 1 << 20) -> tuple[list[Shown], dict[str, str], Account]:
    """Items, verdicts by Call-ID, and the account of the octets."""
    data = text.encode() if isinstance(text, str) else text
    account, index = Account(), CallIndex()
    account.total = len(data)
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    items = list(shown(read_blocks(blocks, account), learn=index.learn))
    return items, {call.call_id: judge(call).text for call in index.calls}, account


def assert_right(text: str | bytes, *, timed: bool = True, size: int = 1 << 20) -> list[Shown]:
    """Both calls, nothing damaged, and every message is whole and nothing more."""
    items, verdicts, account = decoded(text, size)
    assert list(verdicts) == ["call-1", "ping-1"]
    pattern = ANSWERED if timed else re.compile("answered.*, the caller hung up")
    assert pattern.match(verdicts["call-1"]), verdicts
    assert verdicts["ping-1"].startswith("503 Service Unavailable"), verdicts
    assert [item.summary for item in items if item.entry.kind is EntryKind.DAMAGE] == []
    for item in items:
        text_ = item.sip
        if text_ is not None and text_.has("Content-Length"):
            assert abs(len(text_.body) - int(text_.first("Content-Length"))) <= 2, (item.number, text_.body)
    assert account.damage == 0
    return items


def each(text: str, change: Callable[[str], str]) -> str:
    """Every line changed; a line ends in LF."""
    return "".join(change(line) for line in re.findall(r"[^\n]*\n", text))


def on_first_lines(text: str, stamp: str, inner: str = r"(?m)^2026-11-23 [0-9:.]{15} ") -> str:
    """Another stamp in the place of the server's."""
    return re.sub(inner, stamp, text)


def cri(text: str) -> str:
    """containerd; long lines come in pieces."""
    lines = []
    for number, line in enumerate(text.split("\n")[:-1]):
        stamp = f"2026-11-23T07:26:00.{number:09}Z stdout"
        lines += (
            [f"{stamp} P {line[:30]}\n", f"{stamp} F {line[30:]}\n"]
            if len(line) > 70
            else [f"{stamp} F {line}\n"]
        )
    return "".join(lines)


def rsyslog(escape: str) -> Callable[[str], str]:
    """One line for each record of a server's log, under syslog's stamp."""

    def wrap(text: str) -> str:
        records = re.split(r"(?m)^2026-11-23 [0-9:.]{15} ", text)[1:]
        return "".join(
            f"Nov 23 07:26:00 sbc-1 drachtio[812]: {record.removesuffix(chr(10)).replace(chr(10), escape)}\n"
            for record in records
        )

    return wrap


EVERY_LINE: dict[str, Callable[[str], str]] = {
    "CRI": cri,
    "CRI, stderr": lambda text: cri(text).replace(" stdout ", " stderr "),
    "journal": lambda text: each(text, lambda line: f"Nov 23 07:26:00 sbc-1 drachtio[812]: {line}"),
    "journal, short-iso": lambda text: each(
        text, lambda line: f"2026-11-23T07:26:00+0000 sbc-1 drachtio[812]: {line}"
    ),
    "journal, short-precise": lambda text: each(
        text, lambda line: f"Nov 23 07:26:00.123456 sbc-1 node[9]: {line}"
    ),
    "RFC 5424": lambda text: each(
        text, lambda line: f"<134>1 2026-11-23T07:26:00.1Z sbc drachtio 812 - - {line}"
    ),
    "pm2": lambda text: each(text, lambda line: f"0|sbc-inbound  | {line}"),
    "compose": lambda text: each(text, lambda line: f"drachtio-1  | {line}"),
    "pod": lambda text: each(text, lambda line: f"[pod/sbc-0/drachtio] {line}"),
    "indented": lambda text: each(text, lambda line: f"    {line}"),
    "indented by tabs": lambda text: each(text, lambda line: f"\t\t{line}"),
    "indented and quoted": lambda text: each(text, lambda line: f">     {line}"),
    "another logger": lambda text: each(text, lambda line: f"[12:00:01] (drachtio/812) INFO: {line}"),
    "a build's log": lambda text: each(text, lambda line: f"2026-11-23T07:26:00.1234567Z {line}"),
    "compose of containers with times": lambda text: each(
        text, lambda line: f"drachtio-1  | 2026-11-23T07:26:00.123456789Z {line}"
    ),
    "HTML": lambda text: html.escape(text),
    "the journal in JSON": lambda text: each(
        text,
        lambda line: (
            json.dumps(
                {
                    "__REALTIME_TIMESTAMP": "1",
                    "MESSAGE": line[:-1],
                    "_PID": "1",
                    "SYSLOG_IDENTIFIER": "drachtio",
                }
            )
            + "\n"
        ),
    ),
    "the journal in JSON, octets": lambda text: each(
        text,
        lambda line: json.dumps({"__REALTIME_TIMESTAMP": "1", "MESSAGE": list(line[:-1].encode())}) + "\n",
    ),
    "a collector's JSON": lambda text: each(
        text, lambda line: json.dumps({"insertId": "a", "textPayload": line[:-1], "severity": "INFO"}) + "\n"
    ),
    "awslogs": lambda text: each(text, lambda line: f"sbc drachtio/sbc/0f1e 2026-11-23T07:26:00.123Z {line}"),
    "logcli": lambda text: each(text, lambda line: f'2026-11-23T07:26:00Z {{app="drachtio"}} {line}'),
    "ts": lambda text: each(text, lambda line: f"Nov 23 07:26:00 {line}"),
    "grep": lambda text: each(text, lambda line: f"drachtio.log:{line}"),
    "text mode": lambda text: text.replace("\n", "\r\n") if "\r\n" in text else text,
    "stern": lambda text: each(text, lambda line: f"sbc-7d9f drachtio {line}"),
}


@pytest.mark.parametrize("wrap", EVERY_LINE)
@pytest.mark.parametrize("form", FORMS)
def test_prefixes_come_off(form: str, wrap: str) -> None:
    assert_right(EVERY_LINE[wrap](FORMS[form](scene())), timed=form != "client log")


@pytest.mark.parametrize("field", ["msg", "message"])
@pytest.mark.parametrize("form", ["log at info", "log at debug", "debug output", "debug output, LF"])
def test_a_logger_of_json_hands_on_the_lines_of_another_program(form: str, field: str) -> None:
    def line_of(text: str) -> str:
        return json.dumps({"level": 30, "time": 1700000000000, "pid": 7, field: text}) + "\n"

    text = FORMS[form](scene())
    by_line = each(text, lambda line: line_of(line[:-1]))
    assert_right(by_line)
    begins = r"(?m)^(?=2026-11-23[ T])"
    by_record = "".join(line_of(record) for record in re.split(begins, text) if record)
    assert_right(line_of("up and running") + by_record)
    account = decoded(by_record)[2]
    assert f"JSON lines (in {field})" in account.form


def test_a_line_that_is_no_object_stays_one_among_dockers_pieces() -> None:
    lines = [
        json.dumps({"log": line[:40]}) + "\n" + json.dumps({"log": line[40:]})
        for line in genuine_info_log(scene()).splitlines(keepends=True)
    ]
    lines.insert(3, "tail: file truncated")
    assert_right("\n".join(lines) + "\n")


FIRST_LINES: dict[str, Callable[[str], str]] = {
    "the server's own syslog": lambda text: on_first_lines(text, "<183>Nov 23 07:26:00 sbc-1 "),
    "syslog with a program": lambda text: on_first_lines(text, "Nov  3 07:26:00 sbc-1 drachtio: "),
    "rsyslog": rsyslog("#012"),
    "rsyslog, both escaped": rsyslog("#015#012"),
    "line feeds spelled out": rsyslog("\\n"),
    "drachtio 0.7": lambda text: re.sub(
        r"(?m)^2026-11-23 ([0-9:.]{15}) ", r"00001b65|2017-Jun-27 \1| ", text
    ),
}


@pytest.mark.parametrize("wrap", FIRST_LINES)
@pytest.mark.parametrize("size", [50, 1 << 20])
def test_other_stamps_of_a_servers_log(wrap: str, size: int) -> None:
    items = assert_right(FIRST_LINES[wrap](genuine_info_log(scene())), size=size)
    assert items[0].entry.time.endswith("07:26:10.010010")


ENDS = ["^M", "\\r", "#015", "<CR>", "&#13;", "&#xD;", "\\x0d", "=0D", "\u240d", "^M ", "\\015"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("form", ["log at debug", "debug output", "client log"])
def test_a_carriage_return_may_be_spelled_out(form: str, end: str) -> None:
    assert_right(FORMS[form](scene()).replace("\r\n", f"{end}\n"), timed=form != "client log")


@pytest.mark.parametrize("form", FORMS)
def test_what_cat_shows_of_line_ends_comes_off(form: str) -> None:
    text = FORMS[form](scene()).replace("\r\n", "^M\n").replace("\n", "$\n")
    assert_right(text, timed=form != "client log")


def test_a_spelling_that_nobody_knows_is_learnt_from_fields_that_end_plainly() -> None:
    assert_right(call_set.info_log(scene()).decode().replace("\r\n", "\u00b6\n"))


def test_a_spelling_that_is_not_learnt_is_damage_and_no_message() -> None:
    text = message("SIP/2.0 200 OK", "c", "1 INVITE").replace("\r\n", "{cr}\n", 6)
    head = f"2026-11-23 07:26:06.000000 recv {len(text)} bytes from udp/[192.0.2.9]:5060 at 07:26:06.000000:"
    assert [item.entry.kind for item in decoded(f"{head}\n{text} \n")[0]] == [EntryKind.DAMAGE]


@pytest.mark.parametrize("end", ENDS)
def test_a_log_at_info_with_spelled_out_line_ends(end: str) -> None:
    assert_right(call_set.info_log(scene()).decode().replace("\r\n", f"{end}\n"))


def compose(*services: tuple[str, str]) -> str:
    """Records of several services as docker-compose mixes them: (name, log) each, a line of each in turn where a
    record begins."""
    width = max(len(name) for name, _ in services) + 2
    cut = [
        (name, re.findall(r"(?m)^(?:20[0-9]{2}-|\{).*\n(?:(?!20[0-9]{2}-|\{).*\n)*", text))
        for name, text in services
    ]
    lines = []
    for turn in range(max(len(records) for _, records in cut)):
        for name, records in cut:
            if turn < len(records):
                lines += [f"{name:{width}}| {line}\n" for line in records[turn].split("\n")[:-1]]
    return "".join(lines)


def pino(count: int) -> str:
    """Other lines of an application."""
    return "".join(
        json.dumps({"level": 30, "time": 1795419966600 + n, "msg": f"event {n}", "pid": 1}) + "\n"
        for n in range(count)
    )


def test_json_lines_of_another_service_are_no_part_of_a_message() -> None:
    items = assert_right(compose(("drachtio", genuine_info_log(scene())), ("siprec-app", pino(20))))
    assert not any("event" in item.entry.data for item in items)
    assert all(item.entry.connection in ("drachtio", "") for item in items)


def test_services_that_both_have_records_are_each_read() -> None:
    text = compose(("drachtio", genuine_info_log(scene())), ("app", call_set.debug_output(scene()).decode()))
    items = assert_right(text)
    kinds = [item.entry.kind for item in items]
    assert kinds.count(EntryKind.FRAME) == sum(isinstance(step, Frame) for step in scene().steps)
    assert kinds.count(EntryKind.SIP) == sum(isinstance(step, Sip) for step in scene().steps)
    lines = [item.entry.line for item in items]
    assert lines == sorted(lines)


def line_by_line(one: str, two: str) -> str:
    """Two services whose lines alternate within records."""
    lines: list[str] = []
    first, second = one.split("\n")[:-1], two.split("\n")[:-1]
    for index in range(max(len(first), len(second))):
        lines += [f"a-1  | {first[index]}\n"] if index < len(first) else []
        lines += [f"longer-name-1  | {second[index]}\n"] if index < len(second) else []
    return "".join(lines)


def test_services_may_write_into_each_others_records() -> None:
    items = assert_right(line_by_line(genuine_info_log(scene()), call_set.debug_output(scene()).decode()))
    assert sum(item.entry.kind is EntryKind.SIP for item in items) == sum(
        isinstance(step, Sip) for step in scene().steps
    )


def mixed(*logs: str) -> str:
    """Records of several forms in turn, without prefixes."""
    cut = [
        re.findall(r"(?m)^(?:20[0-9]{2}-|===>|<===).*\n(?:(?!20[0-9]{2}-|===>|<===).*\n)*", text)
        for text in logs
    ]
    return "".join(
        records[turn] for turn in range(max(map(len, cut))) for records in cut if turn < len(records)
    )


@pytest.mark.parametrize("other", ["debug output", "client log"])
def test_two_forms_in_one_file_are_each_read(other: str) -> None:
    items = assert_right(mixed(genuine_info_log(scene()), FORMS[other](scene())))
    kinds = {item.entry.kind for item in items}
    assert kinds == {EntryKind.FRAME, EntryKind.SIP}


REMARKS = [
    "// and this is the answer\n",
    "\n// behind an empty line\n",
    "Error: connect ECONNREFUSED\n    at TCPConnectWrap.afterConnect\n",
    pino(2),
]


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("form", FORMS)
def test_remarks_between_records_are_no_part_of_messages(form: str, remark: str) -> None:
    text = FORMS[form](scene())
    beginning = r"(?m)^(?=(?:20[0-9]{2}-|===>|<===))"
    text = re.sub(beginning, lambda found: remark if found.start() else "", text)
    items = assert_right(text, timed=form != "client log")
    assert not any(re.search("// |ECONNREFUSED|event", item.entry.data) for item in items)


def test_a_message_whose_body_looks_like_other_records_keeps_it() -> None:
    body = '{"level": 30, "msg": "within"}\r\n2026-11-23T07:26:06.658Z drachtio:agent <===3\r\n'
    text = message("INFO sip:bob@h SIP/2.0", "c", "1 INFO", body=body)
    log = (
        f"2026-11-23 07:26:06.000000 recv {len(text)} bytes from udp/[192.0.2.9]:5060 at 07:26:06.000000:\n{text} \n"
        "2026-11-23T07:26:06.658Z drachtio:agent <===20#u|response|p|OK|pong\n"
    )
    items, _, _ = decoded(log)
    assert [item.entry.data for item in items] == [text, "u|response|p|OK|pong"]


def test_a_frame_that_is_shown_much_longer_than_it_says_is_damage() -> None:
    frame = "u|response|p|OK|pong" + "y" * 410
    stamp = "2026-11-23T07:26:06.658Z drachtio:agent"
    log = f"{stamp} <===20#{frame}\n{stamp} <===6#p|ping\n"
    items, _, account = decoded(log)
    damage = [item.summary for item in items if item.entry.kind is EntryKind.DAMAGE]
    assert damage == ["a frame of 20 octets by its length, behind which 410 more are shown"]
    assert account.damage == 410
    assert items[-1].entry.data == "p|ping"


def test_a_trace_that_holds_no_message_is_damage() -> None:
    head = "2026-11-23 07:26:06.000000 recv 30 bytes from udp/[192.0.2.9]:5060 at 07:26:06.000000:"
    log = f"{head}\nINVITE sip:x SIP/2.0<?>\n"
    (entry,) = (item.entry for item in decoded(log)[0])
    assert entry.kind is EntryKind.DAMAGE
    assert "expected a SIP message of 30 octets behind the trace, got 'INVITE sip:x SIP/2.0<?>" in entry.data


ANSWER = "m1|sip|t1|\r\nSIP/2.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}"
BODIES = ["", "line one\r\nline two\r\n", "no end", "one\n\n", "\r\n\r\n"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("boost", ["1.70", "1.71"])
def test_frames_in_a_servers_log_are_whole_whatever_wrote_it(body: str, boost: str) -> None:
    """``endl`` behind the frame; then the logger's line end, always or only if there is none."""
    answer = ANSWER.format(len(body), body)
    told = "n|response|m1|OK|application|9|udp|h|1|t|t1|||Msg sent:|\r\nSIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
    end = "\n\n" if boost == "1.70" else "\n"
    plain = ["m0|route|invite", "m2|proxy|t1|remainInDialog||||||sip:x@h\r\n\r\n"]
    log = "".join(
        [
            *(
                f"2026-11-23 07:26:06.000000 Client::read_handler read: {frame}{end}"
                for frame in (plain[0], answer)
            ),
            f"2026-11-23 07:26:06.100000 Sending: {len(told)}#{told}{end}",
            "2026-11-23 07:26:06.200000 Client::send - wrote 9 bytes: system:0\n",
        ]
    )
    items, _, account = decoded(log)
    assert [item.entry.data for item in items] == [plain[0], answer, told]
    assert not any(item.entry.missing for item in items)
    assert () not in account.units


def test_what_the_genuine_server_shows_in_place_of_other_octets_is_said() -> None:
    head = "MESSAGE sip:bob@h SIP/2.0\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 35\r\n\r\n"
    for shown_ in ("   <ENCODED DATA>\r\n\r\n\r\n", "   <ENCODED DATA", "   <ENCODED DATA>"):
        log = (
            f"2026-11-23 07:26:06.000000 recv {len(head) + 35} bytes from udp/[192.0.2.9]:5060 at 07:26:06.000000:\n"
            f"{head}{shown_} \n2026-11-23 07:26:07.000000 next\n"
        )
        (entry,) = (item.entry for item in decoded(log)[0])
        assert isinstance(entry, Entry)
        assert (entry.data, entry.missing) == (head, 35)
        assert "<ENCODED DATA>" in entry.remark


def exported(text: bytes) -> bytes:
    """As journald stores it: text as it is, what has line ends or other octets with its size before it."""
    head = b"__CURSOR=s=6f;i=1\n__REALTIME_TIMESTAMP=1795419966600000\n_TRANSPORT=stdout\nPRIORITY=6\n"
    if re.fullmatch(rb"[\x20-\x7e\t]*", text):
        return head + b"MESSAGE=" + text + b"\nSYSLOG_IDENTIFIER=drachtio\n\n"
    size = len(text).to_bytes(8, "little")
    return head + b"MESSAGE\n" + size + text + b"\nSYSLOG_IDENTIFIER=drachtio\n\n"


@pytest.mark.parametrize("size", [1 << 20, 777, 10])
@pytest.mark.parametrize("form", ["log at info", "log at debug", "debug output"])
def test_an_export_of_the_journal(form: str, size: int) -> None:
    """journalctl -o export: a record is one entry where the logger wrote it in one, or one line each."""
    text = FORMS[form](scene())
    whole = [record for record in re.split(r"(?m)^(?=2026-11-23[ T])", text) if record]
    for pieces in (whole, text.split("\n")[:-1]):
        data = b"".join(exported(piece.removesuffix("\n").encode()) for piece in pieces)
        account = Account()
        entries = list(read_blocks([data[at : at + size] for at in range(0, len(data), size)], account))
        assert [one.data for one in entries] == [one.data for one in read_blocks([text.encode()], Account())]
        assert account.form.endswith(", in the journal's export")


def test_an_export_that_is_none_any_more() -> None:
    text = FORMS["log at info"](scene())
    data = b"".join(exported(line.encode()) for line in text.splitlines())
    whole = [one.data for one in read_blocks([text.encode()], Account())]
    broken = data + b"GARBAGE\n" + b"\xff" * 9 + b"and so on\n" * 9
    assert [one.data for one in read_blocks([broken], Account())] == whole
    assert [one.data for one in read_blocks([data + b"MESSAGE\n\x09\0\0"], Account())] == whole
