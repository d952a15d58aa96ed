"""The blacklist against real Redis servers and sentinels, on ports of their own."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from drachtio_load.free_port import free_port
from reference_server.config.model import BlacklistConfiguration
from reference_server.net import blacklist as module
from reference_server.net.blacklist import Blacklist, BlacklistError
from tests.conftest import Run

KEY = "spammers"


class Redis:
    """A server that ends with the test."""

    def __init__(
        self, directory: Path, *options: str, program: str = "redis-server", configuration: str = ""
    ) -> None:
        assert shutil.which(program), f"expected {program}, see .ci/debian-packages"
        self.port = free_port()
        self._password = ""
        if "--requirepass" in options:
            self._password = options[options.index("--requirepass") + 1]
        command = [program]
        if configuration:
            file = directory / f"{self.port}.conf"
            file.write_text(configuration)
            command.append(str(file))
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(directory), *options]
        if not configuration:
            command += ["--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line or "Sentinel ID is" in line:
                return
        raise AssertionError("the Redis server did not start")

    def say(self, *words: str) -> str:
        command = ["redis-cli", "-p", str(self.port)]
        if self._password:
            command += ["-a", self._password, "--no-auth-warning"]
        return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout.strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def servers() -> Iterator[list[Redis]]:
    started: list[Redis] = []
    yield started
    for one in started:
        one.stop()


class Reader:
    """Reads a blacklist while a test waits for what it says."""

    def __init__(self, configuration: BlacklistConfiguration) -> None:
        self.came: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.blacklist = Blacklist(
            configuration, self.came.put_nowait, self.told.put_nowait, after_failure=0.05
        )

    async def __aenter__(self) -> Reader:
        self.blacklist.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.blacklist.stop()


def at(server: Redis, **more: object) -> BlacklistConfiguration:
    configuration = BlacklistConfiguration(address="127.0.0.1", port=server.port, key=KEY, refresh=0.05)
    return structs.replace(configuration, **more)


def test_the_set_is_read_and_read_again(run: Run, tmp_path: Path, servers: list[Redis]) -> None:
    servers.append(Redis(tmp_path))
    servers[0].say("SADD", KEY, "192.0.2.1", "2001:DB8:0:0::1", "no address", "10.0.0.0/8")

    async def story() -> None:
        async with Reader(at(servers[0])) as reader:
            assert await reader.came.get() == {"192.0.2.1", "2001:db8::1"}
            assert await reader.told.get() == "blacklist: 2 addresses are not heard"
            expected = "blacklist: expected literal addresses, ignored 2 others: '10.0.0.0/8', 'no address'"
            assert await reader.told.get() == expected
            servers[0].say("SREM", KEY, "192.0.2.1")
            assert await reader.came.get() == {"2001:db8::1"}
            servers[0].say("DEL", KEY)
            assert await reader.came.get() == frozenset()

    run(story())


def test_a_password(run: Run, tmp_path: Path, servers: list[Redis]) -> None:
    servers.append(Redis(tmp_path, "--requirepass", "hidden"))
    servers[0].say("SADD", KEY, "192.0.2.1")

    async def story() -> None:
        async with Reader(at(servers[0], password="hidden")) as reader:
            assert await reader.came.get() == {"192.0.2.1"}
        async with Reader(at(servers[0], password="wrong")) as reader:
            text = await reader.told.get()
            assert text.startswith("blacklist: cannot read it: ")
            assert "wrong" not in text.removeprefix("blacklist: cannot read it: ").replace("WRONGPASS", "")
        async with Reader(at(servers[0])) as reader:
            assert "blacklist: cannot read it: Authentication required" in await reader.told.get()

    run(story())


def test_while_redis_is_down_the_addresses_stay(run: Run, tmp_path: Path, servers: list[Redis]) -> None:
    servers.append(Redis(tmp_path))
    servers[0].say("SADD", KEY, "192.0.2.1")

    async def story() -> None:
        async with Reader(at(servers[0])) as reader:
            assert await reader.came.get() == {"192.0.2.1"}
            await reader.told.get()
            servers[0].stop()
            assert "cannot read it" in await reader.told.get()
            assert reader.came.empty()

    run(story())


def test_what_is_no_set(run: Run, tmp_path: Path, servers: list[Redis]) -> None:
    servers.append(Redis(tmp_path))
    servers[0].say("SET", KEY, "192.0.2.1")

    async def story() -> None:
        async with Reader(at(servers[0])) as reader:
            assert "WRONGTYPE" in await reader.told.get()

    run(story())


def test_sentinels_name_the_replicas(run: Run, tmp_path: Path, servers: list[Redis]) -> None:
    master = Redis(tmp_path)
    servers.append(master)
    configuration = f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
    sentinel = Redis(tmp_path, "--sentinel", configuration=configuration, program="redis-server")
    servers.append(sentinel)
    master.say("SADD", KEY, "192.0.2.1")
    asked = BlacklistConfiguration(
        sentinels=(("127.0.0.1", free_port()), ("127.0.0.1", sentinel.port)),
        master="main",
        key=KEY,
        refresh=0.05,
    )

    async def story() -> None:
        async with Reader(asked) as reader:
            assert await reader.came.get() == {"192.0.2.1"}  # there is no replica: it is the master's
        async with Reader(structs.replace(asked, master="other")) as reader:
            assert "cannot read it" in await reader.told.get()

    run(story())


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(BlacklistError, match="expected the Python library redis to be installed"):
        Blacklist(BlacklistConfiguration(), lambda addresses: None, lambda text: None)
