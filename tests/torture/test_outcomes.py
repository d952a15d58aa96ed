"""Each message of RFC 4475 over UDP and TCP: its outcome is the table's, and the next call succeeds.

The RFC's messages are not part of this repository. Where they are not at hand, the cases that the table names for
them, messages of our own of the same kinds, are the whole test. Nothing here waits for time to pass: that nothing came
is known by what came next.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
import yaml

from drachtio_conformance.cases import loader, specification
from reference_server.server import Server
from reference_server.sip.messages.message import Request, Response, parse_message
from tests.admin.admin_port import Client
from tests.conftest import Run
from tests.test_server import Phone, serving, transaction_id_of

HERE = Path(__file__).parent
MESSAGES = HERE.parents[2] / "shared" / "rfc4475"
METHODS = ("invite", "register", "message", "options", "info", "notify", "subscribe", "publish")
DELIVERED, DROPPED, CLOSED = "delivered", "dropped", "closed"


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """What the table says of one message; its head explains the words."""

    section: str
    udp: str | list[str]
    clause: str
    case: str
    tcp: str | list[str] = ""
    why: str = ""

    def expected(self, transport: str) -> list[str]:
        """The outcomes by ``udp`` or ``tcp``, in order."""
        said = (self.tcp or self.udp) if transport == "tcp" else self.udp
        return [said] if isinstance(said, str) else said


TABLE = msgspec.convert(
    yaml.load((HERE / "outcomes.yaml").read_text(), yaml.BaseLoader), dict[str, Row], strict=False
)
FILES = sorted(MESSAGES.glob("*.dat"))


def test_the_table_names_clauses_and_cases_that_exist() -> None:
    clauses = specification.load().clauses
    root = HERE.parents[1] / "scenarios"
    cases = {case.name: case for case in loader.load([root])}
    for row in TABLE.values():
        assert row.clause in clauses
        assert row.clause in cases[row.case].clauses, row.case
    assert {path.stem for path in FILES} in (set(TABLE), set())


class Stream:
    """The sender of one message by TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, server: Server) -> Stream:
        """A connection to the server's TCP port."""
        port = int(server.hostports[1].rpartition(":")[2])
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        """Send octets."""
        self._writer.write(data)

    async def receive(self) -> str:
        """The next response; those of the server itself have no body."""
        return (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")

    async def rest(self, *, end: bool) -> str:
        """All that comes until the server closes; with ``end`` we end our direction first, which makes it do so."""
        if end:
            self._writer.write_eof()
        rest = (await self._reader.read()).decode("latin-1")
        self._writer.close()
        return rest


class Datagrams:
    """The sender of one message by UDP."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def send(self, data: bytes) -> None:
        """Send one datagram."""
        self._phone.transport.sendto(data)

    async def receive(self) -> str:
        """The next response."""
        return await self._phone.came.get()


async def final_response(sender: Stream | Datagrams) -> Response:
    """The next response that is not 100, of the server or the application."""
    while True:
        message = parse_message(await sender.receive())
        assert isinstance(message, Response)
        if message.status != 100:
            return message


def check_delivered(offered: str, data: bytes) -> None:
    """It is the message as it was sent, with its topmost Via completed, up to the end of its body."""
    delivered = parse_message(offered.partition("\r\n")[2])
    assert isinstance(delivered, Request)
    sent = data.decode("latin-1")
    head, _, body = sent[sent.index(delivered.start_line) :].partition("\r\n\r\n")
    lines = set(head.split("\r\n"))
    changed = [line for line in offered.partition("\r\n\r\n")[0].split("\r\n")[1:] if line not in lines]
    assert len(changed) == 1, "nothing but the topmost Via is touched"
    assert f";rport={offered.split('|')[6]}" in changed[0]
    assert body.startswith(delivered.body)
    assert len(delivered.body) == int(delivered.get("content-length") or len(body))


async def refuse(application: Client, offered: str, sender: Stream | Datagrams) -> None:
    """The application answers 480; the sender gets that."""
    delivered = parse_message(offered.partition("\r\n")[2])
    answer = await application.ask(
        f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 480 Temporarily Unavailable\r\n\r\n"
    )
    assert answer.split("|")[3] == "OK"
    refused = await final_response(sender)
    assert refused.status == 480
    for name in ("call-id", "from", "via"):
        assert refused.get(name) == delivered.get(name)
    assert (refused.cseq_number, refused.cseq_method) == (delivered.cseq_number, delivered.cseq_method)


async def call_succeeds(application: Client, phone: Phone) -> None:
    """A basic call; its INVITE and its 100 are the next that the application and the phone get."""
    phone.send("INVITE")
    offered = await application.receive()
    assert phone.branch in offered
    await application.ask(f"sip|{transaction_id_of(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n")
    assert (await phone.came.get()).startswith(
        f"SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 127.0.0.1:{phone.port};branch={phone.branch};"
    )
    assert await phone.status() == 200
    phone.send("ACK", cseq=1)
    assert transaction_id_of(await application.receive()) == transaction_id_of(offered)
    phone.send("BYE")
    bye = await application.receive()
    await application.ask(f"sip|{transaction_id_of(bye)}|\r\nSIP/2.0 200 OK\r\n\r\n")
    assert await phone.status() == 200


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_outcome(path: Path, transport: str, run: Run) -> None:
    data = path.read_bytes()
    expected = TABLE[path.stem].expected(transport)

    async def story() -> None:
        async with serving() as (server, connect):
            application, phone = await connect(*METHODS), await Phone.to(server)
            sender: Stream | Datagrams = await Stream.to(server) if transport == "tcp" else Datagrams(phone)
            sender.send(data)
            offers = [await application.receive() for outcome in expected if outcome == DELIVERED]
            for offered in offers:
                check_delivered(offered, data)
                if CLOSED not in expected:
                    await refuse(application, offered, sender)
            for answered in set(expected) - {DELIVERED, DROPPED, CLOSED}:
                refused = await final_response(sender)
                assert refused.start_line == f"SIP/2.0 {answered}"
                assert refused.malformed == ""
                assert all(value for _, value in refused.fields), "no header of it is empty"
            if isinstance(sender, Stream):
                rest = await sender.rest(end=CLOSED not in expected)
                assert len(rest.split("SIP/2.0 100 ")) <= 2, "no more than the 100 of an INVITE"
            await call_succeeds(application, phone)
            phone.transport.close()

    run(story())
