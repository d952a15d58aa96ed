"""A server with those who watch it: what happens where a part of that is missing or taken."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from features.steps.watchers import Copy, Receiver
from reference_server.config.model import LogLevel
from reference_server.config.reading import read
from reference_server.observation import Observation
from reference_server.observe.log import Console, Log
from reference_server.server import Server, StartError
from tests.tls.openssl import Authority


@dataclass
class Watched:
    """A server and its observation, in one loop."""

    options: Sequence[str]
    ending: bool = False
    said: io.BytesIO = field(default_factory=io.BytesIO)

    async def __aenter__(self) -> Observation:
        contact = () if "--contact" in self.options else ("--contact", "sip:127.0.0.1:0")
        reading = read(["--port", "0", *contact, *self.options], {})
        assert reading.configuration is not None
        self.observation = Observation(
            reading.configuration,
            Log(LogLevel.INFO, [Console(self.said)]),
            mask=str,
            ending=lambda: self.ending,
        )
        self.server = Server(reading.configuration)
        try:
            self.observation.begin(self.server)
            await self.server.start()
            await self.observation.open_door()
        except BaseException:
            await self.__aexit__()
            raise
        return self.observation

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
        await self.observation.end()


async def get(door: str, path: str) -> tuple[str, str]:
    host, _, port = door.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return head.partition("\r\n")[0], body


def test_the_page_of_a_running_server_has_each_of_its_tables() -> None:
    async def run() -> None:
        watched = Watched(["--prometheus-scrape-port", "[::1]:0"])
        async with watched as observation:
            assert observation.door.startswith("[::1]:")
            status, body = await get(observation.door, "/metrics")
            assert status == "HTTP/1.1 200 OK"
            tables = [
                sample.labels["table"]
                for family in text_string_to_metric_families(body)
                for sample in family.samples
                if family.name == "drachtio_table_entries"
            ]
            assert tables == list(watched.server.occupancy())
            assert f"http://{observation.door}/metrics" in watched.said.getvalue().decode()

    asyncio.run(run())


def test_a_server_that_is_about_to_stop_is_alive_but_not_ready() -> None:
    async def run() -> None:
        watched = Watched(["--prometheus-scrape-port", "127.0.0.1:0"])
        async with watched as observation:
            assert (await get(observation.door, "/readyz"))[0] == "HTTP/1.1 200 OK"
            watched.ending = True
            assert (await get(observation.door, "/readyz"))[0] == "HTTP/1.1 503 Service Unavailable"
            assert (await get(observation.door, "/healthz"))[0] == "HTTP/1.1 200 OK"

    asyncio.run(run())


def test_a_port_that_is_taken() -> None:
    async def run() -> None:
        async with Watched(["--prometheus-scrape-port", "127.0.0.1:0"]) as first:
            with pytest.raises(StartError, match=f"^cannot listen for Prometheus on {first.door}: "):
                async with Watched(["--prometheus-scrape-port", first.door]):
                    pass

    asyncio.run(run())


def test_without_any_of_it_nothing_watches() -> None:
    async def run() -> None:
        watched = Watched([])
        async with watched as observation:
            taps = watched.server.taps
            assert [*taps.sip, *taps.frames, *taps.events, *taps.transactions] == []
            assert observation.door == ""

    asyncio.run(run())


OPTIONS = (
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} far.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@far.invalid>;tag=f\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(("transport", "protocol"), [("tcp", 6), ("tls", 22)])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_copies_of_what_came_over_a_connection(
    tmp_path: Path, transport: str, protocol: int, version: int
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.signed("server.test")
    secured = ssl.create_default_context(cafile=str(authority.root)) if transport == "tls" else None
    receiver = Receiver()
    file = tmp_path / "d.xml"
    file.write_text(
        f'<drachtio><admin>127.0.0.1</admin><sip><capture-server id="9" port="{receiver.port}" '
        f'hep-version="{version}">127.0.0.1</capture-server><tls><key-file>{key}</key-file>'
        f"<cert-file>{certificate}</cert-file></tls></sip></drachtio>"
    )

    async def run() -> None:
        scheme = "sips" if transport == "tls" else "sip"
        watched = Watched(["-f", str(file), "--contact", f"{scheme}:127.0.0.1:0;transport={transport}"])
        async with watched:
            ours = int(watched.server.hostports[0].rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", ours, ssl=secured)
            far = writer.get_extra_info("sockname")[1]
            request = OPTIONS.format(via=transport.upper())
            writer.write(request.encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.close()
        came, went = (Copy(version, receiver.next()) for _ in range(2))
        assert (came.text, went.text) == (request, answer)
        assert came.source == went.destination == ("127.0.0.1", far)
        assert came.destination == went.source == ("127.0.0.1", ours)
        assert came.protocol == went.protocol == protocol
        assert came.agent == went.agent == (None if version == 1 else 9)

    try:
        asyncio.run(run())
    finally:
        receiver.close()
