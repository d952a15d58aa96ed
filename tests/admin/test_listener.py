"""The admin port: binding, many connections, stopping."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from reference_server.config.model import AdminConfiguration
from tests.admin.admin_port import AdminPort, admin_port
from tests.conftest import Run
from tests.core.world import Phone


def test_an_ephemeral_port_is_told(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            host, number = port.listener.address
            assert host == "127.0.0.1"
            assert number > 0

    run(story())


def test_a_port_that_is_taken(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            second = AdminPort(AdminConfiguration(port=port.listener.address[1]), False, True)
            with pytest.raises(OSError, match="in use"):
                await second.listener.start()
            await second.listener.stop()
            await port.application()

    run(story())


def test_ipv6(run: Run) -> None:
    async def story() -> None:
        async with admin_port(addresses=("::1",)) as port:
            assert port.listener.address[0] == "::1"
            client = await port.application()
            assert (await client.ask("ping")).endswith("|OK|pong")

    run(story())


def test_connections_are_numbered_and_counted(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            clients = [await port.application("options") for _ in range(3)]
            assert len(port.connections) == 3
            await clients[0].close()
            while len(port.connections) == 3:
                await asyncio.sleep(0)
            await port.application("options")
            numbers = {found.number for _ in range(3) if (found := port.world.registry.select("options"))}
            assert numbers == {2, 3, 4}, "a number is never used twice"

    run(story())


def test_three_hundred_connections(run: Run) -> None:
    async def story() -> None:
        async with admin_port(watched=False) as port:
            clients = await asyncio.gather(*(port.application() for _ in range(300)))
            assert len(port.connections) == 300
            answers = await asyncio.gather(*(client.ask("ping") for client in clients))
            assert all(answer.endswith("|OK|pong") for answer in answers)

    run(story())


def test_no_new_applications(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application()
            port.listener.stop_accepting()
            port.listener.stop_accepting()
            with pytest.raises(OSError):  # noqa: PT011 - refused or reset
                await port.application()
            assert (await client.ask("ping")).endswith("|OK|pong")

    run(story())


def test_stopping_closes_every_connection(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            clients = [await port.application("options") for _ in range(3)]
            silent = await port.client()
            clients[0].send("ping")
            await port.listener.stop()
            for client in (*clients[1:], silent):
                assert await client.rest() == ""
            assert len(port.connections) == 0
            assert len(port.world.registry) == 0
            await port.listener.stop()

    run(story())


def test_what_was_queued_leaves_before_the_end(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            client = await port.application("options")
            Phone(port.world).send("OPTIONS")
            await port.listener.stop()
            assert "|sip|network|" in await client.rest()

    run(story())


def test_a_new_secret_holds_from_now_on(run: Run) -> None:
    async def story() -> None:
        async with admin_port() as port:
            before = await port.application()
            port.context.configure(
                structs.replace(port.context.configuration, secret="new"), port.context.limits
            )
            assert (await before.ask("ping")).endswith("|OK|pong")
            after = await port.client()
            after.send("authenticate|cymru")
            assert (await after.rest()).endswith("|NO|incorrect secret")
            assert "|OK|" in await (await port.client()).ask("authenticate|new")

    run(story())
