"""A DNS server of the tests' own: answers from a zone written in the usual form, over UDP and TCP on loopback."""

from __future__ import annotations

import asyncio
import struct
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.zone

ORIGIN = "test."
_HEAD = f"$ORIGIN {ORIGIN}\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\nns A 127.0.0.1\n"
_LARGEST_DATAGRAM = 1232


class Nameserver:
    """Serves ``test.``; ``asked`` are the questions in order, as ``NAPTR a.test``."""

    def __init__(self, zone: str = "") -> None:
        self.write(zone)
        self.asked: list[str] = []
        self.silent: set[str] = set()
        """kinds of questions that are not answered: ``NAPTR`` … or ``*``"""
        self.failing: set[str] = set()
        """kinds that are answered SERVFAIL"""
        self.by_tcp = 0
        """questions that came over TCP"""
        self.address = ("127.0.0.1", 0)

    def write(self, zone: str) -> None:
        """Another zone from now on."""
        self._zone = dns.zone.from_text(_HEAD + zone, origin=ORIGIN, relativize=False)

    async def __aenter__(self) -> Nameserver:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve_connection, "127.0.0.1", 0)
        self.address = self._tcp.sockets[0].getsockname()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        self.by_tcp += 1
        answer = self.answer(await reader.readexactly(length), 65535)
        if answer is not None:
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()
        writer.close()

    def answer(self, data: bytes, limit: int) -> bytes | None:
        """The answer to a question, cut if it has more than ``limit`` octets."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {str(question.name).rstrip('.')}")
        if {kind, "*"} & self.silent:
            return None
        response = dns.message.make_response(query)
        if {kind, "*"} & self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        self._fill(response, question.name, question.rdtype)
        wire = response.to_wire(max_size=65535)
        if len(wire) > limit:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire

    def _fill(
        self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        """The records of ``name``; behind a CNAME those of its target, and so on, as a recursive server does."""
        seen = 0
        while seen < 20:
            seen += 1
            node = self._zone.get_node(name)
            found = node.get_rdataset(dns.rdataclass.IN, kind) if node else None
            alias = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME) if node else None
            if found is not None:
                response.answer.append(_named(name, found))
                return
            if alias is None:
                if node is None:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                origin = dns.name.from_text(ORIGIN)
                soa = self._zone.get_rdataset(origin, dns.rdatatype.SOA)
                assert soa is not None
                response.authority.append(_named(origin, soa))
                return
            response.answer.append(_named(name, alias))
            name = alias[0].target


def _named(name: dns.name.Name, records: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, records.ttl, list(records))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Nameserver) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, _LARGEST_DATAGRAM)
        if answer is not None:
            self._transport.sendto(answer, addr)
