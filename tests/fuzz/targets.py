"""Readers of foreign octets as functions that must return, whatever they are given: what they may raise is here.

``corpus/NAME`` holds beginnings, and inputs that once broke something; ``make test`` gives each of them, and changed
ones, to its reader, and ``make fuzz`` looks for others, guided by what of the code they reach where atheris is there.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from drachtio_conformance.cases.loader import LoadError, parse
from msgtrace.answers import shown
from msgtrace.call_table import judged, table
from msgtrace.calls import CallIndex
from msgtrace.colours import Paint
from msgtrace.entries import Account, NotARecording
from msgtrace.legs import join
from msgtrace.ordinary import Detail
from msgtrace.recordings import read_blocks, read_runs
from reference_server.config.effective import effective_text
from reference_server.config.reading import read
from reference_server.core.methods import INVITE
from reference_server.handlers.answer import AnswerError, read_answer
from reference_server.net.websocket import WebSocketFraming
from reference_server.sip.messages.draft import parse_draft
from reference_server.sip.messages.message import Request, SipSyntaxError, parse_message
from reference_server.sip.messages.sanity import fault_of
from reference_server.sip.messages.stream import StreamError, StreamFramer
from reference_server.sip.messages.uri import UriError, parse_address, parse_uri
from reference_server.wire.framing import FrameDecoder, FramingError
from reference_server.wire.requests import RequestError, parse_request
from tests.attack.test_growth import (
    of_dialog,
    of_draft,
    of_reliable,
    of_request,
    of_response,
    of_session_timer,
)

CORPUS = Path(__file__).with_name("corpus")

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)


def frames(data: bytes) -> None:
    """Octets of an application."""
    decoder = FrameDecoder(1 << 20)
    with suppress(FramingError):
        decoder.feed(data)
        while (payload := decoder.next_frame()) is not None:
            with suppress(RequestError):
                parse_request(payload)


def messages(data: bytes) -> None:
    """A datagram, the same as a stream, and the same as the text that an application gives."""
    text = data.decode("latin-1")
    with suppress(SipSyntaxError):
        message = parse_message(text)
        if isinstance(message, Request):
            fault_of(message)
    with suppress(StreamError):
        framer = StreamFramer(1 << 20)
        framer.feed(data)
        while framer.next_message() is not None:
            pass
    parse_draft(text, "").lines()


def headers(data: bytes) -> None:
    """The value of a header field: of a request, a response, what an application gives, or of some fields alone.

    Which, the first octet says.
    """
    text = data[1:].decode("latin-1")
    readers = (of_request, of_response, of_draft, of_session_timer, of_reliable, of_dialog)
    with suppress(SipSyntaxError, UriError):
        readers[(data or b" ")[0] % len(readers)](text)


def websockets(data: bytes) -> None:
    """What comes over a WebSocket, from its handshake on."""
    framing = WebSocketFraming.accepted()
    for octets in (HANDSHAKE, data):
        framing.feed(octets)
        with suppress(StreamError):
            while (message := framing.next_message()) is not None:
                framing.encode(message)
        framing.take_replies()


def uris(data: bytes) -> None:
    """The value of a header field."""
    text = data.decode("latin-1")
    for reader in (parse_uri, parse_address):
        with suppress(UriError):
            reader(text)


def configuration(data: bytes) -> None:
    """A configuration file."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        Path(file.name).write_bytes(data)
        read((), {}, Path(file.name))


def options(data: bytes) -> None:
    """A command line, a word a line; a word with ``=`` behind ``DRACHTIO_`` is a variable."""
    words = data.decode("utf-8", "surrogateescape").split("\n")
    variables = dict(word.split("=", 1) for word in words if re.match("DRACHTIO_[A-Z_0-9]+=", word))
    arguments = [word for word in words if not word.startswith(("DRACHTIO_", "--file", "-f"))]
    reading = read(arguments, variables, CORPUS / "none")
    if not reading.errors:
        effective_text(reading.sources)


def cases(data: bytes) -> None:
    """A file of cases."""
    with suppress(LoadError):
        parse(data.decode("utf-8", "replace"), name="t", file="t.yaml")


def recordings(data: bytes) -> None:
    """Whatever msgtrace is to decode: its calls, as their table has them, and its messages by the quicker way."""
    with suppress(NotARecording):
        index = CallIndex()
        for _ in shown(read_blocks([data], Account()), hold=0, learn=index.learn):
            pass
        rows = judged(index.calls, join(index.calls))
        for _ in table(rows, Paint(enabled=False), failed_only=False, file="x"):
            pass
        for _ in read_runs([data], Account(), Detail.LINE):
            pass


def answers(data: bytes) -> None:
    """What a callback answers."""
    with suppress(AnswerError):
        read_answer(data, INVITE)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        *(frames, messages, headers, uris, websockets),
        *(configuration, options, cases, recordings, answers),
    )
}

SHARES: dict[str, int] = {
    "frames": 2,
    "messages": 3,
    "headers": 4,
    "uris": 1,
    "websockets": 2,
    "configuration": 2,
    "options": 2,
    "cases": 3,
    "recordings": 6,
    "answers": 1,
}
"""Parts of the time of ``make fuzz`` for readers: a URI is read in microseconds, a recording in milliseconds."""
