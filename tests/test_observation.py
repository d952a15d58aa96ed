"""A server with those who watch it: what happens where a part of that is missing or taken."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reference_server.config.model import LogLevel
from reference_server.config.reading import read
from reference_server.observation import Observation
from reference_server.observe.log import Console, Log
from reference_server.server import Server, StartError


@dataclass
class Watched:
    """A server and its observation, in one loop."""

    options: Sequence[str]
    ending: bool = False
    said: io.BytesIO = field(default_factory=io.BytesIO)

    async def __aenter__(self) -> Observation:
        reading = read(["--port", "0", "--contact", "sip:127.0.0.1:0", *self.options], {})
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
